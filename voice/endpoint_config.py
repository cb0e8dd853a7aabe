"""When the caller counts as finished: frozen numbers, all durations in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from voice.errors import BadVoiceConfig


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """When the caller counts as finished; ``voice.evidence`` and ``voice.endpointing`` say how.

    Attributes:
        eager_silence_s: Silence after which a reply is prepared but held, behind words that say
            nothing about the end; evidence shortens and prolongs it.
        commit_silence_s: Silence after which the turn is taken, likewise.
        least_eager_s, least_silence_s: No evidence makes them shorter than this.
        longest_silence_s: No evidence makes them longer than this.
        longest_answer_s: The same for a word or two where a yes or no, or one of a few things, was
            asked for.
        longest_digits_s: The same while digits that were asked for are missing.
        answer_silence_s: Silence that is needed behind a yes or no that was asked for.
        digits_silence_s: Silence that is needed behind as many digits as were asked for.
        some_digits_s: The same behind digits of which nobody knows how many there should be.
        enough_digits_s: The same behind six and more of them.
        done_factor, hold_factor: On the silence, where the last words are an end, or no end.
        few_words_factor: For each word that a short utterance has less than three.
        model_weight, model_neutral: The end-of-turn model's factor is ``exp(-weight * leaning)``,
            which leans by the log odds of its answer above those of the neutral one.
        model_least: No answer of it counts as less than this: it is often sure of a pause where
            there is an end.
        unjudged_factor: On the silence, without an answer of the model: most ends are shortened by
            it, so the others must not be measured by what it leaves over.
        words_weight, words_neutral: The same for how finished all the words sound.
        hint_weight: The recogniser's own belief in an end, 0 to 1, has the factor
            ``exp(-weight * (2 * belief - 1))``, if that is below 1.
        spoken_weight: The factor of how long the caller has been speaking is its ratio to 2 s, to
            minus this power, between 1 s and 4 s.
        pace_weight: The factor of this caller's pauses is their ratio to the usual one, to this
            power.
        usual_pause_s: Pauses in the middle of a turn, of a caller of whom nothing is known yet.
        judge_at_s: Silences at which the model is asked, until it has answered.
        reply_lead_s: How long a reply takes from being asked for to its first audio, as long as
            nothing is known yet; a guess is begun so long before the turn would be taken, and
            ``lead_margin_s`` sooner (below 0: later, and less in vain), but not before the eager
            silence.
        word_lag_s: How late words come from a recogniser of which nothing is known yet.
        stable_words_s: Words younger than this may still change, and are waited for.
        final_wait_s: How much longer to wait for words that are still on their way.
        stuck_words_s: Words that have not changed for so long are taken even in steady noise.
        wordless_s: The same, beyond the lag of the recogniser, where it says when words ended; but
            never sooner than the evidence asks for.
        whole_wordless_s: The same behind all that was asked for.
        retreat_wordless_s: The same after the agent has stopped for a sound alone.
        first_word_s: Sound that began after the last words is none of these before so long: a
            caller who goes on has to end a word first.
        missed_speech_lag_s: New interim words so long after the last speech frame mean that the
            detector missed quiet speech; silence is then measured from their arrival.
        stale_speech_s: Words so long after any speech frame have no acoustic evidence at all.
        empty_speech_s: Speech without a single word that deserves an apology.
        empty_silence_s: Silence after such speech before the apology.
        lost_speech_s, lost_silence_s: The same two while it is known that no words can come; words
            that came before are taken after that silence too.
        went_on_speech_s: Renewed speech after which a prepared reply is given up.
        frame_stall_s: Without frames for so long, loop time counts as silence.
    """

    eager_silence_s: float = 0.2
    commit_silence_s: float = 0.55
    least_eager_s: float = 0.06
    least_silence_s: float = 0.12
    longest_silence_s: float = 2.0
    longest_answer_s: float = 0.9
    longest_digits_s: float = 3.0
    answer_silence_s: float = 0.14
    digits_silence_s: float = 0.06
    some_digits_s: float = 0.8
    enough_digits_s: float = 0.6
    done_factor: float = 0.45
    hold_factor: float = 5.0
    few_words_factor: float = 1.0
    model_weight: float = 0.54
    model_neutral: float = 0.88
    model_least: float = 0.0
    unjudged_factor: float = 1.0
    words_weight: float = 0.0
    words_neutral: float = 0.5
    hint_weight: float = 1.6
    spoken_weight: float = 0.0
    pace_weight: float = 0.5
    usual_pause_s: float = 0.45
    judge_at_s: tuple[float, ...] = (0.08, 0.5)
    reply_lead_s: float = 0.6
    lead_margin_s: float = 0.0
    word_lag_s: float = 0.3
    stable_words_s: float = 0.06
    final_wait_s: float = 0.25
    stuck_words_s: float = 3.0
    wordless_s: float = 1.6
    whole_wordless_s: float = 0.25
    retreat_wordless_s: float = 0.8
    first_word_s: float = 0.8
    missed_speech_lag_s: float = 0.6
    stale_speech_s: float = 2.0
    empty_speech_s: float = 0.6
    empty_silence_s: float = 1.4
    lost_speech_s: float = 0.16
    lost_silence_s: float = 0.6
    went_on_speech_s: float = 0.12
    frame_stall_s: float = 0.1

    def __post_init__(self) -> None:
        """Raises ``BadVoiceConfig`` when the thresholds are out of order."""
        if not 0.0 < self.eager_silence_s <= self.commit_silence_s:
            raise BadVoiceConfig("eager_silence_s must be above 0 and at most commit_silence_s")
        if self.final_wait_s < 0.0:
            raise BadVoiceConfig("final_wait_s must not be negative")
        if not self.commit_silence_s <= self.longest_silence_s:
            raise BadVoiceConfig("longest_silence_s must be at least commit_silence_s")
        if list(self.judge_at_s) != sorted(set(self.judge_at_s)):
            raise BadVoiceConfig("judge_at_s must rise")
