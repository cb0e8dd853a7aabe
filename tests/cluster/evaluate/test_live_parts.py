"""What a live run is made of, without sockets: speech, dialogues, agents, verdicts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cluster.agents import load_agents
from cluster.chaos.lines import PlacedCall
from cluster.chaos.turns import RecordedCall
from cluster.emulator_script import load_script
from cluster.evaluate.live_calls import LiveCall, LiveResults
from cluster.evaluate.live_clips import noise_frames, prepared, write_clips
from cluster.evaluate.live_dialogue import Dialogue, dialogues, text_of
from cluster.evaluate.live_rows import live_rows
from cluster.evaluate.live_stage import agent_text, script_text
from cluster.evaluate.replay_mind import answer
from cluster.evaluate.run_live import EXIT_LATE, EXIT_NOT_CARRIED, verdict
from providers.failover.probe_clip import probe_clip
from records.rows import TurnRow as RecordedTurn
from simulation.caller_call import CallResult
from simulation.caller_events import TurnMeasured
from simulation.carrier_ticker import Lateness
from simulation.clip_library import load_library
from simulation.corpus import CorpusPlan, build_corpus
from simulation.corpus_manifest import read_recordings
from simulation.corpus_noise import LineNoise, noise_loop
from simulation.fingerprint import ClipIndex, Fingerprint, WordHeard
from simulation.openai_replies import answer as model_answer
from tests.cluster.evaluate.call_by_hand import turn

RECORDINGS = read_recordings().clips
TURNS = build_corpus(RECORDINGS, CorpusPlan(turns=60, seed=3))
MANY = build_corpus(RECORDINGS, CorpusPlan(turns=240, seed=3))
NOISE = LineNoise("line", -50.0)
LOOP = noise_loop(NOISE, list(RECORDINGS), "x")


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("speech")
    write_clips([(each, LOOP) for each in TURNS], folder)
    return folder


def test_the_emulated_recogniser_knows_every_turn_by_its_bytes(speech: Path) -> None:
    library = load_library(speech)
    index = ClipIndex(library)
    for each in TURNS:
        heard = [
            event
            for event in Fingerprint(index).receive(library.clip(each.turn_id).ulaw)
            if isinstance(event, WordHeard)
        ]
        assert [event.text for event in heard] == [word.text for word in each.words], each.turn_id
        assert {event.clip.name for event in heard} == {each.turn_id}
        for event, word in zip(heard, each.words, strict=True):
            assert event.end_s == pytest.approx(word.end_s, abs=0.001)


def test_a_recogniser_without_words_can_be_tried(speech: Path) -> None:
    """Otherwise noise is taken for deafness, and the call ends."""
    heard = Fingerprint(ClipIndex(load_library(speech))).receive(probe_clip())
    words = [event.text for event in heard if isinstance(event, WordHeard)]
    assert words == ["go", "forward", "ten", "meters"]


def test_a_turn_keeps_its_labels_and_its_level(speech: Path) -> None:
    each = TURNS[0]
    clip = prepared(each, speech)
    assert (clip.speech_start_s, clip.speech_end_s) == (each.speech_start_s, each.speech_end_s)
    assert len(clip.payloads) == -(-len(each.samples) // 160)
    assert load_library(speech).clip(each.turn_id).is_as_heard


def test_noise_between_turns_is_that_of_the_line() -> None:
    frames = noise_frames(LOOP)
    assert len(frames) == len(LOOP) // 160
    assert noise_frames(np.zeros(320, np.int16)) == noise_frames(np.zeros(400, np.int16))


def test_every_turn_follows_a_reply_that_asks_for_it(tmp_path: Path) -> None:
    calls, replies = dialogues(MANY, seed=3)
    path = tmp_path / "script.yaml"
    path.write_text(script_text(replies), "utf-8")
    script = load_script(path).replies
    long = {
        answer(language, "", is_long=True, seed="", ready_ratio=0.0).segments[1]
        for language in {call.language for call in calls}
    }
    asked = over = 0
    for call in calls:
        assert call.turns[0].kind in ("plain", "paused", "natural")
        for before, after in zip(call.turns, call.turns[1:], strict=False):
            said = model_answer([{"role": "user", "content": text_of(before)}], [], script).text
            if after.kind in ("digits", "yes_no"):
                assert said.endswith(after.asked)
                asked += 1
            if after.is_over_agent:
                assert any(sentence in said for sentence in long)
                over += 1
    assert asked >= 10
    assert over >= 8


def test_most_turns_find_a_place_and_none_is_said_twice() -> None:
    calls, _ = dialogues(MANY, seed=3)
    said = [each.turn_id for call in calls for each in call.turns]
    assert len(said) == len(set(said))
    assert len(said) >= 0.8 * len(MANY)


@pytest.mark.parametrize("language", ["en-US", "zh-HK", "de-DE"])
def test_agents_are_what_the_product_takes(language: str, tmp_path: Path) -> None:
    text = agent_text(language, "azure", {"commit_silence_s": 0.4})
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    (agent,) = load_agents(tmp_path, "default").values()
    assert agent.language == language
    assert agent.turn_taking.commit_silence_s == 0.4
    assert yaml.safe_load(agent_text("en-US", "flux", {}))["recogniser"] == "deepgram"


# --- what became of it -----------------------------------------------------------------------


class Leg:
    duration_s = 60.0


def call_of(measured: tuple[TurnMeasured, ...], *rows: RecordedTurn) -> RecordedCall:
    leg: Any = Leg()
    result = CallResult(call=0, leg=leg, turns=measured, greeting_s=0.5)
    return RecordedCall(PlacedCall(100.0, result), None, rows)


def call_with(measured: TurnMeasured, row: RecordedTurn | None = None) -> RecordedCall:
    return call_of((measured,), *([row] if row else []))


def measured(**changed: Any) -> TurnMeasured:
    plain: dict[str, Any] = {
        "call": 0,
        "at_s": 9.0,
        "turn": 1,
        "kind": "say",
        "clip": "a",
        "text": "hello there",
        "speech_start_s": 5.0,
        "speech_end_s": 6.0,
        "outcome": "answered",
        "latency_s": 0.5,
    }
    return TurnMeasured(**(plain | changed))


def recorded(outcome: str = "heard", settled_s: float = 8.0, **times: float) -> RecordedTurn:
    return RecordedTurn(
        tenant_id="t",
        agent_id="a",
        agent_version="1",
        call_id="c",
        call_sid="CA",
        turn_id=1,
        outcome=outcome,
        at_us=round((100.0 + settled_s) * 1e6),
        timeline=times,
        reason="why",
    )


def rows_of(call: RecordedCall, kind: str = "plain") -> Any:
    said = turn("a", kind)  # type: ignore[arg-type]
    live = LiveCall(0, Dialogue("en-US", (said,)), NOISE, LOOP)
    return live_rows({0: live}, [call])


def test_latency_is_the_callers_own_measurement() -> None:
    times = {"committed": 0.3, "first_frame_out": 0.42, "think_requested": 0.1}
    (row,) = rows_of(call_with(measured(), recorded(**times))).turns
    assert (row.latency_s, row.is_cut, row.is_hit, row.is_cached) == (0.5, False, True, False)
    assert row.commit_to_frame_s == pytest.approx(0.12)


@pytest.mark.parametrize(("outcome", "is_cached"), [("hit", True), ("miss", False)])
def test_an_answer_of_the_cache_is_told_by_the_record(outcome: str, is_cached: bool) -> None:
    said = replace(recorded(committed=0.3, first_frame_out=0.301), cache={"outcome": outcome})
    (row,) = rows_of(call_with(measured(), said)).turns
    assert row.is_cached is is_cached
    assert rows_of(call_with(measured())).turns[0].is_cached is None


def test_a_held_reply_is_told_from_one_that_was_still_made() -> None:
    sent = {"committed": 0.3, "first_frame_out": 0.3, "first_frame_sent": 0.304}
    (row,) = rows_of(call_with(measured(), recorded(**sent, speak_first_byte=0.2))).turns
    assert row.is_held is True
    assert row.commit_to_sent_s == pytest.approx(0.004)
    (row,) = rows_of(call_with(measured(), recorded(**sent, speak_first_byte=0.35))).turns
    assert row.is_held is False
    (row,) = rows_of(call_with(measured(), recorded(**sent))).turns
    assert row.is_held is False


def test_a_breath_is_no_reply() -> None:
    times = {"committed": 0.3, "filler_out": 0.7, "first_frame_out": 1.1, "think_requested": 0.3}
    (row,) = rows_of(call_with(measured(), recorded(**times))).turns
    assert row.latency_s == pytest.approx(0.9)
    assert row.is_hit is False


def test_an_agent_heard_before_the_end_has_cut_in() -> None:
    (row,) = rows_of(call_with(measured(cut_in=True, outcome="premature", latency_s=None))).turns
    assert (row.is_cut, row.is_cut_heard, row.is_premature) == (True, True, True)


def before_a_yes(latency_s: float, *, cut_in: bool) -> Any:
    """A turn without a record, and a "yes" that the agent was heard over or not."""
    said = Dialogue("en-US", (turn("a"), turn("b", "yes_no")))
    yes = measured(clip="b", turn=2, speech_start_s=8.5, speech_end_s=9.0, cut_in=cut_in)
    call = call_of((measured(latency_s=latency_s), yes), recorded(settled_s=12.0))
    return live_rows({0: LiveCall(0, said, NOISE, LOOP)}, [call]).turns


@pytest.mark.parametrize(("latency_s", "is_cut"), [(0.15, True), (3.0, False)])
def test_a_reply_that_was_taken_back_spoils_the_next_turn(latency_s: float, is_cut: bool) -> None:
    """The caller says "yes" into the reply to what he said before: that is no cut of the yes."""
    (row,) = before_a_yes(latency_s, cut_in=True)
    assert (row.turn_id, row.latency_s) == ("a", None)
    assert (row.is_cut, row.is_premature) == (is_cut, is_cut)


def test_a_record_that_is_missing_says_nothing_by_itself() -> None:
    first, second = before_a_yes(0.15, cut_in=False)
    assert (first.is_cut, first.latency_s) == (False, 0.15)
    assert second.is_cut is False


def test_unanswered_is_ten_seconds_and_a_call_that_ended_is_nothing() -> None:
    (row,) = rows_of(call_with(measured(outcome="unanswered", latency_s=None))).turns
    assert (row.latency_s, row.is_unanswered) == (10.0, True)
    assert rows_of(call_with(measured(outcome="call_ended", latency_s=None))).turns == ()


def test_talking_over_the_agent() -> None:
    found = rows_of(call_with(measured(kind="interrupt", barge_in_stop_s=0.2)), "interruption")
    (row,) = found.talk_over
    assert (row.silence_s, row.is_missed) == (0.2, False)
    late = rows_of(call_with(measured(kind="interrupt", barge_in_stop_s=3.0)), "interruption")
    assert late.talk_over[0].is_missed is True
    for outcome, is_ridden in (("heard", True), ("interrupted", False)):
        call = call_with(measured(kind="interrupt"), recorded(outcome))
        (row,) = rows_of(call, "backchannel").talk_over
        assert (row.is_ridden, row.is_false_stop) == (is_ridden, not is_ridden)


@pytest.mark.parametrize(
    ("late_s", "outcome", "code"),
    [(0.001, "completed", 0), (0.02, "completed", EXIT_LATE), (0.001, "failed", EXIT_NOT_CARRIED)],
)
def test_a_run_says_whether_it_measured_the_product(late_s: float, outcome: str, code: int) -> None:
    class Result:
        pass

    result: Any = Result()
    result.outcome = outcome
    lateness = Lateness()
    lateness.add(late_s)
    told, found = verdict(LiveResults((PlacedCall(0.0, result),), lateness))
    assert found == code
    assert ("NOT VALID" in " ".join(told)) is (code != 0)
