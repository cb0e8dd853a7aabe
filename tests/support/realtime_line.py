"""A Realtime machine on a time of its own: events are told to it, its outputs are sorted.

Audio is seconds of one byte that names the response, so that what is sent can be told apart.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from dialogue.agent import Agent
from dialogue.tools import Tool
from providers.realtime.call import RealtimeCall
from providers.realtime.config import RealtimeConfig
from providers.realtime.events import (
    AudioArrived,
    AudioCommitted,
    AudioEnded,
    CallWanted,
    ResponseBegan,
    ResponseEnded,
    SpeechStarted,
    SpeechStopped,
    TextArrived,
    WordsKnown,
)
from providers.realtime.outputs import (
    DropSession,
    Input,
    Output,
    SessionUp,
    Tell,
    ToolAnswered,
    UseTool,
)
from voice.config import PlayoutConfig, VoiceConfig
from voice.events import (
    CallStarted,
    ClearPlayout,
    EndCall,
    MarkPlayed,
    SendAudio,
    SendMark,
    TurnSettled,
)

DIAL = Tool("transfer", "sales", "Put through.", to="+14155550123", announce="One moment.")
AGENT = Agent("t", "a", "v1", "en-US", "You are Ann.", "Hello.", "Rachel", tools=(DIAL,))
VOICE = VoiceConfig(playout=PlayoutConfig(fade_s=0.0, join_s=0.0))
ACTION = {"verb": "dial", "tool": "sales", "arguments": "{}", "to": "+14155550123", "timeout_s": 20}
USAGE = {"realtime_audio_out": 10.0}


class Line:
    """One call on the machine.

    Attributes:
        now: Loop time.
        told: Events for the service, as JSON objects.
        settled: Turns that are over.
        sent: Turn id of each message of audio, and its bytes.
    """

    def __init__(self, *, greeting: str | None = None, voice: VoiceConfig = VOICE) -> None:
        config = RealtimeConfig(api_key="k", reply_timeout_s=5.0, stall_timeout_s=4.0)
        self.machine = RealtimeCall(AGENT, replace(config, words_timeout_s=3.0), voice)
        self.now = 100.0
        self.told: list[dict[str, Any]] = []
        self.settled: list[TurnSettled] = []
        self.sent: list[tuple[int, bytes]] = []
        self.clears = 0
        self.tools: list[UseTool] = []
        self.dropped: list[DropSession] = []
        self.ended: EndCall | None = None
        self.tell(SessionUp())
        self.tell(CallStarted(greeting))

    # --- time and events --------------------------------------------------------------------------

    def tell(self, *events: Input) -> None:
        for event in events:
            self.machine.receive(event, now=self.now)
            self.drain()

    def wait(self, seconds: float) -> None:
        """Let time pass; every deadline is kept."""
        until = self.now + seconds
        while (at := self.machine.next_deadline()) is not None and at <= until:
            self.now = max(self.now, at)
            self.machine.handle_deadline(now=self.now)
            self.drain()
        self.now = until

    def drain(self) -> None:
        while (output := self.machine.next_output()) is not None:
            self._take(output)

    def _take(self, output: Output) -> None:
        match output:
            case Tell(message=message):
                self.told.append(json.loads(message))
            case SendAudio():
                self.sent.append((output.turn_id, output.ulaw))
            case ClearPlayout():
                self.clears += 1
            case TurnSettled():
                self.settled.append(output)
            case UseTool():
                self.tools.append(output)
            case DropSession():
                self.dropped.append(output)
            case EndCall():
                assert self.ended is None
                self.ended = output
            case SendMark(name=name):
                self.marks = name

    # --- what callers and the service do ----------------------------------------------------------

    def speak(self, item: str, text: str | None = "", *, at_ms: int = 0) -> None:
        """The caller says something; ``text`` None is not written down yet."""
        self.tell(SpeechStarted(item, at_ms), SpeechStopped(item, at_ms + 500))
        self.tell(AudioCommitted(item))
        if text is not None:
            self.tell(WordsKnown(item, text))

    def reply(
        self, response: str, text: str, seconds: float = 1.0, *, label: str = "", ends: bool = True
    ) -> None:
        """The service answers."""
        item = f"item-{response}"
        self.tell(ResponseBegan(response, label))
        self.tell(TextArrived(response, item, 0, text))
        self.tell(AudioArrived(response, item, 0, sound(response, seconds)))
        if ends:
            self.tell(AudioEnded(response, item, 0))
            self.tell(ResponseEnded(response, label, "completed", usage=USAGE))

    def want(self, response: str, name: str = "sales", *, label: str = "") -> None:
        """The service asks for a tool, three times over, and ends the response."""
        call = CallWanted(response, f"call-{response}", name, "{}")
        self.tell(call, call, ResponseEnded(response, label, "completed", calls=(call,)))

    def answer(self, action: dict[str, Any] | None = None, output: str = "") -> None:
        """The mind answers the newest question about a tool."""
        asked = self.tools[-1]
        self.tell(ToolAnswered(asked.turn_id, asked.call_id, action or {}, output))

    def echo_marks(self) -> None:
        self.tell(MarkPlayed(self.marks))

    # --- what was done ----------------------------------------------------------------------------

    def kinds(self) -> list[str]:
        """Types of what the service was told."""
        return [event["type"] for event in self.told]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.told if event["type"] == kind]

    @property
    def labels(self) -> list[str]:
        """Of every response that was asked for."""
        return [event["response"]["metadata"]["turn"] for event in self.of("response.create")]

    def heard_of(self, response: str) -> float:
        """Seconds of a response's sound that were sent."""
        return sum(audio.count(code(response)) for _, audio in self.sent) / 8_000


def code(response: str) -> bytes:
    return bytes([0x10 + sum(response.encode()) % 0x40])


def sound(response: str, seconds: float) -> bytes:
    return code(response) * round(seconds * 8_000)
