from __future__ import annotations

import pickle

import pytest

from cache.errors import CacheError, ClipFileBroken, ClipTooLarge


@pytest.mark.parametrize("kind", [CacheError, ClipTooLarge, ClipFileBroken])
def test_survives_a_pickle(kind: type[CacheError]) -> None:
    again = pickle.loads(pickle.dumps(kind("what to change")))
    assert (type(again), again.message) == (kind, "what to change")
