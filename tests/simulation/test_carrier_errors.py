"""Errors cross process borders whole."""

from __future__ import annotations

import pickle

import pytest

from simulation.carrier_errors import CarrierError, StreamRefused, TwimlRejected, WebhookFailed
from simulation.load import LoadInvalid


@pytest.mark.parametrize("kind", [CarrierError, StreamRefused, TwimlRejected, WebhookFailed])
def test_errors_pickle(kind: type[CarrierError]) -> None:
    again = pickle.loads(pickle.dumps(kind(31920, "not 101")))
    assert type(again) is kind
    assert (again.code, again.message, str(again)) == (31920, "not 101", "31920: not 101")


def test_a_refused_run_pickles() -> None:
    assert str(pickle.loads(pickle.dumps(LoadInvalid("calls")))) == "calls"
