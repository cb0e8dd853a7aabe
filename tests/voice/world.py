"""A small world around a voice session: it answers late, out of order, or not at all.

Every output is checked against the laws of a call. Audio that is sent names its reply, so nothing
of a guess that is not taken can slip through.
"""

from __future__ import annotations

from hypothesis import strategies as st

from voice.events import (
    AbandonTurn,
    BeginTurn,
    CallStarted,
    CommitTurn,
    DigitPressed,
    EndCall,
    FinalHeard,
    FrameHeard,
    Input,
    InterimHeard,
    MarkPlayed,
    Output,
    PauseSpeech,
    ReplyFailed,
    ReplyFinished,
    ResumeSpeech,
    RetractTurn,
    SegmentPlanned,
    SendAudio,
    SendMark,
    SpeechArrived,
    SpeechFailed,
    SpeechFinished,
    Synthesise,
    TurnSettled,
)
from voice.ports import FRAME_S
from voice.reply import ReplyKey
from voice.session import VoiceConfig, VoiceSession
from voice.speculation import SpeculationConfig

HELD_BYTES = 3_000
CHUNK_BYTES = 5_000
CONFIG = VoiceConfig(
    reply_wait_s=3.0,
    idle_prompt_s=4.0,
    speculation=SpeculationConfig(held_bytes=HELD_BYTES, steady_words_s=0.18),
)

WORDS = (
    "",
    "yes",
    "um",
    "book a table",
    "book a table please",
    "cook a table",
    "book a table for two",
    "我想訂檯",
    "no wait",
)
STEPS = st.one_of(
    st.tuples(st.just("speech"), st.integers(1, 40)),
    st.tuples(st.just("silence"), st.integers(1, 60)),
    st.tuples(st.just("stall"), st.integers(1, 100)),
    st.tuples(st.just("interim"), st.integers(0, len(WORDS) - 1)),
    st.tuples(st.just("final"), st.integers(0, len(WORDS) - 1)),
    st.tuples(st.just("digit"), st.integers(0, 15)),
    st.tuples(st.just("segment"), st.integers(0, 3)),
    st.tuples(st.just("finish"), st.integers(0, 9)),
    st.tuples(st.just("fail"), st.integers(0, 9)),
    st.tuples(st.just("audio"), st.integers(0, CHUNK_BYTES)),
    st.tuples(st.just("audio_end"), st.integers(0, 5)),
    st.tuples(st.just("audio_fail"), st.integers(0, 5)),
    st.tuples(st.just("echo"), st.integers(0, 5)),
)


