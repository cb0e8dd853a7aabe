"""What an ingress tells the CallActor of a call, written from what it knows of the call. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actors.turn_question import StreamEnd, TurnQuestion
from actors.wire import CloseCall, OpenCall, SettleTurns, TakeTurn, TurnEntry

Settled = tuple[TurnEntry, ...]


def turn_message(call: OpenCall, question: TurnQuestion, settled: Settled) -> TakeTurn:
    """Reply to this; ``settled`` are the turns that were not told yet."""
    return TakeTurn(
        tenant_id=call.tenant_id,
        call_id=call.call_id,
        epoch=call.epoch,
        turn_id=question.turn_id,
        guess=question.guess,
        kind=question.kind,
        text=question.text,
        speculative=question.speculative,
        settled=settled,
        grants=True,
    )


def settle_message(
    call: OpenCall,
    settled: Settled,
    granted: tuple[str, ...] = (),
    taken: Mapping[str, Any] | None = None,
) -> SettleTurns:
    """These turns are over, these tools may be used, and this turn was taken."""
    return SettleTurns(
        call.tenant_id, call.call_id, call.epoch, settled, granted, dict(taken or {})
    )


def close_message(
    call: OpenCall, end: StreamEnd, settled: Settled, owner: Mapping[str, Any]
) -> CloseCall:
    """The stream is gone; ``owner`` is who has the call, for one that comes back."""
    return CloseCall(
        call.tenant_id,
        call.call_id,
        call.epoch,
        end.planned,
        end.reason,
        settled,
        end.usage,
        {**end.hand_over, **owner} if end.hand_over else {},
    )
