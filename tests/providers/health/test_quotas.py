"""What one process may ask of its providers: units in calls, reservations, rates, a desk away."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.health.errors import HealthDataInvalid
from providers.health.quota import LEASE_S, QuotaDesk
from providers.health.quotas import (
    RATE_S,
    RESERVED_S,
    QuotaLimit,
    Quotas,
    lease_of,
    wish_of,
)

STREAMS = QuotaLimit("recognise", "azure", 10)
RATE = QuotaLimit("think", "openai", 5, per_minute=True)


class Scene:
    """A desk for each limit and the quotas of some processes, on one clock."""

    def __init__(self, *limits: QuotaLimit, names: str = "ab") -> None:
        self.now = 0.0
        self.desks = {limit.key: QuotaDesk(limit.units) for limit in limits}
        self.of = {name: Quotas(name, limits, lambda: self.now) for name in names}
        for quotas in self.of.values():
            for limit in limits:
                quotas.limits(limit.work, limit.provider)

    def exchange(self, *names: str) -> None:
        for name in names or tuple(self.of):
            leases: dict[str, Any] = {}
            for key, plain in self.of[name].wishes().items():
                limit, wish = wish_of(name, plain)
                assert limit == self.desks[key].limit
                lease = self.desks[key].receive(wish, now=self.now)
                assert lease is not None
                leases[key] = [lease.number, lease.added, lease.asked_back, lease.fullness]
            self.of[name].answered(leases)

    def begin(self, name: str, work: str = "recognise", provider: str = "azure") -> Any:
        return self.of[name].begin(work, provider)


def test_nothing_is_limited_that_has_no_limit() -> None:
    quotas = Quotas()
    assert not quotas.is_limited
    assert not quotas.limits("speak", "elevenlabs")
    assert quotas.reserve("call", "recognise", ("azure",))
    assert quotas.has_room("think", ("openai",))
    quotas.begin("speak", "elevenlabs")()
    assert quotas.fullness("speak", "elevenlabs") == 0.0


def test_what_is_in_use_is_known_to_all_and_given_back() -> None:
    scene = Scene(STREAMS)
    scene.exchange()
    ends = [scene.begin("a") for _ in range(4)]
    scene.exchange("a", "b")
    assert scene.of["b"].fullness("recognise", "azure") == pytest.approx(0.4)
    for end in ends:
        end()
        end()  # closing twice is closing once
    scene.exchange("a", "b")
    assert scene.of["b"].fullness("recognise", "azure") == 0.0


def test_one_that_needs_nearly_all_gets_it_while_the_other_is_idle() -> None:
    scene = Scene(STREAMS)
    for _ in range(8):
        scene.exchange()
        assert scene.of["a"].reserve(str(len(scene.of)), "recognise", ("azure",))
        scene.of["a"].begin("recognise", "azure")
        scene.of["a"].begun("2")
    assert scene.of["a"].status()["recognise.azure"]["in_use"] == 8


def test_a_call_beyond_the_limit_is_not_reserved_and_one_that_is_in_goes_on() -> None:
    scene = Scene(STREAMS)
    for _ in range(10):
        scene.exchange()
        scene.begin("a")
    scene.exchange("b", "a", "b")
    for name in ("a", "b"):
        assert not scene.of[name].reserve("call", "recognise", ("azure",))
    assert scene.of["b"].reserve("call", "recognise", ("azure", "deepgram")), "has no limit"
    end = scene.begin("b")  # a stream that has to be opened again
    scene.exchange("b")
    assert scene.of["b"].fullness("recognise", "azure") == pytest.approx(1.1)
    end()


def test_a_reservation_is_for_its_call_or_ends_by_itself() -> None:
    scene = Scene(STREAMS)
    scene.exchange()
    ann = scene.of["a"]
    assert ann.reserve("here", "recognise", ("azure",))
    assert ann.reserve("here", "recognise", ("azure",)), "a webhook that is repeated"
    assert ann.status()["recognise.azure"]["in_use"] == 1
    assert ann.reserve("elsewhere", "recognise", ("azure",))
    ann.begun("here")
    assert ann.status()["recognise.azure"]["in_use"] == 1
    scene.now = RESERVED_S
    scene.exchange("a")
    assert ann.status()["recognise.azure"]["in_use"] == 0


def test_a_rate_is_so_many_requests_in_any_minute() -> None:
    scene = Scene(RATE)
    scene.exchange()
    for second in range(5):
        scene.now = float(second)
        scene.begin("a", "think", "openai")()
        scene.exchange()
    assert not scene.of["b"].has_room("think", ("openai",))
    assert scene.of["b"].has_room("think", ("openai", "openrouter"))
    scene.now = RATE_S - 0.1
    scene.exchange()
    assert scene.of["b"].fullness("think", "openai") == 1.0
    scene.now = RATE_S + 1.0
    scene.exchange()
    assert scene.of["b"].fullness("think", "openai") == pytest.approx(3 / 5)


def test_while_the_desk_is_away_nothing_is_limited() -> None:
    scene = Scene(STREAMS)
    assert scene.of["a"].reserve("before its first answer", "recognise", ("azure",))
    for _ in range(10):
        scene.exchange()
        scene.begin("a")
    scene.exchange("a")
    assert not scene.of["a"].has_room("recognise", ("azure",))
    scene.now = LEASE_S + 0.1
    assert scene.of["a"].has_room("recognise", ("azure",))
    assert scene.of["a"].reserve("call", "recognise", ("azure",))


def test_who_needs_more_than_it_holds_says_so_at_once() -> None:
    scene = Scene(STREAMS)
    scene.exchange()
    short: list[bool] = []
    scene.of["a"].on_short = lambda: short.append(True)
    scene.begin("a")
    assert not short
    scene.begin("a")
    assert short


def test_who_makes_no_such_requests_holds_nothing_and_knows_how_full_it_is() -> None:
    scene = Scene(STREAMS, names="a")
    looker = scene.of["b"] = Quotas("b", [STREAMS], lambda: scene.now)
    scene.exchange()
    scene.begin("a")
    scene.exchange("a", "b")
    assert looker.status()["recognise.azure"] == {
        "limit": 10,
        "held": 0,
        "in_use": 0,
        "cluster_used_ratio": 0.1,
    }


steps = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["begin", "end", "exchange", "reserve"])),
    max_size=80,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_what_is_reserved_and_covered_never_exceeds_the_limit(
    script: list[tuple[str, str]],
) -> None:
    scene = Scene(STREAMS, names="abc")
    ends: dict[str, list[Any]] = {name: [] for name in "abc"}
    for at, (name, what) in enumerate(script):
        scene.now += 0.01
        if what == "begin":
            ends[name].append(scene.begin(name))
        elif what == "end" and ends[name]:
            ends[name].pop()()
        elif what == "reserve":
            scene.of[name].reserve(f"call-{at}", "recognise", ("azure",))
        else:
            scene.exchange(name)
        held = [quotas.status()["recognise.azure"]["held"] for quotas in scene.of.values()]
        assert sum(held) <= STREAMS.units


@pytest.mark.parametrize(
    "plain", [None, [], [1, 2, 3], [1, 2, 3, "x"], [1, -1, 0, 0.5], [1, 0, 0, float("nan")]]
)
def test_what_is_no_lease_is_refused(plain: Any) -> None:
    with pytest.raises(HealthDataInvalid):
        lease_of(plain)


@pytest.mark.parametrize("plain", [None, {}, [1, 2], [1, 2, 3, 4, -5], [1, 2, 3, 4, 1.5]])
def test_what_is_no_wish_is_refused(plain: Any) -> None:
    with pytest.raises(HealthDataInvalid):
        wish_of("a", plain)


def test_a_key_tells_works_and_credentials_apart() -> None:
    keys = {
        QuotaLimit("speak", "azure", 1).key,
        QuotaLimit("recognise", "azure", 1).key,
        QuotaLimit("recognise", "azure", 1, credential="1a2b").key,
        QuotaLimit("recognise", "azure", 1, per_minute=True).key,
    }
    assert len(keys) == 4
