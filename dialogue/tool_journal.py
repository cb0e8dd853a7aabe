"""What one call has had done by its tools: so that nothing is done twice, and nothing is forgotten.

A *use* of a tool that runs, as plain data::

    {"id": "9f3c...", "name": "orders", "arguments": "{...}", "result": "{...}"}

Rules
1. A use is *asked* for, with an id of its own; it may run when the half that holds the socket has
   it in its log and says so (it is *granted*): then two processes know of it before it begins.
2. A use that was granted and whose end nobody knows is *lost*: it was done or it was not. It is not
   run again, unless its tool is idempotent: then it may be, with the same id.
3. In one turn the same wish means the same use: whoever asks again (another guess, another process
   after a loss) gets its result, waits for it, or is told that it is unknown. While the end of a
   use is unknown, its tool is not run with other arguments either, in that turn.
4. Results that come when their turn is over already are told with a later turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from dialogue.tool_use import Plain
from dialogue.tools import RunTool

MAX_RESULT_CHARS = 8_000
UNKNOWN = json.dumps(
    {
        "status": "unknown",
        "note": "It was begun and nobody knows how it ended. Do not use it again for this; tell "
        "the caller that you cannot be sure.",
    }
)


class Stage(Enum):
    """Where a use stands."""

    ASKED = "asked"
    RUNNING = "running"
    DONE = "done"
    LOST = "lost"


@dataclass(slots=True)
class Use:
    """One use of a tool that runs.

    Attributes:
        result: JSON for the model; empty while there is none.
        is_logged: A settled turn tells of it, if not of its end.
        is_late: Its turn was over, or nobody waited, before its result was told.
        was_begun: It was lost before it was asked for again.
    """

    id: str
    turn_id: int
    name: str
    arguments: str
    stage: Stage
    result: str = ""
    is_logged: bool = False
    is_late: bool = False
    was_begun: bool = False

    def to_plain(self) -> Plain:
        """As it crosses between processes, and stands in the record."""
        return plain_use(self.id, self.name, self.arguments, self.result)


def plain_use(use_id: str, name: str, arguments: str, result: str = "") -> Plain:
    """A use as plain data; without a result it is known to have been asked for, and no more."""
    told = {"id": use_id, "name": name, "arguments": arguments}
    return {**told, "result": result[:MAX_RESULT_CHARS]} if result else told


def canonical(arguments: Mapping[str, Any]) -> str:
    """The same arguments are the same text, in whatever order they were written."""
    return json.dumps(arguments, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Begin:
    """Run it, under this id, once it is granted."""

    use: Use


@dataclass(frozen=True, slots=True)
class Join:
    """It is on its way already: wait for the result of this use."""

    use: Use


@dataclass(frozen=True, slots=True)
class Answered:
    """Nothing is to be done: this is what there is to know."""

    result: str


class ToolJournal:
    """The uses of one call, by id; synchronous, and told of everything by others.

    Args:
        repeatable: Names of the tools that are idempotent.
    """

    def __init__(self, repeatable: Iterable[str] = ()) -> None:
        self._uses: dict[str, Use] = {}
        self._repeatable = frozenset(repeatable)

    def ask(self, turn_id: int, run: RunTool, use_id: str) -> Begin | Join | Answered:
        """The model wants a tool; ``use_id`` is its id if it is a new use."""
        arguments = canonical(run.arguments)
        known = self._known(turn_id, run, arguments)
        if known is not None:
            return known
        use = Use(use_id, turn_id, run.tool.name, arguments, Stage.ASKED)
        self._uses[use_id] = use
        return Begin(use)

    def ask_again(self, use: Use, run: RunTool) -> Join | Answered | None:
        """What was done for another guess while this use waited for its grant; None for nothing."""
        known = self._known(use.turn_id, run, use.arguments)
        return None if isinstance(known, Begin) else known

    def _known(self, turn_id: int, run: RunTool, arguments: str) -> Begin | Join | Answered | None:
        begun = [
            use
            for use in self._uses.values()
            if use.turn_id == turn_id and use.name == run.tool.name
            if use.stage is not Stage.ASKED
        ]
        same = next((use for use in begun if use.arguments == arguments), None)
        if same is not None:
            match same.stage:
                case Stage.DONE:
                    return Answered(same.result)
                case Stage.RUNNING:
                    return Join(same)
                case _ if run.tool.is_idempotent:
                    same.stage, same.was_begun = Stage.ASKED, True
                    return Begin(same)
                case _:
                    return Answered(UNKNOWN)
        is_open = any(use.stage in {Stage.LOST, Stage.RUNNING} for use in begun)
        return Answered(UNKNOWN) if is_open and not run.tool.is_idempotent else None

    def find(self, use_id: str) -> Use | None:
        """The use, if it is known."""
        return self._uses.get(use_id)

    def started(self, use_id: str) -> None:
        """It runs from here on."""
        self._uses[use_id].stage = Stage.RUNNING

    def withdrawn(self, use_id: str) -> None:
        """Nobody waits for it, and it was not granted: it will not be done."""
        use = self._uses.get(use_id)
        if use is not None and use.stage is Stage.ASKED:
            self._withdraw(use)

    def _withdraw(self, use: Use) -> None:
        if use.was_begun:
            use.stage = Stage.LOST
        else:
            del self._uses[use.id]

    def ended(self, use_id: str, result: str) -> None:
        """What came of it; nobody was told so far."""
        use = self._uses.get(use_id)
        if use is not None and use.stage is not Stage.DONE:
            use.stage, use.result, use.is_late = Stage.DONE, result[:MAX_RESULT_CHARS], True

    def told(self, use_id: str) -> None:
        """Whoever waits for its result has it, and passes it on."""
        use = self._uses.get(use_id)
        if use is not None:
            use.is_late = False

    def learn(self, uses: Iterable[Mapping[str, Any]]) -> None:
        """What another process knows of turns that are not settled; what is known here stands."""
        for plain in uses:
            use_id, name, turn_id = plain.get("id"), plain.get("name"), plain.get("turn")
            if not isinstance(use_id, str) or not isinstance(name, str):
                continue
            if not isinstance(turn_id, int) or "of_turn" in plain:
                continue
            result = plain.get("result")
            result = result if isinstance(result, str) and result != UNKNOWN else ""
            known = self._uses.get(use_id)
            if known is None:
                stage = Stage.DONE if result else Stage.LOST
                arguments = str(plain.get("arguments", "{}"))
                self._uses[use_id] = Use(use_id, turn_id, name, arguments, stage, result)
            elif result and known.stage is Stage.LOST:
                known.stage, known.result = Stage.DONE, result

    def unlogged(self) -> tuple[Plain, ...]:
        """What was done, or may have been, and stands in no settled turn; for the model.

        Each with its ``turn``. What waits for a grant is not among them: it was not done. Nor is
        what was lost and can be repeated: the model asks for it again.
        """
        return tuple(
            {
                **plain_use(use.id, use.name, use.arguments, use.result or _SO_FAR[use.stage]),
                "turn": use.turn_id,
            }
            for use in self._begun()
            if use.stage is not Stage.LOST or use.name not in self._repeatable
        )

    def for_other_half(self) -> tuple[Plain, ...]:
        """The same, each with its ``turn``, for whoever settles these turns."""
        return tuple({**use.to_plain(), "turn": use.turn_id} for use in self._begun())

    def _begun(self) -> list[Use]:
        uses = self._uses.values()
        return [use for use in uses if not use.is_logged and use.stage is not Stage.ASKED]

    def results(self) -> dict[str, str]:
        """Every result that is known, by id: newer than what a settled turn says."""
        return {use.id: use.result for use in self._uses.values() if use.result}

    def take_late(self) -> tuple[Plain, ...]:
        """Results that no settled turn tells of; each is told once."""
        late = [use for use in self._uses.values() if use.is_late and use.is_logged and use.result]
        for use in late:
            use.is_late = False
        return tuple({**use.to_plain(), "of_turn": use.turn_id} for use in late)

    def settled(self, turn_id: int, uses: Iterable[Mapping[str, Any]]) -> None:
        """A turn is over, and its entry says ``uses``.

        What was not granted by then is not done; what the entry tells is told.
        """
        told = {str(plain["id"]): plain for plain in uses if "id" in plain}
        for use in list(self._uses.values()):
            plain = told.get(use.id)
            is_own = use.turn_id == turn_id
            if plain is None and not is_own:
                continue
            if is_own and use.stage is Stage.ASKED:
                self._withdraw(use)
            elif plain is not None and use.result and plain.get("result") == use.result:
                del self._uses[use.id]
            else:
                use.is_logged = use.is_logged or plain is not None
                use.is_late = True


_SO_FAR = {
    Stage.ASKED: "",
    Stage.RUNNING: json.dumps({"status": "running", "note": "it has not ended yet"}),
    Stage.DONE: "",
    Stage.LOST: UNKNOWN,
}
