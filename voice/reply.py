"""One reply on its way from text to sound: what is planned, what was asked for, what has come.

Rules:

1. A reply is *held* until the mouth speaks it: its first segment with words is synthesised, and
   the audio kept, as the chunks that came.
2. A held reply takes in ``held_bytes`` of audio; then it is *full*, and whoever reads the speaker
   stops until it is spoken. What comes all the same (a clip is one chunk) is kept.
3. The audio stays while the caller may still turn out not to have finished, so that the reply can
   be held again as if it had never begun; ``forget_audio`` gives it back.
4. ``truncate`` ends a reply before a segment that cannot be had: what came before it is still
   said, nothing behind it is asked for or taken in.
"""

from __future__ import annotations

from collections.abc import Iterator

from voice.heard import SpokenSegment
from voice.ports import TextMark
from voice.sounding import Sounding
from voice.words import has_words, join_words

ReplyKey = tuple[int, int]
"""(``turn_id``, ``guess``)."""


class Segment:
    """One piece of a reply.

    Attributes:
        chunks: Its audio, while that is kept.
        received: Bytes of audio that came.
        sounding: Where there is sound in it.
        is_cut: Nothing more will come, but not all of the text was spoken.
    """

    __slots__ = (
        "chunks",
        "is_cut",
        "is_requested",
        "is_whole",
        "marks",
        "received",
        "sounding",
        "text",
    )

    def __init__(self, text: str) -> None:
        self.text = text
        self.is_requested = False
        self.is_whole = False
        self.is_cut = False
        self.chunks: list[bytes] = []
        self.received = 0
        self.marks: tuple[TextMark, ...] = ()
        self.sounding = Sounding()


class Reply:
    """The segments of one reply.

    Args:
        key: Whose they are.
        held_bytes: Audio after which a held reply is full.

    Attributes:
        segments: In the order in which they are said.
        is_planned: True when no more segments will come.
        is_truncated: True when it ends sooner than the mind or the speaker knows.
        is_kept: True while all audio that came is kept.
        kept_bytes: How much that is.
        requested_chars: Characters that were given to synthesis.
        requested_at: Loop time at which the first segment was given to synthesis.
        first_byte_at: Loop time at which the first audio came.
        working_s: How long the mind may be busy with something else; 0 while it is not.
        owes_answer: The mind had something done, and has said nothing of it yet.
    """

    __slots__ = (
        "_held_bytes",
        "first_byte_at",
        "is_kept",
        "is_planned",
        "is_truncated",
        "kept_bytes",
        "key",
        "owes_answer",
        "requested_at",
        "requested_chars",
        "segments",
        "working_s",
    )

    def __init__(self, key: ReplyKey, held_bytes: int) -> None:
        self.key = key
        self._held_bytes = held_bytes
        self.segments: list[Segment] = []
        self.is_planned = False
        self.is_truncated = False
        self.is_kept = True
        self.kept_bytes = 0
        self.requested_chars = 0
        self.requested_at: float | None = None
        self.first_byte_at: float | None = None
        self.working_s = 0.0
        self.owes_answer = False

    @property
    def planned_text(self) -> str:
        """All the reply means to say, as far as it is known."""
        return join_words(segment.text for segment in self.segments)

    @property
    def is_all_there(self) -> bool:
        """True when nothing more is expected from mind or synthesis."""
        if not self.is_planned:
            return False
        for segment in self.segments:  # noqa: SIM110 - at every frame of a call: no generator
            if not segment.is_whole:
                return False
        return True

    @property
    def is_full(self) -> bool:
        """True when a held reply should not be given more audio."""
        return self.kept_bytes >= self._held_bytes

    @property
    def first_missing(self) -> int:
        """Index of the first segment whose audio is not all there, planned or not."""
        whole = (at for at, segment in enumerate(self.segments) if not segment.is_whole)
        return next(whole, len(self.segments))

    @property
    def first_spoken(self) -> int:
        """Index of the first segment that needs a voice, planned or not."""
        voiced = (at for at, segment in enumerate(self.segments) if has_words(segment.text))
        return next(voiced, len(self.segments))

    def has_speech_before(self, index: int) -> bool:
        """True when there is something to say even if segment ``index`` will not come."""
        return index > 0 or any(segment.received for segment in self.segments[:1])

    def plan(self, index: int, text: str) -> Segment | None:
        """Segment ``index`` shall say ``text``; None if that is not the next one.

        Text without a single word needs no audio.
        """
        if index != len(self.segments) or self.is_planned:
            return None
        segment = Segment(text)
        segment.is_requested = segment.is_whole = not has_words(text)
        self.segments.append(segment)
        if not self.working_s:
            self.owes_answer = False
        return segment

    def work(self, for_s: float) -> None:
        """The mind has something done, for so long at the most; 0 when that has ended."""
        self.working_s = for_s
        self.owes_answer = True

    def requests(self, last: int, *, now: float) -> Iterator[tuple[int, str]]:
        """Segments up to index ``last`` that were not given to synthesis yet; now they are."""
        for index, segment in enumerate(self.segments[: last + 1]):
            if segment.is_requested:
                continue
            segment.is_requested = True
            self.requested_chars += len(segment.text)
            if self.requested_at is None:
                self.requested_at = now
            yield index, segment.text

    def awaited(self, index: int) -> Segment | None:
        """The segment if it was requested and audio may still come for it."""
        if not 0 <= index < len(self.segments):
            return None
        segment = self.segments[index]
        return segment if segment.is_requested and not segment.is_whole else None

    def arrive(
        self, index: int, ulaw: bytes, marks: tuple[TextMark, ...], *, now: float
    ) -> Segment | None:
        """Audio of a segment; None if nobody waits for it."""
        segment = self.awaited(index)
        if segment is None:
            return None
        segment.marks += marks
        segment.received += len(ulaw)
        segment.sounding.receive(ulaw)
        if ulaw and self.first_byte_at is None:
            self.first_byte_at = now
        if ulaw and self.is_kept:
            segment.chunks.append(ulaw)
            self.kept_bytes += len(ulaw)
        return segment

    def finish_segment(self, index: int) -> Segment | None:
        """All audio of a segment has come; None if nobody waits for it.

        A segment for which nothing came stays as it was: it is not whole.
        """
        segment = self.awaited(index)
        if segment is not None and segment.received:
            segment.is_whole = True
        return segment

    def truncate(self, index: int) -> range:
        """Segment ``index`` and what follows will not come; audio they already have is kept.

        Returns the indices of the segments that are whole from now on.
        """
        self.is_planned = self.is_truncated = True
        ended = range(index, len(self.segments))
        for segment in self.segments[index:]:
            segment.is_cut = segment.is_cut or not segment.is_whole
            segment.is_whole = True
        said = [at for at, segment in enumerate(self.segments) if at < index or segment.received]
        del self.segments[said[-1] + 1 if said else 0 :]
        return ended

    def forget_audio(self) -> None:
        """Give back what was kept; the reply can no longer be held again."""
        self.is_kept = False
        self.kept_bytes = 0
        for segment in self.segments:
            segment.chunks = []

    def spoken(self, index: int, heard_samples: int) -> SpokenSegment:
        """Segment ``index`` as the heard ledger reads it."""
        segment = self.segments[index]
        is_whole = segment.is_whole and not segment.is_cut
        return SpokenSegment(
            segment.text,
            segment.marks,
            heard_samples,
            segment.received,
            is_whole,
            segment.sounding,
        )
