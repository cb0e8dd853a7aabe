"""The carrier's side of many relayed calls at once. A process of its own, served before others.

``python -m benchmarks.relay_callers --url http://127.0.0.1:8000`` reads orders from standard input,
one JSON object a line, and answers each with one:

- ``{"do": "dial", "calls": 300}``: until so many calls are up, or have failed;
- ``{"do": "begin"}``: count from here on;
- ``{"do": "report"}``: what was counted since.

When standard input closes, everybody hangs up. Nothing runs for a call between two of its messages
(a thousand emulated phones with a clock of 20 ms each would need a core for themselves), but every
message that the TwiML asks for is sent, when the carrier would send it: voices on and off, words as
they are recognised, the prompt, what was played. The time of an answer is from the prompt to the
first words that come back.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from random import Random
from typing import Any

import httpx

from benchmarks.relay_tally import Tally
from simulation import relay_messages as wire
from simulation.carrier_errors import StreamRefused, TwimlRejected, WebhookFailed
from simulation.carrier_line import LineSocket, SocketAddress, SocketEars
from simulation.carrier_signature import PublicAddress
from simulation.carrier_socket import open_socket
from simulation.carrier_webhooks import CallIdentity, Webhooks, call_form, new_sid
from simulation.first_served import be_first_served
from simulation.twiml_relay import Relay
from simulation.twiml_run import read_twiml
from simulation.twiml_verbs import Connect

VOICE_PATH = "/twilio/voice"
CHARS_PER_S = 15.0
FIRST_BYTE_S = 0.15
ENDPOINT_S = 0.5
SPEECH_S = 2.0
PARTIALS = 3
HEARTBEAT_S = 0.01


class RelayCall:
    """One caller and the carrier's half of the call.

    Args:
        number: Of the call, among all.
        period_s: From one prompt to the next.
        callers: All of them.
    """

    def __init__(self, number: int, period_s: float, callers: RelayCallers) -> None:
        self.is_up = False
        self._number = number
        self._period_s = period_s
        self._callers = callers
        self._random = Random(f"relay/{number}")
        self._loop = asyncio.get_running_loop()
        self._socket: LineSocket | None = None
        self._noun = Relay("")
        self._prompted_at: float | None = None
        self._plays_until = 0.0
        self._is_playing = False

    async def open(self) -> None:
        """Ask the webhook, open the socket. Raises what the carrier's errors are."""
        callers = self._callers
        identity = CallIdentity(
            "AC" + "0" * 32, new_sid("CA", callers.random), "+14155550100", "+14155550199"
        )
        form = call_form(identity, "ringing", callers.random)
        answer = await callers.webhooks.fetch(f"{callers.url}{VOICE_PATH}", form)
        verbs = read_twiml(answer.body, allow_insecure=True).verbs
        relay = next((v.stream for v in verbs if isinstance(v, Connect)), None)
        if not isinstance(relay, Relay) or relay.problem:
            raise StreamRefused(64101, "the call was not given a relay")
        self._noun = relay
        address = SocketAddress(relay.url, callers.address.route(relay.url))
        self._socket = await open_socket(
            address, "", SocketEars(self._take, lambda _: None, self._closed)
        )
        self.is_up = True
        session = new_sid("VX", callers.random)
        self._send(wire.setup(identity, session, relay.parameters, "IN_PROGRESS"))

    def hang_up(self) -> None:
        """The caller puts the phone down."""
        self.is_up = False
        if self._socket is not None:
            self._socket.close()

    async def talk(self) -> None:
        """Say something every ``period_s``, until the call is over."""
        due = self._loop.time() + self._period_s * (0.3 + 0.7 * self._random.random())
        turn = 0
        while self.is_up:
            await self._until(due - SPEECH_S - ENDPOINT_S)
            turn += 1
            text = f"I have question {turn} about order {self._random.randrange(10_000)} please"
            await self._say(text, due)
            due += self._period_s * (0.8 + 0.4 * self._random.random())

    async def _say(self, text: str, due: float) -> None:
        words = text.split()
        self._tell("clientSpeaking", "on")
        for part in range(1, PARTIALS + 1):
            await self._until(due - ENDPOINT_S - SPEECH_S * (1 - part / PARTIALS))
            if self._noun.has_partials and self.is_up:
                said = " ".join(words[: len(words) * part // PARTIALS])
                self._send(wire.prompt(said, self._noun.language, is_last=False))
        self._tell("clientSpeaking", "off")
        await self._until(due)
        if not self.is_up:
            return
        tally = self._callers.tally
        tally.unanswered += self._prompted_at is not None
        tally.prompts += 1
        self._prompted_at = time.perf_counter()
        self._send(wire.prompt(text, self._noun.language, is_last=True))

    async def _until(self, due: float) -> None:
        wait_s = due - self._loop.time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
            self._callers.tally.late_s.append(max(0.0, self._loop.time() - due))

    # --- what the server says -----------------------------------------------------------------

    def _take(self, text: str) -> None:
        now, tally = time.perf_counter(), self._callers.tally
        tally.came += 1
        message = wire.read_relay_message(text)
        if isinstance(message, wire.End):
            self._callers.lost(self, "ended by the server")
        elif isinstance(message, wire.Text) and message.token.strip():
            asked_at, self._prompted_at = self._prompted_at, None
            if asked_at is not None and asked_at >= tally.began_s:
                tally.answers_s.append(now - asked_at)
            self._play(message.token.strip())
        elif not isinstance(message, wire.Text):
            self._callers.lost(self, f"unexpected: {type(message).__name__}")

    def _play(self, token: str) -> None:
        now = self._loop.time()
        if not self._is_playing:
            self._is_playing = True
            self._loop.call_later(FIRST_BYTE_S, self._tell, "agentSpeaking", "on")
        self._plays_until = max(self._plays_until, now + FIRST_BYTE_S) + len(token) / CHARS_PER_S
        self._loop.call_at(self._plays_until, self._played, token)

    def _played(self, token: str) -> None:
        if "tokens-played" in self._noun.told:
            self._send(wire.info("tokensPlayed", token))
        if self._loop.time() >= self._plays_until - 0.001:
            self._is_playing = False
            self._tell("agentSpeaking", "off")

    def _tell(self, name: str, value: str) -> None:
        if "speaker-events" in self._noun.told:
            self._send(wire.info(name, value))

    def _send(self, text: str) -> None:
        if self._socket is not None and self.is_up:
            self._callers.tally.sent += 1
            self._socket.send_text(text)

    def _closed(self, code: int, _: bool) -> None:
        if self.is_up:
            self._callers.lost(self, f"closed with {code}")


class RelayCallers:
    """All calls of this process.

    Args:
        url: Where the product listens.
        http: For webhooks.
        period_s: From one prompt of a call to its next, on average.
        dials_per_s: How quickly calls are placed.
    """

    def __init__(
        self, url: str, http: httpx.AsyncClient, period_s: float, dials_per_s: float
    ) -> None:
        self.url = url
        self.random = Random()
        self.address = PublicAddress(url, "")
        self.webhooks = Webhooks(http, self.address, "", self.random)
        self.tally = Tally()
        self._period_s = period_s
        self._dials_per_s = dials_per_s
        self._calls: list[RelayCall] = []
        self._placed = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()

    @property
    def up(self) -> int:
        """Calls that are up."""
        return sum(call.is_up for call in self._calls)

    async def dial(self, calls: int) -> None:
        """Place further calls, ``calls`` in all; returns when each is up or has failed."""
        first, began = self._placed, self._loop.time()
        opening = []
        for number in range(first, calls):
            await asyncio.sleep(began + (number - first) / self._dials_per_s - self._loop.time())
            opening.append(self._start(self._open(number)))
        self._placed = max(first, calls)
        if opening:
            await asyncio.wait(opening)

    async def _open(self, number: int) -> None:
        call = RelayCall(number, self._period_s, self)
        try:
            await call.open()
        except (StreamRefused, TwimlRejected, WebhookFailed) as error:
            self.tally.lost[f"not opened: {error}"[:120]] += 1
            return
        self._calls.append(call)
        self._start(call.talk())

    def lost(self, call: RelayCall, why: str) -> None:
        """A call is over that should not be."""
        if call.is_up:
            call.is_up = False
            self.tally.lost[why] += 1

    def _start(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def watch(self) -> None:
        """How late this process is, whatever its calls do."""
        due = self._loop.time()
        while True:
            due += HEARTBEAT_S
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            self.tally.late_s.append(max(0.0, self._loop.time() - due))
            due = max(due, self._loop.time() - HEARTBEAT_S)

    async def aclose(self) -> None:
        """Everybody hangs up."""
        for call in self._calls:
            call.hang_up()
        await asyncio.sleep(1.0)
        for task in self._tasks:
            task.cancel()


async def serve(url: str, period_s: float, dials_per_s: float) -> None:
    """Take orders until standard input closes."""
    loop = asyncio.get_running_loop()
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(trust_env=False, timeout=10.0, limits=limits) as http:
        callers = RelayCallers(url, http, period_s, dials_per_s)
        watching = loop.create_task(callers.watch())
        try:
            while line := await loop.run_in_executor(None, sys.stdin.readline):
                order = json.loads(line)
                if order["do"] == "dial":
                    await callers.dial(int(order["calls"]))
                elif order["do"] == "begin":
                    callers.tally = Tally()
                print(json.dumps(callers.tally.report(callers.up)), flush=True)
            await callers.aclose()
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching


def main() -> None:
    """Entry point."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--url", required=True)
    options.add_argument("--period", type=float, default=10.0, help="s between prompts of a call")
    options.add_argument("--dials-per-s", type=float, default=25.0)
    given = options.parse_args()
    be_first_served()
    asyncio.run(serve(given.url, given.period, given.dials_per_s))


if __name__ == "__main__":
    main()
