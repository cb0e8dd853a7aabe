"""What of the gates and bounds of an owner its replicas have not been told yet."""

from __future__ import annotations

from collections.abc import Iterator

from cache.deltas import BoundIs, Gate
from cache.gate import Bound, GateWeights
from cache.learning import Family, GateBook


class GateNews:
    """Remembers what was told.

    Args:
        gates: As they are in the state that replicas begin with.
    """

    def __init__(self, gates: GateBook) -> None:
        self._bounds: dict[bytes, Bound] = dict(gates.bounds)
        self._gates: dict[Family, GateWeights] = dict(gates.fitted())

    def deltas(self, gates: GateBook) -> Iterator[BoundIs | Gate]:
        """What has changed since this was asked last; a gate that is gone has no weights."""
        for scope_key, bound in gates.bounds.items():
            if self._bounds.get(scope_key) != bound:
                self._bounds[scope_key] = bound
                yield BoundIs(scope_key, bound)
        fitted = dict(gates.fitted())
        for family in self._gates.keys() - fitted.keys():
            del self._gates[family]
            yield Gate(family, None)
        for family, weights in fitted.items():
            if self._gates.get(family) is not weights:
                self._gates[family] = weights
                yield Gate(family, weights)
