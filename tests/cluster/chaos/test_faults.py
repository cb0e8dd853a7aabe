"""What is broken where."""

from __future__ import annotations

import pytest

from cluster.chaos.faults import (
    BY_NAME,
    EVERYTHING,
    FAULTS,
    ROLES,
    ROWS,
    SERVICES,
    roles_of,
    strikes,
)
from simulation.faults import SERVICES as EMULATED
from simulation.faults import FaultBoard, Faults


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("role", ROLES)
def test_the_emulators_know_every_fault(fault: object, role: str) -> None:
    for name in BY_NAME:
        for strike in strikes(BY_NAME[name], role):
            assert strike.service in EMULATED
            assert 0 <= strike.row < ROWS
            FaultBoard().set(strike.service, Faults.parse(dict(strike.settings)))


def test_most_faults_strike_the_first_alone() -> None:
    for name in ("errors", "busy", "hang", "slow", "half", "tenth"):
        for role in ROLES:
            (strike,) = strikes(BY_NAME[name], role)
            assert (strike.row, strike.service) == (0, SERVICES[role][0])


def test_six_times_slower_is_five_times_later() -> None:
    (strike,) = strikes(BY_NAME["slow"], "think")
    assert strike.settings == {"first_byte_delay_s": pytest.approx(1.25)}


def test_down_is_everybody() -> None:
    assert len(strikes(BY_NAME["down"], "speak")) == 3
    everything = strikes(BY_NAME["down"], EVERYTHING)
    assert len(everything) == sum(len(names) for names in SERVICES.values())


def test_who_can_be_struck() -> None:
    assert roles_of(BY_NAME["down"], ROLES) == [EVERYTHING]
    assert roles_of(BY_NAME["down"], ("think", "speak")) == ["think", "speak"]
    assert roles_of(BY_NAME["kill"], ROLES) == ["recognise", "speak"]
    assert roles_of(BY_NAME["kill"], ("think",)) == ["think"]
    assert roles_of(BY_NAME["down"], ("speak",)) == ["speak"]
    assert roles_of(BY_NAME["two"], ROLES) == ["think", "speak"], "of two there is no third"
    assert roles_of(BY_NAME["hang"], ("speak", "think")) == ["think", "speak"]


def test_no_provider_is_left_three_times_before_what_is_played_last() -> None:
    """Thrice in ten minutes, and it comes after all others: what is broken would not be felt."""
    for number in {fault.act for fault in FAULTS}:
        act = [fault for fault in FAULTS if fault.act == number]
        assert len([fault for fault in act if fault.kind not in ("killed", "down")]) <= 2
