"""Prepared replies: several at once, held, chosen, thrown away."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import pytest

from tests.voice.stage import Stage
from voice.config import VoiceConfig
from voice.decisions import CallerFinished
from voice.errors import BadVoiceConfig
from voice.events import (
    AbandonTurn,
    BeginTurn,
    CommitTurn,
    Output,
    PauseSpeech,
    ReplyFinished,
    ResumeSpeech,
    RetractTurn,
    SegmentPlanned,
    SendAudio,
    SpeechArrived,
    SpeechFinished,
    Synthesise,
    TurnSettled,
)
from voice.guesses import Guesses
from voice.mouth import Mouth
from voice.speculation import MOST_LIVE_GUESSES, SpeculationConfig
from voice.turn import Turn
from voice.turns import Turns
from voice.waste import SpeculationBudget, TurnSpend

HELD_BYTES = 8_000
SPECULATION = SpeculationConfig(held_bytes=HELD_BYTES, steady_words_s=0.18)
SIGNS: dict[type[Output], str] = {
    BeginTurn: "+",
    CommitTurn: "!",
    AbandonTurn: "-",
    RetractTurn: "?",
}
T = TypeVar("T")
DIAL = {"verb": "dial", "tool": "sales", "to": "+14155550123"}


class Table:
    """Guesses and the turn they become, with nobody's ears in between."""

    def __init__(
        self, speculation: SpeculationConfig = SPECULATION, language: str = "en-US"
    ) -> None:
        self.now = 50.0
        self.log: list[Output] = []
        self.budget = SpeculationBudget(speculation.max_waste_ratio)
        config = VoiceConfig(language=language, speculation=speculation)
        self.mouth = Mouth(config, self.log.append)
        self.turns = Turns(config, self.mouth, self.budget, self.log.append)

    @property
    def guesses(self) -> Guesses:
        return self.turns.guesses

    def pause(self, text: str, confidence: float | None = None) -> None:
        """The caller pauses after these words."""
        self.guesses.hear_words(text, may_guess=True, now=self.now)
        self.turns.guess(text, confidence, now=self.now)

    def words(self, text: str) -> None:
        self.guesses.hear_words(text, may_guess=True, now=self.now)

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while (at := self.guesses.next_deadline()) is not None and at <= end:
            self.now = max(at, self.now)
            self.turns.handle_deadline(now=self.now)
        self.now = end

    def take(self, text: str) -> CommitTurn:
        self.turns.take("caller", CallerFinished(text, "silence", self.now, None), now=self.now)
        return self.last(CommitTurn)

    def plan(self, guess: int, *texts: str, ends: bool = True) -> None:
        for index, text in enumerate(texts):
            self.turns.hear_mind(SegmentPlanned(1, guess, index, text), now=self.now)
        if ends:
            self.turns.hear_mind(ReplyFinished(1, guess), now=self.now)

    def speak(self, guess: int, size: int, index: int = 0, *, ends: bool = False) -> None:
        audio = bytes([guess]) * size
        self.turns.hear_speaker(SpeechArrived(1, guess, index, audio), now=self.now)
        if ends:
            self.turns.hear_speaker(SpeechFinished(1, guess, index), now=self.now)

    def of(self, kind: type[T]) -> list[T]:
        return [output for output in self.log if isinstance(output, kind)]

    def last(self, kind: type[T]) -> T:
        return self.of(kind)[-1]

    def told(self) -> list[str]:
        """What was begun and ended, by guess: ``+1`` begun, ``!1`` taken, ``-1`` given up."""
        return [
            f"{SIGNS[type(each)]}{each.guess}"
            for each in self.log
            if isinstance(each, BeginTurn | CommitTurn | AbandonTurn | RetractTurn)
        ]


COOK, BOOK, LOOK = "I want to cook", "I want to book", "I want to look"

CHOICES = [
    # words paused on, words of the turn, what happens
    ([COOK], COOK, ["+1", "!1"]),
    ([COOK, BOOK], COOK, ["+1", "+2", "!1", "-2"]),
    ([COOK, BOOK], BOOK, ["+1", "+2", "!2", "-1"]),
    ([COOK, BOOK, COOK], COOK, ["+1", "+2", "!1", "-2"]),
    ([COOK, BOOK], LOOK, ["+1", "+2", "-1", "-2", "+3", "!3"]),
    ([COOK, BOOK, LOOK], LOOK, ["+1", "+2", "-1", "+3", "!3", "-2"]),
    ([COOK, BOOK, COOK, LOOK], COOK, ["+1", "+2", "-2", "+3", "!1", "-3"]),
    ([COOK, COOK.upper() + "."], COOK, ["+1", "!1"]),
    ([COOK], COOK + ", please", ["+1", "!1"]),
    ([COOK, COOK + " please"], COOK + " please", ["+1", "!1"]),
    ([COOK], COOK + " dinner", ["+1", "-1", "+2", "!2"]),
]


