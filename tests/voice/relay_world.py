"""One relayed call on a clock of its own: events in, and what came out, in order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from voice import events as voice
from voice import relay_events as relay
from voice.config import SpokenPhrases, VoiceConfig
from voice.relay_session import RelaySession

CONFIG = VoiceConfig(phrases=SpokenPhrases("Pardon?", "Still there?", "Bye.", "Trouble."))


class RelayWorld:
    """A call that begins at 0 s with ``greeting``, or as ``start`` says."""

    def __init__(
        self,
        greeting: str | None = None,
        start: voice.CallStarted | None = None,
        **config: Any,
    ) -> None:
        self.now = 0.0
        self.session = RelaySession(replace(CONFIG, **config), one_moment="One moment.")
        self.out: list[relay.Output] = []
        self.put(start or voice.CallStarted(greeting))

    def put(self, event: relay.Input, at: float | None = None) -> list[relay.Output]:
        """Feed an event; returns what came of it."""
        if at is not None:
            self.until(at)
        self.session.receive(event, now=self.now)
        return self._drain()

    def until(self, at: float) -> list[relay.Output]:
        """Let time pass."""
        found: list[relay.Output] = []
        while (due := self.session.next_deadline()) is not None and due <= at:
            self.now = max(self.now, due)
            self.session.handle_deadline(now=self.now)
            found += self._drain()
            if self.session.next_deadline() == due:
                raise AssertionError(f"the deadline at {due} never passes")
        self.now = at
        return found

    def _drain(self) -> list[relay.Output]:
        found = []
        while (output := self.session.next_output()) is not None:
            found.append(output)
        self.out += found
        return found

    def say(self, text: str, at: float | None = None) -> list[relay.Output]:
        return self.put(relay.PromptHeard(text), at)

    def mind(self, *segments: str, finish: bool = True, **end: Any) -> list[relay.Output]:
        """The mind answers the turn that it was asked for last."""
        begun = self.begun[-1]
        found: list[relay.Output] = []
        for index, text in enumerate(segments):
            found += self.put(voice.SegmentPlanned(begun.turn_id, begun.guess, index, text))
        if finish:
            found += self.put(voice.ReplyFinished(begun.turn_id, begun.guess, **end))
        return found

    def heard(self) -> list[relay.Output]:
        """The carrier's voice sounds, and falls silent again when all was said."""
        self.put(relay.AgentSounded(True))
        self.until(self.now + 5.0)
        return self.put(relay.AgentSounded(False))

    @property
    def begun(self) -> list[voice.BeginTurn]:
        return [one for one in self.out if isinstance(one, voice.BeginTurn)]

    @property
    def settled(self) -> list[tuple[int, str, str, str]]:
        """Turn, what the caller said, what was heard, how it ended."""
        return [
            (one.turn_id, one.caller_text, one.heard_text, one.outcome)
            for one in self.out
            if isinstance(one, voice.TurnSettled)
        ]

    @property
    def said(self) -> str:
        return "".join(one.token for one in self.out if isinstance(one, relay.SendWords))

    @property
    def ends(self) -> list[relay.EndSession]:
        return [one for one in self.out if isinstance(one, relay.EndSession)]


def kinds(outputs: list[relay.Output]) -> list[str]:
    return [type(output).__name__ for output in outputs]
