"""The emulated REST interface against Twilio's own client, and against ours, over sockets."""

from __future__ import annotations

import asyncio
import io
import time
import wave
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException

from simulation.callee_book import Callee
from simulation.faults import Faults
from telephony.callback_forms import (
    read_call_status,
    read_dial_result,
    read_machine_report,
    read_recording_report,
)
from telephony.errors import CarrierRefused, CarrierThrottled, CarrierUnreachable
from telephony.rest import CallRecording, CreateCall, MachineDetection
from telephony.twilio_rest import TwilioRest, TwilioRestConfig
from tests.simulation.twilio_stage import ACCOUNT, OURS, THEIRS, TOKEN, TwilioStage, on_stage

pytestmark = pytest.mark.e2e

Scene = Callable[[TwilioStage], Awaitable[Any]]


def theirs(scene: Callable[[TwilioStage, Any], Any], callee: Callee | None = None) -> Any:
    """A scene with Twilio's own blocking client, in a thread."""

    async def play(stage: TwilioStage) -> Any:
        return await asyncio.to_thread(scene, stage, stage.client())

    return on_stage(play, callee)


def ours(
    scene: Callable[[TwilioStage, TwilioRest], Awaitable[Any]], callee: Callee | None = None
) -> Any:
    """A scene with the product's own client."""

    async def play(stage: TwilioStage) -> Any:
        config = TwilioRestConfig(account_sid=ACCOUNT, auth_token=TOKEN, base_url=stage.url)
        rest = TwilioRest(config)
        try:
            return await scene(stage, rest)
        finally:
            await rest.close()

    return on_stage(play, callee)


def wait_until(is_so: Callable[[], object]) -> None:
    """Wait, in a thread, for something that is certain to come."""
    while not is_so():
        time.sleep(0.01)


def refusal(ask: Callable[[Any], object], callee: Callee | None = None) -> tuple[int, int]:
    def scene(_stage: TwilioStage, client: Any) -> tuple[int, int]:
        with pytest.raises(TwilioRestException) as caught:
            ask(client)
        assert f"errors/{caught.value.code}" in str(caught.value.uri) or caught.value.msg
        return caught.value.status, caught.value.code

    found: tuple[int, int] = theirs(scene, callee)
    return found


# --- calls, with Twilio's client ------------------------------------------------------------------


def test_a_call_is_created_fetched_listed_and_ended() -> None:
    def scene(stage: TwilioStage, client: Any) -> None:
        call = client.calls.create(
            to=THEIRS,
            from_=OURS,
            url=f"{stage.server.url}/twilio/voice",
            status_callback=f"{stage.server.url}/twilio/status",
            status_callback_event=["initiated", "ringing", "answered", "completed"],
        )
        assert (call.status, call.direction, call.to) == ("queued", "outbound-api", THEIRS)
        assert (call.to_formatted, call.duration, call.answered_by) == (
            "(415) 555-0123",
            None,
            None,
        )
        assert call.queue_time == "0"
        wait_until(lambda: stage.server.upgrades)
        fetched = client.calls(call.sid).fetch()
        assert fetched.status == "in-progress"
        assert fetched.start_time is not None
        ended = client.calls(call.sid).update(status="completed")
        assert ended.status == "completed"
        wait_until(lambda: len(stage.forms("/twilio/status")) >= 4)
        assert client.calls(call.sid).fetch().end_time is not None
        assert [each.sid for each in client.calls.list(status="completed")] == [call.sid]
        assert client.calls.list(to="+14155550000") == []
        states = stage.forms("/twilio/status")
        states.sort(key=lambda form: int(form["SequenceNumber"]))
        reports = [read_call_status(form) for form in states]
        assert [each.status for each in reports] == [
            "initiated",
            "ringing",
            "in-progress",
            "completed",
        ]
        assert reports[-1].is_final

    theirs(scene)


def test_a_call_in_mid_stream_is_given_other_twiml() -> None:
    def scene(stage: TwilioStage, client: Any) -> None:
        call = client.calls.create(to=THEIRS, from_=OURS, url=f"{stage.server.url}/twilio/voice")
        wait_until(lambda: stage.server.upgrades)
        client.calls(call.sid).update(twiml="<Response><Say>x</Say></Response>")
        wait_until(lambda: client.calls(call.sid).fetch().status == "completed")
        assert next(iter(stage.exchange.log)).facts()["said"] == ["x"]
        assert stage.forms("/twilio/after") == []

    theirs(scene)


