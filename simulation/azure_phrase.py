"""The words of one phrase, in the shapes in which Azure reports them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from simulation.azure_messages import TICKS_PER_S
from simulation.clip_library import join_words
from simulation.fingerprint import WordHeard

_CONFIDENCE_WHOLE = 0.93
_CONFIDENCE_TORN = 0.61
_TERMINAL = ".!?。！？"


@dataclass(frozen=True, slots=True)
class PhraseShape:
    """How results are wanted.

    Attributes:
        language: BCP-47 tag of the recognition.
        detailed: Send ``NBest`` in place of ``DisplayText``.
        word_times: Add ``Words`` to each alternative.
        candidates: Of language identification, one of which is named as ``PrimaryLanguage``; empty
            where it is off.
    """

    language: str
    detailed: bool = False
    word_times: bool = False
    candidates: tuple[str, ...] = ()


def tongue(tag: str) -> str:
    """The language of a tag, as the service tells them apart."""
    lower = tag.lower()
    if lower in ("zh-hk", "yue-cn", "yue"):
        return "yue"
    return lower.split("-")[0]


def ticks(seconds: float) -> int:
    """Seconds as whole units of 100 ns."""
    return round(seconds * TICKS_PER_S)


def lexical(words: list[WordHeard]) -> str:
    """Words as spoken: lower case, no punctuation."""
    language = words[0].clip.language if words else ""
    return join_words([word.text for word in words], language)


def display(words: list[WordHeard]) -> str:
    """Words as written: capital first, punctuation, a full stop."""
    if not words:
        return ""
    language = words[0].clip.language
    text = join_words([word.clip.words[word.index].display for word in words], language)
    text = text[0].upper() + text[1:].rstrip(",;:，；：")
    if text[-1] in _TERMINAL:
        return text
    return text + ("。" if language.startswith("zh") else ".")


def hypothesis(words: list[WordHeard], start_s: float, base: int) -> dict[str, Any]:
    """The body of ``speech.hypothesis``; ``base`` is the turn's offset in ticks."""
    return {
        "Id": uuid.uuid4().hex,
        "Text": lexical(words),
        "Offset": base + ticks(start_s),
        "Duration": ticks(words[-1].end_s - start_s),
        "Channel": 0,
    }


def phrase(
    words: list[WordHeard], span_s: tuple[float, float], base: int, shape: PhraseShape
) -> dict[str, Any]:
    """The body of ``speech.phrase``; without words it is a ``NoMatch``."""
    body: dict[str, Any] = {
        "Id": uuid.uuid4().hex,
        "RecognitionStatus": "Success" if words else "NoMatch",
        "Offset": base + ticks(span_s[0]),
        "Duration": ticks(span_s[1] - span_s[0]),
        "Channel": 0,
    }
    if shape.candidates:
        spoken = tongue(words[0].clip.language) if words else ""
        heard = (tag for tag in shape.candidates if tongue(tag) == spoken)
        body["PrimaryLanguage"] = {
            "Language": next(heard, shape.candidates[0]),
            "Confidence": "High" if words else "Low",
        }
    if not words:
        return body
    if not shape.detailed:
        return body | {"DisplayText": display(words)}
    spoken = lexical(words)
    best: dict[str, Any] = {
        "Confidence": _CONFIDENCE_WHOLE if _is_whole(words) else _CONFIDENCE_TORN,
        "Lexical": spoken,
        "ITN": spoken,
        "MaskedITN": spoken,
        "Display": display(words),
    }
    if shape.word_times:
        best["Words"] = [
            {
                "Word": word.text,
                "Offset": base + ticks(word.start_s),
                "Duration": ticks(word.end_s - word.start_s),
            }
            for word in words
        ]
    return body | {"NBest": [best]}


def _is_whole(words: list[WordHeard]) -> bool:
    """Whether no word is missing between the first and the last."""
    return all(
        after.clip is not before.clip or after.index == before.index + 1
        for before, after in pairwise(words)
    )
