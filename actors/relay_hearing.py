"""From what the carrier says in a relay session to what the machine understands."""

from __future__ import annotations

from typing import assert_never

from telephony.relay_messages import Information, Interrupt, KeyPressed, Prompt
from voice import relay_events as relay
from voice.events import DigitPressed

Heard = Prompt | Interrupt | KeyPressed | Information


def event_of(message: Heard) -> relay.Input | None:
    """The event of a message; None for information that nobody needs."""
    match message:
        case Prompt(text=text, is_last=is_last):
            return relay.PromptHeard(text, is_last)
        case Interrupt(heard_text=heard):
            return relay.SpeechCut(heard)
        case KeyPressed(digit=digit):
            return DigitPressed(digit)
        case Information(name="agentSpeaking", value=value):
            return relay.AgentSounded(value == "on")
        case Information(name="clientSpeaking", value=value):
            return relay.CallerSounded(value == "on")
        case Information(name="tokensPlayed", value=value):
            return relay.WordsPlayed(value)
        case Information():
            return None
        case _:
            assert_never(message)
