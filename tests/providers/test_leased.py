"""Providers with a limit pass their ports' contracts, and what they do is counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from dialogue.ports import Thinker
from providers.errors import ProviderUnavailable
from providers.health.quotas import QuotaLimit, Quotas
from providers.leased import leased_recogniser, leased_speaker, leased_thinker
from providers.scripted import ScriptedThinker
from tests.support.contract_thinker import REQUEST, ThinkerContract
from tests.support.fake_ear_and_mouth import FakeRecogniser, FakeSpeaker
from voice.ports import RecogniseRequest, SpeakRequest


def quotas_of(work: str, provider: str) -> Quotas:
    return Quotas("w", [QuotaLimit(work, provider, 5)])


def in_use(quotas: Quotas) -> float:
    (status,) = quotas.status().values()
    return status["in_use"]


class TestLeasedThinker(ThinkerContract):
    @asynccontextmanager
    async def thinker(self) -> AsyncIterator[Thinker]:
        yield leased_thinker(
            ScriptedThinker(["One two three four five six."]), quotas_of("think", "scripted")
        )


def test_what_has_no_limit_is_the_service_itself() -> None:
    thinker, ear, mouth = ScriptedThinker(["x"]), FakeRecogniser(), FakeSpeaker()
    none = Quotas()
    assert leased_thinker(thinker, none) is thinker
    assert leased_recogniser(ear, none) is ear
    assert leased_speaker(mouth, none) is mouth


def test_a_reply_counts_until_it_is_over_or_left() -> None:
    async def scene() -> None:
        quotas = quotas_of("think", "scripted")
        reply: Any = leased_thinker(ScriptedThinker(["One two."]), quotas).reply(REQUEST)
        await anext(reply)
        assert in_use(quotas) == 1
        await reply.aclose()
        assert in_use(quotas) == 0

    asyncio.run(scene())


def test_a_segment_counts_while_it_is_spoken() -> None:
    async def scene() -> None:
        mouth = FakeSpeaker()
        quotas = quotas_of("speak", mouth.name)
        chunks: Any = leased_speaker(mouth, quotas).speak(SpeakRequest("c", "Hi you.", "v", "en"))
        await anext(chunks)
        assert in_use(quotas) == 1
        await chunks.aclose()
        assert in_use(quotas) == 0

    asyncio.run(scene())


def test_a_stream_counts_until_it_is_closed() -> None:
    async def scene() -> None:
        ear = FakeRecogniser()
        quotas = quotas_of("recognise", ear.name)
        stream = await leased_recogniser(ear, quotas).open(
            RecogniseRequest("c", "en-US", ()), lambda _event: None
        )
        assert in_use(quotas) == 1
        stream.write(b"\xff" * 160)
        await stream.close()
        await stream.close()
        assert in_use(quotas) == 0

    asyncio.run(scene())


def test_a_stream_that_could_not_be_opened_counts_no_more() -> None:
    class Away(FakeRecogniser):
        async def open(self, *_: Any) -> Any:
            raise ProviderUnavailable("down", self.name)

    async def scene() -> None:
        ear = Away()
        quotas = quotas_of("recognise", ear.name)
        with pytest.raises(ProviderUnavailable):
            await leased_recogniser(ear, quotas).open(
                RecogniseRequest("c", "en-US", ()), lambda _event: None
            )
        assert in_use(quotas) == 0

    asyncio.run(scene())
