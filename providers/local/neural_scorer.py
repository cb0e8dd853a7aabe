"""Is this frame speech? A network says that somebody speaks, the level says when they stop.

Rules, each with what it is for:

1. *Gate.* The network runs only while a level of ``voice.noise_floor`` stands ``gate_db`` above its
   floor, or did within the last ``gate_hold_frames``, or the network itself still hears something.
2. *Onset.* A frame is speech when the network is sure (``sure``), or half sure and the frame
   stands out clearly (``hint``, ``hint_db``): that takes 15 ms off the usual onset and 50 ms off
   late ones, and a keyboard, which is loud but no speech, still does not pass.
3. *Offset.* The network notices the end of speech 130 ms to 150 ms late. The level notices at once,
   where there is room between the talker and the line: a frame is *quiet* when both levels are
   within ``near_db`` of their floors, or ``drop_db`` under the talker. ``quiet_frames`` of them in
   a row end the speech before the network does. With little room (``least_room_db``) the level
   has no say, since soft syllables would count as silence; in between it has some.

The talker's level follows loud frames within two or three and sinks by ``talker_fall_db_per_s``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from providers.local.speech_windows import SpeechNetwork, SpeechWindows
from voice.levels import Frames, Levels, Slots, Verdicts
from voice.noise_floor import FloorConfig, NoiseFloors, frame_levels_db
from voice.ports import FRAME_S


@dataclass(frozen=True, slots=True)
class NeuralConfig:
    """Levels and margins in dB, probabilities 0 to 1; see the rules above.

    Attributes:
        gate_db: How far above its floor a level opens the gate.
        gate_hold_frames: How long it stays open after that.
        sure: Probability above which a frame is speech.
        hint: Probability above which one is that stands out.
        hint_db: How far such a frame stands above its floor.
        near_db: How close to its floor a quiet frame is, with plenty of room.
        drop_db: How far under the talker a quiet frame is, whatever the floor.
        quiet_frames: So many in a row end the speech.
        least_room_db: Talker above floor, under which the level has no say.
        full_room_db: And from which it has all of it.
        talker_fall_db_per_s: How fast the talker's level is forgotten.
        floor: How the noise floor follows.
    """

    gate_db: float = 6.0
    gate_hold_frames: int = 10
    sure: float = 0.5
    hint: float = 0.15
    hint_db: float = 12.0
    near_db: float = 5.0
    drop_db: float = 28.0
    quiet_frames: int = 2
    least_room_db: float = 16.0
    full_room_db: float = 26.0
    talker_fall_db_per_s: float = 15.0
    floor: FloorConfig = field(default_factory=lambda: FloorConfig(lowest_db=-72.0))


_NOBODY_DB = np.float32(-100.0)
_TALKER_RISE = np.float32(0.5)
_NONE = np.zeros(0, np.float32)


class NeuralScorer:
    """A ``voice.levels.SpeechScorer`` with a network.

    Args:
        network: The network.
        capacity: Slots to begin with; it grows by itself. A slot takes 3.7 kB.
        config: Thresholds.
    """

    def __init__(
        self, network: SpeechNetwork, capacity: int, config: NeuralConfig | None = None
    ) -> None:
        self._config = config or NeuralConfig()
        self._floors = NoiseFloors(capacity, self._config.floor)
        size = self._floors.capacity
        self._windows = SpeechWindows(network, size)
        self._hold = np.zeros(size, np.int32)  # frames that the gate stays open; 0: closed
        self._talker_db = np.full(size, _NOBODY_DB, np.float32)
        self._quiet = np.zeros(size, np.int32)

    @property
    def windows(self) -> int:
        """Windows that the network was given so far."""
        return self._windows.windows

    def reset(self, slot: int) -> None:
        """Forget what was learnt in ``slot``; a new call sits there."""
        self._grow_to(slot + 1)
        self._floors.reset(slot)
        self._windows.reset(slot)
        self._hold[slot] = 0
        self._talker_db[slot] = _NOBODY_DB
        self._quiet[slot] = 0

    def score(self, frames: Frames, slots: Slots) -> tuple[Verdicts, Levels]:
        """Score one frame for each call; see ``SpeechScorer.score``."""
        if len(slots) == 0:
            return _NONE > 0.0, _NONE
        self._grow_to(int(slots.max()) + 1)
        level_db = frame_levels_db(frames)
        floor_db = self._floors.follow(level_db, slots)
        above_db = (level_db - floor_db).max(axis=1)
        self._windows.hear(frames, slots)
        verdicts = self._gate(above_db, slots)
        if verdicts.any():
            is_open = verdicts.nonzero()[0]
            verdicts[is_open] = self._judge(
                level_db[is_open], floor_db[is_open], above_db[is_open], slots[is_open]
            )
        return verdicts, level_db[:, 0]

    def _gate(self, above_db: Levels, slots: Slots) -> Verdicts:
        """Rule 1: whether the network listens to each call."""
        before = self._hold[slots]
        hold = np.where(
            above_db > self._config.gate_db,
            self._config.gate_hold_frames,
            np.maximum(before - 1, self._windows.hears(slots)),
        )
        self._hold[slots] = hold
        is_open: Verdicts = hold > 0
        changes = is_open != (before > 0)
        if changes.any():
            self._windows.open(slots[changes & is_open])
            self._windows.close(slots[changes & ~is_open])
        return is_open

    def _judge(
        self, level_db: Levels, floor_db: Levels, above_db: Levels, slots: Slots
    ) -> Verdicts:
        """Whether frames behind an open gate are speech."""
        config = self._config
        enough = np.where(above_db > config.hint_db, config.hint, config.sure)
        is_heard = self._windows.watch(slots) > enough
        loudest_db = level_db.max(axis=1)
        talker_db = self._follow_talker(loudest_db, is_heard, slots)
        room_db = talker_db - floor_db.max(axis=1)
        say = (room_db - config.least_room_db) / (config.full_room_db - config.least_room_db)
        is_near = (above_db < np.minimum(say, 1.0) * config.near_db) & (say > 0.0)
        is_low = is_near | (loudest_db < talker_db - config.drop_db)
        quiet = (self._quiet[slots] + 1) * is_low
        self._quiet[slots] = quiet
        verdicts: Verdicts = is_heard & (quiet < config.quiet_frames)
        return verdicts

    def _follow_talker(self, loudest_db: Levels, is_heard: Verdicts, slots: Slots) -> Levels:
        talker_db = self._talker_db[slots]
        talker_db -= np.float32(self._config.talker_fall_db_per_s * FRAME_S)
        np.maximum(talker_db, _NOBODY_DB, out=talker_db)
        talker_db += np.maximum(loudest_db - talker_db, 0.0) * is_heard * _TALKER_RISE
        self._talker_db[slots] = talker_db
        return talker_db

    def _grow_to(self, size: int) -> None:
        have = len(self._hold)
        if size <= have:
            return
        self._floors.grow_to(size)
        self._windows.grow_to(self._floors.capacity)
        more = self._floors.capacity - have
        self._hold = np.concatenate([self._hold, np.zeros(more, np.int32)])
        self._talker_db = np.concatenate([self._talker_db, np.full(more, _NOBODY_DB, np.float32)])
        self._quiet = np.concatenate([self._quiet, np.zeros(more, np.int32)])
