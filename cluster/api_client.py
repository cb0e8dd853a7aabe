"""A client of the product's own HTTP API: place a call, look at it, hang it up.

What the API sends may grow: fields that are not known here are ignored, missing ones are empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Literal
from urllib.parse import quote

import httpx

from cluster.errors import ApiRefusedError, ApiUnreachableError

LIVE_STATES: Final = ("answered", "placed", "dialing", "queued")
FINAL_STATES: Final = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
WhenMachine = Literal["off", "hang_up", "leave_message", "continue"]
_TIMEOUT_S = 10.0
_MOST_OF_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCall:
    """A call to be placed.

    Attributes:
        to: E.164.
        agent_id: Who speaks; the tenant's default agent when empty.
        from_number: E.164; a number of the tenant when empty.
        variables: For the agent's prompt.
        when_machine: What to do when a machine answers; ``off`` does not listen for one.
        message: Left on the machine, with ``leave_message``.
        record: Record both sides.
        timeout_s: How long it rings; the API's default when None.
    """

    to: str
    agent_id: str = ""
    from_number: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    when_machine: WhenMachine = "off"
    message: str = ""
    record: bool = False
    timeout_s: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The body of the request; what was not given is left out."""
        body: dict[str, Any] = {"to": self.to}
        if self.agent_id:
            body["agent_id"] = self.agent_id
        if self.from_number:
            body["from"] = self.from_number
        if self.variables:
            body["variables"] = dict(self.variables)
        if self.when_machine != "off":
            body["machine_detection"] = {"mode": self.when_machine}
            if self.message:
                body["machine_detection"]["message"] = self.message
        if self.record:
            body["record"] = True
        if self.timeout_s is not None:
            body["timeout_s"] = self.timeout_s
        return body


@dataclass(frozen=True, slots=True)
class ApiTurn:
    """One turn of a call as the API tells it."""

    turn_id: int
    kind: str = ""
    caller_text: str = ""
    agent_text: str = ""
    heard_text: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A call as the API tells it.

    Attributes:
        state: ``queued``, ``dialing``, ``placed``, ``answered`` or one of ``FINAL_STATES``.
        waiting_for: Why a queued call waits; empty when it is not known.
        error: What went wrong; empty when nothing did.
        end_reason: Why the conversation ended, such as ``transferred``; empty before.
        cost_usd: Known costs so far; None when the API does not say.
        plain: Everything that the API sent.
    """

    call_id: str
    state: str
    turns: tuple[ApiTurn, ...] = ()
    waiting_for: str = ""
    error: str = ""
    end_reason: str = ""
    cost_usd: float | None = None
    plain: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Nothing will happen any more."""
        return self.state in FINAL_STATES

    @property
    def is_told(self) -> bool:
        """Its conversation, if there was one, is in the records to the end."""
        return not self.plain.get("started_at") or bool(self.plain.get("ended_at"))


