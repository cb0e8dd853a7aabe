"""Dialogues for an emulated model that answers by keywords: who says what after what.

The model cannot know how far a dialogue is, only what the caller said. So each sentence has one
reply, and the question in it decides which turn can come next: a number after the question for one,
a yes or no after a question for that, somebody who talks over the agent during a long reply, and
any sentence after an open question. What is said to numbers, to yes and to no is an echo of the
model's own, and an open question.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from cluster.evaluate.replay import TURNS_A_CALL
from cluster.evaluate.replay_mind import answer
from simulation.clip_library import join_words
from simulation.corpus_questions import DIGITS, YES_NO, open_question, tongue
from simulation.corpus_turn import LabelledTurn

_LONG = "long"
_HASTE = 2.0  # above 1, so that few are left over at the end
_OPEN = ""
_WORD = re.compile(r"[^\W\d_]+")
_SENTENCES = ("plain", "paused", "natural")


@dataclass(frozen=True, slots=True)
class Dialogue:
    """The turns of one call."""

    language: str
    turns: tuple[LabelledTurn, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says to a sentence of a caller; ``when`` are words that it has."""

    when: tuple[str, ...]
    say: str


def text_of(turn: LabelledTurn) -> str:
    """What is said in a turn."""
    return join_words([word.display for word in turn.words], turn.language)


def dialogues(
    turns: Sequence[LabelledTurn], seed: int
) -> tuple[tuple[Dialogue, ...], tuple[Reply, ...]]:
    """Put turns in an order in which an emulated model can have asked for them.

    Returns:
        The calls, and the replies, the most particular first. A turn that fits nowhere is left out.
    """
    by_language: dict[str, list[LabelledTurn]] = defaultdict(list)
    for turn in turns:
        by_language[turn.language].append(turn)
    calls: list[Dialogue] = []
    replies: list[Reply] = []
    for language, spoken in sorted(by_language.items()):
        order = _Order(spoken, Random(f"{seed}/{language}/dialogues"))
        calls += [Dialogue(language, tuple(said)) for said in order.calls()]
        replies += order.replies(language)
    # Calls of all languages mixed, so that a run that is cut short has heard each.
    Random(f"{seed}/calls").shuffle(calls)
    return tuple(calls), tuple(sorted(replies, key=lambda reply: -len(reply.when)))


class _Order:
    def __init__(self, turns: Sequence[LabelledTurn], random: Random) -> None:
        self._random = random
        self._waiting: dict[str, list[LabelledTurn]] = defaultdict(list)
        for turn in turns:
            turn = _fewer_questions(turn)
            self._waiting[self._needs(turn)].append(turn)
        self._asks = self._share_out(turns)

    def calls(self) -> list[list[LabelledTurn]]:
        """Take turns until no sentence is left to begin a call with."""
        calls: list[list[LabelledTurn]] = []
        while self._waiting[_OPEN]:
            said: list[LabelledTurn] = []
            asked = _OPEN
            while len(said) < TURNS_A_CALL and self._waiting[asked]:
                said.append(self._next(asked))
                asked = self._asked_after(said[-1])
            calls.append(said)
        return calls

    def replies(self, language: str) -> list[Reply]:
        """One for each sentence."""
        return [
            Reply(_keywords(text, language), self._reply(language, asked))
            for text, asked in self._asks.items()
        ]

    def _next(self, asked: str) -> LabelledTurn:
        waiting = self._waiting[asked]
        # Rather a sentence whose reply asks what somebody still waits for, spread over the calls.
        wanted = [name for name, turns in self._waiting.items() if name != _OPEN and turns]
        leads = [n for n, turn in enumerate(waiting) if self._asked_after(turn) in wanted]
        rest = [n for n, turn in enumerate(waiting) if self._asked_after(turn) == _OPEN]
        left = sum(len(self._waiting[name]) for name in wanted)
        if leads and (not rest or self._random.random() * len(waiting) < _HASTE * left):
            return waiting.pop(leads[0])
        return waiting.pop(rest[0] if rest else 0)

    def _asked_after(self, turn: LabelledTurn) -> str:
        if turn.kind == "backchannel":
            return _OPEN
        return self._asks.get(text_of(turn), _OPEN)

    def _share_out(self, turns: Sequence[LabelledTurn]) -> dict[str, str]:
        """What is asked after each sentence, in proportion to what waits for a question."""
        texts = sorted({text_of(t) for t in turns if t.kind in (*_SENTENCES, "interruption")})
        self._random.shuffle(texts)
        wanted = {asked: len(waiting) for asked, waiting in self._waiting.items()}
        # One sentence for each at least, as far as there are sentences; then by what is waited for.
        order = sorted(wanted, key=lambda name: -wanted[name])[: len(texts)]
        while len(order) < len(texts):
            order.append(min(wanted, key=lambda name: order.count(name) / wanted[name]))
        return dict(zip(texts, order, strict=True))

    def _needs(self, turn: LabelledTurn) -> str:
        if turn.is_over_agent:
            return _LONG
        return turn.asked if turn.kind in ("digits", "yes_no") else _OPEN

    def _reply(self, language: str, asked: str) -> str:
        question = asked
        if asked in (_OPEN, _LONG):
            question = open_question(language, self._random)
        parts = answer(language, question, is_long=asked == _LONG, seed="", ready_ratio=0.0)
        space = "" if tongue(language) in ("zh", "yue") else " "
        return space.join(parts.segments)


def _fewer_questions(turn: LabelledTurn) -> LabelledTurn:
    """The same turn after one of few questions: there are not many sentences to lead to them."""
    spoken = tongue(turn.language)
    if turn.kind == "yes_no":
        return replace(turn, asked=YES_NO.get(spoken, YES_NO["en"])[0])
    questions = dict(DIGITS.get(spoken, DIGITS["en"]))
    if turn.kind == "digits" and questions.get(turn.asked) is None:
        return replace(turn, asked=next(text for text, count in questions.items() if count is None))
    return turn


def _keywords(text: str, language: str) -> tuple[str, ...]:
    words = _WORD.findall(text.lower())
    if tongue(language) in ("zh", "yue"):
        return ("".join(words),)
    return tuple(dict.fromkeys(words))
