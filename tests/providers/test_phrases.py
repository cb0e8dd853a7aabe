"""Phrases between cuts: a machine, told audio and words in tables."""

from __future__ import annotations

import json

import pytest

from providers.errors import ProviderProtocolError
from providers.openai_transcription_stt import TranscriptionHearing
from providers.openai_transcription_wire import (
    AudioCommitted,
    NothingSaid,
    TranscriptionEvent,
    WordsArrived,
    WordsKnown,
)
from providers.phrases import Phrases
from providers.replayed_stream import CHUNK_BYTES
from providers.scribe_stt import ScribeHearing
from providers.scribe_wire import CommittedWords, PartialWords
from providers.scribe_wire import NothingSaid as NothingCommitted
from providers.socket_settings import OpenAITranscriptionConfig, ScribeConfig
from simulation.clip_library import load_library
from tests.support.flux_stage import QUIET, SPEECH
from voice.ports import (
    FinalTranscript,
    InterimTranscript,
    RecogniseRequest,
    RecogniserEvent,
    SpeechNoticed,
)

CHUNK_S = CHUNK_BYTES / 8_000
REQUEST = RecogniseRequest("call", "en-US")


def fed(phrases: Phrases, audio: bytes, at_s: float = 0.0) -> list[float]:
    """Where cuts are wanted; each is made."""
    cuts = []
    for at in range(0, len(audio) - CHUNK_BYTES + 1, CHUNK_BYTES):
        end_s = at_s + (at + CHUNK_BYTES) / 8_000
        if phrases.sent(audio[at : at + CHUNK_BYTES], end_s):
            phrases.cut(end_s)
            cuts.append(end_s)
    return cuts


def texts(events: tuple[RecogniserEvent, ...]) -> list[str]:
    return [event.text for event in events if isinstance(event, InterimTranscript)]


def test_a_cut_follows_the_pause_behind_speech_and_none_follows_silence() -> None:
    phrases = Phrases(0.3, makes_cuts=True)
    assert fed(phrases, QUIET * 100) == []
    (cut_s,) = fed(phrases, SPEECH, 2.0)
    spoken_s = 2.0 + load_library().clip("goforward").speech_end_s
    assert spoken_s < cut_s < spoken_s + 0.6
    assert phrases.owed
    assert fed(phrases, QUIET * 200, 2.0 + len(SPEECH) / 8_000) == []


def test_silence_is_cut_after_long_and_speech_without_a_pause_too() -> None:
    phrases = Phrases(0.3, makes_cuts=True)
    (cut_s,) = fed(phrases, QUIET * 1_600)
    assert cut_s == pytest.approx(30.0, abs=CHUNK_S)
    phrases = Phrases(0.3, makes_cuts=True)
    voiced = SPEECH[2_000:9_600]
    assert fed(phrases, voiced * 25)[0] <= 20.0 + CHUNK_S


def test_where_the_service_cuts_the_end_of_a_phrase_with_words_is_owed_behind_a_pause() -> None:
    phrases = Phrases(0.3, makes_cuts=False)
    assert fed(phrases, SPEECH[:12_800]) == []
    phrases.words("go forward")
    assert not phrases.owed
    fed(phrases, QUIET * 100, 1.6)
    owed = phrases.owed
    assert owed
    phrases.ended("Go forward.", end_s=1.5, at_s=1.5)
    assert not phrases.owed
    assert phrases.final_s == 1.5


def test_an_interim_grows_and_a_final_ends_it() -> None:
    phrases = Phrases(0.3, makes_cuts=True)
    fed(phrases, SPEECH[:12_800])
    assert [type(event) for event in phrases.words("go")] == [SpeechNoticed, InterimTranscript]
    assert phrases.words("go") == ()
    assert phrases.words("  ") == ()
    assert texts(phrases.words("go forward")) == ["go forward"]
    phrases.cut(1.6)
    assert phrases.ended("Go forward.", end_s=1.4) == (FinalTranscript("Go forward.", 1.4),)
    assert phrases.final_s == 1.6
    phrases.cut(1.6)
    assert phrases.ended("") == ()


def test_words_that_came_to_nothing_end_without_any() -> None:
    phrases = Phrases(0.3, makes_cuts=True)
    fed(phrases, SPEECH[:12_800])
    phrases.words("go")
    phrases.cut(1.6)
    (final,) = phrases.ended("")
    assert isinstance(final, FinalTranscript)
    assert final.text == ""


def test_behind_a_break_words_are_kept_back_until_they_have_come_as_far() -> None:
    phrases = Phrases(0.3, makes_cuts=True)
    fed(phrases, SPEECH[:12_800])
    phrases.words("go forward")
    restart = phrases.restart(0.0)
    assert (restart.at_s, restart.final) == (0.0, None)
    fed(phrases, SPEECH[:12_800])
    assert phrases.words("go") == ()
    assert texts(phrases.words("go forward")) == ["go forward"]


@pytest.mark.parametrize("makes_cuts", [True, False])
def test_silence_that_is_told_again_is_no_end_of_the_words_behind_it(makes_cuts: bool) -> None:
    phrases = Phrases(0.3, makes_cuts=makes_cuts)
    fed(phrases, QUIET * 50 + SPEECH[:12_800])
    phrases.words("go forward")
    phrases.restart(0.0)
    assert fed(phrases, QUIET * 50) == []
    assert not phrases.owed
    phrases.cut(1.0)
    assert phrases.ended("") == ()
    assert fed(phrases, SPEECH[:12_800], 1.0) == []
    assert texts(phrases.words("go forward")) == ["go forward"]


