from __future__ import annotations

import asyncio
import csv
import json
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records import export as export_module
from records.csv_table import harmless
from records.database import Database
from records.errors import ExportFailed
from records.export import export
from records.rows import CallFilter
from records.store import RecordStore
from tests.records.conftest import OnDatabase, opened
from tests.records.rows import call, turn

START_US = 1_767_323_045_000_006  # 2026-01-02T03:04:05.000006Z


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_calls_and_turns_are_written_the_oldest_first(
    on_database: OnDatabase, tmp_path: Path
) -> None:
    async def use(database: Database) -> None:
        await RecordStore(database).write(
            [
                call(call_id="b", started_at_us=START_US + 5),
                call(
                    call_id="a",
                    started_at_us=START_US,
                    ended_at_us=START_US + 2_500_000,
                    caller="+15550001",
                    planned_end=True,
                    cost={"llm": 0.25},
                    cost_usd=0.25,
                ),
                turn(2, call_id="a", caller_text='早晨, "ok"\nline', timeline={"eager": -0.2}),
                turn(1, call_id="a", at_us=START_US),
                turn(1, call_id="b"),
                turn(1, call_id="lost"),
            ]
        )
        done = await export(database, CallFilter(), tmp_path / "new")
        assert (done.calls, done.turns) == (2, 3)

    on_database(use)
    calls = read_csv(tmp_path / "new/calls.csv")
    assert [row["call_id"] for row in calls] == ["a", "b"]
    assert {name: calls[0][name] for name in ("started_at", "ended_at", "duration_s")} == {
        "started_at": "2026-01-02T03:04:05.000006Z",
        "ended_at": "2026-01-02T03:04:07.500006Z",
        "duration_s": "2.5",
    }
    assert (calls[0]["caller"], calls[0]["planned_end"]) == ("'+15550001", "true")
    assert (calls[0]["cost"], calls[0]["cost_usd"]) == ('{"llm": 0.25}', "0.25")
    assert (calls[1]["ended_at"], calls[1]["duration_s"]) == ("", "")
    turns = read_csv(tmp_path / "new/turns.csv")
    assert [(row["call_id"], row["turn_id"]) for row in turns] == [
        ("a", "1"),
        ("a", "2"),
        ("b", "1"),
    ]
    assert turns[1]["caller_text"] == '早晨, "ok"\nline'
    assert json.loads(turns[1]["timeline"]) == {"eager": -0.2}


