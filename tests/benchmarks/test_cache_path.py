"""How turns of the cache are told apart before their times are compared with what is promised."""

from __future__ import annotations

from benchmarks.cache_path import CachedTurn, Found, is_kept, render


def turn(
    took_s: float, *, ready_s: float = -0.3, is_spoken: bool = False, **cache: object
) -> CachedTurn:
    said = {"outcome": "hit", "tier": "exact", "lookup_s": 0.001, **cache}
    stages = {"committed": 0.5, "first_segment": 0.5 + ready_s, "first_frame_out": 0.5 + took_s}
    return CachedTurn(stages, said, is_spoken)


def test_only_hits_whose_audio_was_in_hand_are_held_to_the_promise() -> None:
    slow = [turn(0.9, is_spoken=True), turn(0.9, outcome="miss", reason="quorum")]
    found = Found(True, [turn(0.004), turn(0.02, ready_s=0.01), *slow])
    figures = found.figures()
    assert figures["ready"]["p99_ms"] == 4.0
    assert figures["asked_at_commit"]["p99_ms"] == 20.0
    assert figures["others"]["n"] == 2
    assert figures["outcomes"] == {"hit exact": 3, "miss exact quorum": 1}
    assert is_kept(figures)
    assert render([figures]).count("\n") == 3


def test_what_was_expected_next_is_counted_where_something_was() -> None:
    found = Found(True, [turn(0.0), turn(0.0, expected=True), turn(0.0, expected=False)])
    assert found.figures()["expected"] == {"of": 2, "were": 1}


def test_a_promise_without_a_hit_is_not_kept() -> None:
    assert not is_kept(Found(True, [turn(0.0, outcome="miss")]).figures())
    assert not is_kept(Found(False, [turn(0.031, ready_s=0.01)]).figures())
    assert not is_kept(Found(True, [turn(0.011)]).figures())
