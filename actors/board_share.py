"""What the processes of one machine share of the board of providers' health: a machine.

One of them, the *listener*, keeps the long poll open at the keeper and hands every answer on; the
others hear it from the listener. Both sides hold one of these.

Rules
1. The listener's board is as large as that of whoever joins: one that has only the news since it
   began asks the keeper for the rest (``seen``).
2. A board of a newer term replaces the older one: what a dead keeper has said is news to nobody.
3. A *beat* says that the listener lives, and nothing of the keeper. Without either for
   ``PATIENCE_S`` a process asks the keeper itself, as if there were no listener.

Messages (lines of JSON, ``{"v": 1, ...}``, unknown fields ignored)

    to the listener     ``reporter``, ``can_probe`` (units): who has joined, or can do more now
    from the listener   ``board`` (entries that are new), ``poll_s``, ``calm_s``; or ``probes``
                        (unit and number) that this process is to make; or nothing: a beat
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.health.board import Board, Stamp, board_of, numbers_of
from providers.health.errors import HealthDataInvalid

VERSION = 1
BEAT_S = 0.25
PATIENCE_S = 0.8
_MOST_PROBES = 1_000


class BoardShare:
    """The board as one process of a machine knows it through the listener.

    Attributes:
        heard_at_s: When the listener was heard last.
    """

    def __init__(self) -> None:
        self.heard_at_s = 0.0
        self._board = Board()
        self._rates = (1.0, 0.5)
        self._probes: list[list[Any]] = []
        self._is_news = False

    # --- the listener's side ---------------------------------------------------------------------

    def seen(self, mine: Stamp) -> Stamp:
        """What the listener tells the keeper that it has seen, for itself and all who join."""
        return min(mine, self._board.stamp)

    def answered(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """The keeper has answered the listener's poll; the message to everybody.

        Raises:
            HealthDataInvalid: It cannot be read.
        """
        self._merge(answer)
        board = answer.get("board")
        poll_s, calm_s = self._rates
        return {"v": VERSION, "board": board, "poll_s": poll_s, "calm_s": calm_s}

    def whole(self) -> dict[str, Any] | None:
        """The message to who has just joined; None while nothing is known."""
        if self._board.stamp == (0, 0):
            return None
        poll_s, calm_s = self._rates
        board = self._board.to_plain()
        return {"v": VERSION, "board": board, "poll_s": poll_s, "calm_s": calm_s}

    # --- the others' side ------------------------------------------------------------------------

    def take(self, message: Any, *, now: float) -> bool:
        """Take a message of the listener; True when it is more than a beat.

        Raises:
            HealthDataInvalid: It cannot be read.
        """
        if not isinstance(message, Mapping):
            raise HealthDataInvalid("a message of the listener is a mapping")
        self.heard_at_s = now
        if "probes" in message:
            probes = message["probes"]
            if not isinstance(probes, list) or len(probes) > _MOST_PROBES:
                raise HealthDataInvalid(f"probes are a list of at most {_MOST_PROBES}")
            self._probes += probes
            self._is_news = True
        if "board" in message:
            self._merge(message)
            self._is_news = True
        return "probes" in message or "board" in message

    def is_patient(self, *, now: float) -> bool:
        """Whether the listener may still be waited for."""
        return now - self.heard_at_s < PATIENCE_S

    def next_answer(self, seen: Stamp) -> dict[str, Any] | None:
        """What the keeper would have answered a poll; None while there is nothing to say."""
        if not self._is_news:
            return None
        probes, self._probes, self._is_news = self._probes, [], False
        poll_s, calm_s = self._rates
        board = self._board.since(seen).to_plain()
        return {
            "v": VERSION,
            "board": board,
            "probes": probes,
            "poll_s": poll_s,
            "calm_s": calm_s,
        }

    def _merge(self, message: Mapping[str, Any]) -> None:
        news = board_of(message.get("board"))
        poll_s, calm_s = numbers_of([message.get("poll_s", 1.0), message.get("calm_s", 0.5)])
        is_newer_term = news.stamp[0] > self._board.stamp[0]
        self._board = news if is_newer_term else self._board.merged(news)
        self._rates = (poll_s, calm_s)
