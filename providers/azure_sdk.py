"""One recogniser of the Azure Speech SDK; the only file that touches it.

Everything here is synchronous and may block (up to a second against a silent server), so it belongs
on an executor thread; only ``write`` is cheap (3 us). Callbacks arrive on threads of the SDK.
"""

from __future__ import annotations

import atexit
import functools
import logging
import re
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from providers.azure_sdk_config import UNKNOWN, Tags, identification, locales_of, speech_config
from providers.endpoint_checks import check_address, check_key
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.settings import AZURE_HOST, AZURE_KEY, AZURE_REGION, AzureSpeechConfig
from voice.ports import (
    SAMPLE_RATE_HZ,
    FinalTranscript,
    InterimTranscript,
    RecogniserEvent,
    SpeechNoticed,
)

PROVIDER = "azure"

_log = logging.getLogger(__name__)

_TICKS_PER_S = 10_000_000
_CANCEL_CODES: dict[str, tuple[type[ProviderError], str]] = {
    "AuthenticationFailure": (ProviderRefused, AZURE_KEY),
    "Forbidden": (ProviderRefused, AZURE_KEY),
    "BadRequest": (ProviderRejected, "language"),
    "TooManyRequests": (ProviderBusy, ""),
    "ServiceTimeout": (ProviderTimeout, ""),
    "ConnectionFailure": (ProviderUnavailable, AZURE_REGION),
    "ServiceRedirectTemporary": (ProviderRejected, AZURE_REGION),
    "ServiceRedirectPermanent": (ProviderRejected, AZURE_REGION),
}
_REGION = re.compile(r"[A-Za-z0-9-]{1,40}")
_STATUS = re.compile(r"\((\d{3})\)|status code:? ?(\d{3})")
_live: weakref.WeakSet[SdkRecogniser] = weakref.WeakSet()


@dataclass(frozen=True, slots=True)
class Connected:
    """The connection to the service stands."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone; the SDK opens another one if recognition is running."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Recognition is over, because of ``error``."""

    error: ProviderError


SdkEvent = RecogniserEvent | Connected | Disconnected | Cancelled


def load_sdk() -> Any:
    """The SDK's module, imported at the first need.

    Raises:
        ProviderUnavailable: It is not installed, or one of its libraries is missing.
    """
    try:
        import azure.cognitiveservices.speech as sdk
    except (ImportError, OSError) as error:
        raise ProviderUnavailable(
            "the Speech SDK cannot be loaded: pip install azure-cognitiveservices-speech "
            f"({type(error).__name__})",
            PROVIDER,
        ) from None
    return sdk


def check_config(config: AzureSpeechConfig) -> None:
    """See that there is an address and a key.

    Raises:
        ProviderRefused: The key or the region is missing, or the key is none.
        ProviderRejected: The host is no websocket address, or the region is none.
    """
    check_key(config.key, PROVIDER, AZURE_KEY)
    if config.host:
        if not config.host.startswith(("ws://", "wss://")):
            raise ProviderRejected("the host is no ws(s):// address", PROVIDER, AZURE_HOST)
        check_address(config.host, PROVIDER, AZURE_HOST)
        return
    if not config.key:
        raise ProviderRefused("there is no key", PROVIDER, AZURE_KEY)
    if not config.region:
        raise ProviderRefused("there is no region", PROVIDER, AZURE_REGION)
    check_region(config.region)


def check_region(region: str) -> None:
    """See that a region may be part of a host. Raises ``ProviderRejected``."""
    if not _REGION.fullmatch(region):
        said = "no region has such a name: write it as in westeurope"
        raise ProviderRejected(said, PROVIDER, AZURE_REGION)


