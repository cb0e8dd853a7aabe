"""Calls out on virtual time: the line they wait in, how they ring, machines, keys, recordings."""

from __future__ import annotations

import asyncio
import base64
import io
import wave
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import numpy as np
import pytest

from simulation.callee import Phones
from simulation.callee_book import Callee, CalleeBook
from simulation.carrier_callbacks import states_of
from simulation.carrier_leg import PhoneLeg
from simulation.carrier_parts import CallOut, CallPlan, DetectionOrder
from simulation.carrier_recording import RecordingOrder
from simulation.exchange import Exchange, ExchangeConfig
from simulation.hearing import is_loud
from tests.simulation.paper_server import CONNECT, PaperAgent, PaperWeb, tone_clip
from tests.support.virtual_time import run

THEIRS, OURS = "+14155550123", "+14155550199"
ROOT = "https://voice.example.com/twilio"
EVENTS = ("initiated", "ringing", "answered", "completed")
Scene = Callable[[Exchange], Awaitable[Any]]


def plan(out: CallOut | None = None, **changes: Any) -> CallPlan:
    return CallPlan(
        **{
            "url": f"{ROOT}/voice",
            "status_url": f"{ROOT}/status",
            "status_states": states_of(EVENTS),
            "out": out or CallOut(),
            **changes,
        }
    )


def exchange_scene(
    scene: Scene,
    callee: Callee | None = None,
    web: PaperWeb | None = None,
    agent: PaperAgent | None = None,
    **config: Any,
) -> Any:
    async def whole() -> Any:
        book = CalleeBook()
        book.put(THEIRS, callee or Callee())
        exchange = Exchange(
            ExchangeConfig(
                "http://127.0.0.1:1", "12345", public_url="https://voice.example.com", **config
            ),
            phones=Phones(book, tone_clip),
            transport=httpx.MockTransport(web or PaperWeb()),
            opener=(agent or PaperAgent()).opener,
        )
        async with exchange:
            return await scene(exchange)

    return run(whole())


async def over(leg: PhoneLeg) -> PhoneLeg:
    """Wait until a call and its call-backs are done."""
    while not leg.record.is_over or leg.stream is not None:
        await asyncio.sleep(0.1)
    await asyncio.sleep(1.0)
    return leg


def placed(
    callee: Callee,
    web: PaperWeb | None = None,
    how: CallPlan | None = None,
    agent: PaperAgent | None = None,
) -> tuple[PhoneLeg, PaperWeb]:
    web = web or PaperWeb()

    async def scene(exchange: Exchange) -> PhoneLeg:
        return await over(exchange.place(THEIRS, OURS, how or plan()))

    return exchange_scene(scene, callee, web, agent), web


def test_a_call_that_is_answered() -> None:
    leg, web = placed(Callee(after_s=2.0, talk_s=5.0))
    states = web.forms("/twilio/status")
    assert [each["CallStatus"] for each in states] == [
        "initiated",
        "ringing",
        "in-progress",
        "completed",
    ]
    assert [each["SequenceNumber"] for each in states] == ["0", "1", "2", "3"]
    assert {each["Direction"] for each in states} == {"outbound-api"}
    assert (states[3]["CallDuration"], states[3]["From"], states[3]["To"]) == ("5", OURS, THEIRS)
    (voice,) = web.forms("/twilio/voice")
    assert voice["CallStatus"] == "in-progress"
    assert "StirVerstat" not in voice
    assert leg.report.streams == 1
    assert (leg.report.status, leg.report.ended_by) == ("completed", "caller")
    assert (leg.record.status, leg.record.duration_s) == ("completed", 5)


