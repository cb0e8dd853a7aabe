"""Segments that are worth keeping: spoken once, heard by all, kept when they are whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from actors.shared_speech import MOST_AHEAD, SharedSpeech
from cache.clip_file import ClipFolder
from cache.clip_store import ClipStore
from cache.clips import Clip, ClipCache
from providers.errors import ProviderError
from tests.support.fake_ear_and_mouth import FakeSpeaker, text_of
from tests.support.virtual_time import run
from voice.ports import SpeakRequest

TEXT = "We close at nine in the evening."
KEY = b"k" * 16


class Scene:
    """A voice that takes 0.05 s for ten characters, and what keeps what it says."""

    def __init__(self, folder: Path | None = None) -> None:
        self.voice = FakeSpeaker()
        self.disk = ClipFolder(folder) if folder is not None else None

        async def at_once(work: Callable[[], Clip | None]) -> Clip | None:
            return work()

        self.store = ClipStore(ClipCache(1_000_000), self.disk, run_blocking=at_once)
        self.speech = SharedSpeech(self.store)
        self.is_as_meant = True
        self.clock = asyncio.get_running_loop().time

    async def hear(self, limit_s: float = 1e6) -> tuple[str, float]:
        """What a caller hears, and when the first of it came."""
        began_at, first_s, audio = self.clock(), -1.0, bytearray()
        chunks = self.speech.stream(
            KEY,
            lambda: self.voice.speak(SpeakRequest("c", TEXT, "v", "en-US")),
            lambda: self.is_as_meant,
        )
        try:
            async with asyncio.timeout(limit_s):
                async for chunk in chunks:
                    if first_s < 0:
                        first_s = round(self.clock() - began_at, 6)
                    audio += chunk.ulaw
        except TimeoutError:
            pass
        finally:
            await chunks.aclose()
        return text_of(bytes(audio)), first_s


def play(test: Callable[[Scene], Awaitable[None]], folder: Path | None = None) -> None:
    async def body() -> None:
        scene = Scene(folder)
        await test(scene)
        await scene.speech.aclose()
        assert scene.voice.open_segments == 0

    run(body())


def test_it_is_heard_as_it_is_made_and_kept_with_its_marks() -> None:
    async def test(scene: Scene) -> None:
        assert await scene.hear() == (TEXT, 0.05)
        clip = scene.store.get(KEY)
        assert clip is not None
        assert text_of(clip.ulaw) == TEXT
        assert clip.marks

    play(test)


def test_calls_that_ask_meanwhile_hear_the_same_from_its_beginning() -> None:
    async def test(scene: Scene) -> None:
        first = asyncio.ensure_future(scene.hear())
        await asyncio.sleep(0.12)
        assert await scene.hear() == (TEXT, 0.0), "what has come already comes at once"
        assert await first == (TEXT, 0.05)
        assert scene.voice.asked == [TEXT]

    play(test)


def test_it_is_spoken_to_its_end_though_its_caller_interrupts() -> None:
    async def test(scene: Scene) -> None:
        heard, _ = await scene.hear(0.07)
        assert heard == TEXT[:10]
        await asyncio.sleep(1.0)
        clip = scene.store.get(KEY)
        assert clip is not None
        assert text_of(clip.ulaw) == TEXT

    play(test)


def test_a_failure_is_told_to_all_and_not_kept() -> None:
    async def test(scene: Scene) -> None:
        scene.voice.fail_after_chunks = 1
        results = await asyncio.gather(scene.hear(), scene.hear(), return_exceptions=True)
        assert [type(result) for result in results] == [ProviderError, ProviderError]
        assert scene.store.get(KEY) is None
        scene.voice.fail_after_chunks = None
        assert (await scene.hear())[0] == TEXT, "the next one asks again"

    play(test)


def test_another_voice_than_was_meant_is_not_kept() -> None:
    async def test(scene: Scene) -> None:
        scene.is_as_meant = False
        assert (await scene.hear())[0] == TEXT
        assert scene.store.get(KEY) is None

    play(test)


def test_a_voice_that_never_ends_is_ended() -> None:
    async def test(scene: Scene) -> None:
        scene.voice.hang_after_chunks = 1
        with pytest.raises(ProviderError):
            await scene.hear()
        assert scene.store.get(KEY) is None

    play(test)


def test_what_is_on_disk_is_not_spoken_again(tmp_path: Path) -> None:
    async def first(scene: Scene) -> None:
        await scene.hear()

    async def later(scene: Scene) -> None:
        assert await scene.hear() == (TEXT, 0.0)
        assert scene.voice.asked == []
        assert scene.store.get(KEY) is not None

    play(first, tmp_path)
    play(later, tmp_path)


def test_a_slow_disk_is_not_waited_for() -> None:
    async def test(scene: Scene) -> None:
        async def never(_work: Callable[[], Clip | None]) -> Clip | None:
            await asyncio.sleep(1e6)
            return None

        scene.store = ClipStore(
            ClipCache(1_000_000), ClipFolder(Path("/nowhere")), run_blocking=never
        )
        scene.speech = SharedSpeech(scene.store)
        assert await scene.hear() == (TEXT, 0.1)

    play(test)


def test_what_may_be_wanted_soon_is_made_ahead_one_at_a_time() -> None:
    async def test(scene: Scene) -> None:
        texts = {bytes([number]) * 16: f"Sentence {number}." for number in range(3)}
        most = 0

        def prepare(key: bytes, text: str) -> bool:
            request = SpeakRequest("", text, "v", "en-US")
            return scene.speech.prepare(key, lambda: scene.voice.speak(request), lambda: True)

        for key, text in texts.items():
            assert prepare(key, text)
        for _ in range(60):
            await asyncio.sleep(0.01)
            most = max(most, scene.voice.open_segments)
        assert most == 1
        assert {key: text_of(scene.store.memory.get(key).ulaw) for key in texts} == texts  # type: ignore[union-attr]
        assert [prepare(b"x" * 16, TEXT) for _ in range(MOST_AHEAD + 1)].count(False) == 1

    play(test)


def test_who_asks_for_what_is_made_ahead_hears_it_as_it_is_made() -> None:
    async def test(scene: Scene) -> None:
        request = SpeakRequest("", TEXT, "v", "en-US")
        scene.speech.prepare(KEY, lambda: scene.voice.speak(request), lambda: True)
        await asyncio.sleep(0.12)
        assert (await scene.hear())[0] == TEXT
        assert scene.voice.asked == [TEXT]

    play(test)


def test_a_voice_that_fails_ahead_of_time_fails_nobody(tmp_path: Path) -> None:
    async def test(scene: Scene) -> None:
        scene.voice.fail_after_chunks = 1
        request = SpeakRequest("", TEXT, "v", "en-US")
        scene.speech.prepare(KEY, lambda: scene.voice.speak(request), lambda: True)
        await asyncio.sleep(1.0)
        scene.voice.fail_after_chunks = None
        assert (await scene.hear())[0] == TEXT

    play(test, tmp_path)
