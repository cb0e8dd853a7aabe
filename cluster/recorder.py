"""From what a CallActor tells to rows of the call store."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from actors.wire import TurnEntry
from cluster.call_costs import CallBill, CallCosts
from cluster.call_rows import hand_over_row, turn_rows
from dialogue.session import CallIdentity
from records.rows import CallRow
from records.writer import RecordWriter

MAX_CLOSED = 500  # rows of closed calls that a late turn may still change


class StoreRecorder:
    """Puts rows into the writer's buffer; never waits.

    Args:
        writer: Writes behind the call's back.
        costs: Adds up units and dollars.
    """

    def __init__(self, writer: RecordWriter, costs: CallCosts) -> None:
        self._writer = writer
        self._costs = costs
        self._closed: OrderedDict[str, CallRow] = OrderedDict()

    def call_opened(self, call: CallIdentity, *, at_us: int) -> None:
        """A stream of the call is up."""
        self._closed.pop(call.call_id, None)
        self._costs.call_opened(call)
        self._writer.put(self._row(call, started_at_us=call.started_at_us or at_us))

    def turn_settled(self, call: CallIdentity, turn: TurnEntry) -> None:
        """A turn is over."""
        wasted_usd = round(self._costs.wasted_usd(call, turn.usage), 9)
        for row in turn_rows(call, turn, wasted_cost_usd=wasted_usd):
            self._writer.put(row)
        if self._costs.turn_settled(call, turn):
            self._bill_again(call)

    def units_used(self, call: CallIdentity, usage: Mapping[str, float]) -> None:
        """Provider units of the call that belong to no turn."""
        if self._costs.units_used(call, usage):
            self._bill_again(call)

    def handed_over(self, call: CallIdentity, hand_over: Mapping[str, Any], *, at_us: int) -> None:
        """The carrier does something with the call; the resume webhook may have to look it up."""
        self._writer.put(hand_over_row(call, hand_over, at_us=at_us))

    def call_closed(self, call: CallIdentity, *, planned: bool, reason: str, at_us: int) -> None:
        """The call is over, or lost and not resumed in time."""
        started_at_us = call.started_at_us or at_us
        bill = self._costs.call_closed(
            call, planned=planned, reason=reason, duration_s=(at_us - started_at_us) / 1e6
        )
        row = self._row(
            call,
            started_at_us=call.started_at_us,
            ended_at_us=at_us,
            status="ended" if planned else "lost",
            planned_end=planned,
            end_reason=reason,
        )
        self._closed[call.call_id] = row
        while len(self._closed) > MAX_CLOSED:
            self._closed.popitem(last=False)
        self._writer.put(_billed(row, bill))

    def call_moved(self, call: CallIdentity) -> None:
        """Another CallActor has it: its record is written there."""
        self._costs.call_moved(call)

    def _bill_again(self, call: CallIdentity) -> None:
        """Something came after the end of a call, or after it moved, which has no row here."""
        bill = self._costs.bill(call)
        if (closed := self._closed.get(call.call_id)) is not None:
            self._writer.put(_billed(closed, bill))

    def _row(self, call: CallIdentity, **values: object) -> CallRow:
        return CallRow(
            tenant_id=call.tenant_id,
            agent_id=call.agent_id,
            agent_version=call.agent_version,
            call_id=call.call_id,
            call_sid=call.call_sid,
            epoch=call.epoch,
            direction=call.direction,
            caller=call.caller,
            called=call.called,
            language=self._costs.language(call),
            mode=self._costs.mode(call),
            **values,  # type: ignore[arg-type]
        )


def _billed(row: CallRow, bill: CallBill) -> CallRow:
    return replace(
        row,
        usage=dict(bill.usage),
        cost={component: round(usd, 9) for component, usd in bill.bill.usd.items()},
        cost_usd=round(bill.bill.total_usd, 9),
        wasted_cost_usd=round(bill.wasted.total_usd, 9),
        mode=bill.mode or row.mode,
    )
