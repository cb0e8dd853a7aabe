"""The detectors and models of a replay, by name: the real ones that the product runs.

An end-of-turn model takes its 40 ms to 80 ms of a core for real, so what it said of a piece of
audio is kept in a file of the temporary directory: a sweep asks it once, not once for each value.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cluster.errors import SettingsError
from cluster.evaluate.replay_call import Judge
from cluster.local_models import load_local_models
from cluster.settings import Settings
from providers.local.neural_scorer import NeuralScorer
from providers.local.silero import SileroVad
from providers.local.smart_turn import WEIGHTS_FILE, SmartTurn, knows
from voice.levels import EnergyScorer, SpeechScorer

AUTO = "auto"
SCORERS = (AUTO, "silero", "energy")
TURN_MODELS = (AUTO, "smart-turn", "none")


class _Blocking(Protocol):
    def finished_ratio(self, ulaw: bytes) -> float:
        """How likely the turn is over, 0 to 1."""


def chosen(scorer: str, turn_model: str) -> tuple[str, str]:
    """What ``auto`` means on this machine: what the product would run here.

    Raises:
        SettingsError: There is no detector or model of such a name.
    """
    for name, known, option in (
        (scorer, SCORERS, "--scorer"),
        (turn_model, TURN_MODELS, "--turn-model"),
    ):
        if name not in known:
            raise SettingsError(f"{option}: there is no {name}; choose from {', '.join(known)}")
    if AUTO not in (scorer, turn_model):
        return scorer, turn_model
    here = load_local_models(Settings.model_construct())
    return (
        here.speech_detector if scorer == AUTO else scorer,
        here.turn_model if turn_model == AUTO else turn_model,
    )


def scorer_of(name: str) -> Callable[[int], SpeechScorer]:
    """Makes the speech detector called ``name`` for so many slots.

    Raises:
        LocalModelUnavailable: It cannot be loaded here.
    """
    if name == "energy":
        return EnergyScorer
    network = SileroVad()
    return lambda capacity: NeuralScorer(network, capacity)


class TurnModels:
    """End-of-turn models, asked once for each piece of audio.

    Args:
        name: ``smart-turn`` or ``none``.
        folder: Where answers are kept; the temporary directory by default.

    Raises:
        LocalModelUnavailable: It cannot be loaded here.
    """

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self._model: _Blocking | None = None
        self._known: dict[str, float] = {}
        self._fresh: list[str] = []
        self.asked = 0
        if name == "none":
            return
        self._model = SmartTurn()
        folder = folder or Path(tempfile.gettempdir()) / "callcluster-evaluate"
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{WEIGHTS_FILE}.tsv"
        if self._path.exists():
            lines = (line.split("\t") for line in self._path.read_text("ascii").splitlines())
            self._known = {key: float(value) for key, value in lines}

    def judge_for(self, language: str) -> Judge | None:
        """The judge of calls in a language; None when there is none for it."""
        if self._model is None:
            return None
        return self._judge if knows(language) else None

    def keep(self) -> None:
        """Write down what was new."""
        if self._fresh:
            with self._path.open("a", encoding="ascii") as file:
                file.write("".join(self._fresh))
            self._fresh.clear()

    def _judge(self, ulaw: bytes) -> float:
        assert self._model is not None  # noqa: S101 - only then is this method handed out
        key = hashlib.sha256(ulaw).hexdigest()[:24]
        found = self._known.get(key)
        if found is None:
            self.asked += 1
            found = self._known[key] = self._model.finished_ratio(ulaw)
            self._fresh.append(f"{key}\t{found:.5f}\n")
        return found
