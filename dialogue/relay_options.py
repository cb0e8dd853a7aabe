"""How the carrier hears and speaks for an agent whose calls it relays as text, as plain data.

Names and meanings are those of the attributes of Twilio's ``<ConversationRelay>``, in snake case.
Empty, or None, leaves the choice to the carrier.

Source: Twilio, TwiML for Programmable Voice: ConversationRelay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dialogue.spoken.digit_words import tongue

CutBy = Literal["none", "dtmf", "speech", "any"]
Sensitivity = Literal["low", "medium", "high"]
VoiceService = Literal["Google", "Amazon", "ElevenLabs"]
RecogniserService = Literal["Google", "Deepgram"]
OnOffAuto = Literal["on", "off", "auto"]


@dataclass(frozen=True, slots=True)
class RelayLanguage:
    """What is used when the call changes to this language; declares it, does not choose it."""

    code: str
    tts_provider: VoiceService | None = None
    voice: str = ""
    transcription_provider: RecogniserService | None = None
    speech_model: str = ""


@dataclass(frozen=True, slots=True)
class RelayOptions:
    """One agent's ear and mouth at the carrier.

    Attributes:
        tts_language, transcription_language: Instead of the agent's language; ``multi`` for
            automatic detection.
        interruptible: What of the caller stops the agent's speech.
        interrupt_sensitivity: How easily.
        report_input_during_agent_speech: What is told to us though it does not stop the speech.
        preemptible: Whether the next reply cuts the one before.
        partial_prompts: Words are told while they are spoken: replies can be prepared.
        speech_timeout: Silence that ends the caller's turn: milliseconds, or ``auto``.
        eot_threshold, eager_eot_threshold: Of Deepgram Flux, how sure it is of the end of a turn.
        application_reconnect: The carrier itself opens a socket again that was lost.
        debug, events: What we want to be told besides, words with blanks between.
        languages: Those that the call may change to.
    """

    tts_language: str = ""
    transcription_language: str = ""
    tts_provider: VoiceService | None = None
    voice: str = ""
    transcription_provider: RecogniserService | None = None
    speech_model: str = ""
    welcome_greeting: str = ""
    welcome_greeting_interruptible: CutBy | None = None
    interruptible: CutBy | None = None
    interrupt_sensitivity: Sensitivity | None = None
    dtmf_detection: bool | None = True
    report_input_during_agent_speech: CutBy | None = None
    preemptible: bool | None = None
    hints: str = ""
    debug: str = "speaker-events tokens-played"
    events: str = ""
    elevenlabs_text_normalization: OnOffAuto | None = None
    intelligence_service: str = ""
    partial_prompts: bool | None = True
    profanity_filter: bool | None = None
    background_noise_reduction: bool | None = None
    speech_timeout: str = ""
    deepgram_smart_format: bool | None = None
    ignore_backchannel: bool | None = None
    eot_threshold: float | None = None
    eager_eot_threshold: float | None = None
    application_reconnect: bool | None = None
    partial_prompt_on_hangup: bool | None = None
    asr_smart_format: bool | None = None
    tts_text_normalization: str = ""
    tts_language_text_normalization: str = ""
    include_in_prompt: str = ""
    customer_name: str = ""
    conversation_configuration: str = ""
    echo_prompt_filtering: bool | None = None
    turn_detection: bool | None = None
    languages: tuple[RelayLanguage, ...] = ()

    def code_of(self, tag: str) -> str:
        """What the carrier calls a language: as it is declared here, or else the tag itself."""
        codes = [each.code for each in self.languages]
        exact = [code for code in codes if code.casefold() == tag.casefold()]
        alike = [code for code in codes if code != "multi" and tongue(code) == tongue(tag)]
        return next(iter((*exact, *alike)), tag)
