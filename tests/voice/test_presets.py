"""Turn-taking by name."""

from __future__ import annotations

import pytest

from voice.errors import BadVoiceConfig
from voice.presets import DEFAULT, PRESETS, endpoint_of


def test_the_eager_one_is_quicker_and_the_patient_one_slower() -> None:
    silences = [PRESETS[name].endpoint for name in ("eager", DEFAULT, "patient")]
    for field in ("eager_silence_s", "commit_silence_s", "longest_silence_s"):
        values = [getattr(endpoint, field) for endpoint in silences]
        assert values == sorted(set(values)), field


def test_what_is_not_given_is_the_presets() -> None:
    changed = endpoint_of("eager", commit_silence_s=0.9, final_wait_s=None)
    assert changed.commit_silence_s == 0.9
    assert changed.final_wait_s == PRESETS["eager"].endpoint.final_wait_s


def test_a_silence_above_the_longest_lengthens_that_too() -> None:
    assert endpoint_of(DEFAULT, commit_silence_s=5.0).longest_silence_s == 5.0


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(BadVoiceConfig, match="no preset brisk; there are: default, eager, patient"):
        endpoint_of("brisk")
