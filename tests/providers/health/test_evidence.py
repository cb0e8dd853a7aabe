"""What was seen lately, over ten seconds and over a minute."""

from __future__ import annotations

from providers.health.evidence import STEADY_WINDOW_S, WINDOW_S, Evidence, Window


def test_a_small_share_shows_over_a_minute_where_few_calls_are_made() -> None:
    """One in ten of one call a second: no ten seconds of it hold more than one bad one."""
    window = Window()
    for second in range(100, 170):
        if second % 10 == 7:
            window.bad(now=second + 0.5)
        else:
            window.good(now=second + 0.5)
    recent = window.recent(now=169.9)
    assert (recent.good, recent.bad) == (9, 1)
    attempts, bad = recent.lately[-1]
    assert 5 <= bad <= 6
    assert 9 * bad <= attempts <= 11 * bad
    assert list(recent.lately) == sorted(recent.lately)
    assert len(window.sighting().seconds) <= WINDOW_S + STEADY_WINDOW_S // WINDOW_S + 1


def test_what_is_older_than_a_minute_is_forgotten() -> None:
    window = Window()
    for second in range(100, 110):
        window.bad(now=float(second))
    for second in range(110, 180):
        window.good(now=float(second))
    assert window.recent(now=179.0).lately[-1][1] == 0


def test_what_was_seen_before_it_came_back_is_forgotten_for_the_minute_too() -> None:
    window = Window()
    for second in range(100, 120):
        window.bad(now=float(second))
    window.good(now=140.0)
    assert window.recent(now=141.0).lately[-1] == (21, 20)
    assert window.recent(now=141.0, since_s=125.0).lately == ((1, 0),)


def test_the_minute_of_several_reporters_adds_up() -> None:
    evidence = Evidence()
    for name in ("a", "b"):
        window = Window()
        for second in range(100, 150):
            if second % 10 == 0:
                window.bad(now=float(second))
            else:
                window.good(now=float(second))
            evidence.put(name, window.sighting(second))
    assert evidence.recent(now=149.5).lately[-1] == (100, 10)
