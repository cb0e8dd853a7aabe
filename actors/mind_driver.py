"""The mind of many calls, without Ray: the server side of ``actors.wire``.

Plain dicts come in and go out, so that the Ray shell around it is one line a method. The machines
(``MindCalls``, ``DialogueSession``) decide; this file runs one task for each reply in the making
and ends the tasks of those that the machine no longer holds alive (``_end_dead_replies``).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from typing import Any

from actors.hit_checks import HitChecks
from actors.mind_calls import HeldCall, MindCalls, MindConfig, Phase, Recorder, UnknownCall
from actors.mind_reply import Question, Reply
from actors.tool_questions import TOOL_KIND, call_of
from actors.tool_reply import ToolReply
from actors.tool_runs import ToolRuns
from actors.wire import (
    VERSION,
    AbandonTurn,
    Acknowledged,
    CloseCall,
    OpenCall,
    SettleTurns,
    TakeTurn,
    TurnEntry,
    TurnItem,
)
from cache.ports import AnswerCache
from dialogue.agent import Agent
from dialogue.errors import StaleEpoch, StaleTurn
from dialogue.ports import Thinker
from dialogue.session import DialogueSession, FixedReply, GuessKey
from dialogue.tool_use import note_use
from dialogue.tools import Remember, RunTool, SwitchLanguage, ToolRefused

logger = logging.getLogger(__name__)

SEATED_LATELY_S = 10.0  # longer than any directory waits between two questions

__all__ = ["MindConfig", "MindDriver", "Recorder"]

Plain = dict[str, Any]


class MindDriver:
    """Holds calls and answers their turns.

    All methods raise ``actors.wire.WireError`` for a message that cannot be read, and nothing else.

    Args:
        agents: By tenant and agent id; may be a live view.
        thinkers: By what ``Agent.think_chain`` says.
        recorder: Told of everything that lasts.
        config: Limits.
        wall_clock_us: UTC microseconds, for records only.
        answers: Answers that were given before; None gives none.
        checks: Has some of them asked again; None has none.
        tools: Runs the tools that bring a result; None runs none.
    """

    def __init__(  # noqa: PLR0913 - what each is for stands above
        self,
        agents: Mapping[tuple[str, str], Agent],
        thinkers: Mapping[str, Thinker],
        recorder: Recorder,
        config: MindConfig,
        wall_clock_us: Callable[[], int],
        answers: AnswerCache | None = None,
        checks: HitChecks | None = None,
        tools: ToolRuns | None = None,
    ) -> None:
        self._tools = tools
        self._answers = answers
        self._checks = checks
        self._thinkers = thinkers
        self._config = config
        self._wall_clock_us = wall_clock_us
        self._calls = MindCalls(agents, recorder, config)
        self._replies: dict[str, dict[GuessKey, Reply]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._totals: Counter[str] = Counter()

    async def open_call(self, plain: Mapping[str, Any]) -> Plain:
        """Take a call, or take it back after a move; answers ``CallOpened``."""
        message = OpenCall.from_plain(plain)
        opened = self._calls.open(message, now=_now(), at_us=self._wall_clock_us())
        self._totals[f"refused_{opened.refusal}" if opened.refusal else "calls_opened"] += 1
        if not opened.refusal:
            self._end_dead_replies(message.call_id, "stale_epoch")
        return opened.to_plain()

    async def take_turn(self, plain: Mapping[str, Any]) -> AsyncGenerator[Plain, None]:
        """Answer one turn with a stream of ``TurnItem``; closing it abandons the guess at once."""
        message = TakeTurn.from_plain(plain)
        items, reply = self._begin(message, received_at=_now())
        try:
            for item in items:
                yield item.to_plain()
            while reply is not None:
                item = await reply.next_item()
                yield item.to_plain()
                if item.type in {"finished", "failed"}:
                    self._totals[f"{item.type}_{item.refusal}".rstrip("_")] += 1
                    held = self._calls.get(message.call_id)
                    if item.refusal == "provider" and self._checks is not None and held is not None:
                        self._checks.troubled(held.session.agent)
                    return
        finally:
            held = self._calls.get(message.call_id)
            if isinstance(reply, ToolReply):
                reply.cancel("abandoned")
            elif reply is not None and not reply.over and held is not None:
                held.session.abandon(message.turn_id, message.guess)
                self._end_dead_replies(message.call_id, "abandoned")

    async def abandon(self, plain: Mapping[str, Any]) -> Plain:
        """Stop thinking about one guess; answers ``Acknowledged``."""
        message = AbandonTurn.from_plain(plain)
        held, refusal = self._find(message)
        if held is not None:
            held.session.abandon(message.turn_id, message.guess)
            self._end_dead_replies(message.call_id, "abandoned")
        return Acknowledged(refusal).to_plain()

    async def settle(self, plain: Mapping[str, Any]) -> Plain:
        """Take in turns that are over; answers ``Acknowledged``."""
        message = SettleTurns.from_plain(plain)
        held, refusal = self._find(message)
        if held is not None:
            self._settle(held, message.settled)
            if (taken := _taken(message)) is not None:
                self._calls.taken(held, *taken)
            if self._tools is not None:
                self._tools.grant(message.call_id, message.granted)
        return Acknowledged(refusal).to_plain()

    async def close_call(self, plain: Mapping[str, Any]) -> Plain:
        """The stream is gone; answers ``Acknowledged``."""
        message = CloseCall.from_plain(plain)
        held, refusal = self._find(message)
        if held is not None:
            self._settle(held, message.settled)
            self._calls.close(held, message, now=_now(), at_us=self._wall_clock_us())
            self._stop(held)
        return Acknowledged(refusal).to_plain()

    async def call_state(self, call_id: str) -> Plain:
        """What became of a call, for the resume webhook; answers ``CallState``."""
        return self._calls.state(call_id).to_plain()

    def status(self) -> Plain:
        """Seats, who took one in the last ``SEATED_LATELY_S``, and totals since the start."""
        return {
            "v": VERSION,
            "active_calls": self._calls.count(Phase.OPEN),
            "lost_calls": self._calls.count(Phase.LOST),
            "handed_over_calls": self._calls.count(Phase.HANDED_OVER),
            "ended_calls": self._calls.count(Phase.ENDED),
            "capacity": self._config.calls_per_actor,
            "free": self._calls.free_seats,
            "taken_by_tenant": self._calls.taken_by_tenant(),
            "seated_lately": self._calls.seated_since(_now() - SEATED_LATELY_S),
            "replies": sum(len(replies) for replies in self._replies.values()),
            "totals": dict(self._totals),
        }

    @property
    def is_thinking(self) -> bool:
        """Whether a caller waits for a reply, or hears one that is not complete yet."""
        return bool(self._replies)

    def open_by_agent(self) -> Mapping[tuple[str, str, str], int]:
        """How many calls are open of every agent: by tenant id, agent id, language."""
        return self._calls.open_by_agent()

    def sweep(self, now: float) -> int:
        """Forget and give up what is due (call it about once a second); returns calls given up.

        Args:
            now: Loop time.
        """
        closed = self._calls.sweep(now=now, at_us=self._wall_clock_us())
        for held in closed:
            logger.warning("call %s: its ingress fell silent", held.session.call.call_id)
            self._stop(held)
        self._totals["calls_given_up"] += len(closed)
        return len(closed)

    async def aclose(self) -> None:
        """End every reply and wait until the providers are told."""
        for replies in list(self._replies.values()):
            for reply in list(replies.values()):
                reply.cancel("abandoned")
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._tools is not None:
            await self._tools.aclose()

    # --- one turn ---------------------------------------------------------------------------------

    def _begin(
        self, message: TakeTurn, *, received_at: float
    ) -> tuple[list[TurnItem], Reply | ToolReply | None]:
        """What can be said at once, and the reply that will say the rest."""
        turn_id, guess = message.turn_id, message.guess
        held, refusal = self._find(message)
        if held is None:
            return [self._failed(message, refusal)], None
        try:
            self._calls.revive(held)
            self._settle(held, message.settled)
            session = held.session
            if message.kind == TOOL_KIND:
                return self._check_tool(session, message)
            answer = session.begin_turn(turn_id, guess, message.kind, message.text)
        except UnknownCall as error:
            return [self._failed(message, error.refusal)], None
        except StaleTurn:
            return [self._failed(message, "stale_turn")], None
        if message.kind == "caller" and message.speculative:
            self._calls.guessed(held, turn_id, message.text, now=received_at)
        elif message.kind in {"caller", "digits"}:
            self._calls.taken(held, turn_id, message.text)
        self._totals["turns"] += 1
        self._totals["speculative_turns"] += message.speculative
        accepted = TurnItem("accepted", turn_id, guess, tools=session.tools.take_late())
        self._end_dead_replies(message.call_id, "abandoned", begun=(turn_id, guess))
        if isinstance(answer, FixedReply):
            segment = TurnItem("segment", turn_id, guess, text=answer.text)
            return [accepted, segment, TurnItem("finished", turn_id, guess)], None
        thinker = self._thinkers.get(session.agent.think_chain)
        if thinker is None:
            session.fail(turn_id, guess)
            agent = session.agent
            wrong = f"agent {agent.agent_id}: no thinker is named {agent.think_chain!r}"
            return [accepted, self._failed(message, "provider", wrong)], None
        tools = self._tools if message.grants else None
        question = Question((turn_id, guess), answer, thinker, received_at, tools=tools)
        if self._answers is not None:
            consultation = held.answers.consult(
                question.key, message.kind, message.text, session.turn_log
            )
            if consultation is not None:
                consultation.request = answer
            question = replace(question, cache=self._answers, consultation=consultation)
        return [accepted], self._start(message.call_id, session, question)

    def _check_tool(
        self, session: DialogueSession[TurnEntry], message: TakeTurn
    ) -> tuple[list[TurnItem], ToolReply | None]:
        """A model that speaks by itself wants a tool: what that means, or why it cannot be done."""
        turn_id, guess = message.turn_id, message.guess
        call = call_of(message.text)
        meant = session.check_tool(turn_id, call) if call else ToolRefused("it cannot be read")
        self._totals["tools_asked"] += 1
        accepted = TurnItem("accepted", turn_id, guess, tools=session.tools.take_late())
        match meant:
            case ToolRefused(why=why):
                return [accepted, self._failed(message, "tool", why)], None
            case RunTool():
                reply = ToolReply(session, message, meant, self._tools if message.grants else None)
                self._tasks.add(reply.task)
                reply.task.add_done_callback(self._tasks.discard)
                return [accepted], reply
            case Remember() | SwitchLanguage():
                note = note_use(meant)
                noted = TurnItem("finished", turn_id, guess, text=note["result"], tools=(note,))
                return [accepted, noted], None
            case _:
                ends = meant.get("verb") == "end"
                return [
                    accepted,
                    TurnItem("finished", turn_id, guess, hang_up=ends, action=meant),
                ], None

    def _start(
        self, call_id: str, session: DialogueSession[TurnEntry], question: Question
    ) -> Reply:
        reply = Reply(session, question, self._config)
        replies = self._replies.setdefault(call_id, {})
        replies[question.key] = reply
        self._tasks.add(reply.task)

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if replies.get(question.key) is reply:
                del replies[question.key]
            if not replies and self._replies.get(call_id) is replies:
                del self._replies[call_id]
            if not task.cancelled() and (error := task.exception()) is not None:
                # Only closing the provider's iterator can raise here; the reply has ended before.
                logger.warning("call %s: %s on closing", call_id, type(error).__name__)

        reply.task.add_done_callback(ended)
        return reply

    def _failed(self, message: TakeTurn, refusal: str, why: str = "") -> TurnItem:
        self._totals[f"failed_{refusal}"] += 1
        return TurnItem(
            "failed", message.turn_id, message.guess, message=why or refusal, refusal=refusal
        )

    # --- bookkeeping ------------------------------------------------------------------------------

    def _find(
        self, message: TakeTurn | AbandonTurn | SettleTurns | CloseCall
    ) -> tuple[HeldCall | None, str]:
        """The call for its owner, or why not."""
        try:
            held = self._calls.find(message.tenant_id, message.call_id, message.epoch, now=_now())
        except UnknownCall as error:
            return None, error.refusal
        except StaleEpoch:
            self._totals["stale_messages"] += 1
            return None, "stale_epoch"
        return held, ""

    def _settle(self, held: HeldCall, turns: tuple[TurnEntry, ...]) -> None:
        fresh = self._calls.settle(held, turns)
        if self._answers is not None:
            for turn in fresh:
                served = held.answers.settle(turn, held.session.turn_log, self._answers)
                if self._checks is not None and turn.kind == "caller":
                    self._checks.turn_over(held.session.agent, held.session.call, turn, served)
        self._end_dead_replies(held.session.call.call_id, "stale_turn")

    def _end_dead_replies(
        self, call_id: str, refusal: str, *, begun: GuessKey | None = None
    ) -> None:
        """Cancel the tasks of guesses that the session no longer holds alive.

        ``begun`` was begun anew just now: its former task is dead as well.
        """
        held = self._calls.get(call_id)
        alive = held.session.alive if held is not None else ()
        for key, reply in list(self._replies.get(call_id, {}).items()):
            if key == begun or key not in alive:
                reply.cancel(refusal)

    def _stop(self, held: HeldCall) -> None:
        for key in held.session.alive:
            held.session.fail(*key)
        self._end_dead_replies(held.session.call.call_id, "abandoned")


def _now() -> float:
    return asyncio.get_running_loop().time()


def _taken(message: SettleTurns) -> tuple[int, str] | None:
    """The turn that was taken, as a message tells it."""
    turn_id, text = message.taken.get("turn_id"), message.taken.get("text")
    return (turn_id, text) if isinstance(turn_id, int) and isinstance(text, str) else None
