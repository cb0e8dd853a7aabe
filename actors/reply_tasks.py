"""The tasks that think and speak for the turns of one call.

A guess (``turn_id``, ``guess``) has one thinking task and one speaking task for each segment; all
of them end together when the guess is abandoned or its turn is settled. What they bring goes into
the machine, which drops what is stale.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never

from actors.errors import ActorsError, MindRefusedError
from actors.mind_client import MindClient
from actors.reply_units import ReplyUnits, tokens_of, units_in_vain, units_of_turn
from actors.speech_source import SpeechSource
from actors.tool_questions import longest_wait_s
from actors.turn_entries import entry_of
from actors.turn_question import TurnQuestion
from actors.wire import TurnEntry
from dialogue.agent import Agent
from providers.errors import ProviderError
from providers.traces import trace_of
from voice import events as voice
from voice.ports import SpeakRequest
from voice.waste import SpeculationBudget

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Reply:
    """The tasks of one guess, and what they measured.

    Attributes:
        kept: Indices of segments whose audio is worth keeping.
        cache: What the response cache said.
    """

    asked_at: float
    may_read: asyncio.Event
    think: asyncio.Task[None] | None = None
    speak: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    units: ReplyUnits = field(default_factory=ReplyUnits)
    action: dict[str, Any] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)
    cache: dict[str, Any] = field(default_factory=dict)

    def thinks(self, task: asyncio.Task[None]) -> None:
        self.think = task
        task.add_done_callback(self._thought)

    def speaks(self, segment: int, task: asyncio.Task[None]) -> None:
        self.speak[segment] = task
        task.add_done_callback(functools.partial(self._spoke, segment))

    # A task that was cancelled holds its frames, and they hold the reply: it lets go of them.

    def _thought(self, task: asyncio.Task[None]) -> None:
        if self.think is task:
            self.think = None

    def _spoke(self, segment: int, task: asyncio.Task[None]) -> None:
        if self.speak.get(segment) is task:
            del self.speak[segment]

    def cancel(self) -> None:
        if self.think is not None:
            self.think.cancel()
        for task in self.speak.values():
            task.cancel()


class ReplyTasks:
    """Thinking and speaking for one call.

    Args:
        agent: Voice and language.
        mind: Answers questions.
        speech: Makes audio.
        feed: Takes what comes as events of the voice machine.
        count: Counts failures.
        budget: Of the guesses; told the tokens that they used.
        on_refused: Called when the mind says that the call belongs to somebody else.
    """

    def __init__(
        self,
        agent: Agent,
        mind: MindClient,
        speech: SpeechSource,
        feed: Callable[[voice.Input], None],
        count: Callable[[str, float], None],
        *,
        budget: SpeculationBudget | None = None,
        on_refused: Callable[[], None],
    ) -> None:
        self._agent = agent
        self._budget = budget
        self._mind = mind
        self._speech = speech
        self._feed = feed
        self._count = count
        self._on_refused = on_refused
        self._loop = asyncio.get_running_loop()
        self._replies: dict[tuple[int, int], _Reply] = {}

    def perform(
        self,
        order: voice.BeginTurn
        | voice.Synthesise
        | voice.PauseSpeech
        | voice.ResumeSpeech
        | voice.CommitTurn
        | voice.RetractTurn
        | voice.AbandonTurn,
    ) -> None:
        """Do what the machine wants done for a reply."""
        match order:
            case voice.BeginTurn():
                self.begin(order)
            case voice.Synthesise():
                self.synthesise(order)
            case voice.PauseSpeech() | voice.ResumeSpeech():
                is_paused = isinstance(order, voice.PauseSpeech)
                self.pause(order.turn_id, order.guess, is_paused=is_paused)
            case voice.AbandonTurn():
                self.abandon(order.turn_id, order.guess)
            case voice.CommitTurn():
                is_guess = self._reply(order.turn_id, order.guess).units.is_guess
                self._mind.commit(order.turn_id, order.guess, order.text, is_guess=is_guess)
            case voice.RetractTurn():
                self._mind.grants.take_back(order.turn_id, order.guess)
            case _:
                assert_never(order)

    def change_language(self, agent: Agent, speech: SpeechSource) -> None:
        """Replies that are asked for from now on are spoken like this."""
        self._agent, self._speech = agent, speech

    def ready(self, text: str) -> bytes:
        """A phrase that always has to be speakable, mu-law; empty when it is not there."""
        agent = self._agent
        request = SpeakRequest(self._mind.call_id, text, agent.voice, agent.language)
        clip = self._speech.ready_clip(request)
        return b"" if clip is None else clip.ulaw

    def begin(self, begin: voice.BeginTurn) -> None:
        """Ask the mind."""
        reply = self._reply(begin.turn_id, begin.guess)
        reply.units.is_guess = begin.speculative
        reply.thinks(self._loop.create_task(self._think(begin, reply)))

    def synthesise(self, order: voice.Synthesise) -> None:
        """Have a segment spoken: from a ready clip at once, else by the speaker."""
        request = SpeakRequest(
            self._mind.call_id, order.text, self._agent.voice, self._agent.language
        )
        reply = self._reply(order.turn_id, order.guess)
        clip = self._speech.ready_clip(request)
        if clip is not None:
            where = (order.turn_id, order.guess, order.index)
            # Through the loop, so that the machine is not fed while its outputs are performed.
            self._loop.call_soon(self._feed, voice.SpeechArrived(*where, clip.ulaw, clip.marks))
            self._loop.call_soon(self._feed, voice.SpeechFinished(*where))
            return
        reply.units.speak(order.text)
        is_kept = order.index in reply.kept
        speak = self._speak(order, request, reply.may_read, is_kept=is_kept)
        reply.speaks(order.index, self._loop.create_task(speak))

    def pause(self, turn_id: int, guess: int, *, is_paused: bool) -> None:
        """Read the speaker of this guess no further for now, or go on."""
        reply = self._replies.get((turn_id, guess))
        if reply is not None:
            reply.may_read.clear() if is_paused else reply.may_read.set()

    def abandon(self, turn_id: int, guess: int) -> None:
        """Stop everything of this guess."""
        self._mind.grants.drop(turn_id, guess)
        reply = self._replies.get((turn_id, guess))
        if reply is not None:
            reply.cancel()

    def settle(
        self, settled: voice.TurnSettled, *, at_us: int, usage: Mapping[str, float]
    ) -> TurnEntry:
        """The turn is over: stop what is left of it, and make its entry.

        Args:
            settled: What the machine says.
            at_us: UTC microseconds.
            usage: Provider units that belong to no guess.
        """
        reply = self._replies.get((settled.turn_id, settled.guess))
        over = {key: each for key, each in self._replies.items() if key[0] <= settled.turn_id}
        used = units_of_turn({key: each.units for key, each in over.items()}, settled)
        if self._budget is not None and settled.spend.calls:
            self._budget.count_tokens(*tokens_of(used))
        entry = entry_of(
            settled,
            stages=reply.stages if reply else {},
            asked_at=reply.asked_at if reply else 0.0,
            usage={**usage, **used},
            at_us=at_us,
            action=reply.action if reply else {},
            cache=reply.cache if reply else {},
        )
        for key in over:
            self._replies.pop(key).cancel()
        return self._mind.grants.settled(entry)

    def unsettled_units(self) -> dict[str, float]:
        """Provider units of replies that no turn was settled for; the call has ended."""
        return units_in_vain(reply.units for reply in self._replies.values())

    def cancel_all(self) -> None:
        """Stop everything of the call."""
        for reply in self._replies.values():
            reply.cancel()

    def _reply(self, turn_id: int, guess: int) -> _Reply:
        reply = self._replies.get((turn_id, guess))
        if reply is None:
            reply = self._replies[turn_id, guess] = _Reply(self._loop.time(), asyncio.Event())
            reply.may_read.set()
        return reply

    async def _think(self, begin: voice.BeginTurn, reply: _Reply) -> None:
        turn_id, guess = begin.turn_id, begin.guess
        question = TurnQuestion(turn_id, guess, begin.kind, begin.text, begin.speculative)
        waits: dict[str, float] = {}
        try:
            async with contextlib.aclosing(self._mind.take_turn(question)) as items:
                async for item in items:
                    reply.stages.update(item.stages)
                    reply.units.hear(item)
                    reply.cache = item.cache or reply.cache
                    if item.type == "segment":
                        if item.keep:
                            reply.kept.add(item.index)
                        self._feed(voice.SegmentPlanned(turn_id, guess, item.index, item.text))
                    elif item.type == "tool":
                        for_s = longest_wait_s(item, waits)
                        self._feed(voice.ReplyWorking(turn_id, guess, for_s))
                    elif item.type == "accepted":
                        waits.clear()  # another actor begins anew
                    elif item.type == "finished":
                        reply.action = item.action
                        self._prepare(item.likely, reply)
                        finished = voice.ReplyFinished(turn_id, guess, item.hang_up, item.action)
                        self._feed(finished)
                    elif item.type == "failed":
                        self._count("replies_failed", 1)
                        self._feed(voice.ReplyFailed(turn_id, guess, item.message))
        except MindRefusedError:
            self._on_refused()
        except ActorsError as error:
            self._count("replies_failed", 1)
            self._feed(voice.ReplyFailed(turn_id, guess, str(error)))
        except Exception as error:  # noqa: BLE001 - the turn fails, whatever it is
            # Unread, the caller would sit in silence until the machine's own deadline.
            logger.error("call %s: the reply broke: %s", self._mind.call_id, trace_of(error))
            self._count("replies_failed", 1)
            self._feed(voice.ReplyFailed(turn_id, guess, f"broke: {type(error).__name__}"))

    def _prepare(self, likely: tuple[str, ...], reply: _Reply) -> None:
        """Have the audio of what may be asked for next; a voice that is asked for it is paid."""
        agent = self._agent
        for text in likely:
            request = SpeakRequest(self._mind.call_id, text, agent.voice, agent.language)
            self._speech.prepare_kept(request, reply.units.speak)

    async def _speak(
        self,
        order: voice.Synthesise,
        request: SpeakRequest,
        may_read: asyncio.Event,
        *,
        is_kept: bool,
    ) -> None:
        where = (order.turn_id, order.guess, order.index)
        stream = self._speech.kept_stream if is_kept else self._speech.stream
        try:
            async with contextlib.aclosing(stream(request)) as chunks:
                async for chunk in chunks:
                    self._feed(voice.SpeechArrived(*where, chunk.ulaw, chunk.marks))
                    if not may_read.is_set():  # as much is held as may be
                        await may_read.wait()
            self._feed(voice.SpeechFinished(*where))
        except ProviderError as error:
            logger.warning("call %s: speech failed: %s", self._mind.call_id, error)
            self._count("speech_failed", 1)
            self._feed(voice.SpeechFailed(*where, str(error)))
        except Exception as error:  # noqa: BLE001 - the turn fails, whatever it is
            logger.error("call %s: the speech broke: %s", self._mind.call_id, trace_of(error))
            self._count("speech_failed", 1)
            self._feed(voice.SpeechFailed(*where, f"broke: {type(error).__name__}"))
