"""What a named actor says of itself in Ray's dashboard and in ``ray list actors --detail``.

Ray asks for ``repr`` of the instance once, when its constructor has returned, and keeps the answer
for as long as that process lives: so it says what does not change. Ray also sets it before each
line that the actor logs and finds the end of it by the end of the line; one that raised would end
the actor.
"""

from __future__ import annotations

MOST_CHARACTERS = 100


def actor_repr(kind: str, *facts: str) -> str:
    """One short printable line.

    Args:
        kind: What it is.
        facts: What people ask of it; those that are empty are left out.

    Returns:
        ``kind: fact, fact``; ``MOST_CHARACTERS`` at most.
    """
    told = f"{kind}: {', '.join(fact for fact in facts if fact)}" if any(facts) else kind
    line = "".join(letter if letter.isprintable() else "?" for letter in told)
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 3]}..."
