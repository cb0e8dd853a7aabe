"""A mind and a speaker for replayed calls: what is answered, and how long each step takes.

A reply thanks, says a long sentence if the caller is about to talk over it, and asks what the
labelled turn that comes next has as its question; so the machine hears the dialogue that the
corpus was drawn for. Every delay is drawn from the turn's own seed, not from a running stream: two
settings are compared on the same luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from cluster.evaluate.lags import ReplyLags
from cluster.evaluate.replay_mouth import Key, Speech
from simulation.corpus_questions import tongue
from voice.events import (
    BeginTurn,
    Input,
    ReplyFinished,
    SegmentPlanned,
    SpeechArrived,
    SpeechFinished,
    Synthesise,
)
from voice.ports import FRAME_SAMPLES

_THANKS = {
    "en": "Thank you.",
    "de": "Vielen Dank.",
    "es": "Muchas gracias.",
    "it": "Grazie mille.",
    "zh": "好的，谢谢。",
    "yue": "好，多謝晒。",
}
_LONG = {
    "en": "I have looked that up for you, and there are several things that I can tell you about "
    "it, so let me go through them one after the other.",
    "de": "Ich habe das für Sie nachgesehen, und es gibt dazu mehrere Dinge zu sagen, die ich "
    "Ihnen jetzt der Reihe nach erkläre.",
    "es": "Lo he consultado para usted y hay varias cosas que le puedo contar sobre este asunto, "
    "así que se las explico una por una.",
    "it": "Ho controllato per lei e ci sono diverse cose che le posso dire a questo proposito, "
    "quindi gliele spiego una dopo l'altra.",
    "zh": "我已经帮您查过了，关于这件事有几点需要向您说明，下面我一点一点地讲给您听。",
    "yue": "我已經幫你查過喇，關於呢件事有幾點要同你講，等我逐點逐點講畀你聽。",
}
_CHUNK_FRAMES = 20  # audio comes faster than it plays
_CHUNK_EVERY_S = 0.06


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to the turn that the caller is at.

    Attributes:
        seed: Of this turn's delays.
        is_ready: The first segment is there at once.
    """

    segments: tuple[str, ...]
    seed: str
    is_ready: bool


def answer(language: str, question: str, *, is_long: bool, seed: str, ready_ratio: float) -> Answer:
    """The reply of the agent at one place of the dialogue."""
    spoken = tongue(language)
    parts = [_THANKS.get(spoken, _THANKS["en"])]
    if is_long:
        parts.append(_LONG.get(spoken, _LONG["en"]))
    if question:
        parts.append(question)
    return Answer(tuple(parts), seed, Random(f"{seed}/ready").random() < ready_ratio)


class ReplayMind:
    """Thinks and speaks for one call.

    Args:
        lags: How long it takes.
        speech: Where audio is made.
    """

    def __init__(self, lags: ReplyLags, speech: Speech) -> None:
        self._lags = lags
        self._speech = speech
        self._answers: dict[Key, Answer] = {}

    def begin(self, begun: BeginTurn, answer: Answer, *, now: float) -> list[tuple[float, Input]]:
        """The mind is asked; returns what it will say, and when."""
        key = (begun.turn_id, begun.guess)
        self._answers[key] = answer
        random = Random(f"{answer.seed}/think/{begun.guess}")
        at_s = now + self._lags.first_clause.draw(random)
        if answer.is_ready:
            at_s = now + self._lags.ready_s
        said: list[tuple[float, Input]] = []
        for index, text in enumerate(answer.segments):
            if index:
                at_s += self._lags.next_clause.draw(random)
            said.append((at_s, SegmentPlanned(*key, index, text)))
        said.append((at_s, ReplyFinished(*key)))
        return said

    def synthesise(self, order: Synthesise, *, now: float) -> list[tuple[float, Input]]:
        """The speaker is asked; greetings and phrases are rendered already."""
        key = (order.turn_id, order.guess)
        spoken, audio = self._speech.say(key, order.index, order.text)
        answer = self._answers.get(key)
        where = (*key, order.index)
        if answer is None or (answer.is_ready and order.index == 0):
            whole = SpeechArrived(*where, audio, spoken.marks)
            return [(now, whole), (now, SpeechFinished(*where))]
        random = Random(f"{answer.seed}/speak/{order.guess}/{order.index}")
        at_s = now + self._lags.first_audio.draw(random)
        said: list[tuple[float, Input]] = []
        size = _CHUNK_FRAMES * FRAME_SAMPLES
        for start in range(0, len(audio), size):
            marks = spoken.marks if start == 0 else ()
            said.append((at_s, SpeechArrived(*where, audio[start : start + size], marks)))
            at_s += _CHUNK_EVERY_S
        said.append((said[-1][0], SpeechFinished(*where)))
        return said
