"""What is broken, how, and in which words a person asks for it.

Providers stand in rows: those of row 0 are the first of each chain, those of the rows behind it
stand in. Each row is a process of its own, so a fault strikes the first alone unless it says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Role = Literal["recognise", "think", "speak"]
ROLES: Final[tuple[Role, ...]] = ("recognise", "think", "speak")
EVERYTHING: Final = "everything"

# The emulated service of each row, by role.
SERVICES: Final[Mapping[Role, tuple[str, ...]]] = {
    "recognise": ("azure", "deepgram"),
    "think": ("openai", "openai", "openai"),
    "speak": ("elevenlabs", "azure_tts", "openai_tts"),
}
# As the product calls who is served by them.
PROVIDERS: Final[Mapping[Role, tuple[str, ...]]] = {
    "recognise": ("azure", "deepgram"),
    "think": ("openai", "openrouter", "azure_openai"),
    "speak": ("elevenlabs", "azure", "openai"),
}
ROWS: Final = 3
# To the first useful output while all is well, seconds: what the emulators are told.
USUAL_S: Final[Mapping[Role, float]] = {"recognise": 0.15, "think": 0.25, "speak": 0.12}
SLOWER: Final = 6.0

Kind = Literal["refused", "hang", "slow", "killed", "down", "next"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way of failing.

    Attributes:
        name: On the command line.
        title: In tables.
        kind: Which promises hold for it; see ``verdicts``.
        settings: Of ``simulation.faults``, for every role.
        slower: The first output comes so many times later; 1 for no later.
        drops: Open connections are reset as it begins, or sockets opened before would know nothing
            of it.
        rows: How many rows it strikes; 0 for all.
        lasts: So many times as long as others. What is spent until a provider is left is a matter
            of some requests, and a share of them means little in a quarter of a minute.
        act: Faults of one act are played on one product, in the order below. A provider that was
            left three times within ten minutes is rightly trusted less, so a product sees each of
            its providers fail twice at most before what is played last.
    """

    name: str
    title: str
    kind: Kind
    settings: Mapping[str, Any] = field(default_factory=dict)
    slower: float = 1.0
    drops: bool = False
    rows: int = 1
    lasts: float = 1.0
    act: int = 1


@dataclass(frozen=True, slots=True)
class Strike:
    """Something to be done to one emulated service.

    Attributes:
        row: Its process.
        service: Its name there.
        settings: Of ``simulation.faults``.
        drops: Reset its open connections as well.
    """

    row: int
    service: str
    settings: Mapping[str, Any]
    drops: bool


FAULTS: Final[tuple[Fault, ...]] = (
    Fault("errors", "503", "refused", {"status": 503}, drops=True),
    Fault(
        "busy", "429, Retry-After 5", "refused", {"status": 429, "retry_after_s": 5.0}, drops=True
    ),
    Fault(
        "hang",
        "accepts and hangs",
        "hang",
        {"hang_after_accept": True, "stall_after_messages": 0},
        act=2,
    ),
    Fault("slow", "six times slower", "slow", slower=SLOWER, lasts=3.0, act=2),
    Fault("tenth", "one in ten hangs", "slow", {"silent_ratio": 0.1}, lasts=6.0, act=3),
    Fault("half", "half of requests hang", "slow", {"silent_ratio": 0.5}, lasts=3.0, act=3),
    Fault("kill", "killed in mid-word", "killed", act=3),
    Fault("two", "503 of the first two", "next", {"status": 503}, drops=True, rows=2, act=4),
    Fault("down", "all down", "down", {"refuse_connection": True}, drops=True, rows=0, act=4),
    Fault(
        "silent",
        "all hang",
        "down",
        {"hang_after_accept": True, "stall_after_messages": 0},
        rows=0,
        act=4,
    ),
)
BY_NAME: Final[Mapping[str, Fault]] = {fault.name: fault for fault in FAULTS}


def strikes(fault: Fault, role: str) -> list[Strike]:
    """What is done for ``fault`` of ``role``, which may be ``EVERYTHING``."""
    roles = ROLES if role == EVERYTHING else [known for known in ROLES if known == role]
    return [strike for each in roles for strike in _strikes(fault, each)]


def _strikes(fault: Fault, role: Role) -> list[Strike]:
    settings = dict(fault.settings)
    if fault.slower > 1.0:
        settings["first_byte_delay_s"] = (fault.slower - 1.0) * USUAL_S[role]
    rows = SERVICES[role][: fault.rows] if fault.rows else SERVICES[role]
    return [Strike(row, name, settings, fault.drops) for row, name in enumerate(rows)]


def roles_of(fault: Fault, wanted: tuple[str, ...]) -> list[str]:
    """The roles of ``wanted`` that ``fault`` can strike, in order.

    Where all are wanted, those that no promise is about are left out: everybody down at once says
    more than each kind of work alone, and replies are cut where they are spoken.
    """
    roles: list[str] = [role for role in ROLES if role in wanted]
    if len(roles) == len(ROLES) and fault.kind in ("down", "killed"):
        return [EVERYTHING] if fault.kind == "down" else ["recognise", "speak"]
    if fault.kind == "next":  # of two recognisers there is no third
        return [role for role in roles if len(SERVICES[_role(role)]) > fault.rows]
    return roles


def _role(name: str) -> Role:
    return next(role for role in ROLES if role == name)
