"""What is done with a call that is taken from a replica that hangs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree

import pytest

from actors.stream_watch import WatchedCall
from cluster.call_registry import LiveCall
from cluster.settings import load_settings
from cluster.watched_calls import CallMover, watched
from telephony import stream_token
from telephony.errors import CarrierRefused, CarrierThrottled, CarrierUnreachable, InvalidTwiml
from telephony.stream_token import StreamClaims
from telephony.twiml_redirect import redirect
from tests.support.virtual_time import run

CLAIMS = StreamClaims("stream", "default", "ann", "call-1", "CA1", "b", 1, 60, 99, "id")
CALL = WatchedCall("call-1", "CA1", (1, 60), asdict(CLAIMS))
NOW_US = 1_000_000


class Carrier:
    """Takes updates, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.updates: list[tuple[str, str]] = []
        self._error = error

    async def update_call(self, call_sid: str, *, twiml: str = "", status: str = "") -> None:
        self.updates.append((call_sid, twiml or status))
        if self._error is not None:
            raise self._error


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "t" * 32)
    monkeypatch.setenv("PUBLIC_URL", "https://voice.example.com")
    return load_settings()


def test_the_carrier_is_told_to_ask_what_now_with_the_claims_of_the_last_owner(
    settings: Any,
) -> None:
    carrier = Carrier()
    run(CallMover(settings, carrier, lambda: NOW_US).move(CALL))  # type: ignore[arg-type]
    ((sid, document),) = carrier.updates
    assert sid == "CA1"
    verb = ElementTree.fromstring(document)[0]
    assert (verb.tag, verb.get("method")) == ("Redirect", "POST")
    url, _, token = str(verb.text).partition("?s=")
    assert url == "https://voice.example.com/twilio/resume"
    secret = settings.signing_secret()
    claims = stream_token.verify(token, (secret,), kind="action", now_us=NOW_US)
    assert (claims.actor, claims.epoch, claims.call_id) == ("b", (1, 60), "call-1")


@pytest.mark.parametrize(
    ("error", "is_said", "is_hopeless"),
    [
        (CarrierRefused("over", 21220), False, True),
        (CarrierRefused("not now", 20001), True, True),
        (CarrierUnreachable("away"), True, False),
        (CarrierThrottled("busy", 1.0), True, False),
    ],
)
def test_what_goes_wrong_is_said_and_hurts_nobody(
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    is_said: bool,
    is_hopeless: bool,
) -> None:
    mover = CallMover(settings, Carrier(error), lambda: NOW_US)  # type: ignore[arg-type]
    assert run(mover.move(CALL)) == is_hopeless
    assert bool(caplog.records) == is_said


def test_without_a_carrier_and_with_claims_of_another_version_it_is_said(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    run(CallMover(settings, None, lambda: NOW_US).move(CALL))
    assert "TWILIO_ACCOUNT_SID is not set" in caplog.text
    caplog.clear()
    odd = WatchedCall("call-1", "CA1", (1, 60), {"unheard": "of"})
    run(CallMover(settings, Carrier(), lambda: NOW_US).move(odd))  # type: ignore[arg-type]
    assert "cannot be moved" in caplog.text


@pytest.mark.parametrize("url", ["", "/twilio/resume", "ftp://voice.example.com/x"])
def test_a_redirect_goes_to_an_absolute_url(url: str) -> None:
    with pytest.raises(InvalidTwiml):
        redirect(url)
    assert "?a=1&amp;b=2</Redirect>" in redirect("https://voice.example.com/x?a=1&b=2")


@dataclass
class Mind:
    actor: str
    epoch: tuple[int, int]


@dataclass
class Driver:
    mind: Mind


def test_what_the_watch_knows_of_a_call_is_written_anew_only_when_its_mind_has_moved() -> None:
    mind = Mind("a", (0, 5))
    live: Any = LiveCall("CA1", "call-1", (0, 5), Driver(mind), None, CLAIMS)  # type: ignore[arg-type]
    unclaimed: Any = LiveCall("CA2", "call-2", (0, 5), Driver(mind), None)  # type: ignore[arg-type]
    (first,) = watched([live, unclaimed])
    assert first["epoch"] == [0, 5]
    assert (first["claims"]["actor"], first["claims"]["minted_us"]) == ("a", 5)
    assert watched([live])[0] is first
    mind.actor, mind.epoch = "b", (0, 9)
    (moved,) = watched([live])
    assert (moved["epoch"], moved["claims"]["actor"], moved["claims"]["minted_us"]) == (
        [0, 9],
        "b",
        9,
    )
