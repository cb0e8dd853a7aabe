"""The answer to a webhook that is not taken."""

from __future__ import annotations


class FormRefused(Exception):
    """A webhook is refused.

    Args:
        status: The HTTP status.
        message: Why, for whoever reads the carrier's log.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
