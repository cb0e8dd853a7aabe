"""Where commands write: what was asked for to stdout, everything else to stderr."""

from __future__ import annotations

import contextlib
import os
import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

console = Console(stderr=True)
output = Console()


def say(text: str) -> None:
    """One line for a person, on stderr; ``[green]`` and the like are styles."""
    console.print(text, highlight=False, soft_wrap=True)


def say_if_heard(text: str) -> None:
    """As ``say``, of what goes on when nobody is there any more who could read it.

    The terminal was closed, or whoever read the pipe has ended; rich ends the program then.
    """
    try:
        say(text)
    except (OSError, SystemExit):
        # What Python could not write it would try once more at its end, and exit with 120.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def complain(text: str) -> None:
    """What went wrong: one line on stderr, however narrow the terminal or the pipe is."""
    line = " ".join(text.split("\n"))
    console.print(Text.assemble(("callcluster:", "red"), " ", line), soft_wrap=True)


def show(table: Table) -> None:
    """A table on stdout; in a pipe a row is one line, whole, however long it is."""
    wide = None if output.is_terminal else Console(width=10_000).measure(table).maximum
    Console(width=wide).print(table)
