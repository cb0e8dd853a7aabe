"""The models that run inside an ingress replica, as the settings ask for them.

Without them calls are worse, not impossible: what cannot be loaded is said once at the start and
in ``/readyz``, and the level of the line decides. Only a model that a setting asks for by name
keeps a replica from becoming ready.
"""

from __future__ import annotations

from dataclasses import dataclass

from cluster.errors import SettingsError
from cluster.settings import Settings
from providers.errors import ProviderError
from providers.local import smart_turn
from providers.local.errors import LocalModelUnavailable
from providers.local.neural_scorer import NeuralScorer
from providers.local.silero import SileroVad
from providers.local.smart_turn import SmartTurn
from providers.local.turn_queue import TurnQueue, WorkerThread
from voice.levels import EnergyScorer, SpeechScorer
from voice.ports import TurnModel

_SECOND_OF_SILENCE = b"\xff" * 8_000
_BY_LEVEL = "speech is told from noise by its level alone, which noisy lines mislead"
_BY_WORDS = "turn ends are told without the sound of the last words"


@dataclass(frozen=True, slots=True)
class LocalModels:
    """What was loaded.

    Attributes:
        scorer: Tells speech from silence, for all calls of the process.
        turns: Judges pauses; None without an end-of-turn model.
        warnings: What a person should know, and change.
        faults: What a setting asks for and is not there.
    """

    scorer: SpeechScorer
    turns: TurnQueue | None
    warnings: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def speech_detector(self) -> str:
        """``silero`` or ``energy``."""
        return "silero" if isinstance(self.scorer, NeuralScorer) else "energy"

    @property
    def turn_model(self) -> str:
        """``smart-turn`` or ``none``."""
        return "none" if self.turns is None else "smart-turn"

    def turn_model_for(self, language: str) -> TurnModel | None:
        """The end-of-turn model for calls in a language (BCP-47), if it knows it."""
        return self.turns if smart_turn.knows(language) else None

    async def warm(self) -> None:
        """Judge once: the first time takes longest.

        Raises:
            SettingsError: What a setting names is not there, or does not work.
        """
        if self.faults:
            raise SettingsError("; ".join(self.faults))
        if self.turns is not None:
            try:
                await self.turns.warm(_SECOND_OF_SILENCE)
            except ProviderError as error:
                raise SettingsError(f"{error}; CALLCLUSTER_TURN_MODEL=none does without") from None

    async def aclose(self) -> None:
        """Judge nothing more."""
        if self.turns is not None:
            await self.turns.aclose()


def load_local_models(settings: Settings) -> LocalModels:
    """Load what the settings ask for, which takes some 0.3 s. Never raises."""
    warnings: list[str] = []
    faults: list[str] = []
    scorer: SpeechScorer = EnergyScorer(settings.calls_per_replica)
    turns: TurnQueue | None = None
    if settings.speech_detector != "energy":
        try:
            scorer = NeuralScorer(SileroVad(), settings.calls_per_replica)
        except LocalModelUnavailable as error:
            warnings.append(f"{_BY_LEVEL}: {error}")
            if settings.speech_detector == "silero":
                faults.append(f"CALLCLUSTER_SPEECH_DETECTOR=silero: {error}")
    if settings.turn_model != "none":
        try:
            turns = TurnQueue(SmartTurn(), WorkerThread(), share=settings.turn_model_share)
        except LocalModelUnavailable as error:
            warnings.append(f"{_BY_WORDS}: {error}")
            if settings.turn_model == "smart-turn":
                faults.append(f"CALLCLUSTER_TURN_MODEL=smart-turn: {error}")
    return LocalModels(scorer, turns, tuple(warnings), tuple(faults))
