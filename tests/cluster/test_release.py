"""What is deployed has a release, which changes with agents, settings and an operator's word."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster import release
from cluster.release import digest_of, released
from cluster.settings import Settings

AGENT = "language: en-US\nprompt: You are kind.\ngreeting: Hello!\nvoice: alloy\n"


@pytest.fixture
def agents(tmp_path: Path) -> Path:
    (tmp_path / "reception.yaml").write_text(AGENT, "utf-8")
    return tmp_path


def settings(folder: Path, **fields: object) -> Settings:
    return Settings(_env_file=None, agents_dir=folder, **fields)


def test_what_runs_already_gets_the_same_release(agents: Path) -> None:
    first = released(settings(agents), lambda: "", 1_000.5).release
    assert first.startswith("0000001000-")
    assert released(settings(agents), lambda: first, 2_000.0).release == first


def test_an_agent_a_setting_or_a_word_makes_a_newer_one(agents: Path) -> None:
    first = released(settings(agents), lambda: "", 1_000.0).release
    second = released(settings(agents, calls_per_actor=7), lambda: first, 900.0).release
    assert second > first  # though this machine's clock is behind
    third = released(settings(agents, release="friday"), lambda: second, 2_000.0).release
    (agents / "reception.yaml").write_text(AGENT.replace("kind", "brief"), "utf-8")
    fourth = released(settings(agents), lambda: third, 3_000.0).release
    assert first < second < third < fourth


def test_code_is_part_of_it(agents: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest_of(settings(agents))
    monkeypatch.setattr(release, "_code", lambda: "other code")
    assert digest_of(settings(agents)) != before


def test_the_number_of_replicas_is_no_part_of_it(agents: Path) -> None:
    one, three = settings(agents), settings(agents, ingress_replicas=3)
    assert digest_of(one) == digest_of(three)
    assert digest_of(one) == digest_of(settings(agents, max_ingress_replicas=9))
    assert digest_of(one) != digest_of(settings(agents, call_actors=3))
