"""Tools that are HTTP requests, against services that misbehave; no sockets."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import reduce
from typing import Any

import httpx
import pytest

from dialogue.tools import Tool
from providers.tools.bindings import HttpBinding, SecretText, Shown
from providers.tools.errors import ToolUnusable
from providers.tools.http_tool import HttpTools
from providers.tools.schema import check_schema
from providers.tools.table import ToolTable
from tests.support.virtual_time import run

SECRET = "s3cr3t-value"
GET = HttpBinding(
    "GET",
    "https://shop.example/orders/{order}",
    (("Authorization", SecretText("SHOP", "Bearer ")), ("X-Plain", "yes")),
    timeout_s=2.0,
    retries=2,
    may_repeat=True,
)
POST = replace(GET, method="POST", url="https://shop.example/orders", may_repeat=False)
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"order": {"type": "string"}, "count": {"type": "integer"}},
        "required": ["order"],
        "additionalProperties": False,
    }
)
_dumps = json.dumps


class Body(httpx.AsyncByteStream):
    """What comes over the wire."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.content


def reply(
    status: int,
    json: Any = None,
    content: bytes = b"",
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    plain = {"content-type": "application/json"} if json is not None else {}
    body = _dumps(json).encode() if json is not None else content
    return httpx.Response(status, headers={**plain, **(headers or {})}, stream=Body(body))


class Service(httpx.AsyncBaseTransport):
    """Answers by a script, one entry a request; the last one goes on."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, float):
            await asyncio.sleep(step)
            return reply(200, json={"late": True})
        assert isinstance(step, httpx.Response)
        return step


def use(
    service: Service,
    binding: HttpBinding = GET,
    secrets: dict[str, str] | None = None,
    **arguments: Any,
) -> dict[str, Any]:
    table = ToolTable(
        HttpTools({"SHOP": SECRET} if secrets is None else secrets, transport=service)
    )
    tool = Tool("http", "orders", "Looks.", parameters_json=SCHEMA, binding=binding)

    async def play() -> str:
        result = await table.run(tool, arguments or {"order": "12/3"}, key="use-1")
        await table.aclose()
        return result

    told: dict[str, Any] = json.loads(run(play()))
    return told


def ok(value: Any = None) -> httpx.Response:
    return reply(200, {"state": "sent"} if value is None else value)


def test_arguments_fill_the_path_and_the_query() -> None:
    service = Service(ok())
    assert use(service, order="12/3 a?b", count=2) == {
        "status": "done",
        "answer": {"state": "sent"},
    }
    (request,) = service.requests
    assert str(request.url) == "https://shop.example/orders/12%2F3%20a%3Fb?count=2"
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["idempotency-key"] == "use-1"
    assert request.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("order", ["", ".", ".."])
@pytest.mark.parametrize("url", ["orders/{order}", "orders/{order}/lines", "{order}?x={order}"])
def test_an_argument_never_makes_another_address_of_the_path(order: str, url: str) -> None:
    service = Service(ok())
    binding = replace(GET, method="DELETE", url=f"https://shop.example/{url}")
    told = use(service, binding, order=order)
    assert (told["status"], "order" in told["error"]) == ("failed", True)
    assert service.requests == []


def test_dots_and_nothing_do_no_harm_where_they_are_part_of_a_name() -> None:
    service = Service(ok())
    use(service, replace(GET, url="https://shop.example/o/n-{order}.json?q={order}"), order="..")
    assert str(service.requests[0].url) == "https://shop.example/o/n-...json?q=.."


def test_half_a_character_of_an_answer_goes_nowhere() -> None:
    told = use(Service(reply(200, content=b'{"name": "\\ud83d lamp"}')))
    assert told["answer"] == {"name": "? lamp"}


def test_arguments_are_the_body_where_there_is_one() -> None:
    service = Service(ok())
    use(service, POST, order="12", count=2)
    assert json.loads(service.requests[0].content) == {"order": "12", "count": 2}


def test_only_what_the_file_names_is_shown_and_not_too_much_of_it() -> None:
    whole = {"state": "sent", "lines": [{"name": "lamp"}], "notes": "x" * 900}
    shown = replace(GET, shown=Shown(("state", "lines.0.name", "lines.4", "price")))
    assert use(Service(ok(whole)), shown)["answer"] == {"state": "sent", "lines.0.name": "lamp"}
    cut = use(Service(ok(whole)), replace(GET, shown=Shown((), 100)))["answer"]
    assert cut.endswith("(cut)")
    assert len(cut) < 120


class Endless(httpx.AsyncByteStream):
    """A body that never ends, and is counted."""

    def __init__(self) -> None:
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.sent += 65_536
            yield b"x" * 65_536


def test_an_answer_without_end_is_not_read_on() -> None:
    body = Endless()
    told = use(Service(httpx.Response(200, stream=body)))
    assert told == {"status": "failed", "error": "its answer is longer than 65536 bytes"}
    assert body.sent < 200_000


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            reply(200, content=b"{oops", headers={"content-type": "application/json"}),
            "its answer is not valid JSON",
        ),
        (reply(200, content=b"x", headers={"content-encoding": "gzip"}), "compressed"),
        (reply(302, headers={"location": "https://other.example"}), "points elsewhere"),
        (reply(404, json={"why": "no such order"}), "HTTP 404"),
        (reply(500, content=b"stack trace with secrets"), "HTTP 500: it is out of order"),
    ],
)
def test_what_cannot_be_used_is_said(answer: httpx.Response, error: str) -> None:
    told = use(Service(answer), replace(GET, retries=0))
    assert told["status"] == "failed"
    assert error in told["error"]
    assert "stack trace" not in json.dumps(told)


def test_a_cookie_that_one_caller_was_given_is_not_sent_for_the_next() -> None:
    cookie = {"set-cookie": "sid=A; Path=/"}
    service = Service(reply(200, {}, headers=cookie), reply(401, {}, headers=cookie), ok())
    tools = HttpTools({"SHOP": SECRET}, transport=service)

    async def play() -> None:
        for key in ("use-1", "use-2", "use-3"):
            await tools.run(GET, {"order": "12"}, key)
        await tools.aclose()

    run(play())
    assert ["cookie" in request.headers for request in service.requests] == [False] * 3


def test_a_cookie_that_the_file_names_is_sent() -> None:
    service = Service(ok())
    use(service, replace(GET, headers=(("Cookie", "shop=7"),)))
    assert service.requests[0].headers["cookie"] == "shop=7"


def test_what_may_be_repeated_is_with_the_same_key() -> None:
    service = Service(reply(503), httpx.ReadError("gone"), ok())
    assert use(service)["status"] == "done"
    assert [request.headers["idempotency-key"] for request in service.requests] == ["use-1"] * 3


@pytest.mark.parametrize(
    ("step", "status"),
    [
        (reply(503), "failed"),
        (httpx.ReadError("gone"), "failed"),
        (9.0, "timeout"),
    ],
)
def test_what_may_not_be_repeated_is_sent_once(step: Any, status: str) -> None:
    service = Service(step)
    assert use(service, POST, order="1")["status"] == status
    assert len(service.requests) == 1


def test_what_was_never_sent_is_sent_again() -> None:
    service = Service(httpx.ConnectError("refused"), ok())
    assert use(service, POST, order="1")["status"] == "done"
    assert len(service.requests) == 2


def test_a_service_that_hangs_is_left() -> None:
    service = Service(100.0)
    told = use(service)
    assert told["status"] == "timeout"
    assert len(service.requests) == 3
    assert GET.longest_s >= 6.0


def test_a_missing_secret_sends_nothing_and_no_secret_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="providers")
    service = Service(ok())
    told = use(service, secrets={})
    assert (told["status"], told["error"]) == ("unavailable", "its secret SHOP is missing here")
    assert service.requests == []
    use(Service(reply(500, content=SECRET.encode())))
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "order"),
        ({"order": 5}, "order is wrong"),
        ({"order": "1", "extra": 1}, "extra"),
    ],
)
def test_wrong_arguments_are_told_to_the_model(arguments: dict[str, Any], why: str) -> None:
    table = ToolTable(HttpTools({}))
    tool = Tool("http", "orders", "Looks.", parameters_json=SCHEMA, binding=GET)
    assert why in table.refusal(tool, arguments)
    assert table.refusal(tool, {"order": "1"}) == ""


MONEY = {"type": "object", "properties": {"sum": {"type": "number", "multipleOf": 0.01}}}
CLOSED = {"type": "object", "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        (MONEY, {"sum": 10**400}),
        (MONEY, {"sum": float("inf")}),
        (CLOSED, {"deep": reduce(lambda inner, _: [inner], range(900), 1)}),
    ],
)
def test_arguments_that_break_the_check_itself_are_refused(schema: Any, arguments: Any) -> None:
    tool = Tool("http", "pay", "Pays.", parameters_json=json.dumps(schema), binding=GET)

    def refusal(levels: int) -> str:  # as far down the stack as a call may be
        if levels:
            return refusal(levels - 1)
        return ToolTable(HttpTools({})).refusal(tool, arguments)

    assert "the arguments are wrong" in refusal(100)


@pytest.mark.parametrize("reference", ["#", "#/$defs/nothing"])
def test_a_reference_to_nothing_or_to_itself_is_found_when_the_file_is_read(reference: str) -> None:
    with pytest.raises(ToolUnusable, match="see where each"):
        check_schema({"type": "object", "allOf": [{"$ref": reference}]})


def test_a_tool_that_nobody_knows_is_unavailable() -> None:
    async def play() -> str:
        return await ToolTable(HttpTools({})).run(Tool("mcp", "x", "y"), {}, key="k")

    assert json.loads(run(play()))["status"] == "unavailable"
