"""More ingress replicas for more calls or late loops, fewer for fewer; what Serve makes of it."""

from __future__ import annotations

import math
import pickle
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.ingress import build_deployment
from cluster.replica_scaling import (
    AFTER_S,
    LATE_S,
    ReplicaLoad,
    policy,
    scaling_config,
    wanted_replicas,
)
from cluster.settings import Settings

SEATS = 25.0


def wanted(
    *calls: float, now: int = 0, since_more_s: float = math.inf, late_s: float = 0.0, **more: float
) -> int:
    """For replicas with so many calls each; ``more`` is said by every one of them."""
    loads = [ReplicaLoad(each, SEATS, late_s=late_s, **more) for each in calls]
    running = max(len(calls), 1)
    return wanted_replicas(
        loads, running=running, wanted_now=now or running, since_more_s=since_more_s
    )


@pytest.mark.parametrize(
    ("calls", "replicas"),
    [
        ((0,), 1),
        ((17,), 1),
        ((18,), 2),  # above seven in ten seats
        ((25, 25), 3),
        ((25, 25, 25), 5),
    ],
)
def test_more_before_the_seats_are_full(calls: tuple[float, ...], replicas: int) -> None:
    assert wanted(*calls) == replicas


def test_fewer_only_when_those_that_stay_are_half_empty() -> None:
    assert wanted(13, 13) == 2  # one would carry 26
    assert wanted(8, 8) == 2  # one would be two thirds full: it would have to grow again soon
    assert wanted(6, 6) == 1
    assert wanted(0, 0, 0, 0) == 1


def test_calls_whose_stream_is_on_its_way_and_those_that_wait_count() -> None:
    assert wanted(10, cluster_calls=18) == 2
    assert wanted(10, 10, cluster_calls=21) == 2
    assert wanted(17, waiting=1) == 2


def test_late_loops_want_one_more_and_not_another_before_it_shows() -> None:
    late = 2 * LATE_S
    assert wanted(5, 5, late_s=late) == 3
    assert wanted(5, 5, now=3, late_s=late, since_more_s=AFTER_S / 2) == 3
    assert wanted(5, 5, 5, late_s=late, since_more_s=AFTER_S / 2) == 3  # and none fewer
    assert wanted(5, 5, 5, late_s=late, since_more_s=AFTER_S) == 4
    assert wanted(5, 5, 5, late_s=LATE_S) == 2


def test_nothing_changes_while_no_replica_has_told_anything() -> None:
    assert wanted(now=4) == 4
    assert wanted_replicas([ReplicaLoad()], running=1, wanted_now=2, since_more_s=math.inf) == 2


def context(metrics: dict[str, dict[str, float]] | None, **fields: Any) -> Any:
    known = {"current_num_replicas": 2, "target_num_replicas": 2, "current_time": 500.0}
    return SimpleNamespace(
        aggregated_metrics=metrics, last_scale_up_time=None, **{**known, **fields}
    )


def test_serve_is_told_a_number() -> None:
    told = {"a": ReplicaLoad(20, SEATS).to_plain(), "b": ReplicaLoad(20, SEATS).to_plain()}
    names = told["a"]
    metrics = {name: {replica: load[name] for replica, load in told.items()} for name in names}
    metrics["num_ongoing_requests"] = {"a": 99.0, "c": 99.0}  # Serve's own: none of ours
    assert policy(context(metrics)) == (3, {})
    assert policy(context(None)) == (2, {})


def test_the_rules_travel_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    config = scaling_config(2, 5)
    assert (config.min_replicas, config.max_replicas) == (2, 5)
    # A controller that was started with other code goes by these rules all the same.
    monkeypatch.setitem(sys.modules, "cluster.replica_scaling", None)
    travelled = pickle.loads(config.policy.get_serialized_policy_def())
    assert travelled(context(None)) == (2, {})


def deployed(tmp_path: Path, **fields: Any) -> Any:
    (tmp_path / "reception.yaml").write_text("language: en-US\nprompt: Be kind.\n", "utf-8")
    settings = Settings(_env_file=None, agents_dir=tmp_path, **fields)
    return build_deployment(settings)._bound_deployment


def test_replicas_follow_the_calls_once_there_may_be_more(tmp_path: Path) -> None:
    fixed = deployed(tmp_path, ingress_replicas=3)
    assert fixed.num_replicas == 3
    assert fixed._deployment_config.autoscaling_config is None
    scaled = deployed(tmp_path, ingress_replicas=2, max_ingress_replicas=6)
    config = scaled._deployment_config.autoscaling_config
    assert (config.min_replicas, config.max_replicas) == (2, 6)
