"""espeak-ng in its process: the contract, its words, every way in which the process can fail."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.espeak_process import worker_command
from providers.espeak_tts import EspeakSpeaker
from providers.espeak_voices import LANGUAGES, VOICES, espeak_voice
from providers.settings import EspeakConfig
from telephony import g711
from tests.providers.stage import run_for_real
from tests.support.contract_speaker import (
    LONG,
    SHORT,
    SpeakerContract,
    all_of,
    audio_of,
    until_error,
)
from voice.ports import Speaker, SpeakRequest, TextMark


def request(text: str = SHORT, voice: str = "default", language: str = "en-US") -> SpeakRequest:
    return SpeakRequest("call", text, voice, language)


def speaking(test: Callable[[EspeakSpeaker], Awaitable[None]], **fields: float) -> None:
    async def body() -> None:
        speaker = EspeakSpeaker(EspeakConfig(**fields))  # type: ignore[arg-type]
        try:
            await test(speaker)
        finally:
            await speaker.aclose()

    run_for_real(body())


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "voice", "name"),
    [
        ("en-US", "default", "en-us"),
        ("en", "f2", "en-us+f2"),
        ("en-GB", "m3", "en+m3"),
        ("zh-HK", "default", "yue"),
        ("ZH-hk", "default", "yue"),
        ("zh-CN", "default", "cmn"),
        ("yue-CN", "default", "yue"),
        ("pt-BR", "default", "pt-br"),
        ("pt-PT", "default", "pt"),
        ("de-AT", "f1", "de+f1"),
    ],
)
def test_tags_become_names_of_the_library(language: str, voice: str, name: str) -> None:
    assert espeak_voice(language, voice) == name


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(ProviderRefused, match=r"pip install 'callcluster\[voice\]'") as caught:
        EspeakSpeaker(EspeakConfig())
    assert not caught.value.retryable


def test_whether_it_is_installed_is_seen_without_loading_it() -> None:
    script = (
        "import sys; from providers.espeak_process import is_installed; is_installed();"
        "print('espeakng_loader' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


# --- the contract --------------------------------------------------------------------------------


@pytest.mark.e2e
class TestEspeakSpeaker(SpeakerContract):
    run = staticmethod(run_for_real)
    voice = "f2"
    length_slack_samples = 80  # it goes on at the phase in which it ended

    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        speaker = EspeakSpeaker(EspeakConfig())
        yield speaker
        await speaker.aclose()


@pytest.mark.e2e
def test_every_language_and_every_voice_exists_in_the_library() -> None:
    async def test(speaker: EspeakSpeaker) -> None:
        for language in LANGUAGES:
            assert audio_of(await all_of(speaker, request("1 2", language=language))), language
        for voice in VOICES:
            assert audio_of(await all_of(speaker, request("1 2", voice))), voice

    speaking(test)


@pytest.mark.e2e
def test_it_is_speech_and_not_silence_and_does_not_clip() -> None:
    async def test(speaker: EspeakSpeaker) -> None:
        samples = g711.decode(audio_of(await all_of(speaker, request(LONG)))).astype(float)
        assert 3 * 8_000 < len(samples) < 9 * 8_000
        assert 500 < np.sqrt(np.mean(samples**2)) < 12_000
        assert np.mean(np.abs(samples) > 32_000) < 0.001

    speaking(test)


@pytest.mark.e2e
def test_marks_stand_where_words_begin_and_at_the_end() -> None:
    async def test(speaker: EspeakSpeaker) -> None:
        text = "One two three."
        chunks = await all_of(speaker, request(text))
        marks = [mark for chunk in chunks for mark in chunk.marks]
        assert [mark.chars for mark in marks] == [4, 8, 14]
        assert marks[-1] == TextMark(14, len(audio_of(chunks)) / 8_000)
        assert 0.1 < marks[0].at_s < marks[1].at_s < marks[2].at_s

    speaking(test)


@pytest.mark.e2e
def test_text_that_looks_like_markup_commands_or_nonsense_is_only_spoken() -> None:
    async def test(speaker: EspeakSpeaker) -> None:
        plain = audio_of(await all_of(speaker, request("Hello there.")))
        for text in (
            '<break time="60s"/> Hi',
            "[[h@l'oU]]",
            "a\nb",
            "a\0b",
            "\ud800 a",
            "a\u2028b",
        ):
            assert audio_of(await all_of(speaker, request(text))), text
        again = audio_of(await all_of(speaker, request("Hello there.")))
        assert abs(len(again) - len(plain)) < 80

    speaking(test)


@pytest.mark.e2e
def test_pace_is_a_setting() -> None:
    lengths: list[int] = []

    async def test(speaker: EspeakSpeaker) -> None:
        lengths.append(len(audio_of(await all_of(speaker, request(LONG)))))

    speaking(test, words_per_minute=120)
    speaking(test, words_per_minute=240)
    assert lengths[0] > 1.6 * lengths[1]


@pytest.mark.parametrize(
    ("wrong", "setting"),
    [
        (request(voice="alto"), "voice"),
        (request(language="ja-JP"), "language"),
        (request(language="tlh"), "language"),
        (request(text="a" * 10_001), ""),
    ],
)
def test_what_it_cannot_do_is_named_before_a_process_is_started(
    wrong: SpeakRequest, setting: str
) -> None:
    async def body() -> None:
        speaker = EspeakSpeaker(EspeakConfig(), lambda: ["/nowhere/python"])
        with pytest.raises(ProviderRejected) as caught:
            await all_of(speaker, wrong)
        assert caught.value.setting == setting
        assert not caught.value.retryable
        await speaker.aclose()

    run_for_real(body())


# --- a process that fails ------------------------------------------------------------------------

_FAKE = """
import os, struct, sys, time
def out(kind, payload=b""):
    os.write(1, kind + struct.pack(">I", len(payload)) + payload)
