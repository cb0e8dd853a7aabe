"""A leg from webhook to call-back, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from simulation.caller_faults import QuietPerson
from simulation.carrier_errors import StreamRefused
from simulation.carrier_line import SocketAddress
from simulation.carrier_parts import LegReport
from simulation.carrier_signature import sign
from tests.simulation.paper_server import (
    CONNECT,
    LOUD,
    PaperAgent,
    PaperSocket,
    PaperWeb,
    media_text,
    paper_carrier,
)
from tests.support.virtual_time import run


def leg(
    web: PaperWeb, agent: PaperAgent | None = None, talk: float = 1.0, **config: Any
) -> LegReport:
    """Carry a call with a quiet person who hangs up after ``talk`` seconds of the last stream."""

    async def whole() -> LegReport:
        async with paper_carrier(agent or PaperAgent(), web, **config) as carrier:
            phone = carrier.dial(carrier.identity("+14155550100"), QuietPerson())

            def hang_up() -> None:
                if phone.stream is not None:
                    phone.stream.hang_up()

            carrier.ticker._loop.call_later(talk, hang_up)
            return await phone.run()

    return run(whole())


def closing(code: int, at_chunk: int = 10) -> Callable[[PaperSocket, int], None]:
    def on_frame(socket: PaperSocket, chunk: int) -> None:
        if chunk == at_chunk:
            socket.end(code)

    return on_frame


def web(**answers: list[str | int]) -> PaperWeb:
    return PaperWeb({f"/twilio/{name}": answer for name, answer in answers.items()})


def test_the_voice_webhook_is_signed_and_complete() -> None:
    server = web(voice=["<Response><Hangup/></Response>"])
    leg(server)
    request = server.requests[0]
    form = server.forms("/twilio/voice")[0]
    assert request.url.host == "127.0.0.1"
    assert request.headers["host"] == "voice.example.com"
    assert request.headers["x-twilio-signature"] == sign(
        "https://voice.example.com/twilio/voice", form.items(), "12345"
    )
    assert request.headers["user-agent"] == "TwilioProxy/1.1"
    assert request.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert request.headers["i-twilio-idempotency-token"]
    assert form["CallStatus"] == "ringing"
    assert form["From"] == form["Caller"] == "+14155550100"
    assert form["FromCity"] == ""
    assert any(name.startswith("Unannounced") for name in form)


def test_when_the_caller_hangs_up_action_still_hears_of_it() -> None:
    server, agent = (
        web(voice=[CONNECT], after=["<Response><Say>no one</Say></Response>"]),
        PaperAgent(),
    )
    report = leg(server, agent)
    (socket,) = agent.sockets
    assert [each["event"] for each in socket.received][:2] == ["connected", "start"]
    assert socket.received[-1]["event"] == "stop"
    assert server.forms("/twilio/after")[0]["CallStatus"] == "completed"
    assert report.said == []
    assert (report.status, report.ended_by) == ("completed", "caller")


def test_when_the_server_closes_action_decides() -> None:
    server = web(voice=[CONNECT], after=["<Response><Say>Bye.</Say></Response>"])
    agent = PaperAgent(on_frame=closing(1000))
    report = leg(server, agent, talk=9.0)
    assert not agent.sockets[0].of("stop")
    assert server.forms("/twilio/after")[0]["CallStatus"] == "in-progress"
    assert report.said == ["Bye."]
    assert report.ended_by == "agent"
    assert not report.errors.counts


@pytest.mark.parametrize(("close_code", "error"), [(1011, 31921), (1001, 31921), (1006, 31903)])
def test_other_ends_of_a_stream_are_errors(close_code: int, error: int) -> None:
    report = leg(web(voice=[CONNECT]), PaperAgent(on_frame=closing(close_code)), talk=9.0)
    assert report.errors.counts == {error: 1}


def test_without_action_the_next_verb_runs() -> None:
    inner = CONNECT.replace(' action="/twilio/after"', "")
    document = inner.replace("</Connect>", "</Connect><Redirect>/twilio/rescue</Redirect>")
    server = web(voice=[document], rescue=["<Response><Say>Sorry.</Say></Response>"])
    report = leg(server, PaperAgent(on_frame=closing(1000)), talk=9.0)
    assert report.said == ["Sorry."]
    assert server.forms("/twilio/after") == []


def test_verbs_after_a_connect_with_action_are_never_reached() -> None:
    document = CONNECT.replace("</Connect>", "</Connect><Say>Unheard</Say>")
    report = leg(web(voice=[document]), PaperAgent(on_frame=closing(1000)), talk=9.0)
    assert report.said == []


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("rejected", "no-answer")])
def test_a_rejected_call_is_not_answered(reason: str, status: str) -> None:
    server = web(voice=[f'<Response><Reject reason="{reason}"/></Response>'])
    assert leg(server).status == status
    assert server.forms("/twilio/status")[0]["CallStatus"] == status


@pytest.mark.parametrize(
    ("document", "refusal"),
    [
        ("<Say>Busy.</Say><Hangup/>", "say_hangup"),
        ("<Say>Busy.</Say>", "say_hangup"),
        ("<Pause/><Say>Busy.</Say><Reject/>", "say_hangup"),
        ('<Reject reason="busy"/>', "reject_busy"),
        ("<Reject/>", "reject"),
        ("<Hangup/>", "other"),
        ("", "other"),
        ("<Play>https://voice.example.com/busy.wav</Play>", "other"),
        ("<Dial>+14155550111</Dial>", "other"),
        ("<Redirect>/twilio/elsewhere</Redirect>", "say_hangup"),
    ],
)
def test_an_answer_without_a_stream_is_a_refusal(document: str, refusal: str) -> None:
    server = web(
        voice=[f"<Response>{document}</Response>"],
        elsewhere=["<Response><Say>Busy.</Say></Response>"],
    )
    report = leg(server)
    assert (report.admitted, report.refusal) == (False, refusal)


@pytest.mark.parametrize(
    "answer",
    [
        503,
        "<Response><Redirect/></Response>",
        "no TwiML",
        '<Response><Connect><Stream url="wss://voice.example.com/?a=b"/></Connect></Response>',
    ],
)
def test_what_breaks_before_the_stream_is_no_refusal(answer: str | int) -> None:
    report = leg(web(voice=[answer]))
    assert (report.admitted, report.refusal) == (False, None)


def test_a_fallback_that_apologises_is_no_refusal() -> None:
    server = web(voice=[500], fallback=["<Response><Say>Sorry.</Say></Response>"])
    report = leg(server, fallback_url="https://voice.example.com/twilio/fallback")
    assert (report.admitted, report.refusal) == (False, None)


def test_a_call_is_up_from_its_first_stream_to_the_end_of_its_last() -> None:
    lose_at_fifty = closing(1006, at_chunk=50)

    def lose(socket: PaperSocket, chunk: int) -> None:
        if socket is agent.sockets[0]:
            lose_at_fifty(socket, chunk)

    agent = PaperAgent(on_frame=lose)
    report = leg(web(voice=[CONNECT], after=[CONNECT]), agent, talk=3.0)
    assert (report.streams, report.admitted, report.refusal) == (2, True, None)
    assert report.first_stream_s is not None
    assert report.last_stream_end_s is not None
    assert report.last_stream_end_s - report.first_stream_s == pytest.approx(3.0, abs=0.1)


def test_a_refused_upgrade_ends_connect() -> None:
    class Refusing(PaperAgent):
        async def opener(self, address: SocketAddress, *_: Any) -> PaperSocket:
            raise StreamRefused(31920, "403")

    server = web(voice=[CONNECT], after=["<Response><Say>Later.</Say></Response>"])
    report = leg(server, Refusing())
    assert report.errors.counts == {31920: 1}
    assert report.said == ["Later."]
    assert (report.stream_asked, report.admitted, report.refusal) == (True, False, None)
    assert server.forms("/twilio/stream")[0]["StreamEvent"] == "stream-error"


def test_status_callbacks_of_call_and_stream() -> None:
    server = web(voice=[CONNECT])
    leg(server, talk=2.4, status_events=("ringing", "in-progress", "completed"))
    states = server.forms("/twilio/status")
    assert [form["CallStatus"] for form in states] == ["ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in states] == ["0", "1", "2"]
    assert (states[2]["CallDuration"], states[2]["Duration"]) == ("2", "1")
    streams = server.forms("/twilio/stream")
    assert [form["StreamEvent"] for form in streams] == ["stream-started", "stream-stopped"]
    assert streams[0]["StreamName"] == "main"


def test_the_fallback_is_told_what_failed() -> None:
    server = web(voice=[500], fallback=["<Response><Say>Sorry.</Say></Response>"])
    report = leg(server, fallback_url="https://voice.example.com/twilio/fallback")
    (form,) = server.forms("/twilio/fallback")
    assert form["ErrorCode"] == "11200"
    assert form["ErrorUrl"] == "https://voice.example.com/twilio/voice"
    assert report.said == ["Sorry."]


def test_without_a_fallback_a_failed_webhook_fails_the_call() -> None:
    report = leg(web(voice=[503]))
    assert (report.status, report.ended_by) == ("failed", "error")
    assert report.errors.counts == {11200: 1}


def test_what_is_wrong_with_the_twiml_is_counted() -> None:
    report = leg(web(voice=["<Response><Dance/><Hangup/></Response>"]))
    assert report.violations.counts == {12200: 1}


def test_what_the_server_sends_wrongly_is_counted_and_the_call_goes_on() -> None:
    def misbehave(socket: PaperSocket, chunk: int) -> None:
        if chunk == 5:
            socket.deliver(media_text("MZ" + "9" * 32, LOUD))
            socket.ears.on_binary(10)

    report = leg(web(voice=[CONNECT]), PaperAgent(on_frame=misbehave))
    assert report.violations.counts == {31951: 1, 31950: 1}
    assert report.status == "completed"


def test_marks_come_back_when_their_audio_has_played() -> None:
    def send(socket: PaperSocket, chunk: int) -> None:
        if chunk == 1:
            socket.say(LOUD * 10)
            sid = socket.sid
            socket.deliver(f'{{"event":"mark","streamSid":"{sid}","mark":{{"name":"m"}}}}')

    agent = PaperAgent(greeting=b"", on_frame=send)
    leg(web(voice=[CONNECT]), agent)
    (socket,) = agent.sockets
    sent_s = socket.times[socket.received.index(socket.of("media")[0])]
    echo_s = socket.times[socket.received.index(socket.of("mark")[0])]
    assert echo_s - sent_s == pytest.approx(0.2, abs=1e-6)


def test_a_document_that_redirects_to_itself_ends() -> None:
    report = leg(web(voice=["<Response><Redirect/></Response>"]))
    assert report.errors.counts == {12400: 1}


def test_an_update_replaces_the_stream_without_asking_action() -> None:
    server, agent = web(voice=[CONNECT]), PaperAgent()

    async def whole() -> tuple[LegReport, list[bool]]:
        async with paper_carrier(agent, server) as carrier:
            phone = carrier.dial(carrier.identity("+14155550100"), QuietPerson())
            took = [phone.update(b"<Response/>")]
            task = asyncio.get_running_loop().create_task(phone.run())
            await asyncio.sleep(1.0)
            again = CONNECT.replace("/twilio/after", "https://voice.example.com/twilio/after")
            took.append(phone.update(again.encode()))
            await asyncio.sleep(1.0)
            took.append(phone.update(b"<Response><Say>Moved.</Say></Response>"))
            report = await task
            return report, [*took, phone.update(b"<Response/>")]

    report, took = run(whole())
    assert took == [False, True, True, False]
    first, second = agent.sockets
    assert first.received[-1]["event"] == second.received[-1]["event"] == "stop"
    assert first.sid != second.sid
    assert server.forms("/twilio/after") == []
    assert report.said == ["Moved."]
    assert report.streams == 2
    assert (report.status, report.ended_by) == ("completed", "agent")
    assert not report.errors.counts


def update_after(server: PaperWeb, twiml: str, wait_s: float = 1.0) -> LegReport:
    """A call that is given other TwiML through REST after ``wait_s``."""

    async def whole() -> LegReport:
        async with paper_carrier(PaperAgent(), server) as carrier:
            phone = carrier.dial(carrier.identity("+14155550100"), QuietPerson())
            task = asyncio.get_running_loop().create_task(phone.run())
            await asyncio.sleep(wait_s)
            assert phone.update(twiml.encode())
            return await task

    return run(whole())


def test_an_action_in_twiml_through_rest_is_absolute() -> None:
    report = update_after(web(voice=[CONNECT]), CONNECT)
    assert report.errors.counts == {15004: 1}
    assert (report.status, report.ended_by) == ("completed", "error")


def test_an_update_cuts_a_sentence_short() -> None:
    said = "x" * 600
    server = web(voice=[f"<Response><Say>{said}</Say></Response>"])
    report = update_after(server, "<Response><Say>Short.</Say></Response>")
    assert report.said == [said, "Short."]
    assert report.duration_s < 2


def test_rest_ends_a_call_whatever_it_does() -> None:
    documents = {
        "stream": CONNECT,
        "say": f"<Response><Say>{'x' * 600}</Say></Response>",
        "pause": '<Response><Pause length="60"/></Response>',
        "keys": '<Response><Play digits="WWWWWWWWWWWW1"/></Response>',
    }

    async def whole(document: str) -> LegReport:
        async with paper_carrier(PaperAgent(), web(voice=[document])) as carrier:
            phone = carrier.dial(carrier.identity("+14155550100"), QuietPerson())
            task = asyncio.get_running_loop().create_task(phone.run())
            await asyncio.sleep(1.0)
            assert phone.hang_up()
            assert not phone.hang_up()
            assert not phone.update(b"<Response/>")
            return await task

    for document in documents.values():
        report = run(whole(document))
        assert (report.status, report.ended_by) == ("completed", "agent")
        assert report.duration_s < 1.5
        assert not report.errors.counts


def test_keys_are_pressed_at_their_pace() -> None:
    report = leg(web(voice=['<Response><Play digits="ww12W#"/><Hangup/></Response>']))
    assert report.keys == "12#"
    assert report.duration_s == pytest.approx(2 * 0.5 + 3 * 0.25 + 1.0)
