"""One call from the ingress' side, on virtual time, with CallActors that can be killed."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from actors.call_driver import SIGN_OF_LIFE_S, STREAM_SILENT_S
from actors.mind_driver import MindConfig
from actors.outbox import Outbox
from actors.pause_judge import PauseJudge
from actors.recogniser_feed import RecogniserFeed
from actors.reply_tasks import ReplyTasks
from actors.wire import TurnEntry
from dialogue.agent import TurnTaking
from providers.errors import ProviderRefused, ProviderUnavailable
from tests.support.fake_thinker import FakeThinker, Step
from tests.support.scripted_call import AGENT, REPLY, Phone, Stage, play
from tests.support.uncollected import no_collector
from tests.support.virtual_time import VirtualTimeLoop
from voice.playout import Playout
from voice.session import VoiceSession

LONG = "There is a lot to say about that. " + "It goes on and on and on. " * 10
SAID = REPLY.replace(". ", ".")


def staged(*steps: Step, **options: Any) -> Callable[[], Stage]:
    """A stage whose actors all think the same."""
    return lambda: Stage({"fake": FakeThinker(steps)}, **options)


def closed(stage: Stage) -> list[tuple[str, bool, str]]:
    return [end for home in stage.pool.homes.values() for end in home.recorder.closed]


# --- a conversation -------------------------------------------------------------------------------


def test_greets_answers_and_settles_what_was_heard() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        assert phone.heard == "Hello!"
        await phone.say("what do you have")
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.heard == "Hello!" + SAID
        assert phone.log == [(0, "greeting", "Hello!", "heard"), (1, "caller", REPLY, "heard")]
        phone.hang_up()
        end = await phone.ended()
        assert (end.planned, end.reason, end.close_code) == (True, "caller_hung_up", 1000)
        assert closed(stage) == [("call-1", True, "caller_hung_up")]

    play(scene)


def test_a_stream_that_is_stopped_as_its_replica_comes_round_is_lost_and_not_hung_up() -> None:
    """Whoever took the replica for hung has told the carrier to ask where the call goes on."""

    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        loop.stand_still(3.0)
        phone.hang_up()
        end = await phone.ended()
        assert (end.planned, end.reason) == (
            False,
            "stream_lost: stopped when it may count as hung",
        )
        assert closed(stage) == []

    play(scene)


def test_the_ear_is_told_of_settled_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps what was said in a turn for as long as that can be given back."""
    told: list[RecogniserFeed] = []
    monkeypatch.setattr(RecogniserFeed, "turn_settled", lambda ear: told.append(ear))

    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("what do you have")
        await phone.until(lambda: len(phone.log) == 2)
        assert len(told) == 2

    play(scene)


def test_a_rendered_greeting_costs_the_speaker_nothing() -> None:
    async def scene(stage: Stage) -> None:
        assert await stage.speech.prepare(stage.agent) == []
        asked = len(stage.speaker.asked)
        phone = await stage.phone().greeted()
        assert phone.heard == "Hello!"
        assert len(stage.speaker.asked) == asked

    play(scene)


def test_a_turn_is_recorded_with_its_stages_and_its_units() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("what do you have")
        await phone.until(lambda: len(phone.log) == 2)
        entry = phone.driver.turn_log[1]
        stages = ["final_transcript", "committed", "first_frame_out", "first_frame_audible"]
        assert [name for name in stages if name not in entry.timeline] == []
        assert entry.timeline["speech_ended"] == 0.0
        assert entry.usage["spoken_chars"] == len(REPLY) - 1
        assert entry.usage["completion_tokens"] == 7

    play(scene)


def test_barge_in_clears_and_stops_and_only_what_was_heard_is_history() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("tell me")
        await phone.until_heard("It goes on")
        await phone.talk(0.3)
        assert phone.cleared == 2, "turned down, then silenced"
        phone.ear.hear("no something", final=False)
        assert phone.driver.turn_log[1].outcome == "interrupted"
        heard = phone.heard
        await asyncio.sleep(0.1)
        assert phone.heard == heard, "nothing is heard after the clear"
        assert stage.speaker.open_segments == 0
        entry = phone.driver.turn_log[1]
        assert entry.outcome == "interrupted"
        assert LONG.startswith(entry.heard_text)
        assert 30 < len(entry.heard_text) <= len(heard)
        phone.ear.hear("no something else")
        await phone.until(lambda: len(phone.stage_requests()) > 1)
        last = phone.stage_requests()[-1].messages
        assert [m.text for m in last if m.role == "assistant"][-1].startswith(entry.heard_text)

    thinker = FakeThinker([LONG])
    Phone.stage_requests = lambda self: thinker.requests  # type: ignore[attr-defined]
    play(scene, lambda: Stage({"fake": thinker}))


