from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from records.database import Database
from records.erasure import ErasedCall, erase
from records.recording_store import RecordingStore
from records.request_store import RequestStore
from records.rows import CallRow
from records.store import RecordStore
from tests.records.conftest import OnDatabase, opened
from tests.records.edge_samples import recording, request
from tests.records.rows import call, entry, turn

SAID = "my card is 4111"
KNOWN = call(
    caller="+15550001",
    called="+15550002",
    language="en",
    status="ended",
    planned_end=True,
    ended_at_us=9_000,
    usage={"spoken_chars": 5},
    cost={"llm": 0.5},
    cost_usd=0.5,
)


def spoken(turn_id: int = 1) -> object:
    return turn(
        turn_id,
        caller_text=SAID,
        agent_text=SAID,
        heard_text=SAID,
        at_us=77,
        timeline={"eager": 0.2},
        usage={"spoken_chars": 5},
    )


async def fill(database: Database) -> None:
    await RecordStore(database).write(
        [
            KNOWN,
            spoken(1),
            spoken(2),
            entry("e", kind="tool_called", data={"x": SAID}),
            call(call_id="else", caller="+1"),
            turn(1, call_id="else", caller_text=SAID),
        ]  # type: ignore[list-item]
    )
    await RequestStore(database).add(
        request(
            idempotency_key="k",
            body_digest="d",
            variables={"x": SAID},
            options=options(SAID),
            error=SAID,
            status="completed",
            call_sid="CA1",
        )
    )
    await RecordingStore(database).put(recording())


def options(message: str) -> dict[str, object]:
    return {"timeout_s": 9, "machine_detection": {"mode": "leave_message", "message": message}}


def without_numbers(row: CallRow, **changes: object) -> CallRow:
    values = {name: getattr(row, name) for name in row.__slots__}
    return CallRow(**{**values, "caller": "", "called": "", **changes})


async def check_erased(database: Database, *, turns: int = 2) -> None:
    """Whatever is known of the call is counts and times."""
    store = RecordStore(database)
    assert await store.call("acme", "call-1") == without_numbers(KNOWN, erased_at_us=500)
    found = await store.turns("acme", "call-1")
    assert len(found) == turns
    assert {(row.caller_text, row.agent_text, row.heard_text) for row in found} == {("", "", "")}
    assert {row.at_us for row in found} == {77}
    assert {tuple(row.usage.items()) for row in found} == {(("spoken_chars", 5),)}
    journal = await store.journal("acme", "call-1")
    assert {row.kind for row in journal} == {"tool_called"}
    assert all(row.data == {} for row in journal)


