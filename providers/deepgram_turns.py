"""From the turns of Deepgram's recognition to the events of our port, over any number of sockets.

Rules:
1. A turn over there is a phrase here: StartOfTurn is ``SpeechNoticed``, EndOfTurn the final words,
   everything between them the words so far. EagerEndOfTurn is ``TurnEndHinted``, which TurnResumed
   takes back, and no final: its words may still change. EndOfTurn is a hint too, if the model made
   it, for who has finished is decided by our own endpointer.
2. Times of a socket count from its first byte, and a socket may begin anywhere in the call's audio;
   events carry times of the call's audio.
3. When a socket breaks, the next one is told again all audio behind the last final words, but no
   more than ``_BEFORE_WORDS_S`` of a silence, so that no word is lost and none is doubled. Until it
   has come as far as the one before it, its words so far are kept back: they would go backwards.
4. A turn whose end is not told ends with the first message about another one. What is told of a
   turn that has ended, and of no audio behind it, is told late or twice: it brings no words.
5. Where the audio behind the last final words is not all there any more, the words of what is
   missing are made final as they stand, and the new socket begins behind them.
"""

from __future__ import annotations

from providers.deepgram_messages import TurnInfo
from providers.hearing import Restart
from voice.ports import (
    FinalTranscript,
    InterimTranscript,
    SpeechNoticed,
    TurnEndHinted,
    TurnResumed,
)

# A word that is not yet reported began this long before the end of what was transcribed, at most.
_BEFORE_WORDS_S = 1.5

TurnEvent = SpeechNoticed | InterimTranscript | FinalTranscript | TurnEndHinted | TurnResumed


class TurnReader:
    """The turns of one stream; a machine.

    Attributes:
        progress_s: How much of the call's audio has been transcribed, over all sockets.
    """

    __slots__ = ("_base_s", "_ended", "_final_s", "_is_open", "_last", "progress_s")

    def __init__(self) -> None:
        self._base_s = 0.0
        self._final_s = 0.0
        self._is_open = False
        self._ended = -1  # index of the turn of this socket that ended last
        self._last: TurnInfo | None = None  # of the running turn, with words in it
        self.progress_s = 0.0

    @property
    def final_s(self) -> float:
        """How far the call's audio need never be sent again."""
        return self._final_s

    def restart(self, oldest_s: float) -> Restart:
        """A new socket begins; all messages from now on are its.

        Args:
            oldest_s: Where the audio that can be sent again begins.
        """
        at_s, final = self._final_s, None
        if at_s < oldest_s:
            at_s, final = self._give_up(oldest_s)
            self._final_s = at_s
        self._base_s = at_s
        self._ended = -1
        self._last = None
        return Restart(at_s, final)

    def receive(self, info: TurnInfo, *, sent_s: float) -> tuple[TurnEvent, ...]:
        """Take a message of the running socket.

        Args:
            info: The turn as it stands.
            sent_s: How much of the call's audio has been sent; no message can be ahead of it.
        """
        window_end_s = min(self._base_s + info.window_end_s, sent_s)
        is_behind = window_end_s < self.progress_s
        self.progress_s = max(self.progress_s, window_end_s)
        if info.index <= self._ended and window_end_s <= self._final_s:
            return ()
        text = info.transcript.strip()
        end_s = window_end_s
        if info.words and info.words[-1].end_s is not None:
            end_s = min(end_s, self._base_s + info.words[-1].end_s)
        events: list[TurnEvent] = []
        last = self._last
        if last is not None and last.index != info.index:
            events.append(self._end(last, self._base_s + last.window_end_s))
        if text and not self._is_open:
            self._is_open = True
            events.append(SpeechNoticed(self._start_of(info, end_s)))
        hint = TurnEndHinted(text, end_s, info.end_ratio)
        is_hint = info.is_likely_end and text != "" and not is_behind
        if info.is_end:
            events += [hint] if is_hint else []
            events.append(self._end(info, window_end_s, end_s))
        elif text:
            self._last = info
            if not is_behind:
                events += [TurnResumed(end_s)] if info.is_resumed else []
                events.append(hint if is_hint else InterimTranscript(text, end_s))
        elif not self._is_open:
            self._final_s = max(self._final_s, window_end_s - _BEFORE_WORDS_S)
        return tuple(events)

    def _end(
        self, info: TurnInfo, window_end_s: float, end_s: float | None = None
    ) -> FinalTranscript:
        text = info.transcript.strip()
        self._is_open = False
        self._ended = info.index
        self._last = None
        self._final_s = min(window_end_s, self.progress_s)
        return FinalTranscript(text, self._final_s if end_s is None else end_s, info.language)

    def _start_of(self, info: TurnInfo, end_s: float) -> float:
        start_s = info.words[0].start_s if info.words else None
        start_s = info.window_start_s if start_s is None else start_s
        return min(self._base_s + start_s, end_s)

    def _give_up(self, oldest_s: float) -> tuple[float, FinalTranscript | None]:
        last = self._last
        if last is None:
            return oldest_s, None
        lost = []
        at_s = oldest_s
        for word in last.words:
            if word.start_s is None or word.end_s is None:
                # No telling which words are older: all of them are taken as they are.
                at_s = max(oldest_s, min(self._base_s + last.window_end_s, self.progress_s))
                self._is_open = False
                return at_s, FinalTranscript(last.transcript.strip(), at_s)
            if self._base_s + word.start_s >= oldest_s:
                break
            lost.append(word.text)
            at_s = max(at_s, min(self._base_s + word.end_s, self.progress_s))
        if not lost:
            return oldest_s, None
        self._is_open = False
        blank = " " if " " in last.transcript.strip() else ""
        return at_s, FinalTranscript(blank.join(lost), at_s)
