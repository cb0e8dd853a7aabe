"""What a voice must not say is taken out of the streamed reply: markdown, tags, emoji, acting.

Rules
1. One character is taken at a time; what comes out does not depend on how the stream was cut.
2. Whatever might be markup is held in ``_held`` until it is decided, never longer than the limits
   below; what turns out to be plain text is given back to the machine as text.
3. Words are lost only inside tags, link targets, stage directions, code of a programming language,
   a model's own reasoning (``<think>``), and after a line that speaks for the caller.
4. A keypad's ``*`` and ``#`` stay ("press #", "press * now"): callers have to hear them.

``<end_call>`` (or ``<hang_up>``) anywhere in a reply sets ``hang_up``; it is how a language model
puts the receiver down.
"""

from __future__ import annotations

import html
from collections.abc import Callable

from dialogue.markup_tables import (
    BULLETS,
    CALLERS,
    CLOSERS,
    END_CALL_TAGS,
    LABEL_PREFIXES,
    LABELS,
    PLAIN_RUN,
    PROSE_FENCES,
    REASONING_TAGS,
    SPACE_TAGS,
    TAG_NAME,
    is_unspeakable,
)
from dialogue.stage_directions import (
    MAX_CHARS,
    MAX_FIRST_WORD_CHARS,
    is_direction,
    opens_direction,
)

MAX_TAG_CHARS = 300
MAX_BRACKET_CHARS = 200
MAX_ENTITY_CHARS = 10


