"""The errors of the room cross processes."""

from __future__ import annotations

import pickle

import pytest

from dialogue.errors import DialogueError, EmptyReply, StaleEpoch, StaleTurn


@pytest.mark.parametrize(
    "error", [EmptyReply(0), EmptyReply(12), StaleTurn(3, 2), StaleEpoch((0, 1), (1, 2))]
)
def test_errors_pickle_and_explain_themselves(error: DialogueError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))
    assert str(error)
