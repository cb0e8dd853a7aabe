"""Which tenant's agent answers a phone number."""

from __future__ import annotations

from sqlalchemy import delete, select

from records.database import Database, as_database
from records.edge_rows import NumberRow
from records.errors import NumberTaken
from records.statements import insert_into, to_columns
from records.tables import NUMBERS


class NumberStore:
    """Phone numbers and who answers them. Every method raises ``RecordsError``.

    Args:
        where: The database, or its ``DATABASE_URL``.
    """

    def __init__(self, where: Database | str) -> None:
        self._database = as_database(where)

    async def put(self, row: NumberRow) -> None:
        """Let an agent answer a number, whoever of the same tenant did before.

        Raises:
            NumberTaken: The number belongs to another tenant.
        """
        insert = insert_into(NUMBERS, self._database.dialect)
        statement = insert.on_conflict_do_update(
            index_elements=[NUMBERS.c.number],
            set_={"agent_id": insert.excluded.agent_id},
            where=NUMBERS.c.tenant_id == insert.excluded.tenant_id,
        ).returning(NUMBERS.c.number)
        async with self._database.writing() as connection:
            if (await connection.execute(statement, [to_columns(row)])).first() is None:
                raise NumberTaken(
                    f"{row.number} belongs to another tenant: it must give the number up first"
                )

    async def remove(self, tenant_id: str, number: str) -> bool:
        """Give a number up; False when it is not this tenant's."""
        statement = delete(NUMBERS).where(
            NUMBERS.c.number == number, NUMBERS.c.tenant_id == tenant_id
        )
        async with self._database.writing() as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def get(self, number: str) -> NumberRow | None:
        """Who answers a number, or None."""
        found = await self._database.fetch(select(NUMBERS).where(NUMBERS.c.number == number))
        return NumberRow(**found[0]) if found else None

    async def all(self, tenant_id: str | None = None) -> list[NumberRow]:
        """All numbers, sorted; of one tenant if one is named."""
        query = select(NUMBERS).order_by(NUMBERS.c.number)
        if tenant_id is not None:
            query = query.where(NUMBERS.c.tenant_id == tenant_id)
        return [NumberRow(**columns) for columns in await self._database.fetch(query)]
