from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache.clips import Clip, ClipCache
from cache.errors import ClipTooLarge

ONE_BYTES = Clip(b"x" * 600).size_bytes


def clip(text: str = "x") -> Clip:
    return Clip(text.encode() * 600)


def test_counts_hits_and_misses() -> None:
    cache = ClipCache(10_000)
    assert cache.get(b"a") is None
    cache.put(b"a", Clip(b"ulaw", ((3, 0.5),)))
    assert cache.get(b"a") == Clip(b"ulaw", ((3, 0.5),))
    assert (cache.counts.hits, cache.counts.misses, cache.counts.clips) == (1, 1, 1)


def test_the_least_recently_used_goes_first() -> None:
    cache = ClipCache(2 * ONE_BYTES)
    cache.put(b"a", clip())
    cache.put(b"b", clip())
    cache.get(b"a")
    cache.put(b"c", clip())
    assert [cache.get(key) is not None for key in (b"a", b"b", b"c")] == [True, False, True]
    assert cache.counts.evicted == 1


def test_pinned_clips_stay() -> None:
    cache = ClipCache(2 * ONE_BYTES)
    cache.put(b"greeting", clip(), pin=True)
    for key in (b"a", b"b", b"c"):
        cache.put(key, clip())
    assert cache.get(b"greeting") is not None
    assert (cache.counts.pinned, cache.counts.clips) == (1, 2)


def test_a_pinned_clip_that_is_put_again_stays_pinned() -> None:
    cache = ClipCache(2 * ONE_BYTES)
    cache.put(b"greeting", clip(), pin=True)
    cache.put(b"greeting", clip("y"))
    assert cache.counts.pinned == 1
    assert cache.get(b"greeting") == clip("y")
    assert cache.counts.held_bytes == ONE_BYTES


def test_pinning_more_than_fits_is_refused_and_changes_nothing() -> None:
    cache = ClipCache(ONE_BYTES)
    cache.put(b"a", clip(), pin=True)
    with pytest.raises(ClipTooLarge, match="max_bytes"):
        cache.put(b"b", clip(), pin=True)
    assert cache.get(b"a") is not None
    assert cache.counts.clips == 1


def test_a_clip_that_never_fits_pushes_nobody_out() -> None:
    cache = ClipCache(2 * ONE_BYTES)
    cache.put(b"a", clip())
    assert not cache.put(b"huge", Clip(b"x" * 10_000))
    assert cache.get(b"a") is not None


def test_pinning_pushes_out_what_is_loose() -> None:
    cache = ClipCache(2 * ONE_BYTES)
    cache.put(b"a", clip())
    cache.put(b"b", clip())
    cache.put(b"a", clip(), pin=True)
    cache.put(b"c", clip(), pin=True)
    assert [cache.get(key) is not None for key in (b"a", b"b", b"c")] == [True, False, True]


STEPS = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.integers(0, 1_500),
        st.sampled_from(["get", "put", "pin", "drop"]),
    )
)


@settings(max_examples=25)
@given(STEPS)
def test_never_holds_more_than_it_may_and_counts_right(steps: list[tuple[str, int, str]]) -> None:
    cache = ClipCache(3_000)
    for name, size, what in steps:
        key = name.encode()
        match what:
            case "get":
                cache.get(key)
            case "drop":
                cache.discard(key)
            case _:
                try:
                    cache.put(key, Clip(b"x" * size), pin=what == "pin")
                except ClipTooLarge:
                    continue
        held = [found for k in "abcdef" if (found := cache.get(k.encode()))]
        assert sum(found.size_bytes for found in held) == cache.counts.held_bytes <= 3_000
        assert len(held) == cache.counts.clips
