"""Speech by ElevenLabs where no websocket is to be had: over HTTP, with the same key.

A model without websockets always goes this way. When a handshake is answered by something that is
not the service (a proxy, a firewall), the segment is asked for over HTTP, and so is what comes
after it for ``SOCKET_AGAIN_S``, unless a socket could be opened meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from typing import Final

from providers.elevenlabs_sdk import ElevenLabsHttp
from providers.elevenlabs_wire import PROVIDER
from providers.errors import ProviderError, ProviderUnavailable
from providers.models import DEFAULT_SPEECH_MODEL, SPEECH_MODELS_WITHOUT_SOCKET
from providers.settings import ElevenLabsConfig
from voice.ports import SpeakRequest, SpeechChunk

_log = logging.getLogger(__name__)

SOCKET_AGAIN_S: Final = 60.0
# Can be said in every language, and shows that key, model and voice are good.
_WARMING_TEXT: Final = "1"

Key = tuple[str, str]


class SparePath:
    """See the top of this file.

    Args:
        config: Of the speaker.
        http: Speaks.

    Attributes:
        is_only_one: The model has no websocket.
    """

    def __init__(self, config: ElevenLabsConfig, http: ElevenLabsHttp) -> None:
        model = config.model or DEFAULT_SPEECH_MODEL
        self.is_only_one = model in SPEECH_MODELS_WITHOUT_SOCKET
        self._http = http
        self._until_s: dict[Key, float] = {}

    def is_due(self, key: Key) -> bool:
        """Whether a socket of this voice was refused lately."""
        return asyncio.get_running_loop().time() < self._until_s.get(key, 0.0)

    async def warm(self, key: Key, refusal: ProviderError | None = None) -> None:
        """Have one digit spoken for nobody; ``refusal`` is that of its socket.

        Raises:
            ProviderError: As ``speak`` or ``instead``.
        """
        request = SpeakRequest("", _WARMING_TEXT, *key)
        chunks = self.speak(request) if refusal is None else self.instead(key, request, refusal)
        async for _ in chunks:
            pass

    async def speak(self, request: SpeakRequest) -> AsyncGenerator[SpeechChunk, None]:
        """The audio of one segment, without marks. Raises ``ProviderError``."""
        is_heard = False
        async with contextlib.aclosing(self._http.speak(request)) as pieces:
            async for ulaw in pieces:
                is_heard = True
                yield SpeechChunk(ulaw)
        if not is_heard and any(char.isalnum() for char in request.text):
            raise ProviderUnavailable("it said nothing", PROVIDER)

    async def instead(
        self, key: Key, request: SpeakRequest, refusal: ProviderError
    ) -> AsyncGenerator[SpeechChunk, None]:
        """The audio of a segment whose socket was refused.

        Raises:
            ProviderError: The refusal, when it cannot be had this way either.
        """
        is_heard = False
        try:
            async with contextlib.aclosing(self.speak(request)) as chunks:
                async for chunk in chunks:
                    if not is_heard:
                        is_heard = True
                        self._note(key, refusal)
                    yield chunk
        except ProviderError:
            if is_heard:
                raise
            raise refusal from None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _note(self, key: Key, refusal: ProviderError) -> None:
        if key not in self._until_s:
            _log.warning("speech goes over HTTP, which begins later: %s", refusal)
        self._until_s[key] = asyncio.get_running_loop().time() + SOCKET_AGAIN_S
