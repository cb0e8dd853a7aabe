"""Deepgram's turns as events of the port, over sockets that break."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from providers.audio_ring import AudioRing
from providers.deepgram_messages import HeardWord, TurnInfo, parse
from providers.deepgram_turns import TurnEvent, TurnReader
from providers.hearing import Restart
from simulation.clip_library import load_library
from simulation.deepgram_flux_settings import FluxSettings
from simulation.deepgram_flux_turns import FluxTurns
from simulation.fingerprint import ClipIndex, Fingerprint
from tests.support.flux_wire import as_wire
from voice.ports import (
    FinalTranscript,
    InterimTranscript,
    SpeechNoticed,
    TurnEndHinted,
    TurnResumed,
)

LIBRARY = load_library()
INDEX = ClipIndex([LIBRARY.clip(name) for name in ("goforward", "hes_en_um")])
QUIET = b"\xff" * 160
CHUNK = 640


def info(
    end_s: float,
    text: str = "",
    *words: HeardWord,
    index: int = 0,
    start_s: float = 0.0,
    is_end: bool = False,
) -> TurnInfo:
    return TurnInfo("r", index, start_s, end_s, text, words, is_end)


def word(text: str, start_s: float | None = None, end_s: float | None = None) -> HeardWord:
    return HeardWord(text, start_s, end_s)


GO = word("Go", 0.5, 0.8)
FORWARD = word("forward", 0.9, 1.5)


def read(reader: TurnReader, *infos: TurnInfo, sent_s: float = 60.0) -> list[TurnEvent]:
    return [event for each in infos for event in reader.receive(each, sent_s=sent_s)]


def test_a_turn_is_noticed_followed_and_ended() -> None:
    events = read(
        TurnReader(),
        info(0.25),
        info(1.0, "Go", GO),
        info(1.5, "Go forward", GO, FORWARD),
        info(1.9, "Go forward.", GO, FORWARD, is_end=True),
        info(2.2),
    )
    assert events == [
        SpeechNoticed(0.5),
        InterimTranscript("Go", 0.8),
        InterimTranscript("Go forward", 1.5),
        FinalTranscript("Go forward.", 1.5),
    ]


def test_what_the_model_believes_about_the_end_is_told() -> None:
    reader = TurnReader()
    sure = replace(info(1.2, "Go", GO), is_likely_end=True, end_ratio=0.5)
    again = replace(info(1.6, "Go forward", GO, FORWARD), is_resumed=True)
    end = replace(info(1.9, "Go forward.", GO, FORWARD, is_end=True), is_likely_end=True)
    assert read(reader, info(1.0, "Go", GO), sure, again, end)[1:] == [
        InterimTranscript("Go", 0.8),
        TurnEndHinted("Go", 0.8, 0.5),
        TurnResumed(1.5),
        InterimTranscript("Go forward", 1.5),
        TurnEndHinted("Go forward.", 1.5, None),
        FinalTranscript("Go forward.", 1.5),
    ]


def test_a_belief_about_words_of_a_broken_socket_is_not_told_again() -> None:
    reader = TurnReader()
    read(reader, info(2.0, "Go forward", GO, FORWARD))
    reader.restart(0.0)
    assert read(reader, replace(info(1.0, "Go", GO), is_likely_end=True)) == []


def test_words_without_times_end_with_the_window() -> None:
    events = read(TurnReader(), info(1.0, "Go", word("Go"), start_s=0.25))
    assert events == [SpeechNoticed(0.25), InterimTranscript("Go", 1.0)]


def test_the_next_turn_is_noticed_again() -> None:
    reader = TurnReader()
    read(reader, info(1.0, "Go", GO), info(1.2, "Go.", GO, is_end=True))
    events = read(reader, info(3.0, "On", word("On", 2.5, 2.9), start_s=1.2))
    assert events == [SpeechNoticed(2.5), InterimTranscript("On", 2.9)]


def test_a_turn_that_ends_without_words_is_a_non_match() -> None:
    assert read(TurnReader(), info(1.0, "", is_end=True)) == [FinalTranscript("", 1.0)]


def test_a_turn_whose_end_is_not_told_ends_with_the_next_one() -> None:
    reader = TurnReader()
    events = read(reader, info(1.0, "Go", GO), info(1.5, index=1), info(1.75, index=1))
    assert events == [SpeechNoticed(0.5), InterimTranscript("Go", 0.8), FinalTranscript("Go", 1.0)]
    assert reader.restart(0.0) == Restart(1.0, None)


def test_no_time_is_ahead_of_what_was_sent() -> None:
    reader = TurnReader()
    events = read(reader, info(9e9, "Go", word("Go", 8e9, 9e9), is_end=True), sent_s=1.5)
    assert events == [SpeechNoticed(1.5), FinalTranscript("Go", 1.5)]
    assert reader.restart(0.0) == Restart(1.5, None)


def test_a_new_socket_is_told_what_the_last_final_words_do_not_cover() -> None:
    reader = TurnReader()
    read(reader, info(1.2, "Go.", GO, is_end=True), info(2.0, "Forward", word("Forward", 1.6, 1.9)))
    assert reader.restart(0.0) == Restart(1.2, None)
    # Its times count from there, and words that were known already are not told a second time.
    events = read(
        reader,
        info(0.6, "For", word("For", 0.4, 0.6)),
        info(0.9, "Forward ten", word("Forward", 0.4, 0.7), word("ten", 0.75, 0.85)),
        info(1.1, "Forward ten.", word("Forward", 0.4, 0.7), word("ten", 0.75, 0.85), is_end=True),
    )
    assert events == [
        InterimTranscript("Forward ten", 2.05),
        FinalTranscript("Forward ten.", 2.05),
    ]


def test_words_of_forgotten_audio_are_made_final_as_they_stand() -> None:
    reader = TurnReader()
    read(reader, info(2.0, "Go forward now", GO, FORWARD, word("now", 1.6, 1.8)))
    assert reader.restart(1.0) == Restart(1.5, FinalTranscript("Go forward", 1.5))
    again = word("now", 0.25, 0.375)
    assert read(reader, info(0.375, "Now", again)) == [SpeechNoticed(1.75)]
    assert read(reader, info(0.75, "Now", again)) == [InterimTranscript("Now", 1.875)]


def test_of_a_silence_little_is_told_again() -> None:
    reader = TurnReader()
    read(reader, info(9.0))
    assert reader.restart(3.0) == Restart(7.5, None)
    read(reader, info(0.5))
    assert reader.restart(3.0) == Restart(7.5, None)
    read(reader, info(2.0, "Go", word("Go", 1.0, 1.2)), info(2.5))
    assert reader.restart(3.0) == Restart(7.5, None)


def test_a_silence_that_is_forgotten_is_no_loss() -> None:
    reader = TurnReader()
    read(reader, info(1.0))
    assert reader.restart(3.0) == Restart(3.0, None)


def test_without_the_times_of_words_all_of_them_are_taken() -> None:
    reader = TurnReader()
    read(reader, info(2.0, "Go forward", word("Go"), word("forward")))
    assert reader.restart(1.0) == Restart(2.0, FinalTranscript("Go forward", 2.0))


def test_scripts_without_blanks_stay_so() -> None:
    reader = TurnReader()
    words = (word("こん", 0.1, 0.4), word("にちは", 0.4, 0.9), word("。", 1.5, 1.6))
    read(reader, info(2.0, "こんにちは。", *words))
    assert reader.restart(1.0) == Restart(1.0, FinalTranscript("こんにちは", 1.0))


class Line:
    """A reader on a service that may be cut at any chunk; no sockets, no time."""

    def __init__(self, ring_s: float = 8.0) -> None:
        self.reader = TurnReader()
        self.ring = AudioRing(round(ring_s * 8_000))
        self.sent = 0
        self.events: list[TurnEvent] = []
        self.cut()

    def cut(self) -> None:
        self.service = FluxTurns(
            FluxSettings(eager_eot_threshold=0.4, eot_timeout_ms=1_000), Fingerprint(INDEX)
        )
        restart = self.reader.restart(self.ring.start / 8_000)
        if restart.final is not None:
            self.events.append(restart.final)
        self.sent = round(restart.at_s * 8_000)
        self.send()

    def write(self, audio: bytes) -> None:
        self.ring.append(audio)
        self.send()

    def send(self) -> None:
        while self.ring.end - self.sent >= CHUNK:
            chunk = self.ring.read(self.sent, CHUNK)
            self.sent += CHUNK
            for body in self.service.receive_audio(chunk):
                message = parse(as_wire(body))
                assert isinstance(message, TurnInfo)
                self.events += self.reader.receive(message, sent_s=self.sent / 8_000)

    @property
    def heard(self) -> str:
        finals = [event.text for event in self.events if isinstance(event, FinalTranscript)]
        return " ".join(finals).lower().replace(".", "").replace(",", "")


SPEECH = (
    LIBRARY.clip("goforward").ulaw
    + QUIET * 60
    + LIBRARY.clip("hes_en_um").ulaw
    + QUIET * 60
    + LIBRARY.clip("goforward").ulaw
    + QUIET * 80
)


def heard_with_cuts(cuts: list[int], ring_s: float = 8.0) -> Line:
    line = Line(ring_s)
    for number, at in enumerate(range(0, len(SPEECH), 160)):
        line.write(SPEECH[at : at + 160])
        if number in cuts:
            line.cut()
    return line


WHOLE = heard_with_cuts([]).heard


def test_the_whole_speech_is_heard_without_cuts() -> None:
    assert WHOLE == (
        "go forward ten meters i can't seem to um find the return label go forward ten meters"
    )


@settings(max_examples=20, deadline=None)
@example([44])
@example([90, 91, 92])
@given(st.lists(st.integers(0, len(SPEECH) // 160 - 40), max_size=6))
def test_wherever_it_is_cut_no_word_is_lost_and_none_is_doubled(cuts: list[int]) -> None:
    line = heard_with_cuts(cuts)
    assert line.heard == WHOLE
    ends_s = [event.end_s for event in line.events if isinstance(event, FinalTranscript)]
    assert ends_s == sorted(ends_s)


@settings(max_examples=12, deadline=None)
@given(st.integers(20, len(SPEECH) // 160 - 40))
def test_with_a_ring_shorter_than_a_turn_it_is_the_same(cut: int) -> None:
    """Words of audio that is forgotten are final before it is; one that was not yet known at the
    cut may have begun in forgotten audio, so the ring has to hold more than a word and the lag."""
    assert heard_with_cuts([cut], ring_s=1.5).heard == WHOLE


def test_an_end_that_is_told_twice_or_late_brings_no_words_twice() -> None:
    reader = TurnReader()
    end = info(1.2, "Go.", GO, is_end=True)
    assert read(reader, info(1.0, "Go", GO), end)[-1] == FinalTranscript("Go.", 0.8)
    assert read(reader, end, info(1.0, "Go", GO), end) == []
    # Of a new socket the turns are counted anew.
    reader.restart(0.0)
    assert read(reader, info(0.8, "On.", is_end=True))[-1] == FinalTranscript("On.", 2.0)
