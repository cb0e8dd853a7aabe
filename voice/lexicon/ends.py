"""What the last words of an utterance say about its end.

Longest known end first, so that "come in" is not taken for "in". Only the tail is looked at: the
answer costs the same for a word and for a page.
"""

from __future__ import annotations

from voice.lexicon.compiled import CLOSING, HESITATION, PARTICLE, Lexicon
from voice.lexicon.kinds import Cue, LexicalCue
from voice.lexicon.numbers import number_value, unfinished_number
from voice.lexicon.registry import lexicon_for
from voice.lexicon.tokens import tokens_of

_TAIL_CHARACTERS = 80
_MOST_ANSWER_TOKENS = 6
_MOST_CHARACTER_TOKENS = 16
_A_NOT_A = 3
_MOST_PARTICLE_TOKENS = 16  # in a longer turn particles also end clauses
_NOTHING = LexicalCue(Cue.NEUTRAL, "no words")
_ANSWER = LexicalCue(Cue.NEUTRAL, "a short answer")
_HESITATION = LexicalCue(Cue.HOLD, "only a hesitation")
_OPEN_END = LexicalCue(Cue.NEUTRAL, "no known end")
_TRAILS_OFF = LexicalCue(Cue.HOLD, "trails off")
_QUESTION = LexicalCue(Cue.DONE, "ends in a question mark")
_LONG = LexicalCue(Cue.NEUTRAL, "a particle in a long turn")
_SPELLED = LexicalCue(Cue.NEUTRAL, "letters are being spelled")
_STRANDED = LexicalCue(Cue.NEUTRAL, "its last word belongs to a question word")
_COMPLETED = LexicalCue(Cue.NEUTRAL, "its last word belongs to an earlier one")
_TRAILING = ("...", "…", ",", "，", "、", "-", "–", "—", ":", "：", ";", "；", "،")


def end_cue(text: str, language: str) -> LexicalCue:
    """What the last words of ``text`` say about the end of the caller's turn.

    A bare "yes" is ``NEUTRAL``: whether that is all depends on what was asked (``is_yes_or_no``).

    Args:
        text: The caller's words so far, with or without punctuation; only the tail matters.
        language: BCP-47 tag; an unknown one is served by what holds for every language.
    """
    lexicon = lexicon_for(language)
    tail = lexicon.fold(text[-_TAIL_CHARACTERS:].rstrip())
    tokens = tokens_of(tail)
    if not tokens:
        return _NOTHING
    if len(text) > _TAIL_CHARACTERS and len(tokens) > 1:
        del tokens[0]  # it may have been cut in two
    most = _MOST_CHARACTER_TOKENS if lexicon.is_unspaced else _MOST_ANSWER_TOKENS
    cue = _whole(tokens, lexicon) if len(tokens) <= most else None
    if cue is None:
        cue = _by_words(tokens, lexicon)
    if cue.cue is not Cue.DONE and tail.endswith(("?", "؟")):
        return cue if cue.why == HESITATION else _QUESTION
    if cue.cue is Cue.NEUTRAL and tail.endswith(_TRAILING):
        return _TRAILS_OFF
    return cue


def _whole(tokens: list[str], lexicon: Lexicon) -> LexicalCue | None:
    """A short answer that is all there is: its last word need not be an unfinished one."""
    if _is_a_not_a(tokens, lexicon):
        return None
    if lexicon.answers.covers_with(tokens, lexicon.yes_no) or lexicon.backchannels.covers(tokens):
        cue = _longest_end(tokens, lexicon)[0]
        return cue if cue is not None and cue.why == CLOSING else _ANSWER
    if lexicon.fillers.covers(tokens):
        return _HESITATION
    if lexicon.polite.covers(
        tokens
    ):  # a lone "please" or "thank you" opens turns as often as it ends them
        return _ANSWER
    return None


def _is_a_not_a(tokens: list[str], lexicon: Lexicon) -> bool:
    """A question made of a yes and a no: 得唔得, 好不好."""
    found = lexicon.yes_no_openers.find(tokens) if lexicon.is_unspaced else None
    return found is not None and found[1] - found[0] >= _A_NOT_A


def _by_words(tokens: list[str], lexicon: Lexicon) -> LexicalCue:
    number = unfinished_number(tokens, lexicon)
    if number is not None:
        return number
    cue, size = _longest_end(tokens, lexicon)
    if cue is not None:
        return _in_context(cue, tokens[:-size], tokens[-1], lexicon)
    last = tokens[-1]
    for size in range(min(lexicon.longest_suffix, len(last)), 0, -1):
        cue = lexicon.suffixes.get(last[-size:])
        if cue is not None:
            return cue
    return _OPEN_END


def _longest_end(tokens: list[str], lexicon: Lexicon) -> tuple[LexicalCue | None, int]:
    for size in range(min(lexicon.longest_end.get(tokens[-1], 0), len(tokens)), 0, -1):
        cue = lexicon.ends.get(" ".join(tokens[-size:]) if size > 1 else tokens[-1])
        if cue is not None:
            return cue, size
    return None, 0


def _in_context(cue: LexicalCue, before: list[str], last: str, lexicon: Lexicon) -> LexicalCue:
    if cue.cue is Cue.DONE:
        return _LONG if cue.why == PARTICLE and len(before) > _MOST_PARTICLE_TOKENS else cue
    if cue.cue is Cue.NEUTRAL or not before:
        return cue
    if len(last) <= 2 and _is_spelling(before):
        return _SPELLED
    if cue.why in lexicon.strandable and not lexicon.strands.isdisjoint(before):
        return _STRANDED
    completing = lexicon.completed_by.get(last)
    if completing is not None and not completing.isdisjoint(before):
        return _COMPLETED
    if last in lexicon.after_numbers and number_value(before[-1], lexicon) is not None:
        return _COMPLETED
    return cue


def _is_spelling(before: list[str]) -> bool:
    """True when letters and digits come one by one: "n w 8 r 1 x a"."""
    near = before[-3:]
    return sum(len(token) == 1 and token.isascii() for token in near) > len(near) // 2
