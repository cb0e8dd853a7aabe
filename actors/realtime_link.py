"""The Realtime sessions of one call, one after the other: opened, fed, replaced, heard as one.

``providers.realtime.keeper`` decides when; this is its driver. The caller's last seconds are kept,
so that what a session was told and did not understand can be said to the next one. Audio goes out
40 ms at a time, as raw JSON.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dialogue.agent import Agent
from dialogue.ports import Message
from providers.errors import ProviderError, ProviderUnavailable
from providers.failover.replay_ring import ReplayRing
from providers.realtime.config import language_update
from providers.realtime.events import ServerEvent
from providers.realtime.keeper import KeeperPolicy, SessionKeeper
from providers.realtime.messages import append_audio, items_of, update_session
from providers.realtime.outputs import Input, SessionLost, SessionUp
from providers.realtime.service import RealtimeService
from providers.realtime.socket import RealtimeSocket

logger = logging.getLogger(__name__)

BATCH_BYTES = 320
_REPLAY_BYTES = 8_000
_RENEWED = "the session was replaced ahead of its end"


@dataclass(frozen=True, slots=True)
class LinkEnds:
    """What a link tells, and what it asks.

    Attributes:
        feed: Takes what sessions say, their coming and their going.
        conversation: The instructions, and what was said so far.
        replay_from: Where a new session has to hear the caller again; None for nowhere.
        given_up: Told once that there will be no session any more, and why.
    """

    feed: Callable[[Input], None]
    conversation: Callable[[], Sequence[Message]]
    replay_from: Callable[[], int | None]
    given_up: Callable[[str], None]


class RealtimeLink:
    """One call's way to the service.

    Args:
        service: Opens sessions.
        agent: As it speaks in this call.
        call_id: For logs.
        ends: Who is told.
        policy: When sessions are replaced; by default by the service's own times.
    """

    def __init__(
        self,
        service: RealtimeService,
        agent: Agent,
        call_id: str,
        ends: LinkEnds,
        policy: KeeperPolicy | None = None,
    ) -> None:
        self._service = service
        self._agent = agent
        self._call_id = call_id
        self._ends = ends
        self._loop = asyncio.get_running_loop()
        policy = policy or KeeperPolicy(session_s=service.config.session_s)
        self._keeper = SessionKeeper(policy, now=self._loop.time())
        self._ring = ReplayRing()
        self._batch = bytearray()
        self._socket: RealtimeSocket | None = None
        self._opening: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def samples(self) -> int:
        """Caller audio taken so far."""
        return self._ring.samples

    @property
    def sessions_lost(self) -> int:
        """Over the whole call."""
        return self._keeper.lost

    def start(self) -> None:
        """Ask for the first session; audio may be written at once."""
        self._open_after(0.0)

    def write(self, ulaw: bytes) -> None:
        """Caller audio; never blocks."""
        self._ring.write(ulaw)
        if self._socket is None:
            return
        self._batch += ulaw
        if len(self._batch) >= BATCH_BYTES:
            self._socket.send(append_audio(bytes(self._batch)))
            self._batch.clear()

    def audio_since(self, sample: int) -> bytes:
        """What the caller has said from there on, as far as it is kept."""
        return self._ring.read(sample)

    def send(self, message: str) -> None:
        """An event for the session; without one it is lost."""
        if self._socket is not None:
            self._socket.send(message)

    def change_language(self, agent: Agent) -> None:
        """Sessions hear and speak like this from now on, the one that is up included."""
        self._agent = agent
        if self._socket is not None:
            self._socket.send(self._language_update())

    def _language_update(self) -> str:
        instructions = self._ends.conversation()[0].text
        return update_session(language_update(self._service.config, self._agent, instructions))

    def drop(self, error: ProviderError) -> None:
        """The session does not do its work."""
        if self._socket is not None:
            self._socket.abort(error)

    def answered(self) -> None:
        """A reply of the session was heard."""
        self._keeper.answered()

    def tick(self, *, is_quiet: bool, now: float) -> None:
        """Replace a session that grows old."""
        if self._opening is None and self._keeper.is_old(now=now, is_quiet=is_quiet):
            self._open_after(0.0)

    async def close(self) -> None:
        """Close what is open; nothing is fed afterwards."""
        self._is_closed = True
        if self._opening is not None:
            self._opening.cancel()
        if self._socket is not None:
            self._retire(self._socket)
            self._socket = None
        if self._closing:
            await asyncio.wait(self._closing)

    # --- sessions ---------------------------------------------------------------------------------

    def _open_after(self, pause_s: float) -> None:
        self._opening = self._loop.create_task(self._open(pause_s))

    async def _open(self, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        instructions, agent = self._ends.conversation()[0].text, self._agent
        try:
            socket = await self._service.open(agent, instructions)
        except Exception as error:  # noqa: BLE001 - whatever it is, the call must go on somewhere
            self._opening = None
            self._failed(error)
            return
        self._opening = None
        if self._is_closed:
            self._retire(socket)
        else:
            if agent is not self._agent:  # the call has changed its language meanwhile
                socket.send(self._language_update())
            self._take_over(socket)

    def _take_over(self, socket: RealtimeSocket) -> None:
        if self._socket is not None:
            self._retire(self._socket)
            self._socket = None
            self._ends.feed(SessionLost(_RENEWED))
        self._batch.clear()
        socket.send_all(items_of(self._ends.conversation()))
        since = self._ends.replay_from()
        audio = self._ring.read(self._ring.samples if since is None else since)
        for at in range(0, len(audio), _REPLAY_BYTES):
            socket.send(append_audio(audio[at : at + _REPLAY_BYTES]))
        self._socket = socket
        self._keeper.up(now=self._loop.time())
        self._ends.feed(SessionUp(self._ring.samples - len(audio)))

        def heard(event: ServerEvent) -> None:
            if self._socket is socket:
                self._ends.feed(event)

        def broke(error: ProviderError) -> None:
            if self._socket is socket:
                self._lost(socket, error)

        socket.listen(heard, broke)

    def _lost(self, socket: RealtimeSocket, error: ProviderError) -> None:
        self._socket = None
        self._retire(socket)
        self._ends.feed(SessionLost(str(error)))
        if self._opening is None:  # another session is not on its way already
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        if self._is_closed:
            return
        if not isinstance(error, ProviderError):
            error = ProviderUnavailable(f"broke: {type(error).__name__}", self._service.name)
        if self._socket is not None:  # only the one that was to follow cannot be had
            logger.warning("call %s: no newer session: %s", self._call_id, error)
            self._keeper.not_renewed(error, now=self._loop.time())
            return
        logger.warning("call %s: realtime: %s", self._call_id, error)
        pause_s = self._keeper.failed(error, now=self._loop.time())
        if pause_s is None:
            self._ends.given_up(str(error))
        else:
            self._open_after(pause_s)

    def _retire(self, socket: RealtimeSocket) -> None:
        task = self._loop.create_task(socket.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
