"""Numbers as people say them: how many digits there are, and whether more must come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voice.lexicon.compiled import Lexicon
from voice.lexicon.kinds import Cue, LexicalCue
from voice.lexicon.numerals import HAN, digit_counts
from voice.lexicon.registry import lexicon_for
from voice.lexicon.tokens import tokens_of

_FEWEST = {"phone": 7, "any": 4}  # digits: a number that was named has at least as many
_MOST_TAIL_TOKENS = 24
_MULTIPLIERS = frozenset({100, 1_000, 1_000_000})
_TIMES = frozenset("個个")
_NEAR_TOKENS = 8  # how far a number may stand from its name
_MOST_FUSED_CHARS = 80  # a number below a million has at most 57, in German
_DECIMAL = LexicalCue(Cue.HOLD, "a decimal point with nothing after it")
_REPEAT = LexicalCue(Cue.HOLD, "a double with no digit after it")
_READING = LexicalCue(Cue.HOLD, "digits are being read out")
_TENS = LexicalCue(Cue.HOLD, "a number that may go on")


@dataclass(frozen=True, slots=True)
class Piece:
    """One number word, or a run of words that are none.

    Attributes:
        kind: ``word`` is a number word of the table, ``written`` a token with digits in it,
            ``numerals`` a run of Chinese or Korean numerals.
        start: Its first token.
        end: One past its last token.
        value: Of a word its value, of a repeat how often.
        counts: Of written digits and numerals how many digits each number has.
    """

    kind: Literal["word", "written", "numerals", "repeat", "joiner", "other"]
    start: int
    end: int
    value: int = 0
    counts: tuple[int, ...] = ()


def digits_in(text: str, language: str) -> int:
    """How many digits ``text`` says: "double five" is 2, "25" and "twenty five" are 2.

    Written digits of any script count one each, number words count as they would be dialled.
    """
    lexicon = lexicon_for(language)
    return sum(_counts(_pieces(tokens_of(lexicon.fold(text)), lexicon), lexicon))


def unfinished_number(tokens: list[str], lexicon: Lexicon) -> LexicalCue | None:
    """A reason to wait when the last tokens begin a number that must go on; else None."""
    last = tokens[-1]
    if not _may_end_number(last, lexicon):
        return None
    tokens = tokens[-_MOST_TAIL_TOKENS:]
    pieces = _pieces(tokens, lexicon)
    start = len(pieces)
    while start > 0 and pieces[start - 1].kind not in ("other", "joiner"):
        start -= 1
    run = pieces[start:]
    if not run:
        is_after_number = len(pieces) > 1 and pieces[-2].kind in ("word", "written", "numerals")
        return _DECIMAL if last in lexicon.decimals and is_after_number else None
    if run[-1].kind == "repeat":
        is_spelling = len(run) > 1 or lexicon.asking.find(tokens) is not None
        return _REPEAT if is_spelling else None
    return _short_of(tokens[: run[0].start], run, lexicon)


def _short_of(before: list[str], run: list[Piece], lexicon: Lexicon) -> LexicalCue | None:
    counts = _counts(run, lexicon)
    digits = sum(counts)
    asked = lexicon.asking.find(before, max(0, len(before) - _NEAR_TOKENS))
    if asked is not None:
        what = lexicon.asks[" ".join(before[asked[0] : asked[1]])]
        fewest = _FEWEST.get(what, 0)
        return _READING if digits < fewest else None
    if 2 <= digits <= 3 and len(counts) == digits and run[0].kind != "written":
        return _READING
    if not before and len(run) == 1 and run[0].kind == "word" and 20 <= run[0].value <= 90:
        return _TENS
    return None


def number_value(token: str, lexicon: Lexicon) -> int | None:
    """The value of one token that is a number by itself; else None."""
    if token.isdecimal():
        return int(token)
    return lexicon.numbers.get(token, HAN.get(token))


def _may_end_number(token: str, lexicon: Lexicon) -> bool:
    if token in lexicon.number_ends or token in HAN or token[-1].isdigit():
        return True
    return token[-1] in lexicon.number_run


def _pieces(tokens: list[str], lexicon: Lexicon) -> list[Piece]:
    """``tokens`` as numbers and others; a shy number with too few neighbours counts as other."""
    pieces: list[Piece] = []
    at = 0
    while at < len(tokens):
        pieces.append(_piece(tokens, at, lexicon))
        at = pieces[-1].end
    if lexicon.shy_numbers:
        _drop_lonely(pieces, tokens, lexicon)
    return pieces


def _piece(tokens: list[str], at: int, lexicon: Lexicon) -> Piece:
    token = tokens[at]
    written = sum(map(str.isdigit, token))
    if written:
        return Piece("written", at, at + 1, counts=(written,))
    if _is_times(tokens, at):
        return Piece("repeat", at, at + 2, HAN[token])
    if token in HAN:
        end = at + 1
        while end < len(tokens) and tokens[end] in HAN and not _is_times(tokens, end):
            end += 1
        return Piece("numerals", at, end, counts=digit_counts(tokens[at:end]))
    for size in range(min(lexicon.longest_number, len(tokens) - at), 0, -1):
        value = lexicon.numbers.get(" ".join(tokens[at : at + size]))
        if value is not None:
            return Piece("word", at, at + size, value)
    fused = _fused(token, lexicon, {}) if lexicon.fused_numbers else None
    if fused is not None:
        return Piece("word", at, at + 1, fused)
    if len(token) > 1 and lexicon.number_run.issuperset(token):
        return Piece("numerals", at, at + 1, counts=digit_counts(token, lexicon.numbers))
    if token in lexicon.repeats:
        return Piece("repeat", at, at + 1, lexicon.repeats[token])
    return Piece("joiner" if token in lexicon.number_joiners else "other", at, at + 1)


def _is_times(tokens: list[str], at: int) -> bool:
    """Whether a digit is said so many times from here on: 三個五, neither 三個五十 nor 三個人."""
    if len(tokens) < at + 3 or tokens[at + 1] not in _TIMES:
        return False
    times, digit = HAN.get(tokens[at], 0), tokens[at + 2]
    unit = HAN.get(tokens[at + 3], 0) if len(tokens) > at + 3 else 0
    is_digit = HAN.get(digit, 10) < 10 or (len(digit) == 1 and digit.isdecimal())
    return 1 <= times <= 9 and is_digit and unit < 10


def _fused(token: str, lexicon: Lexicon, known: dict[str, int | None]) -> int | None:
    """The value of a number written as one word: "zweihundertfünf", "trecentoventi".

    Args:
        token: The word.
        lexicon: Its language.
        known: What is known of parts of it: they come again and again, the more so in nonsense.
    """
    if token in lexicon.numbers:
        return lexicon.numbers[token]
    if len(token) > _MOST_FUSED_CHARS:
        return None
    if token not in known:
        values = (_split_at(token, part, lexicon, known) for part in lexicon.fused_numbers)
        known[token] = next((value for value in values if value is not None), None)
    return known[token]


def _split_at(token: str, part: str, lexicon: Lexicon, known: dict[str, int | None]) -> int | None:
    """The value of a number that is put together around ``part``; None if it is none."""
    left, found, right = token.partition(part)
    if not found:
        return None
    factor = _fused(left, lexicon, known) if left else 1
    rest = _fused(right, lexicon, known) if right else 0
    return None if factor is None or rest is None else factor * lexicon.numbers[part] + rest


def _drop_lonely(pieces: list[Piece], tokens: list[str], lexicon: Lexicon) -> None:
    start = 0
    for at in range(len(pieces) + 1):
        if at < len(pieces) and pieces[at].kind not in ("other", "joiner"):
            continue
        is_all = lexicon.is_unspaced and at - start == len(pieces)
        if at - start < lexicon.least_run and not is_all:
            for place in range(start, at):
                piece = pieces[place]
                if " ".join(tokens[piece.start : piece.end]) in lexicon.shy_numbers:
                    pieces[place] = Piece("other", piece.start, piece.end)
        start = at + 1


def _counts(pieces: list[Piece], lexicon: Lexicon) -> list[int]:
    """Digits of each number, in order."""
    counts: list[int] = []
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        if piece.kind == "word":
            at, digits = _cardinal(pieces, at, lexicon)
            counts.append(digits)
            continue
        follows = pieces[at + 1] if at + 1 < len(pieces) else None
        if piece.kind == "repeat" and follows is not None and _begins_with_digit(follows):
            counts += (piece.value, *follows.counts[1:])
            at += 1
        counts += piece.counts
        at += 1
    return counts


def _begins_with_digit(piece: Piece) -> bool:
    return _is_digit(piece) or (piece.kind == "numerals" and piece.counts[:1] == (1,))


def _is_digit(piece: Piece) -> bool:
    return piece.counts == (1,) or (piece.kind == "word" and piece.value < 10)


def _cardinal(pieces: list[Piece], at: int, lexicon: Lexicon) -> tuple[int, int]:
    """One number in words from ``at`` on: one past its last piece, and its digits."""
    total, current = 0, pieces[at].value
    last = current
    at += 1
    while at < len(pieces):
        ahead = at + 1 if pieces[at].kind == "joiner" else at
        if ahead >= len(pieces) or pieces[ahead].kind != "word":
            break
        value = pieces[ahead].value
        if lexicon.is_vigesimal and current == 4 and value == 20:
            current = 80
        elif value in _MULTIPLIERS and 0 < current < value:
            if value == 100:
                current *= 100
            else:
                total, current = total + current * value, 0
        elif _adds(value, last, lexicon) and not (last >= 100 and _is_dictated(pieces, ahead)):
            current += value
        else:
            break
        last = 80 if current == 80 else value
        at = ahead + 1
    return at, len(str(total + current))


def _is_dictated(pieces: list[Piece], at: int) -> bool:
    """True for the first of several single digits: "eight hundred five five five"."""
    return _is_digit(pieces[at]) and at + 1 < len(pieces) and _is_digit(pieces[at + 1])


def _adds(value: int, last: int, lexicon: Lexicon) -> bool:
    if value == 0:
        return False
    if last >= 100:
        return value < last and last % 100 == 0
    if lexicon.is_vigesimal and last in (60, 80) and 10 <= value <= 19:
        return True
    if lexicon.is_vigesimal and last == 10:
        return 7 <= value <= 9
    return 20 <= last <= 90 and last % 10 == 0 and value <= 9
