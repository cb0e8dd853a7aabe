"""What became of every labelled turn that was asked for: a report names each that it leaves out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from simulation.corpus_turn import LabelledTurn


def accounted(
    turns: Sequence[LabelledTurn], said: Collection[str], measured: Collection[str]
) -> str:
    """All turns of a run, in one line.

    Args:
        turns: As many as were asked for.
        said: Ids of those that a caller said; the others found no place in a dialogue.
        measured: Ids of those that have a line in the tables.
    """
    along = [turn for turn in turns if turn.kind == "backchannel"]
    heard_along = sum(turn.turn_id in said for turn in along)
    placeless = [turn for turn in turns if turn.turn_id not in said]
    lost = [
        turn
        for turn in turns
        if turn.turn_id in said and turn.turn_id not in measured and turn.kind != "backchannel"
    ]
    parts = [f"{len(measured)} measured"]
    if heard_along:
        parts.append(f"{heard_along} backchannels, which want no answer")
    if placeless:
        parts.append(f"{len(placeless)} without a place in a dialogue ({_kinds(placeless)})")
    if lost:
        parts.append(
            f"{len(lost)} said and not measured, since the call was over or they were said into a"
            f" late reply ({_kinds(lost)})"
        )
    return f"{len(turns)} labelled turns: " + "; ".join(parts)


def _kinds(turns: Iterable[LabelledTurn]) -> str:
    counts = Counter(turn.kind for turn in turns)
    return ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
