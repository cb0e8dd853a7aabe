"""``CALLCLUSTER_PROVIDER_LIMITS``: what the plans behind the keys allow.

``recogniser.azure=100 speaker.elevenlabs=15 thinker.openai=500/min``: streams at once, or requests
a minute, of the whole cluster.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from cluster.setting_entries import checked_entries
from providers.accounts import account_of
from providers.health.quotas import QuotaLimit
from providers.realtime.refusals import PROVIDER as REALTIME
from providers.settings import ProviderSettings
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
    said = (
        "write recogniser.azure=100 (streams at once) or thinker.openai=500/min (requests a minute)"
    )
    return checked_entries(text, _ENTRY, said, _check_known)


def _check_known(entry: re.Match[str]) -> None:
    """Raises ``ValueError``: there is no such provider, or it is not counted like that."""
    kind, name, _, rate = entry.groups()
    if (kind, name) not in _KNOWN:
        known = ", ".join(sorted(f"{of}.{name}" for of, name in _KNOWN))
        raise ValueError(f"{entry[0]!r}: there is no {kind}.{name}; there are: {known}")
    if rate and kind in _HAS_STREAMS:
        raise ValueError(f"{entry[0]!r}: a {kind} has streams at once: leave out /min")


def quota_limits(checked: str, known: ProviderSettings) -> list[QuotaLimit]:
    """The limits of the keys that are set.

    Args:
        checked: What ``checked_limits`` has answered.
        known: The keys.
    """
    found = []
    for match in _ENTRY.finditer(checked):
        kind, name, units, rate = match.groups()
        label = account_of(kind, name, known).credential
        found.append(QuotaLimit(WORK[kind], name, int(units), bool(rate), label))
    return found
