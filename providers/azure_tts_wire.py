"""What is said to and by Azure's text-to-speech, without the SDK: addresses, events, errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from providers.azure_sdk import PROVIDER, check_region, error_of_cancellation
from providers.endpoint_checks import check_address, check_key
from providers.errors import ProviderBusy, ProviderError, ProviderRefused, ProviderRejected
from providers.settings import AZURE_KEY, AZURE_REGION, AZURE_TTS_HOST, AzureTtsConfig
from voice.ports import TextMark

# Cantonese is zh-HK and yue-CN there, whatever people call it: no voice is named after Macau.
VOICE_PATTERN: Final = (
    r"(?!(?:zh-MO|zh-SG|yue-HK)-)"
    r"(?P<locale>[a-z]{2,3}(-[A-Za-z]{2,10})+?)-(?P<name>[A-Z]\w*(:[\w.-]+)?)"
)
"""Azure's short names: locale, a dash, the name; newer ones with a model after a colon."""

VOICE_EXAMPLE: Final = "en-US-AvaMultilingualNeural"

POLYGLOT_PATTERN: Final = "Multilingual|:"
"""Voices that speak the language of the text, whatever their locale says."""

_PATH = "/cognitiveservices/websocket/"
_DOMAINS = (("china", "azure.cn"), ("usgov", "azure.us"), ("usdod", "azure.us"))
# How far ahead the service may skip in the text (what it does not speak).
_SKIP_CHARS = 40


@dataclass(frozen=True, slots=True)
class AudioMade:
    """Mu-law that follows on what came before."""

    ulaw: bytes


@dataclass(frozen=True, slots=True)
class WordSpoken:
    """A word or a punctuation mark of the text, and when it is over."""

    text: str
    end_s: float


@dataclass(frozen=True, slots=True)
class Finished:
    """All has been spoken; ``ulaw`` is the whole of it."""

    ulaw: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """It will not be spoken to its end."""

    error: ProviderError


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """The socket stands, or is gone."""

    is_open: bool


SpeechEvent = AudioMade | WordSpoken | Finished | Failed
SdkEvent = SpeechEvent | ConnectionChanged


def check_config(config: AzureTtsConfig) -> None:
    """See that there is an address and a key.

    Raises:
        ProviderRefused: The key or the region is missing, or the key is none.
        ProviderRejected: The host is no websocket address, or the region is none.
    """
    check_key(config.key, PROVIDER, AZURE_KEY)
    if config.host:
        if not config.host.startswith(("ws://", "wss://")):
            raise ProviderRejected("the host is no ws(s):// address", PROVIDER, AZURE_TTS_HOST)
        check_address(config.host, PROVIDER, AZURE_TTS_HOST)
        return
    if not config.key:
        raise ProviderRefused("there is no key", PROVIDER, AZURE_KEY)
    if not config.region:
        raise ProviderRefused("there is no region", PROVIDER, AZURE_REGION)
    check_region(config.region)


def address_setting(config: AzureTtsConfig) -> str:
    """The setting that holds the address."""
    return AZURE_TTS_HOST if config.host else AZURE_REGION


def socket_url(config: AzureTtsConfig) -> str:
    """The address of the service; its second version takes text in pieces."""
    path = _PATH + ("v2" if config.text_streaming else "v1")
    if config.host:
        return config.host.rstrip("/") + path
    region = config.region.lower()
    domain = next(
        (domain for prefix, domain in _DOMAINS if region.startswith(prefix)), "microsoft.com"
    )
    return f"wss://{region}.tts.speech.{domain}{path}"


def error_of_synthesis(code: str, details: str, address: str) -> ProviderError:
    """The typed error for a cancelled synthesis; of the prose only key words are looked for.

    Args:
        code: Name of the SDK's ``CancellationErrorCode``.
        details: What the service says, such as ``Error code: 1007. ... Unsupported voice x.``
        address: The setting that holds the address.
    """
    said = details.lower()
    if code == "BadRequest" and "upgrade failed" not in said:
        if "throttl" in said:
            return ProviderBusy("throttled", PROVIDER)
        if "voice" in said:
            return ProviderRejected("it has no such voice", PROVIDER, "voice")
        return ProviderRejected("it does not take this text", PROVIDER)
    if code == "BadRequest":
        return ProviderRejected("HTTP 400", PROVIDER, address)
    return error_of_cancellation(code, details, address)


class WordTracker:
    """Follows through the caller's text what the service says it has spoken."""

    __slots__ = ("_at", "_at_s", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._at_s = 0.0

    def take(self, word: str, end_s: float) -> tuple[TextMark, ...]:
        """The mark at the end of a word; none for a word that the text does not have."""
        found = self._text.find(word, self._at, self._at + _SKIP_CHARS + len(word)) if word else -1
        if found < 0:
            return ()
        self._at = found + len(word)
        self._at_s = max(self._at_s, end_s)
        return (TextMark(self._at, self._at_s),)

    def finish(self, end_s: float) -> tuple[TextMark, ...]:
        """The mark at the end of the text, if the last word was not that."""
        if self._at >= len(self._text):
            return ()
        self._at = len(self._text)
        return (TextMark(self._at, max(self._at_s, end_s)),)
