"""From the messages of Google's recognition to the events of our port, over any number of streams.

Rules:
1. A phrase begins with SPEECH_ACTIVITY_BEGIN or its first words, and ends with a final result. The
   end of activity is no end of a turn: who has finished is decided by our own endpointer. A final
   result that ends where one before it has ended is told twice.
2. Times of a stream count from its first byte, and a stream may begin anywhere in the call's audio;
   events carry times of the call's audio, none beyond what was sent.
3. A stream that has its time is replaced in a pause: the next one begins ``_BEFORE_WORDS_S`` before
   now. One that breaks, or has to be replaced while somebody speaks, is followed by one that is
   told again all audio behind the last final words, so that no word is lost and none is doubled.
   Until it has come as far as the one before it, its words so far are kept back.
4. Where the audio behind the last final words is not all there any more, the words so far are made
   final as they stand, and the new stream begins behind them.
"""

from __future__ import annotations

from providers.google_messages import Heard, SpeechUpdate
from providers.hearing import Restart
from voice.ports import FinalTranscript, InterimTranscript, SpeechNoticed

# A word of which nothing is known yet began this long before the newest audio, at most.
_BEFORE_WORDS_S = 2.0
# Words without the beginning of any activity began about this long before they were known.
_FIRST_WORD_S = 0.5

TurnEvent = SpeechNoticed | InterimTranscript | FinalTranscript


class TurnReader:
    """The phrases of one call; a machine.

    Attributes:
        progress_s: How far the words have come, over all streams.
        final_s: How far the call's audio need never be sent again.
    """

    __slots__ = ("_base_s", "_is_active", "_is_noticed", "_words", "final_s", "progress_s")

    def __init__(self) -> None:
        self._base_s = 0.0
        self._is_noticed = False
        self._is_active = False
        self._words = ""  # of the running phrase
        self.progress_s = 0.0
        self.final_s = 0.0

    @property
    def is_quiet(self) -> bool:
        """Nobody speaks, and nothing is being waited for."""
        return not self._is_active and not self._words

    def restart(self, *, oldest_s: float, sent_s: float, is_due: bool) -> Restart:
        """A new stream begins; all messages from now on are its.

        Args:
            oldest_s: Where the audio that can be sent again begins.
            sent_s: How much of the call's audio the stream before it was sent.
            is_due: Whether that one had its time, and was well.
        """
        at_s, final = self.final_s, None
        if is_due and self.is_quiet:
            at_s = max(at_s, sent_s - _BEFORE_WORDS_S)
        if at_s < oldest_s:
            at_s = oldest_s
            if self._words:
                at_s = max(oldest_s, self.progress_s)
                final = FinalTranscript(self._words, at_s)
                self._close(at_s)
        self._is_active = False  # said again by the new stream, if it is so
        self._base_s = self.final_s = at_s
        return Restart(at_s, final)

    def receive(self, update: SpeechUpdate, *, sent_s: float) -> tuple[TurnEvent, ...]:
        """Take a message of the running stream.

        Args:
            update: What it says.
            sent_s: How much of the call's audio has been sent; no message can be ahead of it.
        """
        events: list[TurnEvent] = []
        if update.began_s is not None:
            self._is_active = True
            self._notice(min(self._base_s + update.began_s, sent_s), events)
        if update.ended_s is not None:
            self._is_active = False
        if update.final is not None:
            self._settle(update.final, sent_s, events)
        if update.interim is not None and update.interim.text:
            self._hear(update.interim, sent_s, events)
        return tuple(events)

    def _settle(self, heard: Heard, sent_s: float, events: list[TurnEvent]) -> None:
        is_told_again = self._base_s < self.final_s
        if heard.end_s is not None and is_told_again and self._base_s + heard.end_s <= self.final_s:
            return
        end_s = max(self._time(heard.end_s, sent_s), self.final_s)
        if heard.text:
            self._notice(self._guessed_start_s(end_s), events)
        if heard.text or self._words:
            word_end_s = self._time(heard.word_end_s, sent_s)
            events.append(FinalTranscript(heard.text, min(word_end_s, end_s)))
        self._close(end_s)

    def _hear(self, heard: Heard, sent_s: float, events: list[TurnEvent]) -> None:
        end_s = self._time(heard.end_s, sent_s)
        if end_s < self.progress_s:
            return  # another stream had come further: these words would go backwards
        self.progress_s = end_s
        self._notice(self._guessed_start_s(end_s), events)
        self._words = heard.text
        events.append(InterimTranscript(heard.text, end_s))

    def _notice(self, at_s: float, events: list[TurnEvent]) -> None:
        if not self._is_noticed:
            self._is_noticed = True
            events.append(SpeechNoticed(at_s))

    def _guessed_start_s(self, end_s: float) -> float:
        return max(min(self.final_s, end_s), end_s - _FIRST_WORD_S)

    def _time(self, end_s: float | None, sent_s: float) -> float:
        return sent_s if end_s is None else min(self._base_s + end_s, sent_s)

    def _close(self, end_s: float) -> None:
        self._words = ""
        self._is_noticed = False
        self.final_s = end_s
        self.progress_s = max(self.progress_s, end_s)
