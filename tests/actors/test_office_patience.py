"""A back office that hangs is ended; one that is slow to start is not ended for ever."""

from __future__ import annotations

from actors.office_patience import OfficePatience

ASK_EVERY_S = 2.0
FIRST_S, MOST_S = 10.0, 160.0


def asked_until(patience: OfficePatience, now: float, until: float) -> list[float]:
    """When it was ended, of one that never answers."""
    ended = []
    while now < until:
        if patience.silent(now):
            ended.append(now)
        now += ASK_EVERY_S
    return ended


def test_one_that_answers_is_never_ended_for_a_silence_that_was_shorter() -> None:
    patience = OfficePatience(FIRST_S, MOST_S)
    for now in range(0, 1_000, 10):
        assert asked_until(patience, now, now + FIRST_S) == []
        patience.answered()


def test_one_that_hangs_is_ended_and_given_twice_as_long_each_time() -> None:
    patience = OfficePatience(FIRST_S, MOST_S)
    ended = asked_until(patience, 0.0, 900.0)
    gaps = [round(b - a, 1) for a, b in zip([0.0, *ended], ended, strict=False)]
    assert gaps == [12.0, 22.0, 42.0, 82.0, 162.0, 162.0, 162.0, 162.0]
    patience.answered()
    assert asked_until(patience, 1_000.0, 1_013.0) == [1_012.0]


def test_being_away_takes_no_patience_and_gives_none_back() -> None:
    patience = OfficePatience(FIRST_S, MOST_S)
    assert asked_until(patience, 0.0, 13.0) == [12.0]
    patience.away()
    assert asked_until(patience, 20.0, 43.0) == [42.0]


def test_three_replicas_let_one_come_up_that_takes_a_minute() -> None:
    replicas = [OfficePatience(FIRST_S, MOST_S) for _ in range(3)]
    starts_for_s, begun_at, now = 60.0, 0.0, 0.0
    while now - begun_at < starts_for_s:
        for late_s, replica in enumerate(replicas):
            if now >= 3 * late_s and replica.silent(now):
                begun_at = now
        now += ASK_EVERY_S
        assert now < 900.0, "it never came up"