def test_keys_are_a_turn() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        for digit in "42#":
            phone.press(digit)
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.log[1][1] == "digits"
        assert "4" in phone.driver.turn_log[1].caller_text

    play(scene)


def test_keys_pressed_before_the_mind_has_the_call_wait_for_it() -> None:
    async def scene(stage: Stage) -> None:
        stage.pool.homes["ann"].slow_s = 0.5
        phone = stage.phone()
        await asyncio.sleep(0.1)
        for digit in "7#":
            phone.press(digit)
        await phone.until(lambda: any(kind == "digits" for _, kind, _, _ in phone.log))
        assert stage.pool.homes["ann"].messages[0][0] == "open_call"
        assert phone.mind.replacements == 0

    play(scene)


# --- the end of a call, in every phase ------------------------------------------------------------


async def _never(phone: Phone) -> None:
    return None


async def _thinking(phone: Phone) -> None:
    await phone.greeted()
    await phone.say("well then")
    await asyncio.sleep(0.8)


async def _speaking(phone: Phone) -> None:
    await phone.greeted()
    await phone.say("well then")
    await phone.until_heard("It goes")


async def _listening(phone: Phone) -> None:
    await phone.greeted()


async def _talking(phone: Phone) -> None:
    await phone.greeted()
    phone.speaking = True
    await asyncio.sleep(0.3)


PHASES = [_never, _listening, _talking, _thinking, _speaking]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("leaving", ["hang_up", "lose_socket", "shut", "carrier", "all"])
def test_a_call_can_end_at_any_time_and_leaves_nothing(phase: Any, leaving: str) -> None:
    """Whatever comes first wins, and what follows does no harm."""

    async def scene(stage: Stage) -> None:
        phone = stage.phone()
        await phase(phone)
        planned = leaving in {"hang_up", "carrier", "all"}
        if leaving in {"carrier", "all"}:
            phone.driver.carrier_ended("completed")
        if leaving in {"hang_up", "all"}:
            phone.hang_up()
        if leaving in {"lose_socket", "all"}:
            phone.lose_socket()
        if leaving in {"shut", "all"}:
            phone.driver.shut("newer_stream", 1000)
            phone.driver.hang_up("shutting_down", None)
            phone.driver.disconnected(1006)
        end = await phone.ended()
        assert end.planned is planned
        assert stage.speaker.open_segments == 0
        state = await stage.pool.call_state("ann", "call-1")
        assert state.planned_end is planned
        assert [turn.turn_id for turn in state.turn_log] == [
            turn.turn_id for turn in phone.driver.turn_log
        ]
        assert len({turn.turn_id for turn in state.turn_log}) == len(state.turn_log)

    script = [0.3, LONG] if phase is _speaking else [2.0, LONG]
    play(scene, staged(*script))


def test_an_ended_call_is_freed_without_the_collector() -> None:
    """It comes once in some 70 calls, and what waits for it is memory that no call has."""
    kinds = (VoiceSession, RecogniserFeed, ReplyTasks, Outbox, PauseJudge, Playout)

    others = [thing for thing in gc.get_objects() if isinstance(thing, kinds)]  # of other tests
    theirs = {id(thing) for thing in others}

    def there() -> list[str]:
        found = [thing for thing in gc.get_objects() if isinstance(thing, kinds)]
        return [type(thing).__name__ for thing in found if id(thing) not in theirs]

    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("what do you have")
        await phone.until(lambda: len(phone.log) == 2)
        assert len(there()) == len(kinds)
        phone.hang_up()
        await phone.ended()
        stage.recogniser.streams.clear()  # these know whom they fed
        await asyncio.sleep(1.0)
        assert there() == []
        assert phone.driver.turn_log

    with no_collector():
        play(scene)