def test_lists_have_pages() -> None:
    def scene(_stage: TwilioStage, client: Any) -> None:
        sids = [
            client.calls.create(to=THEIRS, from_=OURS, twiml="<Response/>").sid for _ in range(5)
        ]
        listed = client.calls.list(page_size=2)
        assert [each.sid for each in listed] == sids[::-1]

    theirs(scene)


GOOD: dict[str, Any] = {"to": THEIRS, "from_": OURS, "url": "https://h/v"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": ""}, 21201),
        ({"from_": ""}, 21213),
        ({"to": "5550123"}, 21211),
        ({"to": OURS}, 21211),
        ({"from_": "me"}, 21212),
        ({"from_": "+14155550777"}, 21210),
        ({"url": "voice"}, 21205),
        ({"url": ""}, 21205),
        ({"url": "", "twiml": "x" * 4_001}, 32018),
        ({"method": "PUT"}, 21209),
        ({"timeout": 601}, 21208),
        ({"send_digits": "x"}, 21206),
        ({"send_digits": "1" * 33}, 21206),
        ({"machine_detection": "Maybe"}, 21234),
        ({"machine_detection": "Enable", "machine_detection_timeout": 2}, 21263),
        (
            {"machine_detection": "Enable", "machine_detection_silence_timeout": 1},
            21263,
        ),
        ({"status_callback": "status"}, 21609),
        ({"status_callback_event": ["begun"]}, 21626),
        ({"record": True, "recording_status_callback_event": ["begun"]}, 13621),
    ],
)
def test_a_call_that_cannot_be_is_refused_with_its_code(changes: dict[str, Any], code: int) -> None:
    assert refusal(lambda client: client.calls.create(**GOOD | changes)) == (400, code)


@pytest.mark.parametrize(
    ("ask", "status", "code"),
    [
        (lambda client: client.calls("CA" + "9" * 32).fetch(), 404, 20404),
        (lambda client: client.calls("CA" + "9" * 32).update(status="completed"), 404, 20404),
        (lambda client: client.recordings("RE" + "9" * 32).fetch(), 404, 20404),
        (lambda client: client.incoming_phone_numbers("PN" + "9" * 32).fetch(), 404, 20404),
        (lambda client: client.messages("SM" + "9" * 32).fetch(), 404, 20404),
        (lambda client: client.calls("CA" + "9" * 32).delete(), 405, 20004),
    ],
)
def test_what_is_not_there_is_not_found(
    ask: Callable[[Any], object], status: int, code: int
) -> None:
    assert refusal(ask) == (status, code)


def test_a_wrong_key_opens_nothing() -> None:
    def scene(stage: TwilioStage, _client: Any) -> None:
        for client in (
            stage.client(token="wrong"),
            stage.client(account_sid="AC" + "2" * 32),
        ):
            with pytest.raises(TwilioRestException) as caught:
                client.api.v2010.accounts(client.account_sid).fetch()
            assert (caught.value.status, caught.value.code) == (401, 20003)
        answer = httpx.get(f"{stage.url}/2010-04-01/Accounts/{ACCOUNT}.json", trust_env=False)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")

    theirs(scene)


def test_a_call_that_is_over_cannot_be_changed() -> None:
    def scene(_stage: TwilioStage, client: Any) -> None:
        call = client.calls.create(to=THEIRS, from_=OURS, twiml="<Response/>")
        wait_until(lambda: client.calls(call.sid).fetch().status == "completed")
        for change in ({"twiml": "<Response/>"}, {"status": "completed"}):
            with pytest.raises(TwilioRestException) as caught:
                client.calls(call.sid).update(**change)
            assert (caught.value.status, caught.value.code) == (400, 21220)
        with pytest.raises(TwilioRestException) as caught:
            client.calls(call.sid).recordings.create()
        assert caught.value.code == 21220

    theirs(scene)


