"""A database for each test that asks the API."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from records.schema import migrate
from tests.support.api_stage import ApiStage


class OnApi(Protocol):
    """Runs a scene on an API; keywords are those of ``ApiStage``."""

    def __call__(self, scene: Callable[[ApiStage], Awaitable[None]], **settings: Any) -> None: ...


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with our tables: copying it is quicker than migrating anew."""
    path = tmp_path_factory.mktemp("records") / "migrated.sqlite3"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
def on_api(migrated_file: Path, tmp_path: Path) -> OnApi:
    """Runs a scene on an API with an empty database."""

    def run(scene: Callable[[ApiStage], Awaitable[None]], **settings: Any) -> None:
        async def main() -> None:
            file = tmp_path / "calls.sqlite3"
            shutil.copy(migrated_file, file)
            async with ApiStage(file, **settings) as api:
                await scene(api)

        asyncio.run(main())

    return run
