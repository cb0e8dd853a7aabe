"""A turn as the response cache looks it up, and what may be kept of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from cache.entry import Answer, StorageClass
from cache.frame import frame_of
from cache.normalise import MOST_CHARS, canonical
from cache.scope import ANY, UNKNOWN_ACT, Scope

_FEW_WORDS: Final = 4


@dataclass(frozen=True, slots=True)
class Question:
    """A turn as the cache looks it up.

    Attributes:
        text: Canonical; empty when nothing was said.
        is_too_long: Nobody's question: not looked up and not kept.
        is_bare: So few words of so little content that only what the agent said last gives them a
            meaning.
    """

    scope: Scope
    text: str
    is_too_long: bool = False
    is_bare: bool = False

    @property
    def depends_on_before(self) -> bool:
        """Whether its meaning is not known: it is bare, and so is what we know of before."""
        return self.is_bare and self.scope.last_agent_act in (UNKNOWN_ACT, ANY)

    @property
    def in_common(self) -> Question:
        """The same, asked of the agent's FAQ cards."""
        return replace(self, scope=self.scope.common)


@dataclass(frozen=True, slots=True)
class Life:
    """When an entry is made.

    Attributes:
        now_s: Epoch seconds.
        jitter: 0..1, shortens its life a little, so that not all end at once.
        utc_offset_s: Of the business's clock.
        source: Which turn or file it comes from.
    """

    now_s: float
    jitter: float = 0.0
    utc_offset_s: float = 0.0
    source: str = ""


def ask(text: str, scope: Scope) -> Question:
    """The question of a turn. Never raises on text."""
    if len(text) > MOST_CHARS:
        return Question(scope, "", is_too_long=True)
    form = canonical(text, scope.language)
    is_short = len(form.split()) <= _FEW_WORDS
    is_bare = is_short and not frame_of(form, scope.language).content
    return Question(scope, form, is_bare=is_bare)


def may_keep(question: Question, answer: Answer) -> bool:
    """Whether this answer to this question may be kept at all, whoever was given it."""
    if answer.storage_class is StorageClass.NEVER or not question.text:
        return False
    return not (question.is_too_long or question.depends_on_before)
