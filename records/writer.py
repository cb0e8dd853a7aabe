"""Rows on their way to the store, off the path of the call.

Rules:
1. ``put`` never waits and never raises: a call does not notice its record.
2. Rows are written in order, in batches, ``flush_interval_s`` after the first or on ``flush``.
3. While the store is down, rows wait in a bounded buffer; when it is full the oldest is dropped and
   counted. Retries back off and go on for ever. The log says that it broke, again every
   ``reminder_s`` while it lasts, at the first row that is dropped, and once that it is back.
4. A batch that holds a row no database takes is written row by row; only that row is given up. Of a
   text that is too long only the end is given up.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from records.database import Database
from records.errors import RecordsError, RowRejected, SchemaMissing, TextTooLong
from records.limits import shortened
from records.rows import Row
from records.store import RecordStore
from records.store_alarm import StoreAlarm

_log = logging.getLogger(__name__)


class BatchStore(Protocol):
    """What the writer needs of a store."""

    async def prepare(self) -> None:
        """See that the tables are ours. Raises ``RecordsError``."""

    async def write(self, rows: Sequence[Row]) -> None:
        """Write all rows or none. Raises ``RecordsError``."""

    async def aclose(self) -> None:
        """Close every connection."""


@dataclass(frozen=True, slots=True)
class WriterConfig:
    """How rows are gathered and how a broken store is retried."""

    flush_interval_s: float = 0.15
    batch_rows: int = 500
    max_pending_rows: int = 20_000
    first_retry_s: float = 0.2
    last_retry_s: float = 5.0
    close_timeout_s: float = 5.0
    reminder_s: float = 60.0


@dataclass(frozen=True, slots=True)
class WriterStatus:
    """The writer at one moment.

    Attributes:
        pending: Rows not yet in the store.
        written: Rows the store has taken.
        dropped: Rows lost because the buffer was full or the writer closed.
        rejected: Rows no database would take.
        last_error: Why the store is not being written; empty when it is.
        down_since: Loop time since when that is so; 0 when it is being written.
    """

    pending: int
    written: int
    dropped: int
    rejected: int
    last_error: str
    down_since: float = 0.0


class RecordWriter:
    """Writes rows to the store of ``url`` behind the caller's back.

    Args:
        where: The database, or its ``DATABASE_URL``; closed with the writer.
        config: Intervals and bounds.
        store: Another store than that of ``where``, for tests.
        jitter: Returns 0..1; spreads the retries of many processes.

    Raises:
        StoreAddressInvalid: The URL cannot be read, or its driver is not installed.
    """

    def __init__(
        self,
        where: Database | str,
        config: WriterConfig | None = None,
        *,
        store: BatchStore | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._config = config or WriterConfig()
        self._store: BatchStore = store or RecordStore(where)
        self._jitter = jitter
        self._waiting: deque[Row] = deque()
        self._in_flight = 0
        self._accepted = 0
        self._written = 0
        self._dropped = 0
        self._rejected = 0
        self._alarm = StoreAlarm(self._config.reminder_s)
        self._prepared = False
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._filled = asyncio.Event()
        self._hurry = asyncio.Event()
        self._flushes: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def status(self) -> WriterStatus:
        """Counts for the metrics and the health page."""
        return WriterStatus(
            pending=self.pending,
            written=self._written,
            dropped=self._dropped,
            rejected=self._rejected,
            last_error=self._alarm.last_error,
            down_since=self._alarm.down_since,
        )

    @property
    def pending(self) -> int:
        """Rows not yet in the store."""
        return len(self._waiting) + self._in_flight

    @property
    def dropped(self) -> int:
        """Rows lost because the buffer was full or the writer closed."""
        return self._dropped

    @property
    def last_error(self) -> str:
        """Why the store is not being written; empty when it is."""
        return self._alarm.last_error

    def put(self, row: Row) -> None:
        """Take a row; it is written soon. Needs a running event loop; costs microseconds."""
        self._accepted += 1
        if self._closed:
            self._drop(1)
            return
        self._waiting.append(row)
        self._shed()
        self._filled.set()
        self._start()

    async def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until every row put before is in the store (or given up).

        Returns:
            False when that took longer than ``timeout_s``; the rows still wait.
        """
        if not self.pending:
            return True
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flushes.append((self._accepted, settled))
        self._hurry.set()
        self._start()
        try:
            await asyncio.wait_for(settled, timeout_s)
        except TimeoutError:
            return False
        return True

    async def aclose(self) -> None:
        """Write what waits, for at most ``close_timeout_s``, and close the store. Idempotent."""
        if self._closed:
            return
        await self.flush(self._config.close_timeout_s)
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if lost := self.pending:
            self._waiting.clear()
            self._in_flight = 0
            self._drop(lost)
            _log.error("closed with %d rows unwritten: %s", lost, self._alarm.last_error)
        await self._store.aclose()

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="record-writer")
            self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        # Only a mistake of ours ends the task; the next row starts it again.
        if not task.cancelled() and (mistake := task.exception()) is not None:
            self._broke(f"{type(mistake).__name__} in the record writer")
            _log.error("the record writer stopped", exc_info=mistake)

    async def _run(self) -> None:
        wait_s = self._config.flush_interval_s
        while True:
            await self._filled.wait()
            await self._pause(wait_s)
            if await self._write_waiting():
                wait_s = self._config.flush_interval_s
            else:
                retry_s = max(
                    self._config.first_retry_s, min(wait_s * 2, self._config.last_retry_s)
                )
                wait_s = retry_s * (0.8 + 0.4 * self._jitter())

    async def _pause(self, wait_s: float) -> None:
        try:
            await asyncio.wait_for(self._hurry.wait(), wait_s)
        except TimeoutError:
            return
        self._hurry.clear()

    async def _write_waiting(self) -> bool:
        """Write batch after batch until nothing waits; False when the store did not take one."""
        while self._waiting:
            count = min(len(self._waiting), self._config.batch_rows)
            batch = [self._waiting.popleft() for _ in range(count)]
            self._in_flight = count
            try:
                await self._write(batch)
            except RecordsError as error:
                # Tables that were right stay right while the database is away, even if somebody
                # migrates it meanwhile. When they are gone (a file removed, a database made anew)
                # they are looked at again.
                self._prepared = self._prepared and not isinstance(error, SchemaMissing)
                self._broke(error.message)
                return False
            finally:
                # Whatever ended this attempt, unwritten rows go back to the front of the line.
                self._waiting.extendleft(reversed(batch[count - self._in_flight :]))
                self._in_flight = 0
                self._shed()
            self._alarm.healed(now=asyncio.get_running_loop().time())
        self._filled.clear()
        return True

    async def _write(self, batch: list[Row]) -> None:
        if not self._prepared:
            await self._store.prepare()
            self._prepared = True
        try:
            await self._store.write(batch)
        except RowRejected:
            await self._write_singly(batch)
        else:
            self._settle(written=len(batch))

    async def _write_singly(self, batch: list[Row]) -> None:
        for row in batch:
            try:
                await self._store.write([row])
            except TextTooLong as error:
                await self._write_shortened(row, error)
            except RowRejected as error:
                self._give_up(row, error)
            else:
                self._settle(written=1)

    async def _write_shortened(self, row: Row, error: TextTooLong) -> None:
        try:
            await self._store.write([shortened(row)])
        except RowRejected:  # an id that is too long stays as it is
            self._give_up(row, error)
        else:
            _log.error("cut a %s: %s", type(row).__name__, error.message)
            self._settle(written=1)

    def _give_up(self, row: Row, error: RowRejected) -> None:
        self._rejected += 1
        _log.error("gave up a %s: %s", type(row).__name__, error.message)
        self._settle()

    def _settle(self, *, written: int = 0) -> None:
        self._written += written
        self._in_flight -= written or 1
        self._wake_flushes()

    def _shed(self) -> None:
        """Keep the bound: the oldest rows go, since the newest are what a resume asks for."""
        excess = min(self.pending - self._config.max_pending_rows, len(self._waiting))
        for _ in range(excess):
            self._waiting.popleft()
        if excess > 0:
            self._alarm.dropped(excess, bound=self._config.max_pending_rows)
            self._drop(excess)

    def _drop(self, count: int) -> None:
        self._dropped += count
        self._wake_flushes()

    def _wake_flushes(self) -> None:
        done = self._written + self._dropped + self._rejected
        for target, settled in self._flushes:
            if target <= done and not settled.done():
                settled.set_result(None)
        self._flushes = [entry for entry in self._flushes if not entry[1].done()]

    def _broke(self, error: str) -> None:
        self._alarm.broke(error, now=asyncio.get_running_loop().time(), pending=self.pending)
