"""Callers of a live run: some lines at once, each placing call after call until all were placed."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from cluster.chaos.lines import PlacedCall
from cluster.evaluate.live_clips import noise_frames, prepared
from cluster.evaluate.live_dialogue import Dialogue
from cluster.evaluate.live_stage import PUBLIC_URL, LiveStage
from simulation.caller_call import CallOrder, place_call
from simulation.caller_events import CallerEvent
from simulation.caller_script import Interrupt, Leave, Listen, Speak, StaySilent, Step
from simulation.carrier import Carrier, CarrierConfig
from simulation.carrier_ticker import Lateness
from simulation.corpus_noise import LineNoise
from simulation.corpus_turn import Samples

# A caller's own pause before he answers.
_PATIENCE_S = (0.45, 0.9)
_GIVE_UP_S = 12.0
_TALK_OVER_AFTER_S = (0.8, 2.0)
_AFTER_BACKCHANNEL_S = 4.0
_RAMP_S = 0.7  # from one line's first call to the next one's
_LONGEST_CALL_S = 240.0


@dataclass(frozen=True, eq=False)
class LiveCall:
    """One call to be placed."""

    number: int
    dialogue: Dialogue
    noise: LineNoise
    noise_samples: Samples


@dataclass(frozen=True, slots=True)
class LiveResults:
    """All calls, and how punctual their callers were."""

    placed: tuple[PlacedCall, ...]
    lateness: Lateness


async def place_calls(
    stage: LiveStage,
    calls: Sequence[LiveCall],
    clips: Path,
    *,
    lines: int,
    seed: int,
    on_event: Callable[[CallerEvent], None],
) -> LiveResults:
    """Place every call, ``lines`` at once."""
    waiting = iter(calls)
    placed: list[PlacedCall] = []
    config = CarrierConfig(stage.url, stage.auth_token, public_url=PUBLIC_URL)
    async with Carrier(config, seed=secrets.randbits(64)) as carrier:

        async def line(number: int) -> None:
            await asyncio.sleep(_RAMP_S * number)
            for call in waiting:
                numbers = stage.ready_numbers if call.dialogue.is_ready else stage.numbers
                order = CallOrder(
                    script=_script(call, clips, Random(f"{seed}/{call.number}/patience")),
                    to_number=numbers[call.dialogue.language],
                    call=call.number,
                    max_duration_s=_LONGEST_CALL_S,
                    turns=len(call.dialogue.turns),
                    record=True,
                    noise=noise_frames(call.noise_samples),
                )
                placed_at = time.time()
                placed.append(PlacedCall(placed_at, await place_call(carrier, order, on_event)))

        async with asyncio.TaskGroup() as group:
            for number in range(min(lines, len(calls))):
                group.create_task(line(number))
        lateness = carrier.ticker.lateness
    return LiveResults(tuple(sorted(placed, key=lambda call: call.result.call)), lateness)


def _script(call: LiveCall, clips: Path, random: Random) -> Iterator[Step]:
    before = ""
    for turn in call.dialogue.turns:
        clip = prepared(turn, clips)
        if turn.is_over_agent:
            yield Interrupt(clip, random.uniform(*_TALK_OVER_AFTER_S), _GIVE_UP_S)
        else:
            if before == "backchannel":
                # Nothing answers it: the agent says the rest, and then it is the caller's turn.
                yield StaySilent(_AFTER_BACKCHANNEL_S)
            else:
                yield Listen(random.uniform(*_PATIENCE_S), _GIVE_UP_S)
            yield Speak(clip)
        before = turn.kind
    yield Listen(_PATIENCE_S[1], _GIVE_UP_S)
    yield Leave()
