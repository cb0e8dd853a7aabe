"""How a call ends on one stream: whatever ends it first counts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from actors.call_parts import CallEnd
from actors.mind_client import MindClient


class CallEnding:
    """Of one call on one stream.

    Args:
        mind: The call's mind; the stream ends when that hears that somebody newer has the call.

    Attributes:
        ended: Done once the call has ended here.
    """

    __slots__ = ("ended",)

    def __init__(self, mind: MindClient) -> None:
        self.ended: asyncio.Future[CallEnd] = asyncio.get_running_loop().create_future()
        mind.on_disowned = self.disowned

    def end(
        self,
        planned: bool,
        reason: str,
        close_code: int = 1000,
        hand_over: Mapping[str, Any] | None = None,
    ) -> None:
        """The call ends here (``CallEnd``). Said again, it does nothing."""
        if not self.ended.done():
            self.ended.set_result(CallEnd(planned, reason, close_code, hand_over or {}))

    def disowned(self) -> None:
        """Somebody newer has the call: this stream must not speak any more."""
        self.end(False, "owned_elsewhere")
