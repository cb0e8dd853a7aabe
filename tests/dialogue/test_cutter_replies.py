"""What telephone agents really say, in 58 languages, cut as it is streamed."""

from __future__ import annotations

import statistics
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cutter import stream
from benchmarks.reply_corpus import MarkedReply, languages, read_reply, replies, tokens
from dialogue.cutter import SegmentCutter

EVERY = [reply for tag in languages() for reply in replies(tag)]


def cut(reply: MarkedReply, edges: list[int]) -> list[str]:
    cutter = SegmentCutter(reply.language)
    at = sorted({0, len(reply.text), *(min(edge, len(reply.text)) for edge in edges)})
    pieces = [reply.text[start:end] for start, end in pairwise(at)]
    return [segment for piece in pieces for segment in cutter.feed(piece)] + cutter.finish()


def test_the_corpus_speaks_many_languages() -> None:
    assert len(languages()) >= 50
    assert len(replies("en-US")) >= 20


@pytest.mark.parametrize("tag", languages())
def test_no_reply_is_cut_where_no_voice_would_pause(tag: str) -> None:
    bad = [cut for reply in replies(tag) for cut in reply.bad_cuts(stream(reply).segments)]
    assert bad == []


@pytest.mark.parametrize(("tag", "most_tokens"), [("en-US", 10), ("zh-HK", 7.5), ("zh-CN", 6.5)])
def test_the_first_segment_comes_soon(tag: str, most_tokens: float) -> None:
    assert statistics.fmean(stream(reply).at_token[0] for reply in replies(tag)) <= most_tokens


def test_no_reply_of_two_sentences_waits_for_all_of_it() -> None:
    assert [reply.text for reply in EVERY if stream(reply).is_whole] == []


def test_a_cut_where_none_may_be_is_found() -> None:
    reply = read_reply("That is 1,000 in all.| Good?", "en-US")
    assert reply.bad_cuts(["That is 1,000 in all.", "Good?"]) == []
    assert reply.bad_cuts(["That is 1,", "000 in all.", "Good?"]) == ["Thatis1,✂000inall.Goo"]
    with pytest.raises(ValueError, match="is not what"):
        reply.bad_cuts(["That is 1,000", "Good?"])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(EVERY), st.lists(st.integers(0, 200), max_size=8))
def test_segments_do_not_depend_on_the_deltas(reply: MarkedReply, edges: list[int]) -> None:
    assert cut(reply, edges) == cut(reply, [])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(EVERY))
def test_joined_they_are_the_reply(reply: MarkedReply) -> None:
    joined = "".join("".join(stream(reply).segments).split())
    whole = "".join(reply.text.split())
    assert joined == whole or joined == whole.replace("……", "…")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.sampled_from([*languages(), "xx"]))
def test_tokens_joined_are_the_text(text: str, tag: str) -> None:
    assert "".join(tokens(text, tag)) == text
