"""Calls as people ask for them: those that came in, and those that were asked for, in one list.

A call that was asked for is known before anybody answers it, and one that nobody answered never
becomes a call of the records; so the list is of both tables, each call once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select, tuple_, union_all

from records.database import Database, as_database
from records.edge_rows import CallRequestRow
from records.tables import CALL_REQUESTS, CALLS

OverviewCursor = tuple[int, str]
Columns = Any  # of a subquery, by name


@dataclass(frozen=True, slots=True)
class CallOverview:
    """One call.

    Attributes:
        state: Of the request, where there is one and the records do not know better; else
            ``answered``, ``completed`` or ``failed``.
        created_at_us: When it was asked for, or came in.
        started_at_us: When its stream began; 0: not yet.
    """

    tenant_id: str
    call_id: str
    agent_id: str
    agent_version: str
    direction: str
    state: str
    from_number: str
    to_number: str
    call_sid: str
    language: str
    mode: str
    created_at_us: int
    started_at_us: int
    ended_at_us: int
    end_reason: str
    answered_by: str
    cost_usd: float
    error_code: int
    error: str
    erased_at_us: int


@dataclass(frozen=True, slots=True)
class OverviewFilter:
    """Which calls; empty fields do not filter.

    Attributes:
        from_us: First instant (``created_at_us``) taken.
        before_us: First instant no longer taken; 0: no end.
    """

    tenant_id: str
    state: str = ""
    direction: str = ""
    agent_id: str = ""
    from_number: str = ""
    to_number: str = ""
    from_us: int = 0
    before_us: int = 0


async def list_overview(
    where: Database | str, chosen: OverviewFilter, limit: int, before: OverviewCursor | None = None
) -> list[CallOverview]:
    """A page of a tenant's calls, the newest first. Raises ``RecordsError``.

    Args:
        where: The database, or its ``DATABASE_URL``.
        chosen: Which calls.
        limit: Rows on the page.
        before: ``created_at_us`` and ``call_id`` of the last call of the page before.
    """
    page = _page(_branches(chosen.tenant_id), _matching(chosen, before), limit)
    return await _read(where, page, limit)


async def find_overview(where: Database | str, tenant_id: str, call_id: str) -> CallOverview | None:
    """One call, or None. Raises ``RecordsError``."""
    found = await _read(where, _page(_branches(tenant_id), _is(call_id), 1), 1)
    return found[0] if found else None


def overview_of_new(request: CallRequestRow) -> CallOverview:
    """A call that was asked for just now, as the tables show it."""
    return CallOverview(
        tenant_id=request.tenant_id,
        call_id=request.call_id,
        agent_id=request.agent_id,
        agent_version="",
        direction="outbound",
        state=request.status,
        from_number=request.from_number,
        to_number=request.to_number,
        call_sid=request.call_sid,
        language="",
        mode="",
        created_at_us=request.created_at_us,
        started_at_us=0,
        ended_at_us=0,
        end_reason="",
        answered_by=request.answered_by,
        cost_usd=0.0,
        error_code=request.error_code,
        error=request.error,
        erased_at_us=request.erased_at_us,
    )


def _is(call_id: str) -> Callable[[Columns], list[ColumnElement[bool]]]:
    return lambda row: [row.call_id == call_id]


def _matching(
    chosen: OverviewFilter, before: OverviewCursor | None
) -> Callable[[Columns], list[ColumnElement[bool]]]:
    def conditions(row: Columns) -> list[ColumnElement[bool]]:
        names = ("state", "direction", "agent_id", "from_number", "to_number")
        found = [row[name] == getattr(chosen, name) for name in names if getattr(chosen, name)]
        if chosen.from_us:
            found.append(row.created_at_us >= chosen.from_us)
        if chosen.before_us:
            found.append(row.created_at_us < chosen.before_us)
        if before is not None:
            found.append(tuple_(row.created_at_us, row.call_id) < before)
        return found

    return conditions


def _page(
    branches: Iterable[Select[Any]],
    conditions: Callable[[Columns], list[ColumnElement[bool]]],
    limit: int,
) -> Select[Any]:
    """The newest rows of each branch, and of these the newest: no branch is read whole."""
    newest = []
    for branch in branches:
        row = branch.subquery()
        query = select(row).where(*conditions(row.c))
        order = (row.c.created_at_us.desc(), row.c.call_id.desc())
        newest.append(select(query.order_by(*order).limit(limit).subquery()))
    both = union_all(*newest).subquery()
    return select(both).order_by(both.c.created_at_us.desc(), both.c.call_id.desc())


def _branches(tenant_id: str) -> tuple[Select[Any], Select[Any]]:
    """Calls that were asked for, and calls that came in, with the same columns."""
    request, call = CALL_REQUESTS.c, CALLS.c
    same = and_(request.tenant_id == call.tenant_id, request.call_id == call.call_id)
    of_call: Mapping[str, Any] = {
        "agent_version": call.agent_version,
        "language": call.language,
        "mode": call.mode,
        "started_at_us": call.started_at_us,
        "ended_at_us": call.ended_at_us,
        "end_reason": call.end_reason,
        "cost_usd": call.cost_usd,
    }
    empty: Mapping[str, Any] = {"started_at_us": 0, "ended_at_us": 0, "cost_usd": 0.0}
    state_of_call = case(
        (call.status == "ended", "completed"), (call.status == "lost", "failed"), else_="answered"
    )
    asked_for = select(
        request.tenant_id,
        request.call_id,
        request.agent_id,
        literal("outbound").label("direction"),
        _state(request.status, call.status).label("state"),
        request.from_number,
        request.to_number,
        request.call_sid,
        request.created_at_us,
        request.answered_by,
        request.error_code,
        request.error,
        request.erased_at_us,
        *(
            func.coalesce(column, empty.get(name, "")).label(name)
            for name, column in of_call.items()
        ),
    ).select_from(CALL_REQUESTS.outerjoin(CALLS, same))
    came_in = select(
        call.tenant_id,
        call.call_id,
        call.agent_id,
        call.direction,
        state_of_call.label("state"),
        call.caller.label("from_number"),
        call.called.label("to_number"),
        call.call_sid,
        call.started_at_us.label("created_at_us"),
        literal("").label("answered_by"),
        literal(0).label("error_code"),
        case((call.status == "lost", call.end_reason), else_="").label("error"),
        call.erased_at_us,
        *(column.label(name) for name, column in of_call.items()),
    ).where(~select(request.call_id).where(same).exists())
    # Columns stand in the order of both.
    return (
        asked_for.where(request.tenant_id == tenant_id),
        came_in.where(call.tenant_id == tenant_id),
    )


def _state(asked: ColumnElement[str], recorded: ColumnElement[str]) -> ColumnElement[str]:
    """Of a call that was asked for: a lost callback does not keep it open for ever."""
    is_open = asked.in_(("dialing", "placed", "answered"))
    return case(
        (and_(is_open, recorded == "ended"), "completed"),
        (and_(is_open, recorded == "active"), "answered"),
        else_=asked,
    )


async def _read(where: Database | str, query: Select[Any], limit: int) -> list[CallOverview]:
    database = as_database(where)
    return [CallOverview(**columns) for columns in await database.fetch(query.limit(limit))]
