"""The tools of one call as the half that holds its socket knows them: asked for, granted, ended.

Rules
1. A use is granted once its turn was taken, and from then on it stands in this log: if the
   CallActor dies, its successor learns that it was begun (``open_uses``) and does not begin it
   again.
2. A use that was not granted will not be done: it is forgotten with its reply.
3. With its turn, every use that was granted goes into the turn's entry, whichever guess asked for
   it; facts to be remembered go in only with the guess that was spoken. A result that comes later
   goes in with the next turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from typing import Any

from actors.wire import TurnEntry, TurnItem
from dialogue.tool_journal import UNKNOWN

GuessKey = tuple[int, int]
Plain = dict[str, Any]


class UseLog:
    """Uses of one call; synchronous."""

    def __init__(self) -> None:
        self._taken: set[GuessKey] = set()
        self._asked: dict[str, tuple[GuessKey, Plain]] = {}
        self._granted: dict[str, tuple[int, Plain]] = {}
        self._facts: dict[GuessKey, tuple[Plain, ...]] = {}
        self._late: list[Plain] = []
        self._open: dict[str, int] = {}  # settled without a result, and their turns

    def taken(self, turn_id: int, guess: int) -> None:
        """The turn is over and this guess answers it: what it asks for may be done."""
        self._taken.add((turn_id, guess))

    def taken_back(self, turn_id: int, guess: int) -> None:
        """The caller had not finished: nothing more is granted for now."""
        self._taken.discard((turn_id, guess))

    def dropped(self, turn_id: int, guess: int) -> None:
        """Nobody waits for this guess any more."""
        key = (turn_id, guess)
        if key not in self._taken:
            self._facts.pop(key, None)  # else the caller has cut it: what it noted is noted
        self._taken.discard(key)
        self._asked = {use_id: one for use_id, one in self._asked.items() if one[0] != key}

    def hear(self, item: TurnItem) -> None:
        """What a step of a reply says of tools."""
        key = (item.turn_id, item.guess)
        if item.type in {"segment", "finished"}:
            known = self._facts.get(key, ())
            self._facts[key] = (*known, *(fact for fact in item.tools if fact not in known))
            return
        for use in item.tools:
            use_id = use.get("id")
            if not isinstance(use_id, str):
                continue
            plain = {name: value for name, value in use.items() if name != "wait_s"}
            if item.type == "accepted":
                self._late.append(plain)
                self._open.pop(use_id, None)
            elif plain.get("result") and use_id in self._granted:
                self._granted[use_id] = (self._granted[use_id][0], plain)
            elif plain.get("result") and use_id in self._open:
                self._late.append({**plain, "of_turn": self._open.pop(use_id)})
            elif not plain.get("result"):
                self._asked[use_id] = (key, plain)

    def grant(self) -> tuple[str, ...]:
        """Ids of the uses that may be done now, and were not granted before."""
        ready = {use_id: one for use_id, one in self._asked.items() if one[0] in self._taken}
        for use_id, (key, plain) in ready.items():
            del self._asked[use_id]
            self._granted[use_id] = (key[0], plain)
        return tuple(ready)

    def learn(self, uses: Iterable[Mapping[str, Any]]) -> None:
        """What a CallActor knows of turns that are not settled, such as those of a lost stream."""
        for use in uses:
            use_id, turn_id = use.get("id"), use.get("turn")
            if isinstance(use_id, str) and isinstance(turn_id, int):
                plain = {name: value for name, value in use.items() if name != "turn"}
                self._granted.setdefault(use_id, (turn_id, plain))

    @property
    def open_uses(self) -> tuple[Plain, ...]:
        """What was granted and stands in no settled turn yet, for another CallActor."""
        return tuple({**plain, "turn": turn_id} for turn_id, plain in self._granted.values())

    def settled(self, entry: TurnEntry) -> TurnEntry:
        """The entry of a turn with the tools that it used."""
        over = [
            use_id for use_id, (turn_id, _) in self._granted.items() if turn_id <= entry.turn_id
        ]
        uses = [self._granted.pop(use_id)[1] for use_id in over]
        self._open |= {str(use["id"]): entry.turn_id for use in uses if not use.get("result")}
        facts = self._facts.get((entry.turn_id, entry.guess), ())
        late, self._late = self._late, []
        self._facts = {key: one for key, one in self._facts.items() if key[0] > entry.turn_id}
        self._taken = {key for key in self._taken if key[0] > entry.turn_id}
        self._asked = {
            use_id: one for use_id, one in self._asked.items() if one[0][0] > entry.turn_id
        }
        told = [use if use.get("result") else {**use, "result": UNKNOWN} for use in uses]
        if not (told or facts or late):
            return entry
        return replace(entry, tools=(*told, *facts, *entry.tools, *late))


class UseGrants:
    """Grants uses as soon as their turn is taken.

    Args:
        log: Of the call.
        send: Tells the CallActor what it may do.
    """

    def __init__(
        self, log: UseLog, send: Callable[[tuple[str, ...]], Coroutine[Any, Any, object]]
    ) -> None:
        self._log = log
        self._send = send
        self._sending: set[asyncio.Task[object]] = set()

    def take(self, turn_id: int, guess: int) -> None:
        """The turn is over and this guess answers it: the tools that it wants may be used."""
        self._log.taken(turn_id, guess)
        self._grant()

    def take_back(self, turn_id: int, guess: int) -> None:
        """The caller had not finished: nothing more may be used for now."""
        self._log.taken_back(turn_id, guess)

    def drop(self, turn_id: int, guess: int) -> None:
        """Nobody waits for this guess any more; what it has begun goes on."""
        self._log.dropped(turn_id, guess)

    def hear(self, item: TurnItem) -> None:
        """A step of a reply, which may say something of tools."""
        if item.tools:
            self._log.hear(item)
            self._grant()

    def settled(self, entry: TurnEntry) -> TurnEntry:
        """The entry of a turn with the tools that it used; asked again, it stays as it is."""
        return self._log.settled(entry)

    def _grant(self) -> None:
        use_ids = self._log.grant()
        if use_ids:
            task = asyncio.get_running_loop().create_task(self._send(use_ids))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
