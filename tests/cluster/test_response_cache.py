"""The response cache as a deployment starts it, without Ray and without an encoder."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from cache.local_encoder import TurnEncoder
from cache.lookup import ask
from cache.model_folder import DEFAULT_MODEL
from cache.outcomes import Miss, MissReason
from cluster.response_cache import (
    build_cache_driver,
    cache_driver,
    open_process_cache,
)
from cluster.settings import Settings
from telemetry.ledger import MetricsLedger
from tests.cache.cache_world import SCOPE


def settings(folder: Path, **more: Any) -> Settings:
    chosen = {"mode": "development", "data_dir": folder, "agents_dir": folder, **more}
    return Settings(cache_model="no-such-model", **chosen)


def test_where_it_is_off_nothing_is_looked_up(tmp_path: Path) -> None:
    async def story() -> None:
        off = settings(tmp_path, cache=False)
        process = await open_process_cache("p", off, ["en-US"])
        assert process.answers is None
        await process.start()
        process.sample(MetricsLedger("p", 1))
        await process.aclose()

    asyncio.run(story())


def test_a_process_without_an_encoder_has_a_copy_all_the_same(tmp_path: Path) -> None:
    async def story() -> None:
        process = await open_process_cache("p", settings(tmp_path), ["en-US"])
        assert process.answers is not None
        found = await process.answers.lookup(ask("when do you open", SCOPE))
        assert found == Miss(MissReason.EMPTY_SCOPE)
        process.sample(MetricsLedger("p", 1))
        await process.aclose()

    asyncio.run(story())


def test_the_owner_says_once_that_there_is_no_encoder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would take the log of the test process for its own.
    monkeypatch.setattr("cluster.response_cache.configure_logging", lambda _level: None)

    async def story() -> None:
        driver = await build_cache_driver(
            settings(tmp_path).to_plain(), lambda: 0.0, 1, lambda: 0.0
        )
        await driver.start()
        await driver.aclose()

    with caplog.at_level(logging.WARNING):
        asyncio.run(story())
    said = [one.getMessage() for one in caplog.records if "same words only" in one.getMessage()]
    assert len(said) == 1
    assert "no-such-model" in said[0]
    assert (tmp_path / "cache" / "responses.cache").is_file()


def test_limits_are_those_of_the_settings(tmp_path: Path) -> None:
    async def story() -> None:
        small = settings(tmp_path, cache_entries=100, cache_dir=tmp_path / "elsewhere")
        driver = cache_driver(
            small, lambda: 0.0, 1, lambda: 0.0, TurnEncoder(None), waits_for_copies=False
        )
        await driver.start()
        await driver.settled()  # at once: nobody else knows more
        await driver.aclose()

    asyncio.run(story())
    assert (tmp_path / "elsewhere" / "responses.cache").is_file()


def test_the_default_model_is_the_one_that_the_encoder_knows() -> None:
    assert Settings.model_fields["cache_model"].default == DEFAULT_MODEL
