from __future__ import annotations

import numpy as np
import pytest

from cache.encoder import Vector
from cache.vector_memo import VectorMemo


def test_a_text_is_encoded_once_and_the_oldest_is_forgotten() -> None:
    made: list[str] = []

    def make(text: str) -> Vector:
        made.append(text)
        return np.ones(3, dtype=np.float32)

    memo = VectorMemo(2)
    for text in ("a", "b", "a", "c", "a", "b"):
        memo.vector(text, make)
    assert made == ["a", "b", "c", "b"]


def test_what_is_remembered_cannot_be_written_into() -> None:
    vector = VectorMemo().vector("a", lambda _: np.ones(3, dtype=np.float32))
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 2.0
