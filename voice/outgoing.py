"""What the turns of a call want done, on its way out; the ear hears of what was settled.

It does not know the session whose turns put things here, so an ended call is no circle of objects.
"""

from __future__ import annotations

from collections import deque

from voice import timeline
from voice.config import VoiceConfig
from voice.endpointing import Endpointer
from voice.events import Output, TurnSettled


class Outgoing:
    """Of one call.

    Args:
        outbox: Where outputs wait to be performed.
        ear: Learns how long replies take, and what the caller was asked.
        config: How this agent takes turns.

    Attributes:
        config: The same; another one once the call goes on in another language.
    """

    __slots__ = ("_ear", "_outbox", "config")

    def __init__(self, outbox: deque[Output], ear: Endpointer, config: VoiceConfig) -> None:
        self._outbox = outbox
        self._ear = ear
        self.config = config

    def put(self, output: Output) -> None:
        """One output, in order."""
        self._outbox.append(output)
        if not isinstance(output, TurnSettled):
            return
        took_s = timeline.reply_s(output.timeline)
        if took_s is not None and output.spend.calls:
            self._ear.hear_reply(took_s)
        if output.heard_text == "":
            return
        if output.agent_text != self.config.phrases.apology:  # what was asked before still stands
            self._ear.hear_agent(output.heard_text)
