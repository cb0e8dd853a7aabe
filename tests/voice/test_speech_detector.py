"""Stretches of speech from frames written as strings: ``x`` is speech, ``.`` is not."""

from __future__ import annotations

import pytest

from voice.speech_detector import SpeechDetector, SpeechEdge, SpeechState

HANGOVER = "." * 8


def follow(frames: str) -> tuple[SpeechDetector, list[tuple[int, SpeechEdge, int]]]:
    """The detector, and (frame number, edge, frame it speaks of)."""
    detector = SpeechDetector()
    edges = []
    for number, frame in enumerate(frames, 1):
        edge = detector.receive(frame == "x")
        if edge is not None:
            is_start = edge is SpeechEdge.STARTED
            edges.append((number, edge, detector.start_frame if is_start else detector.end_frame))
    return detector, edges


STARTED, ENDED = SpeechEdge.STARTED, SpeechEdge.ENDED


@pytest.mark.parametrize(
    ("frames", "edges"),
    [
        ("....", []),
        ("..xx....", []),
        ("..xxx", [(5, STARTED, 2)]),
        ("..x.xx", [(6, STARTED, 2)]),
        ("..x..xx", []),
        ("xxx" + HANGOVER, [(3, STARTED, 0), (11, ENDED, 3)]),
        ("xxxx..xx.xxx" + HANGOVER, [(3, STARTED, 0), (20, ENDED, 12)]),
        ("xxxxxx....x...", [(3, STARTED, 0), (14, ENDED, 6)]),
        ("xxxxxx....xx....", [(3, STARTED, 0)]),
    ],
)
def test_edges(frames: str, edges: list[tuple[int, SpeechEdge, int]]) -> None:
    assert follow(frames)[1] == edges


@pytest.mark.parametrize(
    ("frames", "state"),
    [
        ("", SpeechState.QUIET),
        ("x", SpeechState.STARTING),
        ("x.", SpeechState.STARTING),
        ("x..", SpeechState.QUIET),
        ("xxx", SpeechState.SPEAKING),
        ("xxx.", SpeechState.STOPPING),
        ("xxx.x", SpeechState.SPEAKING),
        ("xxx....x", SpeechState.STOPPING),
        ("xxx....xx", SpeechState.SPEAKING),
        ("xxx" + HANGOVER, SpeechState.QUIET),
    ],
)
def test_states(frames: str, state: SpeechState) -> None:
    assert follow(frames)[0].state is state


def test_times_are_media_time() -> None:
    detector, _ = follow("." * 50 + "x" * 25 + "." * 20)
    assert detector.start_s == pytest.approx(1.0)
    assert detector.end_s == pytest.approx(1.5)
    assert detector.silence_s == pytest.approx(0.4)


def test_a_click_does_not_prolong_the_speech() -> None:
    detector, _ = follow("xxxxxx....x.")
    assert detector.end_frame == 6
