"""What every ``Thinker`` must do; subclass ``ThinkerContract`` and give it one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from dialogue.ports import Message, ReplyDelta, ReplyDone, Thinker, ThinkEvent, ThinkRequest
from providers.errors import ProviderError
from tests.support import virtual_time

REQUEST = ThinkRequest(
    "call", (Message("system", "Be brief."), Message("user", "What can you do for me?"))
)


async def all_of(thinker: Thinker, request: ThinkRequest = REQUEST) -> list[ThinkEvent]:
    return [event async for event in thinker.reply(request)]


def text_of(events: list[ThinkEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, ReplyDelta))


class ThinkerContract:
    """Override ``thinker``; ``run`` where real sockets are used."""

    @contextlib.asynccontextmanager
    async def thinker(self) -> AsyncIterator[Thinker]:
        raise AssertionError("a contract needs a thinker")
        yield

    def on_loop(self, test: Callable[[Thinker], Awaitable[None]]) -> None:
        async def body() -> None:
            async with self.thinker() as thinker:
                await test(thinker)

        self.run(body())

    def run(self, body: Awaitable[None]) -> None:
        virtual_time.run(body)  # type: ignore[arg-type]

    def test_text_comes_in_pieces_then_one_end(self) -> None:
        async def test(thinker: Thinker) -> None:
            events = await all_of(thinker)
            assert all(isinstance(event, ReplyDelta) and event.text for event in events[:-1])
            assert len(events) > 3
            assert isinstance(events[-1], ReplyDone)
            assert events[-1].reason == "stop"

        self.on_loop(test)

    def test_counts_are_counts_or_unknown(self) -> None:
        async def test(thinker: Thinker) -> None:
            done = (await all_of(thinker))[-1]
            assert isinstance(done, ReplyDone)
            assert done.prompt_tokens is None or done.prompt_tokens > 0
            assert done.completion_tokens is None or done.completion_tokens > 0

        self.on_loop(test)

    def test_a_bound_on_the_reply_is_kept(self) -> None:
        async def test(thinker: Thinker) -> None:
            whole = text_of(await all_of(thinker))
            bound = ThinkRequest("call", REQUEST.messages, max_tokens=2)
            events = await all_of(thinker, bound)
            assert len(text_of(events)) < len(whole)
            assert isinstance(events[-1], ReplyDone)
            assert events[-1].reason == "length"

        self.on_loop(test)

    def test_closed_early_it_still_gives_the_next_reply(self) -> None:
        async def test(thinker: Thinker) -> None:
            await thinker.warm()
            for _ in range(3):
                iterator = thinker.reply(REQUEST)
                await anext(iterator)
                await iterator.aclose()  # type: ignore[attr-defined]
            assert isinstance((await all_of(thinker))[-1], ReplyDone)

        self.on_loop(test)

    def test_a_cancelled_reader_is_cancelled(self) -> None:
        async def test(thinker: Thinker) -> None:
            task = asyncio.ensure_future(all_of(thinker))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert isinstance((await all_of(thinker))[-1], ReplyDone)

        self.on_loop(test)

    def test_many_at_once(self) -> None:
        async def test(thinker: Thinker) -> None:
            replies = await asyncio.gather(*(all_of(thinker) for _ in range(8)))
            assert all(isinstance(reply[-1], ReplyDone) for reply in replies)
            assert all(text_of(reply) for reply in replies)

        self.on_loop(test)

    def test_closing_is_idempotent_and_ends_the_service(self) -> None:
        async def test(thinker: Thinker) -> None:
            await thinker.warm()
            await thinker.aclose()
            await thinker.aclose()
            with pytest.raises(ProviderError):
                await all_of(thinker)

        self.on_loop(test)

    def test_has_a_name(self) -> None:
        async def test(thinker: Thinker) -> None:
            assert thinker.name
            assert thinker.name == thinker.name.lower()

        self.on_loop(test)
