"""What is said to and by a speech endpoint of OpenAI's protocol, without the SDK.

Source: ``POST /audio/speech`` of OpenAI's API reference, as in the types of ``openai`` 3.52. With
``response_format: pcm`` the body is 16-bit little-endian mono, 24,000 Hz, without a header. Servers
of other people differ in the rate, and some send another format than they were asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from providers.containers import container_of
from providers.endpoint_checks import check_address, check_key
from providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
)
from providers.http_status import Blame
from providers.models import DEFAULT_OPENAI_SPEECH_MODEL
from providers.settings import (
    OPENAI_TTS_BASE_URL,
    OPENAI_TTS_KEY,
    OPENAI_TTS_MODEL,
    OpenAITtsConfig,
)
from voice.ports import SpeakRequest

PROVIDER: Final = "openai"
OPENAI_ADDRESS: Final = "https://api.openai.com/v1"
BLAME: Final = Blame(PROVIDER, OPENAI_TTS_KEY, "voice", OPENAI_TTS_BASE_URL)
MODEL_BLAME: Final = Blame(PROVIDER, OPENAI_TTS_KEY, OPENAI_TTS_MODEL, OPENAI_TTS_BASE_URL)

MOST_CHARS: Final = 4_096

_RATE = re.compile(r";\s*rate=(\d{1,9})\b")
# The filter of a rate that has next to nothing in common with 8,000 has millions of taps.
_RATES_HZ = frozenset({8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000})
_FOREIGN = ("application/json", "text/", "audio/mpeg", "audio/mp3", "audio/wav", "audio/x-wav")


def check_config(config: OpenAITtsConfig) -> None:
    """See that there is an address and, where one is needed, a key.

    Raises:
        ProviderRefused: There is no key, and the address is OpenAI's own; or it is none.
        ProviderRejected: The address is no http or https URL.
    """
    if not config.base_url.startswith(("http://", "https://")):
        raise ProviderRejected("the address is no http(s) URL", PROVIDER, OPENAI_TTS_BASE_URL)
    check_address(config.base_url, PROVIDER, OPENAI_TTS_BASE_URL)
    check_key(config.api_key, PROVIDER, OPENAI_TTS_KEY)
    if not config.api_key and config.base_url.rstrip("/") == OPENAI_ADDRESS:
        raise ProviderRefused("there is no key", PROVIDER, OPENAI_TTS_KEY)


def model_of(config: OpenAITtsConfig) -> str:
    """The configured model, or the default."""
    return config.model or DEFAULT_OPENAI_SPEECH_MODEL


def request_body(config: OpenAITtsConfig, request: SpeakRequest) -> dict[str, Any]:
    """The body of one segment.

    Raises:
        ProviderRejected: It is longer than the service takes, or names no voice.
    """
    if not request.voice:
        raise ProviderRejected("no voice is given", PROVIDER, "voice")
    if len(request.text) > MOST_CHARS:
        raise ProviderRejected(f"a segment of more than {MOST_CHARS} characters", PROVIDER)
    return {
        "model": model_of(config),
        "input": request.text.encode("utf-8", "replace").decode(),
        "voice": request.voice,
        "response_format": "pcm",
    }


def blame_of(status: int, code: str, param: str) -> Blame:
    """Which setting a refusal is about: the model, or else the voice."""
    is_model = "model" in param or "model" in code or (status == 404 and "voice" not in param)
    return MODEL_BLAME if is_model else BLAME


def rate_of(headers: Mapping[str, str], configured_hz: int) -> int:
    """The sample rate of a body, from its ``content-type`` or else as configured.

    Raises:
        ProviderProtocolError: The body is no PCM.
    """
    content = headers.get("content-type", "").lower()
    if content.startswith(_FOREIGN):
        raise foreign(content.partition(";")[0])
    match = _RATE.search(content)
    if match is None:
        return configured_hz
    if int(match[1]) not in _RATES_HZ:
        raise foreign(f"audio of {match[1]} samples a second")
    return int(match[1])


def check_beginning(pcm: bytes) -> None:
    """See that a body does not begin as a file of another format.

    Raises:
        ProviderProtocolError: It does.
    """
    if name := container_of(pcm):
        raise foreign(name)


def foreign(what: str) -> ProviderError:
    """The error for an answer in a format that nobody asked for."""
    return ProviderProtocolError(
        f"it sent {what} where raw PCM was asked for", PROVIDER, OPENAI_TTS_BASE_URL
    )
