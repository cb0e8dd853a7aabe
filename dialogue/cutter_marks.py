"""What the characters of a reply mean to the cutter: ends, clauses, brackets, spoken length.

Terminators are those of Unicode's Sentence_Terminal property, but for the ones that a living script
uses as a comma (Burmese ၊).
"""

from __future__ import annotations

# End a sentence wherever they stand.
ENDS_AT_ONCE = frozenset(
    "。！？｡‼⁇⁈⁉…"
    "։"  # Armenian
    "؞؟۔"  # Arabic, Urdu
    "܀܁܂߹"  # Syriac, N'Ko
    "।॥"  # India
    "။"  # Burma
    "።፧፨"  # Ethiopic
    "᙮"  # Canadian syllabics
    "។៕"  # Khmer
    "᠃᠉"  # Mongolian
    "᪨᪩᪪᪫᭚᭛᭞᭟᰻᰼᱾᱿"  # Tai Tham, Balinese, Lepcha, Ol Chiki
    "།༎"  # Tibetan
    "꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱꯫"  # Lisu, Vai, Bamum, Phags-pa, Javanese, Cham, Meitei
    "๚๛"  # Thai
    "︒﹒﹖﹗"
)
# End a sentence, but inside addresses and "Yahoo!" too; one of them looks at what came before.
ENDS = frozenset(".!?．")
CLAUSES_AT_ONCE = frozenset(
    "，、；：﹐﹑﹔﹕､"
    "،؛"  # Arabic
    "՝"  # Armenian
    "፣፤፥፦"  # Ethiopic
    "၊"  # Burma
    "៖"  # Khmer
    "᠂"  # Mongolian
    "߸꓾꘍"  # N'Ko, Lisu, Vai
)
CLAUSES = frozenset(",;:")
DASHES = frozenset("—―–-")
CLOSERS = frozenset("\"'”’»)]}」』）】》〉›“")
OPENERS = frozenset('"“„«‹「『（(【《〈[')
# What no segment begins with: the rest of punctuation whose first mark ended the one before.
NEVER_LEADING = "".join(sorted(ENDS_AT_ONCE | CLAUSES_AT_ONCE | frozenset("」』）】》〉”»)]}!? ")))
SPACES = frozenset(ch for ch in map(chr, range(0x3001)) if ch.isspace())
SPECIAL = ENDS_AT_ONCE | ENDS | CLAUSES_AT_ONCE | CLAUSES | DASHES | SPACES

# Spoken units of a letter, by ranges: in most scripts of Asia one letter is most of a syllable.
_WEIGHTS = (
    (0x0590, 0x08FF, 0.5),  # Hebrew, Arabic: vowels are not written
    (0x0900, 0x0DFF, 0.7),  # India
    (0x0E00, 0x0EFF, 0.5),  # Thai, Lao
    (0x0F00, 0x109F, 0.7),  # Tibetan, Burmese
    (0x1100, 0x11FF, 1.0),  # Hangul
    (0x1200, 0x139F, 1.0),  # Ethiopic
    (0x13A0, 0x167F, 1.0),  # Cherokee, Canadian syllabics
    (0x1780, 0x17FF, 0.6),  # Khmer
    (0x3040, 0x318F, 1.0),  # kana, Bopomofo, Hangul
    (0x3400, 0x9FFF, 1.0),  # Han
    (0xA000, 0xA4CF, 1.0),  # Yi
    (0xAC00, 0xD7A3, 1.0),  # Hangul
    (0xF900, 0xFAFF, 1.0),
    (0xFF66, 0xFF9F, 1.0),  # kana, half width
    (0x20000, 0x3FFFF, 1.0),
)


def _weight(ch: str) -> float:
    if not ch.isalnum():
        return 0.0
    if ch.isdigit():
        return 1.0
    code = ord(ch)
    return next((units for low, high, units in _WEIGHTS if low <= code <= high), 1 / 3)


PARTS_OF_UNIT = 30
"""Whole numbers are added up: sums of floats would depend on how the stream was cut."""


class _Parts(dict[str, int]):
    """Thirtieths of a spoken unit of a character, computed once for each."""

    def __missing__(self, ch: str) -> int:
        value = self[ch] = round(_weight(ch) * PARTS_OF_UNIT)
        return value


PARTS = _Parts()


def parts_of(text: str) -> int:
    """About how many thirtieths of a syllable a voice will need for it."""
    return sum(PARTS[ch] for ch in text)


def units_of(text: str) -> float:
    """About how many syllables a voice will need for it."""
    return parts_of(text) / PARTS_OF_UNIT


def is_one_han(text: str) -> bool:
    """Whether a Han character and one mark are all of it: "係，", "好，"."""
    return len(text) == 2 and "\u4e00" <= text[0] <= "\u9fff"


def is_unspaced(ch: str) -> bool:
    """Whether no space is written between words in its script: Han, kana; Hangul counts too."""
    return ch >= "\u2e80" and PARTS[ch] == PARTS_OF_UNIT and not ch.isdigit()


def leaves_open(text: str, was_open: bool) -> bool:
    """Whether a bracket or quote is open after ``text``, given that one was (or not) before it."""
    for ch in text:
        if ch == '"':
            was_open = not was_open
        elif ch in OPENERS:
            was_open = True
        elif ch in CLOSERS and ch not in "'’":
            was_open = False
    return was_open
