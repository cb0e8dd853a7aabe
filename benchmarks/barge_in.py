"""How an agent is interrupted, and by what not: ``python -m benchmarks.barge_in``.

Recorded speech is said over recorded speech in virtual time, through the real machine and scorer.
Measured is what reaches the caller's ear:

- *duck*: from the true onset to the first 5 ms at least 9 dB softer than they were made;
- *silence*: to the end of the agent's last audible 5 ms (-45 dBFS);
- *resume*: from the true end of a sound that asked for nothing to the agent at its full level;
- *kept*: the reply was said to its end; *untouched*: without having been silenced in between;
- *slip*: after an interruption the agent was heard again before its turn was over;
- *heard error*: words (Han characters) in the record against those whose audio was heard whole.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from benchmarks.barge_in_call import Call, Line, Log, Scene, Spoken
from benchmarks.barge_in_sounds import RATE_HZ, Samples, Sound, nothing, sounds
from benchmarks.stats import nearest_rank
from simulation.clip_library import Clip, load_library
from telephony import g711
from voice.config import VoiceConfig
from voice.events import TurnSettled
from voice.levels import EnergyScorer, SpeechScorer
from voice.words import normalise

_WINDOW = 40
_DUCKED_RATIO = 10 ** (-9 / 10)
_FULL_RATIO = 10 ** (-1.5 / 10)
_AUDIBLE = 32_768.0**2 * 10 ** (-45 / 10)
_GAP_S = 0.1
DELAY_S = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call; seconds, None where there is nothing to measure."""

    sound: Sound
    duck_s: float | None
    silence_s: float | None
    resume_s: float | None
    is_kept: bool
    is_untouched: bool
    has_slipped: bool
    heard_error: int | None
    pauses: int


def spoken(clip: Clip) -> list[Spoken]:
    """A recording as the segments of a reply, cut in the middle of a pause between words."""
    halves = len(clip.words) // 2
    cuts = [0.0, (clip.words[halves - 1].end_s + clip.words[halves].start_s) / 2, clip.duration_s]
    parts: list[Spoken] = []
    for first, last, start_s, end_s in (
        (0, halves, cuts[0], cuts[1]),
        (halves, len(clip.words), cuts[1], cuts[2]),
    ):
        text, ends = "", []
        for word in clip.words[first:last]:
            text += word.display if clip.language.startswith("zh") else f" {word.display}"
            ends.append((len(text.strip()), word.end_s - start_s))
        ulaw = clip.ulaw[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)]
        parts.append(Spoken(text.strip(), ulaw, tuple(ends)))
    return parts


def measure(log: Log, reply: Sequence[Spoken], sound: Sound) -> Outcome:
    """From what was heard to figures."""
    settled = next((s for s in log.settled if s[1].turn_id == 1), None)
    over_at = settled[0] if settled is not None else np.inf
    log.heard = [each for each in log.heard if each.start_s < over_at]
    raw = g711.decode(b"".join(part.ulaw for part in reply)).astype(np.float64)
    ear, times = _timeline(log)
    duck_s = _first(times, _ratio(ear, raw) <= _DUCKED_RATIO, log.onset_s)
    is_kept = settled is not None and settled[1].outcome == "heard"
    gaps = _gaps(log, log.onset_s)
    if is_kept:
        gaps = [gap for gap in gaps if gap[1] is not None]
    fell = gaps[0][0] if gaps else None
    silent_at = None if fell is None else _last_audible(ear, times, fell)
    if duck_s is None or (silent_at is not None and silent_at < duck_s):
        duck_s = silent_at
    return Outcome(
        sound=sound,
        duck_s=None if duck_s is None else duck_s - log.onset_s,
        silence_s=None if silent_at is None else silent_at - log.onset_s,
        resume_s=_resume(log, ear, raw, times, gaps),
        is_kept=is_kept,
        is_untouched=is_kept and not gaps,
        has_slipped=not is_kept and any(end < over_at - 0.02 for _, end in gaps if end),
        heard_error=None if is_kept or settled is None else _heard_error(settled, log, reply),
        pauses=len(gaps),
    )


