"""The chores of the back office: done again and again, and one that is refused stops no other."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from cluster.back_office_chores import (
    DAY_US,
    LOOKED_AT_ONCE,
    SILENT_ANSWERED_S,
    SILENT_PLACED_S,
    BackOfficeChores,
)
from cluster.back_office_parts import BackOfficeParts, _again
from records.edge_rows import RecordingRow
from records.errors import StoreUnavailable
from records.rows import CallRow
from telephony.errors import CarrierError, CarrierRefused, CarrierUnreachable
from tests.cluster.conftest import OnApi
from tests.support import virtual_time
from tests.support.api_stage import ApiStage

pytestmark = pytest.mark.e2e

SID = "CA" + "1" * 32


def chores_of(api: ApiStage) -> BackOfficeChores:
    lifecycle = api.services.lifecycle
    assert lifecycle is not None
    return BackOfficeChores(api.stores, api.carrier, lifecycle, lambda: api.now_us)


async def recorded(api: ApiStage, sid: str, status: str = "deleting", **more: Any) -> None:
    call_id = more.pop("call_id", "in-1")
    await api.stores.recordings.put(RecordingRow(sid, "default", call_id, SID, status, **more))


async def deleting(api: ApiStage) -> set[str]:
    return {row.recording_sid for row in await api.stores.recordings.deleting(1_000)}


# --- recordings -----------------------------------------------------------------------------------


def test_what_is_to_be_deleted_is_deleted_at_the_carrier_and_then_forgotten(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        await recorded(api, "RE1")
        await recorded(api, "RE2")
        await recorded(api, "RE3", "completed")
        await chores_of(api).delete_recordings()
        assert api.carrier.deleted == ["RE1", "RE2"]
        assert await deleting(api) == set()
        assert await api.stores.recordings.get("RE3") is not None

    on_api(scene)


def test_recordings_that_the_carrier_keeps_do_not_stand_in_the_way(
    on_api: OnApi, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(api: ApiStage) -> None:
        stubborn = [f"RE{n:03}" for n in range(LOOKED_AT_ONCE + 5)]
        for sid in [*stubborn, "RE999"]:
            await recorded(api, sid)
        api.carrier.deleting = dict.fromkeys(stubborn, CarrierRefused("it goes on", 20001, 400))
        chores = chores_of(api)
        for _ in range(4):
            await chores.delete_recordings()
        assert api.carrier.deleted == ["RE999"]
        assert await deleting(api) == set(stubborn)
        assert caplog.text.count("RE000") == 1
        api.carrier.deleting = {}  # their calls have ended
        for _ in range(3):
            await chores.delete_recordings()
        assert await deleting(api) == set()

    with caplog.at_level(logging.ERROR):
        on_api(scene)


@pytest.mark.parametrize(
    "error", [CarrierUnreachable("no answer"), CarrierRefused("Authenticate", 20003, 401)]
)
def test_a_carrier_that_is_away_deletes_later(on_api: OnApi, error: CarrierError) -> None:
    async def scene(api: ApiStage) -> None:
        await recorded(api, "RE1")
        api.carrier.deleting = {"RE1": error}
        with pytest.raises(CarrierError):
            await chores_of(api).delete_recordings()
        assert await deleting(api) == {"RE1"}

    on_api(scene)


# --- retention ------------------------------------------------------------------------------------


def test_what_is_too_old_goes_with_its_recordings(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        for call_id, days in (("old", 31), ("young", 29)):
            began_us = api.now_us - days * DAY_US
            await api.stores.calls.write(
                [CallRow("default", "ann", "v1", call_id, call_id, started_at_us=began_us)]
            )
            sid = f"RE-{call_id}"
            await recorded(api, sid, "completed", call_id=call_id, at_us=began_us)
        chores = chores_of(api)
        gone = await chores.prune(30)
        assert (gone.calls, gone.recordings) == (1, 1)
        await chores.delete_recordings()
        assert api.carrier.deleted == ["RE-old"]
        assert await api.stores.calls.call("default", "old") is None
        assert await api.stores.calls.call("default", "young") is not None
        assert await api.stores.recordings.get("RE-young") is not None
        assert (await chores.prune(30)).calls == 0

    on_api(scene)


# --- silent calls ---------------------------------------------------------------------------------


async def silent(api: ApiStage, status: str, since_s: float) -> str:
    call_id = await api.placed()
    await api.set(
        call_id, status=status, call_sid=SID, updated_at_us=api.now_us - round(since_s * 1e6)
    )
    return call_id


@pytest.mark.parametrize(
    ("status", "since_s", "said", "state"),
    [
        ("placed", SILENT_PLACED_S + 1, "completed", "completed"),
        ("placed", SILENT_PLACED_S + 1, "no-answer", "no-answer"),
        ("placed", SILENT_PLACED_S + 1, "in-progress", "answered"),
        ("placed", SILENT_PLACED_S + 1, "ringing", "placed"),
        ("placed", SILENT_PLACED_S - 1, "completed", "placed"),  # too early to ask
        ("answered", SILENT_ANSWERED_S + 1, "completed", "completed"),
        ("answered", SILENT_PLACED_S + 1, "completed", "answered"),
        ("placed", SILENT_PLACED_S + 1, CarrierRefused("unknown", 20404, 404), "failed"),
        ("placed", SILENT_PLACED_S + 1, CarrierRefused("no", 20001, 400), "placed"),
    ],
)
def test_the_carrier_is_asked_what_became_of_a_silent_call(
    on_api: OnApi, status: str, since_s: float, said: str | Exception, state: str
) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await silent(api, status, since_s)
        api.carrier.states = {SID: said}
        await chores_of(api).ask_about_silent()
        await api.services.work.settle(5.0)
        assert (await api.request(call_id)).status == state

    on_api(scene)


def test_a_call_that_still_rings_is_not_asked_about_all_the_time(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await silent(api, "placed", SILENT_PLACED_S + 1)
        api.carrier.states = {SID: "ringing"}
        await chores_of(api).ask_about_silent()
        assert (await api.request(call_id)).updated_at_us == api.now_us
        api.carrier.states = {}  # asking again would raise
        await chores_of(api).ask_about_silent()

    on_api(scene)


def test_a_carrier_that_is_away_is_asked_later(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await silent(api, "placed", SILENT_PLACED_S + 1)
        before = await api.request(call_id)
        api.carrier.states = {SID: CarrierUnreachable("no answer")}
        with pytest.raises(CarrierUnreachable):
            await chores_of(api).ask_about_silent()
        assert await api.request(call_id) == before

    on_api(scene)


# --- again and again ------------------------------------------------------------------------------


def test_a_chore_goes_on_whatever_goes_wrong_and_says_so_once_in_a_row(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outcomes: list[Exception | None] = [
        None,
        StoreUnavailable("the database is away"),
        StoreUnavailable("the database is away"),
        CarrierUnreachable("no answer"),
        KeyError("sid"),
        None,
        StoreUnavailable("the database is away"),
    ]
    done: list[float] = []

    async def chore() -> None:
        done.append(asyncio.get_running_loop().time())
        if (outcome := outcomes[len(done) - 1]) is not None:
            raise outcome

    async def pause() -> None:
        if len(done) == len(outcomes):
            raise asyncio.CancelledError
        await asyncio.sleep(5.0)

    async def main() -> None:
        with pytest.raises(asyncio.CancelledError):
            await _again("recordings", chore, pause)

    with caplog.at_level(logging.WARNING):
        virtual_time.run(main())
    assert [round(at - done[0]) for at in done] == [0, 5, 10, 15, 20, 25, 30]
    assert caplog.text.count("recordings: the database is away") == 2
    assert caplog.text.count("recordings: no answer") == 1
    assert caplog.text.count("recordings failed") == 1


class Stumbling:
    """A dialer that falls over whenever it begins."""

    begun = 0

    async def run(self) -> None:
        self.begun += 1
        raise KeyError("nobody thought of it")

    async def aclose(self) -> None:
        """Nothing is open."""


def test_a_dialer_that_breaks_begins_again_and_stops_no_chore(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        parts = BackOfficeParts(api.services.edge.settings, api.stores, api.carrier, _no_room)
        dialer: Any = Stumbling()
        parts._dialer = dialer
        await recorded(api, "RE1")
        async with asyncio.timeout(10.0):
            work = asyncio.create_task(parts.run())
            while dialer.begun < 2 or "RE1" not in api.carrier.deleted:
                assert not work.done()
                await asyncio.sleep(0.05)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    on_api(scene)


async def _no_room() -> None:
    return None
