"""Several language models that look like one: who asks does not know which of them answers.

Rules
1. Before the first token a failover is free: a hard failure asks the next at once, a late one is
   hedged, the first useful output wins (``contest``). Useful is a token that is not blank, the
   beginning of a tool call, or a refusal by a content filter; an empty answer is none.
2. Of a request whose answer may use tools no two are ever out at once: a late one is closed, and
   the next is asked then. Once a tool call has begun, its stream is waited for.
3. Words are handed out when they are whole (``seam``). When the reply breaks off or stalls in the
   middle, the next model is asked to go on after the last of them, and what it repeats is dropped.
4. Once a tool call was handed out the reply is over, however its stream ends: nobody is asked
   again, so nothing is done twice.
5. Everything seen is told to the process' view of health: the first token of a model under
   ``llm.ttft``, its flow under ``llm.inter_token``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from dialogue.ports import (
    ReplyDelta,
    ReplyDone,
    ThinkEvent,
    ThinkRequest,
    ToolCallBegan,
    ToolCallRequested,
)
from providers.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from providers.failover.contest import Contest, Won
from providers.failover.continuation import continued
from providers.failover.seam import Seam, WholeWords
from providers.failover.tally import FailoverTally
from providers.failover.think_chain import ChainModel, Pauses, ThinkCandidate, ThinkChain
from providers.health.budget import TenantBudgets
from providers.health.deadline import timing
from providers.health.signals import Sign, Signal, signal_of_error
from providers.health.view import HealthView

logger = logging.getLogger(__name__)

MOST_CONTINUATIONS: Final = 2
_FEWEST_PAUSES: Final = 3  # of a reply whose flow is worth a measurement


class FailoverThinker:
    """A chain of language models behind the port of one.

    Args:
        candidates: Best first; at least one. They are closed with the chain.
        view: Of this process.
        budgets: For the hedges of all language models of this process, each tenant's own.
        tally: Told of every request.
    """

    def __init__(
        self,
        candidates: Sequence[ThinkCandidate],
        view: HealthView,
        budgets: TenantBudgets,
        tally: FailoverTally,
    ) -> None:
        self._chain = ThinkChain(candidates, view)
        self._view = view
        self._budgets = budgets
        self._tally = tally
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def name(self) -> str:
        """The names of the chain, in order."""
        return " > ".join(candidate.name for candidate in self._chain.candidates)

    def is_well(self, model: str) -> bool:
        """Whether the first of the chain is well enough for work that no caller waits for.

        Args:
            model: As an agent asks for it; empty for its own.
        """
        first = self._chain.models(model)[0]
        verdict = self._view.verdict(first.first, first.flow)
        return verdict.state == "closed" and not verdict.demoted

    async def warm(self) -> None:
        """Open a connection to each. Raises ``ProviderError`` when none can be reached."""
        self._chain.models("")
        candidates = self._chain.candidates
        found = await asyncio.gather(*(self._warm(candidate) for candidate in candidates))
        errors = [error for error in found if error is not None]
        if len(errors) == len(candidates):
            raise errors[0]

    async def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        """The reply of whoever gives it; see ``dialogue.ports.Thinker``."""
        if self._closed:
            raise ProviderUnavailable("closed", self.name)
        account, question = _Account(request), request
        while True:
            models, is_last_resort = self._chain.order(request, account.broken)
            contest = self._contest(models, question, account, may_hedge=not is_last_resort)
            try:
                won = await contest.winner()
                if not won.was_first:
                    self._tally.waited("think", won.waited_s)
                async with aclosing(self._handed_out(won, account)) as events:
                    async for event in events:
                        yield event
            finally:
                await contest.aclose()
            if account.is_done:
                return
            question = continued(request, account.given) if account.given else request

    async def aclose(self) -> None:
        """Close every candidate; replies that run fail."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for candidate in self._chain.candidates:
            await candidate.thinker.aclose()

    def _stand_in(self, name: str) -> str:
        """The name of whoever answered, unless it is the agent's own thinker."""
        return name if name != self._chain.candidates[0].name else ""

    async def _warm(self, candidate: ThinkCandidate) -> ProviderError | None:
        try:
            await candidate.thinker.warm()
        except ProviderError as error:
            logger.warning("%s is not warm: %s", candidate.name, error)
            return error
        return None

    def _contest(
        self,
        models: Sequence[ChainModel],
        question: ThinkRequest,
        account: _Account,
        *,
        may_hedge: bool,
    ) -> Contest[ThinkEvent]:
        may_use_tools = bool(question.tools) and question.tool_choice != "none"
        is_continued = bool(account.broken)
        budget = self._budgets.of(question.tenant_id)

        def asked(name: str, why: str) -> None:
            if why == "first":
                budget.request_sent()
            is_next = is_continued and why == "first"
            self._tally.asked("think", name, "continued" if is_next else why)

        return Contest(
            self._chain.entrants(models, question),
            self._view,
            is_output=_is_anything if account.given else _is_output,
            may_hedge=budget.spend if may_hedge else _never,
            one_at_a_time=may_use_tools,
            on_start=asked,
            tasks=self._tasks,
        )

    # --- one stream of the reply ------------------------------------------------------------------

    async def _handed_out(
        self, won: Won[ThinkEvent], account: _Account
    ) -> AsyncGenerator[ThinkEvent, None]:
        """The winner's events, whole words only; ends early when it broke off and can be continued.

        Raises:
            ProviderError: It broke off and nobody is left.
        """
        flow = self._chain.flow_of(won.entrant.unit)
        try:
            async with aclosing(self._events(won, account, flow)) as events:
                async for event in events:
                    yield event
        except ProviderError as error:
            self._view.saw(flow, _flow_signal(error))
            account.broken.add(won.entrant.unit)
            if account.has_call:
                account.is_done = True
                yield ReplyDone("tool_calls")
            elif len(account.broken) > MOST_CONTINUATIONS or not self._chain.others(
                account.request, account.broken
            ):
                raise
            else:
                logger.info("a reply broke off and is continued: %s", error)

    async def _events(
        self, won: Won[ThinkEvent], account: _Account, flow: str
    ) -> AsyncGenerator[ThinkEvent, None]:
        words, seam, pauses = WholeWords(), Seam(account.given), Pauses()
        is_text = True
        while (item := await self._next(won, flow if is_text else "")) is not None:
            came_at, event = item
            if isinstance(event, ReplyDelta):
                pauses.came(came_at)
                if text := account.told(seam.feed(words.feed(event.text))):
                    yield text
                continue
            is_text = False
            if not isinstance(event, ToolCallBegan):
                rest = seam.feed(words.finish())
                if isinstance(event, ReplyDone):
                    rest += seam.finish()
                if text := account.told(rest):
                    yield text
            account.has_call = account.has_call or isinstance(event, ToolCallRequested)
            if isinstance(event, ReplyDone):
                account.is_done = True
                event = replace(event, stand_in=self._stand_in(won.entrant.name))
            yield event
            if account.is_done:
                if pauses.count >= _FEWEST_PAUSES:
                    good = Signal(Sign.ANSWERED, latency_s=pauses.longest_s)
                    self._view.saw(flow, good)
                return
        raise ProviderUnavailable("the reply has no end", won.entrant.name)

    async def _next(self, won: Won[ThinkEvent], flow: str) -> tuple[float, ThinkEvent] | None:
        """The next event. A pause in the text that is too long is a failure.

        ``flow`` is empty while a tool call is written, which shows nothing until it is whole; then
        the provider's own limits hold.
        """
        if not flow:
            return await won.next()
        verdict = self._view.verdict(flow)
        limit_s = timing("llm.inter_token", verdict.quantiles, suspect=False).deadline_s
        try:
            return await won.next(limit_s)
        except TimeoutError:
            raise _Stalled("stalled in the middle of a reply", won.entrant.name) from None


class _Account:
    """One reply, as far as it was handed out.

    Attributes:
        request: What was asked.
        given: Its text.
        has_call: A tool call was handed out.
        is_done: Its end was handed out.
        broken: Units of those who broke off in it.
    """

    def __init__(self, request: ThinkRequest) -> None:
        self.request = request
        self.given = ""
        self.has_call = False
        self.is_done = False
        self.broken: set[str] = set()

    def told(self, text: str) -> ReplyDelta | None:
        """Text that is handed out now; None for none."""
        self.given += text
        return ReplyDelta(text) if text else None


class _Stalled(ProviderTimeout):
    """It fell silent in the middle."""


def _is_output(event: ThinkEvent) -> bool:
    """Whether this is what was waited for."""
    match event:
        case ReplyDelta(text):
            return bool(text.strip())
        case ReplyDone(reason):
            return reason == "content_filter"
        case _:
            return True


def _is_anything(_event: ThinkEvent) -> bool:
    """Of a continuation: there may be nothing more to say."""
    return True


def _flow_signal(error: ProviderError) -> Signal:
    return Signal(Sign.STALLED) if isinstance(error, _Stalled) else signal_of_error(error)


def _never() -> bool:
    return False
