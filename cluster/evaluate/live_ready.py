"""Answers that are ready in a live run: which turns, what is imported for them, what came of it.

The turns of the chosen share are said to agents of their own, whose answers were imported into the
response cache and spoken before the product started (``callcluster cache import``); the others are
said to agents that neither ask the cache nor teach it. So a ready answer comes by the way that it
has on the phone: looked up by a CallActor in its copy of the cache, its audio read from the disk.
Only the same words are looked up (``similar: false``): that needs no encoder.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from random import Random

from cache.question import ask
from cache.scope import Scope
from cluster.demo_children import clean_environment
from cluster.errors import DemoFailed
from cluster.evaluate.live_dialogue import Dialogue, Reply, keywords, reply, text_of
from simulation.corpus_turn import LabelledTurn

_NEVER_READY = ("yes_no", "backchannel")
_IMPORT = (sys.executable, "-c", "from cluster.cli import main; main()", "cache", "import")
_WITHIN_S = 120.0
_SHOWN_LINES = 12

Card = tuple[str, str]


def ready_turns(turns: Sequence[LabelledTurn], ratio: float, seed: int) -> frozenset[str]:
    """Ids of turns whose answer is to be ready: in each language ``ratio`` of those to be answered.

    Fewer where too many turns are a yes, a no or a few digits: words that mean nothing without what
    was said before, which the cache does not answer.
    """
    by_language: dict[str, list[LabelledTurn]] = defaultdict(list)
    for turn in turns:
        by_language[turn.language].append(turn)
    chosen: set[str] = set()
    for language, spoken in by_language.items():
        answered = [turn for turn in spoken if turn.kind != "backchannel"]
        fit = [turn.turn_id for turn in answered if _can_be_ready(turn)]
        Random(f"{seed}/{language}/ready").shuffle(fit)
        chosen.update(fit[: round(ratio * len(answered))])
    return frozenset(chosen)


def _can_be_ready(turn: LabelledTurn) -> bool:
    if turn.kind in _NEVER_READY:
        return False
    question = ask(text_of(turn), Scope("", "", "", "", "", turn.language))
    return bool(question.text) and not question.depends_on_before


def cards(
    calls: Sequence[Dialogue], replies: Sequence[Reply], seed: int
) -> dict[str, tuple[Card, ...]]:
    """Questions and answers for the cache, by language: what the model would have said as well.

    Where the model would say a number back, the answer thanks and asks on: no answer with a number
    of its caller is kept for others.
    """
    said = {each.when: each.say for each in replies}
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for call in calls:
        for turn in call.turns if call.is_ready else ():
            text = text_of(turn)
            onward = reply(call.language, "", Random(f"{seed}/{text}"))
            found[call.language][text] = said.get(keywords(text, call.language), onward)
    return {language: tuple(known.items()) for language, known in found.items()}


async def import_cards(
    agent_id: str, known: Sequence[Card], settings: Mapping[str, str], folder: Path
) -> None:
    """Put the answers of one agent into the cache that nothing uses yet, with their audio.

    Raises:
        DemoFailed: They could not be imported, or not all of them; shows why.
    """
    file = folder / f"{agent_id}.jsonl"
    lines = [json.dumps({"question": asked, "answer": said}) for asked, said in known]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    child = await asyncio.create_subprocess_exec(
        *(*_IMPORT, str(file), "--agent", agent_id),
        env=clean_environment(os.environ, settings),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        told, _ = await asyncio.wait_for(child.communicate(), _WITHIN_S)
    except BaseException:
        if child.returncode is None:
            child.kill()
            await child.wait()
        raise
    text = told.decode(errors="replace")
    if child.returncode or "not kept" in text:
        shown = "\n".join(text.splitlines()[-_SHOWN_LINES:])
        raise DemoFailed(f"the ready answers of {agent_id} could not be imported:\n{shown}")


def told(planned: Collection[str], cached: Collection[str], answered: int) -> str:
    """How many turns the cache really answered, for people.

    Args:
        planned: Ids of the turns that were said to an agent with ready answers.
        cached: Ids of those that the cache has answered, by the record.
        answered: Turns that were answered at all.
    """
    share = f" ({100 * len(cached) / answered:.0f} %)" if answered else ""
    return (
        f"ready answers: {len(planned)} turns were said to agents that have them; the response"
        f" cache answered {len(cached)} of {answered} turns{share}"
    )
