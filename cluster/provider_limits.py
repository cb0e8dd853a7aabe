"""``CALLCLUSTER_PROVIDER_LIMITS``: what the plans behind the keys allow.

``recogniser.azure=100 speaker.elevenlabs=15 thinker.openai=500/min``: streams at once, or requests
a minute, of the whole cluster.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from providers.health.quotas import QuotaLimit
from providers.health.unit import credential_label
from providers.realtime.refusals import PROVIDER as REALTIME
from providers.settings import OpenAIConfig, ProviderSettings
from providers.table import CAPABILITIES

WORK: Final[Mapping[str, str]] = {
    "recogniser": "recognise",
    "thinker": "think",
    "speaker": "speak",
    "realtime": "converse",
}
_KNOWN: Final = {*CAPABILITIES, ("realtime", REALTIME)}
_HAS_STREAMS: Final = {"recogniser", "realtime"}
_ENTRY = re.compile(r"([a-z]+)\.([a-z_]+)=([1-9]\d{0,6})(/min)?")


def checked_limits(text: str) -> str:
    """The setting with one blank between its entries.

    Raises:
        ValueError: An entry cannot be read, is of nobody, or stands there twice.
    """
    entries = text.replace(",", " ").split()
    seen = set()
    for entry in entries:
        match = _ENTRY.fullmatch(entry)
        if match is None:
            raise ValueError(
                f"{entry!r}: write recogniser.azure=100 (streams at once) or "
                "thinker.openai=500/min (requests a minute), with blanks between them"
            )
        kind, name, _, rate = match.groups()
        if (kind, name) not in _KNOWN:
            known = ", ".join(sorted(f"{of}.{name}" for of, name in _KNOWN))
            raise ValueError(f"{entry!r}: there is no {kind}.{name}; there are: {known}")
        if rate and kind in _HAS_STREAMS:
            raise ValueError(f"{entry!r}: a {kind} has streams at once: leave out /min")
        if (kind, name) in seen:
            raise ValueError(f"{kind}.{name} stands there twice")
        seen.add((kind, name))
    return " ".join(entries)


def quota_limits(checked: str, known: ProviderSettings) -> list[QuotaLimit]:
    """The limits of the keys that are set.

    Args:
        checked: What ``checked_limits`` has answered.
        known: The keys.
    """
    found = []
    for match in _ENTRY.finditer(checked):
        kind, name, units, rate = match.groups()
        label = credential_label(_key_of(kind, name, known))
        found.append(QuotaLimit(WORK[kind], name, int(units), bool(rate), label))
    return found


def _key_of(kind: str, name: str, known: ProviderSettings) -> str:
    keys = {
        ("thinker", "openai"): _chat_key(known.openai),
        ("thinker", "azure_openai"): _chat_key(known.azure_openai),
        ("thinker", "openrouter"): _chat_key(known.openrouter),
        ("recogniser", "azure"): known.azure.key,
        ("recogniser", "deepgram"): known.deepgram.api_key,
        # Google counts by project, whichever account of it asks.
        ("recogniser", "google"): known.google.project,
        ("speaker", "google"): known.google_tts.project,
        ("speaker", "azure"): known.azure_tts.key,
        ("recogniser", "openai_transcription"): known.openai_stt.api_key,
        ("recogniser", "scribe"): known.scribe.api_key,
        ("speaker", "cartesia"): known.cartesia.api_key,
        ("speaker", "elevenlabs"): known.elevenlabs.api_key,
        ("speaker", "openai"): known.openai_tts.api_key,
        ("realtime", REALTIME): known.openai_realtime.api_key,
    }
    return keys.get((kind, name), "")


def _chat_key(config: OpenAIConfig | None) -> str:
    return config.endpoint.api_key if config is not None else ""
