"""Azure's voices: the pool with synthesisers made of nothing, the contract with the real SDK."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from providers import azure_tts_pool
from providers.azure_tts import AzureSpeaker
from providers.azure_tts_wire import (
    AudioMade,
    ConnectionChanged,
    Failed,
    Finished,
    SdkEvent,
    WordSpoken,
)
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.settings import AzureTtsConfig
from simulation.azure_tts_session import AzureTtsConfig as EmulatorConfig
from simulation.faults import Faults
from tests.providers import speaker_stages as stages
from tests.providers.stage import Stage, run_for_real
from tests.support.contract_speaker import LONG, SpeakerContract, all_of, audio_of, until_error
from voice.ports import Speaker, SpeakRequest, TextMark

VOICE = "en-US-JennyNeural"
OTHER = "en-US-AndrewMultilingualNeural"
AWAY = ProviderUnavailable("away", "azure")


def request(text: str = "Hello.", voice: str = VOICE, language: str = "en-US") -> SpeakRequest:
    return SpeakRequest("call", text, voice, language)


# --- the pool ------------------------------------------------------------------------------------


class Session:
    """Speaks at once what the world says; ``mute`` ones wait for the test."""

    def __init__(self, world: World, voice: str, post: Callable[[SdkEvent], None]) -> None:
        self._world = world
        self.voice = voice
        self.post = post
        self.spoken: list[str] = []
        self.cancelled = self.connects = 0
        self.closed = False

    def connect(self) -> None:
        self.connects += 1
        if self._world.connects:
            self.post(ConnectionChanged(True))

    def speak(self, text: str) -> None:
        assert not self.closed
        self.spoken.append(text)
        if self._world.speak_error:
            raise self._world.speak_error
        self.post(ConnectionChanged(True))
        if self._world.errors:
            self.post(Failed(self._world.errors.pop(0)))
        elif not self._world.mute:
            self.post(WordSpoken(text, 0.02))
            self.post(AudioMade(b"\x01" * 160))
            self.post(Finished(b"\x01" * 200))

    def cancel(self) -> bool:
        self.cancelled += 1
        self._world.gate.wait(2)
        self.post(ConnectionChanged(False))
        return self._world.cancels

    def close(self) -> None:
        assert not self.closed, "closed twice"
        self.closed = True


class World:
    def __init__(self) -> None:
        self.made: list[Session] = []
        self.mute = False
        self.connects = self.cancels = True
        self.errors: list[ProviderError] = []
        self.speak_error: ProviderError | None = None
        self.build_error: ProviderError | None = None
        self.gate = threading.Event()
        self.gate.set()

    def build(
        self, _config: AzureTtsConfig, voice: str, _language: str, post: Callable[[SdkEvent], None]
    ) -> Session:
        if self.build_error:
            raise self.build_error
        self.made.append(Session(self, voice, post))
        return self.made[-1]


def pooled(test: Callable[[AzureSpeaker, World], Awaitable[None]], **fields: object) -> None:
    async def body() -> None:
        world = World()
        config = AzureTtsConfig(**{"host": "ws://localhost:1", **fields})  # type: ignore[arg-type]
        speaker = AzureSpeaker(config, world.build)
        await test(speaker, world)
        world.gate.set()
        await speaker.aclose()
        assert all(session.closed for session in world.made)
        assert speaker.live == 0

    run_for_real(body(), 10.0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(3):
        while not condition():
            await asyncio.sleep(0.001)


async def begun(speaker: AzureSpeaker, world: World, text: str = "Hello.") -> asyncio.Task[Any]:
    """A listener whose synthesiser has the text."""
    count = sum(len(session.spoken) for session in world.made)
    task = asyncio.ensure_future(all_of(speaker, request(text)))
    await until(lambda: sum(len(session.spoken) for session in world.made) > count)
    return task


def test_one_synthesiser_speaks_one_segment_after_the_other() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        for _ in range(3):
            assert len(audio_of(await all_of(speaker, request()))) == 200
        assert [len(session.spoken) for session in world.made] == [3]

    pooled(test)


def test_segments_at_the_same_time_and_other_voices_have_their_own() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        world.mute = True
        tasks = [await begun(speaker, world) for _ in range(3)]
        assert len(world.made) == 3
        for session in world.made:
            session.post(Finished(b"\x01" * 8))
        await asyncio.gather(*tasks)
        world.mute = False
        await all_of(speaker, request(voice=OTHER))
        assert [session.voice for session in world.made] == [VOICE] * 3 + [OTHER]

    pooled(test)


def test_audio_that_is_late_comes_with_the_end_and_the_end_is_marked() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        chunks = await all_of(speaker, request("Hello."))
        assert [len(chunk.ulaw) for chunk in chunks] == [160, 40]
        assert [chunk.marks for chunk in chunks] == [(TextMark(6, 0.02),), ()]
        world.mute = True
        task = await begun(speaker, world, "Yes, sir…")
        post = world.made[0].post
        for event in (WordSpoken("Yes", 0.1), AudioMade(b"\x01" * 800), WordSpoken("sir", 0.3)):
            post(event)
        post(Finished(b"\x01" * 4_000))
        chunks = await task
        assert [chunk.marks for chunk in chunks] == [
            (TextMark(3, 0.1),),
            (TextMark(8, 0.3), TextMark(9, 0.5)),
        ]

    pooled(test)


def test_cut_short_it_is_stopped_and_connected_anew_before_the_next_segment() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        world.mute = True
        (await begun(speaker, world)).cancel()
        await until(lambda: world.made[0].connects == 1)
        world.mute = False
        await all_of(speaker, request())
        assert len(world.made) == 1
        assert (world.made[0].cancelled, len(world.made[0].spoken)) == (1, 2)

    pooled(test)


@pytest.mark.parametrize("trouble", ["cancels", "connects"])
def test_one_that_cannot_be_stopped_or_connected_again_is_closed(trouble: str) -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        world.mute = True
        setattr(world, trouble, False)
        (await begun(speaker, world)).cancel()
        await until(lambda: world.made[0].closed)
        assert speaker.live == 0

    pooled(test, connect_timeout_s=0.02)


def test_a_hanging_stop_delays_nobody() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        world.mute = True
        world.gate.clear()
        for _ in range(4):  # more than there are threads for closing
            (await begun(speaker, world)).cancel()
        world.mute = False
        assert audio_of(await all_of(speaker, request()))

    pooled(test)


def test_what_comes_of_a_segment_that_was_cut_short_is_not_heard_in_the_next() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        world.mute = True
        (await begun(speaker, world)).cancel()
        world.made[0].post(AudioMade(b"\x02" * 999))
        await until(lambda: world.made[0].connects == 1)
        world.mute = False
        assert set(audio_of(await all_of(speaker, request()))) == {1}

    pooled(test)


@pytest.mark.parametrize("error", [AWAY, ProviderRejected("no", "azure", "voice")])
def test_a_failure_is_the_listeners_and_the_synthesiser_is_not_used_again(
    error: ProviderError,
) -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        world.errors.append(error)
        with pytest.raises(type(error)):
            await all_of(speaker, request())
        await until(lambda: world.made[0].closed)
        assert audio_of(await all_of(speaker, request()))
        assert len(world.made) == 2

    pooled(test)


def test_a_socket_found_dead_is_replaced_without_a_word() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        await all_of(speaker, request())
        world.errors.append(AWAY)
        assert audio_of(await all_of(speaker, request()))
        assert len(world.made) == 2
        world.errors += [AWAY, AWAY]
        with pytest.raises(ProviderUnavailable):
            await all_of(speaker, request())

    pooled(test)


def test_when_all_sockets_were_closed_over_there_a_new_one_is_opened() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        world.mute = True
        tasks = [await begun(speaker, world) for _ in range(2)]
        for session in world.made:
            session.post(Finished(b"\x01" * 8))
        await asyncio.gather(*tasks)
        world.mute = False
        world.errors.append(AWAY)
        assert audio_of(await all_of(speaker, request()))
        assert len(world.made[2].spoken) == 1

    pooled(test, max_synthesisers=2)


@pytest.mark.parametrize("where", ["build_error", "speak_error"])
def test_an_sdk_that_does_not_work_is_an_error_and_leaves_nothing(where: str) -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        setattr(world, where, AWAY)
        with pytest.raises(ProviderUnavailable):
            await all_of(speaker, request())
        await until(lambda: speaker.live == 0)
        setattr(world, where, None)
        assert audio_of(await all_of(speaker, request()))

    pooled(test)


def test_at_the_limit_an_idle_one_of_another_voice_makes_place() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        for voice in (VOICE, OTHER, "de-DE-KatjaNeural"):
            assert audio_of(await all_of(speaker, request(voice=voice)))
        assert [session.closed for session in world.made] == [True, False, False]

    pooled(test, max_synthesisers=2)


def test_at_the_limit_one_that_is_mending_is_waited_for() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        world.mute = True
        task = await begun(speaker, world)
        world.gate.clear()
        task.cancel()
        await until(lambda: world.made[0].cancelled == 1)
        world.mute = False
        waiting = asyncio.ensure_future(all_of(speaker, request()))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        world.gate.set()
        assert audio_of(await waiting)
        assert len(world.made) == 1

    pooled(test, max_synthesisers=1)


def test_beyond_the_limit_is_busy_and_names_the_setting() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        world.mute = True
        tasks = [await begun(speaker, world) for _ in range(2)]
        with pytest.raises(ProviderBusy) as caught:
            await all_of(speaker, request())
        assert caught.value.setting == "CALLCLUSTER_AZURE_SYNTHESISERS_PER_PROCESS"
        for task in tasks:
            task.cancel()

    pooled(test, max_synthesisers=2)


def test_a_warmed_voice_has_one_ready_beyond_those_that_speak() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        await speaker.warm(VOICE, "en-US")
        assert world.made[0].spoken == ["1"]
        world.mute = True
        task = await begun(speaker, world)
        await until(lambda: len(world.made) == 2 and world.made[1].connects == 1)
        task.cancel()

    pooled(test)


def test_idle_ones_are_closed_but_for_the_last_of_a_warmed_voice_which_is_reconnected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(azure_tts_pool, "_TEND_EVERY_S", 0.005)

    async def test(speaker: AzureSpeaker, world: World) -> None:
        await speaker.warm(VOICE, "en-US")
        await all_of(speaker, request(voice=OTHER))
        await until(lambda: world.made[1].closed)
        assert not world.made[0].closed
        world.made[0].post(ConnectionChanged(False))
        await until(lambda: world.made[0].connects >= 1)

    pooled(test, idle_close_s=0.01)


def test_closing_fails_segments_that_run() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        world.mute = True
        task = await begun(speaker, world)
        await speaker.aclose()
        with pytest.raises(ProviderUnavailable, match="closed"):
            await task

    pooled(test)


@pytest.mark.parametrize(
    ("wrong", "setting"), [(request(voice=""), "voice"), (request("a" * 10_001), "")]
)
def test_what_cannot_be_asked_for_is_named(wrong: SpeakRequest, setting: str) -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        with pytest.raises(ProviderRejected) as caught:
            await all_of(speaker, wrong)
        assert caught.value.setting == setting
        assert not world.made

    pooled(test)


def test_characters_that_cannot_be_sent_are_blanks_and_keep_their_places() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        await all_of(speaker, request("a\0b\nc\ud800d"))
        assert world.made[0].spoken == ["a b c d"]

    pooled(test)


def test_a_text_without_sound_is_an_error_only_if_it_has_words() -> None:
    async def test(speaker: AzureSpeaker, world: World) -> None:
        world.mute = True
        task = await begun(speaker, world, "…")
        world.made[0].post(Finished(b""))
        assert await task == []
        task = await begun(speaker, world, "word")
        world.made[-1].post(Finished(b""))
        with pytest.raises(ProviderUnavailable, match="said nothing"):
            await task

    pooled(test)


# --- with the real SDK ---------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def staged(
    emulator: EmulatorConfig | None = None, **fields: object
) -> AsyncIterator[tuple[Stage, AzureSpeaker]]:
    async with stages.azure_tts(emulator) as stage:
        speaker = speaker_at(stage.address, **fields)
        try:
            yield stage, speaker
        finally:
            await speaker.aclose()


def speaker_at(address: str, **fields: object) -> AzureSpeaker:
    return AzureSpeaker(AzureTtsConfig(**{"host": f"ws://{address}", **fields}))  # type: ignore[arg-type]


@pytest.mark.e2e
class TestAzureSpeaker(SpeakerContract):
    run = staticmethod(run_for_real)
    voice = VOICE

    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        async with staged() as (_, speaker):
            yield speaker


@pytest.mark.e2e
class TestAzureSpeakerWithoutTextStreaming(SpeakerContract):
    run = staticmethod(run_for_real)
    voice = VOICE

    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        async with staged(text_streaming=False) as (_, speaker):
            yield speaker


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("text", "language", "voice"),
    [
        ("Hello there, you two.", "en-US", VOICE),
        ("你好，世界。", "zh-HK", "zh-HK-HiuMaanNeural"),
        ("Tea & <milk> for 2?", "en-US", VOICE),
    ],
)
@pytest.mark.parametrize("text_streaming", [True, False])
def test_every_word_is_marked_where_it_ends(
    text: str, language: str, voice: str, text_streaming: bool
) -> None:
    async def body() -> None:
        async with staged(text_streaming=text_streaming) as (_, speaker):
            chunks = await all_of(speaker, request(text, voice, language))
            marks = [mark for chunk in chunks for mark in chunk.marks]
            assert marks[-1].chars == len(text)
            assert marks[-1].at_s == pytest.approx(len(audio_of(chunks)) / 8_000, abs=0.2)
            assert len(marks) >= 5
            before = [text[: mark.chars] for mark in marks]
            assert all(part[-1] not in " (" for part in before)

    run_for_real(body())


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("faults", "kind", "setting"),
    [
        (Faults(status=401), ProviderRefused, "AZURE_SPEECH_KEY"),
        (Faults(status=403), ProviderRefused, "AZURE_SPEECH_KEY"),
        (Faults(status=404), ProviderRejected, "AZURE_TTS_HOST"),
        (Faults(status=429), ProviderBusy, ""),
        (Faults(status=500), ProviderUnavailable, ""),
        (Faults(status=503), ProviderUnavailable, ""),
        (Faults(refuse_connection=True), ProviderUnavailable, "AZURE_TTS_HOST"),
        (Faults(handshake_delay_s=30.0), ProviderTimeout, ""),
        (Faults(hang_after_accept=True), ProviderTimeout, ""),
    ],
)
def test_refusals_are_typed(faults: Faults, kind: type[ProviderError], setting: str) -> None:
    async def body() -> None:
        async with staged(first_byte_timeout_s=1.0) as (stage, speaker):
            stage.break_it(faults)
            with pytest.raises(kind) as caught:
                await speaker.warm(VOICE, "en-US")
            assert type(caught.value) is kind
            assert caught.value.setting == setting
            stage.mend_it()
            assert audio_of(await all_of(speaker, request()))

    run_for_real(body())


@pytest.mark.e2e
def test_a_wrong_key_a_wrong_voice_and_a_closed_port_are_named() -> None:
    async def body() -> None:
        async with staged() as (stage, speaker):
            with pytest.raises(ProviderRejected) as rejected:
                await speaker.warm("en-US-MissingNeural", "en-US")
            assert rejected.value.setting == "voice"
            assert "Missing" not in str(rejected.value)
            wrong = speaker_at(stage.address, key="bad")
            with pytest.raises(ProviderRefused) as refused:
                await wrong.warm(VOICE, "en-US")
            assert refused.value.setting == "AZURE_SPEECH_KEY"
            await wrong.aclose()
            address = stage.address
        gone = speaker_at(address)
        with pytest.raises(ProviderUnavailable) as unavailable:
            await gone.warm(VOICE, "en-US")
        assert unavailable.value.setting == "AZURE_TTS_HOST"
        await gone.aclose()

    run_for_real(body())


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("faults", "kind", "some_audio"),
    [
        (Faults(stall_after_messages=6), ProviderTimeout, True),
        (Faults(drop_after_messages=6), ProviderUnavailable, True),
        (Faults(garbage_after_messages=6), ProviderTimeout, True),
        (Faults(never_end=True), ProviderTimeout, True),
        (Faults(wrong_request_id=True), ProviderTimeout, False),
    ],
)
def test_a_break_comes_after_what_was_spoken(
    faults: Faults, kind: type[ProviderError], some_audio: bool
) -> None:
    paced = EmulatorConfig(first_byte_s=0.0, speed_ratio=40.0)

    async def body() -> None:
        limits = {"first_byte_timeout_s": 1.0, "stall_timeout_s": 0.6}
        async with staged(paced, **limits) as (stage, speaker):
            stage.break_it(faults)
            chunks, error = await until_error(speaker, request(LONG))
            if faults.garbage_after_messages is None:
                assert type(error) is kind
            assert error.retryable
            assert bool(chunks) == some_audio
            stage.mend_it()
            assert audio_of(await all_of(speaker, request()))

    run_for_real(body())


@pytest.mark.e2e
def test_sockets_closed_over_there_are_opened_again() -> None:
    async def body() -> None:
        async with staged() as (stage, speaker):
            await speaker.warm(VOICE, "en-US")
            for _ in range(5):
                stage.server.drop_all()
                assert audio_of(await all_of(speaker, request()))

    run_for_real(body())


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


@pytest.mark.e2e
def test_barge_in_ends_the_synthesis_at_the_service_and_leaks_no_thread() -> None:
    paced = EmulatorConfig(first_byte_s=0.0, speed_ratio=5.0)

    async def body() -> None:
        async with staged(paced) as (stage, speaker):
            service: Any = stage.server._service
            before = _threads()
            most = 0
            for number in range(60):
                audio = speaker.speak(request(LONG))
                await anext(audio)
                await asyncio.sleep(0.002 * (number % 5))
                await audio.aclose()  # type: ignore[attr-defined]
                if number > 20:
                    most = max(most, _threads())
            await until(lambda: service.speaking == 0)
            await until(lambda: stage.open_connections == speaker.live)
            assert speaker.live <= 8
            assert most <= before + 4 + 2 + 6 * speaker.live
            whole = audio_of(await all_of(speaker, request("Next.")))
            assert len(whole) == 3_600
        await until(lambda: _threads() <= before)

    run_for_real(body(), 30.0)


@pytest.mark.e2e
@pytest.mark.parametrize("delay_s", [0.0, 0.001, 0.004, 0.01, 0.03])
def test_cancelled_at_any_moment_nothing_goes_on_in_the_background(delay_s: float) -> None:
    paced = EmulatorConfig(first_byte_s=0.01, speed_ratio=2.0)

    async def body() -> None:
        async with staged(paced) as (stage, speaker):
            service: Any = stage.server._service
            for _ in range(4):
                task = asyncio.ensure_future(all_of(speaker, request(LONG)))
                await asyncio.sleep(delay_s)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await until(lambda: service.speaking == 0)
            assert len(audio_of(await all_of(speaker, request("Next.")))) == 3_600

    run_for_real(body())


@pytest.mark.e2e
def test_a_process_that_ends_in_mid_speech_ends_quietly() -> None:
    script = """
import asyncio, sys
from providers.azure_tts import AzureSpeaker
from providers.settings import AzureTtsConfig
from voice.ports import SpeakRequest

async def main():
    speaker = AzureSpeaker(AzureTtsConfig(host=sys.argv[1]))
    text = "One two three four five."
    audio = speaker.speak(SpeakRequest("c", text, "en-US-JennyNeural", "en-US"))
    print(len((await anext(audio)).ulaw), flush=True)
    await audio.aclose()

asyncio.run(main())
"""

    async def body() -> None:
        async with stages.azure_tts(EmulatorConfig(first_byte_s=0.0, speed_ratio=1.0)) as stage:
            command = [sys.executable, "-c", script, f"ws://{stage.address}"]
            run = await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, timeout=15
            )
            assert (run.returncode, run.stdout, run.stderr) == (0, "800\n", "")

    run_for_real(body())
