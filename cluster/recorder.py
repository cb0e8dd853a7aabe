"""From what a CallActor tells to rows of the call store."""

from __future__ import annotations

from actors.wire import TurnEntry
from dialogue.session import CallIdentity
from records.rows import CallRow, TurnRow
from records.writer import RecordWriter


class StoreRecorder:
    """Puts rows into the writer's buffer; never waits.

    Args:
        writer: Writes behind the call's back.
    """

    def __init__(self, writer: RecordWriter) -> None:
        self._writer = writer

    def call_opened(self, call: CallIdentity, *, at_us: int) -> None:
        """A stream of the call is up."""
        self._writer.put(_row(call, started_at_us=call.started_at_us or at_us))

    def turn_settled(self, call: CallIdentity, turn: TurnEntry) -> None:
        """A turn is over."""
        self._writer.put(
            TurnRow(
                tenant_id=call.tenant_id,
                agent_id=call.agent_id,
                agent_version=call.agent_version,
                call_id=call.call_id,
                call_sid=call.call_sid,
                turn_id=turn.turn_id,
                epoch=call.epoch,
                kind=turn.kind,
                caller_text=turn.caller_text,
                agent_text=turn.agent_text,
                heard_text=turn.heard_text,
                outcome=turn.outcome,
                reason=turn.reason,
                at_us=turn.at_us,
                timeline=turn.timeline,
                usage=turn.usage,
            )
        )

    def call_closed(self, call: CallIdentity, *, planned: bool, reason: str, at_us: int) -> None:
        """The call is over, or lost and not resumed in time."""
        self._writer.put(
            _row(
                call,
                started_at_us=call.started_at_us,
                ended_at_us=at_us,
                status="ended" if planned else "lost",
                planned_end=planned,
                end_reason=reason,
            )
        )


def _row(call: CallIdentity, **values: object) -> CallRow:
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
        **values,  # type: ignore[arg-type]
    )
