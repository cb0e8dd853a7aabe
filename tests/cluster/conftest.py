"""What the tests of this room share: a database for each that asks the API, commands built once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest
import typer.main

from records.schema import migrate
from tests.support.api_stage import ApiStage, furnish


class OnApi(Protocol):
    """Runs a scene on an API; keywords are those of ``ApiStage``."""

    def __call__(self, scene: Callable[[ApiStage], Awaitable[None]], **settings: Any) -> None: ...


@pytest.fixture(scope="session", autouse=True)
def _commands_are_built_once() -> Iterator[None]:
    """Every command with every option, from the signatures: longer than most commands take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with our tables: copying it is quicker than migrating anew."""
    path = tmp_path_factory.mktemp("records") / "migrated.sqlite3"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A SQLite file and the keys in it: copying it is quicker than furnishing it anew."""
    path = tmp_path_factory.mktemp("records") / "furnished.sqlite3"
    return path, asyncio.run(furnish(path))


@pytest.fixture
def on_api(furnished: tuple[Path, dict[str, str]], tmp_path: Path) -> OnApi:
    """Runs a scene on an API with an empty database."""

    def run(scene: Callable[[ApiStage], Awaitable[None]], **settings: Any) -> None:
        async def main() -> None:
            original, keys = furnished
            file = tmp_path / "calls.sqlite3"
            shutil.copy(original, file)
            async with ApiStage(file, keys, **settings) as api:
                await scene(api)

        asyncio.run(main())

    return run
