"""A corpus through the voice machine, planned once and replayed with many settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cluster.errors import SettingsError
from cluster.evaluate.accounted import accounted
from cluster.evaluate.knobs import configs_of
from cluster.evaluate.lags import EARS, ReplyLags
from cluster.evaluate.models import TurnModels, chosen, scorer_of
from cluster.evaluate.network import NetworkKind
from cluster.evaluate.replay import ReplayPlan, plan_calls, replay
from cluster.evaluate.replay_call import CallPlan
from cluster.evaluate.replay_log import CallLog
from cluster.evaluate.result import Result, result_of
from simulation.clip_library import Clip
from simulation.corpus import CorpusPlan, Split, build_corpus
from simulation.corpus_manifest import read_recordings
from simulation.corpus_noise import NoiseKind
from simulation.corpus_questions import tongue
from simulation.corpus_turn import LabelledTurn
from voice.presets import DEFAULT

# A backchannel needs a sentence before it, whose reply it is said over; interruptions follow one
# another. Only these languages have recordings of backchannels.
_TALKED_OVER = {"interruption": 0.40, "backchannel": 0.25}
_TALKED_OVER_IN = ("en", "yue")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be measured.

    Attributes:
        clips: Folder of recordings; None for those that ship.
        languages: Spoken languages; empty for all there are.
        preset: How the agent takes turns, by name.
        changes: Numbers of the configuration that are other than the preset's.
        ready_ratio: Share of turns whose first segment is there at once.
        is_talked_over: Most turns are said over the agent.
    """

    turns: int = 400
    seed: int = 1
    split: Split = "all"
    clips: Path | None = None
    languages: tuple[str, ...] = ()
    ear: str = "azure"
    scorer: str = "energy"
    turn_model: str = "none"
    ready_ratio: float = 0.0
    is_talked_over: bool = False
    noise: NoiseKind | None = None
    network: NetworkKind | None = None
    preset: str = DEFAULT
    changes: Mapping[str, float] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        """What was chosen, in words."""
        chosen = {
            "turns": str(self.turns),
            "seed": str(self.seed),
            "split": self.split,
            "recordings": str(self.clips or "shipped"),
            "recogniser": self.ear,
            "speech detector": self.scorer,
            "end-of-turn model": self.turn_model,
            "ready": f"{self.ready_ratio:.0%}",
            "preset": self.preset,
            "noise": self.noise or "mixed",
            "network": self.network or "mixed",
        }
        if self.is_talked_over:
            chosen["turns said over the agent"] = "most"
        return chosen | {name: f"{value:g}" for name, value in self.changes.items()}


def turns_of(asked: Asked) -> tuple[list[LabelledTurn], list[Clip], tuple[str, ...]]:
    """The labelled turns, the recordings they are made of, and what a person should know of those.

    Raises:
        ClipUnreadable, ClipMissing: The recordings cannot be used.
    """
    recordings = read_recordings(asked.clips)
    plan = CorpusPlan(turns=asked.turns, seed=asked.seed, split=asked.split)
    languages = asked.languages
    if asked.is_talked_over:
        plan = replace(plan, shares=_TALKED_OVER, with_pauses=False)
    if asked.is_talked_over and not asked.clips:
        languages = languages or _TALKED_OVER_IN
    if asked.clips and not languages:  # in whatever language they are
        there = dict.fromkeys(tongue(clip.language) for clip in recordings.clips)
        known = (name for name in plan.languages if name in there)
        languages = tuple(dict.fromkeys((*known, *there)))
    if languages:
        spoken = {name: plan.languages.get(name, 0.1) for name in languages}
        plan = replace(plan, languages=spoken)
    notes = tuple(f"left out: {line}" for line in recordings.left_out)
    notes += tuple(f"mind: {line}" for line in recordings.doubts)
    return build_corpus(recordings.clips, plan), list(recordings.clips), notes


class ReplayRun:
    """A corpus, planned once and replayed as often as settings are tried.

    Raises:
        SettingsError: There is no such recogniser, detector or model.
        ClipUnreadable, ClipMissing: The recordings cannot be used.
    """

    def __init__(self, asked: Asked) -> None:
        if asked.ear not in EARS:
            known = ", ".join(EARS)
            raise SettingsError(f"--ear: there is no {asked.ear}; choose from {known}")
        detector, model = chosen(asked.scorer, asked.turn_model)
        asked = replace(asked, scorer=detector, turn_model=model)
        self._asked = asked
        self._scorer = scorer_of(detector)
        self._models = TurnModels(model)
        turns, clips, self.notes = turns_of(asked)
        self._turns = turns
        self._plan = ReplayPlan(
            seed=asked.seed,
            ear=asked.ear,
            reply=ReplyLags(ready_ratio=asked.ready_ratio),
            noise=asked.noise,
            network=asked.network,
        )
        self._calls: list[CallPlan] = plan_calls(turns, clips, self._plan)

    @property
    def calls(self) -> int:
        """How many there are."""
        return len(self._calls)

    def replay(
        self,
        changes: Mapping[str, float] | None = None,
        on_call: Callable[[CallLog], None] | None = None,
    ) -> Result:
        """Replay all calls, with further ``changes`` of the configuration."""
        together = {**self._asked.changes, **(changes or {})}
        logs = replay(
            self._calls,
            configs_of(together, self._asked.preset),
            self._plan,
            scorer=self._scorer,
            judge=self._models.judge_for,
            on_call=on_call,
        )
        self._models.keep()
        settings = self._asked.settings() | {n: f"{v:g}" for n, v in together.items()}
        result = result_of(logs, settings, self.notes)
        said = {each.turn.turn_id for log in logs for each in log.said}
        told = accounted(self._turns, said, {row.turn_id for row in result.rows})
        return replace(result, notes=(told, *result.notes))