def test_audio_that_is_gone_leaves_its_words_as_they_stand() -> None:
    phrases = Phrases(0.3, makes_cuts=True)
    fed(phrases, SPEECH[:12_800])
    phrases.words("go forward")
    restart = phrases.restart(0.5)
    assert restart.final is not None
    assert restart.final.text == "go forward"
    assert restart.at_s == phrases.final_s >= 0.5
    assert texts(phrases.words("ten")) == ["ten"]


def test_silence_need_not_be_sent_again() -> None:
    phrases = Phrases(0.3, makes_cuts=True)
    fed(phrases, QUIET * 500)
    assert phrases.final_s == pytest.approx(8.5, abs=0.1)


# --- OpenAI's items ------------------------------------------------------------------------------


class Call:
    """A hearing that was sent two phrases, each of which was committed."""

    def __init__(self) -> None:
        self.hearing = TranscriptionHearing(OpenAITranscriptionConfig("k"), REQUEST)
        audio = SPEECH + QUIET * 20
        audio += audio
        self.commits = 0
        for at in range(0, len(audio) - CHUNK_BYTES + 1, CHUNK_BYTES):
            sent = self.hearing.packet(audio[at : at + CHUNK_BYTES], (at + CHUNK_BYTES) / 8_000)
            assert json.loads(sent[0])["type"] == "input_audio_buffer.append"
            self.commits += len(sent) - 1

    def say(self, *events: TranscriptionEvent) -> list[str]:
        told: list[RecogniserEvent] = []
        for event in events:
            told += self.hearing.receive(event)
        return [event.text for event in told if isinstance(event, FinalTranscript)]


def test_items_are_told_in_the_order_of_the_audio_whatever_order_they_end_in() -> None:
    call = Call()
    assert call.commits == 2
    assert call.say(AudioCommitted("a"), AudioCommitted("b"), WordsKnown("b", "Two.")) == []
    assert call.hearing.owed
    assert call.say(WordsKnown("a", "One.")) == ["One.", "Two."]
    assert not call.hearing.owed


def test_words_of_a_later_item_wait_for_the_one_before_it() -> None:
    call = Call()
    hearing = call.hearing
    assert texts(hearing.receive(WordsArrived("a", "one"))) == ["one"]
    assert hearing.receive(AudioCommitted("a")) == ()
    assert hearing.receive(WordsArrived("b", "two")) == ()
    events = hearing.receive(WordsKnown("a", "One."))
    kinds = [type(event) for event in events]
    assert kinds == [FinalTranscript, SpeechNoticed, InterimTranscript]
    assert texts(events) == ["two"]


def test_a_commit_of_nothing_is_an_answer() -> None:
    call = Call()
    assert call.say(NothingSaid(), NothingSaid()) == []
    assert not call.hearing.owed


@pytest.mark.parametrize(
    "events",
    [
        (WordsKnown("x", "words of another"),),
        (WordsArrived("a", "one"), WordsKnown("a", "One.")),  # never committed
        (AudioCommitted("a"), AudioCommitted("b"), WordsKnown("b", "x"), WordsKnown("b", "x")),
        tuple(AudioCommitted(str(number)) for number in range(40)),
        tuple(WordsArrived("a", "x" * 30_000) for _ in range(5)),
    ],
    ids=["another", "uncommitted", "twice", "too-many", "too-long"],
)
def test_items_that_make_no_sense_are_no_protocol(events: tuple[TranscriptionEvent, ...]) -> None:
    with pytest.raises(ProviderProtocolError):
        Call().say(*events)


# --- Scribe's segments ---------------------------------------------------------------------------


def scribe() -> ScribeHearing:
    hearing = ScribeHearing(ScribeConfig("k"))
    audio = SPEECH + QUIET * 20
    for at in range(0, len(audio) - CHUNK_BYTES + 1, CHUNK_BYTES):
        hearing.packet(audio[at : at + CHUNK_BYTES], (at + CHUNK_BYTES) / 8_000)
    return hearing


def test_a_segment_is_final_with_the_times_of_its_words() -> None:
    hearing = scribe()
    hearing.receive(PartialWords("go"))
    assert hearing.receive(CommittedWords("Go.")) == ()
    assert hearing.owed == "times"
    times = CommittedWords("Go.", 1.25, has_times=True)
    assert hearing.receive(times) == (FinalTranscript("Go.", 1.25),)
    assert not hearing.owed


@pytest.mark.parametrize("how", ["next", "nothing", "break"])
def test_a_segment_whose_times_do_not_come_is_final_without_them(how: str) -> None:
    hearing = scribe()
    hearing.receive(PartialWords("go"))
    hearing.receive(CommittedWords("Go."))
    if how == "break":
        restart = hearing.restart(0.0)
        assert restart.final is not None
        assert restart.final.text == "Go."
        assert restart.at_s > 1.0, "it is not told again"
        return
    message = PartialWords("forward") if how == "next" else NothingCommitted("commit_throttled")
    events = hearing.receive(message)
    finals = [event.text for event in events if isinstance(event, FinalTranscript)]
    assert finals == ["Go."]


def test_a_segment_that_is_committed_twice_is_heard_once() -> None:
    hearing = scribe()
    hearing.receive(PartialWords("go"))
    times = CommittedWords("Go.", 1.25, has_times=True)
    assert hearing.receive(times) == (FinalTranscript("Go.", 1.25),)
    assert hearing.receive(times) == ()
    assert [*hearing.receive(CommittedWords("Go.")), *hearing.receive(times)] == []
    hearing.receive(PartialWords("go"))
    assert [event.text for event in hearing.receive(times) if isinstance(event, FinalTranscript)]
