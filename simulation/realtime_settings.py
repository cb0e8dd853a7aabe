"""The settings of an emulated Realtime session: what ``session.update`` may say.

Source: OpenAI's reference of ``session.update`` (generally available protocol). Only telephone
audio (``audio/pcmu``) is emulated; the other formats are refused here, and are not by the service.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from simulation.errors import WireViolation

VOICES = frozenset(
    "marin cedar alloy ash ballad coral echo sage shimmer verse".split()  # noqa: SIM905
)
_EAGERNESS_S = {"low": 8.0, "medium": 4.0, "high": 2.0, "auto": 4.0}
_SESSION_FIELDS = frozenset(
    (
        *("type", "model", "instructions", "output_modalities", "audio", "tools", "tool_choice"),
        *("parallel_tool_calls", "reasoning", "max_output_tokens", "truncation", "tracing"),
        *("prompt", "include"),
    )
)


class RealtimeRefusal(WireViolation):
    """A client event that the service refuses: ``code`` and ``param`` of its ``error`` event."""

    def __init__(self, message: str = "", code: str = "invalid_value", param: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.param = param


@dataclass(frozen=True, slots=True)
class TurnRules:
    """How turns are found.

    Attributes:
        kind: ``server_vad``, ``semantic_vad``, or empty for not at all.
        longest_wait_s: Of ``semantic_vad``.
    """

    kind: str = "server_vad"
    threshold: float = 0.5
    prefix_s: float = 0.3
    silence_s: float = 0.5
    longest_wait_s: float = 4.0
    creates_response: bool = True
    interrupts_response: bool = True


@dataclass(frozen=True, slots=True)
class RealtimeSettings:
    """One session's settings.

    Attributes:
        wire: The session object as it is told back.
    """

    model: str
    instructions: str = ""
    voice: str = "marin"
    tools: tuple[dict[str, Any], ...] = ()
    tool_choice: str = "auto"
    turns: TurnRules = field(default_factory=TurnRules)
    transcribes: bool = False
    most_tokens: int = 0
    wire: dict[str, Any] = field(default_factory=dict)

    def updated(self, session: object, *, has_spoken: bool) -> RealtimeSettings:
        """These with what ``session.update`` says.

        Args:
            session: The object of that name.
            has_spoken: The voice cannot be changed any more.

        Raises:
            RealtimeRefusal: As the service would refuse it.
        """
        if not isinstance(session, dict):
            raise RealtimeRefusal("session must be an object", "invalid_type", "session")
        if session.get("type") != "realtime":
            raise RealtimeRefusal(
                "Missing required parameter: 'session.type'.",
                "missing_required_parameter",
                "session.type",
            )
        if unknown := set(session) - _SESSION_FIELDS:
            name = f"session.{min(unknown)}"
            raise RealtimeRefusal(f"Unknown parameter: '{name}'.", "unknown_parameter", name)
        if session.get("model", self.model) != self.model:
            raise RealtimeRefusal("The model cannot be changed.", "invalid_value", "session.model")
        audio = _object(session, "audio", "session")
        heard, spoken = (_object(audio, name, "session.audio") for name in ("input", "output"))
        for name, side in (("input", heard), ("output", spoken)):
            _check_format(side.get("format"), f"session.audio.{name}.format")
        voice = spoken.get("voice", self.voice)
        if not isinstance(voice, str) or voice not in VOICES:
            known = ", ".join(sorted(VOICES))
            raise RealtimeRefusal(
                f"Invalid value. Supported values are: {known}",
                "invalid_value",
                "session.audio.output.voice",
            )
        if has_spoken and voice != self.voice:
            raise RealtimeRefusal(
                "Cannot update a conversation's voice if assistant audio is present.",
                "cannot_update_voice",
                "session.audio.output.voice",
            )
        turns = self.turns
        if "turn_detection" in heard:
            turns = _turns(heard["turn_detection"])
        transcribes = self.transcribes
        if "transcription" in heard:
            transcribes = _transcribes(heard["transcription"])
        tokens = session.get("max_output_tokens", self.most_tokens)
        return replace(
            self,
            instructions=str(session.get("instructions", self.instructions)),
            voice=voice,
            tools=_tools(session["tools"]) if "tools" in session else self.tools,
            tool_choice=str(session.get("tool_choice", self.tool_choice)),
            turns=turns,
            transcribes=transcribes,
            most_tokens=tokens if isinstance(tokens, int) else 0,
            wire=_merged(self.wire, session),
        )


def _check_format(told: object, where: str) -> None:
    kind = told.get("type") if isinstance(told, dict) else told
    if kind not in (None, "audio/pcmu"):
        raise RealtimeRefusal(f"Only audio/pcmu is emulated; got {kind!r}", "invalid_value", where)


def _turns(told: object) -> TurnRules:
    where = "session.audio.input.turn_detection"
    if told is None:
        return TurnRules(kind="")
    if not isinstance(told, dict) or told.get("type") not in ("server_vad", "semantic_vad"):
        raise RealtimeRefusal(
            "Supported values are: 'server_vad' and 'semantic_vad'.", "invalid_value", where
        )
    threshold = told.get("threshold", 0.5)
    if not isinstance(threshold, int | float) or not 0.0 <= threshold <= 1.0:
        raise RealtimeRefusal("Expected a value from 0 to 1.", "invalid_value", where)
    eagerness = told.get("eagerness", "auto")
    if eagerness not in _EAGERNESS_S:
        raise RealtimeRefusal("Unknown eagerness.", "invalid_value", f"{where}.eagerness")
    return TurnRules(
        kind=told["type"],
        threshold=float(threshold),
        prefix_s=_ms(told, "prefix_padding_ms", 300, where),
        silence_s=_ms(told, "silence_duration_ms", 500, where),
        longest_wait_s=_EAGERNESS_S[eagerness],
        creates_response=told.get("create_response", True) is not False,
        interrupts_response=told.get("interrupt_response", True) is not False,
    )


def _ms(told: dict[str, Any], name: str, usual: int, where: str) -> float:
    value = told.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise RealtimeRefusal(
            "Expected an integer of 0 or more.", "invalid_type", f"{where}.{name}"
        )
    return value / 1_000


def _transcribes(told: object) -> bool:
    if told is None:
        return False
    if not isinstance(told, dict) or not isinstance(told.get("model"), str):
        where = "session.audio.input.transcription.model"
        raise RealtimeRefusal("Missing model.", "missing_required_parameter", where)
    return True


def _tools(told: object) -> tuple[dict[str, Any], ...]:
    is_list = isinstance(told, list) and all(
        isinstance(tool, dict) and tool.get("type") == "function" and tool.get("name")
        for tool in told
    )
    if not is_list or not isinstance(told, list):
        raise RealtimeRefusal("Expected function tools.", "invalid_value", "session.tools")
    return tuple(told)


def _object(parent: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    value = parent.get(name, {})
    if not isinstance(value, dict):
        raise RealtimeRefusal("Expected an object.", "invalid_type", f"{where}.{name}")
    return value


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for name, value in new.items():
        inner = merged.get(name)
        is_deep = isinstance(value, dict) and isinstance(inner, dict) and name in ("audio", *_SIDES)
        merged[name] = _merged(inner, value) if is_deep and isinstance(inner, dict) else value
    return merged


_SIDES = ("input", "output")
