"""Numbers as people say them: how many digits there are, and whether more must come."""

from __future__ import annotations

from voice.lexicon.compiled import Lexicon
from voice.lexicon.han_numbers import HAN_DIGITS, HAN_UNITS, han_digit_counts
from voice.lexicon.kinds import Cue, LexicalCue
from voice.lexicon.registry import lexicon_for
from voice.lexicon.tokens import fold, tokens_of

_FEWEST_OF_A_NUMBER = 7  # digits; fewer after "my number is" go on
_DECIMAL = LexicalCue(Cue.HOLD, "a decimal point with nothing after it")
_READING = LexicalCue(Cue.HOLD, "digits are being read out")
_TENS = LexicalCue(Cue.HOLD, "a number that may go on")


def digits_in(text: str, language: str) -> int:
    """How many digits ``text`` says: "double five" is 2, "25" and "twenty five" are 2.

    Written digits of any script count one each, number words count as they would be dialled.
    """
    return sum(count_digits(tokens_of(fold(text)), lexicon_for(language)))


def count_digits(tokens: list[str], lexicon: Lexicon) -> list[int]:
    """Digits of each number in ``tokens``, in order."""
    counts: list[int] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        written = sum(char.isdigit() for char in token)
        if written:
            counts.append(written)
            at += 1
        elif token in HAN_DIGITS or token in HAN_UNITS:
            end = at
            while end < len(tokens) and (tokens[end] in HAN_DIGITS or tokens[end] in HAN_UNITS):
                end += 1
            counts += han_digit_counts(tokens[at:end])
            at = end
        elif token in lexicon.repeats and at + 1 < len(tokens) and _digit(tokens[at + 1], lexicon):
            counts.append(lexicon.repeats[token])
            at += 2
        elif token in lexicon.numbers:
            if token in lexicon.shy_numbers and not _has_neighbour(tokens, at, lexicon):
                at += 1
                continue
            at, size = _group(tokens, at, lexicon)
            counts.append(size)
        else:
            at += 1
    return counts


def unfinished_number(tokens: list[str], lexicon: Lexicon) -> LexicalCue | None:
    """A reason to wait when the last tokens begin a number that must go on; else None."""
    last = tokens[-1]
    if len(tokens) > 1 and last in lexicon.decimals and is_number(tokens[-2], lexicon):
        return _DECIMAL
    if not is_number(last, lexicon):
        return None
    start = len(tokens) - 1
    while start > 0 and is_number(tokens[start - 1], lexicon):
        start -= 1
    run = tokens[start:]
    digits = sum(count_digits(run, lexicon))
    singles = len(run) == digits
    named = lexicon.asking.find(tokens[:start]) is not None
    if singles and 2 <= digits <= 3:
        return _READING
    if named and digits < 4:
        return _READING
    value = lexicon.numbers.get(last, 0)
    if len(tokens) == 1 and 20 <= value <= 90:
        return _TENS
    return None


def is_number(token: str, lexicon: Lexicon) -> bool:
    """True for a written number, a number word and a Chinese numeral."""
    return token in lexicon.numbers or token in HAN_DIGITS or token in HAN_UNITS or token.isdigit()


def _digit(token: str, lexicon: Lexicon) -> bool:
    return lexicon.numbers.get(token, 10) < 10 or (token.isdigit() and len(token) == 1)


def _has_neighbour(tokens: list[str], at: int, lexicon: Lexicon) -> bool:
    around = tokens[max(at - 1, 0) : at] + tokens[at + 1 : at + 2]
    return any(is_number(token, lexicon) for token in around)


def _group(tokens: list[str], at: int, lexicon: Lexicon) -> tuple[int, int]:
    """One cardinal number from ``at`` on: one past its last token, and its digits."""
    total, current = 0, lexicon.numbers[tokens[at]]
    last = current
    at += 1
    while at < len(tokens):
        ahead = at
        if tokens[at] in lexicon.number_joiners and at + 1 < len(tokens):
            ahead = at + 1
        value = lexicon.numbers.get(tokens[ahead])
        if value is None or value == 0:
            break
        if value >= 100 and 0 < current < value:
            if value == 100:
                current *= 100
            else:
                total, current = total + current * value, 0
        elif _adds(value, last):
            current += value
        else:
            break
        last, at = value, ahead + 1
    return at, len(str(total + current))


def _adds(value: int, last: int) -> bool:
    if last >= 100:
        return value < last
    return 20 <= last <= 90 and last % 10 == 0 and 1 <= value <= 9
