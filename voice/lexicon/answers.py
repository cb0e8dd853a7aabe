"""Short things callers say: yes and no, a listener's "mhm", stop words, hesitations, thanks."""

from __future__ import annotations

from voice.lexicon.compiled import Lexicon, Phrases
from voice.lexicon.registry import lexicon_for
from voice.lexicon.tokens import tokens_of

_MOST_TOKENS = 12  # of a short answer; where characters are tokens, of one of as many syllables
_MOST_CHARACTER_TOKENS = 48
_MOST_CHARACTERS = 400


def _tokens(text: str, lexicon: Lexicon) -> list[str]:
    return tokens_of(lexicon.fold(text[:_MOST_CHARACTERS]))


def _is_short(tokens: list[str], lexicon: Lexicon) -> bool:
    return len(tokens) <= (_MOST_CHARACTER_TOKENS if lexicon.is_unspaced else _MOST_TOKENS)


def is_yes_or_no(text: str, language: str) -> bool:
    """True when ``text`` is a yes or a no and nothing else but hesitations and politeness."""
    lexicon = lexicon_for(language)
    tokens = _tokens(text, lexicon)
    return _is_short(tokens, lexicon) and lexicon.answers.covers_with(tokens, lexicon.yes_no)


def is_backchannel(text: str, language: str) -> bool:
    """True when ``text`` is what a listener says while the other goes on: "mhm", "okay", 嗯.

    The same words may be an answer after a question: the caller of this function knows.
    """
    lexicon = lexicon_for(language)
    tokens = _tokens(text, lexicon)
    return _is_short(tokens, lexicon) and lexicon.backchannels.covers(tokens)


def has_stop_word(text: str, language: str) -> bool:
    """True when ``text`` tells the speaker to stop: "wait", "hold on", 等陣."""
    lexicon = lexicon_for(language)
    tokens = _tokens(text, lexicon)
    start = 0
    while (found := lexicon.stops.find(tokens, start)) is not None:
        if not _is_inside(found, lexicon.not_stops, tokens):
            return True
        start = found[1]
    return False


def _is_inside(found: tuple[int, int], phrases: Phrases, tokens: list[str]) -> bool:
    start = 0
    while (outer := phrases.find(tokens, start)) is not None:
        if outer[0] <= found[0] and found[1] <= outer[1]:
            return True
        start = outer[0] + 1
    return False


def is_filler(text: str, language: str) -> bool:
    """True when ``text`` is hesitation and nothing else: "um", "let me see"."""
    lexicon = lexicon_for(language)
    return lexicon.fillers.covers(_tokens(text, lexicon))


def is_polite_tail(extra: str, language: str) -> bool:
    """True when ``extra``, said after an utterance, adds nothing to what was asked: "please"."""
    lexicon = lexicon_for(language)
    tokens = _tokens(extra, lexicon)
    return not tokens or lexicon.polite.covers(tokens)
