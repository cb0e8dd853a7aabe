"""What a check found: one line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. No text holds a key.

    Attributes:
        status: ``fail``: calls would not work; ``warn``: they would, but worse or not everywhere.
        subject: What was looked at, in a few words.
        found: What is there.
        consequence: What would happen; empty when all is well.
        advice: What to do, naming the setting or the command.
    """

    status: Status
    subject: str
    found: str
    consequence: str = ""
    advice: str = ""


def ok(subject: str, found: str) -> Finding:
    """All is well."""
    return Finding("ok", subject, found)


def warn(subject: str, found: str, consequence: str = "", advice: str = "") -> Finding:
    """It would work, but worse, or not everywhere."""
    return Finding("warn", subject, found, consequence, advice)


def fail(subject: str, found: str, consequence: str = "", advice: str = "") -> Finding:
    """Calls would not work."""
    return Finding("fail", subject, found, consequence, advice)


def skipped(subject: str, why: str) -> Finding:
    """Not looked at."""
    return Finding("skipped", subject, why)
