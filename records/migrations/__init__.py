"""How the tables came to be what they are, step by step, for alembic.

A step only adds, and what it adds has a default in the database: processes of the version before
keep writing while a new one starts. ``REVISIONS`` lists the steps, oldest first, so that a start
can tell older from newer without loading alembic.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
VERSION_TABLE: Final = "callcluster_schema"
REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005")
HEAD: Final = REVISIONS[-1]
