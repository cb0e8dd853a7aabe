"""One call's questions to the end-of-turn model, answered whenever it can.

The voice machine asks about a pause, perhaps again as it grows, and needs no answer: what comes
late, or not at all, is no evidence. So nothing here waits, and a question about a new pause takes
the place of those about the one before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from actors.call_parts import CallParts
from actors.recogniser_feed import RecogniserFeed
from providers.errors import ProviderBusy, ProviderError
from voice.events import Input, TurnJudged
from voice.ports import TurnModel


class PauseJudge:
    """Asks the model of the process about the pauses of one call.

    Args:
        parts: Of the process; without a model nothing is asked.
        ear: Knows what the caller said in this turn.
        feed: Takes the answers.
    """

    def __init__(
        self, parts: CallParts, ear: RecogniserFeed, feed: Callable[[Input], None]
    ) -> None:
        self._model = parts.turn_model
        self._count = parts.count
        self._ear = ear
        self._feed = feed
        self._pause_id = 0
        self._asked: set[asyncio.Task[None]] = set()

    def change_language(self, parts: CallParts) -> None:
        """The caller speaks another language from now on, which another model may know, or none."""
        self.cancel()
        self._model = parts.turn_model

    def ask(self, pause_id: int) -> None:
        """Ask about the pause that is now; the answer comes as ``TurnJudged``, or not at all."""
        if self._model is None:
            return
        if pause_id != self._pause_id:
            self.cancel()
        self._pause_id = pause_id
        answer = self._answer(pause_id, self._model, self._ear.turn_audio())
        task = asyncio.get_running_loop().create_task(answer)
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    def cancel(self) -> None:
        """Nobody wants the answers any more."""
        for task in self._asked:
            task.cancel()

    async def _answer(self, pause_id: int, model: TurnModel, ulaw: bytes) -> None:
        try:
            ratio = await model.judge(ulaw)
        except ProviderBusy:
            self._count("pauses_not_judged", 1)
        except ProviderError:
            self._count("turn_model_failed", 1)
        else:
            self._count("pauses_judged", 1)
            self._feed(TurnJudged(pause_id, ratio))
