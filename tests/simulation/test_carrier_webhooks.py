"""Time limits, retries and answers of webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.carrier_errors import WebhookFailed
from simulation.carrier_signature import PublicAddress
from simulation.carrier_webhooks import Answer, Webhooks, new_sid, read_overrides
from tests.support.virtual_time import run

URL = "https://voice.example.com/v"
TWIML = httpx.Response(200, text="<Response/>", headers={"content-type": "text/xml; charset=utf-8"})


def fetch(answer: Callable[[httpx.Request], Any], url: str = URL, method: str = "POST") -> Answer:
    async def whole() -> Answer:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            hooks = Webhooks(http, PublicAddress("http://127.0.0.1:1"), "12345", Random(0))
            return await hooks.fetch(url, (("A", "1"),), method)

    return run(whole())


def failing_then(
    count: int, error: Any
) -> tuple[Callable[[httpx.Request], Any], list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) > count:
            return TWIML
        if isinstance(error, int):
            return httpx.Response(error)
        raise error("", request=request)

    return answer, seen


def test_an_answer() -> None:
    got = fetch(lambda request: TWIML)
    assert (got.url, got.body) == (URL, b"<Response/>")


def test_the_fragment_is_neither_sent_nor_part_of_the_answers_url() -> None:
    answer, seen = failing_then(0, 500)
    assert fetch(answer, URL + "?n=1#rc=2").url == URL + "?n=1"
    assert str(seen[0].url) == URL + "?n=1"


def test_retries_carry_the_same_idempotency_token() -> None:
    answer, seen = failing_then(2, 503)
    fetch(answer, URL + "#rc=2&rp=ct,rt,5xx")
    tokens = {request.headers["i-twilio-idempotency-token"] for request in seen}
    assert (len(seen), len(tokens)) == (3, 1)


@pytest.mark.parametrize(
    ("error", "fragment", "code"),
    [
        (500, "", 11200),
        (404, "#rc=5&rp=5xx", 11200),
        (httpx.ConnectTimeout, "#rc=0", 11201),
        (httpx.ConnectError, "#rc=0", 11202),
        (httpx.ReadTimeout, "", 11200),
        (httpx.RemoteProtocolError, "", 11206),
        (httpx.WriteError, "", 11205),
    ],
)
def test_failures_by_number(error: Any, fragment: str, code: int) -> None:
    answer, _ = failing_then(1, error)
    with pytest.raises(WebhookFailed) as caught:
        fetch(answer, URL + fragment)
    assert caught.value.code == code


@pytest.mark.parametrize("error", [httpx.ConnectTimeout, httpx.ConnectError])
def test_a_failed_connection_is_tried_once_more_by_default(error: Any) -> None:
    answer, seen = failing_then(1, error)
    fetch(answer)
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (httpx.Response(204), 11770),
        (httpx.Response(200, text=" "), 11770),
        (httpx.Response(200, json={}), 12300),
        (httpx.Response(302, headers={"location": "/v"}), 11215),
    ],
)
def test_answers_that_are_none(response: httpx.Response, code: int) -> None:
    with pytest.raises(WebhookFailed) as caught:
        fetch(lambda request: response)
    assert caught.value.code == code


def test_a_redirect_is_followed_with_get_and_loses_the_form() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return TWIML if len(seen) > 1 else httpx.Response(307, headers={"location": "/w"})

    assert fetch(answer).url == "https://voice.example.com/w"
    assert (seen[1].method, seen[1].content) == ("GET", b"")


def test_get_carries_the_form_in_the_query() -> None:
    answer, seen = failing_then(0, 500)
    fetch(answer, URL + "?n=1", "GET")
    assert str(seen[0].url) == URL + "?n=1&A=1"


def test_15_seconds_are_the_ceiling() -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        return TWIML

    with pytest.raises(WebhookFailed) as caught:
        fetch(never)
    assert caught.value.code == 11203


def test_a_relative_url_is_none() -> None:
    with pytest.raises(WebhookFailed) as caught:
        fetch(lambda request: TWIML, "/v")
    assert caught.value.code == 11100


@settings(max_examples=50)
@given(st.text(alphabet="rctp=,&#0159x ", max_size=40))
def test_any_fragment_keeps_the_limits_in_range(fragment: str) -> None:
    _, overrides = read_overrides(f"{URL}#{fragment}")
    assert 0.1 <= overrides.connect_s <= 10
    assert 0.1 <= overrides.total_s <= 15
    assert 0 <= overrides.retries <= 5


def test_sids_have_two_letters_and_32_digits() -> None:
    sid = new_sid("CA", Random(1))
    assert sid[:2] == "CA"
    assert len(sid) == 34
    assert sid == new_sid("CA", Random(1))
