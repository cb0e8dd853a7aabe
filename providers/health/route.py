"""Whom to ask, in which order.

Rules
1. The configured order stands. Units that are open are not asked at all; demoted ones come last;
   of two equals in weight the suspect one comes after the other.
2. A call stays with the voice it has switched to until its end; a new call begins with the first
   voice again. A unit that has just come back gets only a share of the new calls, always the same
   calls at the same share: ``lot`` is drawn once a call.
3. A unit near its quota takes no new calls while another one can.
4. When all are open the least bad is asked alone, as a last resort; never nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from providers.health.local import Verdict

NEARLY_FULL = 0.85


@dataclass(frozen=True, slots=True)
class Choice:
    """The order for one request.

    Attributes:
        units: Keys, best first; never empty.
        last_resort: All are open, and this is the least bad.
    """

    units: tuple[str, ...]
    last_resort: bool = False


@dataclass(slots=True)
class CallRoute:
    """What a call has got used to.

    Attributes:
        lot: 0 (inclusive) to 1 (exclusive), drawn once.
        units: Keys in the configured order; equal weights stand in one inner tuple.
        sticky: Whether the caller would notice a change (voices, not language models).
        kept: The unit this call stays with; empty until it has switched.
    """

    lot: float
    units: tuple[tuple[str, ...], ...]
    sticky: bool = True
    kept: str = ""
    _turned_away: set[str] = field(default_factory=set)

    def choose(
        self, verdicts: Mapping[str, Verdict], fullness: Mapping[str, float] | None = None
    ) -> Choice:
        """The order for the call's next request.

        Args:
            verdicts: Of every unit in ``units``.
            fullness: Share of each unit's quota in use, 0 to 1; absent is empty.
        """
        flat = [unit for equals in self.units for unit in equals]
        usable = [unit for unit in flat if verdicts[unit].usable]
        if not usable:
            return Choice((least_bad(flat, verdicts),), last_resort=True)
        full = fullness or {}
        # Decided with the call's first request: a share that grows does not change a voice.
        if not self.kept:
            self._turned_away = {
                unit for unit in usable if self.lot >= verdicts[unit].new_call_share
            }
        rank = {unit: at for at, equals in enumerate(self.units) for unit in equals}
        ordered = sorted(
            usable,
            key=lambda unit: (
                unit != self.kept,
                unit in self._turned_away,
                verdicts[unit].demoted,
                full.get(unit, 0.0) >= NEARLY_FULL,
                rank[unit],
                verdicts[unit].state == "suspect",
            ),
        )
        return Choice(tuple(ordered))

    def heard(self, unit: str) -> None:
        """The caller has heard this unit: if the call is sticky, it stays with it."""
        if self.sticky:
            self.kept = unit


def least_bad(units: Sequence[str], verdicts: Mapping[str, Verdict]) -> str:
    """Of units that are all open: one that is being probed, else the first in order."""
    return min(
        units, key=lambda unit: (verdicts[unit].state != "half_open", verdicts[unit].demoted)
    )
