"""One call in virtual time: an agent greets, a caller asks, and makes a sound over the answer.

The voice machine and the scorer are the real ones, the carrier is the emulator's, the recogniser is
as late as a real one. What is measured is what the caller hears, sample by sample.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

import numpy as np

from benchmarks.barge_in_sounds import RATE_HZ, Samples, Sound, question
from cluster.evaluate.lags import EARS
from simulation.playout_clock import Heard, PlayoutClock
from telephony import g711
from voice import events as voice
from voice.config import VoiceConfig
from voice.levels import SpeechScorer
from voice.ports import FRAME_S, FRAME_SAMPLES, TextMark
from voice.session import VoiceSession

Sent = voice.SendAudio | voice.SendMark | voice.ClearPlayout | voice.RetractTurn
_DELIVERED_S = 0.06


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the agent says: one segment of its reply.

    Attributes:
        words: Where each word ends in the text, and when in the audio.
    """

    text: str
    ulaw: bytes
    words: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """The way between the caller and us.

    Attributes:
        delay_s: One way.
        noise_dbfs: Of the line.
        echo_db: Of the agent's voice in the caller's sound; None for none.
        echo_s: How much later than it is heard.
    """

    delay_s: float = 0.0
    noise_dbfs: float = -58.0
    echo_db: float | None = None
    echo_s: float = 0.15


@dataclass(slots=True)
class Log:
    """What came of it; times are the caller's, in seconds from the placing of the call."""

    heard: list[Heard] = field(default_factory=list)
    settled: list[tuple[float, voice.TurnSettled]] = field(default_factory=list)
    clears: list[float] = field(default_factory=list)
    onset_s: float = 0.0
    end_s: float = 0.0
    underruns: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """What is said: the agent says ``reply`` and the caller makes ``sound`` over it.

    Attributes:
        greeting: What the agent says first.
        sound_at_s: When, counted from the first sample of the reply at the caller's ear.
        has_marks: Whether the speaker tells when which word is said.
    """

    greeting: Spoken
    reply: Sequence[Spoken]
    sound: Sound
    sound_at_s: float
    has_marks: bool = True