@pytest.mark.parametrize(
    ("callee", "states"),
    [
        (Callee("busy"), ["initiated", "ringing", "busy"]),
        (Callee("failed"), ["initiated", "failed"]),
        (Callee("no-answer"), ["initiated", "ringing", "no-answer"]),
    ],
)
def test_a_call_that_is_not(callee: Callee, states: list[str]) -> None:
    leg, web = placed(callee)
    reported = web.forms("/twilio/status")
    assert [each["CallStatus"] for each in reported] == states
    assert "SipResponseCode" in reported[-1]
    assert web.forms("/twilio/voice") == []
    assert leg.record.duration_s is None


def test_only_the_events_that_were_asked_for_are_reported() -> None:
    _, web = placed(Callee(talk_s=1.0), how=plan(status_states=states_of(["completed"])))
    assert [each["CallStatus"] for each in web.forms("/twilio/status")] == ["completed"]


def test_calls_wait_in_line_and_begin_one_a_second() -> None:
    web = PaperWeb()

    async def scene(exchange: Exchange) -> list[tuple[str, int]]:
        legs = [exchange.place(THEIRS, OURS, plan()) for _ in range(4)]
        await asyncio.sleep(2.5)
        return [(leg.record.status, leg.record.queue_time_ms) for leg in legs]

    states = exchange_scene(scene, Callee("no-answer"), web)
    assert states == [("ringing", 0), ("ringing", 1_000), ("ringing", 2_000), ("queued", 3_000)]


def test_a_call_that_waits_in_line_is_canceled_without_ringing() -> None:
    web = PaperWeb()

    async def scene(exchange: Exchange) -> PhoneLeg:
        exchange.place(THEIRS, OURS, plan())
        leg = exchange.place(THEIRS, OURS, plan())
        await asyncio.sleep(0.5)
        assert leg.hang_up()
        exchange.forget_queued(leg)
        await asyncio.sleep(3.0)
        return leg

    leg = exchange_scene(scene, Callee("no-answer"), web)
    assert leg.record.status == "canceled"
    mine = [f for f in web.forms("/twilio/status") if f["CallSid"] == leg.identity.call_sid]
    assert [each["CallStatus"] for each in mine] == ["canceled"]


def test_a_call_that_rings_is_canceled() -> None:
    web = PaperWeb()

    async def scene(exchange: Exchange) -> PhoneLeg:
        leg = exchange.place(THEIRS, OURS, plan())
        await asyncio.sleep(3.0)
        assert not leg.update(b"<Response/>")
        assert leg.hang_up()
        assert leg.record.status == "canceled"
        return await over(leg)

    leg = exchange_scene(scene, Callee("no-answer"), web)
    assert (leg.report.status, leg.report.ended_by) == ("canceled", "agent")
    assert [f["CallStatus"] for f in web.forms("/twilio/status")][-1] == "canceled"


def test_a_call_ends_at_its_time_limit() -> None:
    leg, _ = placed(Callee(), how=plan(time_limit_s=7.0))
    assert (leg.record.duration_s, leg.report.ended_by) == (7, "agent")


def test_twiml_may_come_with_the_request() -> None:
    leg, web = placed(Callee(), how=plan(twiml=b"<Response><Say>Hi.</Say></Response>"))
    assert leg.report.said == ["Hi."]
    assert web.forms("/twilio/voice") == []


def test_keys_are_pressed_before_the_first_document() -> None:
    leg, _ = placed(Callee(talk_s=5.0), how=plan(CallOut(send_digits="W12#")))
    assert leg.report.keys == "12#"


def test_whoever_was_called_may_hang_up_while_a_text_is_read() -> None:
    web = PaperWeb({"/twilio/voice": [f"<Response><Say>{'x' * 900}</Say></Response>"]})
    leg, _ = placed(Callee(talk_s=3.0), web)
    assert (leg.record.duration_s, leg.report.ended_by) == (3, "caller")


