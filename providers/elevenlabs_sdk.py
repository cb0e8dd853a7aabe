"""ElevenLabs over HTTP, through its own package: its voices, and speech where no websocket is.

Some networks let no websocket through, and some models have none. Speech over HTTP begins a little
later, a connection carries one segment at a time, and no marks come with it.

The package takes most of a second to import, so it is imported when it is first needed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx

from providers import elevenlabs_wire as wire
from providers.audio_bounds import Trickle, check_length
from providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.models import DEFAULT_SPEECH_MODEL, SPEECH_MODELS_WITH_LANGUAGE
from providers.settings import ELEVENLABS_BASE_URL, ElevenLabsConfig
from voice.ports import SAMPLE_RATE_HZ, SpeakRequest

_PIECE_BYTES: Final = 320  # 40 ms; by itself the package waits for 128
_PAGE: Final = 100
_MOST_PAGES: Final = 20
_FOREIGN: Final = ("text/", "application/json", "audio/mpeg", "audio/wav")


@dataclass(frozen=True, slots=True)
class KnownVoice:
    """A voice that the key may use.

    Attributes:
        voice_id: As agents name it.
        name: For people.
        category: Such as ``premade`` or ``cloned``; empty when it does not say.
        languages: Primary subtags it was verified for; it speaks others of its model all the same.
    """

    voice_id: str
    name: str
    category: str = ""
    languages: tuple[str, ...] = ()


class ElevenLabsHttp:
    """One client.

    Args:
        config: Key, address, deadlines.
    """

    def __init__(self, config: ElevenLabsConfig) -> None:
        self._config = config
        self._client: Any = None
        self._http: httpx.AsyncClient | None = None
        self._opening: asyncio.Lock = asyncio.Lock()
        self._closed = False

    async def speak(self, request: SpeakRequest) -> AsyncGenerator[bytes, None]:
        """The mu-law of one segment as it comes, never empty. Raises ``ProviderError``."""
        config, loop = self._config, asyncio.get_running_loop()
        client = await self._open()
        model = config.model or DEFAULT_SPEECH_MODEL
        fields: dict[str, Any] = {"model_id": model, "output_format": "ulaw_8000"}
        if model in SPEECH_MODELS_WITH_LANGUAGE:
            fields["language_code"] = request.language.split("-", 1)[0].lower()
        if config.voice_settings:
            from elevenlabs.types import VoiceSettings

            fields["voice_settings"] = VoiceSettings(**dict(config.voice_settings))  # type: ignore[arg-type]
        deadline_s = loop.time() + config.first_byte_timeout_s
        async with contextlib.AsyncExitStack() as stack:
            with typed_errors():
                async with asyncio.timeout_at(deadline_s):
                    response = await stack.enter_async_context(
                        client.text_to_speech.with_raw_response.stream(
                            request.voice,
                            text=request.text,
                            request_options={"chunk_size": _PIECE_BYTES, "max_retries": 0},
                            **fields,
                        )
                    )
            content = response.headers.get("content-type", "").lower()
            if content.startswith(_FOREIGN):
                kind = content.partition(";")[0]
                message = f"it sent {kind} where mu-law was asked for"
                raise ProviderProtocolError(message, wire.PROVIDER, ELEVENLABS_BASE_URL)
            is_first, samples, trickle = True, 0, Trickle(SAMPLE_RATE_HZ)
            while True:
                with typed_errors():
                    async with asyncio.timeout_at(deadline_s):
                        piece = await anext(response.data, None)
                if piece is None:
                    return
                samples += len(piece)
                check_length(samples, request.text, wire.PROVIDER)
                if trickle.took(len(piece)):
                    deadline_s = loop.time() + config.stall_timeout_s
                if piece and is_first:
                    wire.check_beginning(piece)
                    is_first = False
                if piece:
                    yield piece

    async def voice(self, voice_id: str) -> KnownVoice:
        """What is known of one voice.

        Raises:
            ProviderRejected: There is none of this id.
            ProviderError: It cannot be asked.
        """
        client = await self._open()
        with typed_errors():
            async with asyncio.timeout(self._config.first_byte_timeout_s):
                found = await client.voices.get(voice_id, request_options={"max_retries": 0})
        return _known(found)

    async def voices(self) -> list[KnownVoice]:
        """Every voice of the account, as the service orders them. Raises ``ProviderError``."""
        client, found, page = await self._open(), [], None
        for _ in range(_MOST_PAGES):
            with typed_errors():
                async with asyncio.timeout(self._config.first_byte_timeout_s):
                    answer = await client.voices.search(
                        page_size=_PAGE, next_page_token=page, request_options={"max_retries": 0}
                    )
                found += [_known(voice) for voice in answer.voices]
                page = answer.next_page_token if answer.has_more else None
            if page is None:
                break
        return found

    async def aclose(self) -> None:
        """Close the connections; what still runs fails as unavailable."""
        self._closed = True
        if self._http is not None:
            await self._http.aclose()

    async def _open(self) -> Any:
        async with self._opening:
            if self._closed:
                raise ProviderUnavailable("closed", wire.PROVIDER)
            if self._client is None:
                make = await asyncio.to_thread(_client_class)
                limit = httpx.Timeout(None, connect=self._config.connect_timeout_s)
                self._http = httpx.AsyncClient(timeout=limit, follow_redirects=False)
                self._client = make(
                    base_url=http_address(self._config.base_url),
                    api_key=self._config.api_key,
                    httpx_client=self._http,
                )
            return self._client


def http_address(base_url: str) -> str:
    """The address for HTTP, of one that may be meant for sockets.

    Raises:
        ProviderRejected: It is neither.
    """
    scheme, separator, rest = base_url.partition("://")
    scheme = {"ws": "http", "wss": "https", "http": "http", "https": "https"}.get(scheme, "")
    if not scheme or not separator:
        raise ProviderRejected("the address is no http(s) URL", wire.PROVIDER, ELEVENLABS_BASE_URL)
    return f"{scheme}://{rest.rstrip('/')}"


@contextlib.contextmanager
def typed_errors() -> Iterator[None]:
    """Whatever the package and its HTTP client raise, as ``ProviderError``.

    No message of theirs is passed on: they quote what was sent.
    """
    from elevenlabs.core.api_error import ApiError

    try:
        yield
    except ProviderError:
        raise
    except ApiError as error:
        raise _error_of(error) from None
    except (TimeoutError, httpx.TimeoutException):
        raise ProviderTimeout("no answer in time", wire.PROVIDER) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise ProviderRejected("not an address", wire.PROVIDER, ELEVENLABS_BASE_URL) from None
    except (httpx.HTTPError, RuntimeError, OSError) as error:
        message = f"no connection ({type(error).__name__})"
        raise ProviderUnavailable(message, wire.PROVIDER, ELEVENLABS_BASE_URL) from None
    except (ValueError, TypeError, AttributeError) as error:
        message = f"an answer that is none ({type(error).__name__})"
        raise ProviderProtocolError(message, wire.PROVIDER, ELEVENLABS_BASE_URL) from None


def _error_of(error: Any) -> ProviderError:
    status = error.status_code or 0
    if not 400 <= status < 600:
        message = f"HTTP {status} that is no answer"
        return ProviderProtocolError(message, wire.PROVIDER, ELEVENLABS_BASE_URL)
    return wire.error_of_http(status, error.headers or {}, error.body)


def _known(voice: Any) -> KnownVoice:
    languages = {str(each.language).split("-", 1)[0] for each in voice.verified_languages or ()}
    if labelled := (voice.labels or {}).get("language"):
        languages.add(str(labelled).split("-", 1)[0])
    return KnownVoice(
        str(voice.voice_id),
        str(voice.name or ""),
        str(voice.category or ""),
        tuple(sorted(languages)),
    )


def _client_class() -> Any:
    from elevenlabs.client import AsyncElevenLabs

    return AsyncElevenLabs
