from __future__ import annotations

from random import Random

import pytest

from cluster.evaluate.lags import EARS, EarLags, HintLags, Lag
from cluster.evaluate.replay_ear import Due, ReplayEar
from tests.cluster.evaluate.call_by_hand import turn
from voice.events import FinalHeard, InterimHeard, TurnEndHinted, TurnResumed

EXACT = EarLags(Lag(0.15, 0.0), 0.0, 0.35, Lag(0.1, 0.0))
PAUSED = turn(
    "a",
    words=(("so", 0.1, 0.5), ("tell", 1.5, 1.8), ("me", 1.8, 2.0)),
    pauses=((0.5, 1.5),),
)


def heard(ear: ReplayEar, until_s: float, from_s: float = 0.0) -> list[Due]:
    """Frames that arrive the moment they were spoken."""
    said: list[Due] = []
    for frame in range(round(from_s / 0.02), round(until_s / 0.02)):
        at_s = (frame + 1) * 0.02
        said += ear.deliver(at_s, now=at_s)
    return said


def test_words_come_after_their_end_and_phrases_after_silence() -> None:
    ear = ReplayEar(EXACT, Random(1))
    ear.begin(turn("a"), 0.0)
    assert heard(ear, 3.0) == [
        (pytest.approx(0.65), InterimHeard("hello", 0.5)),
        (pytest.approx(1.15), InterimHeard("hello there", 1.0)),
        (pytest.approx(1.46), FinalHeard("Hello there.", 1.0)),
    ]
    assert ear.is_idle


def test_a_long_pause_ends_a_phrase() -> None:
    ear = ReplayEar(EXACT, Random(1))
    ear.begin(PAUSED, 0.0)
    finals = [event.text for _, event in heard(ear, 4.0) if isinstance(event, FinalHeard)]
    assert finals == ["So.", "Tell me."]


def test_what_the_network_holds_up_is_heard_late() -> None:
    ear = ReplayEar(EXACT, Random(1))
    ear.begin(turn("a"), 0.0)
    ear.deliver(0.4, now=0.4)
    assert ear.deliver(0.6, now=0.9) == [(pytest.approx(1.05), InterimHeard("hello", 0.5))]


def test_chinese_is_written_without_spaces() -> None:
    ear = ReplayEar(EXACT, Random(1))
    words = (("你", 0.0, 0.2), ("好", 0.2, 0.4))
    ear.begin(turn("a", words=words, language="zh-HK"), 0.0)
    assert [event.text for _, event in heard(ear, 2.0) if isinstance(event, FinalHeard)] == [
        "你好。"
    ]


def test_a_recogniser_with_an_opinion_hints_takes_back_and_ends() -> None:
    always = HintLags(Lag(0.3, 0.0), 0.2, 0.08, 1.0, 0.0, 0.15)
    ear = ReplayEar(EarLags(Lag(0.1, 0.0), 0.0, 0.0, Lag(0.0, 0.0), always), Random(1))
    ear.begin(PAUSED, 0.0)
    kinds = [type(event) for _, event in heard(ear, 4.0)]
    assert kinds[:3] == [InterimHeard, TurnEndHinted, TurnResumed]
    assert kinds[-3:] == [TurnEndHinted, TurnEndHinted, FinalHeard]
    ends = [(at_s, event) for at_s, event in heard_again() if isinstance(event, FinalHeard)]
    assert ends == [(pytest.approx(2.3, abs=0.021), FinalHeard("So tell me.", 2.0))]


def heard_again() -> list[Due]:
    never = HintLags(Lag(0.3, 0.0), 0.2, 0.08, 0.0, 0.0, 0.15)
    ear = ReplayEar(EarLags(Lag(0.1, 0.0), 0.0, 0.0, Lag(0.0, 0.0), never), Random(1))
    ear.begin(PAUSED, 0.0)
    return heard(ear, 4.0)


@pytest.mark.parametrize("name", EARS)
def test_every_recogniser_tells_all_words_in_the_end(name: str) -> None:
    ear = ReplayEar(EARS[name], Random(3))
    ear.begin(turn("a"), 0.0)
    said = heard(ear, 10.0)
    assert [event.text for _, event in said if isinstance(event, FinalHeard)] == ["Hello there."]
    assert [due for due, _ in said] == sorted(due for due, _ in said)
