"""Who calls in the demo, and what they say: real recordings of people, short ones.

Everybody speaks with one voice, so the clips of a caller are of one speaker. The scripts are
written for what the emulated language model answers to these sentences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simulation.caller_script import Interrupt, Leave, Listen, Speak, Step, prepare
from simulation.clip_library import load_library

_UNTIL_SILENCE_S = 0.35


@dataclass(frozen=True, slots=True)
class Line:
    """What a caller says next.

    Attributes:
        clip: Name of a clip in ``simulation/clips``.
        interrupts_after_s: Talks over the agent once it has been speaking for so long; waits for
            the end of the reply when None.
    """

    clip: str
    interrupts_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class DemoCaller:
    """A caller of the demo.

    Attributes:
        name: Shown before what they say.
        colour: Of the name, in Rich's words.
        from_number: E.164, from the block that is never assigned.
        lines: In order.
    """

    name: str
    colour: str
    from_number: str
    lines: tuple[Line, ...]

    def script(self) -> Iterator[Step]:
        """The steps of the call: hear the greeting, say the lines, hang up."""
        library = load_library()
        for line in self.lines:
            clip = prepare(library.clip(line.clip))
            if line.interrupts_after_s is None:
                yield Listen(until_silence_s=_UNTIL_SILENCE_S)
                yield Speak(clip)
            else:
                yield Interrupt(clip, after_s=line.interrupts_after_s)
        yield Listen(until_silence_s=_UNTIL_SILENCE_S)
        yield Leave()


ONE_AFTER_ANOTHER = (
    DemoCaller("Carl", "cyan", "+14155550101", (Line("card001"), Line("card003", 0.9))),
    DemoCaller("Jack", "green", "+14155550102", (Line("digit_7"), Line("digit_4"))),
    DemoCaller("Henry", "magenta", "+14155550103", (Line("librivox_0880"),)),
)
AT_ONCE = (
    DemoCaller("Mark", "cyan", "+14155550104", (Line("card003"), Line("card002"))),
    DemoCaller("Quentin", "green", "+14155550105", (Line("pv_en"),)),
    DemoCaller("Walter", "magenta", "+14155550106", (Line("goforward"),)),
)
LANGUAGE = "en-US"
