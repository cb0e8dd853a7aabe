"""What the running product tells of itself: requests to providers, who is left, its records."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence

import httpx

from cluster.chaos.lines import PlacedCall
from cluster.chaos.turns import RecordedCall
from records.store import RecordStore

Requests = Counter[tuple[str, str]]
_REQUESTS = re.compile(r"^callcluster_provider_requests_total\{(?P<labels>.*)\} (?P<value>\S+)$")
_LEFT = re.compile(r"^callcluster_provider_left\{(?P<labels>.*)\} (?P<value>\S+)$")
_OPERATIONS = {"recognise": "stt.", "think": "llm.", "speak": "tts."}
_WAIT = re.compile(r"^callcluster_failover_wait_seconds\{(?P<labels>.*)\} (?P<value>\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_LOOK_EVERY_S = 0.5
_RECORDED_WITHIN_S = 5.0


async def metrics_text(url: str) -> str:
    """The whole cluster's metrics, about a second old; empty while nobody has them."""
    # Our own loopback: reading certificates for it would hold the callers' clock up for 50 ms.
    async with httpx.AsyncClient(trust_env=False, timeout=5.0, verify=False) as http:  # noqa: S501
        try:
            answer = await http.get(f"{url}/metrics")
        except httpx.HTTPError:
            return ""
        return answer.text if answer.is_success else ""


def requests_in(text: str) -> Requests:
    """Requests to providers so far, by ``(work, why)``."""
    found: Requests = Counter()
    for line in text.splitlines():
        if match := _REQUESTS.match(line):
            labels = dict(_LABEL.findall(match["labels"]))
            found[labels["work"], labels["why"]] += round(float(match["value"]))
    return found


def extra_percent(before: Requests, after: Requests, role: str, questions: int = 0) -> float | None:
    """Requests beyond one for each question, in percent; None without a question.

    Args:
        before: So far, as it began.
        after: As it was over.
        role: Whose.
        questions: At least so many there were, asked before it began perhaps.
    """
    spent = {why: after[work, why] - before[work, why] for work, why in after if work == role}
    first = max(spent.pop("first", 0), questions)
    return 100.0 * sum(spent.values()) / first if first > 0 else None


def failover_wait_s(text: str, role: str) -> float | None:
    """From requests to the first useful output of somebody else than the first, P95; or None."""
    for line in text.splitlines():
        if match := _WAIT.match(line):
            labels = dict(_LABEL.findall(match["labels"]))
            if (labels["work"], labels.get("quantile")) == (role, "0.95"):
                return float(match["value"])
    return None


def left_in(text: str, role: str = "") -> int:
    """How many providers are left at the moment, of all kinds of work or of one."""
    kind = _OPERATIONS.get(role, "")
    found = (match for line in text.splitlines() if (match := _LEFT.match(line)))
    return sum(
        float(match["value"]) > 0
        for match in found
        if dict(_LABEL.findall(match["labels"])).get("operation", "").startswith(kind)
    )


def names_left(text: str, role: str) -> set[str]:
    """Providers that are left at the moment, of one kind of work."""
    found = (match for line in text.splitlines() if (match := _LEFT.match(line)))
    labels = [dict(_LABEL.findall(match["labels"])) for match in found if float(match["value"]) > 0]
    kind = _OPERATIONS[role]
    return {each["provider"] for each in labels if each.get("operation", "").startswith(kind)}


def made_up_for(before: Requests, after: Requests, role: str) -> int:
    """How often somebody else was asked because one had failed, or had broken off."""
    why = ("failover", "continued", "again")
    return sum(after[role, each] - before[role, each] for each in why)


async def until_well(url: str, within_s: float, role: str = "") -> bool:
    """Wait until no provider is left any more, of one kind of work or of any.

    Returns:
        False when that took too long.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while loop.time() < deadline:
        text = await metrics_text(url)
        if text and not left_in(text, role):
            return True
        await asyncio.sleep(_LOOK_EVERY_S)
    return False


async def recorded(store_url: str, calls: Sequence[PlacedCall]) -> list[RecordedCall]:
    """The calls with their records, once those are whole; in the order of the calls."""
    store = RecordStore(store_url)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _RECORDED_WITHIN_S
    found = []
    try:
        for call in sorted(calls, key=lambda placed: placed.result.call):
            sid = call.result.leg.call_sid
            row = await store.call_by_sid(sid)
            while (row is None or row.status == "active") and loop.time() < deadline:
                await asyncio.sleep(_LOOK_EVERY_S)
                row = await store.call_by_sid(sid)
            rows = await store.turns(row.tenant_id, row.call_id) if row is not None else []
            found.append(RecordedCall(call, row, tuple(rows)))
    finally:
        await store.aclose()
    return found
