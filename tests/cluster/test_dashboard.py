"""The dashboard page: it stands alone, and everything that it reads is in the summary."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from cluster.dashboard.routes import PATH, include_dashboard
from telemetry.merged import MergedMetrics
from telemetry.summary import summarise

SCRIPT = files("cluster.dashboard").joinpath("dashboard.js").read_text("utf-8")
PAGE = files("cluster.dashboard").joinpath("dashboard.html").read_text("utf-8")


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    include_dashboard(app)
    return TestClient(app)


def test_the_page_may_load_nothing_from_elsewhere(client: TestClient) -> None:
    answer = client.get(PATH)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", PAGE)


def test_every_file_that_the_page_names_is_served_beside_it(client: TestClient) -> None:
    named = re.findall(r'(?:src|href)="(dashboard/[^"]+)"', PAGE)
    assert len(named) == 2
    for name in named:
        answer = client.get("/" + name)
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["routes.py", "__init__.py", "..%2Froutes.py", "dashboard.html"])
def test_no_other_file_is(client: TestClient, name: str) -> None:
    assert client.get(f"{PATH}/{name}").status_code == 404


def test_whatever_the_script_reads_is_in_the_summary() -> None:
    summary: dict[str, Any] = {**summarise(MergedMetrics().totals()), "age_s": 0.0}
    read = set(re.findall(r"\bview((?:\.[a-z_]+)+)", SCRIPT))
    assert len(read) > 20
    for path in read:
        found: Any = summary
        for name in path[1:].split("."):
            if not found:  # a table without a row yet, or nothing measured
                break
            assert name in found, path
            found = found[name]


def test_every_element_that_the_script_fills_is_on_the_page() -> None:
    wanted = set(re.findall(r"""(?:get|table|line)\("([a-z-]+)\"""", SCRIPT))
    assert len(wanted) > 10
    assert wanted <= set(re.findall(r'id="([a-z-]+)"', PAGE))
