"""What speech detection costs: CPU of the process for each second of each call.

A batch of calls is scored frame by frame, as a replica does it at each tick. CPU is that of all
threads of the process (``time.process_time``), so another's load on the machine changes it little;
of a few rounds the cheapest counts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from benchmarks.speech_scenes import Frames, Noise, babble, conversation, hum, pink
from providers.local.neural_scorer import NeuralScorer
from simulation.clip_library import Clip
from voice.levels import SpeechScorer
from voice.ports import FRAME_S

TARGET_MS: Final = 2.0
TALK_SHARE: Final = 0.38
PRODUCT: Final = "silero"
MIXED: Final = "mixed"
SECONDS: Final = 12.0
_CALLS: Final = 10
MANY: Final = 3 * _CALLS
_REPEATS: Final = 2
_SEED: Final = 11

Made = Callable[[int], SpeechScorer]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one caller's line brings.

    Attributes:
        share: Of the time that the caller speaks.
        noise: Besides that of the line itself.
    """

    share: float
    noise: Noise | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one call-second.

    Attributes:
        cpu_ms: CPU, milliseconds.
        windows: That the network judged; None for what has no network.
    """

    cpu_ms: float
    windows: float | None

    def __str__(self) -> str:
        windows = "" if self.windows is None else f" ({self.windows:.0f})"
        return f"{self.cpu_ms:.2f}{windows}"


def _batch(*several: tuple[int, Heard]) -> tuple[Heard, ...]:
    return tuple(heard for count, heard in several for _ in range(count))


# Ten calls each. Of mixed ones three have noise, as in ``simulation.corpus_noise``.
HEARD: Final[Mapping[str, tuple[Heard, ...]]] = MappingProxyType(
    {
        "silence": _batch((_CALLS, Heard(0.0))),
        "speech": _batch((_CALLS, Heard(1.0))),
        "babble": _batch((_CALLS, Heard(TALK_SHARE, babble(-38.0)))),
        MIXED: _batch(
            (7, Heard(TALK_SHARE)),
            (1, Heard(TALK_SHARE, pink(-43.0))),
            (1, Heard(TALK_SHARE, hum(-40.0))),
            (1, Heard(TALK_SHARE, babble(-38.0))),
        ),
    }
)


def sound_of(heard: Sequence[Heard], clips: Sequence[Clip], seconds: float = SECONDS) -> Frames:
    """Calls at once: int16, shape ``(ticks, calls, 160)``."""
    calls = [
        conversation(clips, each.share, seconds, each.noise, _SEED + number)
        for number, each in enumerate(heard)
    ]
    return np.stack(calls, axis=1)


def cost_of(
    make: Made,
    sound: Frames,
    repeats: int = _REPEATS,
    clock: Callable[[], float] = time.process_time,
) -> Cost:
    """Score every tick of every call; the cheapest of ``repeats`` rounds."""
    ticks, calls = sound.shape[:2]
    slots, call_s = np.arange(calls), ticks * FRAME_S * calls
    best_s, windows = np.inf, None
    for _ in range(repeats):
        scorer = make(calls)
        for slot in range(calls):
            scorer.reset(slot)
        began_s = clock()
        for frames in sound:
            scorer.score(frames, slots)
        best_s = min(best_s, (clock() - began_s) / call_s)
        if isinstance(scorer, NeuralScorer):
            windows = scorer.windows / call_s
    return Cost(best_s * 1_000, windows)


def cost_of_many(make: Made, clips: Sequence[Clip], seconds: float = SECONDS) -> Cost:
    """Of one mixed call of ``MANY`` at once: what all calls of a tick share is paid once."""
    return cost_of(make, sound_of(HEARD[MIXED] * (MANY // _CALLS), clips, seconds))


def measure(
    made: Mapping[str, Made], clips: Sequence[Clip], seconds: float = SECONDS
) -> dict[str, dict[str, Cost]]:
    """By detector and by what is heard; says on stderr how far it is."""
    sounds = {name: sound_of(heard, clips, seconds) for name, heard in HEARD.items()}
    found: dict[str, dict[str, Cost]] = {}
    for detector, make in made.items():
        found[detector] = {}
        for name, sound in sounds.items():
            found[detector][name] = cost_of(make, sound)
            print(f"{detector}, {name}: {found[detector][name]}", file=sys.stderr)
    return found


def render(found: Mapping[str, Mapping[str, Cost]], of_many: Cost) -> str:
    """Markdown, and the figure that a target is about.

    Args:
        found: Of ``measure``.
        of_many: Of the product's detector, of ``cost_of_many``.
    """
    lines = [
        f"milliseconds of CPU a call-second, {_CALLS} calls at once (windows of the network)",
        "",
        "| detector |" + "".join(f" {name} |" for name in HEARD),
        "|---|" + "---:|" * len(HEARD),
    ]
    lines += [
        f"| {detector} |" + "".join(f" {costs[name]} |" for name in HEARD)
        for detector, costs in found.items()
    ]
    took_ms = found[PRODUCT][MIXED].cpu_ms
    verdict = "met" if took_ms <= TARGET_MS else "MISSED"
    lines += [
        "",
        f"the product's detector (silero behind its gate), mixed calls: {took_ms:.2f} ms of CPU a"
        f" call-second; target: at most {TARGET_MS:g} ms; {verdict}",
        f"with {MANY} of them at once: {of_many}",
    ]
    if "no gate" in found:
        saved = found["no gate"][MIXED].cpu_ms / max(took_ms, 1e-9)
        lines.append(f"without its gate it takes {saved:.1f} times as much")
    return "\n".join(lines)
