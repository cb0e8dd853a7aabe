"""Who has a call now, when its tokens still name an actor that lost it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cluster import call_moves
from cluster.call_moves import CallMoves, stored_move
from cluster.call_rows import hand_over_row, moved_row
from dialogue.session import CallIdentity
from records.errors import StoreUnavailable
from records.rows import JournalRow
from telephony.stream_token import StreamClaims
from tests.support.virtual_time import run

CLAIMS = StreamClaims("action", "default", "ann", "call-1", "CA1", "a", 1, 50, 99, "id")
CALL = CallIdentity("default", "ann", "v1", "call-1", "CA1", (1, 50))


def moved(actor: str, epoch: tuple[int, int]) -> JournalRow:
    owner = {"actor": actor, "minted_us": epoch[1]}
    return moved_row(replace(CALL, epoch=epoch), owner, at_us=epoch[1])


async def nothing(_claims: StreamClaims) -> Mapping[str, Any]:
    return {}


def test_the_newest_move_of_the_record_counts() -> None:
    rows = [
        moved("old", (0, 99)),  # of an earlier stream: the token is newer
        moved("b", (1, 60)),
        moved("c", (1, 70)),
        hand_over_row(CALL, {"actor": "x", "minted_us": 900}, at_us=1),
    ]

    async def journal(_tenant: str, call_id: str) -> list[JournalRow]:
        return rows if call_id == "call-1" else []

    moves = CallMoves(stored_move(journal))
    assert run(moves.current(CLAIMS)) == replace(CLAIMS, actor="c", minted_us=70)
    other = replace(CLAIMS, call_id="call-2")
    assert run(moves.current(other)) == other
    newer = replace(CLAIMS, resume=2, minted_us=80)
    assert run(moves.current(newer)) == newer


def test_what_this_replica_did_itself_is_not_asked_for() -> None:
    async def never(_claims: StreamClaims) -> Mapping[str, Any]:
        raise AssertionError("the record is not to be asked")

    moves = CallMoves(never)
    moves.note("call-1", (1, 60), {"actor": "b", "minted_us": 60})
    assert run(moves.current(CLAIMS)).actor == "b"


def test_a_move_before_the_token_was_made_is_over() -> None:
    moves = CallMoves(nothing)
    moves.note("call-1", (1, 40), {"actor": "b", "minted_us": 40})
    assert run(moves.current(CLAIMS)) == CLAIMS


def test_a_move_of_an_earlier_stream_is_over_whatever_clock_it_was_told_by() -> None:
    moves = CallMoves(nothing)
    moves.note("call-1", (0, 900), {"actor": "b", "minted_us": 900})  # a clock that is ahead
    assert run(moves.current(CLAIMS)) == CLAIMS


def test_an_older_stream_that_wakes_up_does_not_hide_a_newer_move() -> None:
    moves = CallMoves(nothing)
    moves.note("call-1", (1, 60), {"actor": "b", "minted_us": 60})
    moves.note("call-1", (0, 900), {"actor": "z", "minted_us": 900})
    assert run(moves.current(CLAIMS)).actor == "b"


@pytest.mark.parametrize("hangs", [True, False])
def test_a_record_that_does_not_answer_holds_nobody_up(hangs: bool) -> None:
    async def stored(_claims: StreamClaims) -> Mapping[str, Any]:
        if hangs:
            await asyncio.sleep(60.0)
        raise StoreUnavailable("away")

    async def story() -> float:
        began = asyncio.get_running_loop().time()
        assert await CallMoves(stored).current(CLAIMS) == CLAIMS
        return asyncio.get_running_loop().time() - began

    assert run(story()) <= call_moves.READ_WITHIN_S + 0.01


def test_a_replica_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_moves, "MOVES_KEPT", 1)
    moves = CallMoves(nothing)
    moves.note("call-1", (1, 60), {"actor": "b", "minted_us": 60})
    moves.note("call-2", (1, 60), {"actor": "c", "minted_us": 60})
    assert run(moves.current(CLAIMS)) == CLAIMS
    assert run(moves.current(replace(CLAIMS, call_id="call-2"))).actor == "c"