def test_a_reply_that_is_given_up_is_freed_without_the_collector() -> None:
    """A task that is cancelled holds all its frames for as long as somebody holds the task."""

    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        before = _replies()
        await phone.say("what do you have")
        await phone.until(lambda: bool(_replies() - before))
        phone.hang_up()
        await phone.ended()
        await asyncio.sleep(1.0)
        assert _replies() == before

    with no_collector():
        play(scene, staged(5.0, LONG))


def _replies() -> set[int]:
    return {id(thing) for thing in gc.get_objects() if type(thing).__qualname__ == "_Reply"}


def test_what_comes_after_the_end_of_a_call_is_not_looked_at() -> None:
    """It has let go of its parts; carrier, registry and drain may still know it."""

    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        phone.hang_up()
        end = await phone.ended()
        await asyncio.sleep(1.0)
        driver, heard = phone.driver, phone.heard
        phone.press("1")
        driver.received(phone.writer.stop())
        driver.disconnected(1000)
        driver.carrier_ended("completed")
        driver.shut("stale_epoch", 1000)
        driver.go_elsewhere("")
        driver.hang_up("agent_hung_up", "Goodbye.")
        driver.broken(ValueError("late"))
        await asyncio.sleep(1.0)
        assert phone.heard == heard
        assert (await phone.ended()) == end
        assert closed(stage) == [("call-1", True, "caller_hung_up")]

    play(scene)


def test_an_open_that_outlives_its_socket_starts_nothing() -> None:
    async def scene(stage: Stage) -> None:
        stage.pool.homes["ann"].slow_s = 0.5
        phone = stage.phone()
        await asyncio.sleep(0.1)
        phone.lose_socket()
        await phone.ended()
        assert stage.recogniser.openings == 0
        assert stage.speaker.asked == []
        state = await stage.pool.call_state("ann", "call-1")
        assert state.known
        assert not state.planned_end

    play(scene)


def test_a_polite_end_says_goodbye_first() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        phone.driver.hang_up("shutting_down", "We are closing.")
        end = await phone.ended()
        assert (end.planned, end.reason) == (True, "shutting_down")
        assert phone.heard == "Hello!We are closing."

    play(scene)


@pytest.mark.parametrize("phase", PHASES)
def test_who_had_the_call_ended_is_not_forgotten_when_the_carrier_is_quicker(phase: Any) -> None:
    async def scene(stage: Stage) -> None:
        phone = stage.phone()
        await phase(phone)
        phone.driver.hang_up("machine", None)
        phone.hang_up()
        end = await phone.ended()
        assert (end.planned, end.reason) == (True, "machine")

    play(scene, staged(0.3, LONG))


def test_a_caller_who_does_not_wait_for_the_goodbye_has_hung_up() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        phone.driver.hang_up("time_limit", "We are closing.")
        phone.hang_up()
        assert (await phone.ended()).reason == "caller_hung_up"

    play(scene)


def test_the_agent_hangs_up() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("that was all")
        end = await phone.ended()
        assert (end.planned, end.reason, end.close_code) == (True, "agent_hung_up", 1000)
        assert phone.heard == "Hello!Have a good day."

    play(scene, staged("Have a good day. <end_call>"))


def test_ten_minutes_of_silence_end_politely_long_before() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        end = await phone.ended(600)
        assert (end.planned, end.reason) == (True, "idle")
        assert phone.heard == "Hello!Still there?Bye."

    play(scene)


def test_no_call_is_longer_than_the_agent_allows() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("tell me")
        end = await phone.ended(60)
        assert (end.planned, end.reason) == (True, "time_limit")
        assert phone.heard.endswith("Bye.")

    play(scene, staged(LONG, agent=replace(AGENT, max_call_s=8.0)))


def test_another_stream_does_not_make_a_call_longer() -> None:
    async def scene(stage: Stage) -> None:
        began = asyncio.get_running_loop().time()
        log = (TurnEntry(0, "greeting", at_us=stage.wall_clock_us() - 595_000_000),)
        phone = stage.phone(epoch=(1, 20), turn_log=log)
        end = await phone.ended(60)
        assert (end.planned, end.reason) == (True, "time_limit")
        assert asyncio.get_running_loop().time() - began < 10.0  # of the virtual clock

    play(scene, staged(REPLY, agent=replace(AGENT, max_call_s=600.0)))


