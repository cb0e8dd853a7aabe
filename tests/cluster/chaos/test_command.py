"""What a person sees who types what cannot be."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from cluster.chaos import run
from cluster.chaos.faults import BY_NAME, ROLES
from cluster.chaos.plan import CLIPS, ChaosPlan
from cluster.chaos.progress import Progress
from cluster.chaos.run import run_chaos
from cluster.chaos.runs_file import runs_in, write_runs
from cluster.chaos.stage import AGENT, RowPorts, product_environment
from cluster.cli import main
from cluster.cli_chaos import plan_of
from cluster.demo_children import clean_environment
from cluster.demo_stage import StagePorts
from cluster.errors import SettingsError
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


def test_a_file_of_something_else_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = tmp_path / "notes.json"
    notes.write_text('{"mine": 1}')
    assert run_chaos(ChaosPlan(), tmp_path, notes) == 2
    assert notes.read_text() == '{"mine": 1}'
    assert "choose another file (--json)" in " ".join(capsys.readouterr().err.split())


def test_runs_are_added_to_those_of_before(tmp_path: Path) -> None:
    path = tmp_path / "chaos.json"
    assert runs_in(path) == []
    path.write_text('{"version": 1, "faults": []}')
    assert len(runs_in(path)) == 1
    write_runs(path, [*runs_in(path), {"faults": [1]}])
    assert [run["faults"] for run in runs_in(path)] == [[], [1]]
    assert [each.name for each in tmp_path.iterdir()] == ["chaos.json"]


@pytest.mark.parametrize("text", ["[]", "no JSON", '{"version": 2}', '{"version": 9, "runs": []}'])
def test_what_holds_no_runs_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "chaos.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match="holds no results"):
        runs_in(path)


@pytest.mark.parametrize(("faults", "shown"), [(("hang",), 1), ((), len(ChaosPlan().acts))])
def test_no_table_is_shown_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, faults: tuple[str, ...], shown: int
) -> None:
    """One after each act, and of all of them after the last: that is the only one of a single."""
    tables: list[int] = []

    async def act(self: object, faults: object) -> list[object]:
        return []

    monkeypatch.setattr(run, "be_first_served", lambda: None)
    monkeypatch.setattr(run, "table", lambda judged: tables.append(1) or "")
    monkeypatch.setattr(run._Run, "_act", act)
    run_chaos(plan_of(4, faults, quick=True) if faults else ChaosPlan(), tmp_path, None)
    assert len(tables) == shown


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_log_has_a_line_for_each_thing_and_one_each_half_minute() -> None:
    written, clock = io.StringIO(), Clock()
    console = Console(file=written, width=130)
    progress = Progress(console, console.status(""), lambda: 150.0 - clock.now, clock)
    for second in range(40):
        clock.now = second
        progress.tell(f"think: 503, {40 - second} s")
    progress.tell("speak: killed 3 of 100, 170 s")
    progress.tell("speak: killed 4 of 100, 168 s")
    assert written.getvalue().splitlines() == [
        "think: 503, 40 s; about 2 min in all",
        "think: 503, 10 s; about 2 min in all",
        "speak: killed 3 of 100, 170 s; about 2 min in all",
    ]


def test_quick_is_shorter() -> None:
    quick, full = plan_of(4, ("hang",), quick=True), plan_of(4, ("hang",), quick=False)
    assert quick.fault_s < full.fault_s
    assert quick.kills < full.kills == 100
    assert [fault.name for fault in quick.faults] == ["hang"]
    assert quick.processes == 4


def test_all_of_it_takes_half_an_hour_nearly_and_a_hundred_kills_four() -> None:
    plan = ChaosPlan()
    assert plan.calls == 20
    assert 1_400 < plan.about_s < 1_750
    assert all(plan.lasts_s(BY_NAME["kill"], role) < 240 for role in ROLES)
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
