"""Languages that the carrier's own voice speaks without being told which voice.

Source: Twilio, TwiML for Programmable Voice: Say, attribute ``language``. The carrier has more of
them with voices that must be named; a tag that it does not know would end the call with an error.
"""

from __future__ import annotations

from typing import Final

from dialogue.spoken.digit_words import tongue

# Of several regions the first is taken for a region that is not here.
_SPOKEN: Final = (
    *("en-US", "en-GB", "en-AU", "en-CA", "en-IN", "es-ES", "es-MX", "fr-FR", "fr-CA", "de-DE"),
    *("it-IT", "pt-BR", "pt-PT", "nl-NL", "sv-SE", "da-DK", "nb-NO", "fi-FI", "pl-PL", "ru-RU"),
    *("ca-ES", "ja-JP", "ko-KR", "zh-CN", "zh-TW", "zh-HK"),
)


def say_language(tag: str) -> str:
    """The carrier's name of a BCP-47 tag; empty where its voice does not speak the language."""
    exact = [known for known in _SPOKEN if known.casefold() == tag.casefold()]
    alike = [known for known in _SPOKEN if tongue(known) == tongue(tag)]
    return next(iter((*exact, *alike)), "")
