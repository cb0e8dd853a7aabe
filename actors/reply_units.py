"""What the replies of one turn have used of providers, and which of it was in vain.

A model tells its tokens at the end of an answer, so a request that was ended early tells none,
though it is billed. Its prompt is that of the turn's other requests but for the last line: their
tokens stand in for it, and what it had written by then is estimated from its length. Waste is told
beside the units themselves, which include it: ``wasted_prompt_tokens``, ``wasted_spoken_chars``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from actors.wire import TurnItem
from telemetry.cost import WASTED_PREFIX
from voice.events import TurnSettled
from voice.words import is_unspaced

GUESSED, WASTED = "speculative_calls", "wasted_calls"
_PROMPT_UNITS = ("prompt_tokens", "cached_tokens")
_CHARS_A_TOKEN = 4.0  # of a script with spaces; a character of another one is a token, about


@dataclass(slots=True)
class ReplyUnits:
    """What one reply has used.

    Attributes:
        usage: Provider units (``telemetry.cost``) as they were told.
        is_thought: The mind has begun with it.
        is_told: Its tokens were told, or will not be: it ended by itself.
        is_guess: It was asked for before the turn was taken.
        is_cached: The response cache answered, no model.
        text: What the model has written, as far as it came.
    """

    usage: dict[str, float] = field(default_factory=dict)
    is_thought: bool = False
    is_told: bool = False
    is_guess: bool = False
    is_cached: bool = False
    text: str = ""

    def hear(self, item: TurnItem) -> None:
        """A step of the reply, as the mind tells it."""
        self.is_thought = self.is_thought or item.type == "accepted"
        self.is_told = self.is_told or item.type in {"finished", "failed"}
        self.is_cached = self.is_cached or item.cache.get("outcome") == "hit"
        self.text += item.text
        self.usage.update(item.usage)

    def speak(self, text: str) -> None:
        """A segment was given to the voice."""
        self.usage["spoken_chars"] = self.usage.get("spoken_chars", 0) + len(text)


def units_of_turn(
    replies: Mapping[tuple[int, int], ReplyUnits], settled: TurnSettled
) -> dict[str, float]:
    """The units of a turn: all of them, the guesses made, and what was in vain.

    Args:
        replies: What was asked for, by ``turn_id`` and ``guess``.
        settled: How the turn ended.
    """
    spend = settled.spend
    thought = [key for key, reply in replies.items() if reply.is_thought]
    spoken = None
    if spend.wasted_calls < spend.calls:  # an apology is spoken for the one that failed
        spoken = max(
            (key for key in thought if key <= (settled.turn_id, settled.guess)), default=None
        )
    units = _sum_of(_estimated(replies.values()))
    wasted = _sum_of(
        usage
        for (key, reply), usage in zip(replies.items(), _estimated(replies.values()), strict=True)
        if reply.is_thought and key != spoken
    )
    units.update({WASTED_PREFIX + unit: amount for unit, amount in wasted.items()})
    free = {key for key in thought if replies[key].is_cached}
    guessed = spend.guessed_calls - sum(replies[key].is_guess for key in free)
    in_vain = spend.wasted_calls - len(free - {spoken})
    units.update({GUESSED: max(0, guessed), WASTED: max(0, in_vain)})
    return {unit: amount for unit, amount in units.items() if amount}


def units_in_vain(replies: Iterable[ReplyUnits]) -> dict[str, float]:
    """The units of replies that no turn will be settled for: the call has ended."""
    asked = [reply for reply in replies if reply.is_thought]
    units = _sum_of(_estimated(asked))
    units.update({WASTED_PREFIX + unit: amount for unit, amount in tuple(units.items())})
    units[WASTED] = sum(not reply.is_cached for reply in asked)
    return {unit: amount for unit, amount in units.items() if amount}


def tokens_of(units: Mapping[str, float]) -> tuple[float, float]:
    """Tokens in all and in vain, read and written."""
    return _tokens(units, ""), _tokens(units, WASTED_PREFIX)


def _tokens(units: Mapping[str, float], prefix: str) -> float:
    counted = (prefix + "prompt_tokens", prefix + "completion_tokens")
    return sum(amount for unit, amount in units.items() if unit.partition("@")[0] in counted)


def _estimated(replies: Iterable[ReplyUnits]) -> list[dict[str, float]]:
    """The usage of each reply, with what nobody told as far as it can be known."""
    every = list(replies)
    told = next((one.usage for one in reversed(every) if "prompt_tokens" in one.usage), {})
    return [_with_estimate(reply, told) for reply in every]


def _with_estimate(reply: ReplyUnits, told: Mapping[str, float]) -> dict[str, float]:
    if not reply.is_thought or reply.is_told or "prompt_tokens" in reply.usage:
        return reply.usage
    prompt = {unit: told[unit] for unit in _PROMPT_UNITS if unit in told}
    written = round(sum(1 if is_unspaced(char) else 1 / _CHARS_A_TOKEN for char in reply.text))
    return {**prompt, "completion_tokens": written, **reply.usage}


def _sum_of(usages: Iterable[Mapping[str, float]]) -> Counter[str]:
    units: Counter[str] = Counter()
    for usage in usages:
        units.update(usage)
    return units
