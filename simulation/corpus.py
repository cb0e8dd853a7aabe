"""A corpus: as many labelled turns as are asked for, made of recordings, all from a seed.

Every turn is drawn anew: which recording, which question came before, where its pauses lie and how
long they are. Recordings are split into *dev* and *held-out* by a hash of their speaker, or of
their name where the speaker is not known, so the same recording is never on both sides, whatever
the seed and whatever else lies in the folder. Tune on one side, report the other.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from simulation.clip_library import Clip, ClipLibrary, Word
from simulation.corpus_pauses import digit_gap_s, group_pause_s, pauses_s
from simulation.corpus_questions import digits_question, open_question, tongue, yes_no_question
from simulation.corpus_speech import Utterance, breaks
from simulation.corpus_turn import LabelledTurn, TurnKind
from simulation.errors import ClipMissing

Split = Literal["all", "dev", "held-out"]
SPLITS: tuple[Split, ...] = ("all", "dev", "held-out")

# Shares of the turns of a language; what a language has no recordings for falls to utterances.
SHARES: dict[str, float] = {
    "natural": 0.06,
    "digits": 0.14,
    "yes_no": 0.10,
    "backchannel": 0.08,
    "interruption": 0.08,
}
_GROUPS: dict[int, tuple[int, ...]] = {
    4: (4,),
    6: (3, 3),
    7: (3, 4),
    8: (4, 4),
    10: (3, 3, 4),
}
_FEWEST_WORDS_TO_PAUSE = 4
_CLAUSE_WEIGHT = 3.0
# A recording with a pause like this can be used as its speaker said it.
_OWN_PAUSE_S = 0.3


@dataclass(frozen=True, slots=True)
class CorpusPlan:
    """What is to be drawn.

    Attributes:
        turns: How many in all.
        seed: Decides everything.
        languages: Spoken languages and their shares; those without recordings are left out.
        split: Which recordings.
        shares: Of kinds other than utterances, within each language.
        with_pauses: False leaves every utterance as it was recorded.
    """

    turns: int = 400
    seed: int = 1
    languages: dict[str, float] = field(
        default_factory=lambda: {
            "en": 0.40,
            "de": 0.13,
            "es": 0.13,
            "it": 0.13,
            "zh": 0.13,
            "yue": 0.08,
        }
    )
    split: Split = "all"
    shares: dict[str, float] = field(default_factory=lambda: dict(SHARES))
    with_pauses: bool = True


def side_of(clip: Clip) -> Split:
    """Which side of the split a recording is on."""
    key = clip.speaker or clip.name
    return "dev" if hashlib.sha256(key.encode()).digest()[0] % 2 == 0 else "held-out"


def build_corpus(library: ClipLibrary, plan: CorpusPlan) -> list[LabelledTurn]:
    """Draw the turns.

    Raises:
        ClipMissing: No recording of these languages on this side of the split.
    """
    shelves: dict[str, dict[str, list[Clip]]] = defaultdict(lambda: defaultdict(list))
    for clip in library:
        if plan.split in ("all", side_of(clip)):
            shelves[tongue(clip.language)][clip.role].append(clip)
    spoken = {
        language: share
        for language, share in plan.languages.items()
        if shelves[language]["utterance"]
    }
    if not spoken:
        raise ClipMissing(
            f"no utterance in {', '.join(plan.languages)} among the recordings"
            f" ({plan.split}): choose other languages, or --split all"
        )
    random = Random(f"{plan.seed}/corpus")
    counts = _apportion(plan.turns, spoken)
    turns: list[LabelledTurn] = []
    for language, count in counts.items():
        kinds = _kinds(count, plan.shares, shelves[language], random)
        # Evenly over the distribution, so that small corpora and rare long pauses go together.
        shares = [(number + random.random()) / count for number in range(count)]
        random.shuffle(shares)
        for number, (kind, share) in enumerate(zip(kinds, shares, strict=True)):
            luck = Random(f"{plan.seed}/{language}/{number}")
            maker = _Maker(luck, share, shelves[language], plan)
            turns.append(maker.make(kind, f"{language}-{number:04d}"))
    return turns


def _apportion(total: int, shares: dict[str, float]) -> dict[str, int]:
    whole = sum(shares.values())
    counts = {name: int(total * share / whole) for name, share in shares.items()}
    first = next(iter(counts))
    counts[first] += total - sum(counts.values())
    return counts


def _kinds(
    count: int, shares: dict[str, float], shelf: dict[str, list[Clip]], random: Random
) -> list[str]:
    needed = {"digits": "digit", "yes_no": "yes_no", "backchannel": "backchannel"}
    kinds: list[str] = []
    for kind, share in shares.items():
        clips = shelf[needed.get(kind, "utterance")]
        if kind == "natural":
            clips = _with_own_pauses(clips)
        if clips:
            kinds += [kind] * round(count * share)
    kinds += ["utterance"] * (count - len(kinds))
    random.shuffle(kinds)
    return kinds[:count]


class _Maker:
    """Makes one turn."""

    def __init__(
        self, random: Random, share: float, shelf: dict[str, list[Clip]], plan: CorpusPlan
    ) -> None:
        self._random = random
        self._share = share
        self._shelf = shelf
        self._plan = plan

    def make(self, kind: str, turn_id: str) -> LabelledTurn:
        random = self._random
        match kind:
            case "digits":
                return self._number(turn_id)
            case "yes_no":
                clip = random.choice(self._shelf["yes_no"])
                question = yes_no_question(clip.language, random)
                return self._whole(turn_id, "yes_no", clip, question, ())
            case "backchannel":
                clip = random.choice(self._shelf["backchannel"])
                return self._whole(turn_id, "backchannel", clip, "", ())
            case "natural":
                clip = random.choice(_with_own_pauses(self._shelf["utterance"]))
                question = open_question(clip.language, random)
                return self._whole(turn_id, "natural", clip, question, ())
            case "interruption":
                shelf = self._shelf["interruption"] + self._shelf["utterance"]
                return self._whole(turn_id, "interruption", random.choice(shelf), "", ())
            case _:
                clip = random.choice(self._shelf["utterance"])
                question = open_question(clip.language, random)
                pauses = self._pauses(clip)
                found: TurnKind = "paused" if any(length for _, length in pauses) else "plain"
                return self._whole(turn_id, found, clip, question, pauses)

    def _pauses(self, clip: Clip) -> tuple[tuple[int, float], ...]:
        """Before which words a pause is put, and how long it is; where its speaker paused, 0.

        What a speaker paused is taken out first: how long turns pause is one distribution.
        """
        own = breaks(clip)
        chosen = dict.fromkeys(own, 0.0)
        places = range(1, len(clip.words))
        if self._plan.with_pauses and len(clip.words) >= _FEWEST_WORDS_TO_PAUSE:
            weights = {
                at: _CLAUSE_WEIGHT
                if at in own or clip.words[at - 1].display[-1:] in ",;:，、；"
                else 1.0
                for at in places
            }
            for length in pauses_s(self._random, self._share, len(places)):
                at = self._random.choices(list(weights), list(weights.values()))[0]
                del weights[at]
                chosen[at] = length
        return tuple(sorted(chosen.items()))

    def _whole(
        self,
        turn_id: str,
        kind: TurnKind,
        clip: Clip,
        question: str,
        pauses: Sequence[tuple[int, float]],
    ) -> LabelledTurn:
        speech = Utterance(self._random)
        speech.lead_in(clip)
        first = 0
        for at, length_s in pauses:
            speech.say(clip, first, at)
            speech.pause(length_s, clip)
            first = at
        speech.say(clip, first)
        speech.trail_off(clip)
        return _labelled(turn_id, kind, question, speech, (clip,))

    def _number(self, turn_id: str) -> LabelledTurn:
        random = self._random
        by_speaker: dict[str, list[Clip]] = defaultdict(list)
        for clip in self._shelf["digit"]:
            by_speaker[clip.speaker].append(clip)
        clips = by_speaker[random.choice(sorted(by_speaker))]
        question, count = digits_question(clips[0].language, random)
        groups = _GROUPS[count or random.choice((7, 8, 10))]
        speech = Utterance(random)
        used: list[Clip] = []
        for number, size in enumerate(groups):
            if number:
                speech.pause(group_pause_s(random), None)
            for at in range(size):
                if at:
                    speech.pause(digit_gap_s(random), None)
                used.append(random.choice(clips))
                speech.say(used[-1])
        speech.trail_off(used[-1])
        return _labelled(turn_id, "digits", question, speech, tuple(used))


def _with_own_pauses(clips: Sequence[Clip]) -> list[Clip]:
    return [
        clip
        for clip in clips
        if any(end_s - start_s >= _OWN_PAUSE_S for start_s, end_s in breaks(clip).values())
    ]


def _labelled(
    turn_id: str, kind: TurnKind, question: str, speech: Utterance, clips: tuple[Clip, ...]
) -> LabelledTurn:
    words: tuple[Word, ...] = tuple(speech.words)
    return LabelledTurn(
        turn_id=turn_id,
        kind=kind,
        language=clips[0].language,
        asked=question,
        words=words,
        samples=speech.samples,
        speech_start_s=min(start for start, _ in speech.spans),
        speech_end_s=max(end for _, end in speech.spans),
        pauses=speech.pauses(),
        clips=tuple(dict.fromkeys(clip.name for clip in clips)),
        is_synthetic=any(clip.kind != "human" for clip in clips),
    )
