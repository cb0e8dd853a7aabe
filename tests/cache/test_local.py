"""The cache in one process, and the encoder off the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cache.deltas import packed
from cache.encoder import Vector
from cache.encoder_queue import MOST_IN_A_RUN
from cache.entry import StorageClass
from cache.local import LocalAnswerCache
from cache.local_encoder import ENCODE_WITHIN_S, MOST_WAITING, TurnEncoder
from cache.lookup import Life, ask
from cache.outcomes import Hit, Miss, MissReason, Outcome, RefusalReason, Tier
from cache.pattern import DialogueState
from cache.ports import AnswerCache, Complaint
from cache.scope import caller_mark
from tests.cache.cache_world import FAQ, FREE, HOURS, SCOPE, WordEncoder, turn_encoder, vector_of
from tests.support.virtual_time import run

OPEN = "what time do you open"


def local(encoder: TurnEncoder | None = None) -> LocalAnswerCache:
    return LocalAnswerCache(
        encoder or turn_encoder(), lambda: 1_000.0, rates=FREE, jitter=lambda: 0.0
    )


async def told(
    cache: AnswerCache, text: str, caller: str, answer: Any = HOURS, **more: Any
) -> Outcome:
    question = ask(text, SCOPE)
    outcome = await cache.lookup(question)
    mark = caller_mark(SCOPE.tenant_id, caller)
    cache.learned(question, outcome, answer, caller=mark, **more)
    await asyncio.sleep(0.1)
    return outcome


def reason(outcome: Outcome) -> object:
    return None if isinstance(outcome, Hit) else outcome.reason


def test_two_callers_teach_it_and_a_third_is_answered() -> None:
    async def story() -> None:
        cache = local()
        assert reason(await told(cache, OPEN, "ann")) == MissReason.EMPTY_SCOPE
        assert reason(await told(cache, OPEN, "ben")) == RefusalReason.QUORUM
        exact = await cache.lookup(ask("Um, what time do you open?", SCOPE))
        near = await cache.lookup(ask("what time do you open there", SCOPE))
        assert isinstance(exact, Hit)
        assert isinstance(near, Hit)
        assert (exact.tier, near.tier) == (Tier.EXACT, Tier.SEMANTIC)
        cache.served(exact, SCOPE)
        cache.served(near, SCOPE)
        (entry,) = cache.keeper.cache.store
        assert entry.counters.served == 2, "what is only looked up was not given"
        await cache.aclose()

    run(story())


def test_an_error_silences_at_once() -> None:
    async def story() -> None:
        cache = local()
        await told(cache, OPEN, "ann", FAQ)
        hit = await cache.lookup(ask(OPEN, SCOPE))
        assert isinstance(hit, Hit)
        assert 0.0 < cache.check_ratio(hit, SCOPE) <= 1.0
        cache.complained(hit, SCOPE, Complaint.BARGE_IN)
        cache.checked(hit, SCOPE, is_right=False)
        assert reason(await cache.lookup(ask(OPEN, SCOPE))) == RefusalReason.QUARANTINED

    run(story())


def test_what_may_not_be_kept_is_not_kept_and_where_it_came_from_is_known() -> None:
    async def story() -> None:
        cache = local()
        await told(cache, OPEN, "ann", replace(FAQ, storage_class=StorageClass.NEVER))
        await told(cache, "is there parking", "ann", FAQ, source="call-1/3", utc_offset_s=3_600.0)
        (entry,) = cache.keeper.cache.store
        assert (entry.question, entry.source) == ("is there parking", "call-1/3")

    run(story())


def test_plans_follow_states() -> None:
    async def story() -> None:
        cache = local()
        state = DialogueState("book", frozenset({"date"}), frozenset({"inform:date"}))
        plan = replace(FAQ, answer_id="ask:time", storage_class=StorageClass.PLAN)
        await told(cache, "a table on friday", "ann", plan)
        for _ in range(9):
            cache.followed(SCOPE, state, "ask:time")
        found = await cache.lookup(ask("the day after my birthday", SCOPE), state=state)
        assert isinstance(found, Hit)
        assert found.tier is Tier.PATTERN

    run(story())


def test_without_an_encoder_the_same_words_are_answered() -> None:
    async def story() -> None:
        cache = local(TurnEncoder(None))
        await told(cache, OPEN, "ann", FAQ)
        assert isinstance(await cache.lookup(ask(OPEN, SCOPE)), Hit)
        assert reason(await cache.lookup(ask("when do you open", SCOPE))) == (
            MissReason.EMPTY_SCOPE
        )

    run(story())


def test_the_gates_are_fitted_on_request() -> None:
    async def story() -> None:
        cache = local()
        await told(cache, OPEN, "ann")
        await cache.refit()

    run(story())


# --- the encoder ----------------------------------------------------------------------------------


class Queue:
    """In place of a thread: work is done when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []

    def __call__(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.waiting.append((work, future))
        return future

    def work_off(self) -> int:
        """How many had not been cancelled."""
        done = 0
        for work, future in self.waiting:
            if not future.done():
                future.set_result(work())
                done += 1
        self.waiting.clear()
        return done


def queued(encoder: WordEncoder | None = None) -> tuple[TurnEncoder, Queue]:
    queue = Queue()
    made = TurnEncoder(encoder or WordEncoder(), run=queue)
    made.assume({"en": True})
    return made, queue


def test_who_waits_too_long_goes_without() -> None:
    async def story() -> None:
        encoder, _ = queued()
        cache = local(encoder)
        cache.keeper.bring(ask("do you deliver", SCOPE), b"", FAQ, b"import", Life(1_000.0))
        cache.keeper.encoded([(1, packed(vector_of("do you deliver")))])
        began = asyncio.get_running_loop().time()
        found = await cache.lookup(ask(OPEN, SCOPE))
        assert found == Miss(MissReason.ENCODER_LATE)
        assert asyncio.get_running_loop().time() - began == pytest.approx(ENCODE_WITHIN_S)
        assert isinstance(await cache.lookup(ask("do you deliver", SCOPE)), Hit)

    run(story())


def test_one_text_is_encoded_once_for_all_who_ask() -> None:
    async def story() -> None:
        words = WordEncoder()
        encoder, queue = queued(words)
        asks = [asyncio.create_task(encoder.vector(OPEN, "en-US")) for _ in range(9)]
        await asyncio.sleep(0)
        asks[0].cancel()
        await asyncio.sleep(0)
        assert queue.work_off() == 1
        found = await asyncio.gather(*asks[1:])
        assert all(vector is not None for vector, _ in found)
        again, is_late = await encoder.vector(OPEN, "en-US")
        assert again is not None
        assert not is_late
        assert words.encoded == [OPEN]

    run(story())


def test_what_nobody_waits_for_any_more_is_taken_out_of_the_queue() -> None:
    async def story() -> None:
        words = WordEncoder()
        encoder, queue = queued(words)
        asks = [
            asyncio.create_task(encoder.vector(text, "en-US")) for text in ("begun", "left", "kept")
        ]
        await asyncio.sleep(0)
        asks[0].cancel()
        asks[1].cancel()
        await asyncio.sleep(0.01)
        while queue.work_off():
            await asyncio.sleep(0.01)
        vector, _ = await asks[2]
        assert vector is not None
        assert words.encoded == ["begun", "kept"]

    run(story())


def test_a_crowd_is_turned_away_at_once_rather_than_late() -> None:
    async def story() -> None:
        encoder, queue = queued()
        crowd = [
            asyncio.create_task(encoder.vector(f"text {number}", "en-US"))
            for number in range(MOST_WAITING)
        ]
        await asyncio.sleep(0)
        assert await encoder.vector("one more", "en-US") == (None, True)
        while queue.work_off():
            await asyncio.sleep(0)
        found = await asyncio.gather(*crowd)
        assert all(vector is not None for vector, _ in found)

    run(story())


def test_a_crowd_shares_runs_and_is_handed_its_vectors_one_by_one() -> None:
    async def story() -> None:
        words = WordEncoder()
        encoder, queue = queued(words)
        steps: list[int] = []
        loop, turns = asyncio.get_running_loop(), 30

        async def asks(text: str) -> None:
            await encoder.vector(text, "en-US")
            steps.append(step)

        step = 0

        def count() -> None:
            nonlocal step
            step += 1
            if len(steps) < turns:
                loop.call_soon(count)

        crowd = [asyncio.create_task(asks(f"text {number}")) for number in range(turns)]
        await asyncio.sleep(0)
        runs = 0
        count()
        while done := queue.work_off():
            runs += done
            for _ in range(2 * MOST_IN_A_RUN):
                await asyncio.sleep(0)
        await asyncio.gather(*crowd)
        assert len(set(steps)) == turns  # never two in one step of the loop
        assert runs <= 2 + turns / MOST_IN_A_RUN + 1
        assert sorted(words.encoded) == sorted(f"text {number}" for number in range(turns))

    run(story())


def test_a_crowd_that_is_too_late_is_told_so_one_by_one() -> None:
    async def story() -> None:
        encoder, _ = queued()
        loop, turns = asyncio.get_running_loop(), 20
        happened: list[str] = []

        async def asks(text: str) -> None:
            assert await encoder.vector(text, "en-US") == (None, True)
            happened.append("turn")
            loop.call_soon(happened.append, "step")

        await asyncio.gather(*(asks(f"text {number}") for number in range(turns)))
        assert happened[: 2 * turns - 1] == ["turn", "step"] * (turns - 1) + ["turn"]

    run(story())


def test_turns_come_before_what_is_learned() -> None:
    async def story() -> None:
        words = WordEncoder()
        encoder, queue = queued(words)
        asks = [
            asyncio.create_task(encoder.vector(text, "en-US", within_s=within_s))
            for text, within_s in (("begun", None), ("learned", 10.0), ("asked", None))
        ]
        await asyncio.sleep(0)
        while queue.work_off():
            await asyncio.sleep(0.001)
        await asyncio.gather(*asks)
        assert words.encoded == ["begun", "asked", "learned"]

    run(story())


class BrokenEncoder(WordEncoder):
    def encode(self, text: str) -> Vector:
        raise RuntimeError(f"out of memory at {text}")


def test_an_encoder_that_fails_is_said_without_words(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        encoder = turn_encoder(BrokenEncoder())
        assert await encoder.vector(OPEN, "en-US") == (None, False)
        await encoder.check(["fr-FR"])
        assert not encoder.reads("fr")

    with caplog.at_level(logging.WARNING):
        run(story())
    assert "RuntimeError" in caplog.text
    assert "open" not in caplog.text


def test_languages_are_tried_once_and_those_it_cannot_read_are_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        encoder = turn_encoder()
        assert not encoder.reads("xx")
        await encoder.check(["xx-XX"])
        await encoder.check(["xx"])
        assert not encoder.reads("xx-XX")
        assert await encoder.vector("text", "xx") == (None, False)

    with caplog.at_level(logging.INFO):
        run(story())
    assert caplog.text.count("the semantic tier is off for xx") == 1


def test_a_thread_of_its_own_does_the_work() -> None:
    async def story() -> None:
        encoder = TurnEncoder(WordEncoder())
        encoder.assume({"en": True})
        vector, is_late = await encoder.vector(OPEN, "en", within_s=30.0)
        assert vector is not None
        assert not is_late
        encoder.close()

    asyncio.run(story())
