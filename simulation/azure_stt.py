"""Azure's speech-to-text service, so far as the unmodified Speech SDK can tell.

Paths: ``/speech/recognition/{interactive|conversation|dictation}/cognitiveservices/v1``, where the
query holds the settings, and ``/speech/universal/v2`` (of a region; behind ``/stt`` of a resource),
where ``speech.context`` does.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulation.azure_messages import Message, format_text, parse_binary, parse_text
from simulation.azure_phrase import PhraseShape
from simulation.azure_turn import RecognitionTurn, TurnSettings
from simulation.errors import WireViolation
from simulation.faults import FaultBoard
from simulation.fingerprint import ClipIndex, Fingerprint
from simulation.wire_http import Reply, Request
from simulation.wire_server import Refusal
from simulation.wire_socket import Socket

_log = logging.getLogger(__name__)
_PATHS = frozenset(
    f"/speech/recognition/{mode}/cognitiveservices/v1"
    for mode in ("interactive", "conversation", "dictation")
) | {"/stt/speech/universal/v2", "/speech/universal/v2"}
_ISSUE_PATH = "/sts/v1.0/issuetoken"
BAD_KEY = "bad"


@dataclass(frozen=True, slots=True)
class AzureConfig:
    """How quick the recogniser is.

    Attributes:
        interim_lag_s: From the arrival of a word's last byte to its hypothesis.
        final_lag_s: From the end of the segmentation silence to the phrase.
        segmentation_silence_s: When the client does not say.
    """

    interim_lag_s: float = 0.15
    final_lag_s: float = 0.1
    segmentation_silence_s: float = 0.5


class AzureSpeechToText:
    """The service behind one port.

    Args:
        config: Lags and defaults.
        index: The clips it recognises.
        board: Its faults.
    """

    name = "azure"

    def __init__(self, config: AzureConfig, index: ClipIndex, board: FaultBoard) -> None:
        self.config = config
        self.index = index
        self.board = board

    def check(self, request: Request) -> None:
        """Path and key. Raises ``Refusal``: 404, 401."""
        if request.path.lower() not in _PATHS | {_ISSUE_PATH}:
            raise Refusal(404, self.error_body(404, "Resource not found"))
        key = request.headers.get("ocp-apim-subscription-key", "")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if BAD_KEY in (key, token) or not (key or token):
            raise Refusal(401, self.error_body(401, "Access denied: wrong or missing key"))

    def open(self, request: Request, socket: Socket) -> SpeechSession:
        """A recogniser connected."""
        return SpeechSession(self, request.query, socket)

    async def answer(self, request: Request, reply: Reply) -> None:
        """``POST /sts/v1.0/issueToken`` gives a token; recognition needs a WebSocket."""
        if request.path.lower() == _ISSUE_PATH and request.method == "POST":
            reply.whole(200, uuid.uuid4().hex.encode(), {"content-type": "application/jwt"})
        else:
            reply.whole(400, self.error_body(400, "This path takes a WebSocket"))

    def error_body(self, status: int, message: str) -> bytes:
        """As the front door of Azure writes it."""
        return json.dumps({"error": {"code": str(status), "message": message}}).encode()


class SpeechSession:
    """One recogniser's socket: turns by request id, one timer for all that is due.

    Args:
        service: Settings, clips, faults.
        query: The URL's query.
        socket: Where answers go.
    """

    def __init__(
        self, service: AzureSpeechToText, query: Mapping[str, str], socket: Socket
    ) -> None:
        self._service = service
        self._query = query
        self._socket = socket
        self._turns: dict[str, RecognitionTurn] = {}
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = float("inf")

    def receive_text(self, message: str) -> None:
        """``speech.context`` opens a turn; everything else is only noted by the real service."""
        try:
            parsed = parse_text(message)
            if parsed.path == "speech.context":
                self._open_turn(parsed)
        except WireViolation as violation:
            self._socket.close(1002, violation.message)
            return
        self._drain()

    def receive_binary(self, message: bytes) -> None:
        """Audio of a turn."""
        try:
            parsed = parse_binary(message)
            if parsed.path != "audio":
                return
            turn = self._turns.get(parsed.request_id)
            if turn is None:
                turn = self._begin(parsed.request_id, self._settings({}))
            turn.receive_audio(parsed.body, now=self._loop.time())
        except WireViolation as violation:
            self._socket.close(1002, violation.message)
            return
        self._drain()

    def closed(self) -> None:
        """The recogniser went away."""
        if self._timer is not None:
            self._timer.cancel()
        self._turns.clear()

    def _open_turn(self, message: Message) -> None:
        try:
            context = json.loads(message.body)
        except ValueError as error:
            raise WireViolation("speech.context is not JSON") from error
        if not isinstance(context, dict):
            raise WireViolation("speech.context is not a JSON object")
        self._begin(message.request_id, self._settings(context))

    def _begin(self, request_id: str, settings: TurnSettings) -> RecognitionTurn:
        # A new turn ends the one before it; its audio has been sent again under the new id.
        self._turns = {key: turn for key, turn in self._turns.items() if not turn.ended}
        turn = RecognitionTurn(settings, Fingerprint(self._service.index))
        turn.begin(now=self._loop.time())
        self._turns[request_id] = turn
        return turn

    def _settings(self, context: dict[str, Any]) -> TurnSettings:
        config = self._service.config
        settings = turn_settings(context, self._query, config)
        first_s = self._service.board.of("azure").first_delay_s()
        return replace(
            settings,
            interim_lag_s=config.interim_lag_s + first_s,
            final_lag_s=config.final_lag_s + first_s,
        )

    def _drain(self) -> None:
        """Send what is due, and arm one timer for the rest."""
        now = self._loop.time()
        due_next = float("inf")
        for request_id, turn in self._turns.items():
            while (message := turn.next_output(now=now)) is not None:
                faults = self._service.board.of("azure")
                if faults.never_end and message.path == "turn.end":
                    continue
                if faults.wrong_request_id:
                    request_id = uuid.uuid4().hex
                self._socket.send_text(format_text(message.path, request_id, message.body))
            deadline = turn.next_deadline()
            if deadline is not None and deadline < due_next:
                due_next = deadline
        if due_next == self._timer_due:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_due = due_next
        if due_next != float("inf"):
            self._timer = self._loop.call_at(due_next, self._timer_rang)

    def _timer_rang(self) -> None:
        self._timer = None
        self._timer_due = float("inf")
        self._drain()


def turn_settings(
    context: dict[str, Any], query: Mapping[str, str], config: AzureConfig
) -> TurnSettings:
    """What ``speech.context`` and the query ask for; unknown or odd fields are passed over."""
    detection = _object(context, "phraseDetection")
    output = _object(context, "phraseOutput")
    mode = str(detection.get("mode", "CONVERSATION"))
    segmentation = _object(_object(detection, mode), "segmentation")
    language = str(query.get("language") or detection.get("language") or "en-US")
    identified = _object(context, "languageId").get("languages")
    languages = tuple(map(str, identified)) if isinstance(identified, list) else ()
    options = _object(output, "detailed").get("options")
    word_times = isinstance(options, list) and "WordTimings" in options
    return TurnSettings(
        shape=PhraseShape(
            language=language,
            detailed="detailed" in (query.get("format"), str(output.get("format", "")).lower()),
            word_times=word_times or query.get("wordLevelTimestamps") == "true",
            candidates=languages,
        ),
        languages=languages or (language,),
        base=_base(context),
        segmentation_silence_s=_seconds(
            segmentation.get("segmentationSilenceTimeoutMs")
            or detection.get("trailingSilenceTimeout"),
            config.segmentation_silence_s,
        ),
        initial_silence_s=_seconds(
            detection.get("initialSilenceTimeout") or query.get("initialSilenceTimeoutMs"), 15.0
        ),
        longest_phrase_s=_seconds(segmentation.get("segmentationForcedTimeoutMs"), 0.0),
        interim_lag_s=config.interim_lag_s,
        final_lag_s=config.final_lag_s,
    )


def _object(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _seconds(milliseconds: object, otherwise: float) -> float:
    text = str(milliseconds)
    return int(text) / 1_000 if text.isascii() and text.isdigit() and len(text) < 9 else otherwise


def _base(context: dict[str, Any]) -> int:
    """Offset at which a continued turn begins, in ticks."""
    streams = _object(_object(_object(context, "continuation"), "audio"), "streams")
    offsets = [str(_object(streams, key).get("offset", "")) for key in streams]
    return max([int(text) for text in offsets if text.isascii() and text.isdigit()], default=0)
