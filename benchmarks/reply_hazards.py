"""Replies full of what a careless cutter splits, made from a seed, with an oracle of their own.

Numbers, money, times, dates, phone numbers, addresses, versions, abbreviations and names are set
into sentences in the forms of each language. Where a reply may not be cut is known from how it was
put together, not from rules about text: nowhere inside what was set in, and nowhere inside a word.
``benchmarks.cutter_made`` runs the cutter over them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from benchmarks.reply_corpus import MarkedReply, solid_length
from benchmarks.reply_manners import MANNERS, Manner
from voice.words import is_unspaced

_CLOSE = frozenset(",;:.!?…")
_PLACES = (
    "www.example.com/help?topic=returns",
    "https://shop.example.org/a/b.html#top",
    "help@example.com",
    "first.last@mail.example.co.uk",
    "example.com",
    "192.168.10.{}",
)
_MADE = ("v{}.{}.1", "A{}-{}", "{}.{} %", "{}×{}", "{}/{}")


@dataclass(frozen=True, slots=True)
class MadeReply:
    """One reply.

    Attributes:
        kind: What was set in: ``number``, ``money``, ``time``, ``date``, ``phone``, ``place``,
            ``code`` or ``name``.
        what: That.
    """

    reply: MarkedReply
    kind: str
    what: str


def made_replies(language: str, count: int, seed: int = 1) -> list[MadeReply]:
    """So many replies in a language of ``MANNERS``, the same for the same seed."""
    random = Random(f"{seed}/{language}/replies")
    manner = MANNERS[language]
    kinds = list(_KINDS)
    return [_made(language, manner, kinds[at % len(kinds)], random) for at in range(count)]


def _made(language: str, manner: Manner, kind: str, random: Random) -> MadeReply:
    what = _KINDS[kind](manner, random)
    opener, closer = random.choice(manner.openers), random.choice(manner.closers)
    before, after = random.choice(manner.carriers).split("{}")
    if what.endswith(".") and after.startswith("."):
        after = after[1:]  # "9 a.m." ends the sentence as well
    space = "" if is_unspaced(closer[:1]) else " "
    head = opener + space + before if opener else before
    text = head + what + after + space + closer
    start, end = solid_length(head), solid_length(head + what)
    cuts = frozenset(at for at in _outside_words(text) if not start < at < end)
    return MadeReply(MarkedReply(language, text, cuts), kind, what)


def _outside_words(text: str) -> list[int]:
    """Where no word is cut in two: how many characters other than space come before."""
    found, before = [], 0
    for ch, after in pairwise(text):
        before += not ch.isspace()
        is_free = ch.isspace() or after.isspace() or is_unspaced(ch) or is_unspaced(after)
        if is_free or ch in _CLOSE:
            found.append(before)
    return found


def _digits(form: str, random: Random) -> str:
    return "".join(str(random.randrange(10)) if ch == "#" else ch for ch in form)


def _number(manner: Manner, random: Random) -> str:
    whole = random.choice((random.randrange(10), random.randrange(100), random.randrange(1000)))
    parts = [str(random.randrange(1, 1000)), *(f"{random.randrange(1000):03}" for _ in range(2))]
    size = random.randrange(1, 4)
    grouped = manner.group.join(parts[:size])
    form = random.randrange(3)
    if form == 0:
        return f"{whole}{manner.point}{random.randrange(100):02}"
    return grouped if form == 1 and size > 1 else f"{grouped}{manner.point}{random.randrange(10)}"


def _money(manner: Manner, random: Random) -> str:
    return random.choice(manner.money).format(_number(manner, random))


def _clock(form: str, random: Random) -> str:
    h, m, d = random.randrange(1, 13), random.randrange(60), random.randrange(1, 29)
    return form.format(h=h, H=random.randrange(24), m=f"{m:02}", d=d, D=f"{d:02}", M=h)


def _place(_: Manner, random: Random) -> str:
    return random.choice(_PLACES).format(random.randrange(256))


def _code(_: Manner, random: Random) -> str:
    return random.choice(_MADE).format(random.randrange(1, 100), random.randrange(1, 100))


_KINDS: Mapping[str, Callable[[Manner, Random], str]] = {
    "number": _number,
    "money": _money,
    "time": lambda manner, random: _clock(random.choice(manner.times), random),
    "date": lambda manner, random: _clock(random.choice(manner.dates), random),
    "phone": lambda manner, random: _digits(random.choice(manner.phones), random),
    "place": _place,
    "code": _code,
    "name": lambda manner, random: random.choice(manner.names),
}
