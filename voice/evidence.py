"""How much silence shows that the caller has finished, by everything that is known about his words.

Pauses in the middle of a turn are spread so that silence twice as long leaves a third of them:
survival is about ``(silence / 0.2 s) ** -1.45``, fitted to the silence-only detector of the public
eot-bench (55.6 % of turns cut at 0.3 s, 21.7 % at 0.6 s, 10 % at 1 s, 5 % at 1.6 s). So evidence
that makes an end some times as likely is worth a *factor* on the silence that is needed, whatever
that is, and independent evidence multiplies.

Rules:

1. The silence needed is that for words which say nothing (``commit_silence_s``), times a factor for
   each piece of evidence: the last words (``lexicon.end_cue``) or, where they say nothing, all the
   words (``completeness``) unless more was said, the end-of-turn model, the recogniser's own hint,
   what was asked, and this caller's own pauses. It stays between
   ``least_silence_s`` and a longest silence that depends on what was asked. The silence after which
   a reply is prepared (``eager_silence_s``) takes the same factors; it is longer where a reply that
   is begun later is there in time as well (``lead_s``).
2. One or two words that answer no short question are seldom all: ``few_words_factor`` for each that
   is missing to three, or what all the words say if that is more: it is one piece of evidence.
   But a yes, a no, a listener's word or one or two numbers are whole in themselves: such an answer
   waits no longer than ``longest_answer_s``, whatever was asked.
3. An answer that is whole needs next to nothing: as many digits as were asked for
   (``digits_silence_s``), or a yes or no where it was asked for (``answer_silence_s``).
4. Fewer digits than were asked for need the longest silence of all, while the caller is at them and
   if the question said how many. Of a number whose length nobody knows, fewer than any such number
   has need ``longest_silence_s``, a good many ``enough_digits_s``, and so do fewer than are usual
   that end where nobody pauses who reads such a number; otherwise ``some_digits_s``. A
   number always sounds finished, so the model has no say, and no caller reads one at his own pace.
5. The more was said, the likelier a pause is its end (``spoken_weight``), but for short answers
   and numbers, which have rules of their own.
6. Where the last words are an end ("is that all?", 㗎), the model may not speak against it.
7. More evidence for an end never asks for more silence (the factors are monotone).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from voice.completeness import completeness
from voice.endpoint_config import EndpointConfig
from voice.lexicon import (
    Asked,
    Cue,
    LexicalCue,
    digits_in,
    end_cue,
    is_backchannel,
    is_yes_or_no,
    phone_digits,
    units,
)
from voice.words import split_words

NOTHING_ASKED = Asked("none", None)
_PAUSE_EXPONENT = 1.45
_ODDS_AT_COMMIT = 12.0
_MOST_CERTAIN = 0.99
_FEW_WORDS = 3.0
_MANY_DIGITS = 6
LEAST_SPOKEN_S, MOST_SPOKEN_S = 1.0, 4.0  # beyond, it says no more: a long story pauses as well
_USUAL_SPOKEN_S = 2.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about a pause besides its length.

    Attributes:
        text: All words of the utterance.
        language: BCP-47 tag.
        asked: What the agent asked for last.
        ratio: The end-of-turn model's answer, 0 to 1; None without one.
        hint: The recogniser's own belief in an end, 0 to 1; None without one.
        pace_ratio: This caller's pauses compared with everybody's.
        lead_s: How long before the taking of the turn a reply must be begun to be there then;
            infinite when nobody knows.
        is_stale: More was said than the words tell.
        spoken_s: How long the caller has been speaking in this turn; None when nobody knows.
    """

    text: str
    language: str
    asked: Asked = NOTHING_ASKED
    ratio: float | None = None
    hint: float | None = None
    pace_ratio: float = 1.0
    lead_s: float = math.inf
    is_stale: bool = False
    spoken_s: float | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the evidence comes to.

    Attributes:
        eager_s: Silence after which a reply is prepared.
        commit_s: Silence after which the turn is taken; at least ``eager_s``.
        is_whole: The words are all that was asked for.
        is_counted: So they are, by their number, and the question named it.
        why: The evidence with its figures.
    """

    eager_s: float
    commit_s: float
    is_whole: bool
    why: str
    is_counted: bool = False

    def confidence(self, silence_s: float) -> float:
        """How likely the turn is over after this silence, 0 to 1, by the spread of pauses."""
        odds = _ODDS_AT_COMMIT * (silence_s / self.commit_s) ** _PAUSE_EXPONENT
        return float(odds / (1.0 + odds))


def weigh(evidence: Evidence, config: EndpointConfig) -> Weighed:
    """The silences that this evidence asks for; pure, some ten microseconds."""
    asked, text, language = evidence.asked, evidence.text, evidence.language
    if asked.kind == "digits" and digits_in(text, language) > 0:
        digits = _weigh_digits(evidence, config)
        if digits is not None:
            return digits
    if asked.kind == "yes_no" and is_yes_or_no(text, language):
        return _whole(config.answer_silence_s, "yes or no, as asked", config)
    cue = end_cue(text, language)
    is_answer = _is_answer(text, language, asked)
    factors = _factors(evidence, cue, config, is_answer=is_answer)
    factor = math.prod(number for _, number in factors)
    longest_s = config.longest_silence_s
    if is_answer and cue.cue is not Cue.HOLD:
        longest_s = min(longest_s, config.longest_answer_s)
    why = _told(factors)
    if _is_phone_number(text, language):
        longest_s = min(longest_s, config.enough_digits_s)
        why += ", as many digits as telephone numbers have"
    commit_s = min(max(config.commit_silence_s * factor, config.least_silence_s), longest_s)
    eager_s = max(config.eager_silence_s * factor, config.least_eager_s)
    return _prepared(eager_s, commit_s, evidence.lead_s, why)


def _prepared(eager_s: float, commit_s: float, lead_s: float, why: str) -> Weighed:
    return Weighed(min(max(eager_s, commit_s - lead_s), commit_s), commit_s, False, why)


def _weigh_digits(evidence: Evidence, config: EndpointConfig) -> Weighed | None:
    """A number that was asked for; None when its last word is none of it."""
    text, language, asked = evidence.text, evidence.language, evidence.asked
    digits = digits_in(text, language)
    why = f"{digits} digits" if asked.count is None else f"{digits} of {asked.count} digits"
    if asked.count is not None and digits >= asked.count:
        return replace(_whole(config.digits_silence_s, why, config), is_counted=asked.is_stated)
    if digits_in(_last_word(text), language) == 0:
        return None
    commit_s = _digits_s(digits, asked, config)
    return _prepared(config.eager_silence_s, commit_s, evidence.lead_s, why)


def _is_phone_number(text: str, language: str) -> bool:
    """Whether what ends here has the digits of a telephone number of the region."""
    count = phone_digits(language)
    if count is None or digits_in(_last_word(text), language) == 0:
        return False
    return digits_in(text, language) == count


def _digits_s(digits: int, asked: Asked, config: EndpointConfig) -> float:
    if asked.is_stated:
        return config.longest_digits_s
    if digits < asked.least:
        return config.longest_silence_s
    is_many = asked.count is None and digits >= _MANY_DIGITS
    is_between = bool(asked.breaks) and digits not in asked.breaks  # nobody pauses there
    return config.enough_digits_s if is_many or is_between else config.some_digits_s


def _whole(silence_s: float, why: str, config: EndpointConfig) -> Weighed:
    return Weighed(min(config.least_eager_s, silence_s), silence_s, True, why)


def _told(factors: list[tuple[str, float]]) -> str:
    (words, number), *others = factors
    told = [f"{why} x{factor:.2f}" for why, factor in others if abs(factor - 1.0) > 0.005]
    return ", ".join((words if number == 1.0 else f"{words} x{number:.2f}", *told))


def _factors(
    evidence: Evidence, cue: LexicalCue, config: EndpointConfig, *, is_answer: bool
) -> list[tuple[str, float]]:
    """Each piece of evidence with its factor on the silence."""
    asked = evidence.asked.kind
    factors = [(cue.why, _CUES[cue.cue](config))]
    if evidence.ratio is None:
        factors.append(("no model", config.unjudged_factor))
    elif asked != "digits":  # a number sounds finished all the time
        counted = max(evidence.ratio, config.model_least)
        leaning = _logit(counted) - _logit(config.model_neutral)
        if cue.cue is Cue.DONE:
            leaning = max(leaning, 0.0)
        factors.append((f"model {evidence.ratio:.2f}", math.exp(-config.model_weight * leaning)))
    if evidence.hint is not None:
        leaning = max(2.0 * evidence.hint - 1.0, 0.0)
        factors.append((f"recogniser {evidence.hint:.2f}", math.exp(-config.hint_weight * leaning)))
    if evidence.spoken_s is not None and not is_answer:
        told = f"{evidence.spoken_s:.1f} s spoken"
        factors.append((told, _spoken_factor(evidence.spoken_s, config)))
    if cue.cue is Cue.NEUTRAL and not is_answer:
        factors += _by_words(evidence, config)
    pace = evidence.pace_ratio**config.pace_weight
    factors.append((f"own pauses {evidence.pace_ratio:.2f} of usual", pace))
    return factors


def _spoken_factor(spoken_s: float, config: EndpointConfig) -> float:
    counted_s = min(max(spoken_s, LEAST_SPOKEN_S), MOST_SPOKEN_S)
    return float((counted_s / _USUAL_SPOKEN_S) ** -config.spoken_weight)


def _by_words(evidence: Evidence, config: EndpointConfig) -> list[tuple[str, float]]:
    """How finished the words sound, where the last ones do not tell: by their number and by all."""
    asked = evidence.asked.kind
    missing = max(_FEW_WORDS - units(evidence.text), 0.0)
    found = []
    if asked in ("open", "none"):
        found.append(("few words", config.few_words_factor**missing))
    if not evidence.is_stale and asked != "digits" and config.words_weight > 0.0:
        found += _by_all_words(evidence, config)
    return [max(found, key=lambda each: each[1])] if missing and found else found


def _by_all_words(evidence: Evidence, config: EndpointConfig) -> list[tuple[str, float]]:
    finished = completeness(evidence.text, evidence.language)
    if finished is None:
        return []
    factor = math.exp(-config.words_weight * (_logit(finished) - _logit(config.words_neutral)))
    return [(f"words {finished:.2f}", factor)]


def _is_answer(text: str, language: str, asked: Asked) -> bool:
    """A word or two that may be all: a short answer to a short question, a yes, a no, numbers."""
    if units(text) >= _FEW_WORDS:
        return False
    if asked.kind in ("yes_no", "choice"):
        return True
    if is_yes_or_no(text, language) or is_backchannel(text, language):
        return True
    starts = [word.start for word in split_words(text)]
    parts = [text[start:end] for start, end in pairwise([*starts, len(text)])]
    return bool(parts) and all(digits_in(part, language) > 0 for part in parts)


_CUES: Mapping[Cue, Callable[[EndpointConfig], float]] = {
    Cue.HOLD: lambda config: config.hold_factor,
    Cue.NEUTRAL: lambda config: 1.0,
    Cue.DONE: lambda config: config.done_factor,
}


def _logit(ratio: float) -> float:
    """Log odds, of nothing more certain than ``_MOST_CERTAIN``."""
    ratio = min(max(ratio, 1.0 - _MOST_CERTAIN), _MOST_CERTAIN)
    return math.log(ratio / (1.0 - ratio))


def _last_word(text: str) -> str:
    words = split_words(text)
    return text[words[-1].start :] if words else ""
