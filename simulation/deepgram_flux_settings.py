"""What a client asks of Deepgram's Flux: the URL's query and ``Configure``, with their limits.

Source: Deepgram's pages "Turn-based Audio (Flux)", "End-of-Turn Detection Parameters", "Configure",
"Keyterm Prompting" and "Flux Multilingual & Language Prompting".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulation.errors import WireViolation

MULTILINGUAL = "flux-general-multi"
_LANGUAGES = {
    "flux-general-en": ("en",),
    MULTILINGUAL: ("en", "es", "fr", "de", "hi", "ru", "pt", "ja", "it", "nl"),
}
_ENCODINGS = ("linear16", "linear32", "mulaw", "alaw", "opus", "ogg-opus")
_RATES_HZ = ("8000", "16000", "24000", "44100", "48000")
# name: least, most
_LIMITS = {
    "eot_threshold": (0.5, 1.0),
    "eager_eot_threshold": (0.3, 0.9),
    "eot_timeout_ms": (500, 60_000),
}
_MOST_KEYTERMS = 100
_MOST_KEYTERM_CHARS = 100


@dataclass(frozen=True, slots=True)
class FluxSettings:
    """How one socket listens.

    Attributes:
        languages: Primary subtags that the model understands.
        hints: As the client gave them; they bias, they exclude nothing.
        eager_eot_threshold: None for no eager ends.
    """

    model: str = "flux-general-en"
    encoding: str = "mulaw"
    eot_threshold: float = 0.7
    eager_eot_threshold: float | None = None
    eot_timeout_ms: int = 5_000
    keyterms: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def languages(self) -> tuple[str, ...]:
        """Primary subtags that the model understands."""
        return _LANGUAGES[self.model]


def settings_of_query(fields: tuple[tuple[str, str], ...]) -> FluxSettings:
    """From the query's fields, repeated ones included.

    Raises:
        WireViolation: A value that the service refuses with 400; the message is its description.
    """
    query = dict(fields)
    model = query.get("model", "")
    if model not in _LANGUAGES:
        raise WireViolation(f"model must be one of {', '.join(_LANGUAGES)}")
    hints = tuple(value for name, value in fields if name == "language_hint")
    if hints and model != MULTILINGUAL:
        raise WireViolation(f"language_hint is not supported for model {model}")
    settings = FluxSettings(
        model=model,
        encoding=_encoding(query),
        keyterms=_checked_keyterms([value for name, value in fields if name == "keyterm"]),
        hints=_checked_hints(list(hints)),
    )
    thresholds = {name: _number(query[name], name) for name in _LIMITS if name in query}
    return _with_thresholds(settings, thresholds)


def settings_of_configure(settings: FluxSettings, message: Mapping[str, Any]) -> FluxSettings:
    """What ``Configure`` makes of them; what it leaves out stays, a list replaces a list.

    Raises:
        WireViolation: A value out of its limits; nothing changes.
    """
    thresholds = message.get("thresholds") or {}
    if not isinstance(thresholds, dict):
        raise WireViolation("thresholds must be an object")
    known = {name: _number(thresholds[name], name) for name in _LIMITS if name in thresholds}
    settings = _with_thresholds(settings, known)
    if message.get("keyterms") is not None:
        settings = replace(settings, keyterms=_checked_keyterms(message["keyterms"]))
    if message.get("language_hints") is not None:
        if settings.model != MULTILINGUAL:
            raise WireViolation(f"language_hints is not supported for model {settings.model}")
        settings = replace(settings, hints=_checked_hints(message["language_hints"]))
    return settings


def thresholds_of(settings: FluxSettings) -> dict[str, float]:
    """As ``ConfigureSuccess`` tells them."""
    told: dict[str, float] = {
        "eot_threshold": settings.eot_threshold,
        "eot_timeout_ms": settings.eot_timeout_ms,
    }
    if settings.eager_eot_threshold is not None:
        told["eager_eot_threshold"] = settings.eager_eot_threshold
    return told


def _encoding(query: Mapping[str, str]) -> str:
    encoding, rate_hz = query.get("encoding", ""), query.get("sample_rate", "")
    if not encoding:
        return ""  # then the audio has to bring its format along
    if encoding not in _ENCODINGS:
        raise WireViolation(f"encoding must be one of {', '.join(_ENCODINGS)}")
    if rate_hz not in _RATES_HZ:
        raise WireViolation(f"sample_rate must be one of {', '.join(_RATES_HZ)}")
    if encoding not in ("mulaw", "linear16") or rate_hz != "8000":
        raise WireViolation("encoding: this emulator listens to 8 kHz mulaw or linear16")
    return encoding


def _with_thresholds(settings: FluxSettings, numbers: Mapping[str, float]) -> FluxSettings:
    for name, number in numbers.items():
        least, most = _LIMITS[name]
        if not least <= number <= most:
            raise WireViolation(f"{name} must be between {least:g} and {most:g}")
    eot = numbers.get("eot_threshold", settings.eot_threshold)
    eager = numbers.get("eager_eot_threshold", settings.eager_eot_threshold)
    if eager is not None and eager > eot:
        raise WireViolation("eager_eot_threshold must be less than or equal to eot_threshold")
    return replace(
        settings,
        eot_threshold=eot,
        eager_eot_threshold=eager,
        eot_timeout_ms=int(numbers.get("eot_timeout_ms", settings.eot_timeout_ms)),
    )


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise WireViolation(f"{name} must be a number")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise WireViolation(f"{name} must be a number") from None


def _checked_keyterms(terms: object) -> tuple[str, ...]:
    if not isinstance(terms, list) or not all(isinstance(term, str) for term in terms):
        raise WireViolation("keyterms must be a list of texts")
    if len(terms) > _MOST_KEYTERMS:
        raise WireViolation(f"more than {_MOST_KEYTERMS} keyterms")
    if any(not 0 < len(term) <= _MOST_KEYTERM_CHARS for term in terms):
        raise WireViolation(f"a keyterm must have 1 to {_MOST_KEYTERM_CHARS} characters")
    return tuple(terms)


def _checked_hints(hints: object) -> tuple[str, ...]:
    if not isinstance(hints, list) or not all(isinstance(hint, str) for hint in hints):
        raise WireViolation("language_hints must be a list of texts")
    for hint in hints:
        if hint.lower().split("-")[0] not in _LANGUAGES[MULTILINGUAL]:
            raise WireViolation(f"unsupported language in language_hint: {hint[:20]!r}")
    return tuple(hints)