def _timeline(log: Log) -> tuple[Samples, Samples]:
    """Windows of 5 ms: mean square at the ear, and when each begins."""
    audio = b"".join(each.audio for each in log.heard)
    samples = g711.decode(audio[: len(audio) // _WINDOW * _WINDOW]).astype(np.float64)
    starts = np.concatenate(
        [each.start_s + np.arange(len(each.audio)) / RATE_HZ for each in log.heard]
    )
    return np.square(samples).reshape(-1, _WINDOW).mean(axis=1), starts[: len(samples) : _WINDOW]


def _ratio(ear: Samples, raw: Samples) -> Samples:
    """Level at the ear against the level at which it was made, 1 where that was nothing."""
    made = np.square(raw[: len(raw) // _WINDOW * _WINDOW]).reshape(-1, _WINDOW).mean(axis=1)
    size = min(len(made), len(ear))
    ratio = np.ones(len(ear))
    is_loud = made[:size] > _AUDIBLE
    ratio[:size][is_loud] = ear[:size][is_loud] / made[:size][is_loud]
    return ratio


def _first(
    times: Samples, where: np.ndarray[tuple[int], np.dtype[np.bool_]], at: float
) -> float | None:
    found = np.flatnonzero(where & (times >= at))
    return float(times[found[0]]) if len(found) else None


def _gaps(log: Log, after_s: float) -> list[tuple[float, float | None]]:
    """When nothing was played for a while, and when something was again."""
    gaps: list[tuple[float, float | None]] = []
    for at, each in enumerate(log.heard):
        following = log.heard[at + 1].start_s if at + 1 < len(log.heard) else None
        if each.end_s < after_s:
            continue
        if following is None or following - each.end_s > _GAP_S:
            gaps.append((each.end_s, following))
    return gaps


def _last_audible(ear: Samples, times: Samples, until_s: float) -> float:
    loud = np.flatnonzero((ear > _AUDIBLE) & (times < until_s))
    return float(times[loud[-1]]) + _WINDOW / RATE_HZ if len(loud) else until_s


def _resume(
    log: Log,
    ear: Samples,
    raw: Samples,
    times: Samples,
    gaps: Sequence[tuple[float, float | None]],
) -> float | None:
    ends = [end for _, end in gaps if end is not None]
    if ends:
        return max(0.0, ends[-1] - log.end_s)
    ratio = _ratio(ear, raw)
    ducked = np.flatnonzero((ratio < _FULL_RATIO) & (times >= log.onset_s))
    if not len(ducked):
        return 0.0
    after = np.flatnonzero((ratio >= _FULL_RATIO) & (np.arange(len(ratio)) > ducked[-1]))
    return max(0.0, float(times[after[0]]) - log.end_s) if len(after) else None


def _heard_error(settled: tuple[float, TurnSettled], log: Log, reply: Sequence[Spoken]) -> int:
    heard_s = sum(len(each.audio) for each in log.heard if each.start_s < settled[0]) / RATE_HZ
    heard_s -= 0.04  # what died away
    words, before_s = 0, 0.0
    for part in reply:
        words += sum(
            len(normalise(part.text[:chars])) - len(normalise(part.text[:start]))
            for (start, _), (chars, at_s) in zip([(0, 0.0), *part.words], part.words, strict=False)
            if before_s + at_s <= heard_s + 0.03
        )
        before_s += len(part.ulaw) / RATE_HZ
    return abs(words - len(normalise(settled[1].heard_text)))


# --- scenarios ------------------------------------------------------------------------------------


def play(
    what: Sequence[Sound],
    line: Callable[[Random], Line],
    scorer: SpeechScorer,
    config: VoiceConfig,
    seed: int,
    *,
    has_marks: bool = True,
) -> list[Outcome]:
    """Each sound in a call of its own, over a recording that lasts."""
    agents = [c for c in load_library() if c.kind == "human" and c.speech_end_s > 4.0]
    outcomes = []
    for number, sound in enumerate(what):
        random = Random(f"{seed}/{number}")
        greeting, agent = random.sample([c for c in agents if c.name != sound.name], 2)
        reply = spoken(agent)
        at_s = random.uniform(0.8, 1.8)
        scene = Scene(spoken(greeting)[0], reply, sound, at_s, has_marks)
        agent_config = replace(config, language=sound.language)
        call = Call(scene, line(random), scorer, agent_config, f"{seed}/{number}")
        outcomes.append(measure(call.run(30.0), reply, sound))
    return outcomes


def quiet_line(random: Random) -> Line:
    """Nothing but the line's own noise."""
    return Line(delay_s=DELAY_S, noise_dbfs=random.uniform(-65.0, -45.0))


def echoing_line(random: Random) -> Line:
    """A loudspeaker near a microphone."""
    return replace(
        quiet_line(random), echo_db=random.uniform(-30.0, -16.0), echo_s=random.uniform(0.06, 0.25)
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--count", type=int, default=30, help="calls of each kind (default 30)")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    made = sounds(chosen.seed, chosen.count)
    config, scorer = VoiceConfig(), EnergyScorer(1)
    runs = {
        "quiet line": play(made, quiet_line, scorer, config, chosen.seed),
        "no word times": play(
            [each for each in made if each.kind == "interruption"],
            quiet_line,
            scorer,
            config,
            chosen.seed,
            has_marks=False,
        ),
        "echo": play(
            [*[each for each in made if each.kind != "noise"], *[nothing(8.0)] * chosen.count],
            echoing_line,
            scorer,
            config,
            chosen.seed,
        ),
    }
    for name, outcomes in runs.items():
        print(f"\n{name}")
        print(_table(outcomes))


def _table(outcomes: Sequence[Outcome]) -> str:
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for each in outcomes:
        by_kind[each.sound.kind].append(each)
    lines = [
        f"{'':14} {'n':>4} {'duck ms 50/95':>14} {'silence 50/95':>14} {'resume 50/95':>14}"
        f" {'kept':>6} {'untouched':>10} {'slips':>6} {'heard wrong by 0/1/more':>24}"
    ]
    for kind, rows in by_kind.items():
        wants_stop = kind in ("interruption", "one word")
        errors = [row.heard_error for row in rows if row.heard_error is not None]
        counts = [errors.count(0), errors.count(1), sum(e > 1 for e in errors)]
        silences = _quantiles([row.silence_s for row in rows])
        resumes = "-" if wants_stop else _quantiles([r.resume_s for r in rows if r.is_kept])
        lines.append(
            f"{kind:14} {len(rows):4} {_quantiles([row.duck_s for row in rows]):>14}"
            f" {silences:>14} {resumes:>14}"
            f" {_share(row.is_kept for row in rows):>6} {_share(r.is_untouched for r in rows):>10}"
            f" {_share(row.has_slipped for row in rows):>6} {'/'.join(map(str, counts)):>24}"
        )
    return "\n".join(lines)


def _quantiles(values: Sequence[float | None]) -> str:
    known = sorted(value for value in values if value is not None)
    if not known:
        return "-"
    return "/".join(f"{nearest_rank(known, q) * 1_000:.0f}" for q in (0.5, 0.95))


def _share(flags: object) -> str:
    listed = list(flags)  # type: ignore[call-overload]
    return f"{100 * sum(listed) / len(listed):.0f} %"


if __name__ == "__main__":
    main()
