from __future__ import annotations

import re

import pytest

from telemetry import catalog
from telemetry.catalog import BY_NAME, METRICS, Metric


def test_every_metric_of_the_module_is_in_the_table_once() -> None:
    named = [value for value in vars(catalog).values() if isinstance(value, Metric)]
    assert sorted(metric.name for metric in named) == sorted(metric.name for metric in METRICS)
    assert len(BY_NAME) == len(METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_follows_the_naming_rules(metric: Metric) -> None:
    assert re.fullmatch(r"callcluster_[a-z_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    if metric.unit in {"seconds", "bytes"}:
        assert metric.name.endswith(f"_{metric.unit}")
    assert metric.help.endswith(".")
    assert "quantile" not in metric.labels
