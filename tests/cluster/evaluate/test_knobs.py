from __future__ import annotations

from dataclasses import replace

import pytest

from cluster.errors import SettingsError
from cluster.evaluate.knobs import changed, configs_of, parse_changes, parse_sweep
from voice.config import VoiceConfig
from voice.presets import PRESETS


def test_a_number_is_changed_in_the_part_that_has_it() -> None:
    config = changed(VoiceConfig(), {"commit_silence_s": 0.7, "segments_ahead": 3.0})
    assert config.endpoint.commit_silence_s == 0.7
    assert config.segments_ahead == 3
    assert isinstance(config.segments_ahead, int)


def test_a_part_may_be_named() -> None:
    assert changed(VoiceConfig(), {"playout.lead_s": 0.3}).playout.lead_s == 0.3


def test_every_language_has_its_own_configuration() -> None:
    configs = configs_of({"commit_silence_s": 0.7})
    assert configs("zh-HK").language == "zh-HK"
    assert configs("zh-HK").endpoint.commit_silence_s == 0.7


def test_a_preset_is_changed_by_its_name() -> None:
    eager = configs_of({"final_wait_s": 0.3}, "eager")("en-US")
    assert eager.endpoint == replace(PRESETS["eager"].endpoint, final_wait_s=0.3)
    assert eager.speculation.max_waste_ratio == PRESETS["eager"].max_waste_ratio
    with pytest.raises(SettingsError, match="eager, patient"):
        configs_of({}, "hasty")


@pytest.mark.parametrize("changes", [{"no_such": 1.0}, {"commit_silence_s": -1.0}])
def test_what_cannot_be_is_refused_by_name(changes: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(changes))):
        configs_of(changes)


def test_sweeps() -> None:
    assert parse_sweep("a=0.2:1.0:0.2") == ("a", (0.2, 0.4, 0.6, 0.8, 1.0))
    assert parse_sweep("a=1,2") == ("a", (1.0, 2.0))


@pytest.mark.parametrize(
    "text",
    ["a", "a=", "a=1:0:1", "a=0:1:0", "a=x", "a=1:2", "a=0:inf:1", "a=0:1:1e-9", "a=nan,1"],
)
def test_a_sweep_that_is_none_says_how_to_write_one(text: str) -> None:
    with pytest.raises(SettingsError, match="--sweep"):
        parse_sweep(text)


@pytest.mark.parametrize("text", ["a", "a=x", "a=nan", "a=-inf"])
def test_a_change_that_is_none_says_how_to_write_one(text: str) -> None:
    with pytest.raises(SettingsError, match="--set"):
        parse_changes([text])
