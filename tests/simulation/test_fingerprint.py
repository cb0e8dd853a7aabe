from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.clip_library import Clip, load_library
from simulation.fingerprint import (
    ClipEnded,
    ClipIndex,
    Fingerprint,
    Recognition,
    SpeechStarted,
    WordHeard,
)

LIBRARY = load_library()
INDEX = ClipIndex(LIBRARY)
SHORT = LIBRARY.clip("goforward")
LONG = LIBRARY.clip("librivox_0870")


def listen(stream: bytes, step: int = 160) -> list[Recognition]:
    fingerprint = Fingerprint(INDEX)
    return [
        event
        for at in range(0, len(stream), step)
        for event in fingerprint.receive(stream[at : at + step])
    ]


def words(events: list[Recognition]) -> list[tuple[str, int]]:
    return [(e.clip.name, e.index) for e in events if isinstance(e, WordHeard)]


def all_words(clip: Clip) -> list[tuple[str, int]]:
    return [(clip.name, index) for index in range(len(clip.words))]


@pytest.mark.parametrize("clip", LIBRARY, ids=lambda clip: clip.name)
def test_every_clip_is_recognised_word_for_word(clip: Clip) -> None:
    events = listen(b"\xff" * 1_600 + clip.ulaw)
    assert words(events) == all_words(clip)
    first = next(event for event in events if isinstance(event, WordHeard))
    assert first.start_s == pytest.approx(0.2 + clip.words[0].start_s)
    assert events[-1] == ClipEnded(clip, pytest.approx(0.2 + clip.duration_s))
    started = [event for event in events if isinstance(event, SpeechStarted)]
    assert started == [SpeechStarted(clip, pytest.approx(first.start_s, abs=1e-3))]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 500), st.integers(40, 900))
def test_any_alignment_and_any_chunk_size_will_do(shift: int, step: int) -> None:
    events = listen(b"\xff" * shift + SHORT.ulaw + b"\xff" * 320, step)
    assert words(events) == all_words(SHORT)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, len(LONG.ulaw) // 160 - 1), st.sampled_from(["drop", "silence", "alter"]))
def test_a_bad_frame_loses_the_words_it_touches_and_no_others(frame: int, what: str) -> None:
    a, b = frame * 160, frame * 160 + 160
    middle = {"drop": b"", "silence": b"\xff" * 160, "alter": LONG.ulaw[a:b][::-1]}[what]
    heard = words(listen(LONG.ulaw[:a] + middle + LONG.ulaw[b:]))
    touched = {
        index
        for index, word in enumerate(LONG.words)
        if word.start_s * 8_000 < b and word.end_s * 8_000 > a
    }
    lost = set(range(len(LONG.words))) - {index for _, index in heard}
    # The byte beside a word's edge belongs to it by rounding.
    assert touched - lost == set()
    assert all(any(abs(index - t) <= 1 for t in touched) for index in lost)
    assert len(lost - touched) <= 1
    assert heard == sorted(heard, key=lambda word: word[1])


def test_one_changed_byte_loses_one_word() -> None:
    at = int((SHORT.words[2].start_s + 0.1) * 8_000)
    changed = bytearray(SHORT.ulaw)
    changed[at] ^= 0x10
    assert words(listen(bytes(changed))) == [(SHORT.name, index) for index in (0, 1, 3)]


def test_a_clip_that_breaks_off_gives_only_its_whole_words() -> None:
    end = int(SHORT.words[1].end_s * 8_000) + 200
    events = listen(SHORT.ulaw[:end] + b"\xff" * 4_000)
    assert words(events) == all_words(SHORT)[:2]
    assert not any(isinstance(event, ClipEnded) for event in events)


def test_clips_in_a_row_are_told_apart() -> None:
    names = ["digit_4", "digit_2", "digit_4", "eot_yue_question", "goforward"]
    events = listen(b"".join(LIBRARY.clip(name).ulaw + b"\xff" * 800 for name in names))
    assert [event.clip.name for event in events if isinstance(event, ClipEnded)] == names
    assert words(events) == [word for name in names for word in all_words(LIBRARY.clip(name))]


def test_unknown_sound_is_never_guessed() -> None:
    noise = bytes((i * 7_919 + i * i) % 251 for i in range(16_000))
    assert listen(noise) == []


def test_the_same_words_backwards_are_unknown() -> None:
    assert listen(SHORT.ulaw[::-1]) == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=700), max_size=6))
def test_any_bytes_are_taken(chunks: list[bytes]) -> None:
    fingerprint = Fingerprint(INDEX)
    for chunk in chunks:
        fingerprint.receive(chunk)