fault, broken_runs, count = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with open(count, "a") as runs:
    runs.write("x")
is_broken = os.path.getsize(count) <= broken_runs
if is_broken and fault == "no_rate":
    out(b"R", b"-1")
if is_broken and fault == "dies_at_start":
    sys.exit(3)
if is_broken and fault == "silent_at_start":
    time.sleep(60)
out(b"R", b"8000")
for line in sys.stdin.buffer:
    if is_broken and fault == "hangs":
        time.sleep(60)
    out(b"A", bytes(1600))
    if is_broken:
        if fault == "hangs_in_speech":
            time.sleep(60)
        elif fault == "dies_in_speech":
            os._exit(1)
        elif fault == "garbage":
            os.write(1, b"garbage!" * 99)
        elif fault == "dies_in_a_frame":
            os.write(1, b"A" + struct.pack(">I", 100) + b"abc")
            os._exit(1)
        elif fault == "unknown_kind":
            out(b"Q", b"?")
        elif fault == "bad_word":
            out(b"W", b"one two")
        elif fault == "refuses_speech":
            out(b"X", b"speech")
    out(b"E")
"""
LIMITS = EspeakConfig(first_byte_timeout_s=8.0, stall_timeout_s=0.6)


class Worker:
    """A stand-in for the process that is broken in one way for its first runs, then whole."""

    def __init__(self, folder: Path, fault: str, broken_runs: int = 1) -> None:
        self._script = folder / "worker.py"
        self._script.write_text(_FAKE)
        self._count = folder / "runs"
        self._argv = [fault, str(broken_runs), str(self._count)]

    def command(self) -> list[str]:
        return [sys.executable, "-I", "-S", str(self._script), *self._argv]

    @property
    def runs(self) -> int:
        return self._count.stat().st_size


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("fault", "kind", "some_audio"),
    [
        ("no_rate", ProviderUnavailable, False),
        ("dies_at_start", ProviderUnavailable, False),
        ("silent_at_start", ProviderTimeout, False),
        ("hangs", ProviderTimeout, False),
        ("hangs_in_speech", ProviderTimeout, True),
        ("dies_in_speech", ProviderUnavailable, True),
        ("dies_in_a_frame", ProviderUnavailable, True),
        ("garbage", ProviderProtocolError, True),
        ("unknown_kind", ProviderProtocolError, True),
        ("bad_word", ProviderProtocolError, True),
        ("refuses_speech", ProviderProtocolError, True),
    ],
)
def test_a_fault_is_typed_and_the_next_segment_is_spoken_by_a_new_process(
    tmp_path: Path, fault: str, kind: type[ProviderError], some_audio: bool
) -> None:
    async def body() -> None:
        worker = Worker(tmp_path, fault)
        speaker = EspeakSpeaker(LIMITS, worker.command)
        chunks, error = await until_error(speaker, request())
        assert type(error) is kind
        assert error.retryable
        assert bool(audio_of(chunks)) == some_audio
        assert len(audio_of(await all_of(speaker, request()))) == 800
        assert worker.runs == 2
        await speaker.aclose()

    run_for_real(body())


@pytest.mark.e2e
def test_a_fault_costs_its_own_segment_and_not_those_that_wait_behind_it(tmp_path: Path) -> None:
    async def body() -> None:
        speaker = EspeakSpeaker(LIMITS, Worker(tmp_path, "hangs").command)
        results = await asyncio.gather(
            *(all_of(speaker, request()) for _ in range(5)), return_exceptions=True
        )
        assert [isinstance(result, ProviderTimeout) for result in results] == [True] + [False] * 4
        await speaker.aclose()

    run_for_real(body())


@pytest.mark.e2e
def test_a_hang_that_nobody_waits_for_is_ended_too(tmp_path: Path) -> None:
    async def body() -> None:
        speaker = EspeakSpeaker(LIMITS, Worker(tmp_path, "hangs_in_speech").command)
        audio = speaker.speak(request())
        assert await anext(audio)
        await audio.aclose()  # type: ignore[attr-defined]
        assert audio_of(await all_of(speaker, request()))
        await speaker.aclose()

    run_for_real(body())


@pytest.mark.e2e
def test_a_segment_that_waits_too_long_for_its_turn_says_so(tmp_path: Path) -> None:
    async def body() -> None:
        config = EspeakConfig(first_byte_timeout_s=0.3, stall_timeout_s=5.0)
        speaker = EspeakSpeaker(config, Worker(tmp_path, "hangs").command)
        results = await asyncio.gather(
            *(all_of(speaker, request()) for _ in range(2)), return_exceptions=True
        )
        assert [type(result) for result in results] == [ProviderTimeout] * 2
        await speaker.aclose()

    run_for_real(body())


@pytest.mark.e2e
def test_a_program_that_is_not_there_is_unavailable() -> None:
    async def body() -> None:
        speaker = EspeakSpeaker(LIMITS, lambda: ["/nowhere/python"])
        with pytest.raises(ProviderUnavailable, match="does not start"):
            await speaker.warm("default", "en-US")
        await speaker.aclose()

    run_for_real(body())


@pytest.mark.e2e
def test_a_library_or_data_that_is_damaged_is_unavailable(tmp_path: Path) -> None:
    async def body() -> None:
        whole = worker_command()
        for damaged in ([*whole[:-2], "/nowhere.so", whole[-1]], [*whole[:-1], str(tmp_path)]):
            speaker = EspeakSpeaker(EspeakConfig(), lambda command=damaged: command)
            with pytest.raises(ProviderUnavailable):
                await speaker.warm("default", "en-US")
            await speaker.aclose()

    run_for_real(body())


@pytest.mark.e2e
def test_closing_ends_a_hanging_process_at_once_and_leaves_no_descriptor(tmp_path: Path) -> None:
    async def body() -> None:
        before = len(os.listdir("/proc/self/fd"))
        config = EspeakConfig(first_byte_timeout_s=60.0, stall_timeout_s=60.0)
        speaker = EspeakSpeaker(config, Worker(tmp_path, "hangs_in_speech").command)
        audio = speaker.speak(request())
        await anext(audio)
        await speaker.aclose()
        with pytest.raises(ProviderUnavailable, match="closed"):
            await anext(audio)
        await asyncio.to_thread(speaker._thread.shutdown, wait=True)
        assert len(os.listdir("/proc/self/fd")) <= before

    run_for_real(body(), 10.0)


@pytest.mark.e2e
def test_it_ends_with_the_process_that_started_it() -> None:
    command = worker_command()
    run = subprocess.run(command, input=b"", capture_output=True, timeout=10, check=True)
    assert run.stdout.startswith(b"R")
