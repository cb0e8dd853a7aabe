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
from voice.levels import EnergyScorer, SpeechScorer

SCORERS = ("energy", "silero")
TURN_MODELS = ("none", "smart-turn")


class _Blocking(Protocol):
    def finished_ratio(self, ulaw: bytes) -> float:
        """How likely the turn is over, 0 to 1."""


def scorer_of(name: str) -> Callable[[int], SpeechScorer]:
    """Makes the speech detector called ``name`` for so many slots. Raises ``SettingsError``."""
    if name == "energy":
        return EnergyScorer
    if name != "silero":
        raise SettingsError(f"--scorer: there is no {name}; choose from {', '.join(SCORERS)}")
    from providers.local.neural_scorer import NeuralScorer
    from providers.local.silero import SileroVad

    network = SileroVad()
    return lambda capacity: NeuralScorer(network, capacity)


class TurnModels:
    """End-of-turn models, asked once for each piece of audio.

    Args:
        name: One of ``TURN_MODELS``.
        folder: Where answers are kept; the temporary directory by default.

    Raises:
        SettingsError: There is no such model.
    """

    def __init__(self, name: str, folder: Path | None = None) -> None:
        if name not in TURN_MODELS:
            known = ", ".join(TURN_MODELS)
            raise SettingsError(f"--turn-model: there is no {name}; choose from {known}")
        self._model: _Blocking | None = None
        self._known: dict[str, float] = {}
        self._fresh: list[str] = []
        self.asked = 0
        if name == "none":
            return
        from providers.local.smart_turn import WEIGHTS_FILE, SmartTurn

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
        from providers.local.smart_turn import knows

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
