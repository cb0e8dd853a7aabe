"""``callcluster cache`` as it is typed, on the file of a machine where nothing runs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster import response_cache_desk
from cluster.cli import main

ROOT = Path(__file__).parent.parent.parent
Type = Callable[..., tuple[int, str, str]]

FAQ = """question,answer,tags
When do you open?,We open at nine.,hours
Do you have parking?,Behind the house.,
yes,Great.,
Is it good?,Yes.,
"""


@pytest.fixture(autouse=True)
def _clean_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("CALLCLUSTER_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.setenv("CALLCLUSTER_CACHE_MODEL", "no-such-model")  # the encoder has its own tests
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "tests/fixtures/agents", tmp_path / "agents")
    monkeypatch.setattr(response_cache_desk, "_join", lambda: False)  # no Ray in a unit test
    (tmp_path / "faq.csv").write_text(FAQ, "utf-8")


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Type:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["callcluster", "cache", *arguments])
        code = 0
        try:
            main()
        except SystemExit as done:
            code = int(done.code or 0)
        said = capsys.readouterr()
        return code, said.out, " ".join(said.err.split())

    return run


@pytest.fixture
def filled(type_in: Type) -> Type:
    code, _, said = type_in("import", "faq.csv", "--agent", "reception", "--language", "en-US")
    assert code == 0, said
    return type_in


def rows(type_in: Type, *chosen: str) -> list[dict[str, Any]]:
    code, out, _ = type_in("inspect", "--json", *chosen)
    found = json.loads(out)["rows"] if out else []
    assert code == (0 if found or not any(one.isdigit() for one in chosen) else 1)
    return list(found)


def test_an_import_says_what_was_kept_and_why_not(type_in: Type) -> None:
    code, out, said = type_in(
        "import", "faq.csv", "--agent", "reception", "--language", "en-US", "--tag", "faq"
    )
    assert (code, out) == (0, "")
    assert "no cluster runs here: this is the file in" in said
    assert "3 of 4 questions of agent reception" in said
    assert "1 not kept: the question means nothing without what was said before" in said
    assert {tag for row in rows(type_in) for tag in row["tags"]} == {"faq", "hours"}


def test_an_import_is_rendered_in_the_agents_voices_and_a_second_run_goes_on(
    type_in: Type, tmp_path: Path
) -> None:
    agent = "language: en-US\nvoice: x\nspeaker: tone\ngreeting: Hello.\nprompt: You are Ann.\n"
    (tmp_path / "agents" / "reception.yaml").write_text(agent, "utf-8")
    code, _, said = type_in("import", "faq.csv", "--agent", "reception", "--most-chars", "60")
    assert code == 0
    assert "segments are spoken when they are asked for first" in said
    some = len(list(tmp_path.glob("var/clips/*/*.clip")))
    assert some
    code, _, said = type_in("render", "--agent", "reception")
    assert code == 0
    assert f"{some} were there" in said
    assert len(list(tmp_path.glob("var/clips/*/*.clip"))) > some
    code, _, said = type_in("import", "faq.csv", "--agent", "reception")
    assert code == 0
    assert "0 segments spoken (0 characters)" in said
    assert "audio" not in type_in("import", "faq.csv", "--agent", "reception", "--no-audio")[2]


def test_a_voice_without_a_key_does_not_spoil_an_import(filled: Type) -> None:
    code, _, said = filled("render", "--agent", "reception")
    assert code == 1
    assert "does not speak" in said
    assert len(rows(filled)) == 3
    code, _, said = filled("render", "--agent", "nobody")
    assert code == 2
    assert "has no agent nobody" in said


def test_a_card_may_say_what_is_wanted_next(type_in: Type, tmp_path: Path) -> None:
    head, card = "question,answer,answer_id,next", "What does it cost?,Ten.,price,delivery|hours"
    cards = f"{head}\n{card}\n"
    (tmp_path / "next.csv").write_text(cards, "utf-8")
    options = ("--agent", "reception", "--language", "en-US", "--no-audio")
    assert type_in("import", "next.csv", *options)[0] == 0
    (row,) = rows(type_in)
    assert row["next"] == ["delivery", "hours"], "and it outlives the process"
    assert type_in("export", "out.jsonl")[0] == 0
    assert type_in("purge", "--all", "--yes")[0] == 0
    assert type_in("import", "out.jsonl", *options)[0] == 0
    assert rows(type_in)[0]["next"] == ["delivery", "hours"]


def test_an_entry_says_where_it_comes_from(filled: Type) -> None:
    (row,) = rows(filled, "--text", "open at nine")
    assert row["source"] == "faq.csv:2"
    assert (row["status"], row["provenance"], row["ttl"]) == ("alive", "faq", "lasting")
    code, out, _ = filled("inspect", str(row["entry_id"]))
    assert code == 0
    assert "We open at nine." in out
    assert "faq.csv:2" in out
    code, _, said = filled("inspect", "99999")
    assert code == 1
    assert "there is no entry 99999" in said


def test_the_list_is_short_in_words_and_whole_in_numbers(filled: Type) -> None:
    code, out, said = filled("inspect", "--limit", "1")
    assert code == 0
    assert "alive" in said
    assert "no encoder: questions in the same words only" in said
    assert "--limit shows more" in said
    assert len(out.strip().splitlines()) == 2


def test_nothing_of_another_tenant_is_shown_or_purged(filled: Type) -> None:
    assert rows(filled, "--tenant", "bank") == []
    assert filled("purge", "--all", "--yes", "--tenant", "bank")[0] == 1
    assert len(rows(filled, "--tenant", "*")) >= 2


@pytest.mark.parametrize(
    "chosen", [("--tag", "hours"), ("--text", "nine"), ("--source", "faq.csv:2")]
)
def test_what_was_chosen_is_purged_and_stays_away(filled: Type, chosen: tuple[str, str]) -> None:
    before = len(rows(filled))
    code, _, said = filled("purge", *chosen, "--yes")
    assert code == 0
    assert "1 entries removed" in said
    left = rows(filled)
    assert len(left) == before - 1
    assert all("nine" not in row["answer"] for row in left)


def test_a_purge_asks_and_names_what_is_missing(
    filled: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.confirm", lambda *_args, **_more: False)
    assert filled("purge", "--tag", "hours")[0] == 1
    assert rows(filled, "--tag", "hours")
    code, _, said = filled("purge")
    assert code == 2
    assert "say what to purge" in said


def test_an_export_is_read_again(filled: Type, tmp_path: Path) -> None:
    assert filled("export", "out.jsonl")[0] == 0
    code, _, said = filled("export", "out.jsonl")
    assert code == 2
    assert "--overwrite" in said
    before = {row["question"]: row["answer"] for row in rows(filled)}
    assert filled("purge", "--all", "--yes")[0] == 0
    assert rows(filled) == []
    import_again = ("import", "out.jsonl", "--agent", "reception", "--language", "en-US")
    assert filled(*import_again)[0] == 0
    assert {row["question"]: row["answer"] for row in rows(filled)} == before
    code, out, _ = filled("export")
    assert len(out.splitlines()) == len(before)


def test_transcripts_wait_for_two_callers_and_keep_nothing_personal(
    type_in: Type, tmp_path: Path
) -> None:
    lines = [
        {"question": "when do you open", "answer": "At nine.", "caller": "a"},
        {"question": "what is my balance", "answer": "Your balance is 5.", "caller": "a"},
    ]
    (tmp_path / "calls.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    options = ("--agent", "reception", "--language", "en-US", "--transcripts")
    code, _, said = type_in("import", "calls.jsonl", *options)
    assert code == 0
    assert "1 not kept: the answer speaks of a caller" in said
    (row,) = rows(type_in)
    assert (row["status"], row["provenance"]) == ("quorum", "transcript")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("import", "nowhere.csv", "--agent", "reception", "--language", "en"), "No such file"),
        (("import", "faq.csv", "--agent", "nobody"), "has no agent nobody"),
        (("import", "faq.csv", "--agent", "reception", "--language", "de"), "speaks en-US only"),
        (("import", "faq.csv", "--agent", "x", "--tenant", "*"), "belong to one tenant"),
        (("export", "no/such/folder.jsonl"), "cannot be written"),
    ],
)
def test_what_is_wrong_is_one_line(type_in: Type, arguments: tuple[str, ...], why: str) -> None:
    code, _, said = type_in(*arguments)
    assert code == 2
    assert why in said


@pytest.mark.parametrize("named", ["en", "EN-us", "en-GB"])
def test_answers_are_in_the_language_that_is_looked_up(type_in: Type, named: str) -> None:
    options = ("--language", named, "--no-audio")
    assert type_in("import", "faq.csv", "--agent", "reception", *options)[0] == 0
    assert {row["scope"]["language"] for row in rows(type_in)} == {"en-US"}


def test_a_broken_file_is_set_aside(filled: Type, tmp_path: Path) -> None:
    (file,) = tmp_path.glob("var/cache/*.cache")
    file.write_bytes(file.read_bytes()[:-7])
    assert rows(filled) == []
    assert [path.name.split("-")[0] for path in tmp_path.glob("var/cache/broken-*")] == ["broken"]


@pytest.mark.parametrize("command", ["inspect", "purge", "import", "export", "render"])
def test_every_command_explains_itself(type_in: Type, command: str) -> None:
    code, out, _ = type_in(command, "--help")
    assert code == 0
    assert "Examples" in out


def test_with_several_owners_people_see_one_cache(
    type_in: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--language", "en-US", "--no-audio")
    assert type_in("import", "faq.csv", "--agent", "before", *options)[0] == 0
    monkeypatch.setenv("CALLCLUSTER_CACHE_OWNERS", "3")
    for agent in ("one", "two", "three", "four"):
        assert type_in("import", "faq.csv", "--agent", agent, *options)[0] == 0
    assert len(list(tmp_path.glob("var/cache/responses-*-of-3.cache"))) == 3
    every = rows(type_in, "--limit", "100")
    assert len(every) == 15
    assert len({row["entry_id"] for row in every}) == 15
    found = json.loads(type_in("inspect", "--json", "--limit", "7")[1])
    assert (found["total"], len(found["rows"]), found["summary"]["entries"]) == (15, 7, 15)
    (row,) = rows(type_in, str(every[-1]["entry_id"]))
    assert row == every[-1]
    assert type_in("export", "out.jsonl")[0] == 0
    assert len((tmp_path / "out.jsonl").read_text("utf-8").splitlines()) == 15
    assert type_in("purge", "--tag", "hours", "--yes")[0] == 0
    assert len(rows(type_in, "--limit", "100")) == 10
