"""Which test files a run need not import (collecting costs most), and what a run has skipped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from typing import Any

_WHOLE_FILE = re.compile(r"^pytestmark = pytest\.mark\.(\w+)$", re.MULTILINE)
OPT_IN = frozenset({"cluster"})  # minutes: only for a run that names it
_EXCLUDED = re.compile(r"not\s+(\w+)")


def excluded_marks(expression: str) -> Set[str]:
    """The marks that ``-m expression`` rules out whatever else a test carries.

    Only a plain ``a and not b and not c`` is understood; anything cleverer rules out nothing, and
    the tests are deselected after their import as usual. What is opt-in is ruled out by not being
    named.
    """
    unnamed = OPT_IN - set(re.findall(r"\w+", expression))
    terms = [term.strip() for term in expression.split(" and ")]
    if any(re.fullmatch(r"(not\s+)?\w+", term) is None for term in terms):
        return unnamed
    return unnamed | {found[1] for term in terms if (found := _EXCLUDED.fullmatch(term))}


def mark_of_whole_file(text: str) -> str | None:
    """The one mark that a test file gives to all its tests, None without one."""
    found = _WHOLE_FILE.search(text)
    return found[1] if found else None


def skip_reasons(reports: Iterable[Any]) -> list[str]:
    """Why tests were skipped, each reason once, in the order of the run."""
    told = (report.longrepr[2] for report in reports if isinstance(report.longrepr, tuple))
    return list(dict.fromkeys(str(why).removeprefix("Skipped: ") for why in told))
