"""One guess being thought about: a task reads the model, the ingress drains what comes of it.

Rules
1. Exactly one ``finished`` or ``failed`` ends a reply, and nothing follows it.
2. The deadlines count visible characters only: empty and blank pieces keep no dead stream alive.
3. However a reply ends, the request at the provider is closed at once.
4. A model that asks for what cannot be done is told so and asked again, in the same reply.
5. An answer that the response cache has is spoken instead (``actors.mind_race``), unless the model
   has asked for a tool: then its words are on their way.
6. A tool that brings a result is run between two rounds of the reply (``actors.tool_runs``). While
   it takes long, what the agent's file says for that is said, once there is nothing else to hear.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from actors.consultation import CUT_OFF_REASONS, Consultation
from actors.mind_calls import MindConfig
from actors.mind_race import first_of, look_up
from actors.tool_runs import NO_RUNNER, ToolRuns
from actors.tool_waits import SpeechEstimate, wait_with_fillers
from actors.wire import TurnEntry, TurnItem
from cache.outcomes import Hit
from cache.ports import AnswerCache
from dialogue.errors import EmptyReply
from dialogue.ports import (
    ReplyDelta,
    ReplyDone,
    Thinker,
    ThinkEvent,
    ThinkRequest,
    ToolCallBegan,
    ToolCallRequested,
)
from dialogue.session import (
    AskAgain,
    DialogueSession,
    GuessKey,
    ReplyEnd,
    RunTools,
    segments_of,
)
from dialogue.tool_rounds import Wish
from dialogue.tool_use import Plain, refused
from dialogue.tools import Tool
from providers.errors import ProviderError
from voice.timeline import FIRST_SEGMENT, FIRST_TOKEN, THINK_REQUESTED

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 2.0
MOST_LIKELY_SEGMENTS = 8


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of whom.

    Attributes:
        received_at: Loop time of the ingress' message.
        cache: Is asked first, for ``consultation``; None asks nobody.
        consultation: What is looked up, and takes what comes of it; None looks up nothing.
        tools: Runs what the model wants run; None, or of whoever grants nothing, runs nothing.
    """

    key: GuessKey
    request: ThinkRequest
    thinker: Thinker
    received_at: float
    cache: AnswerCache | None = None
    consultation: Consultation | None = None
    tools: ToolRuns | None = None


