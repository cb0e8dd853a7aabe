"""What can go wrong with a tool, in one tree.

ToolError
├── ToolFailed        it did not do its work
│   ├── ToolSaid      a function says so, in words that are for the model alone
│   └── ToolTimeout   it did not answer in time: it may have been done
└── ToolUnusable      it is declared wrongly, or something that it needs is missing
"""

from __future__ import annotations


class ToolError(Exception):
    """Base of everything that tools raise on purpose.

    Args:
        message: What happened, in words for the model; no address, no secret.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class ToolFailed(ToolError):
    """It did not do its work."""


class ToolSaid(ToolFailed):
    """A function of somebody else's says why it failed: words that may quote a caller."""


class ToolTimeout(ToolFailed):
    """It did not answer in time; it may have been done all the same."""


class ToolUnusable(ToolError):
    """It is declared wrongly, or something that it needs is missing; names the field."""
