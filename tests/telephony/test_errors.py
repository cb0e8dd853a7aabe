from __future__ import annotations

import pickle

import pytest

from telephony import errors


def _every_error() -> list[type[errors.TelephonyError]]:
    found = [errors.TelephonyError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return found


@pytest.mark.parametrize("kind", _every_error())
def test_survives_a_trip_to_another_process(kind: type[errors.TelephonyError]) -> None:
    error = kind("what happened")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error) == "what happened"


def test_the_field_survives_too() -> None:
    copy = pickle.loads(pickle.dumps(errors.InvalidPayload("empty", "media.payload")))
    assert copy.field == "media.payload"
    assert str(copy) == "empty"


def test_the_setting_survives_too_and_is_named() -> None:
    copy = pickle.loads(pickle.dumps(errors.InvalidSetting("not a URL", "PUBLIC_URL")))
    assert str(copy) == "PUBLIC_URL: not a URL"


def test_the_tree_at_the_top_names_every_error() -> None:
    assert errors.__doc__ is not None
    assert [kind.__name__ for kind in _every_error() if kind.__name__ not in errors.__doc__] == []
