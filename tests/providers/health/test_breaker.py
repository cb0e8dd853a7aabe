"""Tables of events for the breaker of one unit."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from providers.health.breaker import TRANSITIONS, Breaker, ramp_share, trip_reason
from providers.health.evidence import Recent
from providers.health.policy import HealthPolicy, policy_of
from tests.providers.health.clockwork import START_S, middle, never

POLICY = HealthPolicy()
RUN = Recent(run=4, bad=4, last_bad_s=START_S)


def breaker() -> Breaker:
    return Breaker(POLICY, never)


def opened(at_s: float = START_S) -> Breaker:
    made = breaker()
    made.judge(replace(RUN, last_bad_s=at_s), now=at_s)
    assert made.state == "open"
    return made


def probe(made: Breaker, *, ok: bool, at_s: float) -> None:
    assert made.probe_due(now=at_s)
    made.probe_answered(made.probe_sent(now=at_s), ok=ok, now=at_s)


@pytest.mark.parametrize(
    ("recent", "reason"),
    [
        (Recent(run=3, bad=3, good=7, fading_share=0.39), ""),
        (Recent(run=4, bad=4), "run"),
        (Recent(good=5, bad=4, fading_share=0.9), ""),
        (Recent(good=6, bad=4, fading_share=0.4), "share"),
        (Recent(good=9, bad=1, fading_share=0.5), ""),
        (Recent(good=8, bad=2, fading_share=0.4), "share"),
        (Recent(good=20, bad=1, lately=((21, 1), (60, 4), (83, 5))), "steady"),
        (Recent(good=20, bad=1, lately=((21, 1), (60, 5), (400, 6))), "steady"),
        (Recent(good=20, bad=1, lately=((21, 1), (40, 4))), ""),
        (Recent(good=20, bad=1, lately=((21, 1), (84, 5), (101, 6))), ""),
        (Recent(good=20, slow_of=20, slow_share=0.2), "slow"),
        (Recent(good=19, slow_of=19, slow_share=0.9), ""),
    ],
)
def test_what_opens(recent: Recent, reason: str) -> None:
    assert trip_reason(recent, POLICY) == reason


def test_who_came_back_just_now_is_on_probation() -> None:
    recent = Recent(good=20, bad=1, lately=((21, 1), (40, 3)))
    assert trip_reason(recent, POLICY) == ""
    assert trip_reason(recent, POLICY, is_back=True) == "steady"


def test_one_doubt_makes_suspect_and_calm_ends_it() -> None:
    made = breaker()
    made.judge(Recent(run=1, bad=1, last_bad_s=START_S), now=START_S)
    assert (made.state, made.usable) == ("suspect", True)
    assert made.next_deadline() == START_S + POLICY.suspect_s
    made.handle_deadline(now=START_S + POLICY.suspect_s - 0.01)
    assert made.state == "suspect"
    made.handle_deadline(now=START_S + POLICY.suspect_s)
    assert made.state == "closed"


def test_only_three_good_probes_in_a_row_close() -> None:
    made = opened()
    probe(made, ok=True, at_s=START_S + 1)
    probe(made, ok=True, at_s=START_S + 2)
    probe(made, ok=False, at_s=START_S + 3)
    assert (made.state, made.usable) == ("open", False)
    for step in range(3):
        assert not made.usable
        probe(made, ok=True, at_s=START_S + 10 + step)
    assert (made.state, made.recoveries) == ("closed", 1)


@pytest.mark.parametrize(
    ("recent", "probes"),
    [
        (Recent(good=8, bad=2, fading_share=0.4), POLICY.good_probes_partial),
        (Recent(good=20, bad=1, lately=((21, 1), (60, 5))), POLICY.good_probes_steady),
    ],
)
def test_who_fails_a_part_of_the_requests_passes_three_probes_by_luck(
    recent: Recent, probes: int
) -> None:
    made = breaker()
    made.judge(recent, now=START_S)
    for step in range(1, probes + 1):
        assert (made.state, made.usable) != ("closed", True)
        probe(made, ok=True, at_s=START_S + 10 * step)
    assert made.usable
    made.judge(replace(RUN, last_bad_s=START_S + 300), now=START_S + 300)  # and now all fail
    for step in range(POLICY.good_probes):
        assert not made.usable
        probe(made, ok=True, at_s=START_S + 310 + 10 * step)
    assert made.usable


def test_of_streams_few_are_seen_and_each_says_more() -> None:
    policy = policy_of("stt.first_partial", POLICY)
    half = Recent(run=1, good=2, bad=2, fading_share=0.5, last_bad_s=START_S)
    assert trip_reason(half, policy) == "share"
    assert policy_of("llm.ttft", POLICY) is POLICY
    assert trip_reason(half, POLICY) == ""


def test_good_live_requests_do_not_close() -> None:
    made = opened()
    made.judge(Recent(good=100), now=START_S + 1)
    assert made.state == "open"


def test_gaps_between_failed_probes_grow_and_are_capped() -> None:
    made, now, gaps = opened(), START_S, []
    for _ in range(8):
        due_s = made.next_deadline()
        assert due_s is not None
        gaps.append(round(due_s - now, 6))
        now = due_s
        probe(made, ok=False, at_s=now)
    assert gaps == [1.0, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]


def test_a_probe_without_an_answer_has_failed() -> None:
    made = opened()
    number = made.probe_sent(now=START_S + 1)
    assert made.state == "half_open"
    assert not made.usable
    made.handle_deadline(now=START_S + 1 + POLICY.probe_timeout_s)
    assert made.state == "open"
    made.probe_answered(number, ok=True, now=START_S + 4)  # too late
    assert made.state == "open"


def test_retry_after_extends_and_never_shortens() -> None:
    made = breaker()
    made.shut(START_S + 10, "busy", now=START_S)
    assert (made.state, made.reason) == ("open", "busy")
    assert made.next_deadline() == START_S + 10
    made.shut(START_S + 60, "busy", now=START_S + 1)
    assert made.next_deadline() == START_S + 60
    made.shut(START_S + 5, "busy", now=START_S + 2)
    assert made.next_deadline() == START_S + 60
    assert not made.probe_due(now=START_S + 59.9)


def test_what_the_provider_asks_while_it_is_probed_ends_the_probe() -> None:
    made = opened()
    made.probe_sent(now=START_S + 1)
    made.shut(START_S + 30, "busy", now=START_S + 1.1)
    assert made.state == "open"
    assert made.next_deadline() == START_S + 30


def test_probers_do_not_march_in_step() -> None:
    made = Breaker(POLICY, middle)
    made.judge(RUN, now=START_S)
    assert made.next_deadline() == START_S + 1.1


def test_the_ramp_takes_new_calls_back_by_and_by() -> None:
    shares = [ramp_share(0.0, POLICY, now=now) for now in (0.0, 2.9, 3.0, 9.9, 10.0, math.inf)]
    assert shares == [0.1, 0.1, 0.5, 0.5, 1.0, 1.0]
    assert breaker().share_of_new_calls(now=START_S) == 1.0


def test_flapping_demotes() -> None:
    made, now = opened(), START_S
    for _ in range(2):
        assert made.demoted_until_s == -math.inf
        made.recovered(now=now + 5)
        now += 10
        made.judge(replace(RUN, last_bad_s=now), now=now)
    assert made.openings == 3
    assert made.demoted_until_s == now + POLICY.demote_s
    made.recovered(now=now + 5)
    assert made.share_of_new_calls(now=now + 100) < 1.0


def test_five_seconds_up_and_five_down_open_at_most_three_times_a_minute() -> None:
    """A breaker that live requests close would open six times."""
    made, now = breaker(), START_S
    while now < START_S + 60:
        is_down = (now - START_S) % 10 < 5
        made.handle_deadline(now=now)
        if made.usable and is_down:
            made.judge(replace(RUN, last_bad_s=now), now=now)
        if made.probe_due(now=now):
            made.probe_answered(made.probe_sent(now=now), ok=not is_down, now=now)
        now += 0.1
    assert 1 <= made.openings <= 3


def test_no_transition_goes_from_open_to_use_but_by_recovery() -> None:
    ways = {trigger for (state, trigger), to in TRANSITIONS.items() if to == "closed"}
    assert ways == {"calm", "recovered"}
