"""What is to be spoken at Azure and how its words are reported; no I/O.

A turn's text comes as one SSML document, or in pieces that are spoken sentence by sentence as they
come together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from simulation.azure_messages import TICKS_PER_S
from simulation.errors import WireViolation
from simulation.voice_sound import Speech

FORMATS = {"raw-8khz-8bit-mono-mulaw": 1, "raw-8khz-16bit-mono-pcm": 2}
"""Names of the formats that are spoken, and the bytes of a sample."""

VOICES = (
    ("en-US-AvaMultilingualNeural", "Female"),
    ("en-US-AndrewMultilingualNeural", "Male"),
    ("en-US-JennyNeural", "Female"),
    ("en-GB-SoniaNeural", "Female"),
    ("de-DE-KatjaNeural", "Female"),
    ("es-ES-ElviraNeural", "Female"),
    ("it-IT-ElsaNeural", "Female"),
    ("fr-FR-DeniseNeural", "Female"),
    ("zh-CN-XiaoxiaoNeural", "Female"),
    ("zh-HK-HiuMaanNeural", "Female"),
    ("zh-HK-WanLungNeural", "Male"),
    ("yue-CN-XiaoMinNeural", "Female"),
)

_VOICE_NAME = re.compile(r"([a-z]{2,3}(?:-[A-Za-z]{2,8})+)-\w+(?::\w+)?Neural")
_MISSING = "Missing"  # in a voice's name: Azure does not have it
_SENTENCE_END = re.compile(r"[.!?][\"')\]]*\s|[。！？]")
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+(?:['’-]\w+)*|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Text for a voice. ``language`` is that of the voice's name."""

    text: str
    voice: str
    language: str


def voice_locale(voice: str) -> str:
    """The locale that a voice's name begins with; empty when there is no such voice."""
    match = _VOICE_NAME.fullmatch(voice)
    return match[1] if match and _MISSING not in voice else ""


def is_multilingual(voice: str) -> bool:
    """Whether the voice finds the language in the text."""
    return "Multilingual" in voice


def read_ssml(document: bytes) -> tuple[str, str]:
    """Voice and text of an SSML document. Raises ``WireViolation``, as Azure words it."""
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - our own client's, on loopback
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise WireViolation("SSML parsing error: 0x80045003") from error
    voices = [element for element in root.iter() if element.tag.rpartition("}")[2] == "voice"]
    if root.tag.rpartition("}")[2] != "speak" or not voices:
        raise WireViolation("Ssml should contain at least one voice tag.")
    return voices[0].get("name", ""), "".join(voices[0].itertext())


class Pieces:
    """Text in pieces, handed out in whole sentences."""

    def __init__(self) -> None:
        self._gathered = ""

    def take(self, piece: str) -> str:
        """Add a piece; returns the sentences that are whole now, or nothing."""
        self._gathered += piece
        ends = [match.end() for match in _SENTENCE_END.finditer(self._gathered)]
        if not ends:
            return ""
        whole, self._gathered = self._gathered[: ends[-1]], self._gathered[ends[-1] :]
        return whole

    def finish(self) -> str:
        """What is left."""
        rest, self._gathered = self._gathered, ""
        return rest


@dataclass(frozen=True, slots=True)
class SpokenPiece:
    """Audio of one message, in samples of mu-law, and the words that begin in it."""

    ulaw: bytes
    metadata: list[dict[str, Any]]


def cut(speech: Speech, piece_samples: int, base_samples: int) -> Iterator[SpokenPiece]:
    """Cut spoken text into messages.

    Args:
        speech: Text, audio and times.
        piece_samples: Audio in one message.
        base_samples: Audio of the turn before it.
    """
    words = [_boundary(speech, match, base_samples) for match in _WORD.finditer(speech.text)]
    at_word = 0
    for at in range(0, len(speech.ulaw), piece_samples):
        piece = speech.ulaw[at : at + piece_samples]
        end_ticks = _ticks(base_samples + at + len(piece))
        first = at_word
        while at_word < len(words) and words[at_word]["Data"]["Offset"] < end_ticks:
            at_word += 1
        yield SpokenPiece(piece, words[first:at_word])


def _boundary(speech: Speech, match: re.Match[str], base_samples: int) -> dict[str, Any]:
    start_s = speech.char_starts_s[match.start()]
    is_last = match.end() >= len(speech.text)
    end_s = speech.duration_s if is_last else speech.char_starts_s[match.end()]
    kind = "WordBoundary" if match[0][0].isalnum() else "PunctuationBoundary"
    return {
        "Type": "WordBoundary",
        "Data": {
            "Offset": _ticks(base_samples) + round(start_s * TICKS_PER_S),
            "Duration": round(max(0.0, end_s - start_s) * TICKS_PER_S),
            "text": {"Text": match[0], "Length": len(match[0]), "BoundaryType": kind},
        },
    }


def _ticks(samples: int) -> int:
    return samples * (TICKS_PER_S // 8_000)
