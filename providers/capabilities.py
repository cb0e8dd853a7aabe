"""What a provider can do, as far as it is known; the table and the failover read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from dialogue.spoken import Level
from dialogue.spoken.digit_words import tongue


class Refusal(NamedTuple):
    """Why an agent cannot have a provider.

    Attributes:
        field: Of the agent, the one to change.
        reason: A sentence for a person, to be read after the provider's name.
    """

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Facts about one provider.

    Attributes:
        audio_formats: What the service itself takes or gives; anything but ``ulaw_8000`` is
            converted by its client. Empty for a language model.
        languages: Primary BCP-47 subtags it speaks or hears; empty when no list is known.
        not_languages: Tags that it is known not to serve although the list might suggest it.
        voices: Names of its voices; empty when anybody's list may differ.
        voice_pattern: A regular expression for their names, where there is no list. A group
            ``locale`` says what a voice speaks.
        voice_example: A name that fits the pattern.
        polyglot_pattern: What in a name says that a voice speaks any language all the same.
        phrases: Whether likely words can be given to it.
        text_marks: Whether audio comes with positions in the text.
        spoken_forms: How much has to be put into words for its voices (``dialogue.spoken``).
        needs_key: Whether it refuses to work without a key.
    """

    audio_formats: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    not_languages: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()
    voice_pattern: str = ""
    voice_example: str = ""
    polyglot_pattern: str = ""
    phrases: bool = False
    text_marks: bool = False
    spoken_forms: Level = "light"
    needs_key: bool = True

    def serves(self, language: str) -> bool:
        """Whether ``language`` (BCP-47) is served, as far as is known; unknown counts as yes."""
        tag = language.lower()
        primary = tag.split("-", 1)[0]
        if any(
            tag == bad.lower()
            or primary == bad.lower()
            or (tongue(bad) not in bad.lower() and tongue(bad) == tongue(tag))
            for bad in self.not_languages
        ):
            return False
        return not self.languages or primary in self.languages

    def refusal(self, language: str, voice: str = "") -> Refusal | None:
        """Why an agent of this language, and this voice if it speaks, cannot have it.

        Returns:
            None when nothing is known against it.
        """
        if not self.serves(language):
            return Refusal("language", f"does not serve {language}")
        if not voice:
            return None
        if self.voices and voice not in self.voices:
            return Refusal("voice", f"has no voice {voice!r}; there are: {', '.join(self.voices)}")
        if not self.voice_pattern:
            return None
        match = re.fullmatch(self.voice_pattern, voice)
        if match is None:
            return Refusal(
                "voice", f"has no voice {voice!r}; its voices are named like {self.voice_example}"
            )
        locale = match.groupdict().get("locale")
        is_polyglot = bool(self.polyglot_pattern and re.search(self.polyglot_pattern, voice))
        if locale and not is_polyglot and tongue(locale) != tongue(language):
            return Refusal("voice", f"has {voice} for {locale}, not for {language}")
        return None
