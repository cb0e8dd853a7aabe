"""What one reply of a Realtime session says: its parts, from the first byte to the ear.

Rules:

1. A part is one piece of audio of one item. Parts are heard in the order in which they began.
2. What was heard is counted by the playout, in samples; the words of it come from the transcript
   that the service writes beside its audio (``voice.heard``).
3. A reply has no more than ``MOST_CHARS`` of words, whatever the service writes.
4. The service believes that everything it sent was heard: ``corrections`` tells it otherwise. An
   item of which nothing was heard is taken out of the conversation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from providers.realtime.messages import delete_item, truncate
from voice.heard import SpokenSegment, heard_text
from voice.playout import Playout, SegmentKey
from voice.relay_turns import MOST_CHARS
from voice.sounding import Sounding
from voice.words import join_words

PartName = tuple[str, int]
"""``item_id`` and ``content_index``."""

GUESS = 1  # nothing is guessed ahead in this mode: each turn has one reply


@dataclass(slots=True)
class Part:
    """One piece of audio.

    Attributes:
        text: What is said in it, as far as it was written.
        received: Samples that came.
        is_whole: No more will come.
    """

    key: SegmentKey
    text: str = ""
    received: int = 0
    is_whole: bool = False
    is_cut: bool = False
    sounding: Sounding = field(default_factory=Sounding)


class SpokenReply:
    """The parts of one turn's reply.

    Args:
        turn_id: Whose they are: everything audible carries it.
        playout: The way to the ear.
    """

    def __init__(self, turn_id: int, playout: Playout) -> None:
        self._turn_id = turn_id
        self._playout = playout
        self._parts: dict[PartName, Part] = {}

    @property
    def text(self) -> str:
        """All that it says, as far as it was written."""
        return join_words(part.text.strip() for part in self._parts.values())[:MOST_CHARS]

    @property
    def has_audio(self) -> bool:
        """Whether any came."""
        return any(part.received for part in self._parts.values())

    @property
    def is_whole(self) -> bool:
        """Whether every part that began has come to its end."""
        return all(part.is_whole for part in self._parts.values())

    def arrive(self, name: PartName, ulaw: bytes) -> None:
        """More audio."""
        part = self._part(name)
        if part.is_whole:
            return
        self._playout.open(part.key)
        part.received += len(ulaw)
        part.sounding.receive(ulaw)
        self._playout.append(part.key, ulaw)

    def write(self, name: PartName, text: str, *, is_all: bool) -> None:
        """More of the words; with ``is_all`` they are all of the part's."""
        part = self._part(name)
        if not part.is_cut:
            part.text = (text if is_all else part.text + text)[:MOST_CHARS]

    def finish(self, name: PartName) -> None:
        """All audio of a part has come."""
        self._close(self._part(name))

    def finish_all(self) -> None:
        """All audio of every part has come."""
        for part in self._parts.values():
            self._close(part)

    def cut(self) -> None:
        """No more will come of any part, whatever was meant to."""
        for part in self._parts.values():
            part.is_cut = part.is_cut or not part.is_whole
            self._close(part)

    def heard_text(self, *, now: float) -> str:
        """What of it has reached the ear."""
        return heard_text(
            SpokenSegment(
                part.text.strip(),
                (),
                self._heard(part, now),
                part.received,
                part.is_whole and not part.is_cut,
                part.sounding,
            )
            for part in self._parts.values()
        )[:MOST_CHARS]

    def corrections(self, *, now: float) -> Iterator[str]:
        """Events that tell the service what was really heard; ask before the playout is cleared."""
        for (item_id, index), part in self._parts.items():
            heard = self._heard(part, now)
            if not part.received or heard >= part.received:
                continue
            yield truncate(item_id, index, heard) if heard else delete_item(item_id)

    def _heard(self, part: Part, now: float) -> int:
        return min(self._playout.heard_samples(part.key, now=now), part.received)

    def _part(self, name: PartName) -> Part:
        part = self._parts.get(name)
        if part is None:
            key = SegmentKey(self._turn_id, GUESS, len(self._parts))
            part = self._parts[name] = Part(key)
        return part

    def _close(self, part: Part) -> None:
        if not part.is_whole:
            part.is_whole = True
            if part.received:
                self._playout.finish(part.key)