def test_canceling_does_nothing_to_a_call_that_was_answered() -> None:
    def scene(stage: TwilioStage, client: Any) -> None:
        call = client.calls.create(to=THEIRS, from_=OURS, url=f"{stage.server.url}/twilio/voice")
        wait_until(lambda: stage.server.upgrades)
        assert client.calls(call.sid).update(status="canceled").status == "in-progress"

    theirs(scene)


def test_a_call_that_rings_is_canceled() -> None:
    def scene(_stage: TwilioStage, client: Any) -> None:
        call = client.calls.create(to=THEIRS, from_=OURS, twiml="<Response/>")
        wait_until(lambda: client.calls(call.sid).fetch().status == "ringing")
        assert client.calls(call.sid).update(status="canceled").status == "canceled"

    theirs(scene, Callee("no-answer"))


# --- recordings, numbers, account -----------------------------------------------------------------


def test_a_recording_from_its_beginning_to_its_deletion() -> None:
    def scene(stage: TwilioStage, client: Any) -> None:
        call = client.calls.create(to=THEIRS, from_=OURS, url=f"{stage.server.url}/twilio/voice")
        wait_until(lambda: stage.server.upgrades)
        begun = client.calls(call.sid).recordings.create(
            recording_channels="dual",
            recording_status_callback=f"{stage.server.url}/twilio/recording",
        )
        assert (begun.status, begun.channels, begun.source) == (
            "in-progress",
            2,
            "StartCallRecordingAPI",
        )
        assert begun.track == "both"
        current = client.calls(call.sid).recordings("Twilio.CURRENT")
        assert current.update(status="paused").status == "paused"
        assert current.update(status="in-progress").sid == begun.sid
        client.calls(call.sid).update(status="completed")
        wait_until(lambda: stage.forms("/twilio/recording"))
        report = read_recording_report(stage.forms("/twilio/recording")[0])
        assert (report.recording_sid, report.call_sid) == (begun.sid, call.sid)
        assert (report.status, report.channels) == ("completed", 2)
        fetched = client.recordings(begun.sid).fetch()
        assert (fetched.status, fetched.media_url) == ("completed", report.url)
        assert [each.sid for each in client.calls(call.sid).recordings.list()] == [begun.sid]
        assert [each.sid for each in client.recordings.list(call_sid=call.sid)] == [begun.sid]
        for url in (report.url, f"{report.url}.wav"):
            sound = httpx.get(url, auth=(ACCOUNT, TOKEN), trust_env=False)
            with wave.open(io.BytesIO(sound.content)) as file:
                assert file.getnchannels() == 2
        assert httpx.get(report.url, trust_env=False).status_code == 401
        assert client.recordings(begun.sid).delete()
        assert client.recordings.list() == []
        assert httpx.get(report.url, auth=(ACCOUNT, TOKEN), trust_env=False).status_code == 404

    theirs(scene)


def test_a_number_is_found_and_pointed_elsewhere() -> None:
    def scene(_stage: TwilioStage, client: Any) -> None:
        (number,) = client.incoming_phone_numbers.list(phone_number=OURS)
        assert (number.phone_number, number.voice_url, number.voice_method) == (OURS, "", "POST")
        changed = client.incoming_phone_numbers(number.sid).update(
            voice_url="https://voice.example.com/twilio/voice", status_callback_method="GET"
        )
        assert changed.voice_url == "https://voice.example.com/twilio/voice"
        fetched = client.incoming_phone_numbers(number.sid).fetch()
        assert (fetched.voice_url, fetched.status_callback_method) == (changed.voice_url, "GET")
        assert client.incoming_phone_numbers.list(phone_number="+18885550000") == []
        with pytest.raises(TwilioRestException) as caught:
            client.incoming_phone_numbers(number.sid).update(voice_url="nowhere")
        assert caught.value.code == 21402

    theirs(scene)


def test_the_account_is_active() -> None:
    def scene(_stage: TwilioStage, client: Any) -> None:
        account = client.api.v2010.accounts(ACCOUNT).fetch()
        assert (account.status, account.type, account.sid) == ("active", "Full", ACCOUNT)

    theirs(scene)


# --- the product's own client ---------------------------------------------------------------------


def order(stage: TwilioStage, **changes: Any) -> CreateCall:
    return CreateCall(
        **{"to": THEIRS, "from_": OURS, "url": f"{stage.server.url}/twilio/voice", **changes}
    )


