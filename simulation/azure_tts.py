"""Azure's text-to-speech service, so far as the unmodified Speech SDK can tell.

Paths: ``/cognitiveservices/websocket/v1`` (SSML) and ``.../v2`` (SSML, and text in pieces), both
also below ``/tts`` as on a resource's own address; ``GET .../cognitiveservices/voices/list``;
``POST /sts/v1.0/issueToken``.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor

from simulation.azure_synthesis import VOICES, Wanted, voice_locale
from simulation.azure_tts_session import AzureTtsConfig, SynthesisSession
from simulation.faults import FaultBoard, Faults
from simulation.voice_sound import Speech, SpokenVoice
from simulation.wire_http import Reply, Request
from simulation.wire_server import Refusal
from simulation.wire_socket import Socket

_SOCKET = re.compile(r"(?:/tts)?/cognitiveservices/websocket/(?P<version>v1|v2)")
_VOICES = re.compile(r"(?:/tts)?/cognitiveservices/voices/list")
_ISSUE = "/sts/v1.0/issuetoken"
BAD_KEY = "bad"


class AzureTextToSpeech:
    """The service behind one port.

    Args:
        config: Pace and limits.
        voice: Makes the sound.
        board: Its faults.
    """

    name = "azure_tts"

    def __init__(self, config: AzureTtsConfig, voice: SpokenVoice, board: FaultBoard) -> None:
        self.config = config
        self.speaking = 0
        self._board = board
        self._voice = voice
        # One thread: the voice library has one global state, and the event loop stays free.
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="azure-voice")

    @property
    def faults(self) -> Faults:
        """What goes wrong now."""
        return self._board.of(self.name)

    def close(self) -> None:
        """Give the voice's thread back."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def check(self, request: Request) -> None:
        """Path and key. Raises ``Refusal``: 404, 401."""
        path = request.path
        if not (_SOCKET.fullmatch(path) or _VOICES.fullmatch(path) or path.lower() == _ISSUE):
            raise Refusal(404, self.error_body(404, "Resource not found"))
        key = request.headers.get("ocp-apim-subscription-key", "")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if BAD_KEY in (key, token) or not (key or token):
            raise Refusal(401, self.error_body(401, "Access denied: wrong or missing key"))

    def open(self, request: Request, socket: Socket) -> SynthesisSession:
        """A synthesiser connected. Raises ``Refusal``."""
        match = _SOCKET.fullmatch(request.path)
        if match is None:
            raise Refusal(404, self.error_body(404, "Resource not found"))
        return SynthesisSession(self, socket, takes_pieces=match["version"] == "v2")

    async def answer(self, request: Request, reply: Reply) -> None:
        """The list of voices, and tokens."""
        if _VOICES.fullmatch(request.path):
            reply.json(200, [_listed(name, gender) for name, gender in VOICES])
        elif request.path.lower() == _ISSUE and request.method == "POST":
            reply.whole(200, uuid.uuid4().hex.encode(), {"content-type": "application/jwt"})
        else:
            reply.whole(400, self.error_body(400, "This path takes a WebSocket"))

    def error_body(self, status: int, message: str) -> bytes:
        """As the front door of Azure writes it."""
        return json.dumps({"error": {"code": str(status), "message": message}}).encode()

    async def speak(self, wanted: Wanted) -> Speech:
        """Have a text spoken."""
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, self._voice.speak, wanted.text, wanted.language, wanted.voice
        )


def _listed(name: str, gender: str) -> dict[str, str]:
    locale = voice_locale(name)
    return {
        "Name": f"Microsoft Server Speech Text to Speech Voice ({locale}, {name.split('-')[-1]})",
        "DisplayName": name.split("-")[-1].removesuffix("Neural"),
        "LocalName": name.split("-")[-1].removesuffix("Neural"),
        "ShortName": name,
        "Gender": gender,
        "Locale": locale,
        "SampleRateHertz": "24000",
        "VoiceType": "Neural",
        "Status": "GA",
    }
