"""``<ConversationRelay>``, read as strictly as every other element."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from simulation.twiml_elements import SCHEMA, ElementCheck

CUT_BY = ("any", "none", "dtmf", "speech", "true", "false")
_ATTRIBUTES = {
    "url", "welcomeGreeting", "welcomeGreetingInterruptible", "language", "ttsLanguage",
    "transcriptionLanguage", "ttsProvider", "voice", "transcriptionProvider", "speechModel",
    "interruptible", "interruptSensitivity", "dtmfDetection", "reportInputDuringAgentSpeech",
    "preemptible", "hints", "debug", "events", "elevenlabsTextNormalization",
    "intelligenceService", "partialPrompts", "profanityFilter", "backgroundNoiseReduction",
    "speechTimeout", "deepgramSmartFormat", "ignoreBackchannel", "eotThreshold",
    "eagerEotThreshold", "applicationReconnect", "partialPromptOnHangup", "asrSmartFormat",
    "ttsTextNormalization", "ttsLanguageTextNormalization", "includeInPrompt", "customerName",
    "conversationConfiguration", "echoPromptFiltering", "turnDetection",
}  # fmt: skip
_VOICES = {"": "", "Google": "", "Amazon": "", "ElevenLabs": ""}
_EARS = {"", "Google", "Deepgram"}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*|multi")
INVALID_PARAMETER = 64101


@dataclass(frozen=True, slots=True)
class Relay:
    """A ConversationRelay session.

    Attributes:
        interruptible, welcome_interruptible: ``any``, ``none``, ``dtmf`` or ``speech``.
        told: What was subscribed to: of ``speaker-events``, ``tokens-played``.
        problem: Why the carrier would end the call at once; empty when it would not.
    """

    url: str
    language: str = "en-US"
    welcome_greeting: str = ""
    welcome_interruptible: str = "any"
    interruptible: str = "any"
    is_preemptible: bool = False
    hears_keys: bool = False
    has_partials: bool = False
    reports_during_speech: str = "none"
    reconnects: bool = False
    told: frozenset[str] = frozenset()
    parameters: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def read_relay(element: ET.Element, check: ElementCheck, parameters: dict[str, str]) -> Relay:
    """Read the element; ``parameters`` are those of its children."""
    check.attributes(element, _ATTRIBUTES)
    check.no_text(element)
    for child in element:
        if child.tag == "Language":
            check.attributes(
                child,
                {"code", "ttsProvider", "voice", "transcriptionProvider", "speechModel"},
            )
            if not child.get("code"):
                check.warn(SCHEMA, "<Language> has no code")
    told = {*element.get("debug", "").split(), *element.get("events", "").split()}
    language = element.get("language", "en-US")
    return Relay(
        url=element.get("url", ""),
        language=element.get("transcriptionLanguage") or language,
        welcome_greeting=element.get("welcomeGreeting", ""),
        welcome_interruptible=_cut_by(element, check, "welcomeGreetingInterruptible", "any"),
        interruptible=_cut_by(element, check, "interruptible", "any"),
        is_preemptible=check.flag(element, "preemptible"),
        hears_keys=check.flag(element, "dtmfDetection"),
        has_partials=check.flag(element, "partialPrompts"),
        reports_during_speech=_cut_by(element, check, "reportInputDuringAgentSpeech", "none"),
        reconnects=check.flag(element, "applicationReconnect"),
        told=frozenset(told & {"speaker-events", "tokens-played"}),
        parameters=parameters,
        problem=_problem(element, language),
    )


def _cut_by(element: ET.Element, check: ElementCheck, name: str, default: str) -> str:
    value = element.get(name, default)
    if value not in CUT_BY:
        check.warn(SCHEMA, f"<ConversationRelay> {name} is none, dtmf, speech or any")
        return default
    return {"true": "any", "false": "none"}.get(value, value)


def _problem(element: ET.Element, language: str) -> str:
    """What Twilio answers with 64101 and the end of the call."""
    if element.get("ttsProvider", "") not in _VOICES:
        return "ttsProvider is Google, Amazon or ElevenLabs"
    if element.get("transcriptionProvider", "") not in _EARS:
        return "transcriptionProvider is Google or Deepgram"
    if _LANGUAGE.fullmatch(language) is None:
        return "language is no language tag"
    return ""
