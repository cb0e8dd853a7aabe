"""The emulated Deepgram over loopback sockets, as a plain client of the protocol sees it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from simulation.clip_library import load_library
from simulation.deepgram_flux import DeepgramConfig
from simulation.faults import Faults
from simulation.providers import ProvidersConfig, RunningProviders, run_providers
from simulation.voice_sound import HummingVoice
from telephony import g711

pytestmark = pytest.mark.e2e
QUIET = b"\xff" * 160
SPEECH = load_library().clip("goforward").ulaw + QUIET * 40
QUERY = "model=flux-general-en&encoding=mulaw&sample_rate=8000"
KEY = {"Authorization": "Token k"}

Scene = Callable[[RunningProviders], Coroutine[Any, Any, None]]


def running(scene: Scene, **config: Any) -> None:
    async def run() -> None:
        wanted = ProvidersConfig(deepgram=DeepgramConfig(lag_s=0.0, **config), voice=HummingVoice())
        async with run_providers(wanted) as providers:
            await scene(providers)

    asyncio.run(asyncio.wait_for(run(), 20))


def dial(providers: RunningProviders, query: str = QUERY, **options: Any) -> connect:
    url = f"ws://{providers.host}:{providers.deepgram_port}/v2/listen?{query}"
    return connect(url, additional_headers=KEY, **options)


async def say(socket: ClientConnection, **message: object) -> None:
    await socket.send(json.dumps(message))


async def all_of(socket: ClientConnection) -> list[dict[str, Any]]:
    """Everything until the service closes."""
    return [json.loads(message) async for message in socket]


async def next_of(socket: ClientConnection, kind: str) -> dict[str, Any]:
    async for raw in socket:
        message: dict[str, Any] = json.loads(raw)
        if kind in (message["type"], message.get("event")):
            return message
    raise AssertionError(f"closed before {kind}")


def test_a_call_from_connected_to_the_close_without_a_code() -> None:
    async def scene(providers: RunningProviders) -> None:
        async with dial(providers, QUERY + "&eager_eot_threshold=0.4") as socket:
            for at in range(0, len(SPEECH), 640):
                await socket.send(SPEECH[at : at + 640])
            await say(socket, type="CloseStream")
            messages = await all_of(socket)
            assert socket.close_code == 1005
        assert messages[0]["type"] == "Connected"
        assert [message["sequence_id"] for message in messages] == list(range(len(messages)))
        assert len({message["request_id"] for message in messages}) == 1
        events = [message["event"] for message in messages[1:] if message["event"] != "Update"]
        assert events == ["StartOfTurn", "EagerEndOfTurn", "EndOfTurn"]
        ends = [m for m in messages if m.get("event") == "EndOfTurn"]
        assert ends[0]["transcript"] == "Go forward ten meters."

    running(scene)


def test_close_stream_tells_what_was_heard_and_ends_no_turn() -> None:
    async def scene(providers: RunningProviders) -> None:
        async with dial(providers) as socket:
            await socket.send(SPEECH[:12_800])
            await say(socket, type="CloseStream")
            messages = await all_of(socket)
        assert messages[-1]["event"] in ("Update", "StartOfTurn")
        assert messages[-1]["transcript"].startswith("Go forward")

    running(scene)


def test_settings_change_in_mid_call_and_a_turn_can_be_ended_by_force() -> None:
    async def scene(providers: RunningProviders) -> None:
        async with dial(providers) as socket:
            await say(socket, type="Configure", keyterms=["Ray"], thresholds={"eot_threshold": 1.0})
            changed = await next_of(socket, "ConfigureSuccess")
            assert changed["keyterms"] == ["Ray"]
            assert changed["thresholds"] == {"eot_threshold": 1.0, "eot_timeout_ms": 5_000}
            await say(socket, type="Configure", thresholds={"eot_threshold": 0.2})
            assert (await next_of(socket, "ConfigureFailure"))["code"] == "INVALID_PARAMETER"
            await say(socket, type="ForceEndTurn")
            assert (await next_of(socket, "Warning"))["code"] == "FORCE_END_TURN_NO_ACTIVE_TURN"
            await socket.send(SPEECH)
            await say(socket, type="ForceEndTurn")
            ended = await next_of(socket, "EndOfTurn")
            assert (ended["trigger"], ended["transcript"]) == ("manual", "Go forward ten meters.")

    running(scene)


@pytest.mark.parametrize("message", ['{"type": "KeepAlive"}', "[]", "not JSON", '{"type": null}'])
def test_a_message_that_it_does_not_know_is_fatal(message: str) -> None:
    async def scene(providers: RunningProviders) -> None:
        async with dial(providers) as socket:
            await socket.send(message)
            assert (await next_of(socket, "Error"))["code"] == "UNPARSABLE_CLIENT_MESSAGE"
            assert await all_of(socket) == []

    running(scene)


def test_a_silent_client_is_closed_and_pings_keep_it_open() -> None:
    async def scene(providers: RunningProviders) -> None:
        async with (
            dial(providers, ping_interval=None) as silent,
            dial(providers, ping_interval=0.05) as pinging,
        ):
            assert (await next_of(silent, "Error"))["code"] == "INACTIVE_CLIENT"
            with pytest.raises(ConnectionClosed):
                await silent.recv()
            assert (silent.close_code, silent.close_reason) == (1011, "NET-0001")
            await pinging.send(QUIET)
            await say(pinging, type="CloseStream")
            assert (await all_of(pinging))[0]["type"] == "Connected"

    running(scene, inactivity_s=0.3)


def test_linear_audio_is_heard_and_audio_of_no_known_format_is_not() -> None:
    async def scene(providers: RunningProviders) -> None:
        linear = g711.decode(SPEECH).astype("<i2").tobytes()
        async with dial(providers, QUERY.replace("mulaw", "linear16")) as socket:
            await socket.send(linear)
            ended = await next_of(socket, "EndOfTurn")
            assert ended["transcript"] == "Go forward ten meters."
        async with dial(providers, "model=flux-general-en") as socket:
            await socket.send(SPEECH)
            with pytest.raises(ConnectionClosed):
                await all_of(socket)
            assert (socket.close_code, socket.close_reason) == (1008, "DATA-0000")

    running(scene)


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        (f"/v2/listen?{QUERY}", {}, 401, "INVALID_AUTH"),
        (f"/v2/listen?{QUERY}", {"Authorization": "Token bad"}, 401, "INVALID_AUTH"),
        (f"/v2/listen?{QUERY}", {"Authorization": "k"}, 401, "INVALID_AUTH"),
        (f"/v1/listen?{QUERY}", KEY, 404, "NOT_FOUND"),
        ("/v2/listen?model=nova-3", KEY, 400, "INVALID_PARAMETER"),
        ("/v1/projects", KEY, 400, "Bad Request"),
    ],
)
def test_handshakes_that_are_refused(
    path: str, headers: dict[str, str], status: int, code: str
) -> None:
    async def scene(providers: RunningProviders) -> None:
        url = f"ws://{providers.host}:{providers.deepgram_port}{path}"
        with pytest.raises(InvalidStatus) as caught:
            await connect(url, additional_headers=headers)
        body = json.loads(caught.value.response.body or b"")
        assert caught.value.response.status_code == status
        assert code in (body.get("err_code"), body.get("code"))

    running(scene)


def test_a_key_can_be_tried_without_a_socket() -> None:
    async def scene(providers: RunningProviders) -> None:
        async with httpx.AsyncClient(base_url=providers.deepgram_base_url) as http:
            assert (await http.get("/v1/projects", headers=KEY)).status_code == 200
            bad = {"Authorization": "Token bad"}
            assert (await http.get("/v1/projects", headers=bad)).status_code == 401
            assert (await http.get("/v2/listen", headers=KEY)).status_code == 400

    running(scene)


def test_the_faults_of_the_others_are_its_own_too() -> None:
    async def scene(providers: RunningProviders) -> None:
        providers.board.set("deepgram", Faults(status=402, times=1))
        with pytest.raises(InvalidStatus) as caught:
            await dial(providers)
        assert json.loads(caught.value.response.body or b"")["err_code"] == "ASR_PAYMENT_REQUIRED"
        providers.board.set("deepgram", Faults(wrong_request_id=True, never_end=True))
        async with dial(providers) as socket:
            await socket.send(SPEECH)
            await say(socket, type="CloseStream")
            messages = await all_of(socket)
        assert len({message["request_id"] for message in messages}) == len(messages)
        assert "EndOfTurn" not in {message.get("event") for message in messages}
        assert providers.control.stats()["deepgram"]["requests"] == 2

    running(scene)
