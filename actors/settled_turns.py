"""What becomes of each settled turn of a call: language, log, metrics, and word to the mind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from actors.call_language import CallLanguage
from actors.comeback import Comeback, with_late_result
from actors.metrics_calls import CallMeter
from actors.mind_client import MindClient
from actors.turn_entries import zero_of
from actors.wire import TurnEntry
from providers.traces import trace_of
from voice.events import TurnSettled

logger = logging.getLogger(__name__)


class SettledTurns:
    """Of one call on one stream.

    Args:
        mind: The call's mind.
        language: Of the call; a settled turn may change it.
        meter: Takes what the turns have measured.
        comeback: What the carrier did with the call before; None for a new one, or a lost stream.

    Attributes:
        comeback: The same, until the turn that follows it is settled; None from then on.
    """

    def __init__(
        self,
        mind: MindClient,
        language: CallLanguage,
        meter: CallMeter,
        comeback: Comeback | None,
    ) -> None:
        self.comeback = comeback
        self._mind = mind
        self._language = language
        self._meter = meter
        self._loop = asyncio.get_running_loop()
        self._telling: set[asyncio.Task[None]] = set()

    def settle(self, settled: TurnSettled, entry: TurnEntry, recognised: str = "") -> None:
        """A turn is over.

        Args:
            settled: As the machine says it.
            entry: What is to be logged of it.
            recognised: The language that the recogniser says was spoken; empty when it does not.
        """
        entry = with_late_result(entry, self.comeback, self._mind.turn_log)
        self.comeback = None
        entry = self._mind.settle(self._language.settled(entry, recognised))
        zero = zero_of(settled, entry)
        after_s = None if zero is None else self._loop.time() - zero
        self._meter.settled(entry, settled.guess, after_s=after_s)

    def settle_last(self, close_machine: Callable[[], None]) -> None:
        """Settle what is under way as the machine is closed. Never raises."""
        try:
            close_machine()
        except Exception as error:  # noqa: BLE001 - the mind is told all the same
            logger.error("call %s: last turn not settled: %s", self._mind.call_id, trace_of(error))

    def tell(self, *, even_if_empty: bool = False) -> None:
        """Have the mind told what it was not told yet; nobody waits for it.

        Args:
            even_if_empty: A sign of life (``MindClient.flush``).
        """
        task = self._loop.create_task(self._mind.flush(even_if_empty=even_if_empty))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def cancel(self) -> None:
        """Tell nothing more: the end of the call tells the rest."""
        for task in self._telling:
            task.cancel()
