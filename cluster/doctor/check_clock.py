"""This machine's clock against the Date that other people's servers send.

A stream token lives for 60 s and is checked by whichever node gets the socket; certificates and
API keys of the providers have a time too.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from cluster.chat_service import chat_endpoint
from cluster.doctor.examination import Findings
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.place import LOOPBACK, Place
from cluster.settings import Settings
from providers.errors import ProviderError

_WITHIN_S = 5.0
_WARN_S = 3.0
_FAIL_S = 30.0  # half of a stream token's life


async def examine_clock(place: Place) -> Findings:
    """See the top of this file."""
    if place.settings is None:
        return [skipped("clock", "the settings cannot be read")]
    hosts = time_sources(place.settings)
    if not hosts:
        return [skipped("clock", "every address in the settings is on this machine")]
    async with httpx.AsyncClient(timeout=_WITHIN_S) as http:
        asked = await asyncio.gather(*(offset_s(http, url) for url in hosts))
    return [clock_finding([found for found in asked if found is not None])]


def time_sources(settings: Settings) -> list[str]:
    """Origins of other people's servers that the settings name; never one of this machine."""
    urls = [settings.twilio_api_base_url, settings.elevenlabs_base_url]
    try:
        urls.append(chat_endpoint(settings).base_url)
    except ProviderError:
        urls.append("")
    found: dict[str, None] = {}
    for url in urls:
        parts = urlsplit(url)
        if parts.hostname and parts.hostname not in LOOPBACK:
            found[f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"] = None
    return list(found)


async def offset_s(http: httpx.AsyncClient, url: str) -> float | None:
    """Seconds by which this clock is ahead of that server; None when it does not say."""
    asked_s = time.time()
    try:
        answer = await http.head(url)
        read_s = time.time()
        # The header has whole seconds, cut off: on average half a second has passed since.
        there_s = parsedate_to_datetime(answer.headers["date"]).timestamp() + 0.5
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
        return None
    return (asked_s + read_s) / 2 - there_s


def clock_finding(offsets_s: Sequence[float]) -> Finding:
    """What the offsets from several servers say; their median counts."""
    if not offsets_s:
        return skipped("clock", "no server told the time")
    ahead_s = statistics.median(offsets_s)
    said = (
        f"{abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} {len(offsets_s)} servers"
    )
    advice = "run chrony or systemd-timesyncd"
    if abs(ahead_s) >= _FAIL_S:
        return fail(
            "clock", said, "stream tokens expire before Twilio connects, TLS may fail", advice
        )
    if abs(ahead_s) >= _WARN_S:
        return warn("clock", said, "nodes may disagree about when a token expires", advice)
    return ok("clock", said)
