"""What ``make bench-cache`` counts, on streams that are small enough to count by hand."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cache import baselines, crowd, gptcache_stream, near_misses, parity
from benchmarks.cache.data import FOLDER, Pair, Turn, TurnsInvalid, pairs, shuffled, turns
from benchmarks.cache.stream import Kept, Remembering, Score, run
from cache.encoder import Vector
from cache.lookup import ResponseCache


class WordVectors:
    """Each word has a direction of its own; equal words, equal vectors."""

    name = "words"
    dimension = 64

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, text: str) -> Vector:
        self.encoded.append(text)
        total = np.zeros(self.dimension)
        for word in text.split():
            total += np.random.default_rng(zlib.crc32(word.encode())).standard_normal(64)
        return (total / (np.linalg.norm(total) or 1.0)).astype(np.float32)

    def unknown_ratio(self, text: str) -> float:
        return 0.0 if text else 1.0


def test_scores_of_two_streams_add_up() -> None:
    one, other = Score(), Score()
    one.add(is_hit=True, is_wrong=True, is_late=False)
    one.add(is_hit=False, is_wrong=False, is_late=True)
    other.add(is_hit=True, is_wrong=False, is_late=True)
    both = one + other
    assert (both.turns, both.hits, both.wrong) == (3, 2, 1)
    assert (both.late_turns, both.late_hits, both.late_wrong) == (2, 1, 0)
    assert str(both).startswith("66.67 % hits, 50.00 % wrong")


def test_what_is_said_again_is_a_hit_from_the_third_caller_on() -> None:
    rows = [Turn("where is your office in town", "office")] * 5
    score = run(rows, WordVectors(), 1, Kept.ANSWERS, 0.06)
    assert (score.turns, score.hits, score.wrong) == (5, 3, 0)


def test_lines_of_business_are_agents_of_their_own() -> None:
    rows = [Turn("it is a brand new one", f"{line}:new") for line in ("bank", "hotel") * 2]
    score = run(rows, WordVectors(), 1, Kept.ANSWERS, 0.06)
    assert (score.turns, score.hits) == (4, 0)
    assert Turn("hello", "greet").line == ""


def test_a_threshold_serves_the_second_caller_and_is_wrong_where_words_mislead() -> None:
    rows = [Turn("open my account now", "open"), Turn("open my account now", "other")]
    score = baselines.plain(rows, WordVectors(), 0.9)
    assert (score.hits, score.wrong) == (1, 1)


def test_a_text_is_encoded_once() -> None:
    plain = WordVectors()
    known = Remembering(plain)
    assert known.encode("hello there") is known.encode("hello there")
    assert plain.encoded == ["hello there"]
    assert (known.name, known.dimension) == ("words", 64)


def test_pairs_are_counted_by_what_should_have_been() -> None:
    rows = [
        Pair("number", False, "a table for two people", "a table for four people"),
        Pair("order", True, "do you have a pool", "do you have a pool"),
        Pair("paraphrase", True, "where do i park", "is there anything for my car"),
    ]
    accepted = near_misses.accepted(rows, WordVectors())
    assert (accepted.different, accepted.of_different) == (0, 1)
    assert (accepted.same, accepted.of_same) == (1, 2)
    assert near_misses.by_category(accepted) == "paraphrase refused 1"


@pytest.mark.parametrize("name", [f"minimal_pairs_{letter}" for letter in "abcd"])
def test_every_pair_differs_and_is_there_once(name: str) -> None:
    rows = pairs(FOLDER / f"{name}.tsv")
    assert all(pair.one != pair.other for pair in rows)
    assert len({(pair.one, pair.other) for pair in rows}) == len(rows)


def test_an_order_is_decided_by_its_seed_alone() -> None:
    rows = turns(FOLDER / "nlupp.jsonl.gz")
    assert shuffled(rows, 1, 50) == shuffled(rows, 1)[:50]
    assert shuffled(rows, 1, 50) != shuffled(rows, 2, 50)
    assert {turn.text for turn in shuffled(rows, 3)} == {turn.text for turn in rows}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "holds no turn"),
        (b"\xff", "cannot be read"),
        (b'{"text": "a", "answer": "b"}\n{"text": "a"}', ":2: one"),
        (b'{"text": 1, "answer": "b"}', ":1: one"),
        (b"[]", ":1: one"),
        (b"no json", ":1: one"),
    ],
)
def test_turns_of_others_that_cannot_be_read(tmp_path: Path, data: bytes, why: str) -> None:
    file = tmp_path / "turns.jsonl"
    file.write_bytes(data)
    with pytest.raises(TurnsInvalid, match=why):
        turns(file)
    with pytest.raises(TurnsInvalid, match="cannot be read"):
        turns(tmp_path / "nowhere.jsonl")
    with pytest.raises(TurnsInvalid, match="cannot be read"):
        turns(file.rename(tmp_path / "turns.jsonl.gz") if data else tmp_path / "none.gz")


def test_all_askers_of_a_crowd_are_timed() -> None:
    said = crowd.measure(ResponseCache(64), WordVectors(), ["one", "two", "three"], rounds=1)
    assert len(said.took_ms) == 3
    assert said.without == 0


@pytest.mark.parametrize(("threshold", "cosine"), [(0.8, 0.6), (0.95, 0.9), (1.0, 1.0)])
def test_the_scale_of_gptcache(threshold: float, cosine: float) -> None:
    assert gptcache_stream.cosine_of(threshold) == pytest.approx(cosine)


def test_absent_packages_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert not gptcache_stream.is_installed()
    assert not parity.is_installed()
