"""What the API takes is what the carrier takes, and no more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cluster.api.schemas import CallQuery, PlaceCall
from cluster.call_urls import CallUrls
from cluster.placing import new_call
from cluster.settings import Settings
from records.edge_rows import CallRequestRow
from records.limits import check_length
from telephony import twiml
from telephony.rest import MAX_INLINE_TWIML_CHARS

TO = "+14155550123"
SETTINGS: dict[str, Any] = {"_env_file": None, "token_secret": "s" * 32}
URLS = CallUrls(Settings(**SETTINGS), lambda: 1_760_000_000_000_000)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
modes = st.sampled_from(["off", "hang_up", "leave_message", "continue", "other"])
numbers = st.from_regex(r"\+[1-9][0-9]{6,15}", fullmatch=True) | st.text(max_size=18)
wishes = st.fixed_dictionaries(
    {"to": numbers},
    optional={
        "from": numbers | st.none(),
        "agent_id": st.text(max_size=130) | st.none(),
        "variables": st.dictionaries(
            st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True) | st.text(max_size=5),
            st.text(max_size=40),
            max_size=4,
        ),
        "machine_detection": st.fixed_dictionaries(
            {"mode": modes}, optional={"message": st.text(max_size=1_100)}
        ),
        "record": st.booleans() | st.none(),
        "timeout_s": st.integers(-1, 700),
    },
)


@settings(max_examples=300)
@given(wishes)
def test_what_is_accepted_can_be_ordered_from_the_carrier(wish: dict[str, Any]) -> None:
    try:
        accepted = PlaceCall.model_validate(wish)
    except ValidationError:
        return
    row = CallRequestRow(
        "default",
        "call-1",
        "ann",
        accepted.to,
        accepted.from_ or "+14155550199",
        variables=accepted.variables,
        options={
            "timeout_s": accepted.timeout_s,
            "record": accepted.record,
            "machine_detection": accepted.machine_detection.model_dump(),
        },
    )
    order = new_call(URLS)(row)
    assert (order.to, order.timeout_s) == (wish["to"], wish.get("timeout_s", 60))
    detection = accepted.machine_detection
    assert (order.machine_detection is None) == (detection.mode == "off")
    if detection.mode == "leave_message":
        assert len(twiml.say_and_hang_up(detection.message)) <= MAX_INLINE_TWIML_CHARS
    for name in ("to_number", "from_number"):
        check_length(name, getattr(row, name))
    json.dumps(row.options)
    "".join(row.variables.values()).encode()


@given(json_values)
def test_any_json_is_a_wish_or_refused(body: Any) -> None:
    with pytest.raises(ValidationError):
        PlaceCall.model_validate(body)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({}, "to"),
        ({"to": "14155550123"}, "to"),
        ({"to": "+1 415 555 0123"}, "to"),
        ({"to": "+04155550123"}, "to"),
        ({"to": "+1"}, "to"),
        ({"to": "+" + "1" * 16}, "to"),
        ({"to": "+1415555012\u0663"}, "to"),
        ({"to": 14155550123}, "to"),
        ({"to": TO, "from": "sip:me@example.com"}, "from"),
        ({"to": TO, "timeout_s": 0}, "timeout_s"),
        ({"to": TO, "timeout_s": 601}, "timeout_s"),
        ({"to": TO, "variables": {"1x": "a"}}, "variables"),
        ({"to": TO, "variables": {"x": "a\x00"}}, "variables"),
        ({"to": TO, "variables": {"x": "a\ud800"}}, "variables"),
        ({"to": TO, "variables": {f"x{n}": "a" for n in range(51)}}, "variables"),
        ({"to": TO, "variables": {f"x{n}": "a" * 400 for n in range(11)}}, "variables"),
        ({"to": TO, "machine_detection": {"mode": "leave_message"}}, "machine_detection"),
        ({"to": TO, "machine_detection": {"mode": "hang_up", "message": "a"}}, "machine_detection"),
        ({"to": TO, "machine_detection": {"mode": "leave_message", "message": "\x01"}},
         "machine_detection"),
        ({"to": TO, "agent_id": "a" * 129}, "agent_id"),
        ({"to": TO, "tenant_id": "acme"}, "tenant_id"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(wish: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PlaceCall.model_validate(wish)
    assert str(caught.value.errors()[0]["loc"][0]) == field


def test_a_message_that_grows_as_xml_is_still_taken_by_the_carrier() -> None:
    long = {"mode": "leave_message", "message": "&" * 1_000}
    with pytest.raises(ValidationError, match="too long for the carrier"):
        PlaceCall.model_validate({"to": TO, "machine_detection": long})


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "ringing"}, "state"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"from": "14155550123"}, "from"),
        ({"since": "yesterday"}, "since"),
        ({"since": "0.5"}, "since"),
        ({"until": "1760000000"}, "until"),
        ({"until": "2026-02-30T00:00:00Z"}, "until"),
        ({"tenant_id": "acme"}, "tenant_id"),
        ({"cursor": "x" * 401}, "cursor"),
    ],
)
def test_a_wrong_filter_is_named(query: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CallQuery.model_validate(query)
    assert caught.value.errors()[0]["loc"] == (field,)


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T00:00:01", 1_000_000),
        ("1970-01-01T02:00:01.000001+02:00", 1_000_001),
        ("1960-01-01T00:00:00Z", 1),
        ("0001-01-01T00:00:00+14:00", 1),
        ("9999-12-31T23:59:59-14:00", 253_402_351_199_000_000),
    ],
)
def test_instants_are_utc_unless_they_say_otherwise(text: str, us: int) -> None:
    chosen = CallQuery.model_validate({"since": text, "until": text}).chosen("acme")
    assert (chosen.from_us, chosen.before_us) == (us, us)
