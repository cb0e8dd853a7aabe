"""The rows people and programs see: a call, its turns, and its journal.

Instants are UTC microseconds; 0 means not yet. ``epoch`` is (resume number, mint time in
microseconds): the larger one owns the call, and a write with a smaller one changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Epoch = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call.

    Attributes:
        turn_id: The highest turn known when the row was written.
        direction: ``inbound`` or ``outbound``.
        status: ``active``, ``ended`` (as planned) or ``lost`` (may be resumed).
        planned_end: True once somebody chose to end the call; it never becomes False again.
        end_reason: Such as ``caller_hung_up`` or ``stream_lost``.
        usage: Provider units of the whole call.
        cost: Component (such as ``llm`` or ``carrier``) to US dollars.
        cost_usd: Sum of ``cost``.
        wasted_cost_usd: The part of it that went into replies that were never spoken.
        erased_at_us: When the content of the call was erased; it never comes back.
        mode: How it was carried, with commas when in several ways: ``pipeline``, ``relay``,
            ``realtime``. While it runs: how it began; empty in rows of older versions.
    """

    tenant_id: str
    agent_id: str
    agent_version: str
    call_id: str
    call_sid: str
    epoch: Epoch = (0, 0)
    turn_id: int = 0
    direction: str = "inbound"
    caller: str = ""
    called: str = ""
    language: str = ""
    started_at_us: int = 0
    ended_at_us: int = 0
    status: str = "active"
    planned_end: bool = False
    end_reason: str = ""
    usage: Mapping[str, float] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
    cost_usd: float = 0.0
    wasted_cost_usd: float = 0.0
    erased_at_us: int = 0
    mode: str = ""


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One settled turn.

    Attributes:
        kind: ``greeting``, ``caller``, ``digits``, ``silence`` or ``resume``.
        outcome: ``heard``, ``interrupted``, ``failed`` or ``dropped``.
        at_us: When it was settled.
        media_time_s: Seconds of audio since the stream began, when it was settled.
        timeline: Stage to seconds after the caller's speech ended.
        usage: Provider units of this turn.
        speculative_calls: Replies asked of the language model before the turn was taken.
        wasted_calls: Replies asked for that were never spoken.
        wasted_cost_usd: What these cost, voice included, as far as prices are known.
        cache: What the response cache said: ``outcome``, ``reason``, ``tier``, ``entry_id``,
            ``similarity``, ``lookup_s``; empty when it was not asked. Holds no words.
    """

    tenant_id: str
    agent_id: str
    agent_version: str
    call_id: str
    call_sid: str
    turn_id: int
    epoch: Epoch = (0, 0)
    kind: str = "caller"
    caller_text: str = ""
    agent_text: str = ""
    heard_text: str = ""
    outcome: str = "heard"
    reason: str = ""
    at_us: int = 0
    media_time_s: float = 0.0
    timeline: Mapping[str, float] = field(default_factory=dict)
    usage: Mapping[str, float] = field(default_factory=dict)
    speculative_calls: int = 0
    wasted_calls: int = 0
    wasted_cost_usd: float = 0.0
    cache: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JournalRow:
    """Something that happened in a call, never changed afterwards.

    Attributes:
        entry_id: UUIDv7 of the entry, or ``records.ids.derived_id`` of what happened; the same
            entry written twice is one entry.
        kind: Past tense, such as ``stream_lost`` or ``call_replaced``; ``carrier_status`` for
            status callbacks.
        data: JSON types only.
    """

    tenant_id: str
    agent_id: str
    agent_version: str
    call_id: str
    call_sid: str
    entry_id: str
    epoch: Epoch = (0, 0)
    turn_id: int = 0
    kind: str = ""
    at_us: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)


Row = CallRow | TurnRow | JournalRow

CallCursor = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to list; empty fields do not filter.

    Attributes:
        tenant_id: None: calls of all tenants.
        number: Caller or called number, E.164.
        started_from_us: First instant taken.
        started_before_us: First instant no longer taken; 0: no end.
    """

    tenant_id: str | None = None
    agent_id: str = ""
    direction: str = ""
    status: str = ""
    language: str = ""
    number: str = ""
    started_from_us: int = 0
    started_before_us: int = 0


def cursor_of(row: CallRow) -> CallCursor:
    """Where a page that ends with this call goes on."""
    return row.started_at_us, row.call_id, row.tenant_id
