"""The table of languages: names, voices, and what is said in every call.

Data are in ``table.toml``, read once, when the first row is asked for. What words tell about turns
is in ``voice.lexicon``, how clauses are cut in ``dialogue.cutter``, how numbers are said in
``dialogue.spoken``; ``callcluster languages`` shows all of it, language by language.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from dialogue.agent import Phrases
from dialogue.spoken.digit_words import tongue

_PHRASES = ("apology", "still_there", "goodbye", "trouble", "resume", "transfer", "no_answer")


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    Attributes:
        tag: Its primary subtag, as ``tongue`` gives it: ``yue`` for what ``zh-HK`` speaks.
        name: In English.
        native: As its speakers call it.
        script: ISO 15924, of the sentences of this row.
        voices: Names at Azure, the default one first; each names its locale.
        asks: What callers call it when they ask for it; the words of a name are joined by ``_``.
        backchannel: What a listener says.
        phrases: What is said in every call.
        busy: Said by the carrier to a caller for whom there is no place.
    """

    tag: str
    name: str
    native: str
    script: str
    voices: tuple[str, ...]
    asks: tuple[str, ...]
    backchannel: str
    phrases: Phrases
    busy: str

    @property
    def locale(self) -> str:
        """The locale of its default voice, such as ``ms-MY``."""
        return locale_of_voice(self.voices[0])

    def voice(self, tag: str) -> str:
        """The voice for a tag of this language: of the same region if there is one."""
        regions = _regions(tag)
        for voice in self.voices:
            if regions & _regions(locale_of_voice(voice)):
                return voice
        return self.voices[0]


def languages() -> Mapping[str, Language]:
    """Every row, by its tag, in the order of the table."""
    return _read()


def language_of(tag: str) -> Language | None:
    """The row that serves a BCP-47 tag; None for a language that has none."""
    return _read().get(tongue(tag))


def phrases_of(tag: str) -> Phrases:
    """What is said in every call, in the language of a tag; English where there is no row."""
    row = language_of(tag)
    return row.phrases if row is not None else Phrases()


def locale_of_voice(voice: str) -> str:
    """The locale in the name of a voice: ``zh-HK`` of ``zh-HK-HiuMaanNeural``."""
    return voice.rpartition("-")[0]


def _regions(tag: str) -> frozenset[str]:
    """Regions that a tag names; Macau is served by Hong Kong."""
    parts = tag.replace("_", "-").casefold().split("-")[1:]
    found = {part for part in parts if len(part) == 2 or part.isdigit()}
    return frozenset("hk" if part == "mo" else part for part in found)


@cache
def _read() -> Mapping[str, Language]:
    text = (files("dialogue.languages") / "table.toml").read_text("utf-8")
    return {tag: _row(tag, fields) for tag, fields in tomllib.loads(text).items()}


def _row(tag: str, fields: Mapping[str, Any]) -> Language:
    hold = str(fields["hold"])
    said = {name: str(fields[name]) for name in _PHRASES}
    return Language(
        tag=tag,
        name=str(fields["name"]),
        native=str(fields["native"]),
        script=str(fields["script"]),
        voices=tuple(fields["voices"]),
        asks=tuple(str(fields["asks"]).split()),
        backchannel=str(fields["backchannel"]),
        phrases=Phrases(one_moment=hold, digits=hold, **said),
        busy=str(fields["busy"]),
    )
