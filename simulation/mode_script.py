"""One conversation that can be had in every way of carrying a call: clips, answers, tools.

It is data, so that more can join it: a ``Cue`` is what the caller can say, and what the emulated
model makes of it; a ``Line`` is one turn of the caller. Clips were chosen that nobody takes for two
turns, whoever listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simulation.caller_script import Interrupt, Leave, Listen, PreparedClip, Speak, Step
from simulation.openai_replies import ScriptLine
from simulation.openai_tools import DEFAULT_TOOL_RULES, ToolRule

PRESS = "press"
TRANSFER = "sales"
LOOK_UP = "stock"
REMEMBER = "remember"
SWITCH = "switch_language"
OTHER_LANGUAGE = "zh-HK"
GREETING = "Front desk, good day."
NOBODY = "Nobody is there at the moment."
ANNOUNCED = "One moment, I will get them."
LONG = (
    "The ten of clubs is a fine card, and there is a lot to say about it. It has ten leaves, and "
    "nobody has ever counted them twice. Shall I go on?"
)


@dataclass(frozen=True, slots=True)
class Cue:
    """Something that the caller can say.

    Attributes:
        keywords: By which the model knows it, lower case.
        reply: What it answers; with a tool, once it has read what came of it.
        tool: What it calls.
    """

    clip: str
    keywords: tuple[str, ...]
    reply: str = ""
    tool: str = ""
    arguments: tuple[tuple[str, Any], ...] = ()

    @property
    def script_line(self) -> ScriptLine:
        """What the emulated model answers, or calls."""
        return ScriptLine(self.keywords, self.reply, tool=self.tool, arguments=self.arguments)

    @property
    def pattern(self) -> str:
        """The keywords as a regular expression: in this order, whatever is between them."""
        return ".*".join(self.keywords)


@dataclass(frozen=True, slots=True)
class Line:
    """One turn of the caller.

    Attributes:
        cue: The clip of a ``Cue``.
        cuts_in_after_s: The agent has spoken for so long when the caller begins; None: the caller
            hears the agent out.
    """

    cue: str
    cuts_in_after_s: float | None = None


CUES: tuple[Cue, ...] = (
    Cue(
        "card001",
        ("ten", "clubs"),
        LONG,
        tool=REMEMBER,
        arguments=(("name", "card"), ("value", "ten of clubs")),
    ),
    Cue(
        "card003",
        ("seven", "clubs"),
        "Three are left.",
        tool=LOOK_UP,
        arguments=(("item", "seven"),),
    ),
    Cue("card002", ("queen",), "The queen of clubs, very well."),
    Cue("something", ("somewhere",), "OK.", tool=SWITCH, arguments=(("language", "zh-HK"),)),
    Cue("eot_yue_question", ("幾點",), "開到五點。"),
    # In Cantonese: who listens for that hears nothing else.
    Cue("int_yue_dang", ("意思",), "OK.", tool=SWITCH, arguments=(("language", "en-US"),)),
    Cue("eot_en_question", ("sunday",), "On Sundays we close at five."),
    Cue("eot_en_yes", ("yes",), "Very good."),
    Cue("goforward", ("meters",), tool=PRESS, arguments=(("digits", "12#"),)),
    Cue("weather", ("weather",), tool=TRANSFER),
)
SHORT: tuple[Line, ...] = (
    Line("card001"),
    Line("goforward", cuts_in_after_s=1.0),
    Line("weather"),
    Line("card003"),
    Line("something"),
    Line("eot_yue_question"),
)
"""Of everything one: a fact to remember and an interruption of what is said then, keys, a transfer
that nobody takes, a question to a service, another language. As few turns as will show them."""
_ROUND = (
    Line("card003"),
    Line("card001"),
    Line("eot_en_yes", cuts_in_after_s=1.0),
    Line("goforward"),
    Line("weather"),
    Line("something"),
    Line("eot_yue_question"),
    Line("int_yue_dang"),
    Line("eot_en_question"),
    Line("card002"),
)
WHOLE: tuple[Line, ...] = _ROUND * 3
"""Thirty turns; the language changes in each ten of them, and back."""


def script_lines(cues: Sequence[Cue] = CUES) -> tuple[ScriptLine, ...]:
    """What the emulated models answer, and which tools they call."""
    return tuple(cue.script_line for cue in cues)


def tool_rules(cues: Sequence[Cue] = CUES) -> tuple[ToolRule, ...]:
    """What they say to the result of a tool: by its name, so all cues of one tool say the same."""
    used = [cue for cue in cues if cue.tool]
    named = {cue.tool for cue in used}
    kept = (rule for rule in DEFAULT_TOOL_RULES if named.isdisjoint(rule.tools))
    rules = (ToolRule(c.pattern, (c.tool,), c.arguments, after=c.reply) for c in used)
    return (*rules, *kept)


def spoken(
    lines: Sequence[Line],
    clip: Callable[[str], PreparedClip],
    *,
    quiet_s: float = 1.0,
    give_up_s: float = 10.0,
) -> Iterator[Step]:
    """What the caller does, from the greeting to the end.

    Args:
        lines: The turns.
        clip: By its name.
        quiet_s: How long the agent is silent before the caller goes on: longer than a hand-over
            to somebody who does not answer, and back.
        give_up_s: Nobody waits longer for an agent that is not to be heard.
    """
    yield Listen(until_silence_s=quiet_s, give_up_s=give_up_s)
    for at, line in enumerate(lines):
        if line.cuts_in_after_s is not None:
            yield Interrupt(clip(line.cue), after_s=line.cuts_in_after_s, give_up_s=give_up_s)
        else:
            yield Speak(clip(line.cue))
        is_cut = at + 1 < len(lines) and lines[at + 1].cuts_in_after_s is not None
        if not is_cut:
            yield Listen(until_silence_s=quiet_s, give_up_s=give_up_s)
    yield Leave()
