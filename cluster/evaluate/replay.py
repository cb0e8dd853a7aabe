"""Many labelled calls through the voice machine in virtual time, in lock step.

All calls of a batch share one tick of 20 ms, as those of a replica do: their frames are scored in
one numpy batch by the real scorer. Nothing waits for a clock; an hour of calls takes seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from cluster.evaluate.lags import EARS, ReplyLags
from cluster.evaluate.network import NetworkKind, draw_network
from cluster.evaluate.replay_call import CallPlan, Judge, ReplayCall
from cluster.evaluate.replay_log import CallLog
from simulation.clip_library import Clip
from simulation.corpus_noise import NoiseKind, draw_noise, noise_loop
from simulation.corpus_turn import LabelledTurn
from telephony import g711
from voice.config import VoiceConfig
from voice.levels import EnergyScorer, SpeechScorer
from voice.ports import FRAME_S, FRAME_SAMPLES
from voice.waste import SpeculationBudgets

LANES = 64
BURST_FRAMES = 10
TURNS_A_CALL = 8
_LONGEST_S = 900.0

Scorers = Callable[[int], SpeechScorer]
Configs = Callable[[str], VoiceConfig]
Judges = Callable[[str], Judge | None]


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """How a corpus is replayed.

    Attributes:
        seed: Decides everything that the corpus has not decided.
        ear: Name of a recogniser in ``lags.EARS``.
        noise, network: One kind for all calls; None for the mix.
    """

    seed: int = 1
    ear: str = "azure"
    reply: ReplyLags = field(default_factory=ReplyLags)
    noise: NoiseKind | None = None
    network: NetworkKind | None = None


def plan_calls(
    turns: Sequence[LabelledTurn], clips: Sequence[Clip], plan: ReplayPlan
) -> list[CallPlan]:
    """Make calls of a corpus: each in one language, on a line of its own.

    A turn that talks over the agent is never the first of its call.
    """
    by_language: dict[str, list[LabelledTurn]] = defaultdict(list)
    for turn in turns:
        by_language[turn.language].append(turn)
    calls: list[CallPlan] = []
    for language, spoken in sorted(by_language.items()):
        for at in range(0, len(spoken), TURNS_A_CALL):
            seed = f"{plan.seed}/{language}/{at}"
            random = Random(f"{seed}/line")
            said = sorted(spoken[at : at + TURNS_A_CALL], key=lambda _: random.random())
            first = next((n for n, turn in enumerate(said) if not turn.is_over_agent), 0)
            said.insert(0, said.pop(first))
            noise = draw_noise(random, plan.noise)
            calls.append(
                CallPlan(
                    number=len(calls),
                    seed=seed,
                    language=language,
                    turns=said,
                    noise=noise,
                    noise_samples=noise_loop(noise, clips, f"{seed}/noise"),
                    network=plan.network or draw_network(random),
                    start_s=random.uniform(0.0, FRAME_S),
                )
            )
    return calls


def replay(
    calls: Sequence[CallPlan],
    configs: Configs,
    plan: ReplayPlan,
    *,
    scorer: Scorers = EnergyScorer,
    judge: Judges | None = None,
    on_call: Callable[[CallLog], None] | None = None,
) -> list[CallLog]:
    """Replay calls; the same arguments give the same logs on any machine.

    Args:
        calls: From ``plan_calls``.
        configs: The machine's configuration for a language.
        plan: The same that the calls were planned with.
        scorer: Makes the scorer of so many slots.
        judge: The end-of-turn model for a language; see ``ReplayCall``.
        on_call: Told when a call is over.

    Returns:
        What happened, in the order of ``calls``.
    """
    batch = _Batch(scorer(min(LANES, max(1, len(calls)))))
    waiting = iter(calls)
    logs: list[CallLog] = []

    budgets = SpeculationBudgets()  # the calls are those of one tenant

    def opened() -> Iterator[ReplayCall]:
        for planned in waiting:
            model = judge(planned.language) if judge is not None else None
            config = configs(planned.language)
            budget = budgets.of("", config.speculation.max_waste_ratio)
            yield ReplayCall(planned, config, EARS[plan.ear], plan.reply, model, budget)

    fresh = opened()
    slots: dict[int, tuple[ReplayCall, float]] = {}
    now = 0.0
    for slot in range(LANES):
        call = next(fresh, None)
        if call is not None:
            slots[slot] = (call, now)
            batch.reset(slot)
    while slots:
        now += FRAME_S
        batch.tick({slot: call for slot, (call, _) in slots.items()}, now, slots)
        for slot, (call, began_s) in list(slots.items()):
            if not call.is_over and now - began_s < _LONGEST_S:
                continue
            logs.append(call.log)
            if on_call is not None:
                on_call(call.log)
            del slots[slot]
            following = next(fresh, None)
            if following is not None:
                slots[slot] = (following, now)
                batch.reset(slot)
    return sorted(logs, key=lambda log: log.call)


class _Batch:
    """One tick of all calls; every call counts time from its own beginning."""

    def __init__(self, scorer: SpeechScorer) -> None:
        self._scorer = scorer

    def reset(self, slot: int) -> None:
        self._scorer.reset(slot)

    def tick(
        self,
        calls: Mapping[int, ReplayCall],
        now: float,
        slots: Mapping[int, tuple[ReplayCall, float]],
    ) -> None:
        for slot, call in calls.items():
            call.advance(now - slots[slot][1])
        for _ in range(BURST_FRAMES):
            taken = [
                (slot, call, frame)
                for slot, call in calls.items()
                if (frame := call.take_frame(now - slots[slot][1])) is not None
            ]
            if not taken:
                break
            sent = g711.encode(np.concatenate([frame for _, _, frame in taken]))
            rows = np.fromiter((slot for slot, _, _ in taken), np.intp, len(taken))
            heard = g711.decode(sent).reshape(-1, FRAME_SAMPLES)
            speech, levels = self._scorer.score(heard, rows)
            for at, (slot, call, _) in enumerate(taken):
                call.hear(
                    sent[at * FRAME_SAMPLES : (at + 1) * FRAME_SAMPLES],
                    is_speech=bool(speech[at]),
                    level_db=float(levels[at]),
                    now=now - slots[slot][1],
                )
        for slot, call in calls.items():
            call.tick(now - slots[slot][1])
