"""Who answers which number, and how: the scripted far ends of calls out.

Over HTTP, on every emulator's port (``simulation.control``)::

    POST /_control/callees  {"number": "+14155550123", "outcome": "busy", "after_s": 1.0}

A number that is not in the book is answered as ``"*"`` says.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from simulation.errors import CalleeInvalid

Outcome = Literal["answers", "busy", "no-answer", "failed"]
Kind = Literal["human", "machine", "fax", "silent"]
MachineEnd = Literal["beep", "silence", "other"]
ANYBODY = "*"

_CHOICES: dict[str, tuple[str, ...]] = {
    "outcome": get_args(Outcome),
    "kind": get_args(Kind),
    "machine_end": get_args(MachineEnd),
}
_KEYS = frozenset("0123456789*#ABCD")


@dataclass(frozen=True, slots=True)
class Callee:
    """What one phone does when it is rung.

    Attributes:
        outcome: ``answers``, ``busy``, ``no-answer`` (rings for ever) or ``failed`` (no such
            number).
        after_s: From the first ring to that.
        kind: Who answers: a ``human``, an answering ``machine``, a ``fax``, or somebody ``silent``.
        says: Clips by name. A human says one after each thing it hears; a machine says them all as
            its greeting.
        speaks_first: A human says the first clip at once, as people do who answer a phone.
        presses: Keys that a human presses after its last clip.
        talk_s: Hangs up so long after answering; waits for the other side when None.
        detection_s: How long machine detection takes, counted from the answer.
        machine_end: How a machine's greeting ends.
    """

    outcome: Outcome = "answers"
    after_s: float = 1.0
    kind: Kind = "human"
    says: tuple[str, ...] = ()
    speaks_first: bool = False
    presses: str = ""
    talk_s: float | None = None
    detection_s: float = 2.5
    machine_end: MachineEnd = "beep"

    @classmethod
    def parse(cls, wire: dict[str, Any]) -> Callee:
        """From JSON fields. Raises ``CalleeInvalid`` for an unknown name or a wrong value."""
        known = {field.name for field in fields(cls)}
        unknown = wire.keys() - known
        if unknown:
            raise CalleeInvalid(f"no field {min(unknown)!r}; there are: {', '.join(sorted(known))}")
        for name, value in wire.items():
            problem = _problem(name, value)
            if problem:
                raise CalleeInvalid(f"{name} {problem}; got {value!r}")
        callee = cls(**wire)
        return replace(callee, says=tuple(callee.says))


def _problem(name: str, value: object) -> str:
    if name in _CHOICES:
        return "" if value in _CHOICES[name] else f"is one of {', '.join(_CHOICES[name])}"
    match name:
        case "says":
            is_good = isinstance(value, list) and all(isinstance(each, str) for each in value)
            return "" if is_good else "is a list of clips' names"
        case "speaks_first":
            return "" if isinstance(value, bool) else "is true or false"
        case "presses":
            is_good = isinstance(value, str) and set(value) <= _KEYS
            return "" if is_good else "is made of 0-9, *, # and A-D"
        case "talk_s" if value is None:
            return ""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_good = is_number and math.isfinite(float(str(value))) and float(str(value)) >= 0
    return "" if is_good else "is a number of seconds, 0 or more"


class CalleeBook:
    """Callees by number.

    Args:
        unlisted: Answers every number that is not in the book.
    """

    def __init__(self, unlisted: Callee | None = None) -> None:
        self._default = unlisted or Callee()
        self._unlisted = self._default
        self._callees: dict[str, Callee] = {}

    def find(self, number: str) -> Callee:
        """Who has ``number`` (E.164)."""
        return self._callees.get(number, self._unlisted)

    def put(self, number: str, callee: Callee) -> None:
        """Enter or replace a number; ``"*"`` is every number that is not in the book."""
        if number == ANYBODY:
            self._unlisted = callee
        else:
            self._callees[number] = callee

    def clear(self) -> None:
        """An empty book, as it was at the start."""
        self._callees.clear()
        self._unlisted = self._default

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """The book, as it goes over the wire."""
        listed = {number: asdict(callee) for number, callee in self._callees.items()}
        return {**listed, ANYBODY: asdict(self._unlisted)}


def detect(callee: Callee, mode: str, timeout_s: float, greeting_s: float) -> tuple[str, float]:
    """What machine detection says of a callee, and how long after the answer.

    Args:
        callee: Who answered.
        mode: ``Enable`` or ``DetectMessageEnd``.
        timeout_s: Detection gives up after this long: ``unknown``.
        greeting_s: How long a machine's greeting lasts.

    Returns:
        ``AnsweredBy`` and seconds.
    """
    after_s = callee.detection_s
    match callee.kind:
        case "human":
            result = "human"
        case "fax":
            result = "fax"
        case "silent":
            result = "unknown"
        case "machine" if mode == "DetectMessageEnd":
            result = f"machine_end_{callee.machine_end}"
            after_s = max(after_s, greeting_s)
        case _:
            result = "machine_start"
    return (result, after_s) if after_s < timeout_s else ("unknown", timeout_s)
