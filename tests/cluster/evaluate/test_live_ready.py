"""Answers that are ready in a live run: whose, which, and how many were really given."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest

from cache.question import ask
from cache.scope import Scope
from cluster.agents import load_agents
from cluster.emulator_script import load_script
from cluster.errors import DemoFailed
from cluster.evaluate import live_ready
from cluster.evaluate.accounted import accounted
from cluster.evaluate.live_dialogue import dialogues, text_of
from cluster.evaluate.live_ready import cards, import_cards, ready_turns, told
from cluster.evaluate.live_stage import agent_id, agent_text, script_text
from simulation.corpus import CorpusPlan, build_corpus
from simulation.corpus_manifest import read_recordings
from simulation.openai_replies import answer as model_answer
from tests.cluster.evaluate.call_by_hand import turn

TURNS = build_corpus(read_recordings().clips, CorpusPlan(turns=240, seed=3))
READY = ready_turns(TURNS, 0.6, seed=3)
CALLS, REPLIES = dialogues(TURNS, 3, READY)


def test_the_share_holds_in_every_language() -> None:
    by_id = {each.turn_id: each for each in TURNS}
    wanted = Counter(each.language for each in TURNS if each.kind != "backchannel")
    chosen = Counter(by_id[each].language for each in READY)
    assert chosen == {language: round(0.6 * count) for language, count in wanted.items()}
    assert {by_id[each].kind for each in READY}.isdisjoint({"yes_no", "backchannel"})
    assert ready_turns(TURNS, 0.6, seed=3) == READY != ready_turns(TURNS, 0.6, seed=4)
    assert ready_turns(TURNS, 0.0, seed=3) == frozenset()


def test_what_the_cache_would_not_keep_is_never_ready() -> None:
    """Four digits mean nothing without what was asked: such a card would end the run's start."""
    turns = build_corpus(read_recordings().clips, CorpusPlan(turns=300, seed=1))
    ready = ready_turns(turns, 0.6, seed=1)
    scopes = {each.turn_id: Scope("", "", "", "", "", each.language) for each in turns}
    asked = {each.turn_id: ask(text_of(each), scopes[each.turn_id]) for each in turns}
    assert any(question.depends_on_before for question in asked.values())
    assert not any(asked[turn_id].depends_on_before for turn_id in ready)


def test_ready_turns_have_calls_of_their_own() -> None:
    said = Counter((call.is_ready, each.turn_id in READY) for call in CALLS for each in call.turns)
    assert set(said) == {(True, True), (False, False)}
    assert 0.55 < said[True, True] / said.total() < 0.65


def test_nobody_repeats_what_the_cache_has_just_answered() -> None:
    """Who asks the same again within two turns is answered by the model."""
    for call in CALLS:
        texts = [text_of(each) for each in call.turns]
        if call.is_ready:
            assert all(text not in texts[max(0, n - 2) : n] for n, text in enumerate(texts))


def test_the_cache_says_what_the_model_would_have_said(tmp_path: Path) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(script_text(REPLIES), "utf-8")
    script = load_script(path).replies
    known = {lang: dict(some) for lang, some in cards(CALLS, REPLIES, 3).items()}
    compared = 0
    for call in (each for each in CALLS if each.is_ready):
        for each in call.turns:
            said = known[call.language][text_of(each)]
            if each.kind == "digits":
                assert not any(word.text in said.lower().split() for word in each.words)
            else:
                asked = [{"role": "user", "content": text_of(each)}]
                assert said == model_answer(asked, [], script).text
                compared += 1
    assert compared >= 80


def test_without_ready_answers_there_is_nothing_to_import() -> None:
    assert cards(dialogues(TURNS, 3)[0], REPLIES, 3) == {}


def test_only_agents_with_ready_answers_ask_the_cache(tmp_path: Path) -> None:
    for is_ready in (False, True):
        name = agent_id("en-US", is_ready=is_ready)
        text = agent_text("en-US", "azure", {}, is_ready=is_ready)
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    agents = load_agents(tmp_path, "default")
    assert not agents["evaluate-en-us"].response_cache.is_on
    reuse = agents["evaluate-en-us-ready"].response_cache
    assert (reuse.is_on, reuse.learns, reuse.similar) == (True, False, False)


@pytest.mark.parametrize(
    ("script", "is_refused"),
    [("print('1 of 1')", False), ("print('1 not kept: personal')", True), ("exit(2)", True)],
)
def test_answers_that_the_cache_did_not_take_end_the_run(
    script: str, is_refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_ready, "_IMPORT", (sys.executable, "-c", script))
    if is_refused:
        with pytest.raises(DemoFailed, match="could not be imported"):
            asyncio.run(import_cards("a", [("q", "a")], {}, tmp_path))
    else:
        asyncio.run(import_cards("a", [("q", "a")], {}, tmp_path))
    assert (tmp_path / "a.jsonl").read_text("utf-8") == '{"question": "q", "answer": "a"}\n'


def test_what_the_cache_really_answered_is_told() -> None:
    said = told(["a", "b", "c"], ["a", "b"], 5)
    assert "3 turns were said" in said
    assert "answered 2 of 5 turns (40 %)" in said


# --- every turn is accounted for ----------------------------------------------------------------


def test_turns_that_are_in_no_table_are_named() -> None:
    turns = [
        turn("a"),
        turn("b", "backchannel"),
        turn("c", "digits"),
        turn("d", "backchannel"),
        turn("e", "paused"),
    ]
    assert accounted(turns, {"a", "b", "e"}, {"a"}) == (
        "5 labelled turns: 1 measured; 1 backchannels, which want no answer; 2 without a place in"
        " a dialogue (1 digits, 1 backchannel); 1 said and not measured, since the call was over"
        " or they were said into a late reply (1 paused)"
    )


def test_a_run_that_measured_all_says_no_more() -> None:
    assert accounted([turn("a")], {"a"}, {"a"}) == "1 labelled turns: 1 measured"