def test_parquet_has_the_same_rows_with_types(on_database: OnDatabase, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")

    async def use(database: Database) -> None:
        rows = [turn(n, caller_text="=1+1") for n in range(3)]
        await RecordStore(database).write([call(started_at_us=START_US, caller="+1"), *rows])
        await export(database, CallFilter(), tmp_path, "parquet")

    on_database(use)
    calls: list[dict[str, Any]] = parquet.read_table(tmp_path / "calls.parquet").to_pylist()
    assert calls[0]["started_at"] == datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert (calls[0]["ended_at"], calls[0]["planned_end"], calls[0]["caller"]) == (
        None,
        False,
        "+1",
    )
    turns = parquet.read_table(tmp_path / "turns.parquet").to_pylist()
    assert [(row["turn_id"], row["caller_text"]) for row in turns] == [
        (n, "=1+1") for n in range(3)
    ]


def test_an_empty_parquet_has_its_columns(on_database: OnDatabase, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")

    async def use(database: Database) -> None:
        await export(database, CallFilter(), tmp_path, "parquet")

    on_database(use)
    assert "cost_usd" in parquet.read_table(tmp_path / "calls.parquet").column_names


def test_filters_choose_calls_and_their_turns(on_database: OnDatabase, tmp_path: Path) -> None:
    async def use(database: Database) -> None:
        await RecordStore(database).write(
            [
                *(call(call_id=f"c{n}", started_at_us=n) for n in range(1, 5)),
                *(turn(1, call_id=f"c{n}") for n in range(1, 5)),
                call(call_id="c2", tenant_id="other", started_at_us=2),
                turn(1, call_id="c2", tenant_id="other"),
            ]
        )
        chosen = CallFilter(tenant_id="acme", started_from_us=2, started_before_us=4)
        done = await export(database, chosen, tmp_path)
        assert (done.calls, done.turns) == (2, 2)

    on_database(use)
    for path in (tmp_path / "calls.csv", tmp_path / "turns.csv"):
        found = [(row["tenant_id"], row["call_id"]) for row in read_csv(path)]
        assert found == [("acme", "c2"), ("acme", "c3")]


@pytest.mark.parametrize("per_page", [1, 2, 3, 7])
def test_every_row_is_written_once_whatever_the_page(
    on_database: OnDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, per_page: int
) -> None:
    monkeypatch.setattr(export_module, "PAGE_CALLS", per_page)
    monkeypatch.setattr(export_module, "PAGE_TURNS", per_page)
    told: list[tuple[int, int]] = []

    async def use(database: Database) -> None:
        rows = [call(call_id=f"c{n}", started_at_us=n // 2) for n in range(6)]
        turns = [turn(k, call_id=f"c{n}") for n in range(6) for k in range(n)]
        await RecordStore(database).write([*rows, *turns])
        await export(database, CallFilter(), tmp_path, progress=lambda *counts: told.append(counts))

    on_database(use)
    assert [row["call_id"] for row in read_csv(tmp_path / "calls.csv")] == [
        f"c{n}" for n in range(6)
    ]
    turns = [(row["call_id"], row["turn_id"]) for row in read_csv(tmp_path / "turns.csv")]
    assert turns == [(f"c{n}", str(k)) for n in range(6) for k in range(n)]
    assert told[-1] == (6, 15)


@settings(max_examples=50)
@given(st.text(max_size=20))
def test_no_cell_is_a_formula_and_every_text_can_be_had_back(text: str) -> None:
    cell = harmless(text)
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r"))
    assert text == (cell.removeprefix("'"))


@pytest.mark.parametrize("text", ["=1+1", "+1555", "-2", "@SUM(A1)", "  =1", "\t=1", "＝1", "'x"])
def test_a_dangerous_cell_gets_an_apostrophe(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_an_earlier_export_is_not_replaced_unasked(on_database: OnDatabase, tmp_path: Path) -> None:
    async def use(database: Database) -> None:
        await export(database, CallFilter(), tmp_path)
        with pytest.raises(ExportFailed, match=r"calls\.csv is there already"):
            await export(database, CallFilter(), tmp_path)
        await RecordStore(database).write([call()])
        await export(database, CallFilter(), tmp_path, overwrite=True)

    on_database(use)
    assert len(read_csv(tmp_path / "calls.csv")) == 1


@pytest.mark.parametrize("place", ["/proc/export", "/dev/null/export"])
def test_a_folder_that_cannot_be_written_is_said(on_database: OnDatabase, place: str) -> None:
    async def use(database: Database) -> None:
        with pytest.raises(ExportFailed, match=f"cannot write to {place}"):
            await export(database, CallFilter(), Path(place))

    on_database(use)


def test_an_export_that_breaks_off_leaves_no_file(on_database: OnDatabase, tmp_path: Path) -> None:
    def break_off(_calls: int, _turns: int) -> None:
        raise KeyboardInterrupt

    async def use(database: Database) -> None:
        await RecordStore(database).write([call(), turn(1)])
        with pytest.raises(KeyboardInterrupt):
            await export(database, CallFilter(), tmp_path / "out", progress=break_off)

    on_database(use)
    assert list((tmp_path / "out").iterdir()) == []


def test_parquet_without_its_package_says_what_to_install(
    on_database: OnDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    async def use(database: Database) -> None:
        with pytest.raises(ExportFailed, match=r"callcluster\[parquet\]"):
            await export(database, CallFilter(), tmp_path, "parquet")

    on_database(use)
    assert [path.suffix for path in tmp_path.iterdir() if "sqlite3" not in path.name] == []


@pytest.mark.e2e
def test_memory_does_not_grow_with_the_calls(tmp_path: Path) -> None:
    """Ten times the calls take less than twice the memory; the texts alone are 12 MB."""

    async def peak_bytes(database: Database, before_us: int) -> int:
        tracemalloc.start()
        chosen = CallFilter(started_before_us=before_us)
        await export(database, chosen, tmp_path, overwrite=True)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    async def main() -> None:
        async with opened(f"sqlite:///{tmp_path}/calls.sqlite3") as database:
            store = RecordStore(database)
            for first in range(0, 3_000, 300):
                names = [(n, f"c{n:05}") for n in range(first, first + 300)]
                rows = [call(call_id=name, started_at_us=n + 1) for n, name in names]
                said = [
                    turn(k, call_id=name, caller_text="x" * 1_000)
                    for _, name in names
                    for k in range(4)
                ]
                await store.write([*rows, *said])
            small, large = await peak_bytes(database, 301), await peak_bytes(database, 3_001)
            assert large < 2 * small

    asyncio.run(main())
