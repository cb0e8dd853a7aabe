"""Audio of answers that are known, made before anybody asks for them.

Rules
1. An answer is cut as a reply is, and each segment is rendered in every voice of the agent: all of
   them in its own voice first, then in the spare ones.
2. What is kept already is not spoken again: whoever was interrupted goes on where it ended.
3. No more than ``most_chars`` are given to voices in one run; what is left is counted.
4. A voice that fails ``MOST_FAILURES`` times in a row is asked for nothing more in this run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from actors.speech_source import SpeechSource
from cache.errors import CacheError
from dialogue.agent import Agent
from dialogue.session import segments_of
from providers.errors import ProviderError
from providers.failover.voices import Voice

AT_ONCE: Final = 2
MOST_FAILURES: Final = 3
RETRY_AFTER_S: Final = 1.0


@dataclass(slots=True)
class Rendered:
    """How far it is; a segment counts once in each voice.

    Attributes:
        total: Segments that there should be.
        made: Spoken now.
        known: Kept before.
        left: Not spoken: too many characters, or their voice fails.
        chars: Given to voices.
        failures: Why, once for each voice.
    """

    total: int = 0
    made: int = 0
    known: int = 0
    left: int = 0
    chars: int = 0
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Segments that are dealt with."""
        return self.made + self.known + self.left


def sentences_of(agent: Agent, answers: Iterable[str]) -> tuple[str, ...]:
    """All that is spoken in one piece: what the agent always says, and its answers, cut; once each.

    Args:
        agent: Who speaks.
        answers: Whole texts.
    """
    cut = (part for answer in answers for part in segments_of(answer, agent.language))
    return tuple(dict.fromkeys((*agent.fixed_sentences(), *cut)))


class AnswerAudio:
    """Renders for one agent; see the rules above.

    Args:
        source: Of the agent.
        voices: ``SpeechSource.voices_of``.
        most_chars: For one run.
        on_step: Told of every segment; must not wait.
    """

    def __init__(
        self,
        source: SpeechSource,
        voices: Sequence[Voice],
        *,
        most_chars: int,
        on_step: Callable[[Rendered], None] = lambda _rendered: None,
    ) -> None:
        self._source = source
        self._voices = voices
        self._most_chars = most_chars
        self._on_step = on_step
        self._failed: dict[Voice, int] = {}

    async def run(self, sentences: Sequence[str]) -> Rendered:
        """Have all of it, as far as that goes. Raises nothing of voices.

        Args:
            sentences: From :func:`sentences_of`.
        """
        rendered = Rendered(total=len(sentences) * len(self._voices))
        jobs = iter([(voice, text) for voice in self._voices for text in sentences])
        workers = [self._work(jobs, rendered) for _ in range(AT_ONCE)]
        await asyncio.gather(*workers)
        return rendered

    async def _work(self, jobs: Iterator[tuple[Voice, str]], rendered: Rendered) -> None:
        for voice, text in jobs:
            if await self._source.has(voice, text):
                rendered.known += 1
            elif not self._may_speak(voice, text, rendered):
                rendered.left += 1
            elif await self._made(voice, text, rendered):
                rendered.made += 1
            else:
                rendered.left += 1
            self._on_step(rendered)

    def _may_speak(self, voice: Voice, text: str, rendered: Rendered) -> bool:
        if self._failed.get(voice, 0) >= MOST_FAILURES:
            return False
        if rendered.chars + len(text) > self._most_chars:
            return False
        rendered.chars += len(text)  # here, so that two at once do not both take the last of it
        return True

    async def _made(self, voice: Voice, text: str, rendered: Rendered) -> bool:
        try:
            await self._source.render(voice, text)
        except (ProviderError, CacheError) as error:
            rendered.chars -= len(text)
            self._failed[voice] = self._failed.get(voice, 0) + 1
            rendered.failures[f"{voice.speaker.name}/{voice.voice}"] = str(error)
            await asyncio.sleep(RETRY_AFTER_S)  # a voice that is busy is not asked at once
            return False
        self._failed[voice] = 0
        return True
