"""What a provider can do, as far as it is known; the table and the failover read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Facts about one provider.

    Attributes:
        audio_formats: What crosses the port without conversion; empty for a language model.
        languages: Primary BCP-47 subtags it speaks or hears; empty when no list is known.
        not_languages: Tags that it is known not to serve although the list might suggest it.
        phrases: Whether likely words can be given to it.
        text_marks: Whether audio comes with positions in the text.
        needs_key: Whether it refuses to work without a key.
    """

    audio_formats: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    not_languages: tuple[str, ...] = ()
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
