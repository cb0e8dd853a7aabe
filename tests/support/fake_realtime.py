"""A Realtime service for calls on virtual time: it hears what a test says and speaks in characters.

A character is one frame of 20 ms whose bytes are its code, as in ``fake_ear_and_mouth``, so what
the carrier played is what was said. Audio comes at once, as it does from the service.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from actors.realtime_driver import RealtimeDriver
from dialogue.agent import Agent
from providers.errors import ProviderError, ProviderUnavailable
from providers.realtime.config import RealtimeConfig
from providers.realtime.events import (
    AudioArrived,
    AudioCommitted,
    AudioEnded,
    CallWanted,
    ResponseBegan,
    ResponseEnded,
    ServerEvent,
    SpeechStarted,
    SpeechStopped,
    TextArrived,
    WordsKnown,
)
from tests.support.fake_ear_and_mouth import audio_of
from tests.support.scripted_call import AGENT, Phone, Stage

USAGE = {"realtime_audio_in": 20.0, "realtime_audio_out": 30.0}
REALTIME_AGENT = replace(AGENT, mode="realtime", then_modes=("pipeline",))


class FakeSession:
    """One session; see the top of this file.

    Attributes:
        told: Events of the client, as JSON objects, without audio.
        audio_bytes: Of the caller, so far.
        closes_after_s: How long a close takes.
    """

    def __init__(self, service: FakeRealtime, instructions: str) -> None:
        self.instructions = instructions
        self.told: list[dict[str, Any]] = []
        self.audio_bytes = 0
        self.closes_after_s = 0.0
        self.error: ProviderError | None = None
        self.is_closed = False
        self._service = service
        self._loop = asyncio.get_running_loop()
        self._heard: Callable[[ServerEvent], None] | None = None
        self._broke: Callable[[ProviderError], None] | None = None
        self._items = 0

    # --- RealtimeSocket ---------------------------------------------------------------------------

    def listen(
        self, heard: Callable[[ServerEvent], None], broke: Callable[[ProviderError], None]
    ) -> None:
        self._heard, self._broke = heard, broke

    def send(self, message: str) -> None:
        event = json.loads(message)
        if event["type"] == "input_audio_buffer.append":
            self.audio_bytes += len(event["audio"]) * 3 // 4
            return
        self.told.append(event)
        if event["type"] == "response.create" and not self._service.is_silent:
            response = event["response"]
            wish = response.get("instructions", "")
            text = json.loads(wish[wish.index('"') :]) if wish else self._service.next_reply()
            self._loop.call_later(0.1, self._answer, text, response["metadata"]["turn"])

    def send_all(self, messages: Iterable[str]) -> None:
        for message in messages:
            self.send(message)

    def abort(self, error: ProviderError) -> None:
        self.break_off(error)

    async def aclose(self) -> None:
        self.is_closed, self._heard, self._broke = True, None, None
        await asyncio.sleep(self.closes_after_s)

    # --- what a test does -------------------------------------------------------------------------

    def break_off(self, error: ProviderError | None = None) -> None:
        """The connection is gone."""
        broke, self._heard, self._broke = self._broke, None, None
        self.error = error or ProviderUnavailable("hung up", "fake")
        if broke is not None:
            broke(self.error)

    def begins(self) -> None:
        """The caller begins to speak."""
        self._items += 1
        self.tell(SpeechStarted(self._item, self.audio_bytes // 8))

    def ends(self, text: str | None) -> None:
        """The caller has said ``text``; None is never written down."""
        self.tell(SpeechStopped(self._item, self.audio_bytes // 8))
        self.tell(AudioCommitted(self._item))
        if not self._service.is_silent:
            self._loop.call_later(0.1, self._answer, self._service.next_reply(), "")
        if text is not None:
            self._loop.call_later(0.05, self.tell, WordsKnown(self._item, text))

    def tell(self, event: ServerEvent) -> None:
        if self._heard is not None:
            self._heard(event)

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.told]

    def texts(self) -> list[str]:
        """Of the items that the client made."""
        items = [event["item"] for event in self.told if event["type"].endswith("item.create")]
        return [item["content"][0]["text"] for item in items if item["type"] == "message"]

    @property
    def _item(self) -> str:
        return f"item-{self._items}"

    def _answer(self, text: str, label: str) -> None:
        number = self._service.next_number()
        response, item = f"resp-{number}", f"said-{number}"
        self.tell(ResponseBegan(response, label))
        text, _, tool = text.partition("|")
        if text:
            self.tell(TextArrived(response, item, 0, text))
            self.tell(AudioArrived(response, item, 0, audio_of(text)))
            self.tell(AudioEnded(response, item, 0))
        name, _, given = tool.partition(" ")
        calls = (CallWanted(response, f"call-{number}", name, given or "{}"),) if tool else ()
        self.tell(ResponseEnded(response, label, "completed", usage=USAGE, calls=calls))


class FakeRealtime:
    """Opens sessions, or refuses to.

    Attributes:
        replies: What is answered, in turn; ``text|tool`` asks for a tool as well.
        errors: Raised by the next openings, one each; the last one by all that follow, if
            ``is_down``.
        is_silent: It answers nothing.
        openings: How often it was asked for a session.
    """

    name = "fake"

    def __init__(self) -> None:
        self.config = RealtimeConfig(api_key="k", base_url="http://fake/v1")
        self.sessions: list[FakeSession] = []
        self.replies: list[str] = []
        self.errors: list[ProviderError] = []
        self.is_down = False
        self.is_silent = False
        self.openings = 0
        self._number = 0

    async def open(self, agent: Agent, instructions: str) -> Any:
        self.openings += 1
        await asyncio.sleep(0.05)
        if self.is_down:
            raise ProviderUnavailable("refused", "fake")
        if self.errors:
            raise self.errors.pop(0)
        self.sessions.append(FakeSession(self, instructions))
        return self.sessions[-1]

    def next_reply(self) -> str:
        return self.replies.pop(0) if self.replies else "Well."

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def restart_numbers(self) -> None:
        """Responses and calls are named as they were from the beginning."""
        self._number = 0

    @property
    def session(self) -> FakeSession:
        """The newest."""
        return self.sessions[-1]


class RealtimePhone(Phone):
    """A caller whose agent hears and speaks by one model."""

    driver_class = RealtimeDriver

    @property
    def service(self) -> FakeRealtime:
        service = self.stage.parts.realtime
        assert isinstance(service, FakeRealtime)
        return service

    async def say(self, text: str | None, seconds: float = 0.6) -> None:  # type: ignore[override]
        """Speak; the service notices a little later."""
        self.speaking = True
        await asyncio.sleep(0.1)
        self.service.session.begins()
        await asyncio.sleep(seconds)
        self.speaking = False
        await asyncio.sleep(0.2)
        self.service.session.ends(text)


class RealtimeStage(Stage):
    """A replica with the service."""

    def __init__(self, *, agent: Agent = REALTIME_AGENT, **options: Any) -> None:
        super().__init__(agent=agent, **options)
        self.service = FakeRealtime()
        self.parts = replace(self.parts, realtime=self.service)  # type: ignore[arg-type]

    def phone(self, number: int = 1, **options: Any) -> RealtimePhone:
        phone = RealtimePhone(self, number, **options)
        self.phones.append(phone)
        return phone
