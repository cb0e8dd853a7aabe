"""A tool that asks a service on the phone: real edge, real clients, a real HTTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from actors.tool_runs import ToolRuns
from dialogue.relay_options import RelayOptions
from dialogue.tools import Tool
from providers.tools.bindings import HttpBinding, SecretText, Shown
from providers.tools.http_tool import HttpTools
from providers.tools.table import ToolTable
from simulation.caller_call import CallOrder, place_call
from simulation.caller_script import Leave, Listen, Speak, Step, prepare
from simulation.clip_library import load_library
from simulation.openai_replies import ScriptLine
from simulation.relay_timing import RelayTiming
from tests.cluster import test_edge_realtime
from tests.cluster.test_edge_realtime import QUICK, RealtimeEdgeStage
from tests.support.edge_stage import Cast, EdgeStage
from tests.support.relay_phone import RelayPhone, until

pytestmark = pytest.mark.e2e

SCRIPT = (
    ScriptLine(("forward",), "", tool="order_status", arguments=(("order", "12"),)),
    ScriptLine(("order",), "", tool="order_status", arguments=(("order", "12"),)),
    ScriptLine(("broken",), "", tool="order_status", arguments=(("order", "500"),)),
)
CLIP = prepare(load_library().clip("goforward"))


class Shop(BaseHTTPRequestHandler):
    """Knows one order, and takes its time to say so; an order may break it."""

    asked: list[tuple[str, str, str]] = []  # noqa: RUF012 - the server makes one of us a request
    go_on = threading.Event()

    def do_GET(self) -> None:
        order = self.path.rpartition("/")[2]
        headers = self.headers
        self.asked.append(
            (self.path, str(headers["Authorization"]), str(headers["Idempotency-Key"]))
        )
        if order == "500":
            self.send_response(500)
            body = b"{"
        else:
            self.go_on.wait(1.6)
            self.send_response(200)
            body = json.dumps({"state": f"order {order} is on its way", "customer": "x"}).encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return


def tool(port: int) -> Tool:
    schema = {
        "type": "object",
        "properties": {"order": {"type": "string"}},
        "required": ["order"],
    }
    binding = HttpBinding(
        "GET",
        f"http://127.0.0.1:{port}/orders/{{order}}",
        (("Authorization", SecretText("SHOP", "Bearer ")),),
        retries=0,
        may_repeat=True,
        shown=Shown(("state",)),
    )
    return Tool(
        "http",
        "order_status",
        "Looks an order up.",
        parameters_json=json.dumps(schema),
        is_idempotent=True,
        fillers=(("en-US", "I am looking."),),
        longest_s=binding.longest_s,
        binding=binding,
    )


def runs(_name: str) -> ToolRuns:
    return ToolRuns(ToolTable(HttpTools({"SHOP": "tok"})), None, lambda: 7)


@pytest.fixture(scope="module")
def stage() -> Iterator[EdgeStage]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever, name="shop")
    thread.start()
    tools = (tool(server.server_port),)
    relay = RelayOptions(tts_provider="Google", voice="en-US-Journey-O")
    casts = (
        Cast("pipeline", script=SCRIPT, tools=tools),
        Cast("relay", script=SCRIPT, tools=tools, mode="relay", relay=relay),
    )

    try:
        with EdgeStage(casts, tools=runs).running() as s:
            yield s
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    Shop.asked.clear()
    Shop.go_on.set()
    yield
    Shop.go_on.set()


def results(stage: EdgeStage, name: str) -> list[dict[str, Any]]:
    return [
        json.loads(use["result"])
        for turn in stage.turns_of(stage.doors[name])
        for use in turn.tools
    ]


def test_a_caller_asks_for_an_order_and_hears_of_it(stage: EdgeStage) -> None:
    Shop.go_on.clear()
    door = stage.doors["pipeline"]

    async def scene() -> None:
        steps = (
            Listen(until_silence_s=0.2),
            Speak(CLIP),
            Listen(until_silence_s=2.5),
            Leave(),
        )
        async with door.carrier() as line:
            result = await place_call(line, CallOrder(iter(steps), max_duration_s=25.0))
        assert not result.leg.violations.counts, result.leg.violations
        assert not result.leg.errors.counts, result.leg.errors

    stage.play(scene())
    ((path, authorization, key),) = Shop.asked
    assert (path, authorization) == ("/orders/12", "Bearer tok")
    (result,) = results(stage, "pipeline")
    assert result == {"status": "done", "answer": {"state": "order 12 is on its way"}}
    turn = stage.turns_of(door)[-1]
    assert turn.outcome == "heard"
    assert turn.heard_text.startswith("I am looking.")
    assert "order 12 is on its way" in turn.heard_text.replace("twelve", "12")
    assert turn.tools[0]["id"] == key


def test_a_relayed_call_uses_the_same_tool_and_hears_of_its_failure(stage: EdgeStage) -> None:
    timing = RelayTiming(partial_lag_s=0.02, endpoint_s=0.06, first_byte_s=0.01)

    async def scene() -> None:
        async with (
            stage.doors["relay"].carrier(relay=timing) as line,
            RelayPhone(line) as phone,
        ):
            await phone.up()
            await until(lambda: len(stage.turns_of(stage.doors["relay"])) == 1)
            phone.person.say("Where is my order?")
            await until(lambda: len(stage.turns_of(stage.doors["relay"])) == 2)
            phone.person.say("It is broken")
            await until(lambda: len(stage.turns_of(stage.doors["relay"])) == 3)
            await phone.hang_up()

    stage.play(scene())
    assert [path for path, _, _ in Shop.asked] == ["/orders/12", "/orders/500"]
    assert [result["status"] for result in results(stage, "relay")] == ["done", "failed"]
    said = [turn.heard_text for turn in stage.turns_of(stage.doors["relay"])]
    assert "order 12 is on its way" in said[1]
    assert said[2] == "I am sorry, that did not work."


@pytest.fixture
def talking(stage: EdgeStage) -> Iterator[RealtimeEdgeStage]:
    """An agent that hears and speaks by one model, with the same tool."""
    agent = stage.agents["pipeline"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_edge_realtime, "QUICK", replace(QUICK, script=SCRIPT))
        casts = (Cast("good", tools=agent.tools),)
        with RealtimeEdgeStage(casts, tools=runs).running() as s:
            yield s


def test_a_model_that_speaks_by_itself_uses_the_same_tool(talking: RealtimeEdgeStage) -> None:
    def script() -> Iterator[Step]:
        yield Listen(until_silence_s=0.2)
        yield Speak(CLIP)
        yield Listen(until_silence_s=1.0)
        yield Leave()

    talking.play(talking.place(script()))
    ((path, authorization, key),) = Shop.asked
    assert (path, authorization) == ("/orders/12", "Bearer tok")
    (result,) = results(talking, "good")
    assert result["answer"] == {"state": "order 12 is on its way"}
    turn = talking.turns_of(talking.doors["good"])[-1]
    assert turn.tools[0]["id"] == key
    assert "order 12 is on its way" in turn.heard_text
