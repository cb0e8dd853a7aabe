"""One synthesiser of the Azure Speech SDK; the only file of text-to-speech that touches it.

Everything here is synchronous and may block, so it belongs on an executor thread. Events arrive on
threads of the SDK. What was found out against a local server with version 1.53:

1. Text goes over the second version of the websocket, which takes it in pieces (``text.piece``)
   and has no markup: a voice is part of the synthesiser's settings, so each voice has its own.
2. A synthesiser has one socket and speaks one text after the other. The protocol has no way to take
   a text back: if the socket is kept, the next text waits until the old one was spoken. So a text
   that is cut short costs its socket; ``cancel`` closes it, and ``connect`` opens the next one.
3. Stopping is not heard before ``synthesis_started``, and such a text is spoken to its end.
4. A future that nobody asked for its result keeps its native part for ever.
5. The start, words and audio come on different threads, in any order; the end comes last.
"""

from __future__ import annotations

import atexit
import functools
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any

from providers.azure_sdk import PROVIDER, load_sdk
from providers.azure_tts_wire import (
    AudioMade,
    ConnectionChanged,
    Failed,
    Finished,
    SdkEvent,
    WordSpoken,
    address_setting,
    error_of_synthesis,
    socket_url,
)
from providers.errors import ProviderRejected, ProviderUnavailable
from providers.locales import azure_locale
from providers.settings import AzureTtsConfig

_log = logging.getLogger(__name__)

_TICKS_PER_S = 10_000_000
# Containers ask for no key, but the SDK wants one of the usual shape.
_NO_KEY = "0" * 32
_STARTED_WAIT_S = 2.0
_STOPPED_WAIT_S = 2.0
_live: weakref.WeakSet[SdkSynthesiser] = weakref.WeakSet()


class SdkSynthesiser:
    """A synthesiser of one voice and language, and its connection.

    Args:
        config: Key, address, deadlines.
        voice: Azure's name of it, such as ``zh-HK-HiuMaanNeural``.
        language: BCP-47 tag; matters to voices of several languages.
        post: Called on threads of the SDK with everything that happens; between ``speak`` and its
            last event (``Finished``, ``Failed``, or the end of ``cancel``) it is about that text.

    Raises:
        ProviderError: The SDK is missing or does not take the settings.
    """

    def __init__(
        self,
        config: AzureTtsConfig,
        voice: str,
        language: str,
        post: Callable[[SdkEvent], None],
    ) -> None:
        sdk = load_sdk()
        self._sdk = sdk
        self._in_pieces = config.text_streaming
        self._events = _Events(sdk, post, address_setting(config))
        self._future: Any = None
        self._closed = False
        try:
            self._synthesiser = sdk.SpeechSynthesizer(
                _speech_config(sdk, config, voice, language), audio_config=None
            )
            self._connection = sdk.Connection.from_speech_synthesizer(self._synthesiser)
        except (RuntimeError, ValueError) as error:
            raise ProviderRejected(
                f"the SDK refuses the settings ({type(error).__name__})",
                PROVIDER,
                address_setting(config),
            ) from None
        for signal, callback in zip(self._signals(), self._events.callbacks, strict=True):
            signal.connect(callback)
        _close_at_exit()
        _live.add(self)

    def connect(self) -> None:
        """Begin to open the socket; returns at once, a ``ConnectionChanged`` may follow."""
        try:
            self._connection.open(False)
        except RuntimeError as error:
            _log.debug("while connecting: %s", type(error).__name__)

    def speak(self, text: str) -> None:
        """Have a text spoken; returns at once.

        Raises:
            ProviderUnavailable: The SDK cannot start.
        """
        if self._closed:
            raise ProviderUnavailable("closed", PROVIDER)
        self._release_future()
        self._events.begin()
        try:
            if not self._in_pieces:
                self._future = self._synthesiser.speak_text_async(text)
                return
            request = self._sdk.SpeechSynthesisRequest(
                self._sdk.SpeechSynthesisRequestInputType.TextStream
            )
            self._future = self._synthesiser.speak_async(request)
            request.input_stream.write(text)
            request.input_stream.close()
        except RuntimeError:
            raise ProviderUnavailable("the synthesis does not start", PROVIDER) from None

    def cancel(self) -> bool:
        """Cut the text short and drop the socket.

        Returns:
            Whether that worked; a synthesiser that cannot be stopped is to be closed.
        """
        events = self._events
        events.forget()
        if self._future is None or events.is_over.is_set():
            return True
        events.is_started.wait(_STARTED_WAIT_S)
        try:
            self._synthesiser.stop_speaking_async().get()
        except RuntimeError as error:
            _log.debug("while stopping: %s", type(error).__name__)
            return False
        return events.is_over.wait(_STOPPED_WAIT_S)

    def close(self) -> None:
        """Stop, disconnect, and let go of everything native. Idempotent."""
        if self._closed:
            return
        self._closed = True
        _live.discard(self)
        self.cancel()
        for signal in self._signals():
            signal.disconnect_all()
        self._release_future()
        # The last references go here, on this thread: releasing them can block.
        del self._connection, self._synthesiser

    def _release_future(self) -> None:
        """Ask for the result of a text that is over: only that frees what is behind it."""
        future, self._future = self._future, None
        if future is not None and self._events.is_over.is_set():
            try:
                future.get()
            except RuntimeError as error:
                _log.debug("while ending: %s", type(error).__name__)

    def _signals(self) -> tuple[Any, ...]:
        synthesiser, connection = self._synthesiser, self._connection
        return (
            synthesiser.synthesis_started,
            synthesiser.synthesizing,
            synthesiser.synthesis_word_boundary,
            synthesiser.synthesis_completed,
            synthesiser.synthesis_canceled,
            connection.connected,
            connection.disconnected,
        )


