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
from dataclasses import dataclass
from hashlib import blake2b

from actors.consultation import Consultation
from actors.wire import TurnEntry
from cache.complaints import rejects, repeats
from cache.context import BOUND, act_of, stands_by_itself
from cache.entry import Answer, StorageClass, answer_id_of, call_source
from cache.lookup import ask
from cache.outcomes import Hit
from cache.ports import AnswerCache, Complaint
from cache.scope import Scope, caller_mark
from cache.storage_class import AnswerFacts, storage_class, ttl_class
from dialogue.agent import Agent
from dialogue.session import CallIdentity, GuessKey
from voice.words import is_unspaced, join_words

TURNS_TO_COMPLAIN = 2
_FIRST_WORDS_CHARS = 11  # about what is heard in 700 ms; a character of an unspaced script is four
_ANONYMOUS = "anonymous"
_WORD = re.compile(r"[\w'’-]+")
_SENTENCE_ENDS = frozenset(".!?。！？")


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
        self._before: Consultation | None = None

    def change_agent(self, agent: Agent) -> None:
        """The call goes on in another language: its answers are those of that language."""
        if agent.language != self._agent.language:
            self._spoken = self._before = None
        self._agent = agent

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
            expected=self._expected,
        )
        self._asked[key] = consulted
        return consulted

    def settle(
        self, turn: TurnEntry, before: Sequence[TurnEntry], cache: AnswerCache
    ) -> Consultation | None:
        """A turn is over: tell the cache what follows from it.

        Args:
            turn: As it was settled.
            before: The turns of the call, this one included or not.
            cache: Is told.

        Returns:
            The lookup whose answer the caller has heard, some of it at least; None for a turn that
            the cache did not answer.
        """
        asked = self._asked.get((turn.turn_id, turn.guess))
        self._asked = {key: each for key, each in self._asked.items() if key[0] > turn.turn_id}
        if turn.kind != "caller" or turn.outcome == "dropped":
            return None
        self._complain(turn.caller_text, cache)
        is_heard = asked is not None and asked.is_served
        if asked is not None and is_heard:
            is_heard = self._heard_from_cache(asked, turn, cache)
        self._step(asked if is_heard else None, cache)
        if asked is not None and asked.is_served:
            return asked if is_heard else None
        if asked is not None and self._is_answered(asked, turn):
            self._learn(asked, turn, before, cache)
        return None

    @property
    def _expected(self) -> frozenset[str] | None:
        before = self._before
        if before is None or not before.likely:
            return None
        return frozenset(answer.answer_id for answer in before.likely)

    def _step(self, heard: Consultation | None, cache: AnswerCache) -> None:
        """Tell what followed upon an answer of the cache."""
        before, self._before = self._before, heard
        hit = heard.hit if heard is not None else None
        if before is not None and before.hit is not None:
            then = hit.answer if hit is not None else None
            cache.went_on(before.question.scope, before.hit.answer, then)

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

    def _heard_from_cache(self, asked: Consultation, turn: TurnEntry, cache: AnswerCache) -> bool:
        hit, scope = asked.hit, asked.question.scope
        if hit is None or turn.outcome not in {"heard", "interrupted"}:
            return False
        cache.served(hit, scope)
        self._spoken = _Spoken(asked.text, hit, scope, TURNS_TO_COMPLAIN)
        if turn.outcome == "interrupted" and _letters(turn.heard_text) <= _FIRST_WORDS_CHARS:
            cache.complained(hit, scope, Complaint.BARGE_IN)
        return True

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
            source=f"{call_source(call.call_id)}{turn.turn_id}",
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
