"""Marks inside a line that hold words: emphasis, brackets, links, stage directions.

The words stay and the marks go, but for acting (``*sighs*``, ``(laughs)``), the address of a link,
the number of a footnote and the mark of a cited file.
"""

from __future__ import annotations

from dialogue.markup_scan import Scan
from dialogue.markup_tables import CLOSERS
from dialogue.speaker_labels import label_of
from dialogue.stage_directions import (
    MAX_CHARS,
    MAX_FIRST_WORD_CHARS,
    is_direction,
    opens_direction,
)

MAX_BRACKET_CHARS = 200


def star(scan: Scan, ch: str) -> None:
    """After ``*``: emphasis, a bullet, acting, or a key of the telephone."""
    if ch == "*":
        scan.held += ch
    elif len(scan.held) > 1:
        _go_home(scan, ch)
    elif scan.home is scan.line_start and ch.isspace():
        scan.settle(scan.line_start)  # a bullet
    elif scan.emphasis_open and not scan.last.isspace():
        scan.emphasis_open = False
        _go_home(scan, ch)
    elif ch.isdigit() or (scan.last.isspace() and ch in " \n.,;:!?)，。"):
        scan.release(1, ch)  # a key of the telephone
    elif ch.isalpha():
        scan.mode = stage
        stage(scan, ch)
    else:
        _go_home(scan, ch)


def stage(scan: Scan, ch: str) -> None:
    """After ``*`` or ``(``: acting is dropped, anything else is speech again."""
    opener, content = scan.held[0], scan.held[1:]
    closes = ch == CLOSERS[opener]
    if closes and is_direction(content):
        scan.settle(scan.home)
        return
    word = content.split(maxsplit=1)[0] if content.strip() else ""
    in_first_word = word == content.strip() and not content.endswith(" ") and ch.isalpha()
    is_open = in_first_word and len(word) < MAX_FIRST_WORD_CHARS
    acting = is_open or (opens_direction(word) and not closes and ch != "\n")
    if acting and len(content) < MAX_CHARS:
        scan.held += ch
    elif opener == "*":
        scan.emphasis_open = True
        scan.settle(scan.home)
        for inner in content + ch:
            scan.take(inner)
    else:
        scan.release(1, ch)


def underscore(scan: Scan, ch: str) -> None:
    """After ``_``: emphasis, or a part of a name."""
    if ch == "_":
        scan.held += ch
    elif len(scan.held) == 1 and scan.last.isalnum() and ch.isalnum():
        scan.release(1, ch)  # john_smith
    else:
        _go_home(scan, ch)


def tilde(scan: Scan, ch: str) -> None:
    """After ``~``: struck out, or about so many."""
    if ch == "~":
        scan.held += ch
    elif len(scan.held) == 1 and ch.isdigit():
        scan.release(1, ch)  # ~5 km
    else:
        _go_home(scan, ch)


def bracket(scan: Scan, ch: str) -> None:
    """After ``[``: the words of a link, a footnote, acting."""
    if ch == "]":
        scan.held += ch
        scan.mode = link
    elif ch in "[\n" or len(scan.held) >= MAX_BRACKET_CHARS:
        scan.held = scan.held[1:]
        scan.release(0, ch)
    else:
        scan.held += ch


def link(scan: Scan, ch: str) -> None:
    """After ``[...]``: its address may follow."""
    if ch == "(":
        scan.mode = target
        return
    content = scan.held[1:-1]
    if ch in ":：" and scan.home is scan.line_start and label_of(content):
        scan.settle(scan.line_start)  # [Agent]:
        return
    scan.settle(scan.prose)
    if not content.isdigit():  # [1] is a footnote
        scan.emit_unless_direction(content)
    scan.take(ch)


def target(scan: Scan, ch: str) -> None:
    """Inside ``(...)`` after ``[...]``: the address, which nobody wants to hear."""
    if ch in ")\n":
        content = scan.held[1:-1]
        scan.settle(scan.prose)
        scan.emit_unless_direction(content)
        if ch == "\n":
            scan.take(ch)


def lenticular(scan: Scan, ch: str) -> None:
    """``【...】``: a title in Chinese, but with a dagger the mark of a cited file."""
    scan.held += ch
    if ch == "】" or ch == "\n" or len(scan.held) >= MAX_BRACKET_CHARS:
        held = scan.held
        scan.settle(scan.prose)
        if "†" not in held:
            scan.emit_unless_direction(held.strip("【】"))


def _go_home(scan: Scan, ch: str) -> None:
    """The marks are dropped; ``ch`` is read as if they had not been there."""
    scan.settle(scan.home)
    scan.take(ch)
