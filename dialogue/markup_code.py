"""What was written for machines: tags, entities, fenced code, a model's own reasoning."""

from __future__ import annotations

import html

from dialogue.markup_scan import Scan
from dialogue.markup_tables import (
    END_CALL_TAGS,
    PROSE_FENCES,
    REASONING_TAGS,
    SPACE_TAGS,
    TAG_NAME,
    is_unspeakable,
)
from dialogue.stage_directions import MAX_FIRST_WORD_CHARS

MAX_TAG_CHARS = 300
MAX_ENTITY_CHARS = 10


def tag(scan: Scan, ch: str) -> None:
    """After ``<``: a tag, or a plain sign."""
    held = scan.held
    if ch == "<" or len(held) >= MAX_TAG_CHARS:
        scan.held = held[1:]
        scan.release(len(held) - 1, ch)
    elif len(held) == 1 and not (ch.isalpha() or ch in "/!?|"):
        scan.release(1, ch)
    elif ch == ">":
        _close_tag(scan, held)
    else:
        scan.held += ch


def _close_tag(scan: Scan, held: str) -> None:
    found = TAG_NAME.match(held)
    name = found.group(1).casefold() if found else ""
    scan.settle(scan.home)
    if "://" in held or ("@" in held and " " not in held):
        scan.emit(held[1:])
    elif name in REASONING_TAGS and held[1] != "/" and not held.endswith("/"):
        scan.closing_tag = f"</{name}>"
        scan.settle(reasoning)
    elif name in END_CALL_TAGS:
        scan.hang_up = True
    elif name in SPACE_TAGS and scan.home is scan.prose:
        scan.emit(" ")


def reasoning(scan: Scan, ch: str) -> None:
    """Inside ``<think>``: nothing is speech until it closes."""
    scan.held = (scan.held + ch.casefold())[-len(scan.closing_tag) :]
    if scan.held == scan.closing_tag:
        scan.settle(scan.home)


def entity(scan: Scan, ch: str) -> None:
    """After ``&``: an entity such as ``&amp;``, or a plain sign."""
    held = scan.held + ch
    if ch == ";" and len(held) > 2:
        decoded = html.unescape(held)
        scan.settle(scan.prose)
        scan.emit(
            " " if decoded == "\xa0" else "".join(c for c in decoded if not is_unspeakable(c))
        )
    elif (ch.isalnum() or ch == "#") and ch.isascii() and len(held) < MAX_ENTITY_CHARS:
        scan.held = held
    else:
        scan.release(len(scan.held), ch)


def ticks(scan: Scan, ch: str) -> None:
    """After a backtick: a word of code, which is spoken, or a fence."""
    if ch == "`":
        scan.held += ch
    elif len(scan.held) < 3 or scan.fenced:
        scan.fenced = scan.fenced and len(scan.held) < 3
        scan.settle(scan.home)
        scan.take(ch)
    else:
        scan.fenced = True
        scan.settle(fence_info)
        scan.take(ch)


def fence_info(scan: Scan, ch: str) -> None:
    """The word after an opening fence: prose is spoken, code is not."""
    if ch == "\n":
        prose = scan.held.strip().casefold() in PROSE_FENCES
        scan.settle(scan.line_start if prose else code)
    elif ch.isspace() or ch == "`" or len(scan.held) >= MAX_FIRST_WORD_CHARS:
        scan.release(0, ch)  # not a word on its own: the text itself stands here
    else:
        scan.held += ch


def code(scan: Scan, ch: str) -> None:
    """Inside a fence of a programming language."""
    scan.held = (scan.held + ch)[-3:]
    if scan.held == "```":
        scan.fenced = False
        scan.settle(scan.prose)
