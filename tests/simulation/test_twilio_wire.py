"""Field names of the emulated resources are those of Twilio's description of its API."""

from __future__ import annotations

import pytest

from simulation.carrier_record import CallRecord
from simulation.carrier_webhooks import CallIdentity
from simulation.exchange import OwnedNumber
from simulation.twilio_wire import ApiError, call_json, number_json, page_json

ACCOUNT = "AC" + "0" * 31 + "1"
CALL_FIELDS = (
    "account_sid answered_by api_version caller_name date_created date_updated direction duration "
    "end_time forwarded_from from from_formatted group_sid parent_call_sid phone_number_sid price "
    "price_unit sid start_time status subresource_uris to to_formatted trunk_sid uri queue_time"
)
NUMBER_FIELDS = (
    "account_sid address_requirements address_sid api_version beta capabilities date_created "
    "date_updated emergency_status emergency_address_sid emergency_address_status friendly_name "
    "identity_sid origin phone_number sid sms_application_sid sms_fallback_method sms_fallback_url "
    "sms_method sms_url status_callback status_callback_method trunk_sid uri voice_application_sid "
    "voice_caller_id_lookup voice_fallback_method voice_fallback_url voice_method voice_url "
    "bundle_sid voice_receive_mode status type"
)


def test_a_call_that_waits_in_line() -> None:
    identity = CallIdentity(ACCOUNT, "CA1", "+14155550199", "+442071838750", "outbound-api")
    shown = call_json(CallRecord(identity, queue_time_ms=1_000))
    assert list(shown) == CALL_FIELDS.split()
    assert (shown["status"], shown["queue_time"], shown["start_time"]) == ("queued", "1000", None)
    assert (shown["from_formatted"], shown["to_formatted"]) == ("(415) 555-0199", "+442071838750")
    assert shown["date_created"].endswith("+0000")
    assert shown["uri"] == f"/2010-04-01/Accounts/{ACCOUNT}/Calls/CA1.json"


def test_a_number() -> None:
    assert list(number_json(OwnedNumber("PN1", "+14155550199"), ACCOUNT)) == NUMBER_FIELDS.split()


def test_an_error_has_its_page() -> None:
    assert ApiError(401).body() == {
        "code": 20003,
        "detail": "Your AccountSid or AuthToken was incorrect.",
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }
    assert ApiError(400, 21211, "no").body() == {
        "code": 21211,
        "message": "no",
        "more_info": "https://www.twilio.com/docs/errors/21211",
        "status": 400,
    }


def test_pages_lead_to_each_other() -> None:
    rows = [{"sid": str(n)} for n in range(5)]
    first = page_json("calls", "/x.json", {"PageSize": "2", "To": "+1"}, rows)
    assert (first["start"], first["end"], first["page"], first["page_size"]) == (0, 1, 0, 2)
    assert first["next_page_uri"] == "/x.json?PageSize=2&To=%2B1&Page=1"
    assert first["previous_page_uri"] is None
    last = page_json("calls", "/x.json", {"PageSize": "2", "Page": "2"}, rows)
    assert (last["calls"], last["next_page_uri"]) == ([{"sid": "4"}], None)
    assert last["previous_page_uri"] == "/x.json?PageSize=2&Page=1"


@pytest.mark.parametrize("query", [{"PageSize": "0"}, {"PageSize": "x"}, {"Page": "-1"}])
def test_a_page_that_cannot_be(query: dict[str, str]) -> None:
    with pytest.raises(ApiError):
        page_json("calls", "/x.json", query, [])
