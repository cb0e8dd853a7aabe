"""The carrier's recogniser in a relay session: from what the caller truly says to prompts.

Like every emulated recogniser it does not guess: the words and their times are those of the clip
that the caller speaks. Words come ``lag_s`` after they were said, all of the utterance so far; the
prompt is over ``endpoint_s`` after the last word, unless the caller goes on before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Saying(Protocol):
    """An utterance; ``caller_turns.Utterance`` is one. Times are loop times."""

    @property
    def text(self) -> str:
        """All of its words."""

    @property
    def speech_start_s(self) -> float:
        """Its first sound."""

    @property
    def speech_end_s(self) -> float:
        """Its last one."""

    @property
    def word_ends_s(self) -> Sequence[float]:
        """The end of each word; may be empty."""


@dataclass(frozen=True, slots=True)
class EarHeard:
    """What the recogniser notices in one step.

    Attributes:
        has_begun, has_ended: The caller's voice.
        partial: New words, all of the utterance so far; empty for none.
        final: All of its words, once it is over.
    """

    has_begun: bool = False
    has_ended: bool = False
    partial: str = ""
    final: str = ""


NOTHING = EarHeard()


class RelayEar:
    """Listens to one caller.

    Args:
        lag_s: From the end of a word to its being known.
        endpoint_s: From the last word to the end of the prompt.
        since_s: Loop time since which it listens: what was said before is lost.
    """

    def __init__(self, lag_s: float, endpoint_s: float, since_s: float) -> None:
        self._since_s = since_s
        self._lag_s = lag_s
        self._endpoint_s = endpoint_s
        self._sayings: list[Saying] = []
        self._last: Saying | None = None
        self._is_sounding = False
        self._told = ""

    @property
    def since_s(self) -> float | None:
        """Loop time since which the caller's voice sounds; None while it does not."""
        return self._sayings[-1].speech_start_s if self._is_sounding else None

    def listen(self, saying: Saying | None, *, now: float) -> EarHeard:
        """One step; ``saying`` is what the caller says or has said last."""
        is_new = saying is not None and saying is not self._last
        if saying is not None and is_new and self._since_s <= saying.speech_start_s <= now:
            self._last = saying
            self._sayings.append(saying)
        if not self._sayings:
            return NOTHING
        newest = self._sayings[-1]
        was_sounding = self._is_sounding
        self._is_sounding = now < newest.speech_end_s
        begun = self._is_sounding and not was_sounding
        ended = was_sounding and not self._is_sounding
        if now >= newest.speech_end_s + self._endpoint_s:
            final = " ".join(each.text for each in self._sayings)
            self._sayings, self._told = [], ""
            return EarHeard(has_ended=ended, final=final)
        partial = self._words(now)
        if partial == self._told:
            partial = ""
        self._told = partial or self._told
        return EarHeard(begun, ended, partial)

    def _words(self, now: float) -> str:
        found: list[str] = []
        for saying in self._sayings:
            words = saying.text.split()
            ends = saying.word_ends_s
            if len(ends) == len(words):
                found += [
                    word for word, end in zip(words, ends, strict=True) if end + self._lag_s <= now
                ]
            elif saying.speech_end_s + self._lag_s <= now:
                found += words
        return " ".join(found)