@pytest.mark.parametrize(("pauses", "said", "told"), CHOICES)
def test_what_was_said_decides(pauses: list[str], said: str, told: list[str]) -> None:
    table = Table()
    for text in pauses:
        table.pause(text)
        table.wait(0.1)
    commit = table.take(said)
    assert table.told() == told
    assert commit.text == said, "the record keeps what was really said"
    assert table.guesses.live == []


@pytest.mark.parametrize("most", [0, 1, 2, 4])
def test_guesses_at_a_turn_are_bounded(most: int) -> None:
    table = Table(replace(SPECULATION, max_guesses=most, steady_words_s=0.0))
    for text in ("one", "two", "three", "four", "five"):
        table.pause(text)
    assert len(table.of(BeginTurn)) == most
    table.take("six")
    assert not table.last(BeginTurn).speculative


def test_one_live_guess_is_the_old_way() -> None:
    table = Table(replace(SPECULATION, live_guesses=1))
    for text in (COOK, BOOK):
        table.pause(text)
    assert table.told() == ["+1", "-1", "+2"]


def test_the_guess_that_is_furthest_wins() -> None:
    """Both answer "I want to cook please": the one that can be heard now is taken."""
    table = Table()
    table.pause(COOK + " please um")
    table.pause(BOOK)
    table.plan(1, "Fine.")
    table.speak(1, 400)
    table.take(COOK + " please")
    assert table.told() == ["+1", "+2", "!1", "-2"]


class TestHeldAudio:
    def held(self) -> Table:
        table = Table()
        table.pause(COOK)
        table.plan(1, "Fine.", "And now?")
        return table

    def test_the_first_segment_is_spoken_and_nothing_sent(self) -> None:
        table = self.held()
        table.speak(1, 1600, ends=True)
        assert [each.index for each in table.of(Synthesise)] == [0]
        assert table.of(SendAudio) == []

    def test_it_goes_out_with_the_commit(self) -> None:
        table = self.held()
        table.speak(1, 1600, ends=True)
        table.take(COOK)
        sent = table.last(SendAudio)
        assert (sent.turn_id, sent.guess) == (1, 1)
        assert table.mouth.playout.first_out_at == table.now

    def test_a_first_segment_without_words_is_no_first_segment(self) -> None:
        table = Table()
        table.pause(COOK)
        table.plan(1, "...", "Fine.")
        assert [each.index for each in table.of(Synthesise)] == [1]

    def test_a_full_guess_pauses_its_speaker_until_it_is_spoken(self) -> None:
        table = self.held()
        table.speak(1, HELD_BYTES - 1)
        assert table.of(PauseSpeech) == []
        table.speak(1, 1)
        table.speak(1, 160)
        assert table.of(PauseSpeech) == [PauseSpeech(1, 1)]
        table.take(COOK)
        assert table.of(ResumeSpeech) == [ResumeSpeech(1, 1)]
        kinds = [type(each) for each in table.log]
        assert kinds.index(SendAudio) < kinds.index(ResumeSpeech)
        table.speak(1, 160, ends=True)
        table.now += 2.0
        table.mouth.pump(now=table.now)
        assert sum(len(each.ulaw) for each in table.of(SendAudio)) >= HELD_BYTES // 4

    def test_a_guess_that_is_dropped_while_full_is_not_resumed(self) -> None:
        table = self.held()
        table.speak(1, HELD_BYTES)
        table.take(BOOK)
        assert table.of(ResumeSpeech) == []

    def test_what_comes_late_for_a_dropped_guess_goes_nowhere(self) -> None:
        table = self.held()
        table.take(BOOK)
        table.speak(1, 1600, ends=True)
        table.plan(1, "Late.")
        assert table.of(SendAudio) == []
        assert [(each.guess, each.index) for each in table.of(Synthesise)] == [(1, 0)]


class TestCallerGoesOn:
    def test_nothing_more_is_spoken_until_the_words_return(self) -> None:
        table = Table()
        table.pause(COOK)
        table.guesses.doubt()
        table.plan(1, "Fine.")
        assert table.of(Synthesise) == []
        table.pause(COOK)
        assert [each.guess for each in table.of(Synthesise)] == [1]

    def test_a_doubted_guess_is_taken_all_the_same(self) -> None:
        table = Table()
        table.pause(COOK)
        table.guesses.doubt()
        table.plan(1, "Fine.")
        table.take(COOK + " please")
        assert table.told() == ["+1", "!1"]
        assert len(table.of(Synthesise)) == 1

    def test_other_words_end_a_guess_after_a_while_only(self) -> None:
        table = Table()
        table.pause(COOK)
        table.words(COOK + " a")
        table.wait(SPECULATION.keep_s - 0.01)
        assert table.told() == ["+1"]
        table.words(COOK)
        table.wait(10.0)
        assert table.told() == ["+1"]
        table.words(BOOK + " or")
        table.wait(SPECULATION.keep_s)
        assert table.told() == ["+1", "-1"]


