from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.ports import ToolCallRequested
from dialogue.tools import EndCall, RunTool, SendDigits, Tool, Toolbox, ToolRefused, Transfer

BOX = Toolbox(
    {
        "end_call": Tool("end_call", "end_call", "When the caller says goodbye."),
        "sales": Tool("transfer", "sales", "To buy.", to="+14155550123", announce="One moment."),
        "press": Tool("send_digits", "press", "For menus."),
    }
)


def asked(name: str, arguments: str = "{}") -> ToolCallRequested:
    return ToolCallRequested("call_1", name, arguments)


def test_the_model_is_offered_the_tools_in_the_order_of_the_file() -> None:
    assert [tool.name for tool in BOX.definitions()] == ["end_call", "sales", "press"]
    assert BOX.definitions()[2].parameters["required"] == ["digits"]
    assert BOX.definitions()[0].parameters["properties"] == {}


def test_a_wish_becomes_an_action() -> None:
    assert BOX.check(asked("end_call")) == EndCall("end_call")
    assert BOX.check(asked("sales", "not even JSON")) == Transfer("sales", "+14155550123", 20)


@pytest.mark.parametrize(
    ("arguments", "digits"),
    [
        ('{"digits": "12#"}', "12#"),
        ('{"digits": "ww1 2-3"}', "ww123"),
        ('{"digits": 42}', "42"),
        ('{"digits": "*", "why": "menu"}', "*"),
    ],
)
def test_keys_are_read_kindly(arguments: str, digits: str) -> None:
    assert BOX.check(asked("press", arguments)) == SendDigits("press", digits)


@pytest.mark.parametrize(
    "arguments",
    ["", "{", "[]", "7", "null", "{}", '{"digits": null}', '{"digits": true}', '{"digits": -1}',
     '{"digits": ""}', '{"digits": "one"}', '{"digits": "' + "1" * 33 + '"}', "[" * 100_000],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_words(arguments: str) -> None:
    refused = BOX.check(asked("press", arguments))
    assert isinstance(refused, ToolRefused)
    assert refused.why


def test_an_invented_tool_is_refused_with_the_names_that_exist() -> None:
    refused = BOX.check(asked("refund"))
    assert refused == ToolRefused(
        "there is no tool 'refund'; the tools are: end_call, sales, press"
    )


@given(st.text(), st.text())
def test_nothing_the_model_writes_raises(name: str, arguments: str) -> None:
    BOX.check(asked(name, arguments))
    BOX.check(asked("press", arguments))


@pytest.mark.parametrize(
    "arguments",
    [
        '{"order": "\\ud800"}',  # half a character: no socket and no database takes it
        '{"\\udfff": 1}',
        '{"order": 1e400}',
        '{"order": -1e400}',
        '{"order": NaN}',
        '{"a":' + "[" * 2_000 + "]" * 2_000 + "}",
    ],
)
@pytest.mark.parametrize("name", ["look", "note"])
def test_arguments_that_could_not_be_passed_on_are_refused(name: str, arguments: str) -> None:
    box = Toolbox({"look": Tool("http", "look", ""), "note": Tool("remember", "note", "")})
    assert isinstance(box.check(asked(name, arguments)), ToolRefused)
    assert isinstance(box.check(asked("look", '{"order": "\\ud83d\\ude00"}')), RunTool)
