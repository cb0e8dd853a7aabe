"""What the carrier tells of a call: in any order, twice, wrong, and while the database is away."""

from __future__ import annotations

import asyncio
import itertools
from functools import partial
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.request_marks import HANG_UP
from cluster import webhooks
from cluster.call_urls import MACHINE_PATH, RECORDING_PATH, STATUS_PATH, VOICE_PATH
from cluster.request_body import BodyReader
from cluster.voice_routes import BUSY, NOT_IN_SERVICE, TROUBLE
from cluster.webhooks import MAX_FORM_BYTES
from records.edge_rows import NumberRow
from records.erasure import erase
from telephony.errors import CarrierRefused
from tests.cluster.conftest import OnApi
from tests.support.api_stage import OTHERS, OURS, PUBLIC, THEIRS, ApiStage

pytestmark = pytest.mark.e2e

SID = "CA" + "1" * 32
RECORDING = "RE" + "1" * 32


async def dialled(api: ApiStage, **body: Any) -> str:
    """A call that the carrier was just asked for."""
    call_id = await api.placed(**body)
    await api.set(call_id, status="dialing")
    return call_id


async def status(api: ApiStage, call_id: str, word: str, **form: str) -> httpx.Response:
    target = api.target(STATUS_PATH, call_id)
    answer = await api.post(target, CallSid=SID, CallStatus=word, **form)
    assert answer.status_code == 204, answer.text
    return answer


# --- status ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["initiated", "ringing", "in-progress", "completed"]))
)
def test_in_whatever_order_they_come_the_call_is_completed(
    on_api: OnApi, order: tuple[str, ...]
) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await dialled(api)
        for word in (*order, *reversed(order)):  # and each of them twice
            await status(api, call_id, word)
        row = await api.request(call_id)
        assert (row.status, row.call_sid, row.error) == ("completed", SID, "")
        # Each status is one entry of the journal, however often it came.
        assert len({entry.entry_id for entry in api.journal}) == 4

    on_api(scene)


@pytest.mark.parametrize("final", ["busy", "no-answer", "canceled", "completed"])
def test_what_is_over_stays_as_it_ended(on_api: OnApi, final: str) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await dialled(api)
        await status(api, call_id, final)
        for word in ("ringing", "in-progress", "failed", "busy"):
            await status(api, call_id, word)
        assert (await api.request(call_id)).status == final

    on_api(scene)


