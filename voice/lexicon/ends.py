"""What the last words of an utterance say about its end.

Longest known end first, so that "come in" is not taken for "in". Only the tail is looked at: the
answer costs the same for a word and for a page.
"""

from __future__ import annotations

from voice.lexicon.compiled import PREPOSITION, Lexicon
from voice.lexicon.kinds import Cue, LexicalCue
from voice.lexicon.numbers import unfinished_number
from voice.lexicon.registry import lexicon_for
from voice.lexicon.tokens import fold, tokens_of

_TAIL_CHARACTERS = 80
_MOST_ANSWER_TOKENS = 6
_NOTHING = LexicalCue(Cue.NEUTRAL, "no words")
_ANSWER = LexicalCue(Cue.NEUTRAL, "a yes or a no")
_OPEN_END = LexicalCue(Cue.NEUTRAL, "no known end")
_TRAILS_OFF = LexicalCue(Cue.HOLD, "trails off")
_QUESTION = LexicalCue(Cue.DONE, "ends in a question mark")
_STRANDED = LexicalCue(Cue.NEUTRAL, "its preposition belongs to an earlier word")
_COMPLETED = LexicalCue(Cue.NEUTRAL, "its last word belongs to an earlier one")
_TRAILING = ("...", "…", ",", "，", "、", "-", "–", "—", ":", "：", ";", "；")


def end_cue(text: str, language: str) -> LexicalCue:
    """What the last words of ``text`` say about the end of the caller's turn.

    Args:
        text: The caller's words so far, with or without punctuation; only the tail matters.
        language: BCP-47 tag; an unknown one is served by what holds for every language.
    """
    tail = fold(text[-_TAIL_CHARACTERS:].rstrip())
    tokens = tokens_of(tail)
    if not tokens:
        return _NOTHING
    if len(text) > _TAIL_CHARACTERS and len(tokens) > 1:
        del tokens[0]  # it may have been cut in two
    lexicon = lexicon_for(language)
    cue = _whole(tokens, lexicon) if len(tokens) <= _MOST_ANSWER_TOKENS else None
    if cue is None:
        cue = _by_words(tokens, lexicon)
    if tail.endswith(("?", "؟")) and cue.why != "ends in a hesitation":
        return _QUESTION
    if cue.cue is Cue.NEUTRAL and tail.endswith(_TRAILING):
        return _TRAILS_OFF
    return cue


def _whole(tokens: list[str], lexicon: Lexicon) -> LexicalCue | None:
    """A short answer that is all there is: its last word need not be an unfinished one."""
    if not lexicon.yes_no.covers(tokens):
        return None
    cue = lexicon.ends.get(" ".join(tokens))
    return cue if cue is not None and cue.cue is Cue.DONE else _ANSWER


def _by_words(tokens: list[str], lexicon: Lexicon) -> LexicalCue:
    number = unfinished_number(tokens, lexicon)
    if number is not None:
        return number
    for size in range(min(lexicon.longest_end, len(tokens)), 0, -1):
        cue = lexicon.ends.get(" ".join(tokens[-size:]))
        if cue is not None:
            return _in_context(cue, tokens[:-size], tokens[-1], lexicon)
    last = tokens[-1]
    for size in range(min(lexicon.longest_suffix, len(last)), 0, -1):
        cue = lexicon.suffixes.get(last[-size:])
        if cue is not None:
            return cue
    return _OPEN_END


def _in_context(cue: LexicalCue, before: list[str], last: str, lexicon: Lexicon) -> LexicalCue:
    if cue.cue is not Cue.HOLD:
        return cue
    if cue.why == PREPOSITION and not lexicon.strands.isdisjoint(before):
        return _STRANDED
    completing = lexicon.completed_by.get(last)
    if completing is not None and not completing.isdisjoint(before):
        return _COMPLETED
    return cue
