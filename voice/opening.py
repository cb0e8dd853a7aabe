"""The first words on a stream, and what the caller said on the one before, if that was lost.

Rules:

1. A call that begins is greeted; one that goes on in a new stream says so.
2. What the caller had asked is answered now. That the call goes on is said until the answer comes.
3. What he was saying, and had perhaps not finished, is as if he said it as the first words end: he
   goes on, or says it again (``said_again.py``), or is silent and gets his answer. He may speak
   over the first words.
"""

from __future__ import annotations

from voice.decisions import CallerFinished
from voice.endpointing import Endpointer
from voice.events import CallStarted
from voice.fillers import Fillers
from voice.said_again import continued
from voice.turns import Turns


class Opening:
    """Of one stream.

    Args:
        ear: Told what was said before.
        turns: Say the first words.
        fillers: Say them where an answer is on its way.

    Attributes:
        unfinished: What the caller was saying, until the first words are over.
    """

    __slots__ = ("_ear", "_fillers", "_is_begun", "_turns", "unfinished")

    def __init__(self, ear: Endpointer, turns: Turns, fillers: Fillers) -> None:
        self._ear = ear
        self._turns = turns
        self._fillers = fillers
        self._is_begun = False
        self.unfinished = ""

    def begin(self, event: CallStarted, *, now: float) -> bool:
        """Say the first words; False when that was done before."""
        if self._is_begun:
            return False
        self._is_begun = True
        self.unfinished = event.unfinished
        self._turns.start_at(event.next_turn_id)
        if event.greeting is not None:
            self._turns.greet(event.greeting, now=now)
        elif event.unanswered:
            self._answer_again(event, now)
        elif event.resume_text is not None:
            self._turns.say("resume", event.resume_text, reason="call resumed", now=now)
        return True

    def take_up(self, *, now: float) -> bool:
        """Whether the caller goes on here and now from what he was saying."""
        if not self.unfinished or self._turns.taken is not None:
            return False
        text, self.unfinished = self.unfinished, ""
        self._ear.put_back(text, now=now, is_carried=True)
        return True

    def joined(self, text: str) -> str:
        """``text``, which takes the floor from the first words, and what was said before it."""
        if self.unfinished:
            text, self.unfinished = continued(self.unfinished, text), ""
            self._ear.words.note_taken(text)
        return text

    def _answer_again(self, event: CallStarted, now: float) -> None:
        asked = CallerFinished(event.unanswered, "asked before the stream was lost", now, None)
        self._turns.take("caller", asked, now=now)
        self._ear.words.note_taken(event.unanswered)
        if self._turns.taken is not None:
            self._fillers.begin_with(event.resume_audio, self._turns.taken, now=now)
