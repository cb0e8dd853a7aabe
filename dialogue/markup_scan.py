"""What a markup filter knows between two characters: what is held, what is out, which mode reads.

A mode is a function that takes the scan and one character. ``home`` is the mode to go back to when
a stretch of markup is over: the prose of a line, or the start of a line.
"""

from __future__ import annotations

from collections.abc import Callable

from dialogue.markup_tables import is_unspeakable
from dialogue.stage_directions import is_direction

Mode = Callable[["Scan", str], None]


class Scan:
    """The state of one reply's filter.

    Args:
        prose: The mode inside a line.
        line_start: The mode at the start of a line, where a reply begins.

    Attributes:
        held: What might be markup and is not decided yet.
        last: The last character that went out; a line end before the first.
        after_symbol: What came last was a symbol that no voice can say.
        spoke: Something other than white space went out.
        emphasis_open: A ``*`` was taken for the opening of an emphasis.
        fenced: Inside a fence of three backticks.
        closing_tag: Ends the model's reasoning.
        hang_up: The reply puts the receiver down.
    """

    def __init__(self, prose: Mode, line_start: Mode) -> None:
        self.prose = prose
        self.line_start = line_start
        self.home = line_start
        self.mode = line_start
        self.held = ""
        self.last = "\n"
        self.after_symbol = False
        self.spoke = False
        self.emphasis_open = False
        self.fenced = False
        self.closing_tag = ""
        self.hang_up = False
        self._out: list[str] = []

    def take(self, ch: str) -> None:
        """Let the present mode read one character."""
        self.mode(self, ch)

    def hold(self, ch: str, mode: Mode) -> None:
        """``ch`` may open markup: ``mode`` will decide."""
        self.held = ch
        self.mode = mode

    def settle(self, mode: Mode) -> None:
        """Forget what was held and go on in ``mode``."""
        self.held = ""
        self.mode = mode

    def release(self, literal: int, then: str = "") -> None:
        """Give back what was held: ``literal`` characters as speech, the rest as input."""
        held = self.held
        self.settle(self.prose)
        self.home = self.prose
        self.emit(held[:literal])
        for ch in held[literal:] + then:
            self.take(ch)

    def emit(self, text: str) -> None:
        """Let ``text`` out as speech."""
        if not text:
            return
        self._out.append(text)
        self.last = text[-1]
        self.after_symbol = False
        self.spoke = self.spoke or not text.isspace()

    def emit_unless_direction(self, content: str) -> None:
        """Let the words of a bracket out, unless they are acting."""
        if not is_direction(content):
            self.emit("".join(ch for ch in content if ch not in "*`" and not is_unspeakable(ch)))

    def drain(self) -> str:
        """What went out since the last time."""
        text = "".join(self._out)
        self._out.clear()
        return text
