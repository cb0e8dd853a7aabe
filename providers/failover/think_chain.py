"""The language models of a chain: their units of health, whom to ask next, how each is tried.

Rules
1. A model is asked while both of its units are well: the first token and the flow after it.
2. Only the first candidate is asked for the agent's model; the others know models of their own.
3. Two candidates that are the same service, key and model are one.
4. Who broke off in the middle of a reply is not asked to go on; rather one that is not well.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

from dialogue.ports import Message, ReplyDelta, Thinker, ThinkEvent, ThinkRequest
from providers.errors import ProviderUnavailable
from providers.failover.contest import Entrant
from providers.health.attempts import MOST_ASKED
from providers.health.deadline import timing
from providers.health.route import CallRoute
from providers.health.unit import Unit
from providers.health.view import HealthView

_PROBE: Final = (Message("system", "You are tested."), Message("user", "Count from one to ten."))
_PROBE_TOKENS: Final = 16


@dataclass(frozen=True, slots=True)
class ThinkCandidate:
    """One language model of the chain.

    Attributes:
        name: As agents name it.
        thinker: The service.
        region: Its host; for its units of health.
        model: What it answers with when it is not told.
        credential: Label of its key (``providers.health.unit.credential_label``).
    """

    name: str
    thinker: Thinker
    region: str = ""
    model: str = ""
    credential: str = ""


@dataclass(frozen=True, slots=True)
class ChainModel:
    """A candidate with the model that it is asked for.

    Attributes:
        model: As asked for; empty for its own.
        first: Key of the unit of its first token.
        flow: Key of the unit of what comes after.
    """

    candidate: ThinkCandidate
    model: str
    first: str
    flow: str


class Pauses:
    """The pauses between the pieces of a reply's text.

    Attributes:
        longest_s: The longest.
        count: How many.
    """

    def __init__(self) -> None:
        self.longest_s = 0.0
        self.count = 0
        self._last_at: float | None = None

    def came(self, at: float) -> None:
        """A piece came (loop time)."""
        if self._last_at is not None:
            self.longest_s = max(self.longest_s, at - self._last_at)
            self.count += 1
        self._last_at = at


class ThinkChain:
    """The candidates in order.

    Args:
        candidates: Best first; at least one.
        view: Of this process; probes are registered there.
    """

    def __init__(self, candidates: Sequence[ThinkCandidate], view: HealthView) -> None:
        if not candidates:
            raise ValueError("a chain needs at least one candidate")
        self.candidates = tuple(candidates)
        self._view = view
        self._models: dict[str, tuple[ChainModel, ...]] = {}
        self._flows: dict[str, str] = {}

    def models(self, asked_for: str) -> tuple[ChainModel, ...]:
        """The chain for agents of one model, in the configured order."""
        known = self._models.get(asked_for)
        if known is None:
            found: dict[str, ChainModel] = {}
            for candidate in self.candidates:
                model = asked_for if candidate is self.candidates[0] else ""
                made = _chain_model(candidate, model)
                found.setdefault(made.first, made)
            known = self._models[asked_for] = tuple(found.values())
            for made in known:
                self._flows[made.first] = made.flow
                self._register(made)
        return known

    def flow_of(self, first: str) -> str:
        """The unit of the flow that belongs to the unit of a first token."""
        return self._flows[first]

    def others(self, request: ThinkRequest, broken: Set[str]) -> bool:
        """Whether there is anybody who did not break off."""
        return any(model.first not in broken for model in self.models(request.model))

    def order(self, request: ThinkRequest, broken: Set[str]) -> tuple[list[ChainModel], bool]:
        """Whom to ask, best first, and whether that is a last resort: nobody is well.

        Args:
            request: What is asked.
            broken: ``first`` of those who broke off in this reply.
        """
        models = {model.first: model for model in self.models(request.model)}
        verdicts = {first: self._view.verdict(first, model.flow) for first, model in models.items()}
        route = CallRoute(_lot(request.call_id), tuple((first,) for first in models), sticky=False)
        quotas = self._view.quotas
        full = {first: quotas.fullness("think", m.candidate.name) for first, m in models.items()}
        choice = route.choose(verdicts, full)
        left = [models[first] for first in choice.units if first not in broken]
        if not left:
            left = [model for first, model in models.items() if first not in broken]
        return left[:MOST_ASKED], choice.last_resort

    def entrants(
        self, models: Sequence[ChainModel], question: ThinkRequest
    ) -> list[Entrant[ThinkEvent]]:
        """``models`` for a contest over ``question``."""
        return [self._entrant(model, question, last=model is models[-1]) for model in models]

    def _entrant(
        self, model: ChainModel, question: ThinkRequest, *, last: bool
    ) -> Entrant[ThinkEvent]:
        verdict = self._view.verdict(model.first)
        suspect = verdict.state == "suspect"
        when = timing("llm.ttft", verdict.quantiles, suspect=suspect, last=last)
        asked = replace(question, model=model.model)
        thinker = model.candidate.thinker
        return Entrant(model.candidate.name, model.first, when, lambda: thinker.reply(asked))

    def _register(self, model: ChainModel) -> None:
        async def first_token() -> float:
            return (await probe(model))[0]

        async def flow() -> float:
            return (await probe(model))[1]

        self._view.can_probe(model.first, first_token)
        self._view.can_probe(model.flow, flow)


async def probe(model: ChainModel) -> tuple[float, float]:
    """A small reply that nobody waits for.

    Returns:
        Seconds to its first token, and its longest pause.

    Raises:
        ProviderError: There was none.
    """
    loop = asyncio.get_running_loop()
    request = ThinkRequest("probe", _PROBE, model.model, max_tokens=_PROBE_TOKENS)
    began_at, pauses = loop.time(), Pauses()
    first_s: float | None = None
    events = model.candidate.thinker.reply(request)
    try:
        async for event in events:
            if isinstance(event, ReplyDelta):
                pauses.came(loop.time())
                if first_s is None and event.text.strip():
                    first_s = loop.time() - began_at
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
    if first_s is None:
        raise ProviderUnavailable("an answer without a word", model.candidate.name)
    return first_s, pauses.longest_s


def _chain_model(candidate: ThinkCandidate, asked_for: str) -> ChainModel:
    model = asked_for or candidate.model
    unit = Unit(candidate.name, "llm.ttft", candidate.region, model, candidate.credential)
    flow = replace(unit, operation="llm.inter_token")
    return ChainModel(candidate, asked_for, unit.key, flow.key)


def _lot(call_id: str) -> float:
    """A number from 0 to 1 that is always the same for one call."""
    digest = hashlib.blake2b(call_id.encode(), digest_size=4).digest()
    return int.from_bytes(digest) / (1 << 32)
