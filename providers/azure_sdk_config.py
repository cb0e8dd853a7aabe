"""How a recogniser of the Azure Speech SDK is set up; knows the SDK as a value only.

Property names that are not in the SDK's documentation were found in its library and measured
against a local server with version 1.53: 160-byte frames bring audio to the server 34 ms sooner
than the default 800. A poll interval of 10 ms instead of 5 can delay a
result by 5 ms (by its meaning; not measured). With 20 calls it took about 30 % off the thread
switches and 2 % to 7 % off the replica's CPU time, on a busy machine. (An interval of 1 ms spins
a whole core.) Each is set on its own: a version that does not know one still works.
"""

from __future__ import annotations

import logging
from typing import Any

from dialogue.spoken.digit_words import tongue
from providers.locales import azure_locale
from providers.settings import AzureSpeechConfig

_log = logging.getLogger(__name__)

Tags = tuple[str, ...]

# Containers ask for no key, but the SDK wants one of the usual shape.
_NO_KEY = "0" * 32
_HIDDEN_PROPERTIES = (
    ("SPEECH-BytesPerFrame", "160"),
    ("SPEECH-USPRunPollingInterval", "10"),
    ("SPEECH-StopRecognitionTimeoutInSeconds", "1"),
    ("SPEECH-TelemetryDataEnabled", "false"),
    # A caller may listen for minutes: silence must not end the recognition.
    ("Continuous-LegacyDefaultDisconnectSilenceTimeout", "false"),
)
# At this address languages are told apart for the whole of a call, at most ten of them (Azure's
# page "Language identification").
_IDENTIFYING_PATH = "/speech/universal/v2"
_MOST_LANGUAGES = 10
UNKNOWN = "Unknown"
_DOMAIN = "microsoft.com"
_DOMAINS = (("china", "azure.cn"), ("usgov", "azure.us"))


def locales_of(languages: Tags) -> Tags:
    """Azure's names for them, in order: one for each language, as many as it tells apart."""
    known: dict[str, str] = {}
    for language in languages:
        known.setdefault(tongue(language), azure_locale(language, is_heard=True))
    return tuple(known.values())[:_MOST_LANGUAGES]


def identification(sdk: Any, locales: Tags) -> Any:
    """What tells languages apart; None for one alone."""
    if len(locales) == 1:
        return None
    return sdk.languageconfig.AutoDetectSourceLanguageConfig(languages=list(locales))


def speech_config(sdk: Any, config: AzureSpeechConfig, locales: Tags) -> Any:
    """The SDK's own configuration. Raises what the SDK raises."""
    if len(locales) > 1:
        # Only this address tells languages apart again and again.
        origin = config.host.rstrip("/") or _origin_of(config.region)
        endpoint, key = f"{origin}{_IDENTIFYING_PATH}", config.key or _NO_KEY
        speech = sdk.SpeechConfig(endpoint=endpoint, subscription=key)
        mode = sdk.PropertyId.SpeechServiceConnection_LanguageIdMode
        speech.set_property(mode, "Continuous")
    elif config.host:
        speech = sdk.SpeechConfig(host=config.host, subscription=config.key or _NO_KEY)
    else:
        speech = sdk.SpeechConfig(subscription=config.key, region=config.region)
    if len(locales) == 1:
        speech.speech_recognition_language = locales[0]
    ids = sdk.PropertyId
    known = {"Speech_SegmentationSilenceTimeoutMs": str(round(config.segmentation_silence_s * 1e3))}
    if config.stable_partials:
        known["SpeechServiceResponse_StablePartialResultThreshold"] = str(config.stable_partials)
    for name, value in known.items():
        if hasattr(ids, name):
            speech.set_property(getattr(ids, name), value)
        else:
            _log.warning("this Speech SDK has no property %s", name)
    for name, value in _HIDDEN_PROPERTIES if config.tuned else ():
        try:
            speech.set_property_by_name(name, value)
        except RuntimeError:
            _log.warning("this Speech SDK does not take the property %s", name)
    return speech


def _origin_of(region: str) -> str:
    domain = next((named for part, named in _DOMAINS if region.startswith(part)), _DOMAIN)
    return f"wss://{region}.stt.speech.{domain}"
