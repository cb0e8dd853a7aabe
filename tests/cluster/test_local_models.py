"""What runs inside a replica, with onnxruntime and without it, as the settings ask."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any

import numpy as np
import pytest

from cluster.errors import SettingsError
from cluster.local_models import LocalModels, load_local_models
from cluster.settings import Settings
from providers.errors import ProviderError
from providers.local.errors import TurnModelBusy
from providers.local.turn_queue import TurnQueue
from voice.levels import EnergyScorer
from voice.ports import TurnModel


def loaded(**settings: Any) -> LocalModels:
    return load_local_models(Settings.from_plain({"mode": "development", **settings}))


@pytest.fixture
def no_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)


async def _answered(model: TurnModel) -> float:
    """What it says of silence; a busy machine may miss its deadline a few times."""
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(TurnModelBusy):
                return await model.judge(b"\xff" * 8_000)


def test_everything_is_used_where_it_runs() -> None:
    pytest.importorskip("onnxruntime")

    async def scene() -> None:
        models = loaded()
        assert (models.speech_detector, models.turn_model) == ("silero", "smart-turn")
        assert models.warnings == models.faults == ()
        verdicts, _ = models.scorer.score(np.zeros((1, 160), np.int16), np.array([99]))
        assert verdicts.tolist() == [False]
        await models.warm()
        english = models.turn_model_for("en-US")
        assert english is not None
        assert 0.0 <= await _answered(english) <= 1.0
        assert models.turn_model_for("zh-HK") is None
        await models.aclose()

    asyncio.run(scene())


def test_nothing_is_loaded_that_nobody_wants(no_onnxruntime: None) -> None:
    models = loaded(speech_detector="energy", turn_model="none")
    assert isinstance(models.scorer, EnergyScorer)
    assert (models.speech_detector, models.turn_model) == ("energy", "none")
    assert models.warnings == models.faults == ()
    assert models.turn_model_for("en-US") is None
    asyncio.run(models.warm())


def test_without_onnxruntime_calls_go_on_and_it_is_said(no_onnxruntime: None) -> None:
    models = loaded()
    assert (models.speech_detector, models.turn_model) == ("energy", "none")
    assert len(models.warnings) == 2
    assert all("pip install onnxruntime" in warning for warning in models.warnings)
    asyncio.run(models.warm())


@pytest.mark.parametrize(
    ("settings", "variable"),
    [
        ({"speech_detector": "silero"}, "CALLCLUSTER_SPEECH_DETECTOR=silero"),
        ({"turn_model": "smart-turn"}, "CALLCLUSTER_TURN_MODEL=smart-turn"),
    ],
)
def test_what_was_asked_for_by_name_is_missed(
    no_onnxruntime: None, settings: dict[str, str], variable: str
) -> None:
    models = loaded(**settings)
    with pytest.raises(SettingsError, match=f"{variable}.*pip install"):
        asyncio.run(models.warm())


def test_a_model_that_does_not_work_keeps_the_replica_from_becoming_ready() -> None:
    class Broken:
        def finished_ratio(self, ulaw: bytes) -> float:
            raise RuntimeError("no such instruction")

    class AtOnce:
        async def __call__(self, work: Any) -> float:
            return float(work())

        def close(self) -> None:
            return None

    models = LocalModels(EnergyScorer(1), TurnQueue(Broken(), AtOnce()))
    with pytest.raises(SettingsError, match="CALLCLUSTER_TURN_MODEL=none") as caught:
        asyncio.run(models.warm())
    assert not isinstance(caught.value, ProviderError)