def test_a_patient_agent_shows_its_actor_that_it_lives() -> None:
    """A silent call is not a vanished ingress (``MindConfig.stale_call_s``)."""

    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        home = stage.pool.homes["ann"]
        phone.pause()
        began = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() < began + 130:
            phone.driver.received('{"event":"weather"}')
            await asyncio.sleep(5.0)
            assert home.driver.sweep(asyncio.get_running_loop().time()) == 0
        assert home.count("settle") >= 130 // SIGN_OF_LIFE_S
        phone.resume()
        await phone.say("are you there")
        await phone.until(lambda: len(phone.log) == 2)

    patient = TurnTaking(idle_prompt_s=1_000.0, idle_hang_up_s=2_000.0)
    mind = MindConfig(stale_call_s=SIGN_OF_LIFE_S + 1)
    play(scene, staged(REPLY, agent=replace(AGENT, turn_taking=patient), mind=mind))


# --- ear, mouth and line --------------------------------------------------------------------------


def test_a_recogniser_that_fails_once_is_reopened_and_the_words_between_are_kept() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        first = phone.ear
        stage.recogniser.refusals = [ProviderUnavailable("not yet", "fake")]
        first.fail()
        await phone.talk(0.6)
        await phone.until(lambda: phone.ear is not first)
        assert first.closed, "only closing gives its place back"
        assert phone.ear.audio.count(b"\x00" * 160) >= 25, "what was said meanwhile is heard"
        phone.ear.hear("hello again")
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.log[1][3] == "heard"

    play(scene)


@pytest.mark.parametrize("hangs", [False, True])
def test_a_recogniser_that_cannot_be_had_ends_the_call_politely(hangs: bool) -> None:
    async def scene(stage: Stage) -> None:
        if hangs:
            stage.recogniser.hanging = True
        else:
            stage.recogniser.refusals = [ProviderRefused("bad key", "fake")]
        phone = stage.phone()
        end = await phone.ended(60)
        assert (end.planned, end.reason) == (True, "recogniser_lost")
        assert phone.heard.endswith("Trouble.")

    play(scene)


def test_a_speaker_that_fails_before_the_first_word_apologises() -> None:
    async def scene(stage: Stage) -> None:
        await stage.speech.prepare(stage.agent)
        phone = await stage.phone().greeted()
        stage.speaker.fail_after_chunks = 0
        await phone.say("tell me")
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.heard == "Hello!Pardon?"
        assert phone.log[1][3] == "failed"
        stage.speaker.fail_after_chunks = None
        await phone.say("again")
        await phone.until(lambda: len(phone.log) == 3)
        assert phone.heard.endswith(SAID)
        assert stage.counters["speech_failed"] >= 1

    play(scene)


def test_a_speaker_that_breaks_in_mid_word_leaves_what_was_said() -> None:
    async def scene(stage: Stage) -> None:
        await stage.speech.prepare(stage.agent)
        phone = await stage.phone().greeted()
        stage.speaker.fail_after_chunks = 1
        await phone.say("tell me")
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.heard == "Hello!One moment"
        assert phone.log[1][2:] == ("One moment", "failed")

    play(scene, staged("One moment please."))


@pytest.mark.parametrize("error", [ProviderUnavailable("gone", "fake"), KeyError("a bug")])
def test_a_thinker_that_fails_apologises(error: Exception) -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("tell me")
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.heard == "Hello!Pardon?"
        assert stage.counters["replies_failed"] >= 1

    play(scene, staged(error))


def test_a_speaker_or_a_pool_with_a_bug_fails_the_turn_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not after the machine's ten seconds, and not as a task that nobody looks at."""

    async def scene(stage: Stage) -> None:
        await stage.speech.prepare(stage.agent)
        phone = await stage.phone().greeted()
        stage.speaker.error, stage.speaker.fail_after_chunks = ValueError("a bug"), 0
        await phone.say("tell me")
        await phone.until_heard("Pardon?", 3.0)
        await phone.until(lambda: len(phone.log) == 2)
        stage.pool.take_turn = None  # type: ignore[assignment,method-assign]
        await phone.say("tell me")
        await phone.until(lambda: phone.heard.count("Pardon?") == 2, 3.0)

    caplog.set_level(logging.CRITICAL)
    play(scene)


