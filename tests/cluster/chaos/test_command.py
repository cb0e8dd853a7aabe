"""What a person sees who types what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.chaos.plan import CLIPS, ChaosPlan
from cluster.chaos.run import run_chaos
from cluster.chaos.stage import AGENT, RowPorts, product_environment
from cluster.cli import main
from cluster.cli_chaos import plan_of
from cluster.demo_children import clean_environment
from cluster.demo_stage import StagePorts
from cluster.provider_settings import missing_keys
from cluster.settings import Settings
from simulation.clip_library import load_library
from simulation.openai_replies import DEFAULT_SCRIPT, answer


def said(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["callcluster", "chaos", "providers", *arguments])
    with pytest.raises(SystemExit) as done:
        main()
    return int(done.value.code or 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--faults", "hang,flood"), "--faults: there is no flood; choose from errors,busy,hang"),
        (("--roles", "ears"), "--roles: there is no ears; choose from recognise,think,speak"),
    ],
)
def test_an_unknown_name_is_said_with_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    assert said(monkeypatch, *arguments) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_a_folder_that_cannot_be_is_said_before_anything_starts(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    assert run_chaos(ChaosPlan(), in_the_way / "output", None) == 2
    assert run_chaos(ChaosPlan(), tmp_path, tmp_path / "none" / "chaos.json") == 2


def test_quick_is_shorter() -> None:
    quick, full = plan_of(4, ("hang",), quick=True), plan_of(4, ("hang",), quick=False)
    assert quick.fault_s < full.fault_s
    assert quick.kills < full.kills == 100
    assert [fault.name for fault in quick.faults] == ["hang"]
    assert quick.processes == 4


def test_all_of_it_takes_a_quarter_of_an_hour() -> None:
    plan = ChaosPlan()
    assert plan.calls == 20
    assert 600 < plan.about_s < 900
    assert [fault for act in plan.acts for fault in act] == list(plan.faults), "each once, in order"
    assert plan_of(4, ("hang",), quick=True).about_s < 120


def test_the_product_has_a_chain_of_emulators_for_each_kind_of_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "chaos.yaml").write_text(AGENT)
    ports = StagePorts(20_001)
    rows = [RowPorts(21_000), RowPorts(21_010), RowPorts(21_020)]
    told = product_environment(ChaosPlan(), ports, rows, tmp_path, "secret")
    monkeypatch.chdir(tmp_path)
    for name, value in clean_environment({}, told).items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    from cluster.agents import load_agents

    agents = load_agents(settings.agents_dir, "default")
    assert missing_keys(settings, agents.values()) == []
    agent = agents["chaos"]
    counts = (len(agent.recognisers), len(agent.thinkers), len(agent.voices))
    assert counts == (2, 3, 3)
    addresses = [value for value in told.values() if "127.0.0.1:21" in value and "//" in value]
    assert len(set(addresses)) == len(addresses) == 8, "no two of them are the same emulator"
    assert settings.ingress_replicas + settings.call_actors == ChaosPlan().processes


def test_every_clip_has_an_answer_of_its_own() -> None:
    """So that a reply that was lost or mixed up is found."""
    library = load_library()
    replies = {
        answer([{"role": "user", "content": library.clip(name).transcript}], [], ()).text
        for name in CLIPS
    }
    assert len(replies) == len(CLIPS)
    assert replies <= {line.reply for line in DEFAULT_SCRIPT}
