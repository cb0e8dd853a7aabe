"""A stage for voice sessions: a clock that jumps, a caller, a mind and a speaker by script.

The stage keeps the machine's law: one mutation, then drain, then the timer. It plays the carrier
too, by a clock of its own, so a test can ask what reached the ear and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from voice.events import (
    AbandonTurn,
    BeginTurn,
    CallStarted,
    ClearPlayout,
    CommitTurn,
    FinalHeard,
    FrameHeard,
    Input,
    InterimHeard,
    MarkPlayed,
    Output,
    ReplyFinished,
    SegmentPlanned,
    SendAudio,
    SendMark,
    SpeechArrived,
    SpeechFinished,
    Synthesise,
    TurnSettled,
)
from voice.ports import FRAME_S
from voice.session import VoiceConfig, VoiceSession

T = TypeVar("T")
TICK_S = FRAME_S
_SILENT_START = CallStarted(None)


class Stage:
    """One session and everything around it.

    Args:
        config: The session's config.
        replies: What the mind answers, by turn; each is a list of segments. With None the test
            answers by itself.
        audio_s: Length of the audio the speaker makes of each segment, delivered at once.
    """

    def __init__(
        self,
        config: VoiceConfig | None = None,
        *,
        replies: list[str] | None = None,
        audio_s: float = 1.0,
        speaks: bool = True,
        start: CallStarted | None = _SILENT_START,
    ) -> None:
        self.session = VoiceSession(config or VoiceConfig())
        self.now = 100.0
        self.log: list[tuple[float, Output]] = []
        self.replies = replies
        self.audio_s = audio_s
        self.speaks = speaks
        self.echoes: list[tuple[float, str]] = []
        self._play_end = 0.0
        if start is not None:
            self.put(start)

    def put(self, event: Input) -> list[Output]:
        self.session.receive(event, now=self.now)
        return self._drain()

    def wait(self, seconds: float, *, frames: bool = True, speech: bool = False) -> None:
        """Let time pass with a frame every 20 ms, or without any."""
        end = self.now + seconds
        next_frame = self.now + TICK_S
        spins, spun_at = 0, self.now
        while True:
            spins, spun_at = (spins + 1, spun_at) if self.now == spun_at else (0, self.now)
            assert spins < 50, "a deadline that never passes"
            deadline = self.session.next_deadline()
            stops = [end] + ([next_frame] if frames else [])
            if deadline is not None:
                stops.append(max(deadline, self.now))
            at = min(stops)
            if at > end - 1e-9 and not (frames and abs(next_frame - end) < 1e-6):
                self.now = end
                return
            self.now = max(at, self.now)
            if frames and self.now >= next_frame - 1e-9:
                next_frame += TICK_S
                self.put(FrameHeard(speech, -30.0 if speech else -60.0))
            if deadline is not None and self.now >= deadline - 1e-9:
                self.session.handle_deadline(now=self.now)
                self._drain()
            if next_frame > end + 1e-9 and self.now >= end - 1e-9:
                self.now = end
                return

    def talk(self, seconds: float) -> None:
        self.wait(seconds, speech=True)

    def interim(self, text: str) -> list[Output]:
        return self.put(InterimHeard(text, 0.0))

    def final(self, text: str) -> list[Output]:
        return self.put(FinalHeard(text, 0.0))

    def say(self, text: str, seconds: float = 0.6) -> None:
        """The caller says something; the final words come 200 ms after the end."""
        self.talk(seconds)
        self.interim(text)
        self.wait(0.1)
        self.final(text)

    def ask(self, text: str = "hello there") -> int:
        """Say something and wait until the turn is taken; returns its number."""
        self.say(text)
        self.wait(0.6)
        return self.last(CommitTurn).turn_id

    def answer(
        self,
        turn: BeginTurn | CommitTurn,
        *segments: str,
        hang_up: bool = False,
        action: Mapping[str, Any] | None = None,
    ) -> None:
        for index, text in enumerate(segments):
            self.put(SegmentPlanned(turn.turn_id, turn.guess, index, text))
        self.put(ReplyFinished(turn.turn_id, turn.guess, hang_up, action or {}))

    def voice(self, request: Synthesise, seconds: float | None = None) -> None:
        samples = round((self.audio_s if seconds is None else seconds) * 8000)
        key = (request.turn_id, request.guess, request.index)
        self.put(SpeechArrived(*key, bytes([request.index + 1]) * samples))
        self.put(SpeechFinished(*key))

    def of(self, kind: type[T]) -> list[T]:
        return [output for _, output in self.log if isinstance(output, kind)]

    def last(self, kind: type[T]) -> T:
        return self.of(kind)[-1]

    def at(self, kind: type[Output]) -> float:
        """When the last output of this kind came."""
        return [at for at, output in self.log if isinstance(output, kind)][-1]

    @property
    def settled(self) -> list[tuple[int, str, str]]:
        return [(turn.turn_id, turn.outcome, turn.heard_text) for turn in self.of(TurnSettled)]

    @property
    def audio(self) -> bytes:
        """Everything sent since the last clear."""
        sent = b""
        for _, output in self.log:
            if isinstance(output, ClearPlayout):
                sent = b""
            elif isinstance(output, SendAudio):
                sent += output.ulaw
        return sent

    def names(self, *kinds: type[Output]) -> list[str]:
        wanted = kinds or (BeginTurn, CommitTurn, AbandonTurn, ClearPlayout, TurnSettled)
        return [type(output).__name__ for _, output in self.log if isinstance(output, wanted)]

    def echo_marks(self) -> None:
        for mark in self.of(SendMark):
            self.put(MarkPlayed(mark.name))

    def _drain(self) -> list[Output]:
        fresh: list[Output] = []
        while (output := self.session.next_output()) is not None:
            self.log.append((self.now, output))
            fresh.append(output)
        for output in tuple(fresh):
            fresh += self._react(output)
        return fresh

    def _react(self, output: Output) -> Iterable[Output]:
        before = len(self.log)
        if isinstance(output, BeginTurn) and self.replies:
            self.answer(output, *self.replies)
        elif isinstance(output, Synthesise) and self.speaks:
            self.voice(output)
        return [entry for _, entry in self.log[before:]]
