"""The models that run in a replica: do they load, and do they hear what there is to hear?

Each is tried on known speech of the simulated callers: a command that is finished, a speaker who
pauses in the middle of a sentence, and silence.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from cluster.doctor.examination import Findings, in_thread
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.place import Place
from cluster.settings import Settings
from providers.errors import ProviderError
from providers.local import smart_turn
from providers.local.neural_scorer import NeuralScorer
from providers.local.silero import SileroVad
from providers.local.smart_turn import SmartTurn
from providers.local.turn_queue import DEADLINE_S, BlockingTurnModel
from simulation.clip_library import load_library
from telephony import g711
from voice.levels import SpeechScorer
from voice.ports import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ

SPEECH = "speech detector"
TURNS = "end-of-turn model"
REINSTALL = "pip install -c constraints.txt -e ."
_FINISHED = "goforward"
_PAUSING = ("jfk", 8.1)  # "... ask not what your country can do for you:", with more to come
_LEAST_OF_SPEECH = 0.7
_OVER = 0.5


async def examine_models(place: Place) -> Findings:
    """See the top of this file."""
    settings = place.settings
    if settings is None:
        return [skipped("models", "the settings cannot be read")]
    languages = sorted({agent.language for agent in place.agents.values()})
    return await in_thread(lambda: [_speech(settings), *_turns(settings, languages)])


def _speech(settings: Settings) -> Finding:
    if settings.speech_detector == "energy":
        return ok(SPEECH, "energy, as CALLCLUSTER_SPEECH_DETECTOR says")
    try:
        scorer = NeuralScorer(SileroVad(), 1)
    except ProviderError as error:
        consequence = (
            "speech is told from noise by its level alone; a keyboard interrupts the agent"
        )
        if settings.speech_detector == "silero":
            return fail(SPEECH, str(error), "no replica becomes ready", REINSTALL)
        return warn(SPEECH, str(error), consequence, REINSTALL)
    return speech_finding(scorer)


def speech_finding(scorer: SpeechScorer) -> Finding:
    """Does it find known words, and none in silence?"""
    clip = load_library().clip(_FINISHED)
    quiet = np.zeros(SAMPLE_RATE_HZ, np.int16)
    sound = np.concatenate([quiet, g711.decode(clip.ulaw), quiet])
    verdicts = _verdicts(scorer, sound)
    first = round((1.0 + clip.speech_start_s) / FRAME_S)
    last = round((1.0 + clip.speech_end_s) / FRAME_S)
    found = sum(verdicts[first:last]) / (last - first)
    false = sum(verdicts[: first - 10])
    if found < _LEAST_OF_SPEECH or false:
        return fail(
            SPEECH,
            f"silero hears {found:.0%} of known speech, and {false} frames of silence as speech",
            "callers are not heard, or interrupt the agent by saying nothing",
            f"{REINSTALL}, or CALLCLUSTER_SPEECH_DETECTOR=energy",
        )
    return ok(SPEECH, f"silero hears {found:.0%} of known speech and nothing in silence")


def _verdicts(scorer: SpeechScorer, sound: npt.NDArray[np.int16]) -> list[bool]:
    scorer.reset(0)
    slot = np.zeros(1, np.intp)
    frames = sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, 1, FRAME_SAMPLES)
    return [bool(scorer.score(frame, slot)[0][0]) for frame in frames]


def _turns(settings: Settings, languages: list[str]) -> list[Finding]:
    if settings.turn_model == "none":
        return [ok(TURNS, "none, as CALLCLUSTER_TURN_MODEL says")]
    try:
        model = SmartTurn()
    except ProviderError as error:
        if settings.turn_model == "smart-turn":
            return [fail(TURNS, str(error), "no replica becomes ready", REINSTALL)]
        return [warn(TURNS, str(error), "pauses are told from ends by words alone", REINSTALL)]
    findings = [turn_finding(model)]
    unknown = [language for language in languages if not smart_turn.knows(language)]
    if unknown:
        findings.append(
            ok(f"{TURNS}, languages", f"it is not asked in {', '.join(unknown)}: not trained on")
        )
    return findings


def turn_finding(model: BlockingTurnModel) -> Finding:
    """Does it tell a finished command from a pause, in time?"""
    clip = load_library().clip(_FINISHED)
    finished = clip.ulaw[: round((clip.speech_end_s + 0.1) * SAMPLE_RATE_HZ)]
    name, until_s = _PAUSING
    pausing = load_library().clip(name).ulaw[: round(until_s * SAMPLE_RATE_HZ)]
    silent = model.finished_ratio(b"\xff" * SAMPLE_RATE_HZ)  # the first time takes longest
    began_s = time.perf_counter()
    ends, pauses = model.finished_ratio(finished), model.finished_ratio(pausing)
    took_s = (time.perf_counter() - began_s) / 2
    if not (ends > _OVER > pauses and 0.0 <= silent <= 1.0):
        return fail(
            TURNS,
            f"smart-turn gives a finished command {ends:.2f}, a pause {pauses:.2f}, "
            f"silence {silent:.2f}",
            "callers are cut off, or wait",
            f"{REINSTALL}, or CALLCLUSTER_TURN_MODEL=none",
        )
    if took_s > DEADLINE_S:
        return warn(
            TURNS,
            f"smart-turn takes {took_s * 1_000:.0f} ms a pause",
            f"an answer is of no use after {DEADLINE_S * 1_000:.0f} ms: it costs and does nothing",
            "CALLCLUSTER_TURN_MODEL=none on this machine",
        )
    return ok(
        TURNS,
        f"smart-turn gives a finished command {ends:.2f}, a pause {pauses:.2f}; "
        f"{took_s * 1_000:.0f} ms each",
    )
