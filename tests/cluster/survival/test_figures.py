"""What callers noticed of a strike, and the verdict on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cluster.chaos.turns import ChaosTurn
from cluster.survival.act import Act, FaultRun
from cluster.survival.faults import BY_NAME, FAULTS
from cluster.survival.figures import (
    MISSED,
    NOT_SHOWN,
    NOT_VALID,
    REACHED,
    CallStory,
    Judged,
    Noticed,
    Strike,
    noticed,
)
from cluster.survival.report import NOT_RUN, exit_code, table
from cluster.survival.run import acts_of, nodes_of
from cluster.survival.silence import Silence

CALL = CallStory(0.0, 60.0, True, False, (Silence(1.0, 2.0), Silence(30.0, 33.0)), ())
TURN = ChaosTurn(0, "clip", 9.0, 11.0, "answered", 0.5, 0.5, 0.5, 0.0, 0, 0, 0, 0, False)
NOBODY = Noticed(4, 0, 0, 9, 0, 0, 1.0)


def test_only_what_meets_the_window_counts() -> None:
    lost = replace(CALL, ended_at=12.0, is_lost=True, silences=(Silence(10.5, 12.0),))
    refused = replace(
        CALL, placed_at=11.0, ended_at=11.2, was_admitted=False, silences=(), why=("busy",)
    )
    late = replace(CALL, placed_at=50.0, is_lost=True)
    turns = [
        TURN,
        replace(TURN, spoke_at=1.0, ended_at=2.0),
        replace(TURN, reply_s=float("inf"), is_failed=True, words_lost=3),
        replace(TURN, spoke_at=19.0, ended_at=21.0),
    ]
    assert noticed([CALL, lost, refused, late], turns, 10.0, 18.0) == Noticed(
        calls=2,
        calls_lost=1,
        calls_refused=1,
        turns=2,
        turns_lost=1,
        words_lost=3,
        longest_silence_s=1.5,
        longest_began_s=0.5,
        why_refused=("busy",),
    )
    assert noticed([CALL], [], 28.0, 31.0).longest_silence_s == 3.0


def test_what_the_next_strike_did_is_told_there_alone() -> None:
    lost = replace(TURN, reply_s=float("inf"), is_failed=True)  # said until 11.0
    first = noticed([CALL], [lost], 5.0, 30.5, before=31.0)
    assert (first.turns_lost, first.longest_silence_s) == (1, 1.0)
    assert noticed([CALL], [lost], 31.0, 39.0).longest_silence_s == 3.0
    just_said = noticed([CALL], [lost], 5.0, 11.5, before=12.0), noticed([CALL], [lost], 12.0, 20.0)
    assert [found.turns_lost for found in just_said] == [0, 1]
    long_ago = noticed([CALL], [lost], 14.0, 20.0)
    assert long_ago.turns == 0


def test_what_is_lost_or_refused_while_parts_come_back_is_told_until_the_next_strike() -> None:
    strikes = [Strike("listening", at, at + 8.0, whole_s=1.0) for at in (20.0, 60.0)]
    lost = replace(CALL, placed_at=15.0, ended_at=40.0, is_lost=True)
    refused = replace(CALL, placed_at=45.0, ended_at=45.2, was_admitted=False)
    last = replace(CALL, placed_at=50.0, ended_at=90.0, is_lost=True)
    act = Act([FaultRun(BY_NAME["line-cut"], strikes)], (5.0, 12.0), [lost, refused, last], [])
    (found,) = act.judged()
    told = [(each.calls_lost, each.calls_refused) for _, each in found.strikes]
    assert told == [(1, 1), (1, 0)]
    assert (act.usual.calls_lost, act.usual.calls_refused) == (0, 0)
    assert found.verdict == MISSED


def judged(name: str, found: Noticed, *, whole_s: float = 1.0, doubt: str = "") -> Judged:
    return Judged(
        BY_NAME[name],
        ((Strike("listening", 0.0, 8.0, whole_s=whole_s), found),),
        usual_s=1.2,
        doubt=doubt,
    )


@pytest.mark.parametrize(
    ("name", "found", "verdict"),
    [
        ("call-actor-kill", replace(NOBODY, longest_silence_s=1.25), REACHED),  # as usual
        ("call-actor-kill", replace(NOBODY, longest_silence_s=1.5), MISSED),
        ("call-actor-hang", replace(NOBODY, longest_silence_s=2.0), REACHED),
        ("directory-kill", replace(NOBODY, longest_silence_s=1.2), REACHED),
        ("directory-kill", replace(NOBODY, longest_silence_s=1.4), MISSED),
        ("ingress-kill", replace(NOBODY, longest_silence_s=2.7), REACHED),
        ("ingress-kill", replace(NOBODY, longest_silence_s=2.9), MISSED),
        ("ingress-kill", replace(NOBODY, calls_lost=1), MISSED),
        ("ingress-kill", replace(NOBODY, calls_refused=1), MISSED),
        ("ingress-kill", replace(NOBODY, turns_lost=2), REACHED),  # told, not promised
    ],
)
def test_a_verdict_is_about_calls_and_silence(name: str, found: Noticed, verdict: str) -> None:
    assert judged(name, found).verdict == verdict


def test_who_does_not_come_back_has_missed_and_who_was_late_proves_nothing() -> None:
    assert judged("directory-kill", NOBODY, whole_s=float("inf")).verdict == MISSED
    assert judged("directory-kill", NOBODY, doubt="late").verdict == NOT_VALID
    good, bad = judged("directory-kill", NOBODY), judged("ingress-kill", NOBODY, doubt="late")
    assert exit_code([good]) == 0
    assert exit_code([good, bad]) == 3
    assert exit_code([]) == 3
    assert good.as_dict()["strikes"][0]["whole_s"] == 1.0


def struck(*met: int | None, found: Noticed = NOBODY) -> Judged:
    strikes = [Strike("listening", 0.0, 8.0, whole_s=1.0, met=each) for each in met]
    return Judged(BY_NAME["node-kill"], tuple((each, found) for each in strikes), usual_s=1.2)


def test_a_strike_that_met_nobody_reaches_nothing() -> None:
    assert struck(3, 2).verdict == REACHED
    assert struck(None).verdict == REACHED, "that of a process whose calls nobody counts"
    some, none = struck(3, 0), struck(0, 0)
    assert (some.verdict, none.verdict) == (REACHED, NOT_SHOWN)
    assert struck(0, 0, found=replace(NOBODY, calls_refused=1)).verdict == MISSED
    assert exit_code([some]) == 0
    assert exit_code([some, none]) == 3
    shown = table([struck(3, 2), some, none])
    assert list(shown.columns[1].cells) == ["2", "2 (1 met nobody)", "2 (2 met nobody)"]
    assert str(list(shown.columns[-1].cells)[2]).startswith(NOT_SHOWN)
    assert some.as_dict()["strikes_that_met_nobody"] == 1


def test_the_table_says_what_was_not_run_and_why() -> None:
    shown = table([judged("directory-kill", NOBODY)], [(BY_NAME["gcs-kill"], "no redis")])
    assert list(shown.columns[0].cells) == ["directory killed", "GCS killed"]
    assert str(list(shown.columns[-1].cells)[1]) == f"{NOT_RUN}: no redis"


def test_the_cache_the_database_and_several_nodes_have_acts_of_their_own() -> None:
    acts = acts_of(FAULTS)
    assert sorted(fault.name for act in acts for fault in act) == sorted(f.name for f in FAULTS)
    parts = [{fault.part for fault in act} for act in acts]
    assert {"cache"} in parts
    assert {"database"} in parts
    assert {"node", "gcs"} in parts
    assert {"release", "replicas"} in parts
    assert {"node"} in parts
    assert len(acts) == 6
    assert [nodes_of(act) for act in acts] == [1, 1, 2, 3, 2, 1]