def test_content_goes_and_counts_and_times_stay(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        await fill(database)
        assert await erase(database, "acme", "call-1", at_us=500) == ErasedCall(500, 2, 1, ("RE1",))
        await check_erased(database)
        kept = await RequestStore(database).get("acme", "call-1")
        assert kept is not None
        assert kept == request(
            to_number="",
            from_number="",
            idempotency_key="k",
            options=options(""),
            status="completed",
            call_sid="CA1",
            erased_at_us=500,
        )
        recordings = RecordingStore(database)
        assert await recordings.of_call("acme", "call-1") == []
        assert [(row.recording_sid, row.url) for row in await recordings.deleting()] == [
            ("RE1", "")
        ]
        other = await RecordStore(database).turns("acme", "else")
        assert [row.caller_text for row in other] == [SAID]

    on_database(use)


def test_what_comes_late_brings_nothing_back(on_database: OnDatabase) -> None:
    """The writer's buffer, a resumed stream, a callback: all of them may come after."""

    async def use(database: Database) -> None:
        await fill(database)
        await erase(database, "acme", "call-1", at_us=500)
        await RecordStore(database).write(
            [KNOWN, spoken(2), spoken(3), entry("late", kind="tool_called", data={"x": SAID})]  # type: ignore[list-item]
        )
        await check_erased(database, turns=3)
        recordings = RecordingStore(database)
        assert not await recordings.put(recording("RE2"))
        assert [row.recording_sid for row in await recordings.deleting()] == ["RE1", "RE2"]
        requests = RequestStore(database)
        assert await requests.change(
            "acme",
            "call-1",
            {"completed"},
            to_number="+1",
            variables={"x": SAID},
            options={**options(SAID), "hang_up": True},
            error=SAID,
            answered_by="human",
            updated_at_us=600,
        )
        kept = await requests.get("acme", "call-1")
        assert kept is not None
        assert (kept.to_number, kept.variables, kept.error) == ("", {}, "")
        assert kept.options == {**options(""), "hang_up": True}
        assert kept.answered_by == "human"

    on_database(use)


def test_a_request_sent_again_after_the_erasure_dials_nobody(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        await fill(database)
        await erase(database, "acme", "call-1", at_us=500)
        again = request("call-9", idempotency_key="k", body_digest="d")
        row, created = await RequestStore(database).add(again)
        assert (row.call_id, created) == ("call-1", False)

    on_database(use)


def test_twice_is_once(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        await fill(database)
        await erase(database, "acme", "call-1", at_us=500)
        assert await erase(database, "acme", "call-1", at_us=900) == ErasedCall(500, 2, 1, ("RE1",))
        await check_erased(database)

    on_database(use)


@pytest.mark.parametrize("tenant_and_call", [("other", "call-1"), ("acme", "nobody")])
def test_a_call_nobody_knows_is_said(
    on_database: OnDatabase, tenant_and_call: tuple[str, str]
) -> None:
    async def use(database: Database) -> None:
        await fill(database)
        assert await erase(database, *tenant_and_call, at_us=500) is None
        found = await RecordStore(database).turns("acme", "call-1")
        assert [row.caller_text for row in found] == [SAID, SAID]

    on_database(use)


def test_a_call_that_still_waits_in_the_queue_is_canceled(on_database: OnDatabase) -> None:
    """And what is written of it later, were it dialed all the same, has no content."""

    async def use(database: Database) -> None:
        requests = RequestStore(database)
        await requests.add(request(created_at_us=100))
        assert await erase(database, "acme", "call-1", at_us=500) == ErasedCall(500, 0, 0, ())
        assert await requests.due(1_000, 10) == []
        store = RecordStore(database)
        await store.write([KNOWN, spoken(1)])  # type: ignore[list-item]
        found = await store.call("acme", "call-1")
        assert found == without_numbers(KNOWN, erased_at_us=500, started_at_us=100)
        assert [row.caller_text for row in await store.turns("acme", "call-1")] == [""]

    on_database(use)


@pytest.mark.parametrize("row", [turn(1, at_us=5), entry("e", at_us=5)])
def test_a_call_whose_own_row_is_missing_can_be_erased(
    on_database: OnDatabase, row: object
) -> None:
    async def use(database: Database) -> None:
        store = RecordStore(database)
        await store.write([row])  # type: ignore[list-item]
        assert await erase(database, "acme", "call-1", at_us=500) is not None
        found = await store.call("acme", "call-1")
        assert found is not None
        assert (found.agent_id, found.call_sid, found.started_at_us) == ("reception", "CA1", 5)

    on_database(use)


def test_writers_at_the_same_time_leave_nothing(database_url: str) -> None:
    """Turns of one call are written by several processes while it is erased."""

    async def main() -> None:
        async with opened(database_url) as database:
            await RecordStore(database).write([KNOWN])
            others = [Database(database_url) for _ in range(3)]

            async def write(first: int, other: Database) -> None:
                for n in range(15):
                    await RecordStore(other).write([spoken(first + n), KNOWN])  # type: ignore[list-item]

            async def erase_soon() -> None:
                await asyncio.sleep(0.02)
                await erase(database, "acme", "call-1", at_us=500)

            await asyncio.gather(
                erase_soon(), *(write(100 * n, other) for n, other in enumerate(others))
            )
            found = await RecordStore(database).turns("acme", "call-1")
            assert len(found) == 45
            assert {row.caller_text for row in found} == {""}
            for other in others:
                await other.aclose()

    asyncio.run(main())


def test_nothing_is_left_in_the_file(tmp_path: Path) -> None:
    """SQLite keeps what was deleted in free pages and in its log, unless it is told not to."""

    async def main() -> None:
        async with opened(f"sqlite:///{tmp_path}/calls.sqlite3") as database:
            rows = [turn(n, caller_text=f"{SAID} {n} " * 200) for n in range(50)]
            await RecordStore(database).write([call(caller="+15550009"), *rows])
            assert SAID.encode() in every_byte(tmp_path)
            await erase(database, "acme", "call-1", at_us=500)
            assert SAID.encode() not in every_byte(tmp_path)
            assert b"+15550009" not in every_byte(tmp_path)

    asyncio.run(main())


def every_byte(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())
