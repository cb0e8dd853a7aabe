"""One request over several candidates, driven: somebody is asked, others may be, one is used.

``providers.health.attempts`` decides; this file runs a task for each attempt, keeps its one timer,
and tells the process' view of health what was seen. It knows nothing of what is asked: a candidate
is anything that opens a stream of items (events of a reply, chunks of speech, an open recogniser),
and ``is_output`` says which item is the first useful one.

Rules
1. A stream is opened, read and closed in one task of its own: what a vendor's client binds to a
   task stays in it. Reading goes on while nobody takes the items.
2. A loser may be listened to for a moment longer, in the background (``attempts``, rule 5). Nobody
   waits for it; ``tasks`` of the owner holds it until it is over.
3. Whoever closes the contest before its first output blames nobody; closing it afterwards closes
   the winner's stream and returns when the provider was told.
4. Only ``ProviderError`` comes out. What else a client raises is logged by its place (its message
   may quote the caller) and becomes a ``ProviderProtocolError``.

Usage::

    contest = Contest(entrants, view, is_output=..., may_hedge=budget.spend, tasks=self._tasks)
    try:
        won = await contest.winner()           # raises ProviderError when nobody answers
        while (item := await won.next()) is not None: ...
    finally:
        await contest.aclose()
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, assert_never

from providers.errors import ProviderError, ProviderProtocolError, ProviderTimeout
from providers.health.attempts import (
    AttemptFailed,
    Attempts,
    CancelAttempt,
    Candidate,
    Event,
    GiveUp,
    Output,
    OutputCame,
    RequestAbandoned,
    StartAttempt,
    TellHealth,
    UseAttempt,
)
from providers.health.deadline import Timing
from providers.health.signals import Sign, Signal, signal_of_error
from providers.health.view import HealthView
from providers.traces import place_of

logger = logging.getLogger(__name__)

T = TypeVar("T")

CLOSE_WITHIN_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Entrant(Generic[T]):
    """Somebody who can be asked.

    Attributes:
        name: As agents name the provider.
        unit: Key of the unit of health that the first output is about.
        timing: When to hedge, to doubt and to go on; ``providers.health.deadline``.
        open: Begins the work. The iterator raises ``ProviderError``; closing it cancels the work.
    """

    name: str
    unit: str
    timing: Timing
    open: Callable[[], AsyncIterator[T]]


class Won(Generic[T]):
    """What the winner gives, from its very first item on.

    Attributes:
        entrant: The winner.
        waited_s: From the request to the first useful output.
        was_first: Nobody else had to be asked.
    """

    def __init__(self, attempt: _Attempt[T], waited_s: float, *, was_first: bool) -> None:
        self.entrant = attempt.entrant
        self.waited_s = waited_s
        self.was_first = was_first
        self._attempt = attempt

    async def next(self, within_s: float | None = None) -> tuple[float, T] | None:
        """The next item and the loop time at which it came; None after the last.

        Raises:
            ProviderError: The stream broke.
            TimeoutError: Nothing came within ``within_s`` of the item before.
        """
        return await self._attempt.next(within_s)


class Contest(Generic[T]):
    """One request.

    Args:
        entrants: Best first; at least one.
        view: Told of everything seen.
        is_output: Whether an item is a useful output.
        may_hedge: Asked before each hedge.
        one_at_a_time: Nobody is asked while another one works (``providers.health.attempts``).
        on_start: Told of each request: the name and why (``providers.health.attempts``).
        tasks: Of the owner; holds what goes on in the background.
    """

    def __init__(
        self,
        entrants: Sequence[Entrant[T]],
        view: HealthView,
        *,
        is_output: Callable[[T], bool],
        may_hedge: Callable[[], bool],
        on_start: Callable[[str, str], None],
        tasks: set[asyncio.Task[None]],
        one_at_a_time: bool = False,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._entrants = {entrant.unit: entrant for entrant in entrants}
        self._view = view
        self._is_output = is_output
        self._on_start = on_start
        self._tasks = tasks
        self._attempts: dict[int, _Attempt[T]] = {}
        self._won: asyncio.Future[Won[T]] = self._loop.create_future()
        self._error: ProviderError | None = None
        self._timer: asyncio.TimerHandle | None = None
        candidates = [Candidate(entrant.unit, entrant.timing) for entrant in entrants]
        now = self._loop.time()
        self._machine = Attempts(candidates, may_hedge, now=now, one_at_a_time=one_at_a_time)
        self._drain()

    async def winner(self) -> Won[T]:
        """The first to give a useful output.

        Raises:
            ProviderError: Nobody did; the newest failure, or a timeout.
        """
        return await self._won

    async def aclose(self) -> None:
        """Let go of everybody but losers that are listened to; idempotent."""
        self._won.cancel()  # unless it is decided
        if self._won.cancelled():  # also by the end of whoever waited for it
            self._receive(RequestAbandoned())
        elif self._won.exception() is None:
            self._won.result()._attempt.task.cancel()  # noqa: SLF001 - two halves of one thing
        ending = [one.task for one in self._attempts.values() if one.task.cancelling()]
        if ending:
            await asyncio.wait(ending, timeout=CLOSE_WITHIN_S)

    # --- the machine ------------------------------------------------------------------------------

    def _receive(self, event: Event) -> None:
        self._machine.receive(event, now=self._loop.time())
        self._drain()

    def _handle_deadline(self) -> None:
        self._machine.handle_deadline(now=self._loop.time())
        self._drain()

    def _drain(self) -> None:
        while (output := self._machine.next_output()) is not None:
            self._carry_out(output)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._machine.next_deadline()
        if due is not None:
            self._timer = self._loop.call_at(due, self._handle_deadline)

    def _carry_out(self, output: Output) -> None:
        match output:
            case StartAttempt(number, unit, why):
                entrant = self._entrants[unit]
                self._on_start(entrant.name, why)
                self._attempts[number] = _Attempt(entrant, self, number)
            case CancelAttempt(number):
                self._attempts[number].task.cancel()
            case UseAttempt(number, _, waited_s):
                attempt = self._attempts[number]
                if not self._won.done():
                    self._won.set_result(Won(attempt, waited_s, was_first=self._machine.calls == 1))
            case TellHealth(unit, signal):
                self._view.saw(unit, signal)
            case GiveUp():
                if not self._won.done():
                    self._won.set_exception(self._error or _too_late(self._entrants.values()))
            case _:
                assert_never(output)

    # --- for attempts -----------------------------------------------------------------------------

    def hold(self, task: asyncio.Task[None]) -> None:
        """A task of this contest has begun."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def is_output(self, item: T) -> bool:
        """See the class."""
        return self._is_output(item)

    def output_came(self, number: int) -> None:
        """An attempt gave its first useful output."""
        self._receive(OutputCame(number))

    def attempt_failed(self, number: int, error: ProviderError, signal: Signal) -> None:
        """An attempt ended without one."""
        self._error = error
        self._receive(AttemptFailed(number, signal))


