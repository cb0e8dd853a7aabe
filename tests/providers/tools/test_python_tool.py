"""Tools that are Python functions, good ones and bad ones."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from dialogue.tools import Tool
from providers.tools.bindings import PythonBinding
from providers.tools.errors import ToolUnusable
from providers.tools.http_tool import HttpTools
from providers.tools.python_tool import MAX_THREADS, PythonTools, check_signature, function_at
from providers.tools.table import ToolTable
from tests.providers.tools import sample

HERE = "tests.providers.tools.sample"


def use(
    name: str, *, timeout_s: float = 5.0, tools: PythonTools | None = None, **given: Any
) -> Any:
    table = ToolTable(HttpTools({}), tools or PythonTools([HERE]))
    tool = Tool("python", name, "d", binding=PythonBinding(f"{HERE}:{name}", timeout_s))
    return json.loads(asyncio.run(table.run(tool, given, key="use-1")))


@pytest.mark.parametrize("name", ["add", "add_later"])
def test_a_function_is_called_by_name_off_the_loop(name: str) -> None:
    assert use(name, first=2, second=3) == {"status": "done", "answer": {"sum": 5}}
    assert sample.WHERE[-1:] in ([], ["tool"])


def test_a_function_that_takes_the_key_gets_it() -> None:
    assert use("keyed")["answer"] == "use-1"


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("fail", "failed", "the shop is closed"),
        ("break_down", "failed", "it broke"),
        ("end_it_all", "failed", "it ended with SystemExit"),
        ("nonsense", "failed", "its result is not JSON"),
        ("flood", "failed", "its result is longer than 65536 bytes"),
        ("endless", "failed", "its result is longer than 65536 bytes"),
        ("nobody", "unavailable", f"there is no function nobody in module {HERE}"),
        ("NOT_CALLABLE", "unavailable", f"there is no function NOT_CALLABLE in module {HERE}"),
    ],
)
def test_a_bad_function_is_told_of_in_words(
    name: str, status: str, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert use(name) == {"status": status, "error": error}
    assert "hunter2" not in caplog.text
    assert "closed" not in caplog.text, "what a function says may quote the caller"


def test_a_result_is_written_where_the_function_ran() -> None:
    sample.WHERE.clear()
    assert use("watched")["answer"] == {"sum": 5}
    assert set(sample.WHERE) == {"tool"}, "a large one would hold up every call"


def test_a_function_that_fails_at_length_is_cut_short() -> None:
    assert use("complain")["error"] == ("no " * 200)[:500]


def test_a_module_that_ends_the_process_is_no_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_script_of_mine.py").write_text("import sys\nsys.exit(2)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ToolUnusable, match="cannot be imported: SystemExit"):
        function_at("a_script_of_mine:run", ("a_script_of_mine",))


def test_a_function_that_hangs_is_left_and_too_many_of_them_are_refused() -> None:
    tools = PythonTools([HERE])

    async def play() -> list[dict[str, Any]]:
        table = ToolTable(HttpTools({}), tools)
        tool = Tool("python", "hang", "d", binding=PythonBinding(f"{HERE}:hang", 0.01))
        hung = [table.run(tool, {}, key="k") for _ in range(MAX_THREADS)]
        told = [json.loads(result) for result in await asyncio.gather(*hung)]
        told.append(json.loads(await table.run(tool, {}, key="k")))
        sample.LET_GO.set()
        return told

    try:
        *hung, refused = asyncio.run(play())
    finally:
        sample.LET_GO.set()
        for thread in threading.enumerate():
            if thread.name == "tool":
                thread.join(5)
        sample.LET_GO.clear()
    assert {one["status"] for one in hung} == {"timeout"}
    assert refused == {"status": "failed", "error": "too many tools hang here"}


def test_an_asynchronous_function_that_hangs_is_cancelled() -> None:
    assert use("hang_politely", timeout_s=0.01)["status"] == "timeout"


@pytest.mark.parametrize(
    ("entry", "allowed", "why"),
    [
        (f"{HERE}:add", (), "is not among CALLCLUSTER_TOOL_MODULES (none)"),
        (f"{HERE}:add", ("tests.provider",), "is not among"),
        ("os:system", (HERE,), "is not among"),
        (f"{HERE}.gone:add", (HERE,), "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_only_allowed_modules_are_imported(entry: str, allowed: tuple[str, ...], why: str) -> None:
    with pytest.raises(ToolUnusable) as error:
        function_at(entry, allowed)
    assert why in str(error.value)


def test_a_package_allows_what_is_in_it() -> None:
    assert function_at(f"{HERE}:add", ("tests.providers",)) is sample.add


@pytest.mark.parametrize(
    ("names", "required", "fits"),
    [
        (("first", "second"), ("first", "second"), True),
        (("first", "second"), ("first",), False),  # the model may leave out what it needs
        (("first", "second", "third"), ("first", "second"), False),
    ],
)
def test_a_function_has_to_fit_its_schema(
    names: tuple[str, ...], required: tuple[str, ...], fits: bool
) -> None:
    schema = {"properties": {name: {} for name in names}, "required": list(required)}
    if fits:
        check_signature(sample.add, schema)
        return
    with pytest.raises(ToolUnusable):
        check_signature(sample.add, schema)
