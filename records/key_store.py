"""API keys: ``cck_<key_id>_<random>``, shown once and kept as a hash.

The random part has 256 bits, so that one round of a plain hash is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable

from sqlalchemy import select, update

from records.database import Database, as_database
from records.edge_rows import ApiKeyRow
from records.statements import insert_into, to_columns
from records.tables import API_KEYS

PREFIX = "cck"
_ID_BYTES = 8
_SECRET_BYTES = 32
_LONGEST_SECRET_CHARS = 200
_NOBODY = ApiKeyRow("", "0" * 64)


class KeyStore:
    """API keys and the tenants they name. Every method raises ``RecordsError``.

    Args:
        where: The database, or its ``DATABASE_URL``.
        random_bytes: Bytes nobody can guess.
    """

    def __init__(
        self, where: Database | str, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._database = as_database(where)
        self._random_bytes = random_bytes

    async def create(self, tenant_id: str, name: str, *, at_us: int) -> str:
        """Make a key for a tenant.

        Args:
            tenant_id: Whose calls the key opens.
            name: For people.
            at_us: Now.

        Returns:
            The secret. It is kept nowhere: show it once.
        """
        key_id = self._random_bytes(_ID_BYTES).hex()
        secret = f"{PREFIX}_{key_id}_{self._random_bytes(_SECRET_BYTES).hex()}"
        row = ApiKeyRow(key_id, _hash(secret), tenant_id, name, at_us)
        async with self._database.writing() as connection:
            await connection.execute(
                insert_into(API_KEYS, self._database.dialect), [to_columns(row)]
            )
        return secret

    async def find(self, secret: str) -> ApiKeyRow | None:
        """The key of a secret; None when there is none or it was revoked.

        Comparing takes the same time however much of a wrong secret is right.
        """
        prefix, _, rest = secret[:_LONGEST_SECRET_CHARS].partition("_")
        key_id = rest.partition("_")[0]
        if prefix != PREFIX or not (key_id.isascii() and key_id.isalnum()):
            return None
        found = await self._database.fetch(select(API_KEYS).where(API_KEYS.c.key_id == key_id))
        row = ApiKeyRow(**found[0]) if found else _NOBODY
        right = hmac.compare_digest(row.key_hash, _hash(secret))
        return row if right and not row.revoked_at_us else None

    async def revoke(self, tenant_id: str, key_id: str, *, at_us: int) -> bool:
        """Let a key open nothing any more; False when this tenant has no such good key."""
        statement = (
            update(API_KEYS)
            .where(
                API_KEYS.c.key_id == key_id,
                API_KEYS.c.tenant_id == tenant_id,
                API_KEYS.c.revoked_at_us == 0,
            )
            .values(revoked_at_us=at_us)
        )
        async with self._database.writing() as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def list(self, tenant_id: str | None = None) -> list[ApiKeyRow]:
        """All keys, revoked ones too, the oldest first; of one tenant if one is named."""
        query = select(API_KEYS).order_by(API_KEYS.c.created_at_us, API_KEYS.c.key_id)
        if tenant_id is not None:
            query = query.where(API_KEYS.c.tenant_id == tenant_id)
        return [ApiKeyRow(**columns) for columns in await self._database.fetch(query)]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
