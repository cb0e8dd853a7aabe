from __future__ import annotations

import pickle

import pytest

from records import errors


@pytest.mark.parametrize(
    "kind",
    [
        errors.RecordsError,
        errors.StoreAddressInvalid,
        errors.StoreNotWritable,
        errors.StoreUnavailable,
        errors.RowRejected,
    ],
)
def test_survives_a_pickle(kind: type[errors.RecordsError]) -> None:
    again = pickle.loads(pickle.dumps(kind("what to change")))
    assert type(again) is kind
    assert again.message == str(again) == "what to change"