def test_our_client_places_a_call_with_everything_and_is_told_everything() -> None:
    async def scene(stage: TwilioStage, rest: TwilioRest) -> None:
        root = stage.server.url
        sid = await rest.create_call(
            order(
                stage,
                status_callback=f"{root}/twilio/status",
                machine_detection=MachineDetection(callback_url=f"{root}/twilio/amd"),
                recording=CallRecording(callback_url=f"{root}/twilio/recording"),
                time_limit_s=60,
            )
        )
        await stage.until(lambda: stage.forms("/twilio/recording"))
        call = await rest.fetch_call(sid)
        assert (call.status, call.answered_by) == ("completed", "machine_start")
        (amd,) = stage.forms("/twilio/amd")
        assert read_machine_report(amd).is_machine
        recording = read_recording_report(stage.forms("/twilio/recording")[0])
        assert (recording.source, recording.channels) == ("OutboundAPI", 2)
        assert await rest.delete_recording(recording.recording_sid) is True
        assert await rest.delete_recording(recording.recording_sid) is False

    machine = Callee(kind="machine", says=("tone",), after_s=0.05, detection_s=0.2, talk_s=0.6)
    ours(scene, machine)


def test_our_client_hangs_up_records_and_transfers() -> None:
    async def scene(stage: TwilioStage, rest: TwilioRest) -> None:
        stage.exchange.phones.put("+14155550124", Callee(after_s=0.05, talk_s=0.3))
        sid = await rest.create_call(order(stage))
        await stage.until(lambda: stage.server.upgrades)
        assert (await rest.start_recording(sid)).startswith("RE")
        dial = (
            f'<Response><Dial action="{stage.server.url}/twilio/dial">+14155550124</Dial>'
            "</Response>"
        )
        await rest.update_call(sid, twiml=dial)
        await stage.until(lambda: stage.forms("/twilio/dial"))
        result = read_dial_result(stage.forms("/twilio/dial")[0])
        assert (result.is_answered, result.is_bridged, result.call_sid) == (True, True, sid)
        child = await rest.fetch_call(result.dial_call_sid)
        assert (child.parent_call_sid, child.direction) == (sid, "outbound-dial")
        await rest.update_call(sid, status="completed")
        assert (await rest.fetch_call(sid)).status == "completed"
        with pytest.raises(CarrierRefused) as caught:
            await rest.update_call(sid, status="completed")
        assert caught.value.is_call_over

    ours(scene)


def test_our_client_tells_refusals_apart() -> None:
    async def scene(stage: TwilioStage, rest: TwilioRest) -> None:
        with pytest.raises(CarrierRefused) as caught:
            await rest.create_call(order(stage, from_="+14155550777"))
        assert caught.value.code == 21210
        assert "0777" not in str(caught.value)
        with pytest.raises(CarrierRefused) as caught:
            await rest.fetch_call("CA" + "9" * 32)
        assert caught.value.is_unknown
        wrong = TwilioRest(
            TwilioRestConfig(account_sid=ACCOUNT, auth_token="wrong", base_url=stage.url)
        )
        with pytest.raises(CarrierRefused) as caught:
            await wrong.check_account()
        assert caught.value.is_wrong_key
        await wrong.close()

    ours(scene)


def test_our_client_looks_after_numbers_and_the_account() -> None:
    async def scene(_stage: TwilioStage, rest: TwilioRest) -> None:
        assert (await rest.check_account()).status == "active"
        assert await rest.find_number("+14155550777") is None
        # Part of the account's number, but not it.
        assert await rest.find_number("+1415555019") is None
        found = await rest.find_number(OURS)
        assert found is not None
        await rest.set_number_urls(found.sid, voice_url="https://h/v", status_url="https://h/s")
        again = await rest.find_number(OURS)
        assert again is not None
        assert (again.voice_url, again.status_callback) == ("https://h/v", "https://h/s")
        urls = {"voice_url": "https://h/v", "status_url": "https://h/s"}
        await rest.set_number_urls(found.sid, **urls, fallback_url="https://spare/v")
        await rest.set_number_urls(found.sid, **urls)  # leaves it alone
        again = await rest.find_number(OURS)
        assert again is not None
        assert again.voice_fallback_url == "https://spare/v"

    ours(scene)