class World:
    """A session, its clock, and the laws that hold for its outputs."""

    def __init__(self, config: VoiceConfig = CONFIG) -> None:
        self.session = VoiceSession(config)
        self.now = 10.0
        self.log: list[tuple[float, Output]] = []
        self.turns: list[ReplyKey] = []  # begun, in order
        self.dead: set[ReplyKey] = set()
        self.taken: ReplyKey | None = None
        self.was_taken: set[int] = set()
        self.settled: list[int] = []
        self.requests: list[Synthesise] = []
        self.paused: set[ReplyKey] = set()
        self.planned: dict[ReplyKey, int] = {}
        self.marks: list[str] = []
        self.ended = False
        self.put(CallStarted("Welcome."))

    @property
    def alive(self) -> set[ReplyKey]:
        """Begun, and neither abandoned nor settled."""
        return {key for key in self.turns if key not in self.dead and key[0] not in self.settled}

    def put(self, event: Input) -> None:
        self.session.receive(event, now=self.now)
        self.drain()

    def drain(self) -> None:
        count = 0
        while (output := self.session.next_output()) is not None:
            count += 1
            assert count < 200, "one event must not cause endless outputs"
            assert not self.ended, "nothing after EndCall"
            self.check(output)
            self.log.append((self.now, output))
        self.check_memory()

    def check(self, output: Output) -> None:
        match output:
            case BeginTurn():
                self.begin((output.turn_id, output.guess), speculative=output.speculative)
            case CommitTurn():
                key = (output.turn_id, output.guess)
                assert key in self.alive, "only what is prepared can be taken"
                assert self.taken is None, "one turn at a time"
                self.taken = key
                self.was_taken.add(output.turn_id)
            case RetractTurn():
                assert self.taken == (output.turn_id, output.guess)
                self.taken = None
            case AbandonTurn():
                self.abandon((output.turn_id, output.guess))
            case Synthesise():
                assert (output.turn_id, output.guess) not in self.dead, "no voice for a dead guess"
                assert output not in self.requests, "nothing is spoken twice"
                self.requests.append(output)
            case PauseSpeech():
                assert self.taken != (output.turn_id, output.guess)
                self.paused.add((output.turn_id, output.guess))
            case ResumeSpeech():
                self.paused.remove((output.turn_id, output.guess))
            case SendAudio():
                self.check_audio(output)
            case SendMark():
                assert output.name not in self.marks
                self.marks.append(output.name)
            case TurnSettled():
                self.settle(output)
            case EndCall():
                self.ended = True
            case _:
                pass

    def begin(self, key: ReplyKey, *, speculative: bool) -> None:
        assert key not in self.turns, "an attempt is begun once"
        assert key[0] not in self.settled
        self.turns.append(key)
        assert not speculative or self.taken is None, "no guesses while a turn is taken"
        assert len(self.alive) <= CONFIG.speculation.live_guesses

    def abandon(self, key: ReplyKey) -> None:
        assert key not in self.dead, "an attempt is abandoned once"
        self.dead.add(key)
        if key == self.taken:
            self.taken = None

    def settle(self, turn: TurnSettled) -> None:
        assert turn.turn_id not in self.settled, "a turn settles once"
        if turn.outcome == "heard":
            assert turn.heard_text == turn.agent_text
        others = {key for key in self.alive if key[0] == turn.turn_id and key != self.taken}
        assert not others, "guesses at a settled turn were told to stop"
        if self.taken is not None and self.taken[0] == turn.turn_id:
            self.taken = None
        self.settled.append(turn.turn_id)

    def check_audio(self, audio: SendAudio) -> None:
        assert len(audio.ulaw) % 160 == 0
        key = (audio.turn_id, audio.guess)
        assert key not in self.dead, "no audio of an abandoned guess"
        assert audio.turn_id not in self.settled, "no audio of a settled turn"
        assert key not in self.turns or key == self.taken, "no audio of a mere guess"

    def check_memory(self) -> None:
        guesses = self.session._turns.guesses.live
        assert len(guesses) <= CONFIG.speculation.live_guesses
        for guess in guesses:
            was_spoken = guess.turn.taken_at > 0.0
            most = HELD_BYTES * (3 if was_spoken else 1) + CHUNK_BYTES
            assert guess.reply.kept_bytes <= most
        assert self.session._mouth.reply.kept_bytes <= 3 * HELD_BYTES

    def pass_time(self, frames: int, speech: bool | None) -> None:
        for _ in range(frames):
            end = self.now + FRAME_S
            spins = 0
            while (at := self.session.next_deadline()) is not None and at <= end:
                self.now = max(at, self.now)
                self.session.handle_deadline(now=self.now)
                self.drain()
                spins += 1
                assert spins < 30, "a deadline that never passes"
            self.now = end
            if speech is not None:
                self.put(FrameHeard(speech, -30.0))

    def step(self, name: str, number: int) -> None:
        match name:
            case "speech" | "silence" | "stall":
                self.pass_time(number, None if name == "stall" else name == "speech")
            case "interim":
                self.put(InterimHeard(WORDS[number], 0.0))
            case "final":
                self.put(FinalHeard(WORDS[number], 0.0))
            case "digit":
                self.put(DigitPressed("0123456789*#ABCD"[number]))
            case "echo":
                if self.marks:
                    self.put(MarkPlayed(self.marks[-1 - number % len(self.marks)]))
            case "segment" | "finish" | "fail":
                self.think(name, number)
            case _:
                self.speak(name, number)

    def think(self, name: str, number: int) -> None:
        if not self.turns:
            return
        key = self.turns[-1 - number % min(3, len(self.turns))]
        if name == "segment":
            self.put(SegmentPlanned(*key, self.planned.get(key, 0), f"Some words {number}."))
            self.planned[key] = self.planned.get(key, 0) + 1
        elif name == "finish":
            action = {"verb": "dial"} if number == 8 else {}
            self.put(ReplyFinished(*key, hang_up=number == 9, action=action))
        elif number < 4:
            self.put(ReplyFailed(*key, "busy"))

    def speak(self, name: str, number: int) -> None:
        if not self.requests:
            return
        request = self.requests[-1 - number % min(4, len(self.requests))]
        key = (request.turn_id, request.guess)
        if key in self.paused:
            return
        if name == "audio":
            self.put(SpeechArrived(*key, request.index, b"\x11" * number))
        elif name == "audio_end":
            self.put(SpeechFinished(*key, request.index))
        elif number < 2:
            self.put(SpeechFailed(*key, request.index, "gone"))
