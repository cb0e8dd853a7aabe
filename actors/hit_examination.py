"""One answer of the cache, examined: what the model says now, and whether that is the same.

Rules
1. An answer of a model: the same request is answered again. Words decide where they can
   (``cache.same_answer``), else a judge does (``actors.answer_judge``). That two answers differ has
   to be said twice, in both orders.
2. An answer that a person wrote, given to a similar question: the judge says whether it belongs to
   this one. That it does not has to be said in two ways.
3. Anything else is unclear: a model that wants a tool, hangs up, is cut off, or explains itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from actors.answer_judge import alike, beside, fitting, verdict
from cache.outcomes import Hit
from cache.same_answer import Sameness, compare
from cache.scope import Scope
from dialogue.agent import Agent
from dialogue.markup import MarkupFilter
from dialogue.ports import (
    ReplyDelta,
    ReplyDone,
    Thinker,
    ThinkRequest,
    ToolCallBegan,
    ToolCallRequested,
)
from dialogue.session import CallIdentity

_MOST_CHARS: Final = 6_000


@dataclass(frozen=True, slots=True)
class ServedHit:
    """An answer of the cache that a caller has heard.

    Attributes:
        request: What the model would have been asked.
        asked: The caller's words.
        said: What was spoken.
    """

    call: CallIdentity
    agent: Agent
    request: ThinkRequest
    asked: str
    said: str
    hit: Hit
    scope: Scope

    @property
    def is_written(self) -> bool:
        """Whether a person wrote the answer."""
        return self.hit.answer.provenance.is_trusted


@dataclass(slots=True)
class Examination:
    """See the top of this file.

    Attributes:
        served: What is examined.
        thinker: Of its agent.
        judge: Model that judges; empty for the agent's own.
        usage: Provider units (``telemetry.cost``) that it took so far.
    """

    served: ServedHit
    thinker: Thinker
    judge: str = ""
    usage: Counter[str] = field(default_factory=Counter)

    async def result(self) -> Sameness:
        """Whether the answer is right, as far as that can be told. Raises ``ProviderError``."""
        return await (self._belongs() if self.served.is_written else self._compared())

    async def _compared(self) -> Sameness:
        served = self.served
        request, asked, said = served.request, served.asked, served.said
        fresh = await self._answer(request)
        if fresh is None:
            return Sameness.UNCLEAR
        found = compare(said, fresh, served.agent.language)
        if found is not Sameness.UNCLEAR:
            return found
        first = await self._word(alike(request, self.judge, asked, said, fresh))
        if first is not False:
            return Sameness.SAME if first else Sameness.UNCLEAR
        again = await self._word(alike(request, self.judge, asked, fresh, said))
        return Sameness.DIFFERENT if again is False else Sameness.UNCLEAR

    async def _belongs(self) -> Sameness:
        served = self.served
        request, asked, said = served.request, served.asked, served.said
        first = await self._word(fitting(request, self.judge, asked, said))
        if first is not False:
            return Sameness.SAME if first else Sameness.UNCLEAR
        again = await self._word(beside(request, self.judge, asked, said))
        return Sameness.DIFFERENT if again else Sameness.UNCLEAR

    async def _word(self, request: ThinkRequest) -> bool | None:
        answer = await self._answer(request)
        return None if answer is None else verdict(answer)

    async def _answer(self, request: ThinkRequest) -> str | None:
        """What the model says in words; None where rule 3 holds."""
        said, markup, is_whole = "", MarkupFilter(), False
        events = self.thinker.reply(request)
        try:
            async for event in events:
                if isinstance(event, ToolCallBegan | ToolCallRequested):
                    return None
                if isinstance(event, ReplyDelta):
                    said += markup.feed(event.text)
                    if len(said) > _MOST_CHARS:
                        return None
                elif isinstance(event, ReplyDone):
                    self._count(event, request)
                    is_whole = event.reason == "stop"
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()
        said = (said + markup.finish()).strip()
        return said if said and is_whole and not markup.hang_up else None

    def _count(self, done: ReplyDone, request: ThinkRequest) -> None:
        other = done.stand_in
        if not other and request.model != self.served.request.model:
            other = request.model  # units of another model have its name behind them
        for unit, tokens in (
            ("prompt_tokens", done.prompt_tokens),
            ("cached_tokens", done.cached_tokens),
            ("completion_tokens", done.completion_tokens),
        ):
            if tokens:
                self.usage[f"{unit}@{other}" if other else unit] += tokens