class Call:
    """One call of a scene over a line; ``seed`` decides the rest."""

    def __init__(
        self,
        scene: Scene,
        line: Line,
        scorer: SpeechScorer,
        config: VoiceConfig,
        seed: str,
    ) -> None:
        self._random = Random(seed)
        self._noise = np.random.default_rng(self._random.getrandbits(32))
        self._scene, self._sound, self._line = scene, scene.sound, line
        self._question = question(scene.sound.gain_db)
        self._scorer = scorer
        scorer.reset(0)
        self._session = VoiceSession(config)
        self._carrier = PlayoutClock()
        self._ear = np.zeros(0)
        self._due: list[tuple[float, int, voice.Input]] = []
        self._serial = count()
        self._way: deque[tuple[float, bytes]] = deque()
        self._sent: deque[tuple[float, Sent]] = deque()
        self._phase_s = self._random.uniform(0.0, FRAME_S)
        self._asked_at_s: float | None = None
        self._began_s: float | None = None  # the reply, at the caller's ear
        self._now = 0.0
        self.log = Log()

    def run(self, seconds: float) -> Log:
        """Play it."""
        self._feed(voice.CallStarted(self._scene.greeting.text))
        for frame in range(round(seconds / FRAME_S)):
            self._now = frame * FRAME_S
            self._say(frame)
            self._pass_until(self._now)
            self._tick()
        self._session.close(now=self._now)
        self._drain()
        self.log.underruns = self._session.underruns
        return self.log

    # --- the caller -------------------------------------------------------------------------------

    def _say(self, frame: int) -> None:
        """The frame whose last sample was spoken in the last 20 ms; it is under way now."""
        start_s = (frame - 2) * FRAME_S + self._phase_s
        self._listen(start_s + FRAME_S)
        samples = self._noise.standard_normal(FRAME_SAMPLES)
        samples *= 32_768 * 10 ** (self._line.noise_dbfs / 20)
        samples += self._sound_in(start_s)
        if self._line.echo_db is not None:
            samples += self._echo(start_s) * 10 ** (self._line.echo_db / 20)
        pcm = np.clip(samples, -32_768, 32_767).astype(np.int16)
        self._way.append((start_s + FRAME_S + self._line.delay_s, g711.encode(pcm)))

    def _sound_in(self, start_s: float) -> Samples:
        if self._asked_at_s is None:
            if not self.log.settled or start_s < self.log.settled[0][0] + 0.5:
                return np.zeros(FRAME_SAMPLES)
            self._asked_at_s = start_s
            self._understand(self._question, start_s)
        asked = _slice(self._question.samples, start_s - self._asked_at_s)
        if self._began_s is None:
            return asked
        since_s = start_s - self._began_s - self._scene.sound_at_s
        if not self.log.end_s and since_s > -FRAME_S:
            self._begin_sound(start_s - since_s)
        return asked + _slice(self._sound.samples, since_s)

    def _begin_sound(self, at_s: float) -> None:
        self.log.onset_s = at_s + self._sound.start_s
        self.log.end_s = at_s + self._sound.end_s
        self._understand(self._sound, at_s)

    def _understand(self, sound: Sound, at_s: float) -> None:
        """What the recogniser will say of it."""
        lags = EARS["azure"]
        said = ""
        for text, end_s in sound.words:
            said = f"{said} {text}".strip() if text.isascii() else said + text
            due_s = at_s + end_s + self._line.delay_s + lags.word.draw(self._random)
            self._push(due_s, voice.InterimHeard(said, 0.0))
        if said:
            silent_s = lags.segmentation_s + lags.final.draw(self._random)
            due_s = at_s + sound.words[-1][1] + self._line.delay_s + silent_s
            self._push(due_s, voice.FinalHeard(said, 0.0))

    def _listen(self, until_s: float) -> None:
        while self._sent and self._sent[0][0] <= until_s:
            self._arrive(*self._sent.popleft())
        self._echo_marks(self._carrier.advance(now=until_s), until_s)
        for heard in self._carrier.take_heard():
            self._keep(heard)
            if self._asked_at_s is None:
                continue
            if self._began_s is None:
                self._began_s = heard.start_s
            self.log.heard.append(heard)

    def _keep(self, heard: Heard) -> None:
        at = round(heard.start_s * RATE_HZ)
        if at + len(heard.audio) > len(self._ear):
            self._ear = np.concatenate([self._ear, np.zeros(at + 5 * RATE_HZ)])
        self._ear[at : at + len(heard.audio)] = g711.decode(heard.audio)

    def _echo(self, start_s: float) -> Samples:
        at = round((start_s - self._line.echo_s) * RATE_HZ)
        echo = np.zeros(FRAME_SAMPLES)
        if at >= 0:
            piece = self._ear[at : at + FRAME_SAMPLES]
            echo[: len(piece)] = piece
        return echo

    # --- us ---------------------------------------------------------------------------------------

    def _tick(self) -> None:
        while self._way and self._way[0][0] <= self._now:
            _, ulaw = self._way.popleft()
            pcm = g711.decode(ulaw).reshape(1, -1)
            speech, levels = self._scorer.score(pcm, np.zeros(1, np.intp))
            self._feed(voice.FrameHeard(bool(speech[0]), float(levels[0])))
        deadline = self._session.next_deadline()
        if deadline is not None and deadline <= self._now:
            self._session.handle_deadline(now=self._now)
            self._drain()

    def _pass_until(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            _, _, event = heapq.heappop(self._due)
            self._feed(event)

    def _push(self, at_s: float, event: voice.Input) -> None:
        heapq.heappush(self._due, (at_s, next(self._serial), event))

    def _feed(self, event: voice.Input) -> None:
        self._session.receive(event, now=self._now)
        self._drain()

    def _drain(self) -> None:
        there = self._now + self._line.delay_s
        while (output := self._session.next_output()) is not None:
            match output:
                case (
                    voice.SendAudio()
                    | voice.SendMark()
                    | voice.ClearPlayout()
                    | voice.RetractTurn()
                ):
                    self._sent.append((there, output))
                case voice.BeginTurn():
                    self._answer(output)
                case voice.Synthesise():
                    self._speak(output)
                case voice.TurnSettled():
                    self.log.settled.append((self._now, output))
                case _:
                    pass

    def _arrive(self, there: float, output: Sent) -> None:
        match output:
            case voice.SendAudio(ulaw=ulaw):
                self._carrier.media(ulaw, now=there)
            case voice.SendMark(name=name):
                self._echo_marks(self._carrier.mark(name, now=there), there)
            case voice.ClearPlayout():
                self.log.clears.append(there)
                self._echo_marks(self._carrier.clear(now=there), there)
            case voice.RetractTurn():
                if not self.log.end_s:  # what was said was not the reply
                    self._began_s = None
                    self.log.heard.clear()

    def _echo_marks(self, names: list[str], there: float) -> None:
        for name in names:
            self._push(there + self._line.delay_s, voice.MarkPlayed(name))

    def _answer(self, begun: voice.BeginTurn) -> None:
        parts = self._scene.reply if begun.turn_id == 1 else [Spoken("Yes.", b"\xff" * 1_600, ())]
        for index, part in enumerate(parts):
            event = voice.SegmentPlanned(begun.turn_id, begun.guess, index, part.text)
            self._push(self._now + 0.2 + 0.1 * index, event)
        last_s = self._now + 0.2 + 0.1 * len(parts)
        self._push(last_s, voice.ReplyFinished(begun.turn_id, begun.guess))

    def _speak(self, order: voice.Synthesise) -> None:
        key = (order.turn_id, order.guess, order.index)
        said = (self._scene.greeting, *self._scene.reply)
        part = next((part for part in said if part.text == order.text), None)
        part = part or Spoken(order.text, b"\xff" * 1_600, ())
        marks = tuple(TextMark(chars, at_s) for chars, at_s in part.words)
        at_s = self._now + 0.13
        for start in range(0, len(part.ulaw), 2_400):
            sent = marks if start == 0 and self._scene.has_marks else ()
            piece = part.ulaw[start : start + 2_400]
            self._push(at_s, voice.SpeechArrived(*key, piece, sent))
            at_s += _DELIVERED_S
        self._push(at_s, voice.SpeechFinished(*key))


def _slice(samples: Samples, at_s: float) -> Samples:
    """20 ms of it from ``at_s`` on, silence where it is not."""
    at = round(at_s * RATE_HZ)
    found = np.zeros(FRAME_SAMPLES)
    piece = samples[max(at, 0) : max(at + FRAME_SAMPLES, 0)]
    first = max(-at, 0) if len(piece) else 0
    found[first : first + len(piece)] = piece
    return found
