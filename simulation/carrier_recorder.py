"""The recordings of one leg: begun, stopped, processed, reported."""

from __future__ import annotations

import asyncio

from simulation.carrier_callbacks import Callbacks
from simulation.carrier_parts import LegParts
from simulation.carrier_recording import PROCESSING_S, LegRecording, RecordingOrder, TappedPerson
from simulation.carrier_webhooks import CallIdentity, new_sid


class Recorder:
    """Records what one phone says and hears.

    Args:
        parts: Shared by all calls.
        identity: Whose call it is.
        callbacks: Told of the recordings' states.
    """

    def __init__(self, parts: LegParts, identity: CallIdentity, callbacks: Callbacks) -> None:
        self._parts = parts
        self._identity = identity
        self._callbacks = callbacks
        self._processing: set[asyncio.Task[None]] = set()
        self._recordings: list[LegRecording] = []

    def start(self, order: RecordingOrder, phone: TappedPerson) -> LegRecording:
        """Record from now on."""
        sid = new_sid("RE", self._parts.random)
        recording = LegRecording(sid, self._identity.call_sid, order, self._stopped)
        phone.recordings.append(recording)
        self._recordings.append(recording)
        self._parts.log.add_recording(recording)
        self._report(recording, "in-progress")
        return recording

    async def finish(self) -> None:
        """The call is over: stop what still runs, and wait until all can be fetched."""
        for recording in self._recordings:
            recording.change("stopped")
        while self._processing:
            await asyncio.gather(*self._processing)

    def url(self, recording: LegRecording) -> str:
        """Where a recording is fetched."""
        return (
            f"{self._parts.log.api_url}/2010-04-01/Accounts/{self._identity.account_sid}"
            f"/Recordings/{recording.sid}"
        )

    def _stopped(self, recording: LegRecording) -> None:
        task = asyncio.get_running_loop().create_task(self._process(recording))
        self._processing.add(task)
        task.add_done_callback(self._processing.discard)

    async def _process(self, recording: LegRecording) -> None:
        await asyncio.sleep(PROCESSING_S)
        recording.complete()
        self._report(recording, "completed")

    def _report(self, recording: LegRecording, status: str) -> None:
        self._callbacks.recording_status(recording, status, self.url(recording))
