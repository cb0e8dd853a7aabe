"""What a voice must not say is taken out of the streamed reply: markdown, tags, emoji, acting.

Rules
1. One character is taken at a time; what comes out does not depend on how the stream was cut.
2. Whatever might be markup is held in ``Scan.held`` until it is decided, never longer than the
   limits of ``markup_spans.py`` and ``markup_code.py``; what turns out to be plain text is given
   back to the machine as text.
3. Words are lost only inside tags, link targets, stage directions, code of a programming language,
   a model's own reasoning (``<think>``), and after a line that speaks for the caller.
4. A keypad's ``*`` and ``#`` stay ("press #", "press * now"): callers have to hear them.

``<end_call>`` (or ``<hang_up>``) anywhere in a reply sets ``hang_up``; it is how a language model
puts the receiver down.
"""

from __future__ import annotations

from dialogue.markup_code import entity, fence_info, tag, ticks
from dialogue.markup_scan import Mode, Scan
from dialogue.markup_spans import (
    bracket,
    lenticular,
    link,
    stage,
    star,
    target,
    tilde,
    underscore,
)
from dialogue.markup_tables import (
    BULLETS,
    PLAIN_RUN,
    is_unspeakable,
)
from dialogue.speaker_labels import CALLERS, OPENING, label_of, may_be_label

_OPENERS: dict[str, Mode] = {
    "<": tag,
    "&": entity,
    "[": bracket,
    "(": stage,
    "（": stage,
    "【": lenticular,
    "*": star,
    "_": underscore,
    "`": ticks,
    "~": tilde,
}


class MarkupFilter:
    """Streamed reply text in, streamed speakable text out (line ends are kept)."""

    def __init__(self) -> None:
        self._scan = Scan(_prose, _line_start)

    @property
    def hang_up(self) -> bool:
        """True once the reply has put the receiver down."""
        return self._scan.hang_up

    def feed(self, text: str) -> str:
        """Take the next characters of the reply; return what is certain to be speech."""
        scan = self._scan
        position, end = 0, len(text)
        while position < end:
            if scan.mode is _prose and (run := PLAIN_RUN.match(text, position)):
                scan.emit(run.group())
                position = run.end()
            else:
                scan.take(text[position])
                position += 1
        return scan.drain()

    def finish(self) -> str:
        """The reply is over: return what was held and is speech after all."""
        scan = self._scan
        held, mode = scan.held, scan.mode
        scan.held = ""
        if mode is tag:
            if held.count(" ") >= 2 and "=" not in held:
                scan.emit(held[1:])  # a sentence after a stray "<", not a tag cut in two
        elif mode in (stage, bracket, link, target, lenticular):
            scan.emit_unless_direction(held.lstrip("*([（【").rstrip("]"))
        elif mode in (entity, fence_info) or (mode is _line_start and held[:1].isalpha()):
            scan.emit(held)
        scan.settle(_prose)
        return scan.drain()


def _prose(scan: Scan, ch: str) -> None:
    """Inside a line."""
    scan.home = _prose
    opened = _OPENERS.get(ch)
    if opened is not None:
        scan.hold(ch, opened)
    elif ch == "\n":
        scan.emit(ch)
        scan.emphasis_open = False
        scan.settle(_line_start)
        scan.home = _line_start
    elif ch == "|":
        scan.emit(" ")
    elif ch == "\u200d" and not scan.after_symbol:
        scan.emit(ch)  # joins letters in Indic scripts; only after a symbol is it an emoji's
    elif ch == "\u200d" or is_unspeakable(ch):
        if "\u2190" <= ch <= "\u2bff" or "\U0001f000" <= ch <= "\U0001faff":
            scan.emit(" ")  # what stands on its two sides stays two words
        scan.after_symbol = True
    else:
        scan.emit(ch)


def _line_start(scan: Scan, ch: str) -> None:
    """At the start of a line: headings, bullets, quotes, rules, speaker labels."""
    scan.home = _line_start
    held = scan.held
    if not held:
        _first_of_line(scan, ch)
    elif held[0].isalpha():
        _label(scan, ch)
    elif ch == held[-1]:
        scan.held += ch  # a heading's ##, a rule's ---
    elif ch.isspace():
        scan.settle(_line_start)
        if ch == "\n":
            scan.emit(ch)
    elif held[0] in BULLETS or ch == "|":  # the rule under a table's head
        scan.settle(_line_start)
        scan.take(ch)
    else:
        scan.release(len(held), ch)


def _first_of_line(scan: Scan, ch: str) -> None:
    if ch in "#-+=" or ch in BULLETS:
        scan.held = ch
    elif ch in _OPENERS and ch not in "(（":
        scan.hold(ch, _OPENERS[ch])
    elif ch.isspace():
        scan.emit(ch)
    elif ch in ">|" or is_unspeakable(ch):
        return
    elif may_be_label(ch):
        scan.held = ch
    else:
        scan.release(0, ch)


def _label(scan: Scan, ch: str) -> None:
    label = label_of(scan.held) if ch in ":：" else ""
    if label in CALLERS and scan.spoke:
        scan.settle(_nothing)  # the model began to invent the caller's answer
    elif label and not (label in OPENING and scan.spoke):
        scan.settle(_line_start)
    elif may_be_label(scan.held + ch):
        scan.held += ch
    elif not (ch in "*_" and label_of(scan.held)):  # "**Agent**:"
        scan.release(len(scan.held.partition("(")[0]), ch)


def _nothing(scan: Scan, ch: str) -> None:
    """Nothing more of this reply is speech."""
