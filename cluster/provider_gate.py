"""May one more call be answered, as far as the limits of its providers go?

A call that none of an agent's recognisers, language models or voices can take any more is refused
politely before it is answered; as long as one of a chain can, the call is that one's. A relayed
call needs a language model only, a realtime one the model that hears and speaks.

The desks may be gone with their node, whose calls then come here and use what this process holds.
Nobody is refused for that: where the desks cannot be asked, what is known of the limit decides.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Final

from dialogue.agent import Agent
from providers.health.quotas import Quotas
from providers.realtime.refusals import PROVIDER as REALTIME

PATIENCE_S: Final = 1.0
"""How long a caller hears it ring while what others hold and do not need is asked back."""
_AGAIN_S: Final = 0.2


async def _nothing_comes() -> None:
    """Nobody leases anything."""


class ProviderGate:
    """See the top of this file.

    Args:
        quotas: Of this process.
        next_answer: Returns once the desks have answered again.
    """

    def __init__(
        self,
        quotas: Quotas | None = None,
        next_answer: Callable[[], Awaitable[None]] = _nothing_comes,
    ) -> None:
        self._quotas = quotas or Quotas()
        self._next_answer = next_answer

    async def admits(self, agent: Agent, call_id: str) -> bool:
        """Whether this call may come in; its recogniser is reserved for a few seconds then."""
        if not self._quotas.is_limited or self._has_room(agent, call_id):
            return True
        is_answered = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while self._quotas.is_desk_able:
                    await self._next_answer()
                    is_answered = True
                    if self._has_room(agent, call_id):
                        return True
                    await asyncio.sleep(_AGAIN_S)
        if is_answered and self._quotas.is_desk_able:
            return False
        return self._has_room(agent, call_id, beyond=True)

    def begun(self, call_id: str) -> None:
        """The call's stream has come here."""
        self._quotas.begun(call_id)

    def status(self) -> dict[str, Any]:
        """For people."""
        return self._quotas.status()

    def _has_room(self, agent: Agent, call_id: str, *, beyond: bool = False) -> bool:
        """Whether what carries the call as it begins has room; the rest is for later."""
        quotas = self._quotas
        if agent.mode == "realtime":
            return quotas.reserve(call_id, "converse", (REALTIME,), beyond=beyond)
        if agent.mode == "relay":  # the carrier hears and speaks
            return quotas.has_room("think", agent.thinkers)
        return (
            quotas.has_room("think", agent.thinkers)
            and quotas.has_room("speak", agent.speakers)
            and quotas.reserve(call_id, "recognise", agent.recognisers, beyond=beyond)
        )