class Reply:
    """A running reply.

    Args:
        session: The machine that turns deltas into segments; drops them once the guess is dead.
        question: What is thought about.
        config: Deadlines.
    """

    def __init__(
        self, session: DialogueSession[TurnEntry], question: Question, config: MindConfig
    ) -> None:
        self.over = False
        self._session = session
        self._question = question
        self._config = config
        self._items: asyncio.Queue[TurnItem] = asyncio.Queue()
        self._segments = 0
        self._stages: dict[str, float] = {}
        self._usage: dict[str, float] = {}
        self._speech = SpeechEstimate()
        self._wants_tools = False
        self._noted: tuple[Plain, ...] = ()
        self.task = asyncio.get_running_loop().create_task(self._run())

    async def next_item(self) -> TurnItem:
        """The next step of the reply; the last one is ``finished`` or ``failed``."""
        return await self._items.get()

    def cancel(self, refusal: str) -> None:
        """Stop thinking; whoever still drains the reply is told ``refusal``. Idempotent.

        The session is not touched: it decided this, and may hold a successor by now.
        """
        if not self.over:
            self._put("failed", message=refusal, refusal=refusal, stages=self._stages)
            self.task.cancel()

    async def _run(self) -> None:
        cache, consultation = self._question.cache, self._question.consultation
        try:
            if cache is None or consultation is None or consultation.is_barred:
                await self._think()
            else:
                await first_of(look_up(cache, consultation), self._think, self._recite)
        except asyncio.CancelledError:
            # Of what ended the task its frames remain, and they hold the task: a circle, which is
            # not left behind where it was we who cancelled it.
            if not self.over:
                raise

    def _recite(self, hit: Hit) -> bool:
        """Speak an answer of the cache, if there is anything in it and nothing was said before."""
        if self._segments or self._wants_tools or self.over:
            return False
        segments = self._session.recite(*self._question.key, hit.answer.text)
        if segments is None:
            return True  # nobody waits for it, nor for what the model would say
        consultation = self._question.consultation
        if not segments or consultation is None:
            return False
        consultation.is_served = True
        self._say(segments, keep=True)
        self._put("finished", stages=self._stages, cache=self._cache(), likely=self._likely(hit))
        return True

    def _likely(self, hit: Hit) -> tuple[str, ...]:
        """Segments that may be wanted next, as they would be spoken."""
        cache, consultation = self._question.cache, self._question.consultation
        if cache is None or consultation is None:
            return ()
        consultation.likely = cache.likely_after(consultation.question.scope, hit.answer)
        language = self._session.agent.language
        found = (segments_of(answer.text, language) for answer in consultation.likely)
        return tuple(part for parts in found for part in parts)[:MOST_LIKELY_SEGMENTS]

    async def _think(self) -> None:
        thinker = self._question.thinker
        events: AsyncIterator[ThinkEvent] | None = None
        request: ThinkRequest | None = self._question.request
        try:
            while request is not None:
                if events is not None:
                    await _close(events)
                events = thinker.reply(request)
                self._mark(THINK_REQUESTED)
                await self._read(events)
                request = await self._finish(events)
        except EmptyReply as error:
            self._fail(str(error), "empty_reply", retryable=True)
        except ProviderError as error:
            self._fail(str(error), "provider", retryable=error.retryable)
        except TimeoutError:
            what = "fell silent" if FIRST_TOKEN in self._stages else "no first token"
            self._fail(f"{thinker.name}: {what} before the deadline", "provider", retryable=True)
        except Exception as error:  # noqa: BLE001 - one call's trouble stays its own
            # The message of a foreign exception may quote the caller: only its place is told.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} at {frame.filename}:{frame.lineno}"
            logger.error("thinker %s broke: %s", thinker.name, place)
            self._fail(f"{thinker.name} broke: {type(error).__name__}", "provider", retryable=True)
        finally:
            if events is not None:
                await _close(events)

    async def _read(self, events: AsyncIterator[ThinkEvent]) -> None:
        config, now = self._config, asyncio.get_running_loop().time
        chars = 0
        async with asyncio.timeout(config.first_token_timeout_s) as deadline:
            async for event in events:
                if isinstance(event, ToolCallBegan | ToolCallRequested):
                    self._learn_of(uses_tool=True)
                    if isinstance(event, ToolCallRequested):
                        self._session.call_tool(*self._question.key, event)
                    deadline.reschedule(now() + config.stall_timeout_s)
                    continue
                if not isinstance(event, ReplyDelta):
                    self._count(event)
                    return
                if not event.text or event.text.isspace():
                    chars += 1
                else:
                    chars += len(event.text)
                    self._mark(FIRST_TOKEN)
                    deadline.reschedule(now() + config.stall_timeout_s)
                self._say(self._session.feed(*self._question.key, event.text))
                if chars > config.max_reply_chars:
                    return

    def _count(self, done: ReplyDone) -> None:
        for unit, tokens in (
            ("prompt_tokens", done.prompt_tokens),
            ("cached_tokens", done.cached_tokens),
            ("completion_tokens", done.completion_tokens),
        ):
            if tokens is not None:
                unit += f"@{done.stand_in}" if done.stand_in else ""
                self._usage[unit] = self._usage.get(unit, 0) + tokens
        self._learn_of(is_complete=done.reason not in CUT_OFF_REASONS)

    async def _finish(self, events: AsyncIterator[ThinkEvent]) -> ThinkRequest | None:
        """End the reply, or say what to ask next."""
        end = self._session.finish(*self._question.key)
        if end is None:
            return None
        self._say(end.segments)
        if not isinstance(end, ReplyEnd):
            self._noted = end.uses
        if isinstance(end, AskAgain):
            return end.request
        if isinstance(end, RunTools):
            self._wants_tools = True
            await _close(events)
            return await self._run_tools(end)
        if end.hang_up or end.action or end.uses:
            self._learn_of(uses_tool=True)
        told = {"stages": self._stages, "usage": self._usage, "cache": self._cache()}
        self._put("finished", hang_up=end.hang_up, action=dict(end.action), tools=end.uses, **told)
        return None

    async def _run_tools(self, wanted: RunTools) -> ThinkRequest | None:
        """Have others do what the model wants done; what to ask it then."""
        self._learn_of(uses_tool=True)
        agent = self._session.agent
        if wanted.is_silent and (said := agent.announcement(wanted.wishes[0].run.tool.name)):
            self._say((said,), keep=True)
        results = await asyncio.gather(*(self._run_tool(wish) for wish in wanted.wishes))
        return self._session.go_on(*self._question.key, dict(results))

    async def _run_tool(self, wish: Wish) -> tuple[str, str]:
        tools, turn_id = self._question.tools, self._question.key[0]
        if tools is None:
            return wish.call_id, NO_RUNNER
        try:
            result = await tools.use(
                self._session, turn_id, wish.run, self._tell_of_tool, self._wait
            )
        except Exception as error:  # noqa: BLE001 - the model says so, and the call goes on
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} at {frame.filename}:{frame.lineno}"
            logger.error("tool %s could not be used: %s", wish.run.tool.name, place)
            result = refused("it broke")
        return wish.call_id, result

    def _tell_of_tool(self, use: Plain) -> None:
        self._put("tool", tools=(use,))

    async def _wait(self, tool: Tool, task: asyncio.Future[str]) -> None:
        """Until a tool has ended, with words for a caller who hears nothing."""
        self._speech.begun(now=asyncio.get_running_loop().time())
        words = tuple(filter(None, (self._session.agent.filler(tool.name),)))
        await wait_with_fillers(
            task, self._speech, tool.filler_after_s, lambda: self._say(words, keep=True)
        )

    def _say(self, segments: list[str] | tuple[str, ...], *, keep: bool = False) -> None:
        if self._question.consultation is not None and not self.over:
            self._question.consultation.said.extend(segments)
        for text in segments:
            self._mark(FIRST_SEGMENT)
            cache = {} if self._segments else self._cache()
            # A caller who cuts the reply hears no end of it: what was noted is told before.
            told = {"keep": keep, "cache": cache, "tools": self._noted}
            self._put("segment", index=self._segments, text=text, **told)
            self._noted = ()
            self._speech.said(text, now=asyncio.get_running_loop().time())
            self._segments += 1

    def _learn_of(self, *, is_complete: bool | None = None, uses_tool: bool = False) -> None:
        """What decides whether the reply may be kept."""
        if (consultation := self._question.consultation) is not None:
            consultation.uses_tool |= uses_tool
            if is_complete is not None:
                consultation.is_complete = is_complete

    def _cache(self) -> dict[str, Any]:
        """What the cache said so far, for the record."""
        consultation = self._question.consultation
        return consultation.told() if consultation is not None else {}

    def _fail(self, message: str, refusal: str, *, retryable: bool) -> None:
        self._session.fail(*self._question.key)
        told = {"stages": self._stages, "cache": self._cache()}
        self._put("failed", message=message, refusal=refusal, retryable=retryable, **told)

    def _mark(self, stage: str) -> None:
        if stage not in self._stages:
            now = asyncio.get_running_loop().time()
            self._stages[stage] = now - self._question.received_at

    def _put(self, kind: str, **values: object) -> None:
        if self.over:
            return
        self.over = kind in {"finished", "failed"}
        turn_id, guess = self._question.key
        self._items.put_nowait(TurnItem(kind, turn_id, guess, **values))  # type: ignore[arg-type]


async def _close(events: AsyncIterator[ThinkEvent]) -> None:
    close = getattr(events, "aclose", None)
    if close is not None:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await close()
