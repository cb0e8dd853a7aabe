"""What can go wrong in the mind of a call, in one tree.

DialogueError
├── EmptyReply     the model's answer holds nothing that a voice could say
├── StaleTurn      the turn was settled, or this guess at it abandoned, before
└── StaleEpoch     somebody with a newer epoch owns the call
"""

from __future__ import annotations


class DialogueError(Exception):
    """Base of everything this room raises on purpose."""


class EmptyReply(DialogueError):
    """The reply is over and there was nothing to say in it.

    Args:
        raw_chars: How many characters the model did write; 0 for a silent one, more for markup.
    """

    def __init__(self, raw_chars: int = 0) -> None:
        super().__init__(raw_chars)
        self.raw_chars = raw_chars

    def __str__(self) -> str:
        if self.raw_chars == 0:
            return "empty_reply: the model answered with nothing"
        return f"empty_reply: {self.raw_chars} characters of markup and no words"


class StaleTurn(DialogueError):
    """A reply was asked for that nobody waits for any more.

    Args:
        turn_id: The turn.
        guess: The attempt at it.
    """

    def __init__(self, turn_id: int = 0, guess: int = 0) -> None:
        super().__init__(turn_id, guess)
        self.turn_id = turn_id
        self.guess = guess

    def __str__(self) -> str:
        return f"turn {self.turn_id}, guess {self.guess} was settled or abandoned before"


class StaleEpoch(DialogueError):
    """An older owner of the call spoke.

    Args:
        epoch: The speaker's epoch.
        owner: The epoch that owns the call.
    """

    def __init__(self, epoch: tuple[int, int] = (0, 0), owner: tuple[int, int] = (0, 0)) -> None:
        super().__init__(epoch, owner)
        self.epoch = epoch
        self.owner = owner

    def __str__(self) -> str:
        return f"epoch {self.epoch} is older than {self.owner}, which owns the call"
