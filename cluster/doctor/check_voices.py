"""Are the ElevenLabs voices that agents name there? Asked of the service; only with ``--keys``."""

from __future__ import annotations

from cluster.doctor.examination import Findings
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.place import Place
from cluster.voice_lookup import VoiceAnswer, looked_up, voices_in

_NARROW = "missing_permissions"  # a key that may speak need not be one that may see voices


async def examine_voices(place: Place) -> Findings:
    """See the top of this file."""
    settings = place.settings
    if settings is None:
        return [skipped("voices", "the settings cannot be read")]
    agents = list(place.agents.values())
    if not voices_in(agents):
        return [skipped("voices", "no agent names one of ElevenLabs")]
    if not place.try_keys:
        return [skipped("voices", "--keys asks ElevenLabs for each")]
    if not settings.elevenlabs_api_key.get_secret_value():
        return [skipped("voices", "ELEVENLABS_API_KEY is not set")]
    return [voice_finding(answer) for answer in await looked_up(settings, agents)]


def voice_finding(answer: VoiceAnswer) -> Finding:
    """What the answer about one voice means."""
    subject = f"voice {answer.voice_id}"
    who = f"agent {', '.join(answer.agents)}"
    if answer.voice is not None:
        name = answer.voice.name or "it has no name"
        return ok(subject, f"{name}, {who}")
    if answer.is_missing:
        return fail(
            subject,
            answer.problem,
            f"{who} cannot speak with it",
            "callcluster agents voices lists yours: put one into the agent's file",
        )
    if _NARROW in answer.problem:
        return skipped(subject, "the key may not see voices (permission voices_read)")
    is_about_us = "(look at " in answer.problem  # a key or an address: no second try helps
    advice = "change the setting that it names" if is_about_us else "try again"
    return warn(subject, answer.problem, "this is not known", advice)
