"""The mind of one call.

Rules
1. History is what was settled, by ``turn_id``, once each; late and double reports change nothing.
   A session that is given the turn log of another one stands exactly where that one stood.
2. A reply in the making is a *guess* ``(turn_id, guess)``. It dies when its turn is settled, when
   it is abandoned, when it is begun again, or when a third guess at its turn begins. Whatever still
   arrives for a dead guess is dropped, in ``_guess`` and nowhere else.
3. An abandoned guess stays dead: its ``begin_turn`` may arrive after its ``abandon``.
4. The newest epoch owns the call; a new owner finds no guess alive.
5. Silence, a resumed stream and words nobody understood get a fixed phrase, in one segment, as it
   was pre-rendered. Everything else is thought about.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Generic

from dialogue.agent import Agent
from dialogue.cutter import SegmentCutter
from dialogue.errors import EmptyReply, StaleEpoch, StaleTurn
from dialogue.history import History, HistoryLimits, Turn, caller_line
from dialogue.markup import MarkupFilter
from dialogue.ports import ThinkRequest

MAX_GUESSES_A_TURN = 2

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
    """The rest of a reply. ``hang_up`` is set when the agent ends the call with it."""

    segments: tuple[str, ...]
    hang_up: bool


@dataclass(slots=True)
class _Guess:
    markup: MarkupFilter
    cutter: SegmentCutter
    raw_chars: int = 0
    segments_out: int = 0


class DialogueSession(Generic[Turn]):
    """History and replies in the making of one call; no I/O, no clock.

    Args:
        agent: Who answers.
        call: Whose call it is.
        limits: How much of the history the model reads.
    """

    def __init__(
        self, agent: Agent, call: CallIdentity, limits: HistoryLimits | None = None
    ) -> None:
        self.agent = agent
        self.call = call
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
        for other in siblings[: len(siblings) + 1 - MAX_GUESSES_A_TURN]:
            self.abandon(*other)
        fixed = self._fixed_reply(kind, text)
        if fixed is not None:
            return FixedReply(fixed)
        agent = self.agent
        self._guesses[key] = _Guess(MarkupFilter(), SegmentCutter(agent.language))
        return ThinkRequest(
            call_id=self.call.call_id,
            messages=self._history.messages(agent, turn_id, caller_line(kind, text)),
            model=agent.model,
            temperature=agent.temperature,
            max_tokens=agent.max_reply_tokens,
        )

    def feed(self, turn_id: int, guess: int, delta: str) -> list[str]:
        """Take the next characters of the model's answer; return the segments complete by now."""
        thought = self._guess(turn_id, guess)
        if thought is None:
            return []
        thought.raw_chars += len(delta)
        segments = thought.cutter.feed(thought.markup.feed(delta))
        thought.segments_out += len(segments)
        return segments

    def finish(self, turn_id: int, guess: int) -> ReplyEnd | None:
        """The model's answer is complete; None if nobody waits for it any more.

        Raises:
            EmptyReply: There was nothing to say in all of it.
        """
        thought = self._guess(turn_id, guess)
        if thought is None:
            return None
        del self._guesses[turn_id, guess]
        rest = thought.cutter.feed(thought.markup.finish()) + thought.cutter.finish()
        hang_up = thought.markup.hang_up
        if not rest and not thought.segments_out:
            if not hang_up:
                raise EmptyReply(thought.raw_chars)
            rest = [self.agent.phrases.goodbye]
        return ReplyEnd(tuple(rest), hang_up)

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
