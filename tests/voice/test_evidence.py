"""What each piece of evidence does to the silence that is needed, and how it is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.endpoint_config import EndpointConfig
from voice.evidence import NOTHING_ASKED, Evidence, Weighed, weigh
from voice.evidence_lag import WordLag
from voice.evidence_lead import ReplyLead
from voice.evidence_model import TurnJudge
from voice.evidence_pauses import LEAST_S, MOST_S, CallerPauses
from voice.evidence_words import HeardWords
from voice.lexicon import Asked
from voice.presets import DEFAULT, PRESETS

CONFIG = EndpointConfig()
NEUTRAL = Evidence("a table tonight", "en-US")
RATIOS = st.floats(0.0, 1.0)


def weighed(text: str = NEUTRAL.text, asked: Asked | None = None, **fields: float) -> Weighed:
    evidence = replace(NEUTRAL, text=text, asked=asked or NEUTRAL.asked)
    return weigh(replace(evidence, **fields), CONFIG)  # type: ignore[arg-type]


def test_words_that_say_nothing_take_the_silence_as_it_is() -> None:
    found = weighed()
    assert (found.eager_s, found.commit_s) == (CONFIG.eager_silence_s, CONFIG.commit_silence_s)
    assert found.why == "no known end"


def test_an_open_end_is_waited_for_and_says_why() -> None:
    found = weighed("I want a table and")
    assert found.commit_s == CONFIG.longest_silence_s
    assert found.why.endswith(f"x{CONFIG.hold_factor:.2f}")


def test_a_closing_phrase_is_answered_sooner() -> None:
    assert weighed("that's all thank you").commit_s < CONFIG.commit_silence_s


class TestWhatWasAsked:
    def test_a_yes_that_was_asked_for_is_whole(self) -> None:
        found = weighed("yes please", Asked("yes_no"))
        assert found.is_whole
        assert found.commit_s == CONFIG.answer_silence_s
        assert found.why == "yes or no, as asked"

    def test_a_yes_that_nobody_asked_for_is_not(self) -> None:
        assert not weighed("yes please", Asked("open")).is_whole

    @pytest.mark.parametrize(
        ("text", "silence_s", "is_whole"),
        [
            ("five five", CONFIG.longest_digits_s, False),
            ("five five one two", CONFIG.digits_silence_s, True),
            ("it is 5512", CONFIG.digits_silence_s, True),
            ("五五一二", CONFIG.digits_silence_s, True),
        ],
    )
    def test_as_many_digits_as_were_asked_for(
        self, text: str, silence_s: float, is_whole: bool
    ) -> None:
        language = "zh-CN" if text.startswith("五") else "en-US"
        asked = Asked("digits", 4, is_stated=True)
        found = weigh(Evidence(text, language, asked), CONFIG)
        assert (found.commit_s, found.is_whole) == (silence_s, is_whole)
        assert found.why.endswith("of 4 digits")

    @pytest.mark.parametrize("usual", [None, 10])
    def test_a_number_of_unknown_length_is_given_some_time(self, usual: int | None) -> None:
        found = weighed("five five five", Asked("digits", usual))
        assert (found.commit_s, found.is_whole) == (CONFIG.some_digits_s, False)

    @pytest.mark.parametrize(
        ("digits", "asked", "silence_s"),
        [
            (5, Asked("digits"), CONFIG.some_digits_s),
            (6, Asked("digits"), CONFIG.enough_digits_s),
            (6, Asked("digits", least=7), CONFIG.longest_silence_s),
            (7, Asked("digits", least=7), CONFIG.enough_digits_s),
            (7, Asked("digits", 10, least=7), CONFIG.some_digits_s),
            (7, Asked("digits", 10, least=7, breaks=(3, 6)), CONFIG.enough_digits_s),
            (8, Asked("digits", 10, least=7, breaks=(2, 4, 6, 8)), CONFIG.some_digits_s),
            (6, Asked("digits", 10, least=7, breaks=(3,)), CONFIG.longest_silence_s),
        ],
    )
    def test_the_more_digits_there_are_the_less_is_waited(
        self, digits: int, asked: Asked, silence_s: float
    ) -> None:
        assert weighed("five " * digits, asked).commit_s == silence_s

    def test_the_usual_length_of_a_country_is_a_whole_number(self) -> None:
        found = weighed("five " * 10, Asked("digits", 10))
        assert (found.is_whole, found.is_counted) == (True, False)

    def test_words_in_place_of_digits_are_words(self) -> None:
        found = weighed("I do not have it here", Asked("digits", 4, is_stated=True))
        assert found.commit_s == CONFIG.commit_silence_s

    def test_the_model_is_not_believed_about_numbers(self) -> None:
        asked = Asked("digits")
        assert weighed("five five five", asked, ratio=0.99) == weighed("five five five", asked)

    def test_a_word_or_two_to_an_open_question_are_seldom_all(self) -> None:
        config = replace(CONFIG, few_words_factor=1.3)
        commits_s = [
            weigh(Evidence(text, "en-US", Asked("open")), config).commit_s
            for text in ("billing", "billing address", "billing address change")
        ]
        assert commits_s == sorted(commits_s, reverse=True)
        assert commits_s[-1] == CONFIG.commit_silence_s

    @pytest.mark.parametrize("asked", [NOTHING_ASKED, Asked("open")])
    @pytest.mark.parametrize(
        ("text", "language"),
        [
            ("yes", "en-US"),
            ("No, thanks.", "en-US"),
            ("uh huh", "en-US"),
            ("three", "en-US"),
            ("sieben", "de-DE"),
            ("係", "zh-HK"),
            ("三", "zh-CN"),
        ],
    )
    def test_an_answer_that_is_whole_waits_for_nothing_that_words_could_say(
        self, text: str, language: str, asked: Asked
    ) -> None:
        found = weigh(Evidence(text, language, asked, ratio=0.01), PRESETS[DEFAULT].endpoint)
        assert found.commit_s <= PRESETS[DEFAULT].endpoint.longest_answer_s
        assert "words" not in found.why

    @pytest.mark.parametrize("text", ["five minutes", "and", "well", "five five five"])
    def test_what_may_go_on_is_no_such_answer(self, text: str) -> None:
        found = weigh(Evidence(text, "en-US", ratio=0.01), PRESETS[DEFAULT].endpoint)
        assert found.commit_s > PRESETS[DEFAULT].endpoint.longest_answer_s

    def test_the_model_does_not_talk_the_last_words_out_of_an_end(self) -> None:
        text = "What time do you close?"
        assert weighed(text, ratio=0.02).commit_s == weighed(text).commit_s
        assert weighed(text, ratio=0.98).commit_s < weighed(text).commit_s

    def test_few_words_that_sound_unfinished_are_so_once(self) -> None:
        config = replace(CONFIG, few_words_factor=1.3, words_weight=0.5, words_neutral=0.75)
        alone = replace(config, few_words_factor=1.0)
        for text in ("the", "billing", "billing please"):
            found = weigh(Evidence(text, "en-US", Asked("open")), config)
            by_words = weigh(Evidence(text, "en-US", Asked("open")), alone)
            by_number = weigh(
                Evidence(text, "en-US", Asked("open")), replace(config, words_weight=0.0)
            )
            assert found.commit_s == max(by_words.commit_s, by_number.commit_s)


class TestHowLongTheCallerHasSpoken:
    CONFIG = replace(CONFIG, spoken_weight=0.3)

    def silence_s(self, spoken_s: float | None, text: str = NEUTRAL.text) -> float:
        return weigh(replace(NEUTRAL, text=text, spoken_s=spoken_s), self.CONFIG).commit_s

    def test_the_more_was_said_the_likelier_that_was_all(self) -> None:
        silences_s = [self.silence_s(spoken_s) for spoken_s in (1.0, 1.5, 3.0, 4.0)]
        assert silences_s == sorted(set(silences_s), reverse=True)

    def test_so_far_and_no_farther(self) -> None:
        assert self.silence_s(0.2) == self.silence_s(1.0)
        assert self.silence_s(60.0) == self.silence_s(4.0)

    def test_two_seconds_say_nothing_and_neither_does_speech_that_nobody_found(self) -> None:
        assert self.silence_s(2.0) == self.silence_s(None) == CONFIG.commit_silence_s

    def test_it_is_told(self) -> None:
        assert "4.0 s spoken x0.81" in weigh(replace(NEUTRAL, spoken_s=4.0), self.CONFIG).why

    @pytest.mark.parametrize("text", ["yes", "uh huh", "three"])
    def test_short_answers_are_short(self, text: str) -> None:
        assert self.silence_s(1.0, text) == self.silence_s(None, text)

    def test_neither_do_numbers_end_for_having_been_read_slowly(self) -> None:
        evidence = replace(NEUTRAL, text="five five five", asked=Asked("digits", 10))
        assert weigh(replace(evidence, spoken_s=4.0), self.CONFIG) == weigh(evidence, self.CONFIG)


class TestATelephoneNumberNobodyAskedFor:
    DOUBT = 0.02  # what the model of sound thinks of numbers

    def silence_s(self, text: str, language: str = "en-US", asked: str = "open") -> float:
        kind = Asked(asked)  # type: ignore[arg-type]
        return weigh(Evidence(text, language, kind, self.DOUBT), CONFIG).commit_s

    @pytest.mark.parametrize(
        ("language", "text"),
        [
            ("en-US", "my number is five five five one two three four five six seven"),
            ("en-US", "You can call me on 555 123 4567."),
            ("zh-HK", "我電話係九一二三四五六七"),
            ("zh-HK", "我電話係9123 4567。"),
            ("yue", "打九一二三四五六七"),
            ("es-ES", "mi teléfono es 612 345 678"),
        ],
    )
    def test_is_whole_with_as_many_digits_as_the_country_has(
        self, language: str, text: str
    ) -> None:
        assert self.silence_s(text, language) <= CONFIG.enough_digits_s

    @pytest.mark.parametrize(
        ("language", "text"),
        [
            ("en-US", "my number is five five five one two three four"),
            ("en-US", "my card is 4242 4242 4242"),
            ("en-US", "my number is 555 123 4567 and my name is"),
            ("zh-HK", "我電話係九一二三四五"),
            ("de-DE", "meine nummer ist 0171 234 567 89"),
        ],
    )
    def test_is_waited_for_with_any_other_number_of_them(self, language: str, text: str) -> None:
        assert self.silence_s(text, language) > CONFIG.enough_digits_s

    def test_surer_evidence_is_not_held_up(self) -> None:
        text = "my number is 555 123 4567"
        sure = weigh(Evidence(text, "en-US", Asked("open"), 0.99), CONFIG)
        assert sure.commit_s < CONFIG.enough_digits_s
        assert "telephone" in sure.why


class TestTheTimeAReplyTakes:
    def test_a_guess_is_made_no_sooner_than_it_has_to_be(self) -> None:
        assert weighed(lead_s=0.2).eager_s == pytest.approx(CONFIG.commit_silence_s - 0.2)
        assert weighed(lead_s=0.2).commit_s == weighed().commit_s

    def test_nor_sooner_than_the_evidence_allows(self) -> None:
        assert weighed(lead_s=9.0).eager_s == weighed().eager_s == CONFIG.eager_silence_s

    def test_what_is_whole_is_answered_at_once_whatever_replies_take(self) -> None:
        asked = Asked("yes_no")
        assert weighed("yes", asked, lead_s=0.0) == weighed("yes", asked)

    def test_it_is_learned_sooner_when_it_grows(self) -> None:
        lead = ReplyLead(0.6)
        for _ in range(10):
            lead.took(1.0)
        assert lead.usual_s > 0.99
        for _ in range(10):
            lead.took(0.4)
        assert 0.55 < lead.usual_s < 0.7


@given(st.floats(0.3, 1.0), st.lists(st.floats(-1.0, 60.0)))
def test_the_time_a_reply_takes_stays_within_its_bounds(first_s: float, took: list[float]) -> None:
    lead = ReplyLead(first_s)
    for seconds in took:
        lead.took(seconds)
    assert 0.2 <= lead.usual_s <= 1.5


@given(RATIOS, RATIOS)
def test_a_surer_model_never_asks_for_more_silence(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert weighed(ratio=high).commit_s <= weighed(ratio=low).commit_s
    assert weighed(ratio=high).eager_s <= weighed(ratio=low).eager_s


@given(RATIOS, RATIOS)
def test_a_surer_recogniser_never_asks_for_more_silence(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert weighed(hint=high).commit_s <= weighed(hint=low).commit_s <= weighed().commit_s


@given(
    st.text(max_size=40),
    st.sampled_from(["en-US", "zh-HK", "de-DE", "xx", ""]),
    st.sampled_from(["yes_no", "digits", "choice", "open", "none"]),
    st.one_of(st.none(), st.integers(1, 12)),
    st.one_of(st.none(), RATIOS),
    st.one_of(st.none(), RATIOS),
    st.floats(0.1, 4.0),
)
def test_whatever_is_known_the_silences_stay_in_their_bounds(
    text: str,
    language: str,
    kind: str,
    count: int | None,
    ratio: float | None,
    hint: float | None,
    pace: float,
) -> None:
    asked = Asked(kind, count, is_stated=True)  # type: ignore[arg-type]
    found = weigh(Evidence(text, language, asked, ratio, hint, pace), CONFIG)
    assert 0.0 < found.eager_s <= found.commit_s
    assert found.commit_s <= max(CONFIG.longest_silence_s, CONFIG.longest_digits_s)
    assert found.why
    assert 0.0 < found.confidence(0.2) < found.confidence(0.4) < 1.0


def test_the_neutral_answer_of_the_model_changes_nothing() -> None:
    assert weighed(ratio=CONFIG.model_neutral).commit_s == pytest.approx(CONFIG.commit_silence_s)


def test_the_model_is_believed_so_far_when_it_hears_a_pause() -> None:
    config = replace(CONFIG, model_least=0.6)

    def silence_s(ratio: float) -> float:
        return weigh(replace(NEUTRAL, ratio=ratio), config).commit_s

    assert silence_s(0.01) == silence_s(0.6) > silence_s(0.7) > silence_s(0.95)
    assert silence_s(0.6) == weighed(ratio=0.6).commit_s


def test_without_the_model_silence_is_measured_by_its_own_factor() -> None:
    config = replace(CONFIG, unjudged_factor=0.8)
    assert weigh(NEUTRAL, config).commit_s == pytest.approx(0.8 * CONFIG.commit_silence_s)
    judged = replace(NEUTRAL, ratio=CONFIG.model_neutral)
    assert weigh(judged, config).commit_s == pytest.approx(CONFIG.commit_silence_s)


class TestTheCallersPauses:
    def test_a_caller_who_takes_his_time_is_given_more(self) -> None:
        pauses = CallerPauses(0.45)
        for _ in range(30):
            pauses.went_on_after(1.4)
        assert pauses.usual_s == MOST_S
        assert weighed(pace_ratio=pauses.pace_ratio).commit_s > CONFIG.commit_silence_s

    def test_a_quick_one_less(self) -> None:
        pauses = CallerPauses(0.45)
        for _ in range(80):
            pauses.went_on_after(0.12)
        assert pauses.usual_s == LEAST_S
        assert weighed(pace_ratio=pauses.pace_ratio).commit_s < CONFIG.commit_silence_s

    def test_a_pause_that_was_mistaken_for_the_end_counts_double(self) -> None:
        once, cut = CallerPauses(0.45), CallerPauses(0.45)
        once.went_on_after(0.8)
        cut.went_on_after(0.8, was_taken=True)
        assert cut.usual_s - 0.45 == pytest.approx(2 * (once.usual_s - 0.45))

    @pytest.mark.parametrize("pause_s", [-1.0, 0.05, 4.0])
    def test_gaps_inside_words_and_new_turns_are_no_pauses(self, pause_s: float) -> None:
        assert not CallerPauses(0.45).went_on_after(pause_s)


class TestTheModel:
    def test_it_is_asked_once_a_pause_and_again_only_without_an_answer(self) -> None:
        judge = TurnJudge((0.08, 0.5))
        pause_id = judge.asked(0.1)
        assert judge.next_at_s == 0.5
        assert judge.answered(pause_id, 0.7)
        assert judge.next_at_s == float("inf")
        assert not judge.answered(pause_id, 0.1)
        assert judge.ratio == 0.7

    def test_an_answer_about_an_earlier_pause_is_stale(self) -> None:
        judge = TurnJudge((0.08,))
        pause_id = judge.asked(0.1)
        judge.went_on()
        assert not judge.answered(pause_id, 0.9)
        assert judge.asked(0.1) == pause_id + 1
        assert judge.ratio is None

    @pytest.mark.parametrize(("said", "kept"), [(7.0, 1.0), (-7.0, 0.0)])
    def test_answers_out_of_bounds_are_clipped(self, said: float, kept: float) -> None:
        judge = TurnJudge((0.08,))
        assert judge.answered(judge.asked(0.1), said)
        assert judge.ratio == kept

    def test_nonsense_and_answers_to_no_question_are_none(self) -> None:
        judge = TurnJudge((0.08,))
        assert not judge.answered(judge.pause_id, 0.5)
        assert not judge.answered(judge.asked(0.1), float("nan"))


class TestTheLagOfWords:
    def test_a_longer_lag_is_believed_at_once_and_a_shorter_one_slowly(self) -> None:
        lag = WordLag(0.3)
        lag.arrived(1.0, at_s=1.6, speech_s=(0.5, 1.5), is_new=True)
        assert lag.usual_s == pytest.approx(0.6)
        lag.arrived(2.0, at_s=2.1, speech_s=(0.5, 2.1), is_new=True)
        assert lag.usual_s == pytest.approx(0.5)

    def test_sound_that_always_outlives_the_words_is_learned(self) -> None:
        lag = WordLag(0.2)
        for _ in range(20):
            lag.arrived(1.0, at_s=1.2, speech_s=(0.5, 1.3), is_new=True)
            lag.ended(1.0)
        assert lag.gap_s == pytest.approx(0.3, abs=0.02)
        lag.arrived(1.0, at_s=1.2, speech_s=(0.5, 1.3), is_new=True)
        assert lag.uncovered_s == 0.0

    def test_silence_between_words_and_speech_is_not_uncovered(self) -> None:
        lag = WordLag(0.2)
        lag.arrived(1.0, at_s=1.2, speech_s=(0.5, 1.0), is_new=True)
        lag.spoke(0.1)
        assert lag.uncovered_s == 0.0
        lag.spoke(0.1)
        assert lag.uncovered_s == pytest.approx(0.2)


def test_words_heard_again_after_they_were_taken_are_no_news() -> None:
    words = HeardWords()
    words.hear_interim("a table", is_same_phrase=False, now=1.0)
    assert words.take(now=1.1) == "a table"
    words.hear_interim("a table for two", is_same_phrase=True, now=1.2)
    assert words.text == "for two"
    assert words.hear_final("A table for two.", is_same_phrase=True, now=1.5)
    assert (words.text, words.is_final) == ("for two.", True)
