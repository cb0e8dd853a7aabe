"""The routes by which a person or a test scripts the phones of the world outside.

| request | does |
|---|---|
| ``GET /_control/callees`` | shows the book: who answers which number, and how |
| ``POST /_control/callees {"number": "+1...", ...}`` | enters a number; ``"*"`` is all others |
| ``DELETE /_control/callees`` | empties the book |
| ``GET /_control/calls`` | every call: what REST shows, and what was said, pressed, done wrong |
| ``POST /_control/calls {"from": "+1...", "to": "+1...", ...}`` | somebody calls in |
| ``POST /_control/numbers {"number": "+1..."}`` | the account buys a number |

The other fields are those of ``callee_book.Callee``.
"""

from __future__ import annotations

from typing import Any

from simulation.callee_book import ANYBODY, Callee
from simulation.control import Control
from simulation.errors import SimulationError
from simulation.exchange import Exchange
from simulation.twilio_wire import call_json
from simulation.twiml_dial import E164
from simulation.wire_http import Reply, Request


class ExchangeControl:
    """Answers them for one account.

    Args:
        exchange: The account.
        control: Where the routes are added.
    """

    def __init__(self, exchange: Exchange, control: Control) -> None:
        self._exchange = exchange
        control.add("GET", "callees", self._show_book)
        control.add("POST", "callees", self._put_callee)
        control.add("DELETE", "callees", self._clear_book)
        control.add("GET", "calls", self._show_calls)
        control.add("POST", "calls", self._call_in)
        control.add("POST", "numbers", self._buy_number)

    def _show_book(self, request: Request, reply: Reply) -> None:
        reply.json(200, self._exchange.phones.book.as_dict())

    def _clear_book(self, request: Request, reply: Reply) -> None:
        self._exchange.phones.book.clear()
        reply.json(200, {})

    def _put_callee(self, request: Request, reply: Reply) -> None:
        wire = request.json()
        number = str(wire.pop("number", ""))
        if number != ANYBODY and not _is_number(number):
            reply.json(400, {"error": f"number is in E.164, or {ANYBODY!r}"})
            return
        try:
            self._exchange.phones.put(number, Callee.parse(wire))
        except SimulationError as error:
            reply.json(400, {"error": error.message})
        else:
            self._show_book(request, reply)

    def _show_calls(self, request: Request, reply: Reply) -> None:
        calls = [{**call_json(call.record), **call.facts()} for call in self._exchange.log]
        reply.json(200, {"calls": calls})

    def _call_in(self, request: Request, reply: Reply) -> None:
        wire: dict[str, Any] = request.json()
        from_number, to_number = str(wire.pop("from", "")), str(wire.pop("to", ""))
        if not _is_number(from_number) or not self._exchange.owns(to_number):
            reply.json(400, {"error": "from is in E.164, to is a number of the account"})
            return
        try:
            caller = Callee.parse(wire)
            leg = self._exchange.call_in(from_number, to_number, caller)
        except SimulationError as error:
            reply.json(400, {"error": error.message})
        else:
            reply.json(200, call_json(leg.record))

    def _buy_number(self, request: Request, reply: Reply) -> None:
        number = str(request.json().get("number", ""))
        if not _is_number(number):
            reply.json(400, {"error": "number is in E.164"})
            return
        owned = self._exchange.buy(number)
        reply.json(200, {"sid": owned.sid, "number": owned.number})


def _is_number(text: str) -> bool:
    return E164.fullmatch(text) is not None
