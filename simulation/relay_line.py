"""One ConversationRelay session of a phone leg: the carrier hears and speaks, the server gets text.

Rules
- ``setup`` first, once for each socket; then prompts, keys, interruptions, and what the TwiML has
  subscribed to. Messages of the server are checked (``relay_messages.py``): each bad one is
  answered with ``error``, ten in a row end the session with 1007.
- The caller cuts the speech after ``interrupt_after_s`` of speech, or with a key, where the TwiML
  and the words allow it. What is said over speech that cannot be cut is told only where the TwiML
  asks for it.
- The session ends as ``ended`` (the server said so), ``completed`` (the caller hung up), or
  ``failed`` (the socket is gone, the TwiML cannot be, too many bad messages).
- With ``applicationReconnect`` a lost socket is opened again; up to 500 messages wait meanwhile.
  Whether ``setup`` is sent again is not documented: both can be chosen (``RelayTiming``).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from simulation import relay_messages as wire
from simulation.carrier_errors import StreamRefused
from simulation.carrier_line import (
    ABNORMAL_CLOSE,
    NORMAL_CLOSE,
    LineSocket,
    Opener,
    SocketEars,
)
from simulation.carrier_messages import Violation
from simulation.carrier_socket import open_socket
from simulation.carrier_stream import HANG_UP_GRACE_S, Findings, HangUp, Person
from simulation.carrier_ticker import Ticker
from simulation.playout_clock import Heard
from simulation.relay_ear import RelayEar
from simulation.relay_session import RelayEnd, RelaySetup
from simulation.relay_voice import RelayVoice
from simulation.twiml_relay import INVALID_PARAMETER
from simulation.voice_sound import HummingVoice, SpokenVoice

MAX_BUFFERED = 500
NETWORK_FAILED = 39001
_CUT_BY_SPEECH = {"any", "speech"}
_CUT_BY_KEYS = {"any", "dtmf"}


class RelayLine:
    """A session between a person and a server.

    Args:
        setup: See ``RelaySetup``.
        person: Speaks and listens.
        ticker: The process's 20 ms clock.
        findings: Where violations are noted.
        opener: Opens sockets; the network's unless a test brings its own.
        voice: Of the carrier; a hum when None.

    Attributes:
        keys: That the server had pressed.
        languages: That the server chose: spoken, heard.
        sockets: How many were opened.
    """

    def __init__(
        self,
        setup: RelaySetup,
        person: Person,
        ticker: Ticker,
        findings: Findings,
        opener: Opener = open_socket,
        voice: SpokenVoice | None = None,
    ) -> None:
        self.setup = setup
        self.socket: LineSocket | None = None
        self.started_s = 0.0
        self.sockets = 0
        self.keys = ""
        self.languages: list[wire.Language] = []
        timing = setup.timing
        self._person = person
        self._ticker = ticker
        self._findings = findings
        self._opener = opener
        self._loop = asyncio.get_running_loop()
        self.voice = RelayVoice(voice or HummingVoice(), timing.first_byte_s, self._played)
        self._ear = RelayEar(timing.partial_lag_s, timing.endpoint_s, self._loop.time())
        self._language = setup.noun.language
        self._spoken_language = setup.noun.language
        self._bad_in_a_row = 0
        self._is_agent_told = False
        self._was_talked_over = False  # said over speech that the caller cannot cut
        self._has_cut = False
        self._buffer: deque[str] = deque(maxlen=MAX_BUFFERED)
        self._reconnecting: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[RelayEnd] = self._loop.create_future()

    async def open(self) -> None:
        """Connect, upgrade, send ``setup``, and begin to tick. Raises ``StreamRefused``."""
        noun = self.setup.noun
        if noun.problem:
            self._findings.note(Violation(INVALID_PARAMETER, noun.problem))
            raise StreamRefused(INVALID_PARAMETER, noun.problem)
        await self._connect(sends_setup=True)
        self.started_s = self._loop.time()
        if self._ended.done():
            return
        self._person.stream_opened(now=self.started_s)
        self._ticker.add(self._tick)
        if noun.welcome_greeting:
            self.voice.say(
                noun.welcome_greeting,
                is_last=True,
                language=noun.language,
                is_interruptible=noun.welcome_interruptible in _CUT_BY_SPEECH,
                is_preemptible=False,
                now=self.started_s,
            )

    async def _connect(self, *, sends_setup: bool) -> None:
        setup = self.setup
        ears = SocketEars(self._take_text, self._take_binary, self._take_closed)
        self.socket = await self._opener(setup.address, setup.auth_token, ears, setup.tls)
        self.sockets += 1
        if sends_setup:
            parameters = setup.noun.parameters
            status = setup.call_status
            self.socket.send_text(wire.setup(setup.identity, setup.session_id, parameters, status))

    async def ended(self) -> RelayEnd:
        """Wait until the session is over."""
        return await asyncio.shield(self._ended)

    def send(self, text: str) -> None:
        """Send a message as it is; while a lost socket is opened again, it waits."""
        if self._reconnecting is not None:
            self._buffer.append(text)
        elif self.socket is not None:
            self.socket.send_text(text)

    def hang_up(self) -> None:
        """The caller hangs up, or the call is given other TwiML: the socket is closed."""
        if self._ended.done():
            return
        self._finish("completed")
        if self.socket is not None:
            self.socket.close()
            self._loop.call_later(HANG_UP_GRACE_S, self.socket.abort)

    def lose_socket(self) -> None:
        """Lose the connection without a word, as a network does."""
        if self.socket is not None:
            self.socket.abort()
        self._lost(ABNORMAL_CLOSE)

    def break_down(self, code: int, message: str) -> None:
        """The carrier's own ear or mouth has failed: the session ends, the call goes on."""
        self._finish("failed", (code, message))
        if self.socket is not None:
            self.socket.close()

    def drop(self) -> None:
        """Let go of everything that is left."""
        if self._reconnecting is not None:
            self._reconnecting.cancel()
        self._finish("failed", (NETWORK_FAILED, "dropped"))
        if self.socket is not None:
            self.socket.abort()

    # --- every 20 ms ------------------------------------------------------------------------------

    def _tick(self, due_s: float, now: float) -> None:
        heard = self.voice.advance(now=now)
        self._tell_agent()
        _, actions = self._person.tick(due_s, now, heard)
        self._listen(now)
        for action in actions:
            if isinstance(action, HangUp):
                self.hang_up()
                return
            self._press(action.digit, now)

    def _listen(self, now: float) -> None:
        noun = self.setup.noun
        noticed = self._ear.listen(getattr(self._person, "saying", None), now=now)
        if noticed.has_begun:
            self._has_cut = self._was_talked_over = False
            self._tell("clientSpeaking", "on")
        if noticed.has_ended:
            self._tell("clientSpeaking", "off")
        since_s = self._ear.since_s
        if since_s is not None and self.voice.is_audible and not self._has_cut:
            is_cut = noun.interruptible in _CUT_BY_SPEECH and self.voice.is_interruptible
            if is_cut and now - since_s >= self.setup.timing.interrupt_after_s:
                self._cut(now)
            elif not is_cut:
                self._was_talked_over = True
        is_told = not self._was_talked_over or noun.reports_during_speech in _CUT_BY_SPEECH
        if noticed.partial and noun.has_partials and is_told and not self._is_over_speech():
            self.send(wire.prompt(noticed.partial, self._language, is_last=False))
        if noticed.final:
            if is_told:
                self.send(wire.prompt(noticed.final, self._language, is_last=True))
            self._was_talked_over = False

    def _is_over_speech(self) -> bool:
        """Whether the agent is heard, and has not been cut yet."""
        is_told = self.setup.noun.reports_during_speech in _CUT_BY_SPEECH
        return self.voice.is_audible and not self._has_cut and not is_told

    def _cut(self, now: float) -> None:
        began_s = self._ear.since_s or now
        heard, last = self.voice.cut(now=now)
        self._has_cut = True
        self.send(wire.interrupt(heard, max(0, round((now - began_s) * 1_000))))
        self._person.playout_cleared(last, now=now)
        self._tell_agent()

    def _press(self, digit: str, now: float) -> None:
        noun = self.setup.noun
        if self.voice.is_audible and noun.interruptible in _CUT_BY_KEYS:
            self._cut(now)
        if noun.hears_keys:
            self.send(wire.dtmf(digit))

    def _tell(self, name: str, value: str) -> None:
        if "speaker-events" in self.setup.noun.told:
            self.send(wire.info(name, value))

    def _tell_agent(self) -> None:
        is_on = self.voice.is_audible
        if is_on != self._is_agent_told:
            self._is_agent_told = is_on
            self._tell("agentSpeaking", "on" if is_on else "off")

    def _played(self, text: str) -> None:
        if "tokens-played" in self.setup.noun.told:
            self.send(wire.info("tokensPlayed", text))

    # --- what the server sends --------------------------------------------------------------------

    def _take_text(self, text: str) -> None:
        if self._ended.done():
            return
        message = wire.read_relay_message(text)
        if isinstance(message, Violation):
            self._take_bad(message, text)
            return
        self._bad_in_a_row = 0
        now, noun = self._loop.time(), self.setup.noun
        match message:
            case wire.Text():
                cut = self.voice.say(
                    message.token,
                    is_last=message.is_last,
                    language=message.language or self._spoken_language,
                    is_interruptible=message.is_interruptible is not False,
                    is_preemptible=_chosen(message.is_preemptible, noun.is_preemptible),
                    now=now,
                )
                self._lose_sound(cut, now)
            case wire.PlayFile(loop=loop):
                self.voice.say(
                    "la la la. " * max(1, min(loop, 3)),
                    is_last=True,
                    language=self._spoken_language,
                    is_interruptible=message.is_interruptible is not False,
                    is_preemptible=_chosen(message.is_preemptible, noun.is_preemptible),
                    now=now,
                )
            case wire.SendDigits(digits=digits):
                self.keys += digits
            case wire.Language(spoken=spoken, heard=heard):
                self.languages.append(message)
                self._spoken_language = spoken or self._spoken_language
                self._language = heard or self._language
            case wire.End(handoff_data=data):
                self._finish("ended", handoff_data=data)
                if self.socket is not None:
                    self.socket.close()

    def _lose_sound(self, heard: Sequence[Heard], now: float) -> None:
        if heard:
            self._person.playout_cleared(heard, now=now)

    def _take_bad(self, violation: Violation, text: str) -> None:
        self._findings.note(violation)
        self._bad_in_a_row += 1
        self.send(wire.complaint(text))
        if self._bad_in_a_row >= wire.MAX_INVALID_IN_A_ROW:
            if self.socket is not None:
                self.socket.close(1007)
            self._finish(
                "failed", (wire.TOO_MANY_INVALID, "Too many consecutive malformed messages")
            )

    def _take_binary(self, _length: int) -> None:
        self._take_bad(Violation(wire.INVALID_MESSAGE, "a binary frame"), "(binary)")

    def _take_closed(self, code: int, _clean: bool) -> None:
        if self._reconnecting is None:
            self._lost(code)

    # --- the end ----------------------------------------------------------------------------------

    def _lost(self, code: int) -> None:
        if self._ended.done() or self._reconnecting is not None:
            return
        if self.setup.noun.reconnects and self.setup.timing.reconnects:
            self._reconnecting = self._loop.create_task(self._reconnect(code))
        else:
            self._fail(code)

    def _fail(self, code: int) -> None:
        error = (NETWORK_FAILED, "Network connection to WebSocket server failed.")
        self._finish("failed", error, close_code=code)

    async def _reconnect(self, code: int) -> None:
        timing = self.setup.timing
        for _ in range(timing.reconnects):
            await asyncio.sleep(timing.reconnect_after_s)
            try:
                await self._connect(sends_setup=timing.sends_setup_again)
            except StreamRefused as error:
                self._findings.note(Violation(error.code, error.message))
                continue
            self._reconnecting = None
            while self._buffer:
                self.send(self._buffer.popleft())
            return
        self._reconnecting = None
        self._fail(code)

    def _finish(
        self,
        status: str,
        error: tuple[int, str] = (0, ""),
        *,
        handoff_data: str | None = None,
        close_code: int = NORMAL_CLOSE,
    ) -> None:
        if self._ended.done():
            return
        now = self._loop.time()
        if self._reconnecting is not None:
            self._reconnecting.cancel()
        self._ticker.remove(self._tick)
        _, heard = self.voice.cut(now=now)
        self._person.stream_closed(heard, now=now)
        self._ended.set_result(RelayEnd(now, status, error, handoff_data, close_code))


def _chosen(said: bool | None, default: bool) -> bool:
    return default if said is None else said
