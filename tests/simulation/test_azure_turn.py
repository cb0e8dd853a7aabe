from __future__ import annotations

import struct
from typing import Any

import pytest

from simulation.azure_phrase import PhraseShape
from simulation.azure_turn import RecognitionTurn, Send, TurnSettings, understands
from simulation.clip_library import load_library
from simulation.errors import WireViolation
from simulation.fingerprint import ClipIndex, Fingerprint
from telephony import g711

LIBRARY = load_library()
INDEX = ClipIndex(LIBRARY)
CLIP = LIBRARY.clip("goforward")
QUIET = b"\xff" * 160
SETTINGS = TurnSettings(PhraseShape("en-US"), ("en-US",), segmentation_silence_s=0.3)


def riff(tag: int, rate_hz: int, bits: int) -> bytes:
    form = struct.pack("<HHIIHH", tag, 1, rate_hz, rate_hz, 1, bits)
    return b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + form + b"data\0\0\0\0"


class Listener:
    """Feeds a turn in real time and notes when each message left."""

    def __init__(self, settings: TurnSettings = SETTINGS) -> None:
        self.turn = RecognitionTurn(settings, Fingerprint(INDEX))
        self.now = 0.0
        self.sent: list[tuple[float, Send]] = []
        self.turn.begin(now=0.0)
        self.drain()

    def drain(self) -> None:
        while (message := self.turn.next_output(now=self.now)) is not None:
            self.sent.append((self.now, message))

    def play(self, audio: bytes, step: int = 160) -> Listener:
        for at in range(0, len(audio), step):
            self.now = round(self.now + step / 8_000, 6)
            while (deadline := self.turn.next_deadline()) is not None and deadline <= self.now:
                late, self.now = self.now, max(deadline, 0.0)
                self.drain()
                self.now = late
            self.turn.receive_audio(audio[at : at + step], now=self.now)
            self.drain()
        return self

    def end(self) -> Listener:
        self.turn.receive_audio(b"", now=self.now)
        self.now += 10
        self.drain()
        return self

    def paths(self) -> list[str]:
        return [message.path for _, message in self.sent]

    def bodies(self, path: str) -> list[dict[str, Any]]:
        return [message.body for _, message in self.sent if message.path == path]

    def times(self, path: str) -> list[float]:
        return [at for at, message in self.sent if message.path == path]


def test_one_sentence_from_first_to_last_message() -> None:
    listener = Listener().play(CLIP.ulaw + QUIET * 50).end()
    assert listener.paths() == [
        "turn.start",
        "speech.startDetected",
        *["speech.hypothesis"] * 4,
        "speech.phrase",
        "speech.endDetected",
        "speech.phrase",
        "turn.end",
    ]
    assert [body["Text"] for body in listener.bodies("speech.hypothesis")] == [
        "go",
        "go forward",
        "go forward ten",
        "go forward ten meters",
    ]
    phrase, end = listener.bodies("speech.phrase")
    assert phrase["RecognitionStatus"] == "Success"
    assert phrase["DisplayText"] == "Go forward ten meters."
    assert phrase["Offset"] == pytest.approx(CLIP.speech_start_s * 1e7, abs=5e5)
    assert end["RecognitionStatus"] == "EndOfDictation"


def test_a_hypothesis_comes_its_lag_after_the_word_and_the_final_after_the_silence() -> None:
    listener = Listener().play(CLIP.ulaw + QUIET * 50)
    expected = [word.end_s + SETTINGS.interim_lag_s for word in CLIP.words]
    assert listener.times("speech.hypothesis") == pytest.approx(expected, abs=0.025)
    silence_at = CLIP.speech_end_s + SETTINGS.segmentation_silence_s
    assert listener.times("speech.phrase") == pytest.approx(
        [silence_at + SETTINGS.final_lag_s], abs=0.06
    )


def test_a_pause_longer_than_the_segmentation_silence_makes_two_phrases() -> None:
    listener = Listener().play(LIBRARY.clip("hes_en_um").ulaw)
    texts = [body["DisplayText"] for body in listener.bodies("speech.phrase")]
    assert texts == ["I can't seem to.", "Um, find the return label."]


def test_a_shorter_pause_does_not() -> None:
    settings = TurnSettings(PhraseShape("en-US"), ("en-US",), segmentation_silence_s=0.9)
    bodies = Listener(settings).play(LIBRARY.clip("hes_en_number").ulaw).bodies("speech.phrase")
    assert len(bodies) == 1


def test_a_lost_frame_loses_its_word_only() -> None:
    at = int((CLIP.words[2].start_s + 0.1) * 50) * 160
    listener = Listener().play(CLIP.ulaw[:at] + CLIP.ulaw[at + 160 :] + QUIET * 50)
    assert listener.bodies("speech.phrase")[0]["DisplayText"] == "Go forward meters."


