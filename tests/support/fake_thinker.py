"""A language model that follows a script, on whatever clock the loop has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from dialogue.ports import (
    ReplyDelta,
    ReplyDone,
    ThinkEvent,
    ThinkRequest,
    ToolCallBegan,
    ToolCallRequested,
)

Step = str | float | BaseException | ReplyDone | ToolCallBegan | ToolCallRequested
DONE = ReplyDone("stop", prompt_tokens=11, completion_tokens=7)
HANG = 1e6


class FakeThinker:
    """Plays steps: a string is a delta, a number a pause in seconds, an error is raised.

    A script that does not end in a ``ReplyDone`` or an error gets a plain one.

    Args:
        script: The steps of every reply, or a function from the request to its steps.

    Attributes:
        requests: Every request so far.
        open_replies: Replies that were begun and neither ended nor closed.
        cancelled: How many were closed before their end.
    """

    def __init__(
        self,
        script: Sequence[Step] | Callable[[ThinkRequest], Sequence[Step]],
        *,
        name: str = "fake",
    ) -> None:
        self._script = script
        self._name = name
        self.requests: list[ThinkRequest] = []
        self.open_replies = 0
        self.cancelled = 0

    @property
    def name(self) -> str:
        return self._name

    async def warm(self) -> None:
        return None

    async def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        steps = self._script(request) if callable(self._script) else self._script
        self.requests.append(request)
        self.open_replies += 1
        ended = False
        try:
            for step in steps:
                if isinstance(step, str):
                    yield ReplyDelta(step)
                elif isinstance(step, BaseException):
                    ended = True
                    raise step
                elif isinstance(step, ToolCallBegan | ToolCallRequested):
                    yield step
                elif isinstance(step, ReplyDone):
                    ended = True
                    yield step
                    return
                else:
                    await asyncio.sleep(step)
            ended = True
            yield DONE
        finally:
            self.open_replies -= 1
            self.cancelled += not ended

    async def aclose(self) -> None:
        return None