class _Events:
    """What the native side calls; it must not hold the synthesiser, or that never dies."""

    def __init__(self, sdk: Any, post: Callable[[SdkEvent], None], address: str) -> None:
        self._reasons = sdk.CancellationReason
        self._post = post
        self._address = address
        self._result_id = self._past_id = ""
        self._wanted = False
        self.is_started = threading.Event()
        self.is_over = threading.Event()
        self.callbacks: tuple[Callable[[Any], None], ...] = (
            self._started,
            self._audio,
            self._word,
            self._completed,
            self._cancelled,
            lambda _event: post(ConnectionChanged(True)),
            lambda _event: post(ConnectionChanged(False)),
        )

    def begin(self) -> None:
        """A new text: what still comes of the one before has its id."""
        self.is_started.clear()
        self.is_over.clear()
        self._past_id = self._result_id or self._past_id
        self._result_id, self._wanted = "", True

    def forget(self) -> None:
        """Nobody listens any more."""
        self._wanted = False

    def _is_current(self, result_id: str) -> bool:
        # Whichever event is first brings the id: they come on several threads.
        if not self._result_id and result_id != self._past_id:
            self._result_id = result_id
        return bool(result_id) and result_id == self._result_id

    def _started(self, event: Any) -> None:
        if self._is_current(event.result.result_id):
            self.is_started.set()

    def _audio(self, event: Any) -> None:
        if self._is_current(event.result.result_id) and self._wanted:
            self._post(AudioMade(event.result.audio_data))

    def _word(self, event: Any) -> None:
        if self._is_current(event.result_id) and self._wanted:
            ticks = event.audio_offset + event.duration.total_seconds() * _TICKS_PER_S
            self._post(WordSpoken(event.text, ticks / _TICKS_PER_S))

    def _completed(self, event: Any) -> None:
        self._end(event, Finished(event.result.audio_data))

    def _cancelled(self, event: Any) -> None:
        details = event.result.cancellation_details
        if details.reason == self._reasons.Error:
            code = getattr(details.error_code, "name", "")
            error = error_of_synthesis(code, details.error_details or "", self._address)
        else:
            error = ProviderUnavailable("the synthesis was stopped", PROVIDER)
        self._end(event, Failed(error))

    def _end(self, event: Any, last: Finished | Failed) -> None:
        if not self._is_current(event.result.result_id):
            return
        # Posted last of all: whoever hears it may begin the next text at once, on another thread.
        is_wanted, self._wanted = self._wanted, False
        self.is_over.set()
        if is_wanted:
            self._post(last)


def _speech_config(sdk: Any, config: AzureTtsConfig, voice: str, language: str) -> Any:
    speech = sdk.SpeechConfig(endpoint=socket_url(config), subscription=config.key or _NO_KEY)
    speech.speech_synthesis_voice_name = voice
    speech.speech_synthesis_language = azure_locale(language)
    speech.set_speech_synthesis_output_format(sdk.SpeechSynthesisOutputFormat.Raw8Khz8BitMonoMULaw)
    # Undocumented, each set on its own: a version that does not know one still works. The first
    # keeps the SDK from waiting for a silent service for ever, long after we did.
    for name, value in (
        (
            "SpeechSynthesis_FirstChunkTimeoutMs",
            str(round(config.first_byte_timeout_s * 1e3) + 500),
        ),
        ("SpeechSynthesis_MaxRetryTimes", "0"),
        ("SPEECH-TelemetryDataEnabled", "false"),
    ):
        try:
            speech.set_property_by_name(name, value)
        except RuntimeError:
            _log.warning("this Speech SDK does not take the property %s", name)
    return speech


@functools.cache
def _close_at_exit() -> None:
    """Registered once: a callback into a dying interpreter would abort the process."""
    atexit.register(_close_all)


def _close_all() -> None:
    for synthesiser in list(_live):
        synthesiser.close()
