"""Telling acting from speech."""

from __future__ import annotations

import pytest

from dialogue.stage_directions import is_direction


@pytest.mark.parametrize(
    "content", ["sighs", "Laughs softly", "clears throat", "pause", "typing", "嘆氣", "nodding"]
)
def test_acting(content: str) -> None:
    assert is_direction(content)


@pytest.mark.parametrize(
    "content",
    ["", "always", "clear", "about 5 km", "laughs at all of the jokes", "Monday", "你好", "type"],
)
def test_speech(content: str) -> None:
    assert not is_direction(content)
