"""The mind of one call.

Rules
1. History is what was settled, by ``turn_id``, once each; late and double reports change nothing.
   A session that is given the turn log of another one stands exactly where that one stood.
2. A reply in the making is a *guess* ``(turn_id, guess)``. It dies when its turn is settled, when
   it is abandoned, when it is begun again, or when too many at its turn are alive
   (``MAX_GUESSES_A_TURN``). Whatever still arrives for a dead guess is dropped, in ``_guess`` and
   nowhere else.
3. An abandoned guess stays dead: its ``begin_turn`` may arrive after its ``abandon``.
4. The newest epoch owns the call; a new owner finds no guess alive.
5. Silence, a resumed stream and words nobody understood get a fixed phrase, in one segment, as it
   was pre-rendered. Everything else is thought about.
6. A tool is never used here: a reply ends with the *action* it wants, and whoever holds the call
   performs it once the reply was heard. Of several wishes the first that can be done counts. When
   none can, the model is told why and asked again, ``MAX_TOOL_ROUNDS`` times; what it has said
   stands. An action without a word gets the words of the agent's file.
7. A tool that brings a result is run by whoever holds the call, between two rounds of the reply
   (``RunTools``, then ``go_on``); ``tool_journal`` knows what was done. After ``MAX_RUN_ROUNDS``
   the model has to answer with what it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic

from dialogue.agent import Agent
from dialogue.call_language import language_in, language_of_call
from dialogue.cutter import SegmentCutter
from dialogue.errors import EmptyReply, StaleEpoch, StaleTurn
from dialogue.history import History, HistoryLimits, Turn, caller_line
from dialogue.markup import MarkupFilter
from dialogue.ports import ThinkRequest, ToolCallRequested
from dialogue.realtime import with_end_call
from dialogue.tool_journal import ToolJournal
from dialogue.tool_rounds import Round, Wish, round_of
from dialogue.tool_use import Plain, answer_messages, plain_action
from dialogue.tools import Note, Remember, RunTool, SwitchLanguage, ToolRefused
from dialogue.written import as_written

MAX_GUESSES_A_TURN = 4  # whoever guesses ends its own; more than that are a mistake
MAX_TOOL_ROUNDS = 2
MAX_RUN_ROUNDS = 4
MAX_CALLS_A_REPLY = 8

GuessKey = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CallIdentity:
    """Whose call it is; every record carries it.

    Attributes:
        call_id: Our id (UUIDv7); ``call_sid`` is the carrier's.
        epoch: Resume number and mint time in microseconds; the larger one owns the call.
        caller, called: Telephone numbers; never in log lines.
        started_at_us: UTC microseconds.
    """

    tenant_id: str
    agent_id: str
    agent_version: str
    call_id: str
    call_sid: str
    epoch: tuple[int, int] = (0, 0)
    caller: str = ""
    called: str = ""
    direction: str = "inbound"
    started_at_us: int = 0


@dataclass(frozen=True, slots=True)
class FixedReply:
    """A reply that needs no thinking: one segment."""

    text: str


@dataclass(frozen=True, slots=True)
class ReplyEnd:
    """The rest of a reply.

    Attributes:
        hang_up: Set when the agent ends the call with it.
        action: What is to be done once it was heard (``dialogue.tool_use``); empty for nothing.
        uses: What it noted, as uses of the turn.
    """

    segments: tuple[str, ...]
    hang_up: bool
    action: Mapping[str, Any] = field(default_factory=dict)
    uses: tuple[Plain, ...] = ()


@dataclass(frozen=True, slots=True)
class AskAgain:
    """The model wants what cannot be done, or has noted something: say, and ask ``request``.

    Attributes:
        uses: What was noted so far.
    """

    segments: tuple[str, ...]
    request: ThinkRequest
    uses: tuple[Plain, ...] = ()


@dataclass(frozen=True, slots=True)
class RunTools:
    """The model waits for results: say ``segments``, run these, and tell ``go_on``.

    Attributes:
        is_silent: The reply has not said a word so far.
        uses: What was noted so far.
    """

    segments: tuple[str, ...]
    wishes: tuple[Wish, ...]
    is_silent: bool
    uses: tuple[Plain, ...] = ()


@dataclass(slots=True)
class _Guess:
    request: ThinkRequest
    markup: MarkupFilter
    cutter: SegmentCutter
    raw_chars: int = 0
    segments_out: int = 0
    said: str = ""  # in this round
    calls: list[ToolCallRequested] = field(default_factory=list)
    rounds: int = 0
    run_rounds: int = 0
    waits_for: Round | None = None
    uses: list[Plain] = field(default_factory=list)


class DialogueSession(Generic[Turn]):
    """History and replies in the making of one call; no I/O, no clock.

    Args:
        agent: Who answers.
        call: Whose call it is.
        limits: How much of the history the model reads.

    Attributes:
        tools: What its tools have done.
    """

    def __init__(
        self, agent: Agent, call: CallIdentity, limits: HistoryLimits | None = None
    ) -> None:
        self._own = agent
        self.agent = agent  # as it speaks now
        self.call = call
        self._toolbox = agent.toolbox
        self.tools = ToolJournal(tool.name for tool in agent.tools if tool.is_idempotent)
        self._history: History[Turn] = History(limits or HistoryLimits())
        self._guesses: dict[GuessKey, _Guess] = {}
        self._abandoned: set[GuessKey] = set()

    @property
    def turn_log(self) -> tuple[Turn, ...]:
        """Every settled turn, oldest first."""
        return self._history.turns

    @property
    def alive(self) -> tuple[GuessKey, ...]:
        """The guesses that are being thought about, oldest first."""
        return tuple(self._guesses)

    @property
    def greeting(self) -> str | None:
        """What to say first; None when the call has turns already (or the agent stays silent)."""
        return None if self.turn_log else self.agent.greeting or None

    def own(self, epoch: tuple[int, int]) -> bool:
        """Check who speaks, and give the call to a newer owner; True if it changed hands.

        Raises:
            StaleEpoch: A newer epoch owns the call.
        """
        if epoch < self.call.epoch:
            raise StaleEpoch(epoch, self.call.epoch)
        if epoch == self.call.epoch:
            return False
        self.call = replace(self.call, epoch=epoch)
        self._guesses.clear()
        self._abandoned.clear()  # the new owner counts its guesses from 1 again
        return True

    def settle(self, turns: Iterable[Turn]) -> list[Turn]:
        """Take in turns that are over; return those that were not known. Idempotent."""
        fresh = self._history.add(turns)
        for turn in fresh:
            for key in [key for key in self._guesses if key[0] == turn.turn_id]:
                del self._guesses[key]
            self._abandoned = {key for key in self._abandoned if key[0] != turn.turn_id}
            self.tools.settled(turn.turn_id, turn.tools)
        if self._own.languages and any(language_in(turn.tools) for turn in fresh):
            self.agent = self._own.speaking(language_of_call(self._own, self._history.turns))
        return fresh

    def begin_turn(
        self, turn_id: int, guess: int, kind: str, text: str
    ) -> ThinkRequest | FixedReply:
        """Start a reply to ``text``.

        Raises:
            StaleTurn: The turn is settled, or this guess was abandoned, already.
        """
        key = (turn_id, guess)
        if turn_id in self._history or key in self._abandoned:
            raise StaleTurn(turn_id, guess)
        self._guesses.pop(key, None)
        siblings = [other for other in self._guesses if other[0] == turn_id]
        for other in siblings[: max(0, len(siblings) + 1 - MAX_GUESSES_A_TURN)]:
            self.abandon(*other)
        fixed = self._fixed_reply(kind, text)
        if fixed is not None:
            return FixedReply(fixed)
        agent = self.agent
        request = ThinkRequest(
            call_id=self.call.call_id,
            messages=self._history.messages(
                agent,
                turn_id,
                caller_line(kind, as_written(text, agent.language)),
                results=self.tools.results(),
                open_uses=self.tools.unlogged(),
            ),
            model=agent.model,
            temperature=agent.temperature,
            max_tokens=agent.max_reply_tokens,
            tools=self._toolbox.definitions(),
            tenant_id=agent.tenant_id,
        )
        self._guesses[key] = _Guess(request, MarkupFilter(), SegmentCutter(agent.language))
        return request

    def feed(self, turn_id: int, guess: int, delta: str) -> list[str]:
        """Take the next characters of the model's answer; return the segments complete by now."""
        thought = self._guess(turn_id, guess)
        if thought is None:
            return []
        thought.raw_chars += len(delta)
        thought.said += delta
        segments = thought.cutter.feed(thought.markup.feed(delta))
        thought.segments_out += len(segments)
        return segments

    def call_tool(self, turn_id: int, guess: int, call: ToolCallRequested) -> None:
        """The model wants a tool; what it means is decided when the reply is complete."""
        thought = self._guess(turn_id, guess)
        if thought is not None and self.agent.tools and len(thought.calls) < MAX_CALLS_A_REPLY:
            thought.calls.append(call)

    def check_tool(
        self, turn_id: int, call: ToolCallRequested
    ) -> dict[str, Any] | RunTool | Note | ToolRefused:
        """What a model that speaks by itself may have: an action, a run or a note, or why not.

        Nothing is done.

        Raises:
            StaleTurn: The turn is settled already.
        """
        if turn_id in self._history:
            raise StaleTurn(turn_id, 0)
        meant = with_end_call(self.agent).toolbox.check(call)
        if isinstance(meant, ToolRefused | RunTool | Remember | SwitchLanguage):
            return meant
        return plain_action(meant, call)

    def finish(self, turn_id: int, guess: int) -> ReplyEnd | AskAgain | RunTools | None:
        """The model's answer is complete; None if nobody waits for it any more.

        Raises:
            EmptyReply: There was nothing to say in all of it.
        """
        thought = self._guess(turn_id, guess)
        if thought is None:
            return None
        rest = tuple(thought.cutter.feed(thought.markup.finish()) + thought.cutter.finish())
        thought.segments_out += len(rest)
        asked = round_of(self._toolbox, thought.calls)
        thought.uses += asked.notes
        if asked.runs and thought.run_rounds < MAX_RUN_ROUNDS:
            thought.waits_for = asked
            is_silent = not thought.segments_out
            return RunTools(rest, asked.runs, is_silent, tuple(thought.uses))
        action = asked.action
        hang_up = thought.markup.hang_up and not action
        # What was noted beside words needs no more of them.
        has_news = asked.has_refusals or (asked.notes and not thought.segments_out)
        if has_news and not action and not hang_up and thought.rounds < MAX_TOOL_ROUNDS:
            thought.rounds += 1
            request = self._next_round(thought, asked.answers)
            return AskAgain(rest, request, tuple(thought.uses))
        del self._guesses[turn_id, guess]
        if not thought.segments_out:
            if not hang_up and not action:
                raise EmptyReply(thought.raw_chars)
            said = self.agent.announcement(action["tool"]) if action else ""
            rest = (said or self.agent.phrases.goodbye,)
        ends = hang_up or action.get("verb") == "end"
        return ReplyEnd(rest, ends, action, tuple(thought.uses))

    def go_on(self, turn_id: int, guess: int, results: Mapping[str, str]) -> ThinkRequest | None:
        """What came of ``RunTools``: JSON by ``Wish.call_id``; None if nobody waits any more."""
        thought = self._guess(turn_id, guess)
        if thought is None or thought.waits_for is None:
            return None
        answers = {**thought.waits_for.answers, **results}
        thought.waits_for = None
        thought.run_rounds += 1
        if thought.run_rounds >= MAX_RUN_ROUNDS:
            thought.request = replace(thought.request, tool_choice="none")
        return self._next_round(thought, answers)

    def _next_round(self, thought: _Guess, answers: Mapping[str, str]) -> ThinkRequest:
        told = answer_messages(thought.said, thought.calls, answers)
        thought.request = replace(thought.request, messages=(*thought.request.messages, *told))
        thought.markup, thought.cutter = MarkupFilter(), SegmentCutter(self.agent.language)
        thought.said, thought.calls = "", []
        return thought.request

    def recite(self, turn_id: int, guess: int, text: str) -> tuple[str, ...] | None:
        """End a reply with words that are known already, cut as the model's would be.

        They say nothing but words: a mark that ends the call has no effect.

        Returns:
            The segments; none of them when there is nothing to say in ``text``, and then the reply
            is thought about as before. None when nobody waits for it any more.
        """
        if self._guess(turn_id, guess) is None:
            return None
        said = segments_of(text, self.agent.language)
        if said:
            del self._guesses[turn_id, guess]
        return said

    def fail(self, turn_id: int, guess: int) -> None:
        """The model did not answer (to its end). The guess may be begun again."""
        self._guesses.pop((turn_id, guess), None)

    def abandon(self, turn_id: int, guess: int) -> None:
        """Nobody waits for this guess any more, whether it has begun or not. Idempotent."""
        self._guesses.pop((turn_id, guess), None)
        if turn_id not in self._history:
            self._abandoned.add((turn_id, guess))

    def _guess(self, turn_id: int, guess: int) -> _Guess | None:
        return self._guesses.get((turn_id, guess))

    def _fixed_reply(self, kind: str, text: str) -> str | None:
        phrases = self.agent.phrases
        if text.strip():
            return None
        if kind == "silence":
            return phrases.still_there
        if kind == "resume":
            return phrases.resume
        if kind == "greeting":
            return self.agent.greeting or phrases.apology
        return phrases.apology


def segments_of(text: str, language: str) -> tuple[str, ...]:
    """Words that are known as a whole, cut as the reply of a model would be; none for no speech."""
    markup, cutter = MarkupFilter(), SegmentCutter(language)
    return tuple(cutter.feed(markup.feed(text) + markup.finish()) + cutter.finish())
