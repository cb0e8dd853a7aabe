"""Letting a number ring here: whatever breaks off, doing it again finishes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster import number_setup as setup
from cluster.errors import SettingsError
from cluster.number_setup import Webhooks, use_number
from cluster.settings import Settings
from records.edge_rows import NumberRow
from records.errors import NumberTaken
from records.number_store import NumberStore
from telephony.errors import CarrierUnreachable
from telephony.rest import CarrierNumber
from tests.support.paper_carrier import PaperCarrier

NUMBER = "+14155550100"
HERE = Webhooks("https://v.example/twilio/voice", "https://v.example/twilio/status")
ROW = NumberRow(NUMBER, "default", "reception", 1)


def settings(folder: Path, **fields: Any) -> Settings:
    return Settings(
        _env_file=None, **{"data_dir": folder, "public_url": "https://v.example", **fields}
    )


def play(folder: Path, scene: Callable[[NumberStore], Coroutine[Any, Any, None]]) -> None:
    async def body() -> None:
        async with setup.open_routes(settings(folder)) as routes:
            await scene(routes)

    asyncio.run(body())


def sure(_elsewhere: str) -> bool:
    return True


def asked_in_vain(_elsewhere: str) -> bool:
    raise AssertionError("nobody should have been asked")


@pytest.mark.parametrize("voice_url", ["", HERE.voice_url, "https://demo.twilio.com/welcome/"])
def test_a_number_of_nobody_is_taken_without_asking(tmp_path: Path, voice_url: str) -> None:
    async def scene(routes: NumberStore) -> None:
        carrier = PaperCarrier(CarrierNumber(sid="PN1", number=NUMBER, voice_url=voice_url))
        await use_number(carrier, routes, HERE, ROW, asked_in_vain)
        assert carrier.urls["PN1"] == (HERE.voice_url, HERE.status_url)
        assert await routes.get(NUMBER) == ROW

    play(tmp_path, scene)


def test_a_number_of_somebody_is_asked_for(tmp_path: Path) -> None:
    async def scene(routes: NumberStore) -> None:
        carrier = PaperCarrier(CarrierNumber(sid="PN1", number=NUMBER, voice_url="https://old/x"))
        asked: list[str] = []
        with pytest.raises(SettingsError, match="nothing was changed"):
            await use_number(carrier, routes, HERE, ROW, lambda url: bool(asked.append(url)))
        assert asked == ["https://old/x"]
        assert (carrier.urls, await routes.get(NUMBER)) == ({}, None)
        await use_number(carrier, routes, HERE, ROW, sure)
        assert carrier.urls["PN1"] == (HERE.voice_url, HERE.status_url)

    play(tmp_path, scene)


def test_a_number_that_rings_here_already_is_not_set_again(tmp_path: Path) -> None:
    async def scene(routes: NumberStore) -> None:
        there = CarrierNumber(
            sid="PN1", number=NUMBER, voice_url=HERE.voice_url, status_callback=HERE.status_url
        )
        carrier = PaperCarrier(there)
        await use_number(carrier, routes, HERE, ROW, asked_in_vain)
        assert carrier.urls == {}

    play(tmp_path, scene)


def test_a_number_that_the_account_does_not_own(tmp_path: Path) -> None:
    async def scene(routes: NumberStore) -> None:
        with pytest.raises(SettingsError, match="owns no number"):
            await use_number(PaperCarrier(), routes, HERE, ROW, sure)
        assert await routes.get(NUMBER) is None

    play(tmp_path, scene)


def test_a_number_of_another_tenant_changes_nothing_at_the_carrier(tmp_path: Path) -> None:
    async def scene(routes: NumberStore) -> None:
        await routes.put(NumberRow(NUMBER, "other", "sales", 1))
        carrier = PaperCarrier(CarrierNumber(sid="PN1", number=NUMBER))
        with pytest.raises(NumberTaken):
            await use_number(carrier, routes, HERE, ROW, sure)
        assert carrier.urls == {}

    play(tmp_path, scene)


def test_what_broke_off_is_finished_by_doing_it_again(tmp_path: Path) -> None:
    async def scene(routes: NumberStore) -> None:
        carrier = PaperCarrier(CarrierNumber(sid="PN1", number=NUMBER))
        carrier.failure = CarrierUnreachable("no answer")
        with pytest.raises(CarrierUnreachable):
            await use_number(carrier, routes, HERE, ROW, sure)
        carrier.failure = None
        await use_number(carrier, routes, HERE, ROW, sure)
        assert carrier.urls["PN1"] == (HERE.voice_url, HERE.status_url)

    play(tmp_path, scene)


def test_where_a_number_rings_is_said_in_words() -> None:
    def where(**fields: str) -> str:
        carrier = PaperCarrier(CarrierNumber(sid="PN1", number=NUMBER, **fields))
        return asyncio.run(setup.where_it_rings(carrier, HERE, NUMBER))

    assert where(voice_url=HERE.voice_url, status_callback=HERE.status_url) == "rings here"
    assert where(voice_url=HERE.voice_url).startswith("rings here, but")
    assert where(voice_url="https://old/x") == "rings at https://old/x"
    assert where() == "no webhook"
    nobody = asyncio.run(setup.where_it_rings(PaperCarrier(), HERE, NUMBER))
    assert nobody == "not a number of this account"
    broken = PaperCarrier()
    broken.failure = CarrierUnreachable("no answer")
    assert asyncio.run(setup.where_it_rings(broken, HERE, NUMBER)) == "no answer"


def test_only_a_number_that_rings_here_is_unhooked() -> None:
    ours = PaperCarrier(CarrierNumber(sid="PN1", number=NUMBER, voice_url=HERE.voice_url))
    assert asyncio.run(setup.unhook(ours, HERE, NUMBER))
    assert ours.urls == {"PN1": ("", "")}
    theirs = PaperCarrier(CarrierNumber(sid="PN1", number=NUMBER, voice_url="https://old/x"))
    assert not asyncio.run(setup.unhook(theirs, HERE, NUMBER))
    assert theirs.urls == {}


REGIONS = {
    "public_url": "https://eu.example",
    "regions": "eu=https://eu.example DE us=https://us.example US ap=https://ap.example *",
    "region": "eu",
}
US_URL = "https://us.example/twilio/voice"


def test_a_number_falls_back_to_the_next_region(tmp_path: Path) -> None:
    webhooks = Webhooks.of(settings(tmp_path, **REGIONS))
    assert webhooks.fallback_url == US_URL
    last = {**REGIONS, "region": "ap", "public_url": "https://ap.example"}
    first = Webhooks.of(settings(tmp_path, **last)).fallback_url
    assert first == "https://eu.example/twilio/voice"

    async def scene(routes: NumberStore) -> None:
        rings_here = CarrierNumber(
            sid="PN1",
            number=NUMBER,
            voice_url=webhooks.voice_url,
            status_callback=webhooks.status_url,
        )
        carrier = PaperCarrier(rings_here)
        assert await setup.where_it_rings(carrier, webhooks, NUMBER) == setup.NO_SPARE
        await use_number(carrier, routes, webhooks, ROW, asked_in_vain)
        assert carrier.fallbacks == {"PN1": US_URL}
        # Any other region will do: which of three is the nearest spare is a person's choice.
        spare = "https://ap.example/twilio/voice"
        carrier = PaperCarrier(replace(rings_here, voice_fallback_url=spare))
        assert await setup.where_it_rings(carrier, webhooks, NUMBER) == "rings here"
        await use_number(carrier, routes, webhooks, ROW, asked_in_vain)
        assert carrier.urls == {}
        assert await setup.unhook(carrier, webhooks, NUMBER)
        assert carrier.fallbacks == {"PN1": ""}

    play(tmp_path, scene)


def test_a_fallback_of_somebodys_own_is_left_alone(tmp_path: Path) -> None:
    async def scene(routes: NumberStore) -> None:
        bin_of_theirs = CarrierNumber(
            sid="PN1",
            number=NUMBER,
            voice_url=HERE.voice_url,
            voice_fallback_url="https://handler.twilio.com/twiml/EH1",
        )
        carrier = PaperCarrier(bin_of_theirs)
        await use_number(carrier, routes, HERE, ROW, asked_in_vain)
        assert await setup.unhook(carrier, HERE, NUMBER)
        assert (list(carrier.urls), carrier.fallbacks) == (["PN1"], {})

    play(tmp_path, scene)


def test_a_spare_region_learns_who_answers_and_nothing_else_changes(tmp_path: Path) -> None:
    webhooks = Webhooks.of(settings(tmp_path, **REGIONS))

    async def scene(routes: NumberStore) -> None:
        carrier = PaperCarrier(CarrierNumber(sid="PN1", number=NUMBER, voice_url=US_URL))
        assert await setup.where_it_rings(carrier, webhooks, NUMBER) == "rings in region us"
        assert await setup.be_spare_of(carrier, routes, webhooks, ROW) == "us"
        assert (await routes.get(NUMBER), carrier.urls) == (ROW, {})
        other = NumberRow("+14155550199", "default", "reception", 1)
        carrier = PaperCarrier(CarrierNumber(sid="PN2", number=other.number))
        with pytest.raises(SettingsError, match="does not ring in another region \\(us, ap\\)"):
            await setup.be_spare_of(carrier, routes, webhooks, other)
        with pytest.raises(SettingsError, match="CALLCLUSTER_REGIONS is not set"):
            await setup.be_spare_of(carrier, routes, HERE, other)
        assert await routes.get(other.number) is None

    play(tmp_path, scene)


def test_webhooks_need_an_address_that_the_carrier_reaches(tmp_path: Path) -> None:
    assert Webhooks.of(settings(tmp_path)) == HERE
    with pytest.raises(SettingsError, match="PUBLIC_URL"):
        Webhooks.of(settings(tmp_path, public_url="http://127.0.0.1:8000"))