# --- machines -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("callee", "mode", "answered_by", "after_ms"),
    [
        (Callee(talk_s=9.0), "Enable", "human", "2500"),
        (Callee(kind="machine", says=("tone",), talk_s=9.0), "Enable", "machine_start", "2500"),
        (
            Callee(kind="machine", says=("tone",) * 9, talk_s=9.0),
            "DetectMessageEnd",
            "machine_end_beep",
            "4000",
        ),
    ],
)
def test_the_call_waits_for_synchronous_detection(
    callee: Callee, mode: str, answered_by: str, after_ms: str
) -> None:
    how = plan(CallOut(detection=DetectionOrder(mode=mode)))
    leg, web = placed(callee, how=how)
    (voice,) = web.forms("/twilio/voice")
    assert (voice["AnsweredBy"], voice["MachineDetectionDuration"]) == (answered_by, after_ms)
    assert leg.record.answered_by == answered_by
    assert leg.report.first_stream_s is not None
    assert leg.record.answered_s is not None
    waited_s = leg.report.first_stream_s - leg.record.answered_s
    assert waited_s == pytest.approx(int(after_ms) / 1_000, abs=0.05)


def test_the_call_does_not_wait_for_asynchronous_detection() -> None:
    order = DetectionOrder(is_async=True, callback=f"{ROOT}/amd")
    leg, web = placed(Callee(kind="fax", talk_s=9.0), how=plan(CallOut(detection=order)))
    (voice,) = web.forms("/twilio/voice")
    assert "AnsweredBy" not in voice
    (amd,) = web.forms("/twilio/amd")
    assert (amd["AnsweredBy"], amd["MachineDetectionDuration"]) == ("fax", "2500")
    assert amd["CallSid"] == leg.identity.call_sid
    assert leg.record.answered_by == "fax"
    assert leg.report.first_stream_s is not None
    assert leg.report.first_stream_s - (leg.record.answered_s or 0.0) < 0.1


def test_a_call_that_is_over_is_not_listened_to() -> None:
    order = DetectionOrder(is_async=True, callback=f"{ROOT}/amd")
    leg, web = placed(Callee(talk_s=1.0), how=plan(CallOut(detection=order)))
    assert web.forms("/twilio/amd") == []
    assert leg.record.answered_by == ""


def test_nobody_is_asked_for_twiml_after_a_hang_up_during_detection() -> None:
    how = plan(CallOut(detection=DetectionOrder()))
    leg, web = placed(Callee(talk_s=1.0), how=how)
    assert web.forms("/twilio/voice") == []
    assert leg.record.duration_s == 1


def test_a_machine_speaks_its_greeting_and_beeps_though_nobody_listens_yet() -> None:
    """What is heard of it on the stream is only what comes after the wait."""
    agent = PaperAgent(greeting=b"", answers=False)
    callee = Callee(kind="machine", says=("tone",) * 10, talk_s=12.0, detection_s=2.0)
    how = plan(CallOut(detection=DetectionOrder(mode="DetectMessageEnd")))
    placed(callee, how=how, agent=agent)
    (socket,) = agent.sockets
    heard = [base64.b64decode(each["media"]["payload"]) for each in socket.of("media")]
    assert len(heard) > 300
    assert not any(is_loud(frame[:80]) for frame in heard[5:])


# --- recordings -----------------------------------------------------------------------------------


def test_a_call_out_is_recorded_from_its_answer() -> None:
    order = RecordingOrder(
        callback=f"{ROOT}/recording",
        channels=2,
        events=("in-progress", "completed"),
        source="OutboundAPI",
    )
    callee = Callee(says=("tone",), speaks_first=True, talk_s=5.0)

    async def scene(exchange: Exchange) -> tuple[PhoneLeg, bytes]:
        leg = await over(exchange.place(THEIRS, OURS, plan(CallOut(recording=order))))
        (recording,) = exchange.log.recordings(leg.identity.call_sid)
        return leg, recording.wav()

    web = PaperWeb()
    leg, sound = exchange_scene(scene, callee, web)
    begun, done = web.forms("/twilio/recording")
    assert (begun["RecordingStatus"], done["RecordingStatus"]) == ("in-progress", "completed")
    assert "RecordingDuration" not in begun
    assert (done["RecordingDuration"], done["RecordingChannels"]) == ("5", "2")
    assert (done["RecordingSource"], done["CallSid"]) == ("OutboundAPI", leg.identity.call_sid)
    assert done["RecordingUrl"].endswith(f"/Recordings/{done['RecordingSid']}")
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8_000)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert len(samples) / 8_000 == pytest.approx(5.0, abs=0.1)
    for channel in range(2):
        assert np.abs(samples[:, channel]).max() > 1_000