class _Attempt(Generic[T]):
    """One candidate being asked: a task that reads, a queue that is read by whoever uses it."""

    def __init__(self, entrant: Entrant[T], contest: Contest[T], number: int) -> None:
        self.entrant = entrant
        self._contest = contest
        self._number = number
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[tuple[float, T] | ProviderError | None] = asyncio.Queue()
        self._is_used = False
        self.task = self._loop.create_task(self._run(), name=f"ask-{entrant.name}")
        contest.hold(self.task)

    async def next(self, within_s: float | None) -> tuple[float, T] | None:
        if self._items.empty() and within_s is not None:
            async with asyncio.timeout(within_s):
                item = await self._items.get()
        else:
            item = await self._items.get()
        if isinstance(item, ProviderError):
            raise item
        return item

    async def _run(self) -> None:
        try:
            await self._read()
        except ProviderError as error:
            self._failed(error, signal_of_error(error))
        except Exception as error:  # noqa: BLE001 - one client's trouble stays its own
            # The message of a foreign exception may quote the caller: only its place is told.
            kind, name = type(error).__name__, self.entrant.name
            logger.error("%s broke: %s", name, place_of(error))
            self._failed(ProviderProtocolError(f"broke: {kind}", name), Signal(Sign.GARBAGE))

    async def _read(self) -> None:
        items = self.entrant.open()
        try:
            async for item in items:
                self._items.put_nowait((self._loop.time(), item))
                if not self._is_used and self._contest.is_output(item):
                    self._is_used = True
                    self._contest.output_came(self._number)
        finally:
            await _close(items)
        if self._is_used:
            self._items.put_nowait(None)
        else:
            error = ProviderProtocolError("an answer without anything in it", self.entrant.name)
            self._failed(error, Signal(Sign.NO_CONTENT))

    def _failed(self, error: ProviderError, signal: Signal) -> None:
        if self._is_used:
            self._items.put_nowait(error)
        else:
            self._contest.attempt_failed(self._number, error, signal)


def _too_late(entrants: Any) -> ProviderTimeout:
    names = ", ".join(dict.fromkeys(entrant.name for entrant in entrants))
    return ProviderTimeout("no useful output in time", names)


async def _close(items: object) -> None:
    close = getattr(items, "aclose", None)
    if close is not None:
        await close()
