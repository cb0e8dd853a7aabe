"""Failing voices, in virtual time: ``python -m benchmarks.failover_voices``.

As ``benchmarks.failover``, with the product's own speaker over the same providers and faults. A
call that has changed its voice keeps it, so a fault is met once by each call that was on before,
and by few of those that come later.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

from benchmarks.failover import (
    Model,
    Policy,
    Silent,
    show,
    ten_seconds,
    ten_seconds_kept,
)
from dialogue.ports import Message, ReplyDelta, ReplyDone, ThinkEvent, ThinkRequest
from providers.failover.speaker import FailoverSpeaker
from providers.failover.voices import Voice
from providers.health.budget import HedgeBudget
from providers.health.view import HealthView
from voice.ports import SpeakRequest, SpeechChunk

SENTENCE = "Yes, please."
SOUND = b"\x20" * 160


class VoiceOf:
    """A provider of one word as a speaker of one frame."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.name = model.name

    async def warm(self, voice: str, language: str) -> None:
        """Nothing to open."""

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """One frame; probes belong to no call."""
        question = ThinkRequest(request.call_id or "probe", (Message("user", "Hi"),))
        async for event in self._model.reply(question):
            if isinstance(event, ReplyDelta):
                yield SpeechChunk(SOUND)

    async def aclose(self) -> None:
        """Nothing to close."""


class Spoken:
    """The product's speaker, asked as the stage asks."""

    def __init__(self, speaker: FailoverSpeaker) -> None:
        self._speaker = speaker

    async def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        """One sentence."""
        wanted = SpeakRequest(request.call_id, SENTENCE, "", "en-US")
        async for _ in self._speaker.speak(wanted):
            yield ReplyDelta(SENTENCE)
        yield ReplyDone("stop")


def our_voices(models: list[Model], view: HealthView) -> Spoken:
    """The product's."""
    voices = [Voice(VoiceOf(model), model.name, "en-US") for model in models]
    chance = random.Random(len(models))
    return Spoken(FailoverSpeaker(voices, view, HedgeBudget(), chance.random, Silent()))


VOICES: dict[str, Policy] = {
    "this product": our_voices,
    "10 s, then the next": ten_seconds,
    "the same, kept for the call": ten_seconds_kept,
}


if __name__ == "__main__":
    show(VOICES)