class TestWordsThatStandStill:
    def test_they_are_guessed_at_while_the_caller_speaks(self) -> None:
        table = Table()
        table.words("a table for two")
        table.wait(0.17)
        assert table.told() == []
        table.wait(0.01)
        assert table.told() == ["+1"]

    @pytest.mark.parametrize(
        ("speculation", "text"),
        [
            (replace(SPECULATION, steady_words_s=0.0), "a table for two"),
            (SPECULATION, "a table for"),
            (replace(SPECULATION, max_guesses=2), "a table for two"),
        ],
    )
    def test_not_if_nobody_wants_it_or_words_are_missing(
        self, speculation: SpeculationConfig, text: str
    ) -> None:
        table = Table(speculation)
        table.words(text)
        table.wait(1.0)
        assert table.told() == []

    def test_they_leave_guesses_for_the_pauses(self) -> None:
        table = Table()
        for text in ("one", "one two", "one two three", "one two three four"):
            table.words(text)
            table.wait(0.2)
        assert table.told() == ["+1", "+2"]

    def test_a_tenant_with_much_waste_does_without(self) -> None:
        table = Table()
        table.budget.patience = 0.1
        table.words("a table for two")
        table.wait(1.0)
        assert table.told() == []


class TestPatience:
    def test_a_guess_is_put_off_and_made_if_the_words_stand(self) -> None:
        table = Table()
        table.budget.patience = 1.0
        table.pause(COOK)
        assert table.told() == []
        table.wait(SPECULATION.longest_wait_s)
        assert table.told() == ["+1"]

    @pytest.mark.parametrize("confidence", [0.95, 1.0])
    def test_a_sure_one_is_not(self, confidence: float) -> None:
        table = Table()
        table.budget.patience = 1.0
        table.pause(COOK, confidence)
        assert table.told() == ["+1"]

    def test_a_pause_that_grows_sure_ends_the_wait(self) -> None:
        table = Table()
        table.budget.patience = 0.5
        table.pause(COOK, 0.6)
        table.pause(COOK, 0.96)
        assert table.told() == ["+1"]
        table.wait(1.0)
        assert table.told() == ["+1"]

    def test_a_caller_who_goes_on_costs_nothing_then(self) -> None:
        table = Table()
        table.budget.patience = 1.0
        table.pause(COOK)
        table.wait(0.1)
        table.guesses.doubt()
        table.wait(1.0)
        assert table.told() == []

    def test_a_turn_that_is_taken_meanwhile_needs_no_guess(self) -> None:
        table = Table()
        table.budget.patience = 1.0
        table.pause(COOK)
        table.take(COOK)
        table.wait(1.0)
        assert table.told() == ["+1", "!1"]
        assert not table.last(BeginTurn).speculative


class TestAccounts:
    def settled(self, *pauses: str, said: str) -> Table:
        table = Table()
        for guess, text in enumerate(pauses, start=1):
            table.pause(text)
            table.plan(guess, "Fine.")
        commit = table.take(said)
        if commit.guess > len(pauses):
            table.plan(commit.guess, "Fine.")
        table.speak(commit.guess, 160, ends=True)
        table.now += 1.0
        table.mouth.pump(now=table.now)
        table.turns.settle_if_heard(now=table.now)
        assert table.last(TurnSettled).caller_text == said
        return table

    @pytest.mark.parametrize(
        ("pauses", "said", "spend"),
        [
            ((), COOK, TurnSpend(1, 0, 0, 0, 5, 0)),
            ((COOK,), COOK, TurnSpend(1, 1, 0, 0, 5, 0)),
            ((COOK,), BOOK, TurnSpend(2, 1, 1, 1, 10, 5)),
            ((COOK, BOOK), BOOK, TurnSpend(2, 2, 1, 1, 10, 5)),
            ((COOK, BOOK), LOOK, TurnSpend(3, 2, 2, 2, 15, 10)),
        ],
    )
    def test_what_was_asked_in_vain(
        self, pauses: tuple[str, ...], said: str, spend: TurnSpend
    ) -> None:
        assert self.settled(*pauses, said=said).budget.recent == spend

    def test_every_turn_counts_anew(self) -> None:
        table = self.settled(COOK, said=COOK)
        table.turns.guess("more", None, now=table.now)
        assert table.last(BeginTurn) == BeginTurn(2, 1, "caller", "more", speculative=True)
        assert table.guesses.begun == 1


