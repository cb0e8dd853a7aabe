"""The product, if it runs: is every replica ready, and does HAProxy carry its audio?

The replicas of this host are asked one by one; those of other hosts answer through HAProxy, a few
new connections one after the other (and ``check_nodes`` asks there too). Each says of its own
process what Ray Serve read when it was imported.
"""

from __future__ import annotations

import functools
from typing import Any
from urllib.parse import urlsplit

import httpx

from cluster import ports
from cluster.deploy_progress import counted
from cluster.doctor.examination import Findings, in_thread
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.node_probe import raylet_above, raylets, replicas_below
from cluster.doctor.place import LOOPBACK, Place
from cluster.run_serve import PYTHON_PROXY_COST

_ASK_TIMES = 12
_WITHIN_S = 3.0
_NEW_CONNECTION = {"Connection": "close"}


async def examine_running(place: Place) -> Findings:
    """See the top of this file."""
    url = f"{place.local_url}/readyz"
    here = await in_thread(lambda: _replicas_behind(place.local_url))
    replicas: dict[Any, dict[str, Any]] = {report.get("pid"): report for report in here}
    statuses: set[int] = set()
    answered = False
    async with httpx.AsyncClient(timeout=_WITHIN_S, trust_env=False) as http:
        for _ in range(_ASK_TIMES):
            try:
                answer = await http.get(url, headers=_NEW_CONNECTION)
            except (httpx.UnsupportedProtocol, httpx.InvalidURL):
                return [fail("readyz", f"{place.local_url} is no address", "", "--url http://...")]
            except httpx.TransportError as error:
                if not statuses:
                    return [await in_thread(functools.partial(_nobody, place, error))]
                break
            statuses.add(answer.status_code)
            report = _report(answer)
            if report is not None:
                answered = True
                replicas[report.get("pid")] = report
    if not answered:
        return [
            fail(
                "readyz",
                f"{url} answers HTTP {', '.join(map(str, sorted(statuses)))}, not as the product",
                "no call is answered there",
                "something else listens there, or HAProxy has no replica: 'callcluster stop', then "
                "'callcluster serve'",
            )
        ]
    return [finding for report in replicas.values() for finding in replica_findings(report)]


def _replicas_behind(local_url: str) -> list[dict[str, Any]]:
    """Every replica of the cluster whose proxy listens at this address of this host."""
    try:
        parts = urlsplit(local_url)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        return []
    listener = ports.listener_on(port) if host in LOOPBACK else None
    if listener is None or listener.pid is None:
        return []
    return replicas_below(raylet_above(listener.pid))


def _replicas_of(local_url: str) -> int:
    """How many replicas of this host would be reached at this address if its HAProxy ran."""
    parts = urlsplit(local_url)
    if parts.hostname not in LOOPBACK:
        return 0
    reports = [report for raylet in raylets() for report in replicas_below(raylet)]
    return sum(report.get("port") == (parts.port or 80) for report in reports)


def replica_findings(report: dict[str, Any]) -> list[Finding]:
    """What one replica says of itself."""
    subject = f"replica {report.get('pid', '')}".strip()
    findings = []
    if report.get("ready"):
        calls, most = report.get("active_calls", "?"), report.get("max_calls", "?")
        findings.append(ok(subject, f"ready, {calls} of {most} calls"))
    else:
        waiting = "; ".join(str(item) for item in report.get("waiting_for") or ["?"])
        findings.append(
            fail(
                subject,
                f"not ready, waiting for {waiting}",
                "new calls hear a polite refusal",
                "the log of the replica says more",
            )
        )
    if report.get("haproxy"):
        findings.append(ok(f"{subject}: proxy", "HAProxy"))
    else:
        findings.append(
            warn(
                f"{subject}: proxy",
                "Ray Serve's Python proxy",
                PYTHON_PROXY_COST,
                "start with 'callcluster serve', or set the variables of cluster.env before "
                "'ray start' on every node",
            )
        )
        return findings
    findings += [
        warn(f"{subject}: environment", str(text)) for text in report.get("warnings") or []
    ]
    return findings


def _report(answer: httpx.Response) -> dict[str, Any] | None:
    """The JSON of a readiness answer; None when it is none."""
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) and "ready" in body else None


def _nobody(place: Place, error: httpx.TransportError) -> Finding:
    if isinstance(error, httpx.TimeoutException):
        return fail(
            "readyz",
            f"{place.local_url} accepts and says nothing",
            "no call is answered there",
            "'callcluster stop', then 'callcluster serve'",
        )
    behind = _replicas_of(place.local_url)
    if behind:
        return fail(
            "readyz",
            f"nobody listens at {place.local_url}, but {counted(behind, 'ingress replica')} run "
            "here for this port: their HAProxy is down",
            "no call is answered there",
            "Ray Serve starts it again within seconds; if not, 'callcluster stop', then "
            "'callcluster serve'",
        )
    return skipped("readyz", f"nothing answers at {place.local_url}: the product does not run")