class MarkupFilter:
    """Streamed reply text in, streamed speakable text out (line ends are kept)."""

    def __init__(self) -> None:
        self.hang_up = False
        self._out: list[str] = []
        self._held = ""
        self._last = "\n"
        self._after_symbol = False
        self._spoke = False
        self._emphasis_open = False
        self._fenced = False
        self._closing_tag = ""
        self._home: Callable[[str], None] = self._line
        self._mode: Callable[[str], None] = self._line

    def feed(self, text: str) -> str:
        """Take the next characters of the reply; return what is certain to be speech."""
        position, end = 0, len(text)
        while position < end:
            if self._mode == self._text and (run := PLAIN_RUN.match(text, position)):
                self._emit(run.group())
                position = run.end()
            else:
                self._mode(text[position])
                position += 1
        return self._drain()

    def finish(self) -> str:
        """The reply is over: return what was held and is speech after all."""
        held, mode = self._held, self._mode
        self._held = ""
        if mode == self._tag:
            if held.count(" ") >= 2 and "=" not in held:
                self._emit(held[1:])  # a sentence after a stray "<", not a tag cut in two
        elif mode in (self._stage, self._bracket, self._link, self._target, self._lenticular):
            self._emit_unless_direction(held.lstrip("*([（【").rstrip("]"))
        elif mode in (self._entity, self._fence_info) or (
            mode == self._line and held[:1].isalpha()
        ):
            self._emit(held)
        self._settle(self._text)
        return self._drain()

    # --- output -----------------------------------------------------------------------------------

    def _drain(self) -> str:
        text = "".join(self._out)
        self._out.clear()
        return text

    def _emit(self, text: str) -> None:
        if not text:
            return
        self._out.append(text)
        self._last = text[-1]
        self._after_symbol = False
        self._spoke = self._spoke or not text.isspace()

    def _emit_unless_direction(self, content: str) -> None:
        if not is_direction(content):
            self._emit("".join(ch for ch in content if ch not in "*`" and not is_unspeakable(ch)))

    def _settle(self, mode: Callable[[str], None]) -> None:
        self._held = ""
        self._mode = mode

    def _release(self, literal: int, then: str = "") -> None:
        """Give back what was held: ``literal`` characters as speech, the rest as input."""
        held = self._held
        self._settle(self._text)
        self._home = self._text
        self._emit(held[:literal])
        for ch in held[literal:] + then:
            self._mode(ch)

    # --- modes: each takes one character ------------------------------------------------------

    def _text(self, ch: str) -> None:
        self._home = self._text
        opened = _OPENERS.get(ch)
        if opened is not None:
            self._held = ch
            self._mode = getattr(self, opened)
        elif ch == "\n":
            self._emit(ch)
            self._emphasis_open = False
            self._settle(self._line)
            self._home = self._line
        elif ch == "|":
            self._emit(" ")
        elif ch == "\u200d" and not self._after_symbol:
            self._emit(ch)  # joins letters in Indic scripts; only after a symbol is it an emoji's
        elif ch == "\u200d" or is_unspeakable(ch):
            if "\u2190" <= ch <= "\u2bff" or "\U0001f000" <= ch <= "\U0001faff":
                self._emit(" ")  # what stands on its two sides stays two words
            self._after_symbol = True
        else:
            self._emit(ch)

    def _line(self, ch: str) -> None:
        """At the start of a line: headings, bullets, quotes, rules, speaker labels."""
        self._home = self._line
        held = self._held
        if not held:
            self._line_start(ch)
        elif held[0].isalpha():
            self._label(ch)
        elif ch == held[-1]:
            self._held += ch  # a heading's ##, a rule's ---
        elif ch.isspace():
            self._settle(self._line)
            if ch == "\n":
                self._emit(ch)
        elif held[0] in BULLETS or ch == "|":  # the rule under a table's head
            self._settle(self._line)
            self._line(ch)
        else:
            self._release(len(held), ch)

    def _line_start(self, ch: str) -> None:
        if ch in "#-+=" or ch in BULLETS:
            self._held = ch
        elif ch in _OPENERS and ch not in "(（":
            self._held = ch
            self._mode = getattr(self, _OPENERS[ch])
        elif ch.isspace():
            self._emit(ch)
        elif ch in ">|" or is_unspeakable(ch):
            return
        elif ch.casefold() in LABEL_PREFIXES:
            self._held = ch
        else:
            self._release(0, ch)

    def _label(self, ch: str) -> None:
        label = self._held.casefold()
        if ch in ":：" and label in LABELS:
            if label in CALLERS and self._spoke:
                self._settle(self._nothing)  # the model began to invent the caller's answer
            else:
                self._settle(self._line)
        elif label + ch.casefold() in LABEL_PREFIXES:
            self._held += ch
        else:
            self._release(len(self._held), ch)

    def _star(self, ch: str) -> None:
        home, count = self._home, len(self._held)
        if ch == "*":
            self._held += ch
        elif count > 1:
            self._settle(home)
            self._mode(ch)
        elif home == self._line and ch.isspace():
            self._settle(self._line)  # a bullet
        elif self._emphasis_open and not self._last.isspace():
            self._emphasis_open = False
            self._settle(home)
            self._mode(ch)
        elif ch.isdigit() or (self._last.isspace() and ch in " \n.,;:!?)，。"):
            self._release(1, ch)  # a key of the telephone
        elif ch.isalpha():
            self._mode = self._stage
            self._stage(ch)
        else:
            self._settle(home)
            self._mode(ch)

    def _stage(self, ch: str) -> None:
        """After ``*`` or ``(``: acting is dropped, anything else is speech again."""
        opener, content = self._held[0], self._held[1:]
        closes = ch == CLOSERS[opener]
        if closes and is_direction(content):
            self._settle(self._home)
            return
        word = content.split(maxsplit=1)[0] if content.strip() else ""
        in_first_word = word == content.strip() and not content.endswith(" ") and ch.isalpha()
        is_open = in_first_word and len(word) < MAX_FIRST_WORD_CHARS
        acting = is_open or (opens_direction(word) and not closes and ch != "\n")
        if acting and len(content) < MAX_CHARS:
            self._held += ch
        elif opener == "*":
            self._emphasis_open = True
            self._held = content
            self._release(0, ch)
        else:
            self._release(1, ch)

    def _bracket(self, ch: str) -> None:
        if ch == "]":
            self._held += ch
            self._mode = self._link
        elif ch in "[\n" or len(self._held) >= MAX_BRACKET_CHARS:
            self._held = self._held[1:]
            self._release(0, ch)
        else:
            self._held += ch

    def _link(self, ch: str) -> None:
        if ch == "(":
            self._mode = self._target
            return
        content = self._held[1:-1]
        self._settle(self._text)
        if not content.isdigit():  # [1] is a footnote
            self._emit_unless_direction(content)
        self._text(ch)

    def _target(self, ch: str) -> None:
        if ch in ")\n":
            content = self._held[1:-1]
            self._settle(self._text)
            self._emit_unless_direction(content)
            if ch == "\n":
                self._text(ch)

    def _lenticular(self, ch: str) -> None:
        """``【...】``: a title in Chinese, but with a dagger the mark of a cited file."""
        self._held += ch
        if ch == "】" or ch == "\n" or len(self._held) >= MAX_BRACKET_CHARS:
            held = self._held
            self._settle(self._text)
            if "†" not in held:
                self._emit_unless_direction(held.strip("【】"))

    def _tag(self, ch: str) -> None:
        held = self._held
        if ch == "<" or len(held) >= MAX_TAG_CHARS:
            self._held = held[1:]
            self._release(len(held) - 1, ch)
        elif len(held) == 1 and not (ch.isalpha() or ch in "/!?|"):
            self._release(1, ch)
        elif ch == ">":
            self._close_tag(held)
        else:
            self._held += ch

    def _close_tag(self, held: str) -> None:
        found = TAG_NAME.match(held)
        name = found.group(1).casefold() if found else ""
        self._settle(self._home)
        if "://" in held or ("@" in held and " " not in held):
            self._emit(held[1:])
        elif name in REASONING_TAGS and held[1] != "/" and not held.endswith("/"):
            self._closing_tag = f"</{name}>"
            self._settle(self._reasoning)
        elif name in END_CALL_TAGS:
            self.hang_up = True
        elif name in SPACE_TAGS and self._home == self._text:
            self._emit(" ")

    def _reasoning(self, ch: str) -> None:
        self._held = (self._held + ch.casefold())[-len(self._closing_tag) :]
        if self._held == self._closing_tag:
            self._settle(self._home)

    def _entity(self, ch: str) -> None:
        held = self._held + ch
        if ch == ";" and len(held) > 2:
            decoded = html.unescape(held)
            self._settle(self._text)
            self._emit(
                " " if decoded == "\xa0" else "".join(c for c in decoded if not is_unspeakable(c))
            )
        elif (ch.isalnum() or ch == "#") and ch.isascii() and len(held) < MAX_ENTITY_CHARS:
            self._held = held
        else:
            self._release(len(self._held), ch)

    def _underscore(self, ch: str) -> None:
        if ch == "_":
            self._held += ch
        elif len(self._held) == 1 and self._last.isalnum() and ch.isalnum():
            self._release(1, ch)  # john_smith
        else:
            self._settle(self._home)
            self._mode(ch)

    def _tilde(self, ch: str) -> None:
        if ch == "~":
            self._held += ch
        elif len(self._held) == 1 and ch.isdigit():
            self._release(1, ch)  # ~5 km
        else:
            self._settle(self._home)
            self._mode(ch)

    def _ticks(self, ch: str) -> None:
        if ch == "`":
            self._held += ch
        elif len(self._held) < 3 or self._fenced:
            self._fenced = self._fenced and len(self._held) < 3
            self._settle(self._home)
            self._mode(ch)
        else:
            self._fenced = True
            self._settle(self._fence_info)
            self._fence_info(ch)

    def _fence_info(self, ch: str) -> None:
        """The word after an opening fence: prose is spoken, code is not."""
        if ch == "\n":
            prose = self._held.strip().casefold() in PROSE_FENCES
            self._settle(self._line if prose else self._code)
        elif ch.isspace() or ch == "`" or len(self._held) >= MAX_FIRST_WORD_CHARS:
            self._release(0, ch)  # not a word on its own: the text itself stands here
        else:
            self._held += ch

    def _code(self, ch: str) -> None:
        self._held = (self._held + ch)[-3:]
        if self._held == "```":
            self._fenced = False
            self._settle(self._text)

    def _nothing(self, ch: str) -> None:
        """Nothing more of this reply is speech."""


_OPENERS = {
    "<": "_tag",
    "&": "_entity",
    "[": "_bracket",
    "(": "_stage",
    "（": "_stage",
    "【": "_lenticular",
    "*": "_star",
    "_": "_underscore",
    "`": "_ticks",
    "~": "_tilde",
}
