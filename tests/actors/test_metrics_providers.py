"""Providers behind their meters: the same answers, and what went wrong is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from actors.metrics_providers import (
    CANCELLED,
    MeteredRecogniser,
    MeteredSpeaker,
    MeteredThinker,
    error_kind,
)
from dialogue.ports import Message, ReplyDelta, ReplyDone, ThinkRequest
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
)
from telemetry import catalog as c
from telemetry.ledger import MetricsLedger
from telemetry.merged import MergedMetrics
from tests.support.fake_ear_and_mouth import FakeRecogniser, FakeSpeaker
from tests.support.fake_thinker import HANG, FakeThinker
from tests.support.virtual_time import run
from voice.ports import RecogniseRequest, RecogniserEvent, SpeakRequest

QUESTION = ThinkRequest("c", (Message("user", "hi"),))
SENTENCE = SpeakRequest("c", "A sentence of some length.", "alto", "en-US")
HEAR = RecogniseRequest("c", "zh-HK")


def counters(ledger: MetricsLedger) -> dict[Any, float]:
    merged = MergedMetrics()
    merged.merge(ledger.snapshot())
    return merged.counters()


def latency(ledger: MetricsLedger, *labels: str) -> float:
    merged = MergedMetrics()
    merged.merge(ledger.snapshot())
    return merged.sketches()[c.PROVIDER_LATENCY.name, labels].maximum


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ProviderUnavailable("x"), "unavailable"),
        (ProviderTimeout("x"), "timeout"),
        (ProviderBusy("x"), "busy"),
        (ProviderRefused("x"), "refused"),
        (ProviderProtocolError("x"), "protocol"),
        (ProviderError("x"), "error"),
        (TimeoutError(), "timeout"),
        (ValueError(), "broke"),
    ],
)
def test_kinds_of_trouble(error: Exception, kind: str) -> None:
    assert error_kind(error) == kind


def test_a_whole_reply_passes_through() -> None:
    async def scene() -> None:
        ledger, inner = MetricsLedger("a", 1), FakeThinker(["One", " two."])
        thinker = MeteredThinker(inner, ledger)
        events = [event async for event in thinker.reply(QUESTION)]
        assert [e.text for e in events if isinstance(e, ReplyDelta)] == ["One", " two."]
        assert isinstance(events[-1], ReplyDone)
        assert (thinker.name, inner.open_replies, counters(ledger)) == ("fake", 0, {})
        await thinker.warm()
        await thinker.aclose()

    run(scene())


def test_a_reply_that_is_left_early_is_closed_and_has_no_price() -> None:
    async def scene() -> None:
        ledger, inner = MetricsLedger("a", 1), FakeThinker(["One", HANG])
        events = MeteredThinker(inner, ledger).reply(QUESTION)
        assert await anext(events) == ReplyDelta("One")
        await events.aclose()  # type: ignore[attr-defined]
        assert (inner.open_replies, inner.cancelled) == (0, 1)
        assert counters(ledger) == {(c.UNPRICED.name, (CANCELLED, "fake")): 1}

    run(scene())


def test_a_reply_that_is_cancelled_while_it_thinks_is_the_same() -> None:
    async def scene() -> None:
        ledger, inner = MetricsLedger("a", 1), FakeThinker([HANG])
        events = MeteredThinker(inner, ledger).reply(QUESTION)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert inner.open_replies == 0
        assert counters(ledger) == {(c.UNPRICED.name, (CANCELLED, "fake")): 1}

    run(scene())


def test_a_reply_that_is_left_after_its_end_has_its_price() -> None:
    async def scene() -> None:
        ledger = MetricsLedger("a", 1)
        events = MeteredThinker(FakeThinker(["One"]), ledger).reply(QUESTION)
        while not isinstance(await anext(events), ReplyDone):
            pass
        await events.aclose()  # type: ignore[attr-defined]
        assert counters(ledger) == {}

    run(scene())


def test_a_failed_reply_is_counted_and_raised() -> None:
    async def scene() -> None:
        ledger = MetricsLedger("a", 1)
        thinker = MeteredThinker(FakeThinker(["One", ProviderBusy("full", "fake")]), ledger)
        with pytest.raises(ProviderBusy):
            [event async for event in thinker.reply(QUESTION)]
        assert counters(ledger) == {(c.PROVIDER_ERRORS.name, ("fake", "busy")): 1}

    run(scene())


def test_the_first_audio_is_timed_and_failures_are_counted() -> None:
    async def scene() -> None:
        ledger, inner = MetricsLedger("a", 1), FakeSpeaker(delay_s=0.25)
        speaker = MeteredSpeaker(inner, ledger)
        chunks = [chunk async for chunk in speaker.speak(SENTENCE)]
        assert len(chunks) == 3
        assert latency(ledger, "fake", "first_audio", "en-US") == pytest.approx(0.25)
        inner.fail_after_chunks = 1
        with pytest.raises(ProviderError):
            [chunk async for chunk in speaker.speak(SENTENCE)]
        assert counters(ledger) == {(c.PROVIDER_ERRORS.name, ("fake", "error")): 1}
        inner.fail_after_chunks = None
        left = speaker.speak(SENTENCE)
        await anext(left)
        await left.aclose()  # type: ignore[attr-defined]
        assert inner.open_segments == 0
        await speaker.warm("alto", "en-US")
        await speaker.aclose()
        assert speaker.name == "fake"

    run(scene())


def test_openings_are_timed_and_lost_streams_are_counted() -> None:
    async def scene() -> None:
        ledger, inner = MetricsLedger("a", 1), FakeRecogniser()
        recogniser = MeteredRecogniser(inner, ledger)
        heard: list[RecogniserEvent] = []
        sink: Callable[[RecogniserEvent], None] = heard.append
        stream = await recogniser.open(HEAR, sink)
        assert stream is inner.streams["c"][0], "audio takes no way round"
        assert latency(ledger, "fake", "open", "zh-HK") == 0.0
        inner.streams["c"][0].hear("words")
        inner.streams["c"][0].fail()
        assert len(heard) == 2
        inner.refusals = [ProviderRefused("no")]
        with pytest.raises(ProviderRefused):
            await recogniser.open(HEAR, sink)
        assert counters(ledger) == {
            (c.PROVIDER_ERRORS.name, ("fake", "stream_failed")): 1,
            (c.PROVIDER_ERRORS.name, ("fake", "refused")): 1,
        }
        await recogniser.warm("zh-HK", 1)
        await recogniser.aclose()
        assert recogniser.name == "fake"

    run(scene())
