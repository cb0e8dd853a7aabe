"""What crosses between an ingress replica and a CallActor: versioned plain data.

Every message is a dict of JSON types with ``"v": 1``. Readers take what they know and ignore the
rest, so that version N reads what N-1 and N+1 wrote; ``tests/actors/test_wire.py`` holds the golden
copies. Durations and ages are seconds; instants are UTC microseconds; loop times never cross.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from actors.wire_checks import CHECKS

VERSION = 1
OLDEST_READABLE = 1


class WireError(ValueError):
    """A message from the other half cannot be read."""


def _read_version(plain: Mapping[str, Any]) -> None:
    if not isinstance(plain, Mapping):
        raise WireError(f"a message is a dict, not {type(plain).__name__}")
    version = plain.get("v")
    if not isinstance(version, int) or version < OLDEST_READABLE:
        raise WireError(f"message version {version!r} is older than {OLDEST_READABLE}")


_MEASURED = "dict[str, float]"
_Shape = tuple[tuple[str, str, Callable[[Any], bool]], ...]
_SHAPES: dict[type[Any], _Shape] = {}


def _shape(kind: type[Any]) -> _Shape:
    """Name, annotation and check of each field; looked up once for each kind of message."""
    shape = _SHAPES.get(kind)
    if shape is None:
        shape = _SHAPES[kind] = tuple(
            (item.name, str(item.type), CHECKS[str(item.type)]) for item in fields(kind)
        )
    return shape


@dataclass(frozen=True, slots=True)
class _Wire:
    """Shared reading and writing: one dataclass field is one key."""

    def to_plain(self) -> dict[str, Any]:
        """The message as a dict of JSON types."""
        plain: dict[str, Any] = {"v": VERSION}
        for name, _, _ in _shape(type(self)):
            value = getattr(self, name)
            if isinstance(value, tuple):
                value = [entry.to_plain() if isinstance(entry, _Wire) else entry for entry in value]
            plain[name] = value
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read a message; unknown keys are ignored, missing ones take their default.

        Raises:
            WireError: The version is too old, a required key is missing, or a value is of another
                type than the field.
        """
        _read_version(plain)
        values = {name: plain[name] for name, _, _ in _shape(cls) if name in plain}
        for key in ("turn_log", "settled"):
            if isinstance(values.get(key), list):
                values[key] = tuple(TurnEntry.from_plain(entry) for entry in values[key])
        for key in ("alive", "begun", "epoch", "granted", "likely", "retired", "tools", "uses"):
            if isinstance(values.get(key), list):
                values[key] = tuple(values[key])
        for name, annotation, fits in _shape(cls):
            if name in values and not fits(values[name]):
                wrong = type(values[name]).__name__
                raise WireError(f"{cls.__name__}.{name} is {annotation}, not {wrong}")
            if annotation == _MEASURED and name in values:
                # The same few names in each turn of each call, read as new strings each time.
                values[name] = {sys.intern(key): value for key, value in values[name].items()}
        try:
            return cls(**values)
        except TypeError as error:
            raise WireError(f"{cls.__name__}: {error}") from None