def test_an_answer_with_nothing_in_it_apologises() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("tell me")
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.heard == "Hello!Pardon?"

    play(scene, staged("**  ", "\n"))


def test_a_slow_reader_is_lost_after_five_seconds_and_no_other_call_notices() -> None:
    async def scene(stage: Stage) -> None:
        slow, other = await stage.phone(1).greeted(), await stage.phone(2).greeted()
        await slow.say("tell me")
        await slow.until_heard("There")
        slow.reading.clear()
        await other.say("tell me")
        await other.until_heard("It goes on")
        end = await slow.ended(7.0)
        assert (end.planned, end.reason) == (
            False,
            "stream_lost: the carrier did not read for 5 s",
        )
        await other.until_heard("It goes on and on and on.It goes on")
        assert other.playout.underruns == []
        slow.reading.set()

    play(scene, staged(LONG))


def test_a_socket_that_raises_loses_only_its_call() -> None:
    async def scene(stage: Stage) -> None:
        phone, other = stage.phone(1), stage.phone(2)
        phone.send_error = ValueError("the server's own")
        end = await phone.ended()
        assert end.reason == "stream_lost: the socket is gone: ValueError"
        await other.greeted()

    play(scene)


def test_a_carrier_that_stops_sending_is_given_up() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        phone.pause()
        end = await phone.ended(STREAM_SILENT_S + 5)
        assert (end.planned, end.reason) == (False, "stream_silent")

    patient = TurnTaking(idle_prompt_s=1_000.0, idle_hang_up_s=2_000.0)
    play(scene, staged(REPLY, agent=replace(AGENT, turn_taking=patient)))


def test_words_at_the_end_of_a_gap_are_still_answered() -> None:
    """Frames that stop coming count as silence, so a turn ends without them."""

    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.talk(0.6)
        phone.frames = False
        phone.ear.hear("tell me")
        await phone.until(lambda: len(phone.log) == 2, 10.0)
        assert phone.heard == "Hello!" + SAID

    play(scene)


def test_a_machine_that_breaks_ends_its_stream_and_not_the_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The carrier asks ``action``, and a new stream goes on with the log."""

    async def scene(stage: Stage) -> None:
        phone, other = await stage.phone(1).greeted(), await stage.phone(2).greeted()

        def broken(**_: object) -> None:
            raise ValueError("a machine that broke")

        phone.driver._session.handle_deadline = broken  # type: ignore[method-assign]
        phone.driver._session.close = broken  # type: ignore[method-assign]
        phone.driver._session.next_deadline = lambda: 0.0  # type: ignore[method-assign]
        end = await phone.ended()
        assert (end.planned, end.reason, end.close_code) == (False, "internal: ValueError", 1011)
        state = await stage.pool.call_state("ann", "call-1")
        assert not state.planned_end
        newer = stage.phone(1, epoch=(1, 20))
        await newer.until_heard("Back.")
        await other.say("tell me")
        await other.until(lambda: len(other.log) == 2)

    caplog.set_level(logging.CRITICAL)
    play(scene)


def test_bad_messages_are_counted_and_fifty_in_a_row_shut_the_stream() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        for message in ('{"event":', b"\xff" * 160, '["media"]', '{"event":"weather"}'):
            phone.driver.received(message)
        assert stage.counters["protocol_warnings"] == 3
        await phone.say("tell me")
        await phone.until(lambda: len(phone.log) == 2)

    play(scene)


def test_thirty_calls_at_once_answer_every_turn() -> None:
    async def scene(stage: Stage) -> None:
        phones = [stage.phone(number) for number in range(1, 31)]

        async def talk(phone: Phone) -> None:
            await phone.greeted()
            await phone.say("tell me")
            await phone.until(lambda: len(phone.log) == 2)
            assert phone.heard == "Hello!" + SAID
            assert phone.playout.underruns == []

        await asyncio.gather(*(talk(phone) for phone in phones))

    play(scene)
