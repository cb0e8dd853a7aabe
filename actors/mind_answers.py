"""What the response cache says in one call, and what becomes of it; synchronous, without I/O.

Rules
1. What a caller says is looked up before it is thought about. Keys, silence and resumed streams
   are not, nor is anything of an agent whose cache is off.
2. Only answers that are the same for everybody are given; nothing but words comes of them. An
   imported answer to a similar question is given only where the turn does not need what was said
   before (``cache.context``): it was written without it.
3. Somebody who asks the same again right after an answer of the cache, or rejects it, is answered
   by the model: the cache would say the same again. A rejection marks the answer as wrong, once in
   a call; asking again is a sign, and so is speaking in its first words.
4. An answer is told to the cache when its turn has settled: spoken by the model, heard to its end,
   by the guess that was spoken. Nothing of a guess that was thrown away, of a reply that was
   interrupted or cut off, and no answer that used a tool, or to which more belongs than the last
   sentence of the agent (``cache.context.BOUND``), is ever kept.
5. A prompt that holds values of this call (``dialogue.variables``) has a scope of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from actors.wire import TurnEntry
from cache.complaints import rejects, repeats
from cache.context import BOUND, act_of, stands_by_itself
from cache.entry import Answer, StorageClass, answer_id_of
from cache.lookup import Question, ask
from cache.outcomes import Hit, Miss, Outcome, Refusal, Tier
from cache.ports import AnswerCache, Complaint
from cache.scope import Scope, caller_mark
from cache.storage_class import AnswerFacts, storage_class, ttl_class
from dialogue.agent import Agent
from dialogue.session import CallIdentity, GuessKey
from voice.words import is_unspaced, join_words

HIT, MISS, REFUSAL = "hit", "miss", "refusal"
BROKE, LATE, REPEATED, NOT_GENERIC = "broke", "late", "repeated", "not_generic"
SIMILAR_OFF, NEEDS_CONTEXT = "similar_off", "needs_context"
CUT_OFF_REASONS = frozenset({"length", "content_filter"})
TURNS_TO_COMPLAIN = 2
_FIRST_WORDS_CHARS = 11  # about what is heard in 700 ms; a character of an unspaced script is four
_ANONYMOUS = "anonymous"
_WORD = re.compile(r"[\w'’-]+")
_SENTENCE_ENDS = frozenset(".!?。！？")


@dataclass(slots=True)
class Consultation:
    """One guess, and what the cache said to it.

    Attributes:
        text: The caller's words.
        is_barred: The cache is not asked: it would say again what was just complained of.
        is_similar_allowed: Otherwise only a question in the same words is answered.
        needs_context: The turn is to be read with what was said before.
        is_broken: The cache could not be asked.
        outcome: None until the lookup has ended.
        lookup_s: How long it took; None until then.
        is_served: The answer of the cache is the reply.
        is_complete: The model's reply came to its end.
        uses_tool: The model wanted a tool, or to end the call.
        said: The segments of the reply.
    """

    text: str
    question: Question
    is_barred: bool = False
    is_similar_allowed: bool = True
    needs_context: bool = False
    is_broken: bool = False
    outcome: Outcome | None = None
    lookup_s: float | None = None
    is_served: bool = False
    is_complete: bool = False
    uses_tool: bool = False
    said: list[str] = field(default_factory=list)

    @property
    def hit(self) -> Hit | None:
        """An answer that may be spoken; rule 2."""
        found = self.outcome
        if not isinstance(found, Hit) or self._objection(found):
            return None
        return found

    def _objection(self, hit: Hit) -> str:
        if hit.answer.storage_class is not StorageClass.GENERIC:
            return NOT_GENERIC
        if hit.tier is Tier.SEMANTIC and not self.is_similar_allowed:
            return SIMILAR_OFF
        is_imported = hit.answer.provenance.is_trusted
        if hit.tier is Tier.SEMANTIC and is_imported and self.needs_context:
            return NEEDS_CONTEXT
        return ""

    def told(self) -> dict[str, Any]:
        """What the record of the turn says; holds no words.

        ``outcome``, and as far as there is any: ``reason``, ``tier``, ``entry_id`` (which entry
        said it, or was refused), ``nearest_id``, ``similarity``, ``right_ratio``, ``detail``,
        ``lookup_s``.
        """
        plain = self._unasked()
        match self.outcome:
            case Hit() as hit:
                plain = {
                    "outcome": HIT if self.is_served else REFUSAL,
                    "reason": "" if self.is_served else self._objection(hit) or LATE,
                    "tier": hit.tier.value,
                    "entry_id": hit.entry_id,
                    "similarity": round(hit.similarity, 4),
                    "right_ratio": round(hit.right_ratio, 4),
                    "detail": hit.detail,
                }
            case Miss() as miss:
                plain = {
                    "outcome": MISS,
                    "reason": miss.reason.value,
                    "nearest_id": miss.nearest_id,
                    "similarity": round(miss.similarity, 4),
                    "detail": miss.detail,
                }
            case Refusal() as refusal:
                plain = {
                    "outcome": REFUSAL,
                    "reason": refusal.reason.value,
                    "entry_id": refusal.entry_id,
                    "similarity": round(refusal.similarity, 4),
                    "right_ratio": round(refusal.right_ratio, 4),
                    "detail": refusal.detail,
                }
            case None:
                pass
        if self.lookup_s is not None:
            plain["lookup_s"] = round(self.lookup_s, 6)
        return {key: value for key, value in plain.items() if value not in ("", None)}

    def _unasked(self) -> dict[str, Any]:
        if self.is_barred:
            return {"outcome": REFUSAL, "reason": REPEATED}
        return {"outcome": MISS, "reason": BROKE if self.is_broken else LATE}


@dataclass(frozen=True, slots=True)
class _Spoken:
    """An answer of the cache that the caller has heard, or some of it."""

    text: str
    hit: Hit
    scope: Scope
    turns_left: int


class CallAnswers:
    """The lookups of one call; see the rules above.

    Args:
        agent: As it speaks in this call.
        call: Whose call it is.
        caller_data: What is known of the caller: values of variables, numbers.
        is_personal: The prompt holds some of them.
    """

    def __init__(
        self,
        agent: Agent,
        call: CallIdentity,
        caller_data: Sequence[str] = (),
        *,
        is_personal: bool = False,
    ) -> None:
        self._agent = agent
        self._call = call
        self._caller_data = tuple(value for value in caller_data if value.strip())
        self._prompt_version = _digest(agent.prompt) if is_personal else ""
        self._asked: dict[GuessKey, Consultation] = {}
        self._spoken: _Spoken | None = None
        self._has_rejected = False

    def consult(
        self, key: GuessKey, kind: str, text: str, before: Sequence[TurnEntry]
    ) -> Consultation | None:
        """What is to be looked up for a guess; None when nothing is.

        Args:
            key: Of the guess.
            kind: Of the turn.
            text: The caller's words.
            before: The turns of the call so far.
        """
        agent = self._agent
        if not agent.response_cache.is_on or kind != "caller" or not text.strip():
            return None
        # What was dropped was taken too early: its words are said again, with the rest.
        over = [turn for turn in before if turn.outcome != "dropped"]
        said = [turn for turn in over if turn.caller_text or turn.heard_text]
        is_first = all(turn.kind == "greeting" for turn in said)
        act = act_of(
            text,
            heard_before=said[-1].heard_text if said else "",
            said_before=[turn.caller_text for turn in said],
            is_first=is_first,
            language=agent.language,
        )
        scope = scope_of(
            agent,
            last_agent_act=act,
            agent_version=self._call.agent_version,
            prompt_version=self._prompt_version,
        )
        consulted = Consultation(
            text,
            ask(text, scope),
            is_barred=self._is_complaint(text),
            is_similar_allowed=agent.response_cache.similar,
            needs_context=not is_first and not stands_by_itself(text, agent.language),
        )
        self._asked[key] = consulted
        return consulted

    def settle(self, turn: TurnEntry, before: Sequence[TurnEntry], cache: AnswerCache) -> None:
        """A turn is over: tell the cache what follows from it.

        Args:
            turn: As it was settled.
            before: The turns of the call, this one included or not.
            cache: Is told.
        """
        asked = self._asked.get((turn.turn_id, turn.guess))
        self._asked = {key: each for key, each in self._asked.items() if key[0] > turn.turn_id}
        if turn.kind != "caller" or turn.outcome == "dropped":
            return
        self._complain(turn.caller_text, cache)
        if asked is None:
            return
        if asked.is_served:
            self._heard_from_cache(asked, turn, cache)
        elif self._is_answered(asked, turn):
            self._learn(asked, turn, before, cache)

    # --- what the caller thinks of it -------------------------------------------------------------

    def _is_complaint(self, text: str) -> bool:
        spoken, language = self._spoken, self._agent.language
        return spoken is not None and (
            rejects(text, language) or repeats(text, spoken.text, language)
        )

    def _complain(self, text: str, cache: AnswerCache) -> None:
        spoken, language = self._spoken, self._agent.language
        if spoken is None:
            return
        is_next = spoken.turns_left == TURNS_TO_COMPLAIN
        left = spoken.turns_left - 1
        self._spoken = _Spoken(spoken.text, spoken.hit, spoken.scope, left) if left else None
        if is_next and rejects(text, language):
            self._spoken = None
            if not self._has_rejected:
                self._has_rejected = True
                cache.checked(spoken.hit, spoken.scope, is_right=False)
        elif repeats(text, spoken.text, language):
            self._spoken = None
            cache.complained(spoken.hit, spoken.scope, Complaint.REPEAT)

    def _heard_from_cache(self, asked: Consultation, turn: TurnEntry, cache: AnswerCache) -> None:
        hit, scope = asked.hit, asked.question.scope
        if hit is None or turn.outcome not in {"heard", "interrupted"}:
            return
        self._spoken = _Spoken(asked.text, hit, scope, TURNS_TO_COMPLAIN)
        if turn.outcome == "interrupted" and _letters(turn.heard_text) <= _FIRST_WORDS_CHARS:
            cache.complained(hit, scope, Complaint.BARGE_IN)

    # --- what is learned --------------------------------------------------------------------------

    def _is_answered(self, asked: Consultation, turn: TurnEntry) -> bool:
        return (
            self._agent.response_cache.learns
            and turn.outcome == "heard"
            and asked.is_complete
            and not asked.is_barred  # an answer to a complaint: "as I said, ..."
            and not isinstance(asked.outcome, Hit)
            # What was spoken is this reply, not an apology in its place.
            and join_words(asked.said) == turn.agent_text
        )

    def _learn(
        self,
        asked: Consultation,
        turn: TurnEntry,
        before: Sequence[TurnEntry],
        cache: AnswerCache,
    ) -> None:
        agent, call, text = self._agent, self._call, turn.agent_text
        facts = AnswerFacts(
            asked=asked.text,
            answered=text,
            language=agent.language,
            used_tool=asked.uses_tool or bool(turn.tools),
            slots=_names_in([*(each.caller_text for each in before), asked.text], agent),
            caller_data=(*self._caller_data, self._caller_number),
        )
        is_bound = asked.question.scope.last_agent_act == BOUND
        kind = StorageClass.NEVER if is_bound else storage_class(facts)
        answer = Answer(answer_id_of(text), text, kind, ttl=ttl_class(text))
        cache.learned(
            asked.question,
            asked.outcome,
            answer,
            # All who hide their number count as one.
            caller=caller_mark(call.tenant_id, self._caller_number or _ANONYMOUS),
            source=f"{call.call_id}/{turn.turn_id}",
        )

    @property
    def _caller_number(self) -> str:
        """Of who is spoken to, whoever has placed the call."""
        call = self._call
        return call.called if call.direction == "outbound" else call.caller


def scope_of(
    agent: Agent, *, last_agent_act: str, agent_version: str = "", prompt_version: str = ""
) -> Scope:
    """The scope of an agent's answers; of imported ones its ``common``."""
    return Scope(
        tenant_id=agent.tenant_id,
        agent_id=agent.agent_id,
        agent_version=agent_version or agent.agent_version,
        prompt_version=prompt_version,
        flow_node="",
        language=agent.language,
        last_agent_act=last_agent_act,
    )


def _names_in(said: Sequence[str], agent: Agent) -> tuple[str, ...]:
    """Words of the caller that may be names or numbers of theirs.

    Capitals inside a sentence, and digits, unless the agent's own prompt has the word.
    """
    known = {word.casefold() for word in _WORD.findall(f"{agent.prompt} {agent.greeting}")}
    found: dict[str, None] = {}
    for text in said:
        end = 0
        for match in _WORD.finditer(text):
            word, gap = match.group(), text[end : match.start()]
            begins = end == 0 or not _SENTENCE_ENDS.isdisjoint(gap)
            end = match.end()
            is_name = word[0].isupper() and not begins and not word.startswith(("I'", "I’"))
            if (is_name and word != "I") or any(map(str.isdecimal, word)):
                found[word] = None
    return tuple(word for word in found if word.casefold() not in known)


def _letters(text: str) -> int:
    """How long a text is, in letters of an alphabet."""
    return sum(4 if is_unspaced(char) else 1 for char in text)


def _digest(prompt: str) -> str:
    return blake2b(prompt.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
