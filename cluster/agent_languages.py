"""The ``languages`` of an agent's file: what its calls may change to; read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from dialogue.agent import Phrases, SpokenLanguage
from dialogue.languages import language_of, phrases_of
from dialogue.spoken.digit_words import tongue
from providers.locales import default_recogniser, default_speaker
from providers.table import refusal_of

LANGUAGE_TAG = r"^[a-zA-Z]{2,3}(-[A-Za-z0-9]{2,8})*$"
MAX_LANGUAGES = 20


class LanguagePhrasesFile(BaseModel):
    """What is said in every call; what is not there comes from the table of languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    apology: str = ""
    still_there: str = ""
    goodbye: str = ""
    trouble: str = ""
    resume: str = ""
    one_moment: str = ""
    transfer: str = ""
    digits: str = ""
    no_answer: str = ""


class LanguageFile(BaseModel):
    """One language; who hears and speaks it is found in the tables where it is not said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: str = Field(pattern=LANGUAGE_TAG)
    speaker: str = ""
    voice: str = ""
    recogniser: str | tuple[str, ...] = ()
    phrases: LanguagePhrasesFile = Field(default_factory=LanguagePhrasesFile)


class Own(NamedTuple):
    """Who hears and speaks the agent's own language."""

    language: str
    speaker: str
    voice: str
    recognisers: tuple[str, ...]


def _check_once(own: str, files: tuple[str | LanguageFile, ...]) -> None:
    tags = [own, *(file if isinstance(file, str) else file.language for file in files)]
    if len({tag.casefold() for tag in tags}) < len(tags):
        raise ValueError("each language once, and the agent's own is not one of them")
    tongues = [tongue(tag) for tag in tags]
    if len(set(tongues)) < len(tongues):
        raise ValueError("one of each language: a call does not change between two of its regions")


def spoken_languages(files: tuple[str | LanguageFile, ...], own: Own) -> tuple[SpokenLanguage, ...]:
    """As the dialogue has them.

    The agent's own recogniser, and its own voice, serve every language that they can; otherwise
    the ones that the table names for the language.

    Args:
        files: Of the agent's file.
        own: What else it says.

    Raises:
        ValueError: One is named twice, or nobody is known to hear it, or to speak it.
    """
    try:
        _check_once(own.language, files)
        return tuple(_spoken(file, own) for file in files)
    except ValueError as error:
        raise ValueError(f"languages: {error}") from None


def own_phrases(language: str, given: Mapping[str, str]) -> Phrases:
    """Of the agent's own language: ``given``, and the rest from the table of languages."""
    return replace(phrases_of(language), **given)


def asks_of(tag: str) -> tuple[str, ...]:
    """What callers call a language; its tag's own word if there is no row for it."""
    row = language_of(tag)
    return row.asks if row is not None else ()


def _spoken(entry: str | LanguageFile, own: Own) -> SpokenLanguage:
    if isinstance(entry, str) and re.fullmatch(LANGUAGE_TAG, entry) is None:
        raise ValueError(f"{entry[:40]!r} must be a language tag such as en-US or de-DE")
    file = LanguageFile(language=entry) if isinstance(entry, str) else entry
    tag = file.language
    if language_of(tag) is None:
        raise ValueError(f"{tag} is not in the table of languages (callcluster languages)")
    chosen = (file.recogniser,) if isinstance(file.recogniser, str) else file.recogniser
    recognisers = chosen or tuple(
        name for name in own.recognisers if refusal_of("recogniser", name, tag) is None
    )
    recognisers = recognisers or (default_recogniser(tag),)
    speaker, voice = _voice(file, own)
    for kind, name, of_voice in (
        *(("recogniser", name, "") for name in recognisers),
        ("speaker", speaker, voice),
    ):
        refusal = refusal_of(kind, name, tag, of_voice)
        if refusal is not None:
            raise ValueError(f"{tag}: {refusal.reason}")
    given = {name: said for name, said in file.phrases.model_dump().items() if said}
    table = phrases_of(tag)
    phrases = Phrases(**{name: given.get(name, getattr(table, name)) for name in _NAMES})
    return SpokenLanguage(tag, speaker, voice, recognisers, phrases, asks_of(tag))


def _voice(file: LanguageFile, own: Own) -> tuple[str, str]:
    """Who speaks: as the file says, the agent's own voice if it can, or the table's."""
    tag = file.language
    if file.voice:
        return file.speaker or own.speaker, file.voice
    speaker = file.speaker or own.speaker
    if speaker == own.speaker and refusal_of("speaker", speaker, tag, own.voice) is None:
        return speaker, own.voice
    row = language_of(tag)
    if file.speaker and file.speaker != default_speaker(tag):
        raise ValueError(f"{tag}: name a voice of {file.speaker}")
    return default_speaker(tag), row.voice(tag) if row is not None else ""


_NAMES = tuple(LanguagePhrasesFile.model_fields)
