"""Errors travel between processes."""

from __future__ import annotations

import pickle

import pytest

from voice.errors import BadVoiceConfig, VoiceError


@pytest.mark.parametrize("kind", [VoiceError, BadVoiceConfig])
def test_errors_pickle(kind: type[VoiceError]) -> None:
    copy = pickle.loads(pickle.dumps(kind("lead_s")))
    assert type(copy) is kind
    assert str(copy) == "lead_s"
