"""What can always be said, in which voice: from memory, also once a call has changed its voice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from actors.spare_clips import HEARD_OFTEN
from actors.speech_source import SpeechSource
from cache.clip_file import ClipFolder
from cache.clip_store import ClipStore
from cache.clips import ClipCache
from dialogue.agent import Agent, SpareVoice
from providers.breath import breath
from providers.errors import ProviderError
from providers.failover.speaker import FailoverSpeaker
from providers.failover.tally import NoTally
from providers.failover.voices import Voice
from providers.health.budget import HedgeBudget
from providers.health.local import LocalHealth
from providers.health.view import HealthView
from tests.support import virtual_time
from tests.support.fake_ear_and_mouth import FakeSpeaker, text_of
from voice.ports import SpeakRequest

AGENT = Agent("t1", "ann", "v1", "en-US", "You are Ann.", "Hello!", "alto", speaker="one")
CHAIN = replace(AGENT, spare_voices=(SpareVoice("two", "bass"),))
MOMENT = AGENT.phrases.one_moment


class Named(FakeSpeaker):
    """One of two."""

    def __init__(self, name: str) -> None:
        super().__init__(delay_s=0.01)
        self.name = name


class Scene:
    """An agent with two voices, or with one."""

    def __init__(self, agent: Agent = CHAIN) -> None:
        self.agent = agent
        self.one, self.two = Named("one"), Named("two")
        loop = asyncio.get_running_loop()
        view = HealthView(LocalHealth("me", lambda: 0.0), loop.time)
        voices = [Voice(self.one, "alto", "en-US"), Voice(self.two, "bass", "en-US")]
        self.chain = FailoverSpeaker(voices, view, HedgeBudget(), lambda: 0.0, NoTally())
        self.store = ClipStore(ClipCache(4_000_000))
        has_spare = bool(agent.spare_voices)
        self.source = SpeechSource(
            self.chain if has_spare else self.one,
            self.store,
            tenant_id="t1",
            chain=self.chain if has_spare else None,
        )

    def clip(self, text: str, call_id: str = "call") -> str | None:
        """The clip that is there, as what was said."""
        found = self.source.ready_clip(SpeakRequest(call_id, text, "alto", "en-US"))
        return text_of(found.ulaw) if found is not None else None

    async def speak(self, text: str, call_id: str = "call") -> None:
        async for _ in self.source.stream(SpeakRequest(call_id, text, "alto", "en-US")):
            pass


def play(test: Callable[[Scene], Awaitable[None]], agent: Agent = CHAIN) -> None:
    async def body() -> None:
        scene = Scene(agent)
        await test(scene)
        await scene.source.aclose()
        await scene.chain.aclose()

    virtual_time.run(body())


def test_one_voice_has_all_its_sentences_and_says_what_it_could_not_render() -> None:
    async def test(scene: Scene) -> None:
        scene.one.fail_after_chunks = 0
        assert await scene.source.prepare(scene.agent) == ["fake: broke"] * 2
        scene.one.fail_after_chunks = None
        assert await scene.source.prepare(scene.agent) == []
        assert [scene.clip(text) for text in AGENT.fixed_sentences()] == list(
            AGENT.fixed_sentences()
        )
        assert scene.clip("Something else.") is None

    play(test, AGENT)


def test_what_another_model_has_spoken_is_spoken_again(tmp_path: Path) -> None:
    async def at_once(work: Callable[[], object]) -> object:
        return work()

    async def asked(model: str) -> list[str]:
        store = ClipStore(ClipCache(1 << 20), ClipFolder(tmp_path), run_blocking=at_once)  # type: ignore[arg-type]
        speaker, models = Named("one"), {"one": model, "two": "c"}
        source = SpeechSource(speaker, store, tenant_id="t1", models=models)
        await source.prepare(AGENT)
        return speaker.asked

    async def scene() -> None:
        assert await asked("a") == list(AGENT.fixed_sentences())
        assert await asked("a") == []
        assert await asked("b") == list(AGENT.fixed_sentences())

    virtual_time.run(scene())


def test_the_first_call_finds_the_breath_made() -> None:
    async def scene() -> None:
        here = Scene(AGENT)
        breath.cache_clear()
        await here.source.prepare(AGENT)
        made = breath.cache_info().misses
        assert here.source.filler_sounds(AGENT).breath
        assert breath.cache_info().misses == made == 1

    virtual_time.run(scene())


def test_every_spare_voice_has_all_the_sentences_too() -> None:
    async def test(scene: Scene) -> None:
        assert await scene.source.prepare(scene.agent) == []
        assert scene.two.asked == [], "calls may come before that"
        assert await scene.source.prepare_all(scene.agent) == []
        assert scene.two.asked == list(AGENT.fixed_sentences())
        assert scene.one.asked == list(AGENT.fixed_sentences()), "once"

    play(test)


def test_a_voice_that_is_down_at_the_start_is_stood_in_for_and_never_spoken_by_another() -> None:
    async def test(scene: Scene) -> None:
        scene.one.fail_after_chunks = 0
        assert await scene.source.prepare(scene.agent) == []
        assert await scene.source.prepare_all(scene.agent) == ["fake: broke"]
        assert scene.clip("Hello!") is None, "not in the first voice"
        scene.one.fail_after_chunks = None
        assert await scene.source.prepare_all(scene.agent) == []
        assert scene.clip("Hello!") == "Hello!"

    play(test)


def test_when_no_voice_can_be_had_all_failures_are_told() -> None:
    async def test(scene: Scene) -> None:
        scene.one.fail_after_chunks = scene.two.fail_after_chunks = 0
        scene.two.error = ProviderError("away", "two")
        assert await scene.source.prepare(scene.agent) == ["fake: broke"] * 2 + ["two: away"] * 2

    play(test)


def test_a_call_that_has_changed_its_voice_hears_its_phrases_in_that_one() -> None:
    async def test(scene: Scene) -> None:
        await scene.source.prepare_all(scene.agent)
        keys = {
            voice: scene.source._key(SpeakRequest("", MOMENT, voice, "en-US"), name)
            for name, voice in (("one", "alto"), ("two", "bass"))
        }
        clips = {voice: scene.store.get(key) for voice, key in keys.items()}
        alto, bass = clips["alto"], clips["bass"]
        assert alto is not None
        assert bass is not None
        assert alto is not bass

        def heard(call_id: str) -> bytes | None:
            found = scene.source.ready_clip(SpeakRequest(call_id, MOMENT, "alto", "en-US"))
            return found.ulaw if found is not None else None

        sounds = scene.source.filler_sounds(scene.agent, "call")
        assert sounds.spoken() is alto.ulaw
        scene.one.fail_after_chunks = 0
        await scene.speak("What is it?")
        assert heard("call") is bass.ulaw
        assert sounds.spoken() is bass.ulaw
        scene.one.fail_after_chunks = None
        assert heard("another call") is alto.ulaw

    play(test)


def test_a_phrase_that_the_new_voice_does_not_have_is_heard_in_the_first() -> None:
    async def test(scene: Scene) -> None:
        await scene.source.prepare(scene.agent)
        sounds = scene.source.filler_sounds(scene.agent, "call")
        scene.one.fail_after_chunks = 0
        await scene.speak("What is it?")
        assert scene.chain.voice_of("call").voice == "bass"
        assert scene.clip(MOMENT) == MOMENT
        assert text_of(sounds.spoken()) == MOMENT

    play(test)


def test_a_new_call_is_greeted_in_the_voice_that_will_go_on() -> None:
    async def test(scene: Scene) -> None:
        await scene.source.prepare_all(scene.agent)
        scene.one.fail_after_chunks = 0
        for number in range(4):  # then it is left
            await scene.speak("What is it?", f"call-{number}")
        assert scene.chain.voice_of("a new one").voice == "bass"
        key = scene.source._key(SpeakRequest("", "Hello!", "bass", "en-US"), "two")
        found = scene.source.ready_clip(SpeakRequest("a new one", "Hello!", "alto", "en-US"))
        clip = scene.store.get(key)
        assert found is not None
        assert clip is not None
        assert found.ulaw is clip.ulaw

    play(test)


async def keep(scene: Scene, text: str, call_id: str = "call") -> None:
    async for _ in scene.source.kept_stream(SpeakRequest(call_id, text, "alto", "en-US")):
        pass


def test_what_is_worth_keeping_is_there_in_the_voice_that_spoke_it() -> None:
    async def test(scene: Scene) -> None:
        await keep(scene, "We close at nine.")
        assert scene.clip("We close at nine.") == "We close at nine."
        scene.one.fail_after_chunks = 0
        await scene.speak("What is it?")
        assert scene.chain.voice_of("call").voice == "bass"
        assert scene.clip("We close at nine.") is None, "never in another voice"
        await keep(scene, "We close at nine.")
        assert scene.clip("We close at nine.") == "We close at nine."
        assert scene.two.asked == ["What is it?", "We close at nine."]
        assert scene.clip("We close at nine.", "another call") == "We close at nine."

    play(test)


def test_a_sentence_that_another_voice_had_to_finish_is_not_kept() -> None:
    async def test(scene: Scene) -> None:
        scene.one.fail_after_chunks = 1
        await keep(scene, "We close at nine in the evening.")
        assert scene.chain.voice_of("call").voice == "bass"
        assert scene.clip("We close at nine in the evening.") is None
        assert scene.clip("We close at nine in the evening.", "another call") is None

    play(test)


def test_what_is_heard_often_is_rendered_in_the_spare_voice_too() -> None:
    async def test(scene: Scene) -> None:
        await keep(scene, "We close at nine.")
        for number in range(HEARD_OFTEN):
            assert scene.two.asked == []
            assert scene.clip("We close at nine.", f"call-{number}") is not None
        await asyncio.sleep(1.0)
        assert scene.two.asked == ["We close at nine."]
        assert scene.one.asked == ["We close at nine."], "it has that one already"
        scene.one.fail_after_chunks = 0
        await scene.speak("What is it?")
        assert scene.clip("We close at nine.") == "We close at nine."

    play(test)


def test_a_spare_voice_that_is_down_is_asked_again_when_it_was_heard_as_often_again() -> None:
    async def test(scene: Scene) -> None:
        await keep(scene, "We close at nine.")
        for is_down in (True, False):
            scene.two.fail_after_chunks = 0 if is_down else None
            for _ in range(HEARD_OFTEN):
                scene.clip("We close at nine.")
            await asyncio.sleep(1.0)
        assert scene.two.asked == ["We close at nine."] * 2

    play(test)


def test_what_may_be_asked_for_soon_is_in_hand_then_and_paid_once() -> None:
    async def story(scene: Scene) -> None:
        request = SpeakRequest("call", "Delivery is free.", "alto", "en-US")
        paid: list[str] = []
        for _ in range(2):
            scene.source.prepare_kept(request, paid.append)
        await asyncio.sleep(1.0)
        assert scene.clip("Delivery is free.") == "Delivery is free."
        scene.source.prepare_kept(request, paid.append)
        await asyncio.sleep(1.0)
        assert paid == scene.one.asked == ["Delivery is free."]
        await scene.source.aclose()

    play(story)