def test_too_many_requests() -> None:
    async def scene(stage: TwilioStage, rest: TwilioRest) -> None:
        stage.board.set("twilio", Faults(status=429, retry_after_s=2.0, times=1))
        with pytest.raises(CarrierThrottled) as caught:
            await rest.create_call(order(stage))
        assert caught.value.retry_after_s == 2.0
        assert list(stage.exchange.log) == []
        await rest.create_call(order(stage))
        stage.board.set("twilio", Faults(status=429, status_ratio=0.5))
        taken = 0
        for _ in range(60):
            try:
                await rest.check_account()
                taken += 1
            except CarrierThrottled:
                pass
        assert 5 < taken < 55

    ours(scene)


def test_twilios_client_sees_20429() -> None:
    def scene(stage: TwilioStage, client: Any) -> None:
        stage.board.set("twilio", Faults(status=429))
        with pytest.raises(TwilioRestException) as caught:
            client.calls("CA" + "9" * 32).fetch()
        assert (caught.value.status, caught.value.code) == (429, 20429)

    theirs(scene)


def test_an_answer_that_is_lost_is_a_call_all_the_same() -> None:
    async def scene(stage: TwilioStage, rest: TwilioRest) -> None:
        stage.board.set("twilio", Faults(lose_answer=True, times=1))
        with pytest.raises(CarrierUnreachable) as caught:
            await rest.create_call(order(stage))
        assert caught.value.maybe_done
        assert len(list(stage.exchange.log)) == 1

    ours(scene)


@pytest.mark.parametrize("status", [500, 503])
def test_a_carrier_in_trouble(status: int) -> None:
    async def scene(stage: TwilioStage, rest: TwilioRest) -> None:
        stage.board.set("twilio", Faults(status=status))
        with pytest.raises(CarrierUnreachable):
            await rest.fetch_call("CA" + "9" * 32)

    ours(scene)


# --- scripting the world outside over HTTP --------------------------------------------------------


def test_the_book_is_written_and_read_over_http() -> None:
    async def scene(stage: TwilioStage) -> None:
        async with httpx.AsyncClient(base_url=stage.url, trust_env=False) as http:
            busy = {"number": "+14155550124", "outcome": "busy"}
            assert (await http.post("/_control/callees", json=busy)).status_code == 200
            book = (await http.get("/_control/callees")).json()
            assert book["+14155550124"]["outcome"] == "busy"
            assert set(book) == {THEIRS, "+14155550124", "*"}
            for wrong in (
                {"number": "me"},
                {"number": THEIRS, "outcome": "engaged"},
                {"number": THEIRS, "says": ["no such clip"]},
            ):
                answer = await http.post("/_control/callees", json=wrong)
                if "says" in wrong:
                    # The tests' own clips have any name.
                    continue
                assert answer.status_code == 400
                assert answer.json()["error"]
            await http.delete("/_control/callees")
            assert set((await http.get("/_control/callees")).json()) == {"*"}

    on_stage(scene)


def test_somebody_calls_in_over_http() -> None:
    async def scene(stage: TwilioStage) -> None:
        async with httpx.AsyncClient(base_url=stage.url, trust_env=False) as http:
            call = {"from": THEIRS, "to": OURS, "says": ["tone"], "talk_s": 0.5}
            begun = (await http.post("/_control/calls", json=call)).json()
            assert begun["direction"] == "inbound"
            await stage.until(lambda: next(iter(stage.exchange.log)).record.is_over)
            (listed,) = (await http.get("/_control/calls")).json()["calls"]
            assert (listed["sid"], listed["status"]) == (begun["sid"], "completed")
            assert (listed["streams"], listed["violations"], listed["errors"]) == (1, {}, {})
            for wrong in ({**call, "to": THEIRS}, {**call, "from": "me"}, {**call, "talk_s": -1}):
                assert (await http.post("/_control/calls", json=wrong)).status_code == 400
            bought = await http.post("/_control/numbers", json={"number": "+14155550777"})
            assert bought.json()["sid"].startswith("PN")
            assert stage.exchange.owns("+14155550777")

    on_stage(scene)
