"""Callbacks that do not keep alive whom they call."""

from __future__ import annotations

import weakref

import pytest

from actors.weakly import weakly
from tests.support.uncollected import no_collector


class Owner:
    def __init__(self) -> None:
        self.owned = [weakly(self, Owner.double)]

    def double(self, number: int, *, plus: int = 0) -> int:
        return 2 * number + plus


def test_it_is_called_as_the_method_is() -> None:
    owner = Owner()
    assert owner.owned[0](3, plus=1) == 7


def test_whoever_owns_a_callback_is_freed_when_nobody_holds_it() -> None:
    with no_collector():
        owner = Owner()
        callback, held = owner.owned[0], weakref.ref(owner)
        del owner
        assert held() is None
    with pytest.raises(ReferenceError, match=r"Owner\.double"):
        callback(3)
