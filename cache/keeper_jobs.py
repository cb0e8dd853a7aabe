"""What the owner of the cache computes aside: measuring answers and fitting gates.

A job writes down what it is about when it is made, copies the rest in any thread, and knows nothing
of what happens meanwhile. What has changed since is caught up with when its result is taken over.
"""

from __future__ import annotations

from dataclasses import dataclass

from cache.answer_space import AnswerSpace
from cache.gate import GateWeights
from cache.learning import DueFit
from cache.lookup import ResponseCache
from cache.scope import Scope
from cache.shelf import Inventory, Survey


@dataclass(frozen=True, slots=True, eq=False)
class MeasureJob:
    """The answers of one scope, to be measured."""

    scope: Scope
    inventory: Inventory

    def run(self) -> Measured:
        """Some 100 ms for 10,000 questions."""
        survey = self.inventory.survey()
        return Measured(self.scope, survey, survey.measure() if survey else None)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What came of it.

    Attributes:
        space: None where there is too little to measure.
    """

    scope: Scope
    survey: Survey | None
    space: AnswerSpace | None


@dataclass(frozen=True, slots=True, eq=False)
class JobsDone:
    """What came of them.

    Attributes:
        gates: None, or what it was before, where there is too little to learn from.
    """

    measured: tuple[Measured, ...]
    gates: tuple[tuple[DueFit, GateWeights | None], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Jobs:
    """What is due. Measuring comes first: it may change what gates are fitted on."""

    measuring: tuple[MeasureJob, ...]
    fits: tuple[DueFit, ...]

    def __bool__(self) -> bool:
        return bool(self.measuring or self.fits)

    def run(self) -> JobsDone:
        """Some 100 ms for each scope, some 10 ms for each gate. Changes no cache."""
        return JobsDone(
            tuple(job.run() for job in self.measuring),
            tuple((due, due.fit()) for due in self.fits),
        )


def due_jobs(cache: ResponseCache) -> Jobs:
    """What should be computed now."""
    measuring = []
    for scope, shelf in cache.store.shelves():
        if shelf.is_measuring_due and (inventory := shelf.inventory()) is not None:
            shelf.measured()
            measuring.append(MeasureJob(scope, inventory))
    return Jobs(tuple(measuring), tuple(cache.gates.due()))
