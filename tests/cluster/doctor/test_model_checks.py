"""What the doctor says of models that hear, that hear nothing, and that are not there."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cluster.doctor.check_models import examine_models, speech_finding, turn_finding
from cluster.doctor.finding import Finding
from cluster.doctor.place import Place
from cluster.settings import Settings
from tests.support.scripted_call import AGENT


def examined(**settings: Any) -> list[Finding]:
    known = Settings.from_plain({"mode": "development", **settings})
    place = Place(settings=known, agents={("t1", "a1"): AGENT})
    return list(asyncio.run(examine_models(place)))


class SaysAlways:
    """A scorer, or a model, of one opinion."""

    def __init__(self, opinion: float) -> None:
        self.opinion = opinion

    def reset(self, slot: int) -> None:
        return None

    def score(
        self, frames: npt.NDArray[np.int16], slots: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
        return np.full(len(slots), self.opinion > 0.5), np.zeros(len(slots), np.float32)

    def finished_ratio(self, ulaw: bytes) -> float:
        return self.opinion


def test_models_that_work_are_tried_on_speech() -> None:
    pytest.importorskip("onnxruntime")
    speech, turns = examined()
    assert (speech.status, turns.status) == ("ok", "ok") or "ms a pause" in turns.found
    assert "nothing in silence" in speech.found


@pytest.mark.parametrize("opinion", [0.0, 1.0], ids=["nothing is", "everything is"])
def test_what_always_says_the_same_does_not_work(opinion: float) -> None:
    for finding in (speech_finding(SaysAlways(opinion)), turn_finding(SaysAlways(opinion))):
        assert finding.status == "fail"
        assert "CALLCLUSTER_" in finding.advice


def test_without_onnxruntime_it_says_what_is_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert [finding.status for finding in examined()] == ["warn", "warn"]
    named = examined(speech_detector="silero", turn_model="smart-turn")
    assert [finding.status for finding in named] == ["fail", "fail"]
    assert all("onnxruntime" in finding.found and finding.advice for finding in named)
    without = examined(speech_detector="energy", turn_model="none")
    assert [finding.status for finding in without] == ["ok", "ok"]


def test_languages_it_does_not_know_are_named() -> None:
    pytest.importorskip("onnxruntime")
    known = Settings.from_plain({"mode": "development"})
    cantonese = replace(AGENT, language="zh-HK", agent_id="b")
    place = Place(settings=known, agents={("t1", "a1"): AGENT, ("t1", "b"): cantonese})
    last = list(asyncio.run(examine_models(place)))[-1]
    assert "zh-HK" in last.found
    assert "en-US" not in last.found


def test_without_settings_it_is_left_out() -> None:
    assert [found.status for found in asyncio.run(examine_models(Place(settings=None)))] == [
        "skipped"
    ]
