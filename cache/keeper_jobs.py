"""What the owner of the cache computes aside: measuring answers and fitting gates.

A job takes copies when it is made, runs in any thread and knows nothing of what happens meanwhile.
What has changed since is caught up with when its result is taken over.
"""

from __future__ import annotations

from dataclasses import dataclass

from cache.answer_space import AnswerSpace
from cache.gate import GateWeights
from cache.learning import DueFit
from cache.lookup import ResponseCache
from cache.scope import Scope
from cache.shelf import Survey


@dataclass(frozen=True, slots=True, eq=False)
class MeasureJob:
    """The answers of one scope, to be measured."""

    scope: Scope
    survey: Survey


@dataclass(frozen=True, slots=True, eq=False)
class JobsDone:
    """What came of them.

    Attributes:
        spaces: None where there is too little to measure.
        gates: None, or what it was before, where there is too little to learn from.
    """

    spaces: tuple[tuple[MeasureJob, AnswerSpace | None], ...]
    gates: tuple[tuple[DueFit, GateWeights | None], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Jobs:
    """What is due. Measuring comes first: it may change what gates are fitted on."""

    measuring: tuple[MeasureJob, ...]
    fits: tuple[DueFit, ...]

    def __bool__(self) -> bool:
        return bool(self.measuring or self.fits)

    def run(self) -> JobsDone:
        """Some 100 ms for each scope, some 10 ms for each gate. Touches no cache."""
        return JobsDone(
            tuple((job, job.survey.measure()) for job in self.measuring),
            tuple((due, due.fit()) for due in self.fits),
        )


def due_jobs(cache: ResponseCache) -> Jobs:
    """What should be computed now."""
    measuring = []
    for scope, shelf in cache.store.shelves():
        if shelf.is_measuring_due and (survey := shelf.survey()) is not None:
            shelf.measured()
            measuring.append(MeasureJob(scope, survey))
    return Jobs(tuple(measuring), tuple(cache.gates.due()))