class ApiClient:
    """Use as ``async with ApiClient(url, key) as api``.

    Args:
        url: Where the product listens, ``http://HOST:PORT``.
        api_key: ``cck_...``; may be empty in development mode.
        transport: Carries the requests; the network unless a test brings its own.
    """

    def __init__(
        self, url: str, api_key: str = "", transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        try:
            self._http = httpx.AsyncClient(
                base_url=self._url, headers=headers, timeout=_TIMEOUT_S, transport=transport
            )
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise ApiUnreachableError(f"{url}: {error}") from None

    async def __aenter__(self) -> ApiClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def place_call(self, call: NewCall, idempotency_key: str) -> ApiCall:
        """Have a call placed; the same key again answers with the call that it placed then.

        Raises:
            ApiRefusedError: An unknown agent, an invalid number, a wrong key and so on.
            ApiUnreachableError: The call may have been placed all the same; ask again with the
                same key.
        """
        return _call(
            await self._ask(
                "POST",
                "/v1/calls",
                json=call.as_json(),
                headers={"Idempotency-Key": idempotency_key},
            )
        )

    async def call(self, call_id: str) -> ApiCall:
        """One call. Raises as ``place_call``; code ``not_found`` when there is none."""
        return _call(await self._ask("GET", _path(call_id)))

    async def calls(self, state: str = "", limit: int = 50) -> list[ApiCall]:
        """Calls, the newest first; of any state when none is named. Raises as ``call``.

        What the API tells a page at a time is asked for until there is no more, or ``limit`` are
        told. Their turns are not told.
        """
        found: list[ApiCall] = []
        cursor: object = None
        while len(found) < limit:
            asked = {"state": state, "limit": min(_MOST_OF_PAGE, limit - len(found))}
            asked |= {"cursor": cursor} if cursor else {}
            answer = await self._ask(
                "GET", "/v1/calls", params={name: value for name, value in asked.items() if value}
            )
            told = answer.get("calls")
            found += [_call(plain) for plain in told] if isinstance(told, list) else []
            cursor = answer.get("next_cursor")
            if not cursor or not told:
                break
        return found

    async def number_of_mode(self, mode: str) -> str:
        """A number whose calls begin in this mode; empty when there is none. Raises as ``call``."""
        answer = await self._ask("GET", "/v1/agents")
        agents = answer.get("agents")
        for agent in agents if isinstance(agents, list) else ():
            if (agent.get("modes") or ["pipeline"])[0] == mode and agent.get("numbers"):
                return str(agent["numbers"][0])
        return ""

    async def hang_up(self, call_id: str) -> ApiCall:
        """End a call, or take it out of the queue; one that is over stays as it is.

        Raises as ``call``; code ``call_is_being_placed`` when it has to be asked again.
        """
        return _call(await self._ask("DELETE", _path(call_id)))

    async def move(self, call_id: str, mode: str) -> ApiCall:
        """Have a call in progress carried in another way, between two turns.

        Raises as ``call``; code ``mode_not_configured`` where the agent's file does not name it,
        ``call_not_in_progress`` when nobody speaks with the call.
        """
        body = {"mode": mode}
        return _call(await self._ask("POST", f"{_path(call_id)}/mode", json=body))

    async def _ask(self, method: str, path: str, **options: Any) -> Mapping[str, Any]:
        try:
            answer = await self._http.request(method, path, **options)
        except (httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError) as error:
            raise ApiUnreachableError(
                f"{self._url} was asked and did not answer ({type(error).__name__})"
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ApiUnreachableError(
                f"nothing answers at {self._url} ({type(error).__name__}): is 'callcluster serve' "
                "running? Name its address with --url (CALLCLUSTER_URL)"
            ) from None
        try:
            body = answer.json()
        except ValueError:
            body = None
        if answer.is_success and isinstance(body, dict):
            return body
        raise _refusal(answer, body, self._url)


def _path(call_id: str) -> str:
    return f"/v1/calls/{quote(call_id, safe='')}"


def _refusal(answer: httpx.Response, body: object, url: str) -> Exception:
    """The error that an answer stands for."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        message, code = str(error.get("message") or ""), str(error.get("code") or "")
    else:
        message, code = "", ""
    if answer.status_code == 401:
        message = message or "the API wants a key"
        message += ". Make one with 'callcluster keys create' and set CALLCLUSTER_API_KEY"
    if message:
        return ApiRefusedError(message, code, answer.status_code)
    return ApiUnreachableError(
        f"{url} answers HTTP {answer.status_code}, which is no answer of the product's API"
    )


def _call(plain: Mapping[str, Any]) -> ApiCall:
    turns = plain.get("turns")
    cost = plain.get("cost_usd")
    error = plain.get("error")
    return ApiCall(
        call_id=str(plain.get("call_id") or ""),
        state=str(plain.get("state") or ""),
        turns=tuple(_turn(turn) for turn in turns if isinstance(turn, dict))
        if isinstance(turns, list)
        else (),
        waiting_for=str(plain.get("waiting_for") or ""),
        error=str(error.get("message") if isinstance(error, dict) else error or ""),
        end_reason=str(plain.get("end_reason") or ""),
        cost_usd=float(cost) if isinstance(cost, int | float) else None,
        plain=plain,
    )


def _turn(plain: Mapping[str, Any]) -> ApiTurn:
    number = plain.get("turn_id")

    def text(name: str) -> str:
        return str(plain.get(name) or "")

    return ApiTurn(
        number if isinstance(number, int) else 0,
        text("kind"),
        text("caller_text"),
        text("agent_text"),
        text("heard_text"),
        text("outcome"),
    )
