"""What a call's driver is given by its process, and what it says at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from actors.errors import ActorsError, MindRefusedError
from actors.frame_clock import FrameClock
from actors.metrics_calls import AgentMeter
from actors.mind_client import MindClient
from actors.speech_source import SpeechSource
from actors.wire import TurnEntry
from providers.failover.ears import Ears
from providers.realtime.service import RealtimeService
from providers.traces import trace_of
from voice.ports import TurnModel
from voice.waste import SpeculationBudgets

logger = logging.getLogger(__name__)

# The carrier is told to ask 1.5 s after a replica was ended (``stream_watch_driver``), and whoever
# has the call by then is heard of half a second later; the rest is for a busy machine.
TAKEN_UP_S = 5.0


@dataclass(frozen=True, slots=True)
class CallParts:
    """What all calls of an agent share in a process.

    Attributes:
        ears: Who hears the callers.
        count: Counts what happens, by name (``actors.metrics_counts``).
        meter: Takes what calls and turns have measured.
        turn_model: Tells by ear whether a caller has finished; None when there is none, or it does
            not know the agent's language.
        budgets: Of guesses; one for all agents of the process.
        languages: Of the other languages that its calls may change to, by tag; without ``clock``
            and what else belongs to the process being any other.
        realtime: Hears and speaks for agents whose ``mode`` says so; None for the others.
    """

    ears: Ears
    speech: SpeechSource
    clock: FrameClock
    wall_clock_us: Callable[[], int]
    count: Callable[[str, float], None]
    meter: AgentMeter
    turn_model: TurnModel | None = None
    budgets: SpeculationBudgets = field(default_factory=SpeculationBudgets)
    realtime: RealtimeService | None = None
    languages: Mapping[str, CallParts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How a call ended on this stream.

    Attributes:
        planned: False when the stream was lost and the carrier should be sent back to us.
        close_code: WebSocket close code; 1000 is the normal one.
        hand_over: What the carrier does with the call now (``dialogue.tool_use``); empty when it is
            over, or lost.
    """

    planned: bool
    reason: str
    close_code: int = 1000
    hand_over: Mapping[str, Any] = field(default_factory=dict)


def end_of_stop(
    clock: FrameClock, hung_up_for: str, *, resumed_s: float | None
) -> tuple[bool, str]:
    """What it means that the carrier has stopped the stream: whether that was planned, and why.

    Most often the caller has hung up. A replica that stood still, or was not heard, may have been
    taken for hung: then the carrier is told to ask where the call goes on, which stops the stream
    here as well. It may be told so just as another replica takes the call up, before anybody has
    heard of that. A caller who did hang up meanwhile is told of by ``action`` and the status
    callback.

    Args:
        clock: Of this process.
        hung_up_for: Why we have asked for the end; empty when we have not.
        resumed_s: For how long this stream has had a call whose stream before was lost; None for
            any other.
    """
    if hung_up_for:
        return True, hung_up_for
    if clock.has_stalled():
        return False, "stream_lost: stopped when it may count as hung"
    if resumed_s is not None and resumed_s < TAKEN_UP_S:
        return False, "stream_lost: stopped as it was taken up"
    return True, "caller_hung_up"


def end_after(error: Exception, call_id: str) -> CallEnd:
    """How a call ends on its stream that cannot be held because of ``error``; logs it."""
    match error:
        case MindRefusedError(refusal=refusal):
            logger.warning("call %s refused by its mind: %s", call_id, refusal)
            return CallEnd(refusal == "ended", f"refused: {refusal}", 1000)
        case ActorsError():
            logger.warning("call %s has no mind: %s", call_id, error)
            return CallEnd(False, f"no_mind: {error}", 1011)
        case _:
            logger.error("call %s failed: %s", call_id, trace_of(error))
            return CallEnd(False, f"internal: {type(error).__name__}", 1011)


class LiveDriver(Protocol):
    """The driver of a call on one socket, however the call is carried."""

    @property
    def mind(self) -> MindClient:
        """The mind of the call."""

    @property
    def turn_log(self) -> tuple[TurnEntry, ...]:
        """Every settled turn of the call so far."""

    async def run(self) -> CallEnd:
        """Hold the call until it ends; never raises for what the outside does."""

    def received(self, text: str | bytes) -> None:
        """One message of the carrier. Raises ``telephony.errors`` when the socket must be shut."""

    def disconnected(self, code: int) -> None:
        """The socket is gone; WebSocket close code."""

    def shut(self, reason: str, close_code: int) -> None:
        """End this socket from our side, unplanned."""

    def carrier_ended(self, state: str) -> None:
        """The carrier's status callback says that the call is over."""

    def hang_up(self, reason: str, farewell: str | None) -> None:
        """End the call politely: say ``farewell``, then close as planned."""

    def go_elsewhere(self, mode: str = "") -> None:
        """End this socket as soon as nobody speaks: the carrier opens another one elsewhere.

        The caller hears nothing of it. Asked again, it does nothing. ``mode`` is how the call is
        carried then; empty for as it is.
        """
