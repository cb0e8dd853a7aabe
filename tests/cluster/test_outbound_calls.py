"""Calls that we place, against the emulated carrier and with Twilio's own client."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.back_office_parts import OfficeHours
from records.rows import CallRow
from simulation.callee_book import Callee
from simulation.faults import Faults
from tests.support.calling_stage import OURS, THEIRS, CallingStage, until
from tests.support.edge_stage import CLIP, EdgeStage

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def stage() -> Iterator[EdgeStage]:
    with EdgeStage().running() as running:
        yield running


def play(stage: EdgeStage, folder: Path, scene: Any, callee: Callee, **settings: Any) -> None:
    async def run() -> None:
        calling = await CallingStage.open(stage, folder, callee, **settings)
        try:
            await scene(calling)
        finally:
            await calling.aclose()

    stage.play(run())


def test_a_placed_call_rings_is_answered_and_talked(stage: EdgeStage, tmp_path: Path) -> None:
    async def scene(calling: CallingStage) -> None:
        call_id = await calling.placed()
        call = await calling.until_state(call_id, "completed")
        assert (call["from"], call["to"], call["direction"]) == (OURS, THEIRS, "outbound")
        (leg,) = calling.legs()
        assert (leg.report.status, leg.report.streams) == ("completed", 1)
        assert call["call_sid"] == leg.report.call_sid
        assert leg.report.heard_s > 0.3  # the greeting, and the answer
        kinds = [turn.kind for turn in stage.turns_of(calling.door)]
        assert "greeting" in kinds
        assert "caller" in kinds
        statuses = [row.data["status"] for row in calling.journal if row.kind == "carrier_status"]
        assert set(statuses) >= {"initiated", "ringing", "in-progress", "completed"}
        assert len({row.entry_id for row in calling.journal}) == len(calling.journal)

    callee = Callee(after_s=0.05, says=(CLIP,), talk_s=6.0)
    play(stage, tmp_path, scene, callee)


@pytest.mark.parametrize(
    ("outcome", "state"), [("busy", "busy"), ("no-answer", "no-answer"), ("failed", "failed")]
)
def test_what_nobody_answers_is_said(
    stage: EdgeStage, tmp_path: Path, outcome: Any, state: str
) -> None:
    async def scene(calling: CallingStage) -> None:
        call_id = await calling.placed(timeout_s=1)
        call = await calling.until_state(call_id, state)
        assert call["turns"] == []
        assert (call["error"] is None) == (state != "failed")

    play(stage, tmp_path, scene, Callee(outcome=outcome, after_s=0.05))


def test_a_machine_is_hung_up_on(stage: EdgeStage, tmp_path: Path) -> None:
    async def scene(calling: CallingStage) -> None:
        call_id = await calling.placed(machine_detection={"mode": "hang_up"})
        call = await calling.until_state(call_id, "completed")
        assert call["answered_by"] == "machine_start"

        async def is_recorded() -> bool:
            return (True, "machine") in stage.ends_of(calling.door)

        await until(is_recorded)

    play(stage, tmp_path, scene, Callee(kind="machine", says=(CLIP,), after_s=0.0, detection_s=1.0))


def test_a_message_is_left_after_the_beep(stage: EdgeStage, tmp_path: Path) -> None:
    message = "Please call us back."

    async def scene(calling: CallingStage) -> None:
        call_id = await calling.placed(
            machine_detection={"mode": "leave_message", "message": message}
        )
        call = await calling.until_state(call_id, "completed")
        assert call["answered_by"] == "machine_end_beep"
        (leg,) = calling.legs()
        assert leg.report.said == [message]

    play(stage, tmp_path, scene, Callee(kind="machine", says=(CLIP,), after_s=0.0, detection_s=0.2))


@pytest.mark.parametrize("mode", ["hang_up", "continue", "leave_message"])
def test_a_person_is_talked_to(stage: EdgeStage, tmp_path: Path, mode: str) -> None:
    detection = {"mode": mode, **({"message": "Hi."} if mode == "leave_message" else {})}

    async def scene(calling: CallingStage) -> None:
        call_id = await calling.placed(machine_detection=detection)
        call = await calling.until_state(call_id, "completed")
        assert call["answered_by"] == "human"
        assert calling.legs()[0].report.said == []

    play(stage, tmp_path, scene, Callee(after_s=0.0, detection_s=0.2, talk_s=1.5))


def test_delete_hangs_up_and_again_changes_nothing(stage: EdgeStage, tmp_path: Path) -> None:
    async def scene(calling: CallingStage) -> None:
        call_id = await calling.placed()
        await calling.until_state(call_id, "answered")
        assert (await calling.api.delete(f"/v1/calls/{call_id}")).status_code == 202
        await calling.until_state(call_id, "completed")
        assert (await calling.api.delete(f"/v1/calls/{call_id}")).status_code == 200

    play(stage, tmp_path, scene, Callee(after_s=0.0, talk_s=30.0))


def test_a_ringing_phone_is_let_alone(stage: EdgeStage, tmp_path: Path) -> None:
    async def scene(calling: CallingStage) -> None:
        call_id = await calling.placed()
        await calling.until_state(call_id, "placed")
        assert (await calling.api.delete(f"/v1/calls/{call_id}")).status_code == 202
        await calling.until_state(call_id, "canceled", "completed")

    play(stage, tmp_path, scene, Callee(outcome="no-answer"))


def test_a_queued_call_waits_for_a_line_and_can_be_canceled(
    stage: EdgeStage, tmp_path: Path
) -> None:
    async def scene(calling: CallingStage) -> None:
        calling.free_slots = 0
        call_id = await calling.placed()

        async def why() -> str | None:
            return (await calling.api.get(f"/v1/calls/{call_id}")).json()["waiting_for"] or None

        assert "line" in await until(why)
        assert calling.legs() == []
        deleted = await calling.api.delete(f"/v1/calls/{call_id}")
        assert (deleted.status_code, deleted.json()["state"]) == (200, "canceled")
        calling.free_slots = 10
        other = await calling.placed()
        await calling.until_state(other, "completed")
        assert len(calling.legs()) == 1

    play(stage, tmp_path, scene, Callee(after_s=0.0, talk_s=0.3))


def test_nobody_is_dialled_on_the_seats_of_those_who_call(stage: EdgeStage, tmp_path: Path) -> None:
    async def scene(calling: CallingStage) -> None:
        calling.free_slots = 4
        call_id = await calling.placed()

        async def why() -> str | None:
            return (await calling.api.get(f"/v1/calls/{call_id}")).json()["waiting_for"] or None

        assert "kept for calls that come in" in await until(why)
        assert calling.legs() == []
        calling.free_slots = 5
        await calling.until_state(call_id, "completed")

    play(stage, tmp_path, scene, Callee(after_s=0.0, talk_s=0.3), seats_for_inbound=4)


def test_nobody_is_dialled_for_a_tenant_at_its_limit(stage: EdgeStage, tmp_path: Path) -> None:
    async def scene(calling: CallingStage) -> None:
        calling.by_tenant = {"default": 3}
        call_id = await calling.placed()

        async def why() -> str | None:
            return (await calling.api.get(f"/v1/calls/{call_id}")).json()["waiting_for"] or None

        assert "as many calls as you may have" in await until(why)
        assert calling.legs() == []
        calling.by_tenant = {"default": 2}
        await calling.until_state(call_id, "completed")

    play(stage, tmp_path, scene, Callee(after_s=0.0, talk_s=0.3), tenant_calls="default=3")


def test_a_recording_is_kept_and_erased_at_the_carrier(stage: EdgeStage, tmp_path: Path) -> None:
    async def scene(calling: CallingStage) -> None:
        call_id = await calling.placed(record=True)
        await calling.until_state(call_id, "completed")

        async def recorded() -> Any:
            call = (await calling.api.get(f"/v1/calls/{call_id}")).json()
            return [each for each in call["recordings"] if each["status"] == "completed"]

        (recording,) = await until(recorded)
        assert recording["channels"] == 2
        assert calling.exchange.log.recording(recording["recording_sid"]) is not None
        erased = await calling.api.post(f"/v1/calls/{call_id}/erase")
        assert (erased.status_code, erased.json()["recordings"]) == (200, 1)

        async def deleted() -> bool:
            return calling.exchange.log.recording(recording["recording_sid"]) is None

        await until(deleted)
        call = (await calling.api.get(f"/v1/calls/{call_id}")).json()
        assert (call["to"], call["recordings"]) == ("", [])
        assert call["erased_at"]

    play(stage, tmp_path, scene, Callee(after_s=0.0, talk_s=1.0))


def test_a_call_that_is_too_old_goes_with_its_recording(stage: EdgeStage, tmp_path: Path) -> None:
    async def scene(calling: CallingStage) -> None:
        call_id = await calling.placed(record=True)
        call = await calling.until_state(call_id, "completed")

        async def recorded() -> Any:
            rows = await calling.stores.recordings.of_call("default", call_id)
            return [row for row in rows if row.status == "completed"]

        (recording,) = await until(recorded)
        began_long_ago = CallRow(
            "default", "good", "v1", call_id, call["call_sid"], started_at_us=1
        )
        await calling.stores.calls.write([began_long_ago])

        async def gone() -> bool:
            is_known = await calling.stores.requests.get("default", call_id)
            at_carrier = calling.exchange.log.recording(recording.recording_sid)
            return is_known is None and at_carrier is None

        await until(gone)

        async def forgotten() -> bool:
            return await calling.stores.recordings.get(recording.recording_sid) is None

        await until(forgotten)
        answer = await calling.api.get(f"/v1/calls/{call_id}")
        assert answer.status_code == 404

    often = OfficeHours(delete_every_s=0.05, prune_every_s=0.1, first_prune_after_s=0.0)
    callee = Callee(after_s=0.0, talk_s=0.5)
    play(stage, tmp_path, scene, callee, retention_days=1, hours=often)


def test_a_call_that_comes_in_is_recorded_as_its_agent_says(
    stage: EdgeStage, tmp_path: Path
) -> None:
    async def scene(calling: CallingStage) -> None:
        voice = f"{calling.door.url}/twilio/voice"
        owned = calling.exchange.buy(OURS)
        owned.voice_url, owned.status_callback = voice, f"{calling.door.url}/twilio/status"
        leg = calling.exchange.call_in(THEIRS, OURS, Callee(talk_s=1.5))

        async def ended() -> bool:
            statuses = [r.data["status"] for r in calling.journal if r.kind == "carrier_status"]
            return "completed" in statuses

        await until(ended)
        (row,) = [row for row in calling.journal if row.kind == "carrier_status"]
        assert leg.report.streams == 1

        async def kept() -> Any:
            rows = await calling.stores.recordings.of_call("default", row.call_id)
            return [each for each in rows if each.status == "completed"]

        (recording,) = await until(kept)
        assert recording.channels == 2

    play(stage, tmp_path, scene, Callee(), agent={"record": True})


def test_the_same_key_is_the_same_call(stage: EdgeStage, tmp_path: Path) -> None:
    async def scene(calling: CallingStage) -> None:
        answers = await asyncio.gather(*(calling.place(key="once") for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
        assert len({answer.json()["call_id"] for answer in answers}) == 1
        replayed = [answer.headers.get("idempotent-replayed") for answer in answers]
        assert replayed.count("true") == 4
        other = await calling.place(key="once", timeout_s=5)
        assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_conflict")
        await calling.until_state(answers[0].json()["call_id"], "completed")
        assert len(calling.legs()) == 1

    play(stage, tmp_path, scene, Callee(after_s=0.0, talk_s=0.3))


@pytest.mark.parametrize(
    "faults",
    [
        Faults(lose_answer=True, times=1),  # it rings, and we are not told
        Faults(status=429, retry_after_s=0.2, times=2),
    ],
    ids=["answer lost", "throttled"],
)
def test_a_carrier_with_trouble_rings_the_phone_once(
    stage: EdgeStage, tmp_path: Path, faults: Faults
) -> None:
    async def scene(calling: CallingStage) -> None:
        calling.board.set("twilio", faults)
        call_id = await calling.placed()
        call = await calling.until_state(call_id, "completed")
        (leg,) = calling.legs()
        assert call["call_sid"] == leg.report.call_sid
        assert (call["attempts"], call["error"]) == (1, None)

    play(stage, tmp_path, scene, Callee(after_s=0.1, talk_s=0.3))


def test_a_dialer_that_dies_in_the_middle_rings_nobody_twice(
    stage: EdgeStage, tmp_path: Path
) -> None:
    async def scene(calling: CallingStage) -> None:
        numbers = [f"+1415555{number:04}" for number in range(6)]
        ids = [await calling.placed(to=number) for number in numbers]

        async def claimed(times: int) -> bool:
            rows = [await calling.request(call_id) for call_id in ids]
            return sum(row.attempts for row in rows) >= times

        for times in range(1, 6):  # as soon as one more was claimed, whatever became of it

            async def is_time(times: int = times) -> bool:
                return await claimed(times)

            await until(is_time)
            calling.kill_office()
            calling.office()

        async def settled() -> bool:
            rows = [await calling.request(call_id) for call_id in ids]
            return all(row.status in {"completed", "dialing"} for row in rows)

        await until(settled)
        rung = Counter(leg.record.identity.to_number for leg in calling.legs())
        assert set(rung.values()) == {1}
        for call_id, number in zip(ids, numbers, strict=True):
            row = await calling.request(call_id)
            assert row.status == "dialing" or rung[number] == 1

    play(stage, tmp_path, scene, Callee(after_s=0.0, talk_s=0.3))
