"""What a provider can do, as far as it is known; the table and the failover read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple


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
        audio_formats: What crosses the port without conversion; empty for a language model.
        languages: Primary BCP-47 subtags it speaks or hears; empty when no list is known.
        not_languages: Tags that it is known not to serve although the list might suggest it.
        voices: Names of its voices; empty when anybody's list may differ.
        voice_pattern: A regular expression for their names, where there is no list.
        voice_example: A name that fits the pattern.
        phrases: Whether likely words can be given to it.
        text_marks: Whether audio comes with positions in the text.
        needs_key: Whether it refuses to work without a key.
    """

    audio_formats: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    not_languages: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()
    voice_pattern: str = ""
    voice_example: str = ""
    phrases: bool = False
    text_marks: bool = False
    needs_key: bool = True

    def serves(self, language: str) -> bool:
        """Whether ``language`` (BCP-47) is served, as far as is known; unknown counts as yes."""
        tag = language.lower()
        primary = tag.split("-", 1)[0]
        if any(tag == bad.lower() or primary == bad.lower() for bad in self.not_languages):
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
        if self.voice_pattern and not re.fullmatch(self.voice_pattern, voice):
            return Refusal(
                "voice", f"has no voice {voice!r}; its voices are named like {self.voice_example}"
            )
        return None
