"""Whom to ask, in which order."""

from __future__ import annotations

from dataclasses import replace

from providers.health.local import Verdict
from providers.health.route import CallRoute

WELL = Verdict("closed", demoted=False, new_call_share=1.0, quantiles=None)
SUSPECT = replace(WELL, state="suspect")
OPEN = replace(WELL, state="open", new_call_share=0.0)
HALF_OPEN = replace(OPEN, state="half_open")


def order(route: CallRoute, full: dict[str, float] | None = None, **verdicts: Verdict) -> str:
    return "".join(route.choose({"a": WELL, "b": WELL, "c": WELL, **verdicts}, full).units)


def route(lot: float = 0.5, *, sticky: bool = True) -> CallRoute:
    return CallRoute(lot, (("a",), ("b",), ("c",)), sticky)


def test_the_configured_order_stands() -> None:
    assert order(route()) == "abc"
    assert order(route(), a=SUSPECT) == "abc", "suspect is hedged, not left"


def test_open_ones_are_not_asked() -> None:
    assert order(route(), a=OPEN) == "bc"


def test_of_equals_the_suspect_one_comes_after() -> None:
    equals = CallRoute(0.5, (("a", "b"), ("c",)))
    assert order(equals, a=SUSPECT) == "bac"


def test_demoted_and_full_ones_come_later() -> None:
    assert order(route(), a=replace(WELL, demoted=True)) == "bca"
    assert order(route(), {"a": 0.9}) == "bca"
    assert order(route(), {"a": 0.8}) == "abc"


def test_a_call_keeps_the_voice_it_was_switched_to() -> None:
    call = route()
    assert order(call, a=OPEN) == "bc"
    call.heard("b")
    assert order(call) == "bac"
    assert order(route()) == "abc", "a new call begins with the first"


def test_nobody_hears_which_language_model_it_was() -> None:
    call = route(sticky=False)
    call.heard("b")
    assert order(call) == "abc"


def test_who_came_back_gets_its_share_of_new_calls_and_always_the_same() -> None:
    back = replace(WELL, new_call_share=0.1)
    assert order(route(0.05), a=back) == "abc"
    assert order(route(0.5), a=back) == "bca"
    taken = [order(route(lot / 100), a=replace(WELL, new_call_share=0.5)) for lot in range(100)]
    assert taken.count("abc") == 50


def test_when_all_are_open_the_least_bad_is_asked() -> None:
    call = route()
    choice = call.choose({"a": OPEN, "b": HALF_OPEN, "c": OPEN})
    assert (choice.units, choice.last_resort) == (("b",), True)
    assert call.choose({"a": OPEN, "b": OPEN, "c": OPEN}).units == ("a",)
