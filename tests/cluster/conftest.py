"""A database for each test that asks the API."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.support.api_stage import ApiStage, furnish


class OnApi(Protocol):
    """Runs a scene on an API; keywords are those of ``ApiStage``."""

    def __call__(self, scene: Callable[[ApiStage], Awaitable[None]], **settings: Any) -> None: ...


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