def test_unknown_sound_is_no_match() -> None:
    noise = bytes((i * 7_919 + i * i) % 251 & 0x9F for i in range(4_800))
    listener = Listener().play(QUIET * 10 + noise + QUIET * 40)
    (body,) = listener.bodies("speech.phrase")
    assert body["RecognitionStatus"] == "NoMatch"
    assert "DisplayText" not in body
    assert listener.bodies("speech.hypothesis") == []


def test_a_click_is_nothing() -> None:
    assert Listener().play(QUIET * 10 + b"\x00" * 160 + QUIET * 50).paths() == ["turn.start"]


def test_another_language_is_sound_without_words() -> None:
    (body,) = Listener().play(LIBRARY.clip("int_yue_dang").ulaw).bodies("speech.phrase")
    assert body["RecognitionStatus"] == "NoMatch"


def test_an_identified_language_is_named() -> None:
    shape = PhraseShape("en-US", candidates=("en-US", "zh-HK"))
    settings = TurnSettings(shape, ("en-US", "zh-HK"), segmentation_silence_s=0.5)
    (body,) = Listener(settings).play(LIBRARY.clip("int_yue_dang").ulaw).bodies("speech.phrase")
    assert body["DisplayText"] == "等陣先,唔係呢個意思。"
    assert body["PrimaryLanguage"]["Language"] == "zh-HK"


def test_detailed_results_carry_word_times() -> None:
    shape = PhraseShape("en-US", detailed=True, word_times=True)
    settings = TurnSettings(shape, ("en-US",), base=10_000_000, segmentation_silence_s=0.3)
    (body,) = Listener(settings).play(CLIP.ulaw + QUIET * 30).bodies("speech.phrase")
    best = body["NBest"][0]
    assert best["Lexical"] == "go forward ten meters"
    assert best["Words"][1]["Word"] == "forward"
    assert best["Words"][1]["Offset"] == pytest.approx(1e7 + CLIP.words[1].start_s * 1e7, abs=2)


def test_silence_from_the_start_is_reported_once() -> None:
    settings = TurnSettings(PhraseShape("en-US"), ("en-US",), initial_silence_s=1.0)
    bodies = Listener(settings).play(QUIET * 200).bodies("speech.phrase")
    assert [body["RecognitionStatus"] for body in bodies] == ["InitialSilenceTimeout"]


def test_a_burst_gives_the_same_phrases_as_real_time() -> None:
    audio = LIBRARY.clip("hes_en_um").ulaw + QUIET * 40
    burst = Listener()
    burst.turn.receive_audio(audio, now=0.0)
    burst.now = 60.0
    burst.drain()
    slow = Listener().play(audio)
    times = [(b["Offset"], b["Duration"], b["DisplayText"]) for b in slow.bodies("speech.phrase")]
    assert times == [
        (b["Offset"], b["Duration"], b["DisplayText"]) for b in burst.bodies("speech.phrase")
    ]


def test_the_end_of_the_audio_ends_a_phrase_at_once() -> None:
    end = int(CLIP.words[1].end_s * 8_000) // 160 * 160 + 160
    listener = Listener().play(CLIP.ulaw[:end]).end()
    assert listener.bodies("speech.phrase")[0]["DisplayText"] == "Go forward."
    assert listener.paths()[-1] == "turn.end"


def test_a_header_alone_is_not_the_end() -> None:
    listener = Listener()
    listener.turn.receive_audio(riff(7, 8_000, 8), now=0.0)
    assert not listener.turn.ended


def test_linear_audio_is_recognised_too() -> None:
    listener = Listener()
    listener.turn.receive_audio(riff(1, 8_000, 16), now=0.0)
    listener.play(g711.decode(CLIP.ulaw).astype("<i2").tobytes(), step=320).end()
    assert listener.bodies("speech.phrase")[0]["DisplayText"] == "Go forward ten meters."


def test_another_rate_is_refused_in_words() -> None:
    with pytest.raises(WireViolation, match="8 kHz"):
        Listener().turn.receive_audio(riff(1, 16_000, 16), now=0.0)


@pytest.mark.parametrize(
    ("languages", "spoken", "does"),
    [
        (("en-GB",), "en-US", True),
        (("zh-CN",), "zh-HK", False),
        (("yue-CN",), "zh-HK", True),
        (("de-DE", "it-IT"), "it-CH", True),
        (("de-DE",), "en-US", False),
    ],
)
def test_accents_are_understood_and_languages_are_not(
    languages: tuple[str, ...], spoken: str, does: bool
) -> None:
    assert understands(languages, spoken) is does
