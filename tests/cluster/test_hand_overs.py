"""What is to be done with a call whose stream has ended, told by three who may each be gone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from actors.comeback import Comeback
from actors.mind_calls import INGRESS_VANISHED
from actors.wire import CallState
from cluster import hand_overs
from cluster.hand_overs import HandOvers, comeback_of, note_of, stored_hand_over
from records.errors import StoreUnavailable
from records.rows import JournalRow
from telephony.stream_token import StreamClaims

DIAL = {"verb": "dial", "tool": "sales"}
KEYS = {"verb": "digits", "tool": "press", "digits": "1"}
CLAIMS = StreamClaims("action", "t", "ann", "call-1", "CA1", "a", 2, 5, 9, "id")


class Record:
    """A store that says this, or is down."""

    def __init__(self, says: Mapping[str, Any] | None) -> None:
        self.says = says
        self.asked = 0

    async def __call__(self, _claims: StreamClaims) -> Mapping[str, Any]:
        self.asked += 1
        if self.says is None:
            raise StoreUnavailable("the database is away")
        return self.says


def state(**fields: Any) -> CallState:
    return CallState(known=True, **{"epoch": (2, 5), **fields})


@pytest.mark.parametrize(
    ("seen", "actor", "stored", "found", "asked"),
    [
        # Who saw it itself asks nobody.
        (DIAL, None, KEYS, DIAL, 0),
        (DIAL, state(planned_end=True), KEYS, DIAL, 0),
        # The actor knows it, of this very stream.
        (None, state(reason="transferring", hand_over=DIAL), KEYS, DIAL, 0),
        (None, state(reason="x", hand_over=DIAL, epoch=(1, 5)), KEYS, {}, 0),
        # It had the call to the last: nothing was to be done.
        (None, state(planned_end=True, reason="caller_hung_up"), KEYS, {}, 0),
        (None, state(reason="stream_lost"), KEYS, {}, 0),
        # It knows nothing of the end, or is gone: the record says.
        (None, state(), KEYS, KEYS, 1),
        (None, state(reason=INGRESS_VANISHED), KEYS, KEYS, 1),
        (None, CallState(known=False), KEYS, KEYS, 1),
        (None, None, KEYS, KEYS, 1),
        (None, None, {}, {}, 1),
        # With both gone and the record away, nothing is known: the call is taken for lost.
        (None, None, None, {}, 1),
    ],
)
def test_who_knows_is_asked_in_order(
    seen: dict[str, Any] | None,
    actor: CallState | None,
    stored: dict[str, Any] | None,
    found: dict[str, Any],
    asked: int,
) -> None:
    record = Record(stored)
    known = HandOvers(record)
    if seen is not None:
        known.note("call-1", 2, seen)
    known.note("call-1", 1, {"verb": "end"})  # of an earlier stream: not done again
    known.note("call-2", 2, {"verb": "end"})
    assert asyncio.run(known.find(CLAIMS, actor)) == found
    assert record.asked == asked


def test_a_replica_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hand_overs, "HAND_OVERS_KEPT", 2)
    known = HandOvers(Record({}))
    for call_id in ("call-1", "call-2", "call-3"):
        known.note(call_id, 2, DIAL)
    assert asyncio.run(known.find(CLAIMS, None)) == {}
    assert len(known._seen) == 2


def test_the_journal_is_read_for_the_stream_that_has_ended() -> None:
    def row(kind: str, resume: int, data: dict[str, Any]) -> JournalRow:
        where = ("t", "ann", "v1", "call-1", "CA1", f"{kind}{resume}")
        return JournalRow(*where, epoch=(resume, 1), kind=kind, data=data)

    async def journal(tenant_id: str, call_id: str) -> list[JournalRow]:
        assert (tenant_id, call_id) == ("t", "call-1")
        return [
            row("tool_used", 2, {"name": "sales"}),
            row("handed_over", 1, KEYS),
            row("handed_over", 2, DIAL),
        ]

    assert asyncio.run(stored_hand_over(journal)(CLAIMS)) == DIAL


@pytest.mark.parametrize(
    "comeback",
    [
        Comeback("dial", "sales", "no-answer"),
        Comeback("dial", "sales"),
        Comeback("digits", "press"),
        Comeback("dial"),
    ],
)
def test_a_comeback_survives_its_journey(comeback: Comeback) -> None:
    assert comeback_of(note_of(comeback)) == comeback


@pytest.mark.parametrize("note", ["", "fax:office", ":", "dialled"])
def test_a_note_of_another_version_is_none(note: str) -> None:
    assert comeback_of(note) is None
