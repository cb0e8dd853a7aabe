"""What crosses between the halves of a call, held to golden copies.

A golden file is what version 1 wrote on the day it was agreed. Fields may be added with defaults;
a file here never changes.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors import wire

GOLDEN = Path(__file__).parent.parent / "fixtures" / "wire"

ENTRY = wire.TurnEntry(
    turn_id=1,
    kind="caller",
    caller_text="Do you have a table?",
    agent_text="We have a table at eight.",
    heard_text="We have a table",
    outcome="interrupted",
    reason="barge_in",
    at_us=1_760_000_000_000_000,
    timeline={"committed": 0.55, "first_frame_out": 0.56},
    usage={"prompt_tokens": 120, "spoken_chars": 25.0},
)
USED = {"name": "sales", "arguments": "{}", "result": '{"status": "put through"}'}
RUN = {"id": "use-1", "name": "orders", "arguments": '{"order":"12"}'}
TOLD = {
    "outcome": "hit",
    "tier": "semantic",
    "entry_id": 17,
    "similarity": 0.93,
    "lookup_s": 0.003,
}
DIAL = {
    "verb": "dial",
    "tool": "sales",
    "arguments": "{}",
    "to": "+15550102",
    "timeout_s": 20,
    "caller_id": "",
}
WHOSE = {"tenant_id": "t1", "call_id": "call-1", "epoch": (1, 1_760_000_000_000_000)}
MESSAGES: dict[str, Any] = {
    "turn_entry": ENTRY,
    "turn_entry_with_tools": replace(ENTRY, tools=(USED,)),
    "turn_entry_from_cache": replace(ENTRY, guess=2, cache=TOLD),
    "open_call": wire.OpenCall(
        **WHOSE,
        agent_id="a1",
        agent_version="v1",
        call_sid="CA1",
        token_id="tok",
        caller="+15550100",
        called="+15550101",
        direction="outbound",
        started_at_us=5,
        turn_log=(ENTRY,),
    ),
    "call_opened": wire.CallOpened(greeting="Hello!", turn_log=(ENTRY,)),
    "call_refused": wire.CallOpened(refusal="full"),
    "take_turn": wire.TakeTurn(
        **WHOSE, turn_id=2, guess=1, kind="caller", text="Hi", speculative=True, settled=(ENTRY,)
    ),
    "turn_item_segment": wire.TurnItem("segment", 2, 1, index=3, text="Of course,"),
    "turn_item_of_cache": wire.TurnItem(
        "segment", 2, 1, index=3, text="Of course,", keep=True, cache=TOLD
    ),
    "turn_item_finished": wire.TurnItem(
        "finished", 2, 1, hang_up=True, stages={"first_token": 0.2}, usage={"prompt_tokens": 9}
    ),
    "turn_item_with_action": wire.TurnItem("finished", 2, 1, action=DIAL),
    "turn_item_with_likely": wire.TurnItem(
        "finished", 2, 1, cache=TOLD, likely=("Delivery is free.", "Behind the house.")
    ),
    "turn_item_of_tool": wire.TurnItem("tool", 2, 1, tools=({**RUN, "wait_s": 8.0},)),
    "turn_item_failed": wire.TurnItem(
        "failed", 2, 1, message="openai: 500", refusal="provider", retryable=True
    ),
    "abandon_turn": wire.AbandonTurn(**WHOSE, turn_id=2, guess=1, reason="caller_went_on"),
    "acknowledged": wire.Acknowledged("stale_epoch"),
    "settle_turns_granting": wire.SettleTurns(**WHOSE, granted=("use-1",)),
    "call_opened_with_uses": wire.CallOpened(uses=({**RUN, "turn": 2},)),
    "call_opened_with_unanswered": wire.CallOpened(unanswered="Do you have a table?"),
    "call_opened_with_unfinished": wire.CallOpened(unfinished="Do you have"),
    "settle_turns_taking": wire.SettleTurns(**WHOSE, taken={"turn_id": 2, "text": "Hi"}),
    "settle_turns": wire.SettleTurns(**WHOSE, settled=(ENTRY,)),
    "close_call": wire.CloseCall(**WHOSE, planned=True, reason="caller_hung_up", settled=(ENTRY,)),
    "close_call_handing_over": wire.CloseCall(
        **WHOSE, planned=True, reason="transferring", hand_over=DIAL
    ),
    "call_state_handed_over": wire.CallState(
        known=True, reason="transferring", epoch=WHOSE["epoch"], hand_over=DIAL
    ),
    "call_state": wire.CallState(
        known=True, planned_end=True, reason="idle", epoch=WHOSE["epoch"], turn_log=(ENTRY,)
    ),
    "replica_sync": wire.ReplicaSync("r1", 3, 100, held={"a": 2}, used={"a": 1}, want=4),
    "replica_sync_naming_calls": wire.ReplicaSync(
        "r1",
        3,
        100,
        held={"a": 2},
        used={"a": 1, "b": 1},
        want=4,
        placed={"call-1": "a"},
        moved={"call-2": "b"},
        begun=("call-1",),
        waiting=2,
        moving=1,
    ),
    "grants": wire.Grants(granted={"a": 4}, alive=("a", "b"), active_calls=3, capacity=100),
    "grants_with_more_elsewhere": wire.Grants(
        granted={"a": -1}, alive=("a",), active_calls=3, capacity=100, left=5
    ),
}
KINDS = sorted({type(message) for message in MESSAGES.values()}, key=lambda kind: kind.__name__)


def required(kind: type[Any]) -> list[str]:
    return [
        item.name
        for item in fields(kind)
        if item.default is MISSING and item.default_factory is MISSING
    ]


@pytest.mark.parametrize("name", MESSAGES)
def test_the_golden_copy_is_still_read(name: str) -> None:
    plain = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    assert type(MESSAGES[name]).from_plain(plain) == MESSAGES[name]


@pytest.mark.parametrize("name", MESSAGES)
def test_what_is_written_still_holds_all_of_the_golden_copy(name: str) -> None:
    golden = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    written = json.loads(json.dumps(MESSAGES[name].to_plain()))
    assert holds(written, golden)


def holds(written: Any, golden: Any) -> bool:
    """Whether everything of the golden copy is still there; more may be."""
    if isinstance(golden, dict):
        return all(key in written and holds(written[key], golden[key]) for key in golden)
    if isinstance(golden, list):
        return len(written) == len(golden) and all(map(holds, written, golden))
    return bool(written == golden)


def test_every_message_has_a_golden_copy() -> None:
    every = {
        kind
        for kind in vars(wire).values()
        if isinstance(kind, type) and kind.__module__ == wire.__name__ and hasattr(kind, "to_plain")
    }
    assert {kind.__name__ for kind in every} - {"_Wire"} == {kind.__name__ for kind in KINDS}
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(MESSAGES)


def test_the_names_of_what_was_measured_are_the_same_strings_in_every_turn() -> None:
    """A call keeps all of its turns, and a process the calls of many."""
    text = json.dumps(ENTRY.to_plain())
    one, other = (wire.TurnEntry.from_plain(json.loads(text)) for _ in range(2))
    assert one.timeline == other.timeline == ENTRY.timeline
    for field in ("timeline", "usage"):
        keys = zip(getattr(one, field), getattr(other, field), strict=True)
        assert all(left is right for left, right in keys)


@pytest.mark.parametrize("name", MESSAGES)
def test_unknown_fields_of_a_later_version_are_ignored(name: str) -> None:
    plain = {**MESSAGES[name].to_plain(), "v": 2, "of_a_later_version": {"x": [1]}}
    assert type(MESSAGES[name]).from_plain(plain) == MESSAGES[name]


@pytest.mark.parametrize("kind", KINDS)
def test_missing_optional_fields_take_their_default(kind: type[Any]) -> None:
    message = next(entry for entry in MESSAGES.values() if type(entry) is kind)
    needed = {name: getattr(message, name) for name in required(kind)}
    assert kind.from_plain({"v": 1, **needed}) == kind(**needed)


@pytest.mark.parametrize(
    ("kind", "missing"), [(kind, name) for kind in KINDS for name in required(kind)]
)
def test_a_missing_required_field_is_an_error_that_names_it(kind: type[Any], missing: str) -> None:
    message = next(entry for entry in MESSAGES.values() if type(entry) is kind)
    plain = message.to_plain()
    del plain[missing]
    with pytest.raises(wire.WireError, match=missing):
        kind.from_plain(plain)


@pytest.mark.parametrize("version", [None, 0, -1, "1", 1.0])
def test_a_version_that_cannot_be_read_is_an_error(version: object) -> None:
    with pytest.raises(wire.WireError, match="version"):
        wire.Acknowledged.from_plain({"v": version})


@pytest.mark.parametrize(
    "wrong",
    [
        {"turn_id": "2"},
        {"epoch": [1]},
        {"epoch": "12"},
        {"settled": "x"},
        {"settled": [5]},
        {"settled": [{"v": 1}]},
        {"speculative": 1},
        {"text": None},
    ],
)
def test_a_wrong_type_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(wire.WireError):
        wire.TakeTurn.from_plain({**MESSAGES["take_turn"].to_plain(), **wrong})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(KINDS), st.data())
def test_any_message_is_read_or_refused(kind: type[Any], data: st.DataObject) -> None:
    names = [item.name for item in fields(kind)]
    values = data.draw(st.dictionaries(st.sampled_from(names), JSON))
    try:
        kind.from_plain({"v": 1, **values})
    except wire.WireError:
        return


COUNTS = st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False), max_size=3)
ENTRIES = st.builds(
    wire.TurnEntry,
    turn_id=st.integers(0, 2**40),
    kind=st.text(max_size=8),
    caller_text=st.text(max_size=20),
    heard_text=st.text(max_size=20),
    at_us=st.integers(0, 2**60),
    timeline=COUNTS,
    usage=COUNTS,
)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(0, 9), st.integers(0, 2**60)),
    st.lists(ENTRIES, max_size=3).map(tuple),
    st.text(max_size=20),
    st.booleans(),
)
def test_a_message_survives_the_way_there(
    epoch: tuple[int, int], settled: tuple[wire.TurnEntry, ...], text: str, speculative: bool
) -> None:
    sent = wire.TakeTurn("t", "c", epoch, 1, 1, "caller", text, speculative, settled)
    assert wire.TakeTurn.from_plain(json.loads(json.dumps(sent.to_plain()))) == sent