class SdkRecogniser:
    """A recogniser with its push stream and its connection.

    Args:
        config: Key, address, properties.
        languages: BCP-47 tags, fixed for the life of a recogniser. Of several the service says for
            each phrase which one it was.
        post: Called on threads of the SDK with everything that happens.

    Raises:
        ProviderError: The SDK is missing or does not take the settings.
    """

    def __init__(
        self, config: AzureSpeechConfig, languages: Tags, post: Callable[[SdkEvent], None]
    ) -> None:
        sdk = load_sdk()
        self._sdk = sdk
        self._has_host = bool(config.host)
        self._post = post
        self._ended = False
        try:
            audio_format = sdk.audio.AudioStreamFormat(
                SAMPLE_RATE_HZ, 8, 1, wave_stream_format=sdk.audio.AudioStreamWaveFormat.MULAW
            )
            self._stream = sdk.audio.PushAudioInputStream(audio_format)
            self._recogniser = sdk.SpeechRecognizer(
                speech_config(sdk, config, locales_of(languages)),
                sdk.audio.AudioConfig(stream=self._stream),
                auto_detect_source_language_config=identification(sdk, locales_of(languages)),
            )
            self._connection = sdk.Connection.from_recognizer(self._recogniser)
        except (RuntimeError, ValueError) as error:
            raise ProviderRejected(
                f"the SDK refuses the settings ({type(error).__name__})",
                PROVIDER,
                AZURE_HOST if config.host else AZURE_REGION,
            ) from None
        self._connect_callbacks(is_identified=len(languages) > 1)
        _stop_at_exit()
        _live.add(self)

    def preopen(self) -> None:
        """Start to connect; returns at once, ``Connected`` or ``Cancelled`` follows."""
        self._connection.open(True)

    def start(self, phrases: tuple[str, ...]) -> None:
        """Start to recognise.

        Raises:
            ProviderUnavailable: The SDK cannot start.
        """
        try:
            if phrases:
                grammar = self._sdk.PhraseListGrammar.from_recognizer(self._recogniser)
                for phrase in phrases:
                    grammar.addPhrase(phrase)
            self._recogniser.start_continuous_recognition_async().get()
        except RuntimeError:
            raise ProviderUnavailable("recognition does not start", PROVIDER) from None

    def write(self, ulaw: bytes) -> None:
        """Hand over audio; copies it and returns. Raises ``RuntimeError`` from the SDK."""
        if ulaw:  # to the SDK, writing nothing is the end of the audio
            self._stream.write(ulaw)

    def stop(self) -> None:
        """Stop, disconnect, and let go of everything native. Idempotent."""
        if self._ended:
            return
        self._ended = True
        _live.discard(self)
        for step in (
            lambda: self._recogniser.stop_continuous_recognition_async().get(),
            self._connection.close,
            self._stream.close,
        ):
            try:
                step()
            except RuntimeError as error:
                # A connection that failed before cannot be closed again: it is gone anyway.
                _log.debug("while stopping: %s", type(error).__name__)
        for signal in self._signals():
            signal.disconnect_all()
        # The last references go here, on this thread: releasing them can block.
        del self._connection, self._recogniser, self._stream

    def _signals(self) -> tuple[Any, ...]:
        recogniser = self._recogniser
        return (
            recogniser.recognizing,
            recogniser.recognized,
            recogniser.canceled,
            recogniser.speech_start_detected,
            recogniser.session_stopped,
            self._connection.connected,
            self._connection.disconnected,
        )

    def _connect_callbacks(self, *, is_identified: bool) -> None:
        # The native side holds the callbacks; they must not hold this object, or it never dies.
        post = self._post
        reasons = self._sdk.CancellationReason
        address = AZURE_HOST if self._has_host else AZURE_REGION

        def cancelled(event: Any) -> None:
            details = event.cancellation_details
            if details.reason == reasons.Error:
                code = getattr(details.code, "name", "")
                post(Cancelled(error_of_cancellation(code, details.error_details or "", address)))

        told = self._sdk.PropertyId.SpeechServiceConnection_AutoDetectSourceLanguageResult

        def recognised(event: Any) -> None:
            result = event.result
            language = result.properties.get(told) or "" if is_identified else ""
            language = "" if language == UNKNOWN else language
            post(FinalTranscript(result.text or "", _end_s(result), language))

        def stopped(_event: Any) -> None:
            post(Cancelled(ProviderUnavailable("the service ended the session", PROVIDER)))

        callbacks: tuple[Callable[[Any], None], ...] = (
            lambda event: post(InterimTranscript(event.result.text, _end_s(event.result))),
            recognised,
            cancelled,
            lambda event: post(SpeechNoticed(event.offset / _TICKS_PER_S)),
            stopped,
            lambda _event: post(Connected()),
            lambda _event: post(Disconnected()),
        )
        for signal, callback in zip(self._signals(), callbacks, strict=True):
            signal.connect(callback)


def error_of_cancellation(code: str, details: str, address: str) -> ProviderError:
    """The typed error for a cancellation; of the prose only an HTTP status is taken over.

    Args:
        code: Name of the SDK's ``CancellationErrorCode``.
        details: What the SDK says about it; may hold addresses and stack traces.
        address: The setting that holds the address.
    """
    kind, setting = _CANCEL_CODES.get(code, (ProviderUnavailable, ""))
    found = _STATUS.search(details)
    status = (found.group(1) or found.group(2)) if found else ""
    if status == "404":
        kind, setting = ProviderRejected, AZURE_REGION
    if setting == AZURE_REGION:
        setting = address
    message = (code or "cancelled") + (f", HTTP {status}" if status else "")
    if kind is ProviderRefused and address == AZURE_REGION:
        message += f"; a key is good in its own region only ({AZURE_REGION})"
    return kind(message, PROVIDER, setting)


def _end_s(result: Any) -> float:
    return float((result.offset + result.duration) / _TICKS_PER_S)


@functools.cache
def _stop_at_exit() -> None:
    """Registered once: a callback into a dying interpreter would abort the process."""
    atexit.register(_stop_all)


def _stop_all() -> None:
    for recogniser in list(_live):
        recogniser.stop()
