"""Whatever a caller, a recogniser and a model do, some things about ends of turns always hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from voice.decisions import CallerFinished, EndpointDecision
from voice.endpoint_config import EndpointConfig
from voice.endpointing import Endpointer
from voice.ports import FRAME_S
from voice.speech_detector import SpeechState

CONFIG = EndpointConfig()
LATEST_S = max(CONFIG.longest_silence_s, CONFIG.longest_digits_s) + CONFIG.final_wait_s
TEXTS = ("a table", "a table and", "yes", "no thank you", "five five", "um", "我想訂檯", "")
QUESTIONS = ("", "How can I help you?", "Is that right?", "What is your four digit PIN?")
STEPS = st.one_of(
    st.tuples(st.just("speech"), st.integers(1, 60)),
    st.tuples(st.just("silence"), st.integers(1, 80)),
    st.tuples(st.just("interim"), st.integers(0, len(TEXTS) - 1)),
    st.tuples(st.just("final"), st.integers(0, len(TEXTS) - 1)),
    st.tuples(st.just("hint"), st.integers(0, 10)),
    st.tuples(st.just("resumed"), st.just(0)),
    st.tuples(st.just("asked"), st.integers(0, len(QUESTIONS) - 1)),
)
RATIOS = st.lists(st.one_of(st.none(), st.floats(0.0, 1.0)), min_size=1, max_size=8)


@dataclass
class Ear:
    """An endpointer, its clock, and a model that answers some questions, 80 ms later."""

    answers: list[float | None]
    now: float = 10.0
    ear: Endpointer = field(default_factory=lambda: Endpointer(CONFIG))
    taken: list[str] = field(default_factory=list)
    quiet_frames: int = 0
    pending: list[tuple[float, int, float]] = field(default_factory=list)
    questions: int = 0

    def note(self, decision: EndpointDecision | None) -> None:
        if isinstance(decision, CallerFinished):
            self.taken.append(decision.text)
            assert decision.reason
            is_on = self.ear.detector.state in (SpeechState.SPEAKING, SpeechState.STARTING)
            is_stuck = decision.reason.startswith(("words unchanged", "sound without words"))
            assert is_stuck or not is_on, "nothing is taken while the caller speaks"
        question = self.ear.next_question()
        if question is not None:
            ratio = self.answers[self.questions % len(self.answers)]
            self.questions += 1
            if ratio is not None:
                self.pending.append((self.now + 0.08, question, ratio))

    def frame(self, is_speech: bool) -> None:
        self.now += FRAME_S
        while self.pending and self.pending[0][0] <= self.now:
            _, question, ratio = self.pending.pop(0)
            self.note(self.ear.hear_judgement(question, ratio, now=self.now))
        self.note(self.ear.hear_frame(is_speech, now=self.now))
        is_quiet = self.ear.detector.state is SpeechState.QUIET
        self.quiet_frames = self.quiet_frames + 1 if is_quiet and self.ear.text else 0
        assert self.quiet_frames * FRAME_S <= LATEST_S + FRAME_S, "a turn is taken in time"

    def step(self, name: str, number: int) -> None:
        match name:
            case "speech" | "silence":
                for _ in range(number):
                    self.frame(name == "speech")
            case "interim":
                end_s = self.ear.detector.end_s
                self.quiet_frames = 0
                self.note(self.ear.hear_interim(TEXTS[number], now=self.now, end_s=end_s))
            case "final":
                self.quiet_frames = 0
                self.note(self.ear.hear_final(TEXTS[number], now=self.now))
            case "hint":
                self.quiet_frames = 0
                self.note(self.ear.hear_hint("a table", number / 10, now=self.now))
            case "resumed":
                self.ear.withdraw_hint()
            case "asked":
                self.quiet_frames = 0
                self.ear.hear_agent(QUESTIONS[number])


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40), RATIOS)
def test_turns_are_taken_in_silence_and_in_time(
    steps: list[tuple[str, int]], answers: list[float | None]
) -> None:
    ear = Ear(answers)
    for name, number in steps:
        ear.step(name, number)
    for _ in range(300):
        ear.frame(False)
    assert ear.ear.text == ""
    assert not ear.ear.is_waiting


@settings(max_examples=60, deadline=None)
@given(
    st.integers(5, 60), st.sampled_from(TEXTS[:-1]), st.sampled_from(QUESTIONS), st.floats(0.0, 1.0)
)
def test_an_answer_that_is_lost_changes_the_moment_and_not_the_turn(
    frames: int, text: str, question: str, ratio: float
) -> None:
    def play(answer: float | None) -> list[str]:
        ear = Ear([answer])
        ear.ear.hear_agent(question)
        for _ in range(frames):
            ear.frame(True)
        ear.note(ear.ear.hear_interim(text, now=ear.now))
        for _ in range(250):
            ear.frame(False)
        return ear.taken

    assert play(ratio) == play(None) == [text]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(TEXTS[:-1]), st.floats(0.15, 2.0), st.floats(1.0, 2.0))
def test_a_patient_agent_takes_no_turn_sooner(text: str, commit_s: float, factor: float) -> None:
    def taken_at(silence_s: float) -> float:
        eager_s = min(0.1, silence_s)
        ear = Endpointer(EndpointConfig(eager_s, silence_s, longest_silence_s=max(2.0, silence_s)))
        now = 0.0
        for n in range(400):
            now += FRAME_S
            decision = ear.hear_frame(n < 30, now=now)
            if n == 29:
                decision = ear.hear_interim(text, now=now) or decision
            if isinstance(decision, CallerFinished):
                return now
        raise AssertionError("never taken")

    assert taken_at(commit_s) <= taken_at(commit_s * factor)