def test_a_call_that_could_not_be_connected_says_why(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await dialled(api)
        await status(api, call_id, "failed", SipResponseCode="404")
        assert "SIP 404" in (await api.request(call_id)).error

    on_api(scene)


def test_a_call_that_was_given_up_comes_back_to_life(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await dialled(api)
        await api.set(call_id, status="failed", error="outcome_unknown: the process was lost")
        await status(api, call_id, "ringing")
        row = await api.request(call_id)
        assert (row.status, row.call_sid, row.error) == ("placed", SID, "")

    on_api(scene)


def test_a_call_that_nobody_wants_any_more_is_ended_by_the_first_word_of_it(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await dialled(api)
        await api.set(call_id, options={HANG_UP: True})
        await status(api, call_id, "initiated")
        assert api.carrier.ended == [SID]

    on_api(scene)


def test_a_word_that_is_not_known_yet_changes_nothing(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await dialled(api)
        await status(api, call_id, "teleported")
        assert (await api.request(call_id)).status == "dialing"

    on_api(scene)


def test_a_status_of_a_call_that_is_not_known_is_taken(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        await status(api, "never-heard-of", "completed")
        # Of one that came in: the number says whose it was.
        answer = await api.post(STATUS_PATH, CallSid=SID, CallStatus="completed", To=OTHERS)
        assert answer.status_code == 204
        assert [(entry.tenant_id, entry.agent_id) for entry in api.journal] == [
            ("default", "ann"),
            ("acme", "bob"),
        ]

    on_api(scene)


def test_a_callback_is_not_lost_while_the_database_is_away(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await dialled(api)
        api.database.works_for = 0
        waiting = asyncio.create_task(status(api, call_id, "completed"))
        while not api.services.work.waiting:
            await asyncio.sleep(0)
        api.database.works_for = None
        await waiting
        assert (await api.request(call_id)).status == "completed"

    on_api(scene)


# --- machines -------------------------------------------------------------------------------------

MACHINES = [
    ("hang_up", "machine_start", "ended"),
    ("hang_up", "fax", "ended"),
    ("hang_up", "human", "talked"),
    ("hang_up", "unknown", "talked"),
    ("leave_message", "machine_end_beep", "message"),
    ("leave_message", "machine_end_silence", "message"),
    ("leave_message", "machine_start", "talked"),  # its greeting is not over
    ("leave_message", "fax", "ended"),
    ("leave_message", "human", "talked"),
    ("continue", "machine_start", "talked"),
]


@pytest.mark.parametrize(("mode", "who", "what"), MACHINES)
def test_what_is_done_about_who_answered(on_api: OnApi, mode: str, who: str, what: str) -> None:
    async def scene(api: ApiStage) -> None:
        detection = {"mode": mode} | ({"message": "Call us."} if mode == "leave_message" else {})
        call_id = await dialled(api, machine_detection=detection)
        for _ in range(3):  # a repeated callback does nothing more
            target = api.target(MACHINE_PATH, call_id)
            answer = await api.post(target, CallSid=SID, AnsweredBy=who)
            assert answer.status_code == 204
        assert (await api.request(call_id)).answered_by == who
        assert api.carrier.ended == ([SID] if what == "ended" else [])
        assert [sid for sid, _ in api.carrier.steered] == ([SID] if what == "message" else [])
        if what == "message":
            assert "Call us." in api.carrier.steered[0][1]

    on_api(scene)


def test_a_machine_is_left_nothing_once_its_message_is_erased(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        detection = {"mode": "leave_message", "message": "Call us."}
        call_id = await dialled(api, machine_detection=detection)
        await erase(api.database, "default", call_id, at_us=9)
        target = api.target(MACHINE_PATH, call_id)
        await api.post(target, CallSid=SID, AnsweredBy="machine_end_beep")
        assert (api.carrier.ended, api.carrier.steered) == ([SID], [])
        assert api.services.work.given_up == 0

    on_api(scene)


def test_a_call_that_is_over_needs_no_hanging_up(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await dialled(api, machine_detection={"mode": "hang_up"})
        api.carrier.ending = [CarrierRefused("over", CarrierRefused.CALL_OVER, 400)]
        await api.post(api.target(MACHINE_PATH, call_id), CallSid=SID, AnsweredBy="fax")
        assert api.services.work.given_up == 0

    on_api(scene)


# --- recordings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["in-progress", "completed", "in-progress"]))
)
def test_a_recording_is_completed_in_whatever_order_that_is_told(
    on_api: OnApi, order: tuple[str, ...]
) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await dialled(api)
        for word in order:
            done = {"RecordingUrl": "https://x/RE", "RecordingDuration": "3"}
            answer = await api.post(
                api.target(RECORDING_PATH, call_id),
                CallSid=SID,
                RecordingSid=RECORDING,
                RecordingStatus=word,
                RecordingChannels="2",
                **(done if word == "completed" else {}),
            )
            assert answer.status_code == 204
        (row,) = await api.stores.recordings.of_call("default", call_id)
        assert (row.status, row.duration_s, row.channels) == ("completed", 3.0, 2)

    on_api(scene)


# --- the voice webhook ----------------------------------------------------------------------------


def test_a_webhook_that_is_repeated_is_answered_in_the_same_words(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        form = {"CallSid": SID, "From": THEIRS, "To": OURS}
        first, again = await asyncio.gather(*(api.post(VOICE_PATH, **form) for _ in range(2)))
        late = await api.post(VOICE_PATH, **form)
        assert first.text == again.text == late.text
        assert "<Stream" in first.text
        counters = api.edge.parts.counters
        assert (counters["calls_admitted"], counters["webhooks_repeated"]) == (1, 2)
        assert api.edge.parts.pool.stock.free == 3

    on_api(scene)


def test_a_placed_call_that_asks_twice_is_one_call(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        ready = {"name": "Ann", "day": "Monday"}
        call_id = await dialled(api, agent_id="max", variables=ready)
        target = api.target(VOICE_PATH, call_id, "max", has_variables=True)
        form = {"CallSid": SID, "From": OURS, "To": THEIRS, "Direction": "outbound-api"}
        first, again = await api.post(target, **form), await api.post(target, **form)
        assert first.text == again.text
        assert 'name="var.day" value="Monday"' in first.text
        row = await api.request(call_id)
        assert (row.status, row.call_sid) == ("answered", SID)
        assert api.edge.parts.counters["calls_admitted"] == 1

    on_api(scene)


def test_a_number_of_another_tenant_has_that_tenant_s_agent(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        answer = await api.post(VOICE_PATH, CallSid=SID, From=THEIRS, To=OTHERS)
        assert "<Stream" in answer.text
        # A number whose agent is gone, and one that nobody has.
        await api.stores.numbers.put(NumberRow("+14155550111", "acme", "gone"))
        await api.services.routes.refresh()
        for number, sid in (("+14155550111", "CA2"), ("+14155550000", "CA3")):
            told = await api.post(VOICE_PATH, CallSid=sid, From=THEIRS, To=number)
            assert NOT_IN_SERVICE in told.text

    on_api(scene, unknown_numbers="refuse")


def test_without_its_variables_a_placed_call_ends_politely(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        ready = {"name": "Ann", "day": "Monday"}
        call_id = await dialled(api, agent_id="max", variables=ready)
        target = api.target(VOICE_PATH, call_id, "max", has_variables=True)
        api.database.works_for = 0
        asked = asyncio.create_task(api.post(target, CallSid=SID, From=OURS, To=THEIRS))
        while not api.edge.parts.counters["calls_without_variables"]:
            await asyncio.sleep(0)
        api.database.works_for = None
        assert TROUBLE in (await asked).text

    on_api(scene)


@pytest.mark.parametrize("agent_id", ["ann", "gone"])
def test_a_placed_call_that_finds_no_line_or_no_agent_ends_politely(
    on_api: OnApi, agent_id: str
) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await dialled(api)
        api.edge.draining = True
        told = await api.post(api.target(VOICE_PATH, call_id, agent_id), CallSid=SID)
        assert (TROUBLE if agent_id == "gone" else BUSY) in told.text

    on_api(scene)


# --- bad input ------------------------------------------------------------------------------------

ALL = [VOICE_PATH, STATUS_PATH, MACHINE_PATH, RECORDING_PATH]


@pytest.mark.parametrize("path", ALL)
def test_what_is_not_signed_is_refused(on_api: OnApi, path: str) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await dialled(api)
        for headers in ({}, {"X-Twilio-Signature": "AAAA"}):
            form = {"CallSid": SID, "CallStatus": "completed"}
            answer = await api.hooks.post(api.target(path, call_id), data=form, headers=headers)
            assert answer.status_code == 403
            assert "TWILIO_AUTH_TOKEN" in answer.text
        assert (await api.request(call_id)).status == "dialing"

    on_api(scene)


@pytest.mark.parametrize("path", ALL)
def test_a_form_that_is_too_long_is_refused_however_it_comes(on_api: OnApi, path: str) -> None:
    async def pieces() -> Any:
        for _ in range(MAX_FORM_BYTES // 8_192 + 1):
            yield b"x" * 8_192

    async def scene(api: ApiStage) -> None:
        for content in (b"x" * (MAX_FORM_BYTES + 1), pieces()):
            answer = await api.hooks.post(path, content=content)
            assert answer.status_code == 413
            assert str(MAX_FORM_BYTES) in answer.text

    on_api(scene)


def test_a_form_that_does_not_end_is_given_up(
    on_api: OnApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "BodyReader", partial(BodyReader, within_s=0.01))

    async def drip() -> Any:
        while True:
            yield b"a"
            await asyncio.sleep(0)

    async def scene(api: ApiStage) -> None:
        answer = await api.hooks.post(VOICE_PATH, content=drip())
        assert (answer.status_code, answer.headers["Connection"]) == (408, "close")

    on_api(scene)


@pytest.mark.parametrize(
    ("path", "form", "field"),
    [
        (VOICE_PATH, {}, "CallSid"),
        (STATUS_PATH, {"CallStatus": "ringing"}, "CallSid"),
        (STATUS_PATH, {"CallSid": SID}, "CallStatus"),
        (STATUS_PATH, {"CallSid": SID, "CallStatus": "RINGING!"}, "CallStatus"),
        (STATUS_PATH, {"CallSid": "C A", "CallStatus": "ringing"}, "CallSid"),
        (STATUS_PATH, {"CallSid": SID, "CallStatus": "ringing", "CallDuration": "x"}, "Duration"),
        (MACHINE_PATH, {"CallSid": SID}, "AnsweredBy"),
        (RECORDING_PATH, {"CallSid": SID, "RecordingStatus": "completed"}, "RecordingSid"),
        (
            RECORDING_PATH,
            {"CallSid": SID, "RecordingStatus": "completed", "RecordingSid": RECORDING,
             "RecordingUrl": "javascript:1"},
            "RecordingUrl",
        ),
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_understood_is_refused_and_changes_nothing(
    on_api: OnApi, path: str, form: dict[str, str], field: str
) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await dialled(api)
        before = await api.request(call_id)
        answer = await api.post(api.target(path, call_id), **form)
        assert answer.status_code == 400
        assert field in answer.json()["error"]
        assert await api.request(call_id) == before
        assert api.journal == []

    on_api(scene)


@pytest.mark.parametrize("path", [STATUS_PATH, MACHINE_PATH, RECORDING_PATH])
@pytest.mark.parametrize("token", ["x", "x." + "a" * 43])
def test_a_token_that_is_not_ours_is_refused(on_api: OnApi, path: str, token: str) -> None:
    form = {
        "CallSid": SID,
        "CallStatus": "completed",
        "AnsweredBy": "human",
        "RecordingSid": RECORDING,
        "RecordingStatus": "completed",
    }

    async def scene(api: ApiStage) -> None:
        answer = await api.post(f"{path}?o={token}", **form)
        assert answer.status_code == 403
        assert "token" in answer.json()["error"]
        assert api.edge.parts.counters["call_tokens_refused"] == 1

    on_api(scene)


def test_a_token_is_refused_once_it_is_too_old(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await dialled(api)
        target = api.target(STATUS_PATH, call_id)
        api.now_us += 8 * 24 * 3_600 * 1_000_000
        answer = await api.post(target, CallSid=SID, CallStatus="completed")
        assert answer.status_code == 403

    on_api(scene)


def test_a_voice_webhook_with_a_token_that_is_not_ours_hangs_up(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        answer = await api.post(f"{VOICE_PATH}?o=forged", CallSid=SID)
        assert answer.status_code == 200
        assert "<Hangup" in answer.text
        assert "<Stream" not in answer.text

    on_api(scene)


def test_a_form_that_is_no_text_is_refused(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        answer = await api.hooks.post(PUBLIC + STATUS_PATH, content=b"\xff\xfe")
        assert answer.status_code == 400

    on_api(scene)


words = st.sampled_from(["ringing", "completed", "machine_start", "in-progress", "\x00", "é"])
values = words | st.text(max_size=30) | st.integers().map(str) | st.just(SID) | st.just(RECORDING)
FIELDS = (
    *("CallSid", "CallStatus", "To", "From", "Direction", "AnsweredBy", "CallDuration"),
    *("RecordingSid", "RecordingStatus", "RecordingUrl", "SequenceNumber", "Timestamp"),
)
names = st.sampled_from(FIELDS)
forms = st.dictionaries(names | st.text(max_size=10), values, max_size=8)
posts = st.tuples(st.sampled_from(ALL), st.sampled_from(["", "forged", "good"]), forms)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=st.lists(posts, min_size=1, max_size=15))
def test_whatever_is_signed_is_answered_and_breaks_nothing(
    on_api: OnApi, asked: list[tuple[str, str, dict[str, str]]]
) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await dialled(api)
        for path, token, form in asked:
            clean = {name: text.encode("utf-8", "ignore").decode() for name, text in form.items()}
            tokens = {"": path, "forged": f"{path}?o=x.y", "good": api.target(path, call_id)}
            answer = await api.post(tokens[token], **clean)
            assert answer.status_code in {200, 204, 400, 403}
        assert api.services.work.given_up == 0
        assert (await api.request(call_id)).call_id == call_id

    on_api(scene)
