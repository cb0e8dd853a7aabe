"""Dashboards that ship: Grafana can read them, and every series in them is one that exists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from telemetry import catalog
from telemetry.catalog import Metric

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
METRICS = {each.name: each for each in vars(catalog).values() if isinstance(each, Metric)}
# A metric in an expression, with its suffix and its selector.
_SERIES = re.compile(r"(callcluster_\w+)(?:\{([^}]*)\})?")
_BY = re.compile(r"\bby \(([^)]*)\)")
_SUFFIX = re.compile(r"_(sum|count)$")


def board(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text("utf-8"))
    assert isinstance(content, dict)
    return content


def metric_of(name: str) -> Metric:
    """The metric behind a series. Raises ``KeyError`` when there is none."""
    found = METRICS.get(name)
    return found if found is not None else METRICS[_SUFFIX.sub("", name)]


def test_there_are_some() -> None:
    assert len(DASHBOARDS) >= 3


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_series_and_label_of_a_dashboard_exists(path: Path) -> None:
    for panel in board(path)["panels"]:
        assert panel["targets"]
        for target in panel["targets"]:
            series = _SERIES.findall(target["expr"])
            assert series, target["expr"]
            known: set[str] = set()
            for name, selector in series:
                metric = metric_of(name)
                assert (_SUFFIX.search(name) is None) or metric.kind == "summary", name
                asked = set(re.findall(r"(\w+)=", selector))
                assert ("quantile" in asked) <= (metric.kind == "summary"), target["expr"]
                assert asked - {"quantile"} <= set(metric.labels), target["expr"]
                known |= set(metric.labels)
            shown = {word.strip() for by in _BY.findall(target["expr"]) for word in by.split(",")}
            shown |= set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert shown <= known, target["expr"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_have_a_place_of_their_own_and_ask_the_chosen_source(path: Path) -> None:
    content = board(path)
    assert re.fullmatch(r"[a-z-]{1,40}", content["uid"])
    taken: set[tuple[int, int]] = set()
    for panel in content["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (place["x"] + dx, place["y"] + dy)
            for dx in range(place["w"])
            for dy in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["datasource"]["uid"] == "${source}"
    (source,) = content["templating"]["list"]
    assert (source["name"], source["type"]) == ("source", "datasource")
    assert len({panel["id"] for panel in content["panels"]}) == len(content["panels"])


def test_a_dashboard_with_a_metric_that_is_not_there_would_be_found() -> None:
    with pytest.raises(KeyError):
        metric_of("callcluster_calls_dropped_total")
    assert metric_of("callcluster_response_latency_seconds_sum").kind == "summary"


def test_grafana_is_told_where_they_are() -> None:
    path = DEPLOY / "grafana" / "provisioning" / "dashboards" / "callcluster.yaml"
    (provider,) = yaml.safe_load(path.read_text("utf-8"))["providers"]
    assert provider["type"] == "file"
    path = DEPLOY / "grafana" / "provisioning" / "datasources" / "callcluster.yaml"
    (source,) = yaml.safe_load(path.read_text("utf-8"))["datasources"]
    assert source["type"] == "prometheus"
    scrape = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    assert [job["metrics_path"] for job in scrape] == ["/metrics"]
