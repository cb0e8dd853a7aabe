"""The table of requests in memory, which can be away, and a carrier with phones, which can too."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, Literal

from records.edge_rows import CallRequestRow
from records.errors import StoreUnavailable
from telephony.errors import CarrierUnreachable
from telephony.rest import (
    CallRecording,
    CarrierAccount,
    CarrierCall,
    CarrierNumber,
    CreateCall,
)

OURS = "+14155550199"
TENANT = "default"


def loop_clock_us() -> int:
    """A wall clock that goes as the loop's."""
    return round(asyncio.get_running_loop().time() * 1e6)


class RequestTable:
    """A ``Requests`` of the dialer: what ``records.request_store.RequestStore`` does, in memory.

    Attributes:
        is_away: Every method fails.
        lose_answers: So many changes from now on are made, and then fail.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], CallRequestRow] = {}
        self.is_away = False
        self.lose_answers = 0

    def add(self, number: int, **more: Any) -> CallRequestRow:
        """Keep a request to call phone ``number``."""
        now_us = loop_clock_us()
        given: dict[str, Any] = {
            "tenant_id": TENANT,
            "call_id": f"call-{number}",
            "agent_id": "ann",
            "to_number": phone(number),
            "from_number": OURS,
            "not_before_us": now_us,
            "created_at_us": now_us,
            "updated_at_us": now_us,
            **more,
        }
        row = CallRequestRow(**given)
        self.rows[row.tenant_id, row.call_id] = row
        return row

    def of(self, number: int) -> CallRequestRow:
        """The request to call phone ``number``."""
        return self.rows[TENANT, f"call-{number}"]

    def statuses(self) -> Counter[str]:
        """How many requests are in each status."""
        return Counter(row.status for row in self.rows.values())

    async def due(
        self, now_us: int, limit: int, without: Collection[str] = ()
    ) -> list[CallRequestRow]:
        await self._ask()
        found = [
            r for r in self.rows.values() if r.status == "queued" and r.not_before_us <= now_us
        ]
        found = [row for row in found if row.tenant_id not in without]
        return sorted(found, key=lambda r: (r.not_before_us, r.created_at_us, r.call_id))[:limit]

    async def unchanged_since(
        self, status: str, before_us: int, limit: int
    ) -> list[CallRequestRow]:
        await self._ask()
        found = [
            r for r in self.rows.values() if r.status == status and r.updated_at_us < before_us
        ]
        return found[:limit]

    async def changed_since(self, status: str, since_us: int, limit: int) -> list[CallRequestRow]:
        await self._ask()
        found = [
            r for r in self.rows.values() if r.status == status and r.updated_at_us >= since_us
        ]
        return found[:limit]

    async def change(
        self, tenant_id: str, call_id: str, expected: Collection[str], **changes: Any
    ) -> bool:
        await self._ask()
        row = self.rows.get((tenant_id, call_id))
        is_changed = row is not None and row.status in expected
        if row is not None and is_changed:
            self.rows[tenant_id, call_id] = replace(row, **changes)
        if self.lose_answers:
            self.lose_answers -= 1
            raise StoreUnavailable("the connection broke")
        return is_changed

    async def get(self, tenant_id: str, call_id: str) -> CallRequestRow | None:
        await self._ask()
        return self.rows.get((tenant_id, call_id))

    async def list(
        self, tenant_id: str | None, statuses: Collection[str] = (), limit: int = 50
    ) -> list[CallRequestRow]:
        await self._ask()
        return [row for row in self.rows.values() if row.status in statuses][:limit]

    async def _ask(self) -> None:
        await asyncio.sleep(0.001)
        if self.is_away:
            raise StoreUnavailable("the database is away")


class PhoneCompany:
    """A ``telephony.rest.CarrierRest`` whose phones ring; what goes wrong is scripted.

    Attributes:
        takes_s: How long an answer takes; the phone rings in the middle of it.
        script: What becomes of the next calls: an error is raised, before the phone rings unless
            it is a ``CarrierUnreachable`` that may have been done; None is an ordinary call.
        asked: When calls were asked for, and to whom.
        rung: How often each phone rang.
        ended: The sids of calls that were ended.
    """

    def __init__(self) -> None:
        self.takes_s = 0.1
        self.script: list[Exception | None] = []
        self.always: Exception | None = None
        self.asked: list[tuple[float, str]] = []
        self.rung: Counter[str] = Counter()
        self.ended: list[str] = []
        self.ending: list[Exception] = []
        self.deleted: list[str] = []
        self.deleting: dict[str, Exception] = {}
        self.states: dict[str, str | Exception] = {}
        self.recorded: list[tuple[str, CallRecording | None]] = []
        self.steered: list[tuple[str, str]] = []
        self.placed: list[CreateCall] = []
        self.on_ring: Callable[[str], None] = lambda _number: None

    async def create_call(self, call: CreateCall) -> str:
        self.asked.append((asyncio.get_running_loop().time(), call.to))
        self.placed.append(call)
        error = self.script.pop(0) if self.script else self.always
        await asyncio.sleep(self.takes_s / 2)
        if error is None or (isinstance(error, CarrierUnreachable) and error.maybe_done):
            self.rung[call.to] += 1
            self.on_ring(call.to)
        await asyncio.sleep(self.takes_s / 2)
        if error is not None:
            raise error
        return f"CA{sum(self.rung.values()):032x}"

    async def update_call(
        self, call_sid: str, *, twiml: str = "", status: Literal["", "completed", "canceled"] = ""
    ) -> None:
        if self.ending:
            raise self.ending.pop(0)
        if twiml:
            self.steered.append((call_sid, twiml))
        else:
            self.ended.append(call_sid)

    async def fetch_call(self, call_sid: str) -> CarrierCall:
        state = self.states[call_sid]
        if isinstance(state, Exception):
            raise state
        return CarrierCall(sid=call_sid, status=state)

    async def start_recording(self, call_sid: str, recording: CallRecording | None = None) -> str:
        self.recorded.append((call_sid, recording))
        return f"RE{len(self.recorded):032x}"

    async def delete_recording(self, recording_sid: str) -> bool:
        if recording_sid in self.deleting:
            raise self.deleting[recording_sid]
        self.deleted.append(recording_sid)
        return True

    async def find_number(self, number: str) -> CarrierNumber | None:
        return None

    async def set_number_urls(
        self, number_sid: str, *, voice_url: str, status_url: str, fallback_url: str | None = None
    ) -> None:
        raise NotImplementedError

    async def check_account(self) -> CarrierAccount:
        return CarrierAccount(sid="AC1", status="active", type="Full")

    async def close(self) -> None:
        pass


def phone(number: int) -> str:
    """The number of a phone, E.164."""
    return f"+1415555{number:04}"
