"""What is heard while a reply is late."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.voice.stage import Stage
from voice import timeline
from voice.config import FillerConfig, VoiceConfig
from voice.errors import BadVoiceConfig
from voice.events import (
    ClearPlayout,
    CommitTurn,
    DigitPressed,
    FrameHeard,
    HearingChanged,
    Input,
    InterimHeard,
    Output,
    ReplyFailed,
    SegmentPlanned,
    SendAudio,
    SpeechArrived,
    SpeechFinished,
    Synthesise,
    TurnSettled,
)
from voice.fillers import FillerSounds
from voice.ports import FRAME_S
from voice.presets import DEFAULT, PRESETS
from voice.session import VoiceSession

FRAME = 160
BREATH = b"\x31" * (18 * FRAME)
SENTENCE = b"\x32" * (50 * FRAME)
SOUNDS = FillerSounds(BREATH, SENTENCE)
CONFIG = VoiceConfig()
FILLERS = CONFIG.fillers


class LateStage(Stage):
    """A mind that does not answer by itself, and fillers that are there."""

    frames = 0

    def __init__(self, sounds: FillerSounds = SOUNDS, config: VoiceConfig = CONFIG) -> None:
        super().__init__(config)
        self.session = VoiceSession(config, sounds)
        self.log.clear()

    def put(self, event: Input) -> list[Output]:
        self.frames += isinstance(event, FrameHeard)
        return super().put(event)

    def sent(self, kind: bytes) -> list[float]:
        """When audio of this kind was sent."""
        return [
            at
            for at, output in self.log
            if isinstance(output, SendAudio) and output.ulaw.startswith(kind[:1])
        ]

    def begun(self, kind: bytes) -> list[float]:
        """When a sound of this kind began: its messages follow one another within a second."""
        sent = self.sent(kind)
        return [at for before, at in pairwise([-9.0, *sent]) if at - before > 1.0]

    def committed(self) -> float:
        self.ask()
        return self.at(CommitTurn)


def test_a_reply_in_time_has_nothing_before_it() -> None:
    stage = LateStage()
    committed_at = stage.committed()
    stage.wait(committed_at + FILLERS.usual_wait_s - stage.now)
    stage.answer(stage.last(CommitTurn), "Here you are.")
    stage.wait(2.0)

    assert not stage.sent(BREATH)
    assert stage.settled[-1][1:] == ("heard", "Here you are.")
    assert timeline.FILLER_OUT not in stage.last(TurnSettled).timeline


def test_a_late_reply_is_preceded_by_a_breath_and_then_by_the_sentence() -> None:
    stage = LateStage()
    committed_at = stage.committed()
    stage.wait(2.4)

    late_at = committed_at + FILLERS.usual_wait_s
    assert stage.sent(BREATH)[0] == pytest.approx(late_at + FILLERS.breath_after_s)
    assert stage.sent(SENTENCE)[0] == pytest.approx(late_at + FILLERS.sentence_after_s)
    assert stage.audio.startswith(BREATH + SENTENCE)


def test_the_caller_is_never_in_silence_for_two_seconds() -> None:
    """From the last word of the caller to the apology, when nobody answers at all."""
    stage = LateStage()
    stage.say("is anybody there")
    silent_since = stage.now - 0.1  # the final words come after the end
    stage.wait(9.0)

    ear_dry_at, longest_s = silent_since, 0.0
    for at, output in stage.log:
        if isinstance(output, SendAudio):
            longest_s = max(longest_s, at - ear_dry_at)
            ear_dry_at = max(at, ear_dry_at) + len(output.ulaw) / 8_000
    assert longest_s < 2.0
    assert stage.last(TurnSettled).outcome == "failed"


def test_fillers_do_not_keep_a_dead_reply_alive() -> None:
    stage = LateStage()
    committed_at = stage.committed()
    stage.wait(CONFIG.reply_wait_s + 0.5)

    apology = next(
        at
        for at, output in stage.log
        if isinstance(output, Synthesise) and output.text == CONFIG.phrases.apology
    )
    assert apology == pytest.approx(committed_at + CONFIG.reply_wait_s)


def test_a_reply_follows_the_filler_that_was_begun() -> None:
    stage = LateStage()
    stage.committed()
    stage.wait(FILLERS.usual_wait_s + FILLERS.breath_after_s)  # the breath has begun
    stage.answer(stage.last(CommitTurn), "Here you are.")
    stage.wait(3.0)

    assert stage.audio == BREATH + b"\x01" * 8_000
    assert stage.settled[-1] == (1, "heard", "Here you are.")
    told = stage.last(TurnSettled).timeline
    assert told[timeline.FIRST_FRAME_OUT] > told[timeline.FILLER_OUT]
    assert stage.session.underruns == 0


def test_a_caller_who_goes_on_during_a_filler_takes_the_turn_back() -> None:
    stage = LateStage()
    stage.committed()
    stage.wait(FILLERS.usual_wait_s + FILLERS.sentence_after_s + 0.1)
    assert stage.sent(SENTENCE)
    stage.talk(0.1)
    stage.interim("and one more thing")
    spoken_at = stage.now
    assert stage.at(ClearPlayout) == spoken_at  # not one word more of the sentence
    stage.talk(0.3)
    stage.final("and one more thing")
    stage.wait(0.8)

    assert stage.sent(SENTENCE)[-1] <= spoken_at
    assert stage.last(CommitTurn).text == "hello there and one more thing"
    assert stage.last(CommitTurn).turn_id == 1


def test_nothing_is_put_before_a_reply_that_waits_for_the_caller() -> None:
    stage = LateStage()
    stage.committed()
    stage.wait(0.5)
    stage.talk(1.2)  # a sound without words: the reply would wait for it too
    assert not stage.sent(BREATH)


def test_a_reply_that_runs_dry_is_bridged_and_accounted_for() -> None:
    stage = LateStage()
    stage.speaks = False
    stage.committed()
    turn = stage.last(CommitTurn)
    key = (turn.turn_id, turn.guess)
    stage.put(SegmentPlanned(*key, 0, "One two three four five."))
    stage.put(SpeechArrived(*key, 0, b"\x01" * 4_000))
    stage.wait(1.2)  # 0.5 s of it were heard, and 0.7 s nothing, then the breath
    assert len(stage.sent(BREATH)) > 0
    stage.put(SpeechArrived(*key, 0, b"\x01" * 4_000))
    stage.put(SpeechFinished(*key, 0))
    stage.answer(turn)
    stage.talk(0.4)
    stage.interim("can you")
    settled = stage.last(TurnSettled)
    assert settled.outcome == "interrupted"
    # 0.5 s before the breath and some 0.15 s of the rest, of 1 s in all.
    assert settled.heard_text in {"One two", "One two three"}


def test_the_heard_part_stands_still_while_a_filler_plays() -> None:
    stage = LateStage()
    stage.speaks = False
    stage.committed()
    turn = stage.last(CommitTurn)
    key = (turn.turn_id, turn.guess)
    stage.put(SegmentPlanned(*key, 0, "One two three four five."))
    stage.put(SpeechArrived(*key, 0, b"\x01" * 4_000))
    stage.wait(0.5 + FILLERS.breath_after_s + 0.1)
    stage.put(SpeechArrived(*key, 0, b"\x01" * 4_000))
    stage.wait(0.2)  # the breath is playing, with the rest behind it
    stage.session.close(now=stage.now)
    stage._drain()

    heard = stage.last(TurnSettled).heard_text
    assert len(heard.split()) <= 3


@pytest.mark.parametrize("sounds", [FillerSounds(), FillerSounds(b"", SENTENCE)])
def test_a_sound_that_is_not_there_is_left_out(sounds: FillerSounds) -> None:
    stage = LateStage(sounds)
    stage.committed()
    stage.wait(2.0)
    assert not stage.sent(BREATH)
    assert bool(stage.sent(SENTENCE)) is bool(sounds.sentence)


def test_a_call_whose_replies_take_longer_is_given_longer() -> None:
    stage = LateStage()
    had_filler = []
    for _ in range(8):
        late_s = FILLERS.longest_usual_wait_s + FILLERS.breath_after_s / 2
        stage.wait(stage.committed() + late_s - stage.now)
        stage.answer(stage.last(CommitTurn), "Yes.")
        stage.wait(2.0)
        had_filler.append(timeline.FILLER_OUT in stage.last(TurnSettled).timeline)
    assert had_filler == sorted(had_filler, reverse=True)
    assert had_filler[0]
    assert not had_filler[-1]


def test_a_caller_used_to_waiting_is_not_left_in_silence_for_two_seconds_either() -> None:
    """What is usual in this call, the time until the turn is taken, and then the lateness."""
    stage = LateStage()
    for _ in range(8):
        late_s = FILLERS.longest_usual_wait_s + FILLERS.breath_after_s / 2
        stage.wait(stage.committed() + late_s - stage.now)
        stage.answer(stage.last(CommitTurn), "Yes.")
        stage.wait(2.0)
    breaths = len(stage.sent(BREATH))
    stage.say("is anybody there")
    silent_since = stage.now - 0.1
    stage.wait(3.0)
    assert stage.sent(BREATH)[breaths] - silent_since < FILLERS.longest_silence_s + 0.05


def test_words_without_a_sound_are_given_the_usual_wait() -> None:
    """Nothing was loud enough for our detector: when it was said is not known."""
    stage = LateStage()
    stage.committed()
    stage.answer(stage.last(CommitTurn), "Yes.")
    stage.wait(5.0)
    stage.final("and something softly spoken")
    stage.wait(3.0)
    taken_at = stage.at(CommitTurn)
    late_at = taken_at + FILLERS.usual_wait_s + FILLERS.breath_after_s
    assert stage.sent(BREATH)[0] == pytest.approx(late_at, abs=0.05)


def test_a_failed_reply_apologises_after_the_filler() -> None:
    stage = LateStage()
    stage.committed()
    stage.wait(FILLERS.usual_wait_s + FILLERS.breath_after_s + 0.02)
    turn = stage.last(CommitTurn)
    stage.put(ReplyFailed(turn.turn_id, turn.guess, "no model"))
    stage.wait(3.0)
    assert stage.audio == BREATH + b"\x01" * 8_000


@pytest.mark.parametrize(
    "times",
    [
        {"breath_after_s": 0.9, "sentence_after_s": 0.9},
        {"breath_after_s": 0.0},
        {"again_after_s": 0.0},
        {"usual_wait_s": 1.0},
        {"longest_silence_s": 0.5},
    ],
)
def test_times_out_of_order_are_refused(times: dict[str, float]) -> None:
    with pytest.raises(BadVoiceConfig):
        FillerConfig(**times)


# --- before the turn is taken ---------------------------------------------------------------------


def test_a_caller_of_whom_no_word_came_hears_a_breath_before_the_apology() -> None:
    stage = LateStage()
    stage.talk(0.8)
    spoke_until = stage.now
    stage.wait(3.0)

    assert stage.sent(BREATH)[0] == pytest.approx(spoke_until + FILLERS.unheard_after_s)
    apology = next(turn for turn in stage.of(TurnSettled) if turn.heard_text)
    apologised_at = apology.timeline[timeline.COMMITTED]
    assert apologised_at == pytest.approx(spoke_until + CONFIG.endpoint.empty_silence_s)
    assert apology.timeline[timeline.FILLER_OUT] == stage.sent(BREATH)[0]
    assert stage.audio.startswith(BREATH), "whole, though no turn was taken meanwhile"


@pytest.mark.parametrize("lag_s", [0.2, 0.5, 0.68])
def test_words_that_are_late_come_without_a_breath(lag_s: float) -> None:
    stage = LateStage()
    stage.talk(0.8)
    stage.wait(lag_s)
    stage.interim("good morning")
    stage.wait(0.3)
    assert not stage.sent(BREATH)


def test_a_breath_is_heard_once_for_a_stretch_of_silence_and_noise_has_none() -> None:
    stage = LateStage()
    stage.talk(0.4)
    stage.wait(5.0)
    assert not stage.sent(BREATH), "a cough"
    for _ in range(4):
        stage.talk(0.8)
        stage.wait(4.0)
    assert len(stage.begun(BREATH)) == 2, "who is never understood is noise"


PATIENT = VoiceConfig(endpoint=PRESETS[DEFAULT].endpoint)


def silences(stage: LateStage, since: float) -> list[float]:
    """How long the caller hears nothing each time, from ``since`` to the last sound."""
    heard_until, found = since, []
    for at, output in stage.log:
        if isinstance(output, SendAudio) and at >= since:
            found.append(at - heard_until)
            heard_until = max(heard_until, at) + len(output.ulaw) / 8_000
    return found


@pytest.mark.parametrize("understood", ["I would like to", "good morning", "yes"])
@pytest.mark.parametrize("config", [CONFIG, PATIENT])
def test_where_the_last_words_are_missing_a_breath_does_not_wait_for_the_turn(
    understood: str, config: VoiceConfig
) -> None:
    """A recogniser falls silent in mid-sentence, and so does everybody else."""
    stage = LateStage(config=config)
    stage.talk(0.8)
    stage.interim(understood)
    stage.talk(0.5)
    spoke_until = stage.now
    stage.wait(12.0)

    breath_s = stage.sent(BREATH)[0] - spoke_until
    assert breath_s == pytest.approx(FILLERS.unheard_after_s, abs=0.03)
    assert max(silences(stage, spoke_until)) < 2.0
    assert stage.last(CommitTurn).text == understood
    told = stage.last(TurnSettled).timeline
    assert told[timeline.FILLER_OUT] == stage.sent(BREATH)[0]


def test_a_recogniser_that_is_quick_as_a_rule_is_given_less_time() -> None:
    stage = LateStage(config=PATIENT)
    for _ in range(12):  # words of which the end is told, 60 ms later
        stage.talk(0.1)
        stage.put(InterimHeard(f"to {stage.now:.2f} and", stage.frames * FRAME_S - 0.06))
    stage.talk(0.5)
    spoke_until = stage.now
    stage.wait(1.0)
    assert 0.45 < stage.sent(BREATH)[0] - spoke_until < 0.6


def test_missing_words_that_come_in_time_need_no_breath() -> None:
    stage = LateStage()
    stage.talk(0.8)
    stage.interim("I would like to")
    stage.talk(0.5)
    stage.wait(0.6)
    stage.interim("I would like to book")
    stage.wait(0.5)
    assert not stage.sent(BREATH)


def test_a_breath_for_missing_words_is_not_due_in_the_next_turn() -> None:
    stage = LateStage()
    stage.talk(0.8)
    stage.interim("that would be all")
    stage.talk(0.3)
    stage.wait(0.65)
    stage.answer(stage.last(CommitTurn), "Yes.")
    stage.wait(6.0)
    stage.put(DigitPressed("1"))
    stage.put(DigitPressed("#"))
    entered_at = stage.at(CommitTurn)
    stage.wait(2.0)
    late_s = FILLERS.usual_wait_s + FILLERS.breath_after_s
    assert stage.sent(BREATH)[0] == pytest.approx(entered_at + late_s)


def test_who_is_heard_and_has_not_finished_may_pause_in_peace() -> None:
    stage = LateStage(config=PATIENT)
    stage.talk(0.8)
    stage.interim("I would like to")
    stage.wait(2.1)
    assert not stage.sent(BREATH)
    assert not stage.of(CommitTurn), "and may go on"
    stage.talk(0.5)
    stage.final("I would like to book a table")
    stage.wait(3.0)
    assert stage.last(CommitTurn).text == "I would like to book a table"


def test_while_hearing_is_lost_the_apology_comes_without_a_breath() -> None:
    stage = LateStage()
    stage.talk(0.8)
    stage.put(HearingChanged(is_lost=True))
    spoke_until = stage.now
    stage.wait(1.5)
    assert not stage.sent(BREATH)
    assert stage.of(SendAudio), "it was said"
    first_at = next(at for at, output in stage.log if isinstance(output, SendAudio))
    assert first_at == pytest.approx(spoke_until + CONFIG.endpoint.lost_silence_s)


def test_who_cannot_be_heard_is_not_left_in_silence_after_the_apology() -> None:
    stage = LateStage()
    stage.put(HearingChanged(is_lost=True))
    stage.talk(0.2)
    spoke_until = stage.now
    stage.wait(9.0)
    assert len(stage.begun(SENTENCE)) >= 2
    assert max(silences(stage, spoke_until)) < 2.0
    assert not stage.sent(BREATH)
    stage.talk(0.1)
    begun = len(stage.begun(SENTENCE))
    stage.put(HearingChanged(is_lost=False))
    stage.wait(6.0)
    assert len(stage.begun(SENTENCE)) == begun


def test_who_said_nothing_is_left_in_peace_though_nobody_could_hear() -> None:
    stage = LateStage()
    stage.put(HearingChanged(is_lost=True))
    stage.wait(9.0)
    assert not stage.of(SendAudio)


def test_a_turn_that_was_taken_in_a_sound_waits_from_then_on() -> None:
    """Words stop in mid-sentence, and the caller speaks on beyond the taking of the turn."""
    stage = LateStage(config=PATIENT)
    stage.talk(0.8)
    stage.put(InterimHeard("good morning", stage.frames * FRAME_S - 0.06))
    stage.talk(4.5)
    spoke_until = stage.now
    assert stage.of(CommitTurn), "in the middle of the sound"
    stage.wait(2.0)
    assert stage.sent(BREATH)[0] - spoke_until == pytest.approx(FILLERS.unheard_after_s, abs=0.05)


def test_words_can_come_again_once_hearing_is_back() -> None:
    stage = LateStage()
    stage.put(HearingChanged(is_lost=True))
    stage.put(HearingChanged(is_lost=False))
    stage.talk(0.8)
    stage.wait(CONFIG.endpoint.lost_silence_s + 0.05)
    assert not stage.of(SendAudio)
