"""A replayed call written down by hand: who said what when, to the hundredth of a second."""

from __future__ import annotations

import numpy as np

from cluster.evaluate.replay_log import Begun, CallLog, Committed, Said, Settled
from cluster.evaluate.replay_mouth import Key, frame_of
from simulation.clip_library import Word
from simulation.corpus_turn import LabelledTurn, TurnKind
from voice.events import Outcome, TurnSettled
from voice.ports import FRAME_S, FRAME_SAMPLES


def turn(
    turn_id: str,
    kind: TurnKind = "plain",
    *,
    words: tuple[tuple[str, float, float], ...] = (("hello", 0.1, 0.5), ("there", 0.5, 1.0)),
    pauses: tuple[tuple[float, float], ...] = (),
    language: str = "en-US",
    is_synthetic: bool = False,
) -> LabelledTurn:
    """A turn of silence with labels."""
    return LabelledTurn(
        turn_id=turn_id,
        kind=kind,
        language=language,
        asked="",
        words=tuple(Word(text, start_s, end_s, text) for text, start_s, end_s in words),
        samples=np.zeros(round(words[-1][2] * 8_000), np.int16),
        speech_start_s=words[0][1],
        speech_end_s=words[-1][2],
        pauses=pauses,
        clips=("hand",),
        is_synthetic=is_synthetic,
    )


class CallByHand:
    """Builds a log."""

    def __init__(self, over_s: float = 60.0) -> None:
        self.log = CallLog(0, "line", "line", "clean", over_s=over_s)

    def says(self, start_s: float, said: LabelledTurn) -> CallByHand:
        self.log.said.append(Said(said, start_s, start_s + said.speech_end_s))
        return self

    def asks(self, at_s: float, key: Key, *, ahead: bool = False) -> CallByHand:
        self.log.begun.append(Begun(at_s, key, ahead, "hello there"))
        return self

    def takes(self, at_s: float, key: Key) -> CallByHand:
        self.log.committed.append(Committed(at_s, key, "hello there"))
        return self

    def speaks(
        self,
        at_s: float,
        key: Key,
        seconds: float,
        *,
        text: str = "Thank you very much indeed, that is all that I have to say to you about this.",
        level: float = 1.0,
        skip_s: float = 0.0,
    ) -> CallByHand:
        """The agent is heard with (some of) a segment."""
        segments = self.log.speech.segments
        found = next((s for s in segments if s.key == key and s.text == text), None)
        assert seconds + skip_s <= len(text) / 15 + 0.02, "the text is too short to last so long"
        if found is None:
            found, _ = self.log.speech.say(key, len(segments), text)
        first = found.first_frame + round(skip_s / FRAME_S)
        for frame in range(round(seconds / FRAME_S)):
            ulaw = quieter(frame_of(first + frame), level)
            self.log.mouth.send(ulaw, now=at_s + frame * FRAME_S)
        return self

    def settles(self, at_s: float, key: Key, outcome: Outcome, heard: str = "") -> CallByHand:
        planned = " ".join(s.text for s in self.log.speech.segments if s.key == key)
        event = TurnSettled(*key, "caller", "hello there", planned, heard, outcome, "why")
        self.log.settled.append(Settled(at_s, event))
        return self


def quieter(ulaw: bytes, level: float) -> bytes:
    """A frame with its samples scaled."""
    if level == 1.0:
        return ulaw
    from telephony import g711

    assert len(ulaw) == FRAME_SAMPLES
    return bytes(g711.encode((g711.decode(ulaw) * level).astype(np.int16)))
