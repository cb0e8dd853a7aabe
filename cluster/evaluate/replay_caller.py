"""The caller of a replayed call: says labelled turns one after the other, when it is time.

A turn is said once the agent has answered the one before and been silent for a while; one that
talks over the agent, once it has been talking for a while. Nobody waits for ever.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np

from cluster.evaluate.replay_ear import ReplayEar
from cluster.evaluate.replay_log import CallLog, Said
from simulation.corpus_turn import LabelledTurn, Samples
from voice.ports import FRAME_S, FRAME_SAMPLES

UNANSWERED_S = 10.0
_GAP_S = (0.55, 0.35)  # median and sigma of the caller's own pause before answering
_GAP_BOUNDS_S = (0.25, 1.5)
_TALK_OVER_AFTER_S = (0.8, 2.2)
_AFTER_BACKCHANNEL_S = 4.0
_LAST_WORD_S = 1.0


class ReplayCaller:
    """Speaks in one call.

    Args:
        turns: What it says.
        noise: Loop of the line's noise.
        ear: Is told what is said.
        log: Says when the agent talks; what is said is written down there.
        random: Decides about patience.
    """

    def __init__(
        self,
        turns: Sequence[LabelledTurn],
        noise: Samples,
        ear: ReplayEar,
        log: CallLog,
        random: Random,
    ) -> None:
        self._turns = turns
        self._noise: Samples = np.resize(noise, len(noise) // FRAME_SAMPLES * FRAME_SAMPLES)
        self._noise_at = random.randrange(len(self._noise) // FRAME_SAMPLES) * FRAME_SAMPLES
        self._ear = ear
        self._log = log
        self._random = random
        self._next = 0
        self._samples: Samples | None = None
        self._at = 0
        self._quiet_since_s = 0.0  # end of its own last sound
        self._patience_s = self._draw_patience()

    @property
    def place(self) -> int:
        """How many turns were begun."""
        return self._next

    @property
    def is_speaking(self) -> bool:
        """True from the first sample of a turn to the last."""
        return self._samples is not None

    def is_done(self, now: float) -> bool:
        """True when everything was said and answered."""
        if self._next < len(self._turns) or self.is_speaking:
            return False
        return self._is_my_turn(now, _LAST_WORD_S)

    def frame(self, start_s: float, media_s: float) -> Samples:
        """The 20 ms that begin at loop time ``start_s``, media time ``media_s``."""
        if self._samples is None and self._next < len(self._turns):
            turn = self._turns[self._next]
            if self._begins(turn, start_s):
                self._begin(turn, start_s, media_s)
        noise = self._noise[self._noise_at : self._noise_at + FRAME_SAMPLES]
        self._noise_at = (self._noise_at + FRAME_SAMPLES) % len(self._noise)
        if self._samples is None:
            return noise
        spoken = self._samples[self._at : self._at + FRAME_SAMPLES].astype(np.int32)
        self._at += FRAME_SAMPLES
        if self._at >= len(self._samples):
            self._samples = None
        if len(spoken) < FRAME_SAMPLES:
            spoken = np.concatenate([spoken, np.zeros(FRAME_SAMPLES - len(spoken), np.int32)])
        mixed: Samples = np.clip(spoken + noise, -32_768, 32_767).astype(np.int16)
        return mixed

    def _begin(self, turn: LabelledTurn, start_s: float, media_s: float) -> None:
        self._next += 1
        self._samples, self._at = turn.samples, 0
        # Under the same turn lies the same noise, however long the agent took before.
        place = Random(f"{turn.turn_id}/noise").randrange(len(self._noise) // FRAME_SAMPLES)
        self._noise_at = place * FRAME_SAMPLES
        self._ear.begin(turn, media_s)
        self._quiet_since_s = start_s + turn.speech_end_s
        self._log.said.append(Said(turn, start_s, self._quiet_since_s))
        self._patience_s = self._draw_patience()

    def _begins(self, turn: LabelledTurn, now: float) -> bool:
        if turn.is_over_agent and self._is_talked_to(now):
            return True
        return self._is_my_turn(now, self._patience_s)

    def _is_talked_to(self, now: float) -> bool:
        """The agent has been talking to us for long enough to talk over it."""
        mouth = self._log.mouth
        if mouth.is_silent(now) or now < self._quiet_since_s:
            return False
        first = mouth.at(self._quiet_since_s)
        if first >= len(mouth.frames):
            return False
        after_s = _TALK_OVER_AFTER_S[0] + (self._patience_s - _GAP_BOUNDS_S[0]) * (
            (_TALK_OVER_AFTER_S[1] - _TALK_OVER_AFTER_S[0]) / (_GAP_BOUNDS_S[1] - _GAP_BOUNDS_S[0])
        )
        return now - mouth.frames[first].start_s >= after_s

    def _is_my_turn(self, now: float, patience_s: float) -> bool:
        mouth = self._log.mouth
        if not mouth.is_silent(now):
            return False
        last = self._log.said[-1].turn if self._log.said else None
        has_spoken = mouth.end_s > self._quiet_since_s and bool(mouth.frames)
        if has_spoken and now - mouth.end_s >= patience_s:
            return True
        limit_s = UNANSWERED_S
        if last is not None and last.kind == "backchannel":
            limit_s = _AFTER_BACKCHANNEL_S
        return now - max(self._quiet_since_s, mouth.end_s) >= limit_s

    def _draw_patience(self) -> float:
        median_s, sigma = _GAP_S
        drawn = self._random.lognormvariate(math.log(median_s), sigma)
        return min(max(drawn, _GAP_BOUNDS_S[0]), _GAP_BOUNDS_S[1])


__all__ = ["FRAME_S", "UNANSWERED_S", "ReplayCaller"]
