"""Dialogues for an emulated model that answers by keywords: who says what after what.

The model cannot know how far a dialogue is, only what the caller said. So each sentence has one
reply, and the question in it decides which turn can come next: a number after the question for one,
a yes or no after a question for that, somebody who talks over the agent during a long reply, and
any sentence after an open question. What is said to numbers, to yes and to no is an echo of the
model's own, and an open question.

Turns whose answer is to stand in the response cache are said in calls of their own, to an agent
that has the answers (``live_ready``). Who says the same again within two turns is not given the
cached answer again, so there no sentence follows itself so soon: where there is no other, the call
ends.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from cluster.evaluate.replay import TURNS_A_CALL
from cluster.evaluate.replay_mind import answer
from simulation.clip_library import join_words
from simulation.corpus_questions import DIGITS, YES_NO, open_question, tongue
from simulation.corpus_turn import LabelledTurn

_LONG = "long"
_HASTE = 2.0  # above 1, so that few are left over at the end
_APART = 2  # turns between a sentence and the same again, of answers that are ready
_OPEN = ""
_WORD = re.compile(r"[^\W\d_]+")
_SENTENCES = ("plain", "paused", "natural")


@dataclass(frozen=True, slots=True)
class Dialogue:
    """The turns of one call.

    Attributes:
        is_ready: The answers stand in the response cache.
    """

    language: str
    turns: tuple[LabelledTurn, ...]
    is_ready: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says to a sentence of a caller; ``when`` are words that it has."""

    when: tuple[str, ...]
    say: str


def text_of(turn: LabelledTurn) -> str:
    """What is said in a turn."""
    return join_words([word.display for word in turn.words], turn.language)


def dialogues(
    turns: Sequence[LabelledTurn], seed: int, ready: Collection[str] = ()
) -> tuple[tuple[Dialogue, ...], tuple[Reply, ...]]:
    """Put turns in an order in which an emulated model can have asked for them.

    Args:
        turns: What is to be said.
        seed: Decides the order.
        ready: Ids of the turns whose answer is to stand in the response cache.

    Returns:
        The calls, and the replies, the most particular first. A turn that fits nowhere is left out.
    """
    by_language: dict[str, list[LabelledTurn]] = defaultdict(list)
    for turn in turns:
        by_language[turn.language].append(turn)
    calls: list[Dialogue] = []
    replies: list[Reply] = []
    for language, spoken in sorted(by_language.items()):
        random = Random(f"{seed}/{language}/dialogues")
        spoken = [_fewer_questions(turn) for turn in spoken]
        asks = _share_out(spoken, random)
        for is_ready in (False, True):
            part = [turn for turn in spoken if (turn.turn_id in ready) is is_ready]
            order = _Order(part, asks, random, is_apart=is_ready)
            calls += [Dialogue(language, tuple(said), is_ready) for said in order.calls()]
        replies += _replies(asks, language, random)
    # Calls of all languages mixed, so that a run that is cut short has heard each.
    Random(f"{seed}/calls").shuffle(calls)
    return tuple(calls), tuple(sorted(replies, key=lambda reply: -len(reply.when)))


class _Order:
    """Puts turns of one language in order.

    Args:
        turns: Each is said once.
        asks: What is asked after each sentence.
        random: Decides.
        is_apart: The same sentence is not said again within two turns.
    """

    def __init__(
        self,
        turns: Sequence[LabelledTurn],
        asks: Mapping[str, str],
        random: Random,
        *,
        is_apart: bool = False,
    ) -> None:
        self._random = random
        self._asks = asks
        self._is_apart = is_apart
        self._waiting: dict[str, list[LabelledTurn]] = defaultdict(list)
        for turn in turns:
            self._waiting[_needs(turn)].append(turn)

    def calls(self) -> list[list[LabelledTurn]]:
        """Take turns until no sentence is left to begin a call with."""
        calls: list[list[LabelledTurn]] = []
        while self._waiting[_OPEN]:
            said: list[LabelledTurn] = []
            asked = _OPEN
            while len(said) < TURNS_A_CALL and (fit := self._fit(asked, said)):
                said.append(self._next(asked, fit))
                asked = self._asked_after(said[-1])
            calls.append(said)
        return calls

    def _fit(self, asked: str, said: Sequence[LabelledTurn]) -> list[LabelledTurn]:
        """Turns that may come next."""
        just_said = {text_of(turn) for turn in said[-_APART:]} if self._is_apart else set()
        return [turn for turn in self._waiting[asked] if text_of(turn) not in just_said]

    def _next(self, asked: str, fit: Sequence[LabelledTurn]) -> LabelledTurn:
        # Rather a sentence whose reply asks what somebody still waits for, spread over the calls.
        wanted = [name for name, turns in self._waiting.items() if name != _OPEN and turns]
        leads = [turn for turn in fit if self._asked_after(turn) in wanted]
        rest = [turn for turn in fit if self._asked_after(turn) == _OPEN]
        left = sum(len(self._waiting[name]) for name in wanted)
        chosen = rest[0] if rest else fit[0]
        if leads and (not rest or self._random.random() * len(fit) < _HASTE * left):
            chosen = leads[0]
        waiting = self._waiting[asked]
        waiting.pop(next(at for at, turn in enumerate(waiting) if turn is chosen))
        return chosen

    def _asked_after(self, turn: LabelledTurn) -> str:
        if turn.kind == "backchannel":
            return _OPEN
        return self._asks.get(text_of(turn), _OPEN)


def _share_out(turns: Sequence[LabelledTurn], random: Random) -> dict[str, str]:
    """What is asked after each sentence, in proportion to what waits for a question."""
    texts = sorted({text_of(t) for t in turns if t.kind in (*_SENTENCES, "interruption")})
    random.shuffle(texts)
    wanted = Counter(_needs(turn) for turn in turns)
    if wanted[_LONG] > wanted[_OPEN]:  # most are to be said over the agent
        return dict.fromkeys(texts, _LONG)
    # One sentence for each at least, as far as there are sentences; then by what is waited for.
    order = sorted(wanted, key=lambda name: -wanted[name])[: len(texts)]
    while len(order) < len(texts):
        order.append(min(wanted, key=lambda name: order.count(name) / wanted[name]))
    return dict(zip(texts, order, strict=True))


def _needs(turn: LabelledTurn) -> str:
    if turn.is_over_agent:
        return _LONG
    return turn.asked if turn.kind in ("digits", "yes_no") else _OPEN


def _replies(asks: Mapping[str, str], language: str, random: Random) -> list[Reply]:
    """One for each sentence."""
    return [
        Reply(keywords(text, language), reply(language, asked, random))
        for text, asked in asks.items()
    ]


def reply(language: str, asked: str, random: Random) -> str:
    """Thanks and a question; a long sentence between them for one who is to be talked over."""
    question = asked
    if asked in (_OPEN, _LONG):
        question = open_question(language, random)
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


def keywords(text: str, language: str) -> tuple[str, ...]:
    """The words by which an emulated model knows a sentence."""
    words = _WORD.findall(text.lower())
    if tongue(language) in ("zh", "yue"):
        return ("".join(words),)
    return tuple(dict.fromkeys(words))
