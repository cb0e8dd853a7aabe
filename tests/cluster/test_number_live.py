"""A number rings here after one command: Twilio's own client against the emulated account."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster import number_setup as setup
from cluster.doctor.check_key_trials import examine_key_trials
from cluster.doctor.check_numbers import examine_numbers
from cluster.doctor.place import Place
from cluster.errors import SettingsError
from cluster.settings import Settings
from records.edge_rows import NumberRow
from simulation.exchange import ExchangeConfig
from simulation.faults import Faults
from simulation.providers import ProvidersConfig, RunningProviders, run_providers
from simulation.voice_sound import HummingVoice
from telephony.errors import CarrierRefused
from tests.support.scripted_call import AGENT

pytestmark = pytest.mark.e2e

NUMBER = "+14155550199"
ROW = NumberRow(NUMBER, "default", "a1", 1)
Scene = Callable[[RunningProviders, Settings], Coroutine[Any, Any, None]]


def play(folder: Path, scene: Scene, **fields: str) -> None:
    account = ExchangeConfig(numbers=(NUMBER,))

    async def body() -> None:
        config = ProvidersConfig(voice=HummingVoice(), twilio=account)
        async with run_providers(config) as running:
            settings = Settings(
                _env_file=None,
                **{
                    "data_dir": folder,
                    "public_url": "https://v.example",
                    "twilio_account_sid": account.account_sid,
                    "twilio_auth_token": account.auth_token,
                    "twilio_api_base_url": running.twilio_api_base_url,
                    **fields,
                },
            )
            await scene(running, settings)

    asyncio.run(body())


async def use(settings: Settings, row: NumberRow = ROW) -> None:
    webhooks = setup.Webhooks.of(settings)
    async with setup.opened_carrier(settings) as carrier, setup.open_routes(settings) as routes:
        await setup.use_number(carrier, routes, webhooks, row, lambda _elsewhere: True)


def test_a_number_is_set_up_seen_by_the_doctor_and_unhooked(tmp_path: Path) -> None:
    async def scene(_running: RunningProviders, settings: Settings) -> None:
        place = Place(settings=settings, agents={("default", "a1"): AGENT}, try_keys=True)
        new = replace(place, settings=settings.model_copy(update={"data_dir": tmp_path / "no"}))
        assert "never started" in (await examine_numbers(new))[0].found
        assert (await examine_numbers(place))[0].status == "skipped"  # no tables yet
        await use(settings)
        await use(settings)  # again: nothing more
        webhooks = setup.Webhooks.of(settings)
        async with setup.opened_carrier(settings) as carrier:
            found = await carrier.find_number(NUMBER)
            assert found is not None
            assert (found.voice_url, found.voice_method) == (webhooks.voice_url, "POST")
            assert found.status_callback == webhooks.status_url
            (healthy,) = await examine_numbers(place)
            assert (healthy.status, healthy.found) == ("ok", "rings here; a1 answers")
            assert NUMBER not in repr(healthy)
            assert await setup.unhook(carrier, webhooks, NUMBER)
            (unhooked,) = await examine_numbers(place)
            assert (unhooked.status, unhooked.found) == ("warn", "no webhook")

    play(tmp_path, scene)


def test_with_regions_the_account_knows_the_second_one(tmp_path: Path) -> None:
    async def scene(_running: RunningProviders, settings: Settings) -> None:
        there = settings.model_copy(
            update={"public_url": "https://us.example", "region": "us", "data_dir": tmp_path / "us"}
        )
        place = Place(settings=settings, agents={("default", "a1"): AGENT}, try_keys=True)
        await use(settings)
        async with setup.opened_carrier(settings) as carrier:
            found = await carrier.find_number(NUMBER)
            assert found is not None
            assert found.voice_fallback_url == "https://us.example/twilio/voice"
            async with setup.open_routes(there) as routes:
                webhooks = setup.Webhooks.of(there)
                assert await setup.be_spare_of(carrier, routes, webhooks, ROW) == "eu"
            (here,) = await examine_numbers(place)
            assert (here.status, here.found) == ("ok", "rings here; a1 answers")
            (spare,) = await examine_numbers(replace(place, settings=there))
            assert (spare.status, spare.found) == ("ok", "rings in region eu; a1 answers")
            await carrier.set_number_urls(
                found.sid,
                voice_url=found.voice_url,
                status_url=found.status_callback,
                fallback_url="",
            )
        (bare,) = await examine_numbers(place)
        assert (bare.status, bare.found) == ("warn", setup.NO_SPARE)

    regions = {"regions": "eu=https://v.example DE us=https://us.example *", "region": "eu"}
    play(tmp_path, scene, **regions)


def test_a_number_without_an_agent_or_of_nobody_is_found(tmp_path: Path) -> None:
    async def scene(_running: RunningProviders, settings: Settings) -> None:
        async with setup.open_routes(settings) as routes:
            place = Place(settings=settings, agents={("default", "a1"): AGENT}, try_keys=True)
            assert (await examine_numbers(place))[0].found == "none has a route"
            await routes.put(NumberRow("+14155550142", "default", "gone", 1))
        rings, agent = await examine_numbers(place)
        assert (rings.status, rings.found) == ("warn", "not a number of this account")
        assert (agent.status, "'gone'" in agent.found) == ("fail", True)

    play(tmp_path, scene)


def test_a_number_of_another_account_is_refused(tmp_path: Path) -> None:
    async def scene(_running: RunningProviders, settings: Settings) -> None:
        with pytest.raises(SettingsError, match="owns no number"):
            await use(settings, NumberRow("+14155550142", "default", "a1", 1))

    play(tmp_path, scene)


def test_the_account_is_tried(tmp_path: Path) -> None:
    async def scene(running: RunningProviders, settings: Settings) -> None:
        place = Place(settings=settings, try_keys=True)
        (good,) = await examine_key_trials(place)
        assert good.status in {"ok", "warn"}  # a trial account is a warning
        running.board.set("twilio", Faults(status=503))
        (away,) = await examine_key_trials(place)
        assert away.status == "fail"

    play(tmp_path, scene)


def test_a_wrong_token_is_a_refusal_everywhere(tmp_path: Path) -> None:
    async def scene(_running: RunningProviders, settings: Settings) -> None:
        (tried,) = await examine_key_trials(Place(settings=settings, try_keys=True))
        assert (tried.status, "20003" in tried.found) == ("fail", True)
        with pytest.raises(CarrierRefused):
            await use(settings)

    play(tmp_path, scene, twilio_auth_token="x" * 32)