@dataclass(frozen=True, slots=True)
class TurnEntry(_Wire):
    """One settled turn, as the turn log and the record keep it.

    Attributes:
        at_us: When it was settled, UTC microseconds.
        timeline: Stage to seconds after the caller's speech ended.
        usage: Provider units (``telemetry.cost``), those of guesses that were thrown away included.
        tools: What was used and what came of it (``dialogue.tool_use``).
        guess: Which of its guesses was spoken; of a turn that was recalled 0.
        cache: What the response cache said (``actors.mind_answers``); empty when it was not asked.
    """

    turn_id: int
    kind: str
    caller_text: str = ""
    agent_text: str = ""
    heard_text: str = ""
    outcome: str = "heard"
    reason: str = ""
    at_us: int = 0
    timeline: dict[str, float] = field(default_factory=dict)
    usage: dict[str, float] = field(default_factory=dict)
    tools: tuple[dict[str, Any], ...] = ()
    guess: int = 0
    cache: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenCall(_Wire):
    """Ingress to CallActor: this call is here; take it (again).

    Attributes:
        epoch: ``[resume number, mint time in microseconds]``; the larger one owns the call.
        token_id: The one-time part of the stream token; a second use of it is refused.
        turn_log: What the ingress knows of the call; empty for a new one.
        variables: For the prompt and the greeting of an outbound call.
        uses: Tools that ran, or may have, in turns that are not settled (``tool_journal``).
    """

    tenant_id: str
    agent_id: str
    agent_version: str
    call_id: str
    call_sid: str
    epoch: tuple[int, int]
    token_id: str = ""
    caller: str = ""
    called: str = ""
    direction: str = "inbound"
    started_at_us: int = 0
    turn_log: tuple[TurnEntry, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    uses: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class CallOpened(_Wire):
    """CallActor to ingress: taken, or why not.

    Attributes:
        refusal: Empty when taken; else ``full``, ``token_used``, ``stale_epoch``, ``unknown_agent``
            or ``ended``.
        greeting: What to say first; None when the call has turns already.
        turn_log: What the actor knows of the call (after a lost ingress).
        uses: Tools that ran, or run, in turns that are not settled, each with its ``turn``.
        unanswered: What the caller said last, when the turn was taken and never settled.
        unfinished: What he was saying a moment ago, by the guess at it; the turn was not taken.
    """

    refusal: str = ""
    greeting: str | None = None
    turn_log: tuple[TurnEntry, ...] = ()
    uses: tuple[dict[str, Any], ...] = ()
    unanswered: str = ""
    unfinished: str = ""


@dataclass(frozen=True, slots=True)
class TakeTurn(_Wire):
    """Ingress to CallActor: reply to this. Answered by a stream of ``TurnItem``.

    Attributes:
        settled: Turns that ended since the last message, oldest first.
        grants: Whoever asks keeps a log of tools, and grants their use (``SettleTurns.granted``).
    """

    tenant_id: str
    call_id: str
    epoch: tuple[int, int]
    turn_id: int
    guess: int
    kind: str
    text: str
    speculative: bool = False
    settled: tuple[TurnEntry, ...] = ()
    grants: bool = False


@dataclass(frozen=True, slots=True)
class TurnItem(_Wire):
    """CallActor to ingress: one step of a reply.

    Attributes:
        type: ``accepted`` (at once), ``segment``, ``tool``, ``finished`` or ``failed``; the last
            two end it.
        stages: Stage name to seconds after the request arrived at the CallActor.
        usage: Provider units, with ``finished``.
        refusal: With ``failed``: ``unknown_call``, ``stale_epoch``, ``stale_turn`` (settled or
            abandoned before), ``abandoned``, ``empty_reply`` or ``provider``.
        retryable: With ``failed``: asking again may help.
        hang_up: With ``finished``: the agent ends the call after this reply.
        action: With ``finished``: what to do once the reply was heard (``dialogue.tool_use``).
        keep: With ``segment``: others will be told the same, so its audio is worth keeping.
        cache: With the first ``segment`` and the end: what the cache said (``mind_answers``).
        likely: With ``finished``: segments that may be wanted next, whose audio is worth having.
        tools: With ``tool`` uses of tools that run: without a result they wait to be granted, and
            with ``wait_s`` they may take so long from then on; with a result they have ended. With
            ``accepted`` results of earlier turns, with ``finished`` facts that were noted.
    """

    type: str
    turn_id: int
    guess: int
    index: int = 0
    text: str = ""
    message: str = ""
    refusal: str = ""
    retryable: bool = False
    hang_up: bool = False
    stages: dict[str, float] = field(default_factory=dict)
    usage: dict[str, float] = field(default_factory=dict)
    action: dict[str, Any] = field(default_factory=dict)
    keep: bool = False
    cache: dict[str, Any] = field(default_factory=dict)
    likely: tuple[str, ...] = ()
    tools: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class AbandonTurn(_Wire):
    """Ingress to CallActor: stop thinking about this guess."""

    tenant_id: str
    call_id: str
    epoch: tuple[int, int]
    turn_id: int
    guess: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledged(_Wire):
    """CallActor to ingress, after ``AbandonTurn``, ``SettleTurns`` and ``CloseCall``.

    Attributes:
        refusal: Empty when done; else ``unknown_call`` or ``stale_epoch``.
    """

    refusal: str = ""


@dataclass(frozen=True, slots=True)
class SettleTurns(_Wire):
    """Ingress to CallActor: these turns are over, and these tools may be used.

    Attributes:
        granted: Ids of uses whose turn was taken, and that this half has in its log.
        taken: A turn that was taken with a guess: ``turn_id`` and ``text``; empty for none.
    """

    tenant_id: str
    call_id: str
    epoch: tuple[int, int]
    settled: tuple[TurnEntry, ...] = ()
    granted: tuple[str, ...] = ()
    taken: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CloseCall(_Wire):
    """Ingress to CallActor: the stream is gone.

    Attributes:
        planned: True for an end that we or the caller chose; False for a loss to be resumed.
        reason: Such as ``caller_hung_up``, ``idle``, ``agent_hung_up``, ``stream_lost``.
        usage: Provider units of this stream that belong to no turn.
        hand_over: With a planned end: the carrier does this with the call (``dialogue.tool_use``),
            which is not over and may come back. Empty for the end of the call.
    """

    tenant_id: str
    call_id: str
    epoch: tuple[int, int]
    planned: bool
    reason: str
    settled: tuple[TurnEntry, ...] = ()
    usage: dict[str, float] = field(default_factory=dict)
    hand_over: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallState(_Wire):
    """CallActor to the resume webhook: what became of a call.

    Attributes:
        known: False when this actor never had the call or has forgotten it.
        planned_end: The call ended because somebody chose so: hang up, do not resume.
        reason: Why the stream was closed last; empty while it is open.
        hand_over: What the carrier does with the call meanwhile; empty while it is ours.
    """

    known: bool
    planned_end: bool = False
    reason: str = ""
    epoch: tuple[int, int] = (0, 0)
    turn_log: tuple[TurnEntry, ...] = ()
    hand_over: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplicaSync(_Wire):
    """Ingress replica to directory, about once a second: what I hold, used and want.

    Attributes:
        held: CallActor name to free slots this replica still has in stock.
        used: CallActor name to slots it gave to calls since the last sync. A replica that names
            its calls has each of them here and in ``placed`` or ``moved``; an older one only here.
        want: Slots it would like to have in stock.
        placed: Call id to CallActor: new calls placed since the last sync.
        moved: Call id to CallActor: calls placed anew since the last sync, their actor being lost.
        begun: Ids of new calls whose stream has come to this replica since the last sync.
        waiting: New callers who wait for a slot here.
        moving: Calls that wait here for another actor, and that no slot in stock suits.
        knows: ``alive_version`` of the actors' names that it has; 0 for none.
        release: What is deployed, as this replica knows it (``actors.named.MindPlan``).
        tenant_limits, tenant_held, tenant_waiting: Calls at once, leases in hand, waiting callers.
        tenant_of: Those of ``placed`` whose tenant has a limit: call id to tenant.
    """

    replica_id: str
    active_calls: int
    max_calls: int
    held: dict[str, int] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    want: int = 0
    placed: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    begun: tuple[str, ...] = ()
    waiting: int = 0
    moving: int = 0
    knows: int = 0
    release: str = ""
    tenant_limits: dict[str, int] = field(default_factory=dict)
    tenant_held: dict[str, int] = field(default_factory=dict)
    tenant_waiting: dict[str, int] = field(default_factory=dict)
    tenant_of: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grants(_Wire):
    """Directory to ingress replica: more slots, and who is alive.

    Attributes:
        granted: CallActor name to slots added to the replica's stock; negative ones are taken back.
        alive: Names of all CallActors that answer; stock of others is void. Left out when the
            replica knows them: thousands of names, a second, for each of a thousand replicas.
        alive_version: Of those names, 1 or more; 0 from a directory that always names them.
        every_ms: How often this replica is to report.
        left: Slots for new calls that are left beside this replica's stock: it pays to ask again.
        retired: CallActors of an older release, which get no calls any more: those that they have
            are to go on elsewhere, between two turns. Told with ``alive``.
        release: What the directory believes to be deployed.
        counts_tenants: It keeps the limits of tenants; an older directory does not say so.
        tenant_granted, tenant_calls: Leases added to those in hand; calls and leases of all.
        minds: Calls that the CallActors can carry; ``capacity`` is that, or fewer for want of ears.
            0 from an older directory.
        on_way: Calls that were placed, and whose stream has not come yet.
    """

    granted: dict[str, int] = field(default_factory=dict)
    alive: tuple[str, ...] = ()
    active_calls: int = 0
    capacity: int = 0
    left: int = 0
    alive_version: int = 0
    every_ms: int = 1_000
    retired: tuple[str, ...] = ()
    release: str = ""
    counts_tenants: bool = False
    tenant_granted: dict[str, int] = field(default_factory=dict)
    tenant_calls: dict[str, int] = field(default_factory=dict)
    minds: int = 0
    on_way: int = 0
