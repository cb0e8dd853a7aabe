"""Rows of a call's story; whoever writes them, the same event makes the same row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from actors.reply_units import GUESSED, WASTED
from actors.wire import TurnEntry
from dialogue.session import CallIdentity
from records.ids import derived_id
from records.rows import JournalRow, TurnRow

HANDED_OVER = "handed_over"  # kinds of journal entries
MOVED = "moved"
TOOL_USED = "tool_used"
TOOL_BEGUN = "tool_begun"
TOOL_ENDED = "tool_ended"


def turn_rows(
    call: CallIdentity, turn: TurnEntry, *, wasted_cost_usd: float = 0.0
) -> Iterator[TurnRow | JournalRow]:
    """A turn, then the tools that it used; ``wasted_cost_usd`` went into unspoken replies."""
    yield TurnRow(
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
        speculative_calls=round(turn.usage.get(GUESSED, 0)),
        wasted_calls=round(turn.usage.get(WASTED, 0)),
        wasted_cost_usd=wasted_cost_usd,
        cache=turn.cache,
    )
    for number, use in enumerate(turn.tools):
        entry_id = derived_id(call.call_id, f"turn {turn.turn_id}", f"tool {number}")
        yield _journal_row(call, entry_id, TOOL_USED, use, at_us=turn.at_us, turn_id=turn.turn_id)


def use_row(call: CallIdentity, turn_id: int, use: Mapping[str, Any], *, at_us: int) -> JournalRow:
    """A tool that runs has begun, or has ended: told before its turn is over, or without it."""
    kind = TOOL_ENDED if use.get("result") else TOOL_BEGUN
    entry_id = derived_id(call.call_id, kind, str(use.get("id")))
    return _journal_row(call, entry_id, kind, use, at_us=at_us, turn_id=turn_id)


def hand_over_row(call: CallIdentity, hand_over: Mapping[str, Any], *, at_us: int) -> JournalRow:
    """What the carrier does with a call since the end of this stream."""
    entry_id = derived_id(call.call_id, HANDED_OVER, str(call.epoch[0]))
    return _journal_row(call, entry_id, HANDED_OVER, hand_over, at_us=at_us)


def moved_row(call: CallIdentity, owner: Mapping[str, Any], *, at_us: int) -> JournalRow:
    """Which CallActor has a call since it lost its own."""
    entry_id = derived_id(call.call_id, MOVED, f"{call.epoch[0]}/{call.epoch[1]}")
    return _journal_row(call, entry_id, MOVED, owner, at_us=at_us)


def _journal_row(
    call: CallIdentity,
    entry_id: str,
    kind: str,
    data: Mapping[str, Any],
    *,
    at_us: int,
    turn_id: int = 0,
) -> JournalRow:
    return JournalRow(
        tenant_id=call.tenant_id,
        agent_id=call.agent_id,
        agent_version=call.agent_version,
        call_id=call.call_id,
        call_sid=call.call_sid,
        entry_id=entry_id,
        epoch=call.epoch,
        turn_id=turn_id,
        kind=kind,
        at_us=at_us,
        data=dict(data),
    )
