"""The sum of what workers may use never exceeds the limit, whatever happens to messages."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from providers.health.quota import GRACE_S, LEASE_S, Lease, QuotaDesk, QuotaPurse, Wish

LIMIT = 20
NAMES = ("ann", "bob", "cid")
actions = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(["take", "give", "wish", "carry", "answer", "lose", "double", "wait"]),
        st.integers(0, 30),
    ),
    max_size=120,
)


@settings(max_examples=200, deadline=None)
@given(actions)
def test_the_limit_holds(script: list[tuple[str, str, int]]) -> None:
    desk, now = QuotaDesk(LIMIT), 0.0
    purses = {name: QuotaPurse(name) for name in NAMES}
    wishes: list[Wish] = []
    answers: list[tuple[str, Lease]] = []
    for name, what, number in script:
        purse = purses[name]
        if what == "take":
            purse.take(now=now)
        elif what == "give":
            purse.give_back()
        elif what == "wish":
            wishes.append(purse.wish(number, now=now))
        elif what == "carry" and wishes:
            wish = wishes.pop(number % len(wishes))
            if lease := desk.receive(wish, now=now):
                answers.append((wish.worker, lease))
        elif what == "answer" and answers:
            worker, lease = answers.pop(number % len(answers))
            purses[worker].answered(lease)
        elif what == "lose" and answers:
            answers.pop()
        elif what == "double" and answers:
            answers.append(answers[0])
        elif what == "wait":
            now += number / 100  # far below the lease
        assert sum(purse.held for purse in purses.values()) <= LIMIT
        assert all(purse.in_use <= purse.held for purse in purses.values())


def exchange(desk: QuotaDesk, purse: QuotaPurse, want: int, now: float) -> None:
    lease = desk.receive(purse.wish(want, now=now), now=now)
    assert lease is not None
    purse.answered(lease)


def test_each_that_wants_some_gets_some() -> None:
    desk = QuotaDesk(LIMIT)
    purses = [QuotaPurse(name) for name in NAMES]
    exchange(desk, purses[0], LIMIT, 0.0)
    for _ in range(4):
        assert purses[0].take(now=0.0)
    for step in range(4):
        for purse in purses:
            exchange(desk, purse, 15, float(step))
    assert all(purse.held >= LIMIT // len(NAMES) - 1 for purse in purses)


def test_a_worker_out_of_touch_uses_nothing_new_and_is_counted_no_more_later() -> None:
    desk, ann, bob = QuotaDesk(LIMIT), QuotaPurse("ann"), QuotaPurse("bob")
    exchange(desk, ann, LIMIT, 0.0)
    assert ann.held == LIMIT
    assert not ann.take(now=LEASE_S + 0.1)
    exchange(desk, bob, LIMIT, LEASE_S + 1)
    assert bob.held == 0
    exchange(desk, bob, LIMIT, LEASE_S + GRACE_S + 0.1)
    assert bob.held == LIMIT


def test_a_limit_that_shrinks_is_reached_by_asking_back() -> None:
    desk, ann = QuotaDesk(LIMIT), QuotaPurse("ann")
    exchange(desk, ann, LIMIT, 0.0)
    for _ in range(12):
        ann.take(now=0.0)
    desk.limit = 8
    exchange(desk, ann, LIMIT, 1.0)
    exchange(desk, ann, LIMIT, 2.0)
    assert ann.held == 12, "nothing in use is cut"
    for _ in range(12):
        ann.give_back()
    exchange(desk, ann, LIMIT, 3.0)
    exchange(desk, ann, LIMIT, 4.0)
    assert ann.held <= 8