def test_twiml_starts_a_recording_and_the_call_goes_on() -> None:
    start = '<Response><Start><Recording recordingStatusCallback="{}"/></Start>'.format(
        f"{ROOT}/recording"
    )
    web = PaperWeb({"/twilio/voice": [CONNECT.replace("<Response>", start)]})
    _, web = placed(Callee(talk_s=4.0), web)
    (done,) = web.forms("/twilio/recording")
    assert (done["RecordingSource"], done["RecordingChannels"]) == ("StartCallRecordingTwiML", "1")
    assert done["RecordingDuration"] == "4"


def test_a_recording_is_paused_and_stopped_by_rest() -> None:
    async def scene(exchange: Exchange) -> Any:
        leg = exchange.place(THEIRS, OURS, plan())
        assert leg.record_sound(RecordingOrder()) is None
        await asyncio.sleep(3.0)
        recording = leg.record_sound(RecordingOrder(channels=2))
        assert recording is not None
        await asyncio.sleep(1.0)
        recording.change("paused")
        await asyncio.sleep(1.0)
        recording.change("in-progress")
        await asyncio.sleep(1.0)
        recording.change("stopped")
        assert not recording.is_running
        await asyncio.sleep(1.0)
        assert recording.status == "completed"
        leg.hang_up()
        await over(leg)
        assert leg.record_sound(RecordingOrder()) is None
        return recording

    recording = exchange_scene(scene, Callee(says=("tone",)))
    assert recording.duration_s == 3
    with wave.open(io.BytesIO(recording.wav())) as file:
        assert file.getnframes() / 8_000 == pytest.approx(3.0, abs=0.1)


# --- numbers --------------------------------------------------------------------------------------


def test_a_call_in_goes_where_its_number_says() -> None:
    web = PaperWeb({"/elsewhere": [CONNECT]})

    async def scene(exchange: Exchange) -> PhoneLeg:
        owned = next(exchange.numbers())
        owned.voice_url = "https://voice.example.com/elsewhere"
        owned.status_callback = "https://voice.example.com/ended"
        return await over(exchange.call_in(THEIRS, OURS, Callee(talk_s=3.0)))

    leg = exchange_scene(scene, web=web)
    assert web.forms("/elsewhere")[0]["Direction"] == "inbound"
    assert web.forms("/twilio/voice") == []
    assert [form["CallStatus"] for form in web.forms("/ended")] == ["completed"]
    assert leg.report.ended_by == "caller"


def test_a_call_in_to_a_number_without_instructions_goes_to_the_product() -> None:
    web = PaperWeb()

    async def scene(exchange: Exchange) -> PhoneLeg:
        return await over(exchange.call_in(THEIRS, OURS, Callee(says=("tone",), talk_s=3.0)))

    assert exchange_scene(scene, web=web).report.streams == 1
    assert web.forms("/twilio/voice")[0]["CallStatus"] == "ringing"


def test_what_runs_is_ended_when_the_exchange_closes() -> None:
    async def scene(exchange: Exchange) -> PhoneLeg:
        leg = exchange.place(THEIRS, OURS, plan())
        await asyncio.sleep(3.0)
        assert leg.stream is not None
        return leg

    assert exchange_scene(scene).stream is None
