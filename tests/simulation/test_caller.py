"""A person on the phone, on virtual time: what is measured equals what the agent did."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_events import (
    AgentHeard,
    CallEnded,
    CallerEvent,
    CallerSaid,
    CallStarted,
    Interrupted,
    StreamResumed,
    TurnMeasured,
)
from simulation.caller_script import Interrupt, Leave, Listen, PressKeys, Speak, StaySilent, Step
from tests.simulation.paper_server import (
    LOUD,
    QUIET,
    PaperAgent,
    PaperSocket,
    PaperWeb,
    paper_carrier,
    tone_clip,
)
from tests.support.virtual_time import run

CLIP = tone_clip()


def call(
    script: Sequence[Step],
    agent: PaperAgent | None = None,
    web: PaperWeb | None = None,
    **order: Any,
) -> tuple[CallResult, list[CallerEvent]]:
    events: list[CallerEvent] = []

    async def whole() -> CallResult:
        async with paper_carrier(agent or PaperAgent(), web or PaperWeb()) as carrier:
            return await place_call(carrier, CallOrder(iter(script), **order), events.append)

    return run(whole()), events


def test_latency_is_what_the_agent_took_and_its_leading_silence() -> None:
    """100 ms of end-pointing and 60 ms of silence before the tone are 160 ms at the ear."""
    result, _ = call([Listen(), Speak(CLIP), Listen()])
    (turn,) = result.turns
    assert turn.outcome == "answered"
    assert turn.latency_s == pytest.approx(0.16, abs=0.001)
    assert turn.speech_end_s - turn.speech_start_s == pytest.approx(0.4)
    assert result.leg.status == "completed"
    assert result.leg.ended_by == "caller"


def test_a_script_may_begin_with_speech() -> None:
    result, _ = call([Speak(CLIP), Listen()], PaperAgent(greeting=b""))
    assert result.turns[0].latency_s == pytest.approx(0.16, abs=0.001)
    assert result.greeting_s is not None


def test_events_come_in_order() -> None:
    _, events = call([Listen(), Speak(CLIP), Listen()], call=3)
    assert [type(event) for event in events] == [
        CallStarted,
        AgentHeard,
        AgentHeard,
        CallerSaid,
        AgentHeard,
        TurnMeasured,
        AgentHeard,
        CallEnded,
    ]
    assert {event.call for event in events} == {3}
    times = [event.at_s for event in events]
    assert min(times) >= 0


def test_a_silent_agent_leaves_a_turn_unanswered_after_ten_seconds() -> None:
    result, _ = call([Listen(), Speak(CLIP), Listen()], PaperAgent(answers=False))
    (turn,) = result.turns
    assert turn.outcome == "unanswered"
    assert turn.at_s - turn.speech_end_s >= 10.0
    assert result.leg.duration_s < 15.0


def test_an_interruption_starts_when_asked_and_its_stop_is_measured() -> None:
    agent = PaperAgent(greeting=LOUD * 200)
    result, events = call([Interrupt(CLIP, after_s=0.5), Listen()], agent)
    (turn,) = result.turns
    assert turn.kind == "interrupt"
    assert turn.speech_start_s == pytest.approx(0.5, abs=0.05)
    # This agent clears at the first loud frame, which arrives when its last sample is spoken.
    assert turn.barge_in_stop_s == pytest.approx(0.02, abs=0.011)
    assert turn.outcome == "answered"
    assert [type(event) for event in events].count(Interrupted) == 1
    assert result.leg.cleared_s > 3.0


def test_an_agent_that_talks_on_is_measured_to_its_end() -> None:
    agent = PaperAgent(greeting=LOUD * 100, stops_when_interrupted=False, answers=False)
    result, _ = call([Interrupt(CLIP, after_s=0.5), StaySilent(3.0)], agent)
    assert result.turns[0].barge_in_stop_s == pytest.approx(1.5, abs=0.05)


def test_an_interruption_of_nobody_becomes_an_ordinary_turn() -> None:
    result, _ = call([Interrupt(CLIP, after_s=5.0), Listen()])
    (turn,) = result.turns
    assert turn.kind == "say"
    assert turn.outcome == "answered"


def test_an_agent_that_cuts_in_is_caught() -> None:
    def barge(socket: PaperSocket, chunk: int) -> None:
        if socket.spoke and socket.quiet == 0 and not getattr(socket, "barged", False):
            socket.barged = True  # type: ignore[attr-defined]
            socket.say(LOUD * 60)

    agent = PaperAgent(on_frame=barge, stops_when_interrupted=False, answers=False)
    result, _ = call([Listen(), Speak(tone_clip(speech_s=0.8)), Listen()], agent)
    (turn,) = result.turns
    assert turn.cut_in
    assert turn.words_cut == 4
    assert turn.outcome == "premature"


def test_keys_are_pressed_one_by_one() -> None:
    agent = PaperAgent()
    result, _ = call([Listen(), PressKeys("42#", gap_s=0.3), StaySilent(1.0)], agent)
    (socket,) = agent.sockets
    assert [each["dtmf"]["digit"] for each in socket.of("dtmf")] == list("42#")
    (turn,) = result.turns
    assert (turn.kind, turn.text) == ("digits", "42#")
    assert turn.speech_end_s - turn.speech_start_s == pytest.approx(0.6, abs=0.021)


def test_the_caller_gives_up_on_an_agent_that_never_speaks() -> None:
    result, _ = call([Listen(give_up_s=4.0)], PaperAgent(greeting=b""))
    assert result.greeting_s is None
    assert result.leg.duration_s == pytest.approx(4.0, abs=0.1)


def test_no_call_lasts_longer_than_its_limit() -> None:
    result, _ = call([StaySilent(100.0)], max_duration_s=2.0)
    assert result.leg.duration_s == pytest.approx(2.0, abs=0.05)
    assert result.leg.ended_by == "caller"


def test_frames_keep_the_clock_exactly() -> None:
    agent = PaperAgent()
    call([StaySilent(5.0), Leave()], agent)
    (socket,) = agent.sockets
    media = socket.of("media")
    stamps = [int(each["media"]["timestamp"]) for each in media]
    assert stamps[0] > 0
    assert [b - a for a, b in pairwise(stamps)] == [20] * (len(stamps) - 1)
    assert len(media) == pytest.approx(250, abs=2)


def test_speech_is_sent_bit_for_bit() -> None:
    agent = PaperAgent()
    call([Listen(), Speak(CLIP), Listen()], agent)
    sent = [each["media"]["payload"] for each in agent.sockets[0].of("media")]
    at = sent.index(CLIP.payloads[0])
    assert tuple(sent[at : at + len(CLIP.payloads)]) == CLIP.payloads


def test_a_new_stream_takes_over_with_new_counters() -> None:
    from tests.simulation.paper_server import CONNECT

    def crash(socket: PaperSocket, chunk: int) -> None:
        if chunk == 50 and len(agent.sockets) == 1:
            socket.end(1006)

    agent = PaperAgent(on_frame=crash)
    web = PaperWeb({"/twilio/voice": [CONNECT], "/twilio/after": [CONNECT, "<Response/>"]})
    result, events = call([Listen(until_silence_s=2.0), Speak(CLIP), Listen()], agent, web)
    first, second = agent.sockets
    assert first.sid != second.sid
    assert second.received[1]["sequenceNumber"] == "1"
    assert second.of("media")[0]["media"]["chunk"] == "1"
    assert result.leg.streams == 2
    assert result.leg.errors.counts == {31903: 1}
    assert len(result.leg.stream_gaps_s) == 1
    assert sum(isinstance(event, StreamResumed) for event in events) == 1
    assert result.turns[0].outcome == "answered"


def test_underruns_reach_the_report() -> None:
    async def late(socket: PaperSocket) -> None:
        await asyncio.sleep(0.2)
        socket.say(LOUD * 5)

    tasks = []

    def feed(socket: PaperSocket, chunk: int) -> None:
        if chunk == 1:
            tasks.append(asyncio.get_running_loop().create_task(late(socket)))

    result, _ = call([StaySilent(1.0)], PaperAgent(on_frame=feed))
    (length_s,) = result.leg.underruns_s
    assert 0.1 <= length_s <= 0.13


def test_the_recording_holds_both_voices_on_one_clock() -> None:
    result, _ = call([Listen(), Speak(CLIP), Listen()], record=True)
    assert result.recording is not None
    samples = result.recording.samples()
    (turn,) = result.turns
    assert turn.latency_s is not None

    def loudness(channel: int, from_s: float, to_s: float) -> int:
        start = result.recording_start_s
        part = samples[round((from_s - start) * 8_000) : round((to_s - start) * 8_000), channel]
        return int(abs(part.astype(int)).mean())

    end_s = turn.speech_end_s
    assert loudness(0, turn.speech_start_s, end_s) > 500
    assert loudness(0, end_s, end_s + 0.2) < 30
    assert loudness(1, end_s, end_s + turn.latency_s) < 30
    assert loudness(1, end_s + turn.latency_s, end_s + turn.latency_s + 0.2) > 500


def test_the_same_seed_plays_the_same_call() -> None:
    def sent() -> list[str]:
        agent = PaperAgent()
        call([Listen(), Speak(CLIP), Listen()], agent)
        return [json.dumps(each) for each in agent.sockets[0].received]

    assert sent() == sent()


def test_quiet_replies_do_not_count() -> None:
    result, _ = call([Listen(), Speak(CLIP), Listen()], PaperAgent(reply=QUIET * 50))
    assert result.turns[0].outcome == "unanswered"


def test_a_network_that_suppresses_silence_leaves_gaps() -> None:
    agent = PaperAgent(answers=False)
    call([StaySilent(0.5), Speak(CLIP), StaySilent(0.5)], agent, suppress_silence=True)
    media = agent.sockets[0].of("media")
    assert len(media) == len(CLIP.payloads)
    assert int(media[0]["media"]["timestamp"]) >= 500
    assert media[0]["media"]["chunk"] == "1"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("<Response><Say>Busy.</Say><Hangup/></Response>", "refused"),
        ('<Response><Reject reason="busy"/></Response>', "refused"),
        (503, "failed"),
    ],
)
def test_a_call_that_was_not_admitted_is_not_completed(answer: str | int, outcome: str) -> None:
    result, events = call([Listen(), Leave()], web=PaperWeb({"/twilio/voice": [answer]}))
    assert result.outcome == outcome
    assert isinstance(events[-1], CallEnded)
    assert events[-1].outcome == outcome


@pytest.mark.parametrize(
    ("chunk", "code", "turns", "outcome", "missing"),
    [
        (60, 1000, 1, "ended_early", 1),  # before the only turn
        (180, 1000, 1, "completed", 0),  # after its reply: a goodbye
        (180, 1011, 1, "ended_early", 0),  # after its reply, but not on purpose
        (180, 1000, 2, "ended_early", 1),
        (180, 1000, None, "ended_early", 0),
    ],
)
def test_who_ended_the_call_and_how_much_of_the_script_was_left(
    chunk: int, code: int, turns: int | None, outcome: str, missing: int
) -> None:
    def close(socket: PaperSocket, at: int) -> None:
        if at == chunk:
            socket.end(code)

    script = [Listen(), Speak(CLIP), StaySilent(60.0)]
    result, _ = call(script, PaperAgent(on_frame=close), turns=turns)
    assert (result.outcome, result.turns_missing) == (outcome, missing)
