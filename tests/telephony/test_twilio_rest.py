"""Twilio's own client over a paper HTTP client: what is sent, and what errors become."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from twilio.http.response import Response

from telephony.errors import (
    CarrierRefused,
    CarrierUnreachable,
    InvalidCall,
    InvalidPhoneNumber,
    InvalidSetting,
)
from telephony.rest import CallRecording, CarrierRest, CreateCall, MachineDetection
from telephony.twilio_rest import TwilioRest, TwilioRestConfig
from tests.support.virtual_time import run

ACCOUNT = "AC" + "0" * 31 + "1"
CALL = "CA" + "a" * 32
RECORDING = "RE" + "b" * 32
NUMBER = "PN" + "c" * 32
ROOT = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}"


class PaperHttp:
    """Answers with what it was given; keeps what was asked."""

    is_async = True

    def __init__(self, status: int = 200, body: object = None, delay_s: float = 0.0) -> None:
        self.status = status
        self.body = body if isinstance(body, str) else json.dumps(body or {})
        self.delay_s = delay_s
        self.asked: list[tuple[str, str]] = []
        self.data: dict[str, Any] = {}
        self.params: dict[str, Any] = {}
        self.auth: tuple[str, str] | None = None
        self.closed = False

    async def request(
        self, method: str, uri: str, params: Any = None, data: Any = None, **others: Any
    ) -> Response:
        self.asked.append((method, uri))
        self.data, self.params, self.auth = dict(data or {}), dict(params or {}), others["auth"]
        await asyncio.sleep(self.delay_s)
        return Response(self.status, self.body, {})

    async def close(self) -> None:
        self.closed = True


def ask(http: PaperHttp, do: Callable[[CarrierRest], Coroutine[Any, Any, Any]], **more: Any) -> Any:
    config = TwilioRestConfig(account_sid=ACCOUNT, auth_token="secret-token", **more)
    return run(do(TwilioRest(config, http)))


def test_a_call_is_placed_with_what_was_asked_and_nothing_else() -> None:
    http = PaperHttp(201, {"sid": CALL, "status": "queued"})
    call = CreateCall(to="+14155550100", from_="+14155550199", url="https://h/voice?o=t")
    assert ask(http, lambda rest: rest.create_call(call)) == CALL
    assert http.asked == [("POST", f"{ROOT}/Calls.json")]
    assert http.auth == (ACCOUNT, "secret-token")
    assert http.data == {
        "To": "+14155550100",
        "From": "+14155550199",
        "Url": "https://h/voice?o=t",
        "Timeout": 60,
    }


def test_a_call_with_everything() -> None:
    http = PaperHttp(201, {"sid": CALL})
    call = CreateCall(
        to="+14155550100",
        from_="+14155550199",
        twiml="<Response/>",
        status_callback="https://h/status",
        timeout_s=20,
        time_limit_s=600,
        machine_detection=MachineDetection(
            mode="DetectMessageEnd", callback_url="https://h/amd", timeout_s=20
        ),
        recording=CallRecording(callback_url="https://h/rec"),
    )
    ask(http, lambda rest: rest.create_call(call))
    assert http.data == {
        "To": "+14155550100",
        "From": "+14155550199",
        "Twiml": "<Response/>",
        "StatusCallback": "https://h/status",
        "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
        "Timeout": 20,
        "TimeLimit": 600,
        "Record": "true",
        "RecordingChannels": "dual",
        "RecordingStatusCallback": "https://h/rec",
        "MachineDetection": "DetectMessageEnd",
        "MachineDetectionTimeout": 20,
        "AsyncAmd": "true",
        "AsyncAmdStatusCallback": "https://h/amd",
    }


def test_detection_that_the_call_waits_for_is_not_asynchronous() -> None:
    http = PaperHttp(201, {"sid": CALL})
    call = CreateCall(
        to="+14155550100",
        from_="+14155550199",
        url="https://h/voice",
        machine_detection=MachineDetection(),
    )
    ask(http, lambda rest: rest.create_call(call))
    assert http.data["MachineDetection"] == "Enable"
    assert not [name for name in http.data if name.startswith("AsyncAmd")]


@pytest.mark.parametrize(
    ("change", "sent"),
    [
        ({"status": "completed"}, {"Status": "completed"}),
        ({"twiml": "<Response/>"}, {"Twiml": "<Response/>"}),
    ],
)
def test_a_call_is_steered(change: dict[str, Any], sent: dict[str, str]) -> None:
    http = PaperHttp(200, {"sid": CALL})
    ask(http, lambda rest: rest.update_call(CALL, **change))
    assert http.asked == [("POST", f"{ROOT}/Calls/{CALL}.json")]
    assert http.data == sent


@pytest.mark.parametrize(
    "change", [{}, {"twiml": "<Response/>", "status": "completed"}, {"twiml": "x" * 4_001}]
)
def test_a_change_is_exactly_one(change: dict[str, Any]) -> None:
    http = PaperHttp()
    with pytest.raises(InvalidCall):
        ask(http, lambda rest: rest.update_call(CALL, **change))
    assert http.asked == []


def test_a_call_is_read() -> None:
    record = {
        "sid": CALL,
        "status": "completed",
        "direction": "outbound-api",
        "to": "+14155550100",
        "from": "+14155550199",
        "answered_by": "human",
        "duration": "15",
        "price": "-0.03",
        "price_unit": "USD",
        "parent_call_sid": None,
    }
    call = ask(PaperHttp(200, record), lambda rest: rest.fetch_call(CALL))
    assert (call.status, call.answered_by, call.duration_s) == ("completed", "human", 15)
    assert (call.to, call.from_, call.price) == ("+14155550100", "+14155550199", "-0.03")
    assert call.parent_call_sid == ""


def test_a_call_that_lasts_has_no_duration() -> None:
    record = {"sid": CALL, "status": "in-progress", "duration": None}
    assert ask(PaperHttp(200, record), lambda rest: rest.fetch_call(CALL)).duration_s is None


def test_a_call_is_recorded_and_the_recording_deleted() -> None:
    http = PaperHttp(201, {"sid": RECORDING})
    found = ask(http, lambda rest: rest.start_recording(CALL, CallRecording(callback_url="u")))
    assert found == RECORDING
    assert http.asked == [("POST", f"{ROOT}/Calls/{CALL}/Recordings.json")]
    assert http.data == {"RecordingChannels": "dual", "RecordingStatusCallback": "u"}
    http = PaperHttp(204, "")
    assert ask(http, lambda rest: rest.delete_recording(RECORDING)) is True
    assert http.asked == [("DELETE", f"{ROOT}/Recordings/{RECORDING}.json")]
    gone = PaperHttp(404, {"code": 20404, "message": "not found", "status": 404})
    assert ask(gone, lambda rest: rest.delete_recording(RECORDING)) is False


def test_a_number_is_found_by_its_whole_self() -> None:
    def listed(*numbers: str) -> PaperHttp:
        rows = [{"sid": NUMBER, "phone_number": each, "voice_url": "v"} for each in numbers]
        return PaperHttp(200, {"incoming_phone_numbers": rows, "next_page_uri": None})

    http = listed("+1415555010", "+14155550100")
    found = ask(http, lambda rest: rest.find_number("+14155550100"))
    assert (found.sid, found.number, found.voice_url) == (NUMBER, "+14155550100", "v")
    assert http.params["PhoneNumber"] == "+14155550100"
    assert ask(listed("+141555501009"), lambda rest: rest.find_number("+14155550100")) is None
    with pytest.raises(InvalidPhoneNumber):
        ask(listed(), lambda rest: rest.find_number("4155550100"))


def test_a_number_is_pointed_at_us() -> None:
    http = PaperHttp(200, {"sid": NUMBER})
    ask(http, lambda rest: rest.set_number_urls(NUMBER, voice_url="v", status_url="s"))
    assert http.asked == [("POST", f"{ROOT}/IncomingPhoneNumbers/{NUMBER}.json")]
    assert http.data == {
        "VoiceUrl": "v",
        "VoiceMethod": "POST",
        "StatusCallback": "s",
        "StatusCallbackMethod": "POST",
    }
    ask(
        http,
        lambda rest: rest.set_number_urls(NUMBER, voice_url="v", status_url="s", fallback_url=""),
    )
    assert (http.data["VoiceFallbackUrl"], http.data["VoiceFallbackMethod"]) == ("", "POST")


def test_the_account_is_read() -> None:
    http = PaperHttp(200, {"sid": ACCOUNT, "status": "active", "type": "Trial"})
    account = ask(http, lambda rest: rest.check_account())
    assert (account.sid, account.status, account.type) == (ACCOUNT, "active", "Trial")


def test_an_api_key_opens_the_account() -> None:
    http = PaperHttp(200, {"sid": ACCOUNT})
    ask(http, lambda rest: rest.check_account(), api_key_sid="SK" + "1" * 32)
    assert http.auth == ("SK" + "1" * 32, "secret-token")
    assert http.asked == [("GET", f"{ROOT}.json")]


@pytest.mark.parametrize(
    "sid", ["", "CA", "../Accounts", CALL.upper(), RECORDING, CALL + "/", CALL + "\n"]
)
def test_what_is_no_sid_is_not_put_into_a_path(sid: str) -> None:
    http = PaperHttp()
    with pytest.raises(InvalidCall, match="sid"):
        ask(http, lambda rest: rest.fetch_call(sid))
    assert http.asked == []


@pytest.mark.parametrize(
    ("status", "code", "fact"),
    [
        (401, 20003, "is_wrong_key"),
        (404, 20404, "is_unknown"),
        (400, 21220, "is_call_over"),
        (400, 21211, ""),
    ],
)
def test_a_refusal_has_the_carriers_code(status: int, code: int, fact: str) -> None:
    body = {"code": code, "message": "The number +1 (415) 555-0100 is bad", "status": status}
    with pytest.raises(CarrierRefused, match=str(code)) as caught:
        ask(PaperHttp(status, body), lambda rest: rest.fetch_call(CALL))
    error = caught.value
    assert (error.code, error.status) == (code, status)
    facts = {name: getattr(error, name) for name in ("is_wrong_key", "is_unknown", "is_call_over")}
    assert [name for name, is_true in facts.items() if is_true] == ([fact] if fact else [])
    assert "0100" not in str(error)
    assert "(a number)" in str(error)


def test_a_list_is_refused_as_anything_else() -> None:
    http = PaperHttp(401, {"code": 20003, "message": "Authenticate", "status": 401})
    with pytest.raises(CarrierRefused) as caught:
        ask(http, lambda rest: rest.find_number("+14155550100"))
    assert caught.value.is_wrong_key


def test_a_refusal_that_is_no_json_has_the_status_as_its_code() -> None:
    with pytest.raises(CarrierRefused) as caught:
        ask(PaperHttp(403, "<html>no"), lambda rest: rest.fetch_call(CALL))
    assert (caught.value.code, caught.value.status) == (403, 403)


@pytest.mark.parametrize("body", ["", "<html>", "[]", '"text"', "{}", '{"sid": null}'])
def test_an_answer_that_cannot_be_read_leaves_the_outcome_open(body: str) -> None:
    call = CreateCall(to="+14155550100", from_="+14155550199", url="https://h/v")
    with pytest.raises(CarrierUnreachable) as caught:
        ask(PaperHttp(201, body), lambda rest: rest.create_call(call))
    assert caught.value.maybe_done


def test_no_answer_in_time_leaves_the_outcome_open() -> None:
    http = PaperHttp(200, {"sid": CALL}, delay_s=11.0)
    with pytest.raises(CarrierUnreachable, match="10 s") as caught:
        ask(http, lambda rest: rest.fetch_call(CALL))
    assert caught.value.maybe_done


def test_closing_closes_the_connections() -> None:
    http = PaperHttp()
    ask(http, lambda rest: rest.close())
    assert http.closed


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"account_sid": "", "auth_token": "t"}, "TWILIO_ACCOUNT_SID"),
        ({"account_sid": "AC123", "auth_token": "t"}, "TWILIO_ACCOUNT_SID"),
        ({"account_sid": ACCOUNT, "auth_token": ""}, "TWILIO_AUTH_TOKEN"),
        (
            {"account_sid": ACCOUNT, "auth_token": "t", "base_url": "api.twilio.com"},
            "TWILIO_API_BASE_URL",
        ),
        ({"account_sid": ACCOUNT, "auth_token": "t", "base_url": "http://["}, "BASE_URL"),
    ],
)
def test_settings_that_cannot_be_are_named(settings: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidSetting, match=named):
        TwilioRestConfig(**settings)  # type: ignore[arg-type]


def test_the_token_is_not_printed() -> None:
    config = TwilioRestConfig(account_sid=ACCOUNT, auth_token="secret-token")
    assert "secret" not in repr(config)
    assert "secret" not in repr(TwilioRest(config, PaperHttp()))
