"""Audio of known answers before anybody asks: bounded, to be gone on with, in every voice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from actors.answer_audio import MOST_FAILURES, AnswerAudio, Rendered, sentences_of
from actors.speech_source import SpeechSource
from cache.clip_file import ClipFolder
from cache.clip_store import ClipStore
from cache.clips import ClipCache
from dialogue.agent import Agent, SpareVoice
from providers.failover.voices import Voice
from tests.support.fake_ear_and_mouth import FakeSpeaker
from tests.support.virtual_time import run
from voice.ports import SpeakRequest

AGENT = replace(
    Agent("t1", "ann", "v1", "en-US", "You are Ann.", "Hello!", "alto", speaker="one"),
    spare_voices=(SpareVoice("two", "bass"),),
)
ANSWERS = ("We open at nine. On Sundays we are closed.", "Behind the house.")


class Named(FakeSpeaker):
    def __init__(self, name: str) -> None:
        super().__init__(delay_s=0.01)
        self.name = name


class Scene:
    """One process after another on the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.one, self.two = Named("one"), Named("two")
        self.voices = [Voice(self.one, "alto", "en-US"), Voice(self.two, "bass", "en-US")]
        self.steps: list[int] = []

    def voice_of(self, _call_id: str) -> Voice:
        return self.voices[0]

    def source(self) -> SpeechSource:
        async def at_once(work: Callable[[], object]) -> object:
            return work()

        store = ClipStore(ClipCache(1 << 20), ClipFolder(self.folder), run_blocking=at_once)  # type: ignore[arg-type]
        return SpeechSource(self.one, store, tenant_id="t1", chain=self)

    async def render(self, most_chars: int = 10_000) -> Rendered:
        self.steps.clear()
        audio = AnswerAudio(
            self.source(),
            self.voices,
            most_chars=most_chars,
            on_step=lambda rendered: self.steps.append(rendered.done),
        )
        return await audio.run(sentences_of(AGENT, ANSWERS))


def play(folder: Path, test: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole() -> None:
        await test(Scene(folder))
        assert len(asyncio.all_tasks()) <= 2

    run(whole())


def test_what_is_spoken_in_one_piece_is_there_once() -> None:
    sentences = sentences_of(AGENT, (*ANSWERS, *ANSWERS, "Hello!", "🙂"))
    assert sentences[: len(AGENT.fixed_sentences())] == AGENT.fixed_sentences()
    assert sentences[len(AGENT.fixed_sentences()) :] == (
        "We open at nine.",
        "On Sundays we are closed.",
        "Behind the house.",
    )


def test_the_first_caller_waits_for_no_voice(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        found = await scene.render()
        count = len(sentences_of(AGENT, ANSWERS))
        assert (found.made, found.known, found.left) == (2 * count, 0, 0)
        assert scene.steps == list(range(1, 2 * count + 1))
        assert found.chars == 2 * sum(map(len, sentences_of(AGENT, ANSWERS)))
        for speaker in (scene.one, scene.two):
            assert sorted(speaker.asked) == sorted(sentences_of(AGENT, ANSWERS))
        # As a call has it spoken: by the speaker only what is not kept.
        request = SpeakRequest("call", "Behind the house.", "alto", "en-US")
        heard = [chunk async for chunk in scene.source().kept_stream(request)]
        assert heard
        assert scene.one.asked.count("Behind the house.") == 1

    play(tmp_path, story)


def test_a_second_run_speaks_only_what_is_missing(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        first = await scene.render(most_chars=60)
        assert first.made
        assert first.left
        assert first.chars <= 60
        asked = len(scene.one.asked)
        assert (await scene.render(most_chars=0)).made == 0
        assert len(scene.one.asked) == asked
        last = await scene.render()
        assert (last.known, last.left) == (first.made, 0)
        assert len(set(scene.one.asked)) == len(scene.one.asked), "nothing is paid for twice"

    play(tmp_path, story)


def test_an_interrupted_run_leaves_whole_clips(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        running = asyncio.create_task(scene.render())
        await asyncio.sleep(0.1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        done = scene.steps[-1]
        assert done > 0
        again = await scene.render()
        assert again.known >= done
        assert again.left == 0

    play(tmp_path, story)


def test_a_voice_that_fails_is_left_and_the_others_go_on(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.one.fail_after_chunks = 0
        found = await scene.render()
        count = len(sentences_of(AGENT, ANSWERS))
        assert (found.made, found.left) == (count, count)
        assert len(scene.one.asked) <= MOST_FAILURES + 1
        assert list(found.failures) == ["one/alto"]
        assert found.chars == sum(map(len, sentences_of(AGENT, ANSWERS))), "failures cost nothing"

    play(tmp_path, story)
