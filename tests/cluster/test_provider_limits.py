"""``CALLCLUSTER_PROVIDER_LIMITS``, and the door that it may close before a call is answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cluster.errors import SettingsError
from cluster.provider_gate import PATIENCE_S, ProviderGate
from cluster.provider_limits import checked_limits, quota_limits
from cluster.provider_settings import provider_settings
from cluster.settings import Settings, read_settings
from providers.health.quotas import QuotaLimit, Quotas
from providers.health.unit import credential_label
from tests.support import virtual_time
from tests.support.scripted_call import AGENT

CALLED = replace(AGENT, recogniser="azure", thinker="openai", speaker="elevenlabs")


def test_reads_what_people_write() -> None:
    text = " recogniser.azure=100,speaker.elevenlabs=15\n thinker.openai=500/min "
    settings = Settings(
        _env_file=None, provider_limits=text, openai_api_key="sk-secret", azure_speech_key="az"
    )
    found = quota_limits(settings.provider_limits, provider_settings(settings))
    assert found == [
        QuotaLimit("recognise", "azure", 100, credential=credential_label("az")),
        QuotaLimit("speak", "elevenlabs", 15),
        QuotaLimit(
            "think", "openai", 500, per_minute=True, credential=credential_label("sk-secret")
        ),
    ]
    assert "sk-secret" not in repr(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("azure=100", "write recogniser.azure=100"),
        ("recogniser.azure=0", "write recogniser.azure=100"),
        ("recogniser.azure = 100", "write recogniser.azure=100"),
        ("recogniser.asure=100", "there is no recogniser.asure; there are: .*recogniser.azure"),
        ("recogniser.azure=100/min", "leave out /min"),
        ("realtime.openai_realtime=10/min", "leave out /min"),
        ("realtime.azure=10", "there is no realtime.azure"),
        ("speaker.azure=1 speaker.azure=2", "twice"),
    ],
)
def test_says_what_is_wrong_with_it(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        checked_limits(text)
    with pytest.raises(SettingsError, match=f"CALLCLUSTER_PROVIDER_LIMITS: .*{said}"):
        read_settings(_env_file=None, provider_limits=text)


@pytest.mark.parametrize(
    ("kind", "name", "fields"),
    [
        ("recogniser", "deepgram", {"deepgram_api_key": "k"}),
        ("recogniser", "google", {"google_cloud_project": "k"}),
        ("speaker", "google", {"google_cloud_project": "k"}),
        ("speaker", "azure", {"azure_speech_key": "k"}),
        ("speaker", "openai", {"openai_tts_api_key": "k", "openai_tts_base_url": "http://h/v1"}),
        ("thinker", "openrouter", {"openrouter_api_key": "k", "openrouter_model": "m/x"}),
        ("realtime", "openai_realtime", {"openai_realtime_api_key": "k"}),
    ],
)
def test_each_limit_is_that_of_its_own_key(kind: str, name: str, fields: dict[str, Any]) -> None:
    known = provider_settings(Settings(_env_file=None, **fields))
    (limit,) = quota_limits(f"{kind}.{name}=5", known)
    assert limit.credential == credential_label("k")


class Desk:
    """Answers what the test says, and how often it was asked."""

    def __init__(self, *limits: QuotaLimit) -> None:
        self.quotas = Quotas("w", limits)
        for limit in limits:
            self.quotas.limits(limit.work, limit.provider)
        self.asked = 0
        self.added = 0
        self.fullness = 0.0

    async def next_answer(self) -> None:
        self.asked += 1
        self.answer()

    def answer(self) -> None:
        leases = {
            key: [wish[1], self.added, 0, self.fullness]
            for key, wish in self.quotas.wishes().items()
        }
        self.quotas.answered(leases)

    @property
    def gate(self) -> ProviderGate:
        return ProviderGate(self.quotas, self.next_answer)


def test_without_a_limit_the_door_is_open() -> None:
    assert virtual_time.run(ProviderGate().admits(CALLED, "call"))


def test_a_call_waits_for_a_unit_that_comes() -> None:
    desk = Desk(QuotaLimit("recognise", "azure", 10))
    desk.answer()
    desk.added = 1

    async def scene() -> None:
        assert await desk.gate.admits(CALLED, "one")
        assert desk.asked == 1
        desk.added = 0
        assert not await desk.gate.admits(CALLED, "two")
        assert desk.asked > 2, "again and again, as long as it may ring"

    virtual_time.run(scene())


def test_a_call_that_nobody_can_take_is_refused_after_a_moment() -> None:
    desk = Desk(QuotaLimit("recognise", "azure", 10))
    desk.answer()

    async def scene() -> float:
        import asyncio

        loop = asyncio.get_running_loop()
        began = loop.time()
        assert not await desk.gate.admits(CALLED, "call")
        return loop.time() - began

    assert virtual_time.run(scene()) == pytest.approx(PATIENCE_S)


@pytest.mark.parametrize(
    ("work", "provider", "chain"),
    [
        ("think", "openai", {"then_thinkers": ("openrouter",)}),
        ("recognise", "azure", {"then_recognisers": ("deepgram",)}),
    ],
)
def test_as_long_as_one_of_a_chain_can_the_call_comes_in(
    work: str, provider: str, chain: dict[str, Any]
) -> None:
    desk = Desk(QuotaLimit(work, provider, 10))
    desk.fullness = 1.0
    desk.answer()

    async def scene() -> None:
        assert not await desk.gate.admits(CALLED, "alone")
        assert await desk.gate.admits(replace(CALLED, **chain), "with a spare")

    virtual_time.run(scene())


@pytest.mark.parametrize(
    ("mode", "needed"),
    [
        ("pipeline", {"recognise", "think", "speak"}),
        ("relay", {"think"}),
        ("realtime", {"converse"}),
    ],
)
def test_the_door_asks_only_for_what_carries_the_call(mode: Any, needed: set[str]) -> None:
    providers = {
        "recognise": "azure",
        "think": "openai",
        "speak": "elevenlabs",
        "converse": "openai_realtime",
    }
    for work, provider in providers.items():
        desk = Desk(QuotaLimit(work, provider, 1))
        desk.fullness = 1.0
        desk.answer()
        admitted = virtual_time.run(desk.gate.admits(replace(CALLED, mode=mode), "call"))
        assert admitted is (work not in needed), work
