"""The files that people deploy with: Ray's own checks pass, and they agree with the code."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.agents import load_agents
from cluster.serve_env import SERVE_ENVIRONMENT, complaints
from cluster.settings import Settings
from cluster.voice_config import voice_configs

ROOT = Path(__file__).parent.parent.parent


def read_yaml(name: str) -> dict[str, Any]:
    content = yaml.safe_load((ROOT / name).read_text("utf-8"))
    assert isinstance(content, dict)
    return content


def read_environment() -> dict[str, str]:
    lines = (ROOT / "cluster.env").read_text("utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line.strip() and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


LAUNCHER_FILES = ("cluster.yaml", "cluster.local.yaml")


@pytest.mark.parametrize("name", LAUNCHER_FILES)
def test_the_launcher_file_passes_rays_own_schema(name: str) -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = prepare_config(copy.deepcopy(read_yaml(name)))
    validate_config(config)
    assert config["head_node_type"] in config["available_node_types"]


@pytest.mark.parametrize("name", LAUNCHER_FILES)
def test_every_node_reads_the_environment_before_ray_starts(name: str) -> None:
    config = read_yaml(name)
    for key in ("head_start_ray_commands", "worker_start_ray_commands"):
        stop, start = config[key]
        assert stop.endswith("ray stop")
        environment, _, node = start.partition("callcluster node --detach")
        for wanted in ("cluster.env", "set -a", "ulimit -n"):
            assert wanted in environment
        assert (" --head " in node) == key.startswith("head")
        assert "--block" not in node


def test_both_launcher_files_start_nodes_alike() -> None:
    aws, own = map(read_yaml, LAUNCHER_FILES)
    for key in ("head_start_ray_commands", "worker_start_ray_commands", "file_mounts"):
        assert aws[key] == own[key]


def test_the_pods_of_kubernetes_have_the_environment_of_every_node() -> None:
    text = (ROOT / "deploy" / "kubernetes" / "rayservice.yaml").read_text("utf-8")
    documents = {item["kind"]: item for item in yaml.safe_load_all(text)}
    data = documents["ConfigMap"]["data"]
    assert {name: data.get(name) for name in SERVE_ENVIRONMENT} == dict(SERVE_ENVIRONMENT)
    assert complaints(data) == []
    spec = documents["RayService"]["spec"]
    cluster = spec["rayClusterConfig"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        for container in group["template"]["spec"]["containers"]:
            sources = {key: each[key]["name"] for each in container["envFrom"] for key in each}
            assert sources == {"configMapRef": "callcluster", "secretRef": "callcluster"}
    drained_s = float(SERVE_ENVIRONMENT["RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S"])
    for group in cluster["workerGroupSpecs"]:
        assert group["template"]["spec"]["terminationGracePeriodSeconds"] > drained_s
    assert_serves(yaml.safe_load(spec["serveConfigV2"]))


def assert_serves(content: dict[str, Any]) -> None:
    """Serve's own schema holds, and every argument is a setting of ours."""
    from ray.serve.schema import ServeDeploySchema

    config = ServeDeploySchema.model_validate(content)
    (application,) = config.applications
    assert application.import_path == "serve_app:build_app"
    assert set(application.args) <= set(Settings.model_fields)
    Settings.model_validate(application.args)


def test_the_serve_file_passes_serves_own_schema_and_names_settings() -> None:
    assert_serves(read_yaml("serve_config.yaml"))


def test_the_nodes_environment_is_the_one_that_the_product_asks_for() -> None:
    environment = read_environment()
    assert {name: environment.get(name) for name in SERVE_ENVIRONMENT} == dict(SERVE_ENVIRONMENT)
    assert complaints(environment) == []


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "RAY_SERVE_ENABLE_HA_PROXY is not 1"),
        (
            {"RAY_SERVE_ENABLE_HA_PROXY": "1"},
            "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S is 120",
        ),
    ],
)
def test_a_wrong_environment_is_said(environment: dict[str, str], said: str) -> None:
    assert any(complaint.startswith(said) for complaint in complaints(environment))


def test_the_agents_that_ship_load() -> None:
    agents = load_agents(ROOT / "agents", "default")
    settings = Settings(_env_file=None)
    assert settings.default_agent in agents
    assert set(voice_configs(agents.values(), settings)) == set(agents)
