"""The ``realtime`` of an agent's file: how one model hears and speaks for it; read and checked."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from dialogue.realtime import (
    TURN_PRESETS,
    Eagerness,
    NoiseReduction,
    RealtimeOptions,
    RealtimeTurns,
    TurnDetection,
)
from providers.realtime.voices import EFFORTS, VOICES

_OPTIONS = RealtimeOptions()


class _TurnsFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: str = "default"
    detection: TurnDetection | None = None
    threshold: float | None = Field(None, ge=0, le=1)
    prefix_padding_s: float | None = Field(None, ge=0, le=2)
    silence_s: float | None = Field(None, ge=0.1, le=5)
    eagerness: Eagerness | None = None

    @field_validator("preset")
    @classmethod
    def _known_preset(cls, name: str) -> str:
        if name not in TURN_PRESETS:
            raise ValueError(f"there is none of that name; there are: {', '.join(TURN_PRESETS)}")
        return name

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        is_semantic = self.turns().detection == "semantic_vad"
        silent = (self.threshold, self.prefix_padding_s, self.silence_s)
        if is_semantic and any(value is not None for value in silent):
            raise ValueError("threshold, prefix_padding_s and silence_s are of server_vad")
        if not is_semantic and self.eagerness is not None:
            raise ValueError("eagerness is of semantic_vad")
        return self

    def turns(self) -> RealtimeTurns:
        """The preset with what stands in the file."""
        preset = TURN_PRESETS[self.preset]
        given = self.model_dump(exclude={"preset"}, exclude_none=True)
        names = ("detection", "threshold", "prefix_padding_s", "silence_s", "eagerness")
        return RealtimeTurns(**{name: getattr(preset, name) for name in names} | given)


class RealtimeFile(BaseModel):
    """What is not there is the deployment's, or the service's default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = _OPTIONS.model
    voice: str = Field(_OPTIONS.voice, min_length=1)
    speed: float = Field(_OPTIONS.speed, ge=0.25, le=1.5)
    effort: str = _OPTIONS.effort
    noise_reduction: NoiseReduction = _OPTIONS.noise_reduction
    turns: _TurnsFile = Field(default_factory=lambda: _TurnsFile.model_validate({}))

    @field_validator("turns", mode="before")
    @classmethod
    def _a_preset_alone(cls, given: object) -> object:
        return {"preset": given} if isinstance(given, str) else given

    @field_validator("noise_reduction", mode="before")
    @classmethod
    def _off(cls, given: object) -> object:
        return "off" if given is False else given  # YAML reads off as false

    @field_validator("voice")
    @classmethod
    def _known_voice(cls, name: str) -> str:
        # Voices of one's own are named by an id.
        if name not in VOICES and not name.startswith("voice_"):
            raise ValueError(f"not one of {', '.join(VOICES)}, nor an id such as voice_1a2b")
        return name

    @field_validator("effort")
    @classmethod
    def _known_effort(cls, name: str) -> str:
        if name and name not in EFFORTS:
            raise ValueError(f"one of {', '.join(EFFORTS)}")
        return name

    def options(self) -> RealtimeOptions:
        """As the dialogue has it."""
        values = self.model_dump(exclude={"turns"})
        return RealtimeOptions(**values, turns=self.turns.turns())