class TestTakenTooEarly:
    def taken(self) -> Table:
        table = Table()
        table.pause(COOK)
        table.plan(1, "Fine.", "And now?", ends=False)
        table.speak(1, 4_000, ends=True)
        table.take(COOK)
        table.speak(1, 800, 1, ends=True)
        return table

    def test_the_reply_is_held_again_and_begins_anew_for_the_same_words(self) -> None:
        table = self.taken()
        table.now += 0.3
        table.mouth.pump(now=table.now)
        assert table.turns.retract(now=table.now) == COOK
        assert table.told() == ["+1", "!1", "?1"]
        before = len(table.of(SendAudio))
        table.now += 0.5
        table.take(COOK)
        for _ in range(20):
            table.now += 0.06
            table.mouth.pump(now=table.now)
        sent = b"".join(each.ulaw for each in table.of(SendAudio)[before:])
        assert sent.count(b"\x01") == 4_800
        assert len(table.of(Synthesise)) == 2
        assert table.told() == ["+1", "!1", "?1", "!1"]

    def test_what_comes_while_it_is_held_again_is_said_too(self) -> None:
        table = self.taken()
        words = ("Fine.", "And now?", "Or later?", "Or never?")
        table.plan(1, *words[:3], ends=False)
        table.turns.retract(now=table.now)
        table.speak(1, 400, 2, ends=True)
        table.plan(1, *words)
        assert len(table.of(Synthesise)) == 3, "no more is spoken while the caller goes on"
        table.take(COOK)
        for _ in range(20):
            table.now += 0.06
            table.mouth.pump(now=table.now)
        assert table.last(Synthesise).index == 3
        table.speak(1, 160, 3, ends=True)
        assert table.mouth.reply.planned_text == " ".join(words)
        assert table.mouth.reply.is_all_there

    def test_one_that_is_never_asked_again_was_in_vain(self) -> None:
        table = self.taken()
        table.turns.retract(now=table.now)
        table.turns.drop_guesses("key pressed")
        table.turns.give_up_retracted()
        assert table.last(TurnSettled).outcome == "dropped"
        assert table.budget.recent == TurnSpend(1, 1, 0, 1, 13, 13)

    def test_other_words_give_it_up(self) -> None:
        table = self.taken()
        table.turns.retract(now=table.now)
        table.take(COOK + " dinner")
        assert table.told() == ["+1", "!1", "?1", "-1", "+2", "!2"]
        assert table.last(CommitTurn).turn_id == 1

    def test_audio_that_was_given_back_cannot_be_held(self) -> None:
        table = self.taken()
        table.speak(1, 3 * HELD_BYTES + 1, 1)
        table.now += 1.5
        table.mouth.pump(now=table.now)
        table.turns.retract(now=table.now)
        assert table.told() == ["+1", "!1", "-1"]
        assert table.mouth.reply.kept_bytes == 0

    def test_what_failed_is_asked_again(self) -> None:
        table = self.taken()
        table.turns.fail(2, "broke", now=table.now)
        table.turns.retract(now=table.now)
        assert table.told() == ["+1", "!1", "-1"]


def test_an_action_belongs_to_its_guess_alone() -> None:
    stage = Stage(VoiceConfig(speculation=SPECULATION), audio_s=0.4)
    stage.talk(0.6)
    stage.interim("sales")
    stage.wait(0.25)
    wrong = stage.last(BeginTurn)
    stage.answer(wrong, "I am putting you through.", action=DIAL)
    stage.interim("bills")
    stage.wait(0.1)
    right = stage.last(BeginTurn)
    assert right.guess != wrong.guess
    stage.answer(right, "What about it?")
    stage.final("bills")
    stage.wait(2.0)
    settled = stage.last(TurnSettled)
    assert (settled.guess, settled.heard_text) == (right.guess, "What about it?")
    assert not settled.performs


@pytest.mark.parametrize(
    "wrong",
    [
        {"live_guesses": 0},
        {"live_guesses": MOST_LIVE_GUESSES + 1},
        {"max_guesses": -1},
        {"held_bytes": -1},
        {"max_waste_ratio": 0.0},
        {"max_waste_ratio": 1.1},
        {"keep_s": -0.1},
    ],
)
def test_numbers_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadVoiceConfig, match=next(iter(wrong))):
        SpeculationConfig(**wrong)  # type: ignore[arg-type]


def test_a_turn_is_named_by_both_numbers() -> None:
    assert Turn(3, 2, "caller", "", True).key == (3, 2)
