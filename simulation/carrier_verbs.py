"""Running the verbs of a document on a leg, until something else is to be run.

Rules
- ``<Connect>`` and ``<Dial>`` block. When they end, or could not begin: ``action`` is asked if
  there is one, else the next verb runs.
- When somebody ended the call meanwhile, ``action`` is asked all the same with ``completed``, its
  answer ignored. When the call was given other TwiML, nobody is asked.
- Between streams a phone that was called goes on being ticked, so that it may hang up at any time.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

from simulation.carrier_bridge import Bridge
from simulation.carrier_dial import DialRun
from simulation.carrier_errors import CarrierError, StreamRefused
from simulation.carrier_messages import Violation
from simulation.carrier_recording import RecordingOrder
from simulation.carrier_ring import press, wait_unless
from simulation.carrier_state import LegState
from simulation.carrier_steering import Following
from simulation.carrier_talk import StreamTalk
from simulation.carrier_webhooks import Form
from simulation.relay_talk import RelayTalk
from simulation.twiml_relay import INVALID_PARAMETER, Relay
from simulation.twiml_verbs import (
    Connect,
    Dial,
    Hangup,
    Pause,
    Play,
    Redirect,
    Reject,
    Say,
    StartRecording,
    Stream,
    Verb,
)

# About how fast the carrier's own voice speaks; <Say> takes its time, so that a caller waits.
SAY_CHARS_PER_S = 15.0
PLAY_LENGTH_S = 1.0


class VerbRun:
    """Runs verbs on one leg.

    Args:
        state: The leg, whose phone somebody holds.
    """

    def __init__(self, state: LegState) -> None:
        self.talk = StreamTalk(state.parts, state.identity, state.report, state.callbacks)
        self.relay = RelayTalk(state.parts, state.identity, state.report)
        self.rejected = ""
        self._state = state
        self._dial: DialRun | None = None
        self._bridge: Bridge | None = None
        state.steering.on_stop = self._break_off

    async def run(self, verbs: Sequence[Verb], base_url: str) -> Following | None:
        """Run them in order.

        Args:
            verbs: Of one document.
            base_url: Where it came from; empty when it came in through REST.

        Returns:
            What is to be run after it, if its verbs say so.

        Raises:
            CarrierError: Something at which the call ends.
        """
        state = self._state
        for verb in verbs:
            if state.steering.off.is_set():
                return None
            match verb:
                case Reject(reason=reason):
                    if not state.is_answered:
                        self.rejected = "busy" if reason == "busy" else "no-answer"
                    return None
                case Hangup():
                    state.answer()
                    return None
                case Redirect(url=url, method=method):
                    state.answer()
                    return Following(_absolute(base_url, url), method)
                case Connect() | Dial():
                    state.answer()
                    following = await self._block(verb, base_url)
                    if following is not None or state.steering.ended_by:
                        return following
                case _:
                    state.answer()
                    await self._pass(verb)
        return None

    def open_line(self) -> None:
        """Tick a phone that was called, as long as no stream does."""
        if self._state.plan.out is not None and not self._state.steering.ended_by:
            self._line().open()

    def close_line(self) -> None:
        """A stream takes over, or the call is over."""
        if self._bridge is not None:
            self._bridge.close()

    def _break_off(self) -> None:
        self.talk.hang_up()
        self.relay.hang_up()
        if self._dial is not None:
            self._dial.break_off()

    async def _pass(self, verb: Say | Play | Pause | StartRecording) -> None:
        report, off = self._state.report, self._state.steering.off
        # loop="0" means for ever; a simulated caller listens to it a few times.
        match verb:
            case StartRecording():
                self._state.record_sound(_order(verb))
            case Say(text=text, loop=loop):
                report.said.append(text)
                await wait_unless(off, len(text) / SAY_CHARS_PER_S * min(loop or 3, 3))
            case Play(digits=digits) if digits:
                report.keys += await press(digits, off)
            case Play(url=url, loop=loop):
                report.played.append(url)
                await wait_unless(off, PLAY_LENGTH_S * min(loop or 3, 3))
            case Pause(length_s=length_s):
                await wait_unless(off, length_s)

    async def _block(self, verb: Connect | Dial, base_url: str) -> Following | None:
        """Run a stream or a dialled call; returns where to go next, if ``action`` says so."""
        steering = self._state.steering
        action = None if verb.action is None else _absolute(base_url, verb.action)
        more: Form = ()
        if isinstance(verb, Dial):
            more = await self._run_dial(verb)
        elif isinstance(verb.stream, Relay):
            more = await self._run_relay(verb.stream)
        else:
            await self._run_stream(verb.stream)
        if steering.is_replaced or action is None:
            return None
        if steering.ended_by:
            self._state.callbacks.action_after_hang_up(action, verb.method, more)
            return None
        return Following(action, verb.method, more=more)

    async def _run_relay(self, noun: Relay) -> Form:
        state = self._state
        state.report.stream_asked = True
        if state.phone is None:
            return ()
        self.close_line()
        is_wanted = state.steering.off.is_set
        end, more = await self.relay.run(noun, state.phone, lambda: not is_wanted())
        if end.hung_up and not state.steering.is_replaced:
            state.steering.end("caller")
        if end.error[0] == INVALID_PARAMETER:
            # Twilio ends the call, whatever the document says.
            raise CarrierError(*end.error)
        self.open_line()
        return more

    async def _run_stream(self, noun: Stream) -> None:
        state = self._state
        state.report.stream_asked = True
        if state.phone is None:
            return
        self.close_line()
        try:
            end = await self.talk.run(noun, state.phone, lambda: not state.steering.off.is_set())
        except StreamRefused as error:
            state.report.errors.note(Violation(error.code, error.message))
        else:
            if not state.steering.is_replaced:
                self.talk.note_close(end)
                if end.hung_up:
                    state.steering.end("caller")
        self.open_line()

    async def _run_dial(self, verb: Dial) -> Form:
        line = self._line()
        line.open()
        self._dial = DialRun(self._state.parts, self._state.identity, verb, line)
        try:
            end = await self._dial.run()
        finally:
            self._dial = None
            line.close()
        self.open_line()
        return end.fields()

    def _line(self) -> Bridge:
        state = self._state
        if self._bridge is None:
            if state.phone is None:
                raise CarrierError(12400, "a call that nobody holds has no line")
            self._bridge = Bridge(state.parts.ticker, state.phone, self._hung_up, self._key)
        return self._bridge

    def _hung_up(self, is_near: bool) -> None:
        if is_near:
            self._state.steering.end("caller")
        elif self._dial is not None:
            self._dial.far_left()

    def _key(self, is_near: bool, digit: str) -> None:
        if is_near:
            self._state.report.keys += digit
        elif self._dial is not None:
            self._dial.far_key(digit)


def _order(verb: StartRecording) -> RecordingOrder:
    return RecordingOrder(
        callback=verb.callback,
        callback_method=verb.callback_method,
        events=verb.events,
        channels=verb.channels,
        track=verb.track,
        source="StartCallRecordingTwiML",
    )


def _absolute(base_url: str, url: str) -> str:
    """Resolve a URL of the TwiML; what came in through REST has nothing to be relative to."""
    if not base_url and not urlsplit(url).scheme:
        raise CarrierError(15004, "an action in TwiML given through REST is an absolute URL")
    return urljoin(base_url, url)
