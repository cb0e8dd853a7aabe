"""One request over several candidates, on virtual time: who is asked, who wins, what is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from providers.errors import ProviderBusy, ProviderError, ProviderTimeout, ProviderUnavailable
from providers.failover.contest import Contest, Entrant
from providers.health.deadline import Timing
from providers.health.local import LocalHealth
from providers.health.signals import Sign, Signal
from providers.health.unit import Unit
from providers.health.view import HealthView
from tests.support import virtual_time

Step = str | float | BaseException
HANG = 1e6


class Stand:
    """Somebody who plays a script: text is an item, a number a pause, an error is raised."""

    def __init__(self, name: str, *steps: Step) -> None:
        self.name = name
        self.unit = Unit(name, "llm.ttft").key
        self.steps = steps
        self.asked = 0
        self.open = 0
        self.cancelled = 0

    def entrant(self, *, last: bool = False) -> Entrant[str]:
        timing = Timing(None if last else 0.4, 0.5, 0.9 if last else 0.6)
        return Entrant(self.name, self.unit, timing, self.play)

    async def play(self) -> AsyncIterator[str]:
        self.asked += 1
        self.open += 1
        try:
            for step in self.steps:
                if isinstance(step, str):
                    yield step
                elif isinstance(step, BaseException):
                    raise step
                else:
                    await asyncio.sleep(step)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.open -= 1


class Ring:
    """A contest and all that is seen of it."""

    def __init__(self, *stands: Stand, hedges: int = 9) -> None:
        self.signals: list[tuple[str, Sign]] = []
        self.started: list[tuple[str, str]] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.stands = stands
        self.hedges = hedges
        self.began = now()
        view = HealthView(LocalHealth("test", lambda: 0.0), now)
        view.saw = self._saw  # type: ignore[method-assign]
        self.contest: Contest[str] = Contest(
            [stand.entrant(last=stand is stands[-1]) for stand in stands],
            view,
            is_output=str.strip,  # type: ignore[arg-type]
            may_hedge=self._may_hedge,
            on_start=lambda name, why: self.started.append((name, why)),
            tasks=self.tasks,
        )

    def _saw(self, unit: str, signal: Signal) -> None:
        self.signals.append((unit.split("/")[0], signal.sign))

    def _may_hedge(self) -> bool:
        self.hedges -= 1
        return self.hedges >= 0

    async def all_of(self) -> tuple[str, str]:
        """Who won, and all that it said."""
        won = await self.contest.winner()
        said = []
        while (item := await won.next()) is not None:
            said.append(item[1])
        return won.entrant.name, "".join(said)

    @property
    def after_s(self) -> float:
        return round(now() - self.began, 6)


def now() -> float:
    return asyncio.get_running_loop().time()


def play(scene: Callable[[], Awaitable[None]]) -> None:
    virtual_time.run(scene())  # type: ignore[arg-type]


def test_the_first_answers_and_nobody_else_is_asked() -> None:
    async def scene() -> None:
        ann, bob = Stand("ann", 0.3, "Hello ", "you."), Stand("bob", "x")
        ring = Ring(ann, bob)
        assert await ring.all_of() == ("ann", "Hello you.")
        assert (bob.asked, ring.started) == (0, [("ann", "first")])
        assert ring.signals == [("ann", Sign.ANSWERED)]
        await ring.contest.aclose()

    play(scene)


def test_a_hard_failure_goes_on_at_once() -> None:
    async def scene() -> None:
        refused = Stand("ann", 0.05, ProviderUnavailable("503", "ann"))
        ring = Ring(refused, Stand("bob", 0.2, "Hi."), hedges=0)
        assert await ring.all_of() == ("bob", "Hi.")
        assert ring.after_s == 0.25
        assert ring.signals == [("ann", Sign.UNAVAILABLE), ("bob", Sign.ANSWERED)]

    play(scene)


def test_the_third_is_reached_after_two_failures() -> None:
    async def scene() -> None:
        down = [Stand(name, 0.05, ProviderUnavailable()) for name in ("ann", "bob")]
        ring = Ring(*down, Stand("cid", 0.2, "Hi."))
        assert await ring.all_of() == ("cid", "Hi.")
        assert ring.after_s == pytest.approx(0.3)

    play(scene)


def test_a_hang_is_hedged_and_let_go() -> None:
    async def scene() -> None:
        ann, bob = Stand("ann", HANG), Stand("bob", 0.2, "Hi.", HANG)
        ring = Ring(ann, bob)
        won = await ring.contest.winner()
        assert (won.entrant.name, ring.after_s) == ("bob", 0.6)
        assert won.waited_s == pytest.approx(0.6)
        assert not won.was_first
        assert ring.started[-1] == ("bob", "hedge")
        assert ("ann", Sign.SILENT) in ring.signals
        await asyncio.sleep(0)
        assert (ann.open, ann.cancelled) == (0, 1)
        await ring.contest.aclose()
        assert bob.open == 0
        assert not ring.tasks

    play(scene)


def test_a_loser_is_listened_to_for_a_moment_and_measured() -> None:
    async def scene() -> None:
        ann, bob = Stand("ann", 0.46, "late"), Stand("bob", 0.05, "Hi.")
        ring = Ring(ann, bob)
        assert await ring.all_of() == ("bob", "Hi.")
        await ring.contest.aclose()
        assert ann.open == 1, "the request is answered; the loser may still show how late it is"
        await asyncio.sleep(0.1)
        assert (ann.open, len(ring.tasks)) == (0, 0)
        assert ring.signals[-1] == ("ann", Sign.ANSWERED)

    play(scene)


def test_items_before_the_first_output_are_part_of_the_reply() -> None:
    async def scene() -> None:
        assert await Ring(Stand("ann", " ", 0.1, "Hi.")).all_of() == ("ann", " Hi.")

    play(scene)


def test_an_answer_without_anything_in_it_is_none() -> None:
    async def scene() -> None:
        ring = Ring(Stand("ann", " "), Stand("bob", "Hi."))
        assert await ring.all_of() == ("bob", "Hi.")
        assert ring.signals[0] == ("ann", Sign.NO_CONTENT)

    play(scene)


def test_a_client_that_breaks_costs_nobody_but_itself(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        ring = Ring(Stand("ann", ValueError("what the caller said")), Stand("bob", "Hi."))
        assert await ring.all_of() == ("bob", "Hi.")
        assert ring.signals[0] == ("ann", Sign.GARBAGE)

    with caplog.at_level(logging.ERROR):
        play(scene)
    assert "ann broke: ValueError" in caplog.text
    assert "what the caller said" not in caplog.text


@pytest.mark.parametrize(
    ("stands", "kind", "after_s"),
    [
        ([Stand("ann", HANG), Stand("bob", HANG)], ProviderTimeout, 0.4 + 0.9),
        ([Stand("ann", ProviderUnavailable("a")), Stand("b", ProviderBusy("b"))], ProviderBusy, 0),
        ([Stand("ann", 0.2, ProviderUnavailable("a"))], ProviderUnavailable, 0.2),
    ],
)
def test_nobody_answers(stands: Sequence[Stand], kind: type[ProviderError], after_s: float) -> None:
    async def scene() -> None:
        ring = Ring(*stands)
        with pytest.raises(kind):
            await ring.contest.winner()
        assert ring.after_s == pytest.approx(after_s)
        await ring.contest.aclose()
        assert [stand.open for stand in stands] == [0] * len(stands)

    play(scene)


def test_closing_before_the_first_output_blames_nobody() -> None:
    async def scene() -> None:
        ann, bob = Stand("ann", HANG), Stand("bob", HANG)
        ring = Ring(ann, bob)
        await asyncio.sleep(0.45)
        assert bob.asked == 1
        await ring.contest.aclose()
        await ring.contest.aclose()
        assert (ann.open, bob.open) == (0, 0)
        await asyncio.sleep(5.0)
        assert ring.signals == []
        assert not ring.tasks

    play(scene)


@pytest.mark.parametrize("steps", [("Hi.", HANG), (HANG,)])
def test_a_reader_that_is_cancelled_leaves_nothing_behind(steps: tuple[Step, ...]) -> None:
    async def scene() -> None:
        ann = Stand("ann", *steps)
        ring = Ring(ann)
        task = asyncio.ensure_future(ring.all_of())
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task])
        await ring.contest.aclose()
        assert (ann.open, ann.cancelled) == (0, 1)

    play(scene)


def test_the_break_in_the_middle_comes_after_all_that_was_said() -> None:
    async def scene() -> None:
        ring = Ring(Stand("ann", "One ", "two", ProviderUnavailable("reset", "ann")))
        won = await ring.contest.winner()
        items = [await won.next(), await won.next()]
        assert [item and item[1] for item in items] == ["One ", "two"]
        with pytest.raises(ProviderUnavailable):
            await won.next()
        assert ring.signals == [("ann", Sign.ANSWERED)]

    play(scene)


def test_a_stall_is_told_by_time() -> None:
    async def scene() -> None:
        ring = Ring(Stand("ann", "One ", HANG))
        won = await ring.contest.winner()
        await won.next(0.5)
        with pytest.raises(TimeoutError):
            await won.next(0.5)
        assert ring.after_s == 0.5
        await ring.contest.aclose()

    play(scene)


def test_items_that_came_while_nobody_took_them_bear_their_own_time() -> None:
    async def scene() -> None:
        ring = Ring(Stand("ann", "One ", 0.1, "two"))
        won = await ring.contest.winner()
        await asyncio.sleep(3.0)
        first, second = await won.next(), await won.next()
        assert first is not None
        assert second is not None
        assert second[0] - first[0] == pytest.approx(0.1)

    play(scene)
