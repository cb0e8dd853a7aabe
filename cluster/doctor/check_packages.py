"""Python and the packages: as this version of the product asks, and as they were tested."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

import cluster
from cluster.doctor.examination import Findings, in_thread
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.place import Place

DISTRIBUTION = "callcluster"
OLDEST_PYTHON = (3, 11)
SOURCE = Path(cluster.__file__).parent.parent
_MOST_NAMED = 5

VersionOf = Callable[[str], str]


async def examine_packages(_place: Place) -> Findings:
    """See the top of this file."""
    return await in_thread(_examine)


def _examine() -> list[Finding]:
    findings = [python_finding(sys.version_info[:3], platform.platform())]
    try:
        wanted = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        findings.append(
            warn(
                "callcluster",
                f"runs from {SOURCE}, not installed",
                "nodes of a cluster may run different code",
                "pip install -c constraints.txt . on every node",
            )
        )
        wanted = []
    else:
        findings.append(ok("callcluster", f"{metadata.version(DISTRIBUTION)} at {SOURCE}"))
    findings.append(required_finding(wanted, installed_version))
    findings.append(pinned_finding(SOURCE / "constraints.txt", installed_version))
    return findings


def installed_version(name: str) -> str:
    """The version of an installed package; empty when there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def python_finding(version: tuple[int, ...], system: str) -> Finding:
    """Is this Python new enough?"""
    said = f"{'.'.join(map(str, version))} on {system}"
    if version[:2] < OLDEST_PYTHON:
        return fail(
            "Python", said, "the product does not run", "use Python 3.11 or newer (PYTHON=...)"
        )
    return ok("Python", said)


def required_finding(requirements: Iterable[str], version_of: VersionOf) -> Finding:
    """Are the packages there that the product asks for?"""
    problems, count = [], 0
    for text in requirements:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        count += 1
        version = version_of(requirement.name)
        if not version:
            problems.append(f"{requirement.name} is missing")
        elif not requirement.specifier.contains(version, prereleases=True):
            problems.append(f"{requirement.name} {version}, wanted {requirement.specifier}")
    if problems:
        return fail(
            "packages",
            _some(problems),
            "the product may not start, or fail in a call",
            "pip install -c constraints.txt -e .",
        )
    return ok("packages", f"{count} required, all there")


def pinned_finding(constraints: Path, version_of: VersionOf) -> Finding:
    """Are they the versions that everything was tested with?"""
    if not constraints.is_file():
        return skipped("tested versions", "no constraints.txt beside the code")
    differing, count = [], 0
    for line in constraints.read_text("utf-8").splitlines():
        try:
            pinned = Requirement(line.partition("#")[0].strip())
        except InvalidRequirement:
            continue
        version = version_of(canonicalize_name(pinned.name))
        if not version:
            continue
        count += 1
        if not pinned.specifier.contains(version, prereleases=True):
            differing.append(f"{pinned.name} {version} ({pinned.specifier})")
    if differing:
        return warn(
            "tested versions",
            f"{len(differing)} differ: {_some(differing)}",
            "nobody has tested these together",
            "pip install -c constraints.txt -e .",
        )
    return ok("tested versions", f"{count} packages as in constraints.txt")


def _some(texts: list[str]) -> str:
    more = len(texts) - _MOST_NAMED
    return ", ".join(texts[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
