"""What alembic runs to migrate: on the connection and in the transaction it was given."""

from __future__ import annotations

from alembic import context

from records.migrations import VERSION_TABLE
from records.tables import METADATA


def run() -> None:
    """Run the steps that are missing."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        version_table=VERSION_TABLE,
        # Ours is open already: a migration that breaks off leaves the tables as they were.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if getattr(context, "config", None) is not None:  # else it is imported like any module
    run()
