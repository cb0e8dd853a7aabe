"""The ``relay`` of an agent's file: how the carrier hears and speaks for it; read and checked."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from dialogue.relay_options import (
    CutBy,
    OnOffAuto,
    RecogniserService,
    RelayLanguage,
    RelayOptions,
    Sensitivity,
    VoiceService,
)
from dialogue.spoken.digit_words import tongue

MAX_HINTS_CHARS = 2_000
_LANGUAGE = r"^([a-zA-Z]{2,3}(-[A-Za-z0-9]{2,8})*|multi)$"
_TIMEOUT = re.compile(r"auto|[1-9][0-9]{2,4}")


class _RelayLanguageFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(pattern=_LANGUAGE)
    tts_provider: VoiceService | None = None
    voice: str = ""
    transcription_provider: RecogniserService | None = None
    speech_model: str = ""


class RelayFile(BaseModel):
    """Names and values are the carrier's; what is not there is the carrier's default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tts_provider: VoiceService | None = None
    voice: str = ""
    transcription_provider: RecogniserService | None = None
    speech_model: str = ""
    tts_language: str = ""
    transcription_language: str = ""
    interruptible: CutBy | None = None
    interrupt_sensitivity: Sensitivity | None = None
    report_input_during_agent_speech: CutBy | None = None
    partial_prompts: bool = True
    speech_timeout: str | int = ""
    eot_threshold: float | None = Field(None, ge=0.5, le=0.9)
    eager_eot_threshold: float | None = Field(None, ge=0.3, le=0.9)
    ignore_backchannel: bool | None = None
    background_noise_reduction: bool | None = None
    profanity_filter: bool | None = None
    deepgram_smart_format: bool | None = None
    elevenlabs_text_normalization: OnOffAuto | None = None
    intelligence_service: str = ""
    application_reconnect: bool = False
    languages: tuple[_RelayLanguageFile, ...] = Field((), max_length=60)

    @field_validator("elevenlabs_text_normalization", mode="before")
    @classmethod
    def _said_as_a_switch(cls, given: object) -> object:
        """YAML reads on and off as true and false."""
        if isinstance(given, bool):
            return "on" if given else "off"
        return given

    @field_validator("speech_timeout")
    @classmethod
    def _a_time(cls, given: str | int) -> str:
        text = str(given)
        if text and _TIMEOUT.fullmatch(text) is None:
            raise ValueError("auto, or milliseconds: 100 to 99999")
        return text

    @model_validator(mode="after")
    def _eager_first(self) -> Self:
        eager, sure = self.eager_eot_threshold, self.eot_threshold
        if eager is not None and eager > (0.7 if sure is None else sure):
            raise ValueError("eager_eot_threshold must not be above eot_threshold (0.7)")
        return self


def relay_options(
    file: RelayFile,
    *,
    speaker: str,
    voice: str,
    hints: tuple[str, ...],
    others: tuple[str, ...],
    is_used: bool,
) -> RelayOptions:
    """As the dialogue has it.

    Args:
        file: Of the agent.
        speaker: Of the agent: with ElevenLabs, the carrier speaks with the same voice.
        voice: Of the agent.
        hints: Of the agent.
        others: Languages that the agent's calls may change to. One that the file does not declare
            is declared here, with the agent's voice service at the carrier.
        is_used: Some call of the agent may be relayed.

    Raises:
        ValueError: The carrier would not know with which voice to speak, or would not know a
            language when a call changes to it.
    """
    values = file.model_dump(exclude={"languages"})
    languages = tuple(RelayLanguage(**each.model_dump()) for each in file.languages)
    options = RelayOptions(**values, hints=_hints(hints), languages=languages)
    if options.tts_provider is None and not options.voice and speaker == "elevenlabs":
        options = replace(options, tts_provider="ElevenLabs", voice=voice)
    if is_used and (options.tts_provider is None or not options.voice):
        raise ValueError(
            "relay: name tts_provider (ElevenLabs, Google or Amazon) and voice: the carrier does "
            f"not speak with {speaker}"
        )
    names = {tongue(each.code) for each in options.languages}
    if (
        is_used
        and (missing := [tag for tag in others if tongue(tag) == "yue"])
        and "yue" not in names
    ):
        raise ValueError(
            f"relay.languages: declare {missing[0]} there, with the code, tts_provider and voice "
            "that the carrier's services have for Cantonese: each has names of its own for it"
        )
    return replace(options, languages=(*options.languages, *_undeclared(options, others)))


def _undeclared(options: RelayOptions, others: tuple[str, ...]) -> tuple[RelayLanguage, ...]:
    """The rest of the agent's languages.

    Cantonese is not among them: the carrier's services call it by names of their own, and an
    unknown code would end the call at its beginning.
    """
    known = {tongue(each.code) for each in options.languages} | {"yue"}
    service = options.tts_provider
    # Only voices of ElevenLabs speak every language.
    voice = options.voice if service == "ElevenLabs" else ""
    return tuple(
        RelayLanguage(tag, tts_provider=service, voice=voice)
        for tag in others
        if tongue(tag) not in known
    )


def _hints(hints: tuple[str, ...]) -> str:
    """A list with commas, which no hint can hold; those that fit."""
    found = ""
    for hint in hints:
        longer = f"{found},{hint.replace(',', ' ').strip()}".lstrip(",")
        if len(longer) > MAX_HINTS_CHARS:
            break
        found = longer
    return found
