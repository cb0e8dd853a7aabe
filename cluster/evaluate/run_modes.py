"""``callcluster evaluate modes``: one conversation in three modes, side by side."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from cluster.call_rows import TOOL_USED
from cluster.chaos.lines import PlacedCall
from cluster.chaos.product import recorded
from cluster.demo_live import StartProgress
from cluster.evaluate.mode_page import mode_page
from cluster.evaluate.mode_stage import MODES, NUMBERS, PUBLIC_URL, ModeStage, running_stage
from cluster.evaluate.mode_talk import Talk, TalkTurn, all_differences, talk_of, told_use
from dialogue.agent import CallMode
from records.store import RecordStore
from simulation.callee import Phones
from simulation.callee_book import Callee, CalleeBook
from simulation.caller_call import CallOrder, place_call
from simulation.caller_script import PreparedClip, prepare
from simulation.carrier import Carrier, CarrierConfig
from simulation.clip_library import load_library
from simulation.first_served import be_first_served
from simulation.mode_script import SHORT, WHOLE, Line, spoken

_LONGEST_TURN_S = 25.0
_BUSY = Callee(outcome="busy", after_s=0.5)


@dataclass(frozen=True, slots=True)
class ModeResult:
    """One conversation, and what it took.

    Attributes:
        talk: What was said and done.
        cost: Component to US dollars, from the record.
        duration_s: Of the call.
        waits_s: From the end of each of the caller's turns to the first sound of the answer.
        errors: What the carrier had to complain of, with how often.
    """

    talk: Talk
    cost: dict[str, float]
    duration_s: float
    waits_s: tuple[float, ...]
    recorded_mode: str = ""
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def cost_usd(self) -> float:
        """Of the whole call."""
        return sum(self.cost.values())


def run_modes(say: Callable[[str], None], *, is_short: bool, html: Path | None, logs: Path) -> int:
    """Have the conversation, show what came of it; returns the exit code of the command.

    Args:
        say: Takes the tables.
        is_short: Six turns instead of thirty.
        html: Written there as well; None for not at all.
        logs: Folder for what the processes say; made if missing.

    Raises:
        DemoFailed: It cannot run.
    """
    logs.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True, highlight=False)
    results = asyncio.run(_run(SHORT if is_short else WHOLE, logs, console))
    found = all_differences([result.talk for result in results])
    say(render(results, found))
    if html is not None:
        html.parent.mkdir(parents=True, exist_ok=True)
        tables = (talk_rows(results), cost_rows(results), said_rows(results))
        html.write_text(mode_page(*tables, differences=found), "utf-8")
    is_whole = all(result.talk.turns for result in results)
    return 0 if is_whole and not found else 1


async def _run(lines: Sequence[Line], logs: Path, console: Console) -> list[ModeResult]:
    be_first_served()  # the callers' clock must not wait for the product it measures
    with StartProgress(console) as progress:
        context = running_stage(logs, progress)
        stage = await context.__aenter__()
    try:
        with console.status(f"{len(lines)} turns in {len(MODES)} modes"):
            return await converse(stage, lines)
    finally:
        with console.status("stopping Ray and the emulators"):
            await context.__aexit__(None, None, None)


async def converse(
    stage: ModeStage, lines: Sequence[Line], quiet_s: float = 1.0
) -> list[ModeResult]:
    """The conversation in every mode at once, with its records; ``quiet_s`` as in ``spoken``."""
    config = CarrierConfig(stage.url, stage.auth_token, public_url=PUBLIC_URL)
    async with Carrier(config, secrets.randbits(64), phones=Phones(CalleeBook(_BUSY))) as carrier:
        placed = await asyncio.gather(*(_place(carrier, mode, lines, quiet_s) for mode in MODES))
    return [await _result(stage, mode, call) for mode, call in zip(MODES, placed, strict=True)]


async def _place(
    carrier: Carrier, mode: CallMode, lines: Sequence[Line], quiet_s: float
) -> PlacedCall:
    at = time.time()
    order = CallOrder(
        spoken(lines, clip_of, quiet_s=quiet_s),
        to_number=NUMBERS[mode],
        call=MODES.index(mode),
        max_duration_s=_LONGEST_TURN_S * len(lines),
        turns=len(lines),
    )
    return PlacedCall(at, await place_call(carrier, order))


async def _result(stage: ModeStage, mode: CallMode, placed: PlacedCall) -> ModeResult:
    (found,) = await recorded(stage.store_url, [placed])
    leg = placed.result.leg
    errors = {str(code): count for code, count in leg.errors.counts.items()}
    waits = tuple(turn.latency_s for turn in placed.result.turns if turn.latency_s is not None)
    if found.row is None:
        return ModeResult(Talk(mode, ()), {}, leg.duration_s, waits, errors=errors)
    row = found.row
    uses = await uses_of(stage.store_url, row.tenant_id, row.call_id)
    talk = talk_of(mode, found.rows, uses)
    return ModeResult(talk, dict(row.cost), leg.duration_s, waits, row.mode, errors)


async def uses_of(store_url: str, tenant_id: str, call_id: str) -> dict[int, list[tuple[str, str]]]:
    """The tools that a call has used, with what came of them, by turn."""
    store = RecordStore(store_url)
    try:
        entries = await store.journal(tenant_id, call_id)
    finally:
        await store.aclose()
    found: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for entry in entries:
        if entry.kind == TOOL_USED:
            found[entry.turn_id].append(told_use(entry.data))
    return dict(found)


def cost_rows(results: Sequence[ModeResult]) -> list[list[str]]:
    """A heading, then for each part of the bill a row; a column a mode."""
    parts = sorted({part for result in results for part in result.cost})
    rows = [["", *(result.talk.mode for result in results)]]
    rows += [[part, *(_usd(result.cost.get(part, 0.0)) for result in results)] for part in parts]
    rows.append(["the whole call", *(_usd(result.cost_usd) for result in results)])
    rows.append(
        [
            "a minute of it",
            *(_usd(result.cost_usd / max(result.duration_s, 1.0) * 60) for result in results),
        ]
    )
    return rows


def talk_rows(results: Sequence[ModeResult]) -> list[list[str]]:
    """What was had, likewise."""
    rows = [["", *(result.talk.mode for result in results)]]
    rows.append(["turns", *(str(len(result.talk.turns)) for result in results)])
    rows.append(["cut by the caller", *(str(len(r.talk.interruptions)) for r in results)])
    rows.append(["tools", *(str(len(result.talk.tools)) for result in results)])
    rows.append(["lasted, s", *(f"{result.duration_s:.0f}" for result in results)])
    rows.append(["answer after, median, ms", *(_median_ms(result.waits_s) for result in results)])
    rows.append(["carrier's errors", *(_errors(result.errors) for result in results)])
    return rows


def said_rows(results: Sequence[ModeResult]) -> list[list[str]]:
    """A heading, then for each turn what the caller said, and what each mode answered and did."""
    rows = [["", "the caller", *(result.talk.mode for result in results)]]
    for at in range(max((len(result.talk.turns) for result in results), default=0)):
        turns = [turn_at(result.talk, at) for result in results]
        caller = next((turn.caller_text for turn in turns if turn and turn.caller_text), "")
        rows.append(
            [str(at + 1), caller, *("-" if turn is None else answer(turn) for turn in turns)]
        )
    return rows


def turn_at(talk: Talk, at: int) -> TalkTurn | None:
    """A turn by its place; None where the conversation was over before."""
    return talk.turns[at] if at < len(talk.turns) else None


def answer(turn: TalkTurn) -> str:
    """What was heard of a reply, and what was used for it."""
    cut = " (cut)" if turn.outcome == "interrupted" else ""
    used = "".join(f" [{name}: {status}]" for name, status in turn.tools)
    return f"{turn.heard_text}{cut}{used}".strip()


def render(results: Sequence[ModeResult], found: Sequence[str]) -> str:
    """As text."""
    told = "\n".join(found) or "The same words and the same tools in all modes."
    return "\n\n".join([_columns(talk_rows(results)), _columns(cost_rows(results)), told])


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def _usd(amount: float) -> str:
    return f"${amount:.4f}"


def _median_ms(values_s: Sequence[float]) -> str:
    ordered = sorted(values_s)
    return f"{ordered[len(ordered) // 2] * 1_000:.0f}" if ordered else "-"


def _errors(counts: dict[str, int]) -> str:
    return ", ".join(f"{code} x{count}" for code, count in sorted(counts.items())) or "none"


def clip_of(name: str) -> PreparedClip:
    """A clip that ships."""
    return prepare(load_library().clip(name))
