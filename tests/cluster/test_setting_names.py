"""Names that look like settings and are none are told, with the one that may be meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from cluster.cli import app
from cluster.cli_help import option_variables
from cluster.setting_names import setting_names, unknown_names, written_names

OPTIONS = option_variables(typer.main.get_command(app), "CALLCLUSTER")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CALLCLUSTER_INGRES_REPLICAS", "CALLCLUSTER_INGRESS_REPLICAS"),
        ("CALLCLUSTER_CALL_ACTOR", "CALLCLUSTER_CALL_ACTORS"),
        ("callcluster_prot", "CALLCLUSTER_PORT"),
        ("CALLCLUSTER_NODE_DRAIN", "CALLCLUSTER_NODE_DRAIN_S"),  # of an option
    ],
)
def test_the_nearest_name_is_suggested(name: str, meant: str) -> None:
    (unknown,) = unknown_names([name], OPTIONS)
    assert (unknown.name, unknown.nearest) == (name, meant)
    assert unknown.found == f"is read by nobody: is {meant} meant?"


def test_a_name_without_a_near_one_is_told_alone() -> None:
    (unknown,) = unknown_names(["CALLCLUSTER_MOOD_OF_THE_DAY"], OPTIONS)
    assert unknown.found == "is read by nobody"


@pytest.mark.parametrize(
    "name",
    [
        "CALLCLUSTER_PORT",
        "callcluster_port",  # names count in any case
        "CALLCLUSTER_DATABASE_URL",  # another name of DATABASE_URL
        "CALLCLUSTER_SECRET_CRM_TOKEN",
        "CALLCLUSTER_URL",
        "CALLCLUSTER_CALL_JSON",
        "CALLCLUSTER_SERVE_DASHBOARD",
        "OPENAI_APY_KEY",  # whose it is cannot be known
        "CALLCLUSTERS",
    ],
)
def test_what_somebody_reads_and_what_is_not_ours_is_not_told(name: str) -> None:
    assert unknown_names([name], OPTIONS) == []


def test_names_come_from_the_environment_and_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("CALLCLUSTER_PROT=1\n# CALLCLUSTER_NOT=1\n")
    assert written_names({"A": "1"}, file) == ["A", "CALLCLUSTER_PROT"]
    file.write_bytes(b"\xff\xfe")
    assert written_names({"A": "1"}, file) == ["A"]
    assert written_names({"A": "1"}, tmp_path / "none") == ["A"]


def test_every_name_on_the_page_of_settings_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    names = sorted(set(re.findall(r"`(CALLCLUSTER_[A-Z0-9_]+)`", page)))
    assert len(names) > 50
    names.remove("CALLCLUSTER_COMMAND_OPTION")  # how those of options are made
    assert unknown_names(names, OPTIONS) == []


def test_plain_names_are_settings_too() -> None:
    assert {"OPENAI_API_KEY", "PUBLIC_URL", "DATABASE_URL"} <= setting_names()
