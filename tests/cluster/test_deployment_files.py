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


def test_the_launcher_file_passes_rays_own_schema() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = read_yaml("cluster.yaml")
    validate_config(prepare_config(copy.deepcopy(config)))
    assert config["head_node_type"] in config["available_node_types"]


def test_every_node_reads_the_environment_before_ray_starts() -> None:
    config = read_yaml("cluster.yaml")
    for key in ("head_start_ray_commands", "worker_start_ray_commands"):
        starting = [line for line in config[key] if "ray start" in line]
        assert len(starting) == 1
        environment, _, _ = starting[0].partition("ray start")
        assert "cluster.env" in environment
        assert "set -a" in environment
        assert "ulimit -n" in environment


def test_the_serve_file_passes_serves_own_schema_and_names_settings() -> None:
    from ray.serve.schema import ServeDeploySchema

    config = ServeDeploySchema.model_validate(read_yaml("serve_config.yaml"))
    (application,) = config.applications
    assert application.import_path == "serve_app:build_app"
    assert set(application.args) <= set(Settings.model_fields)
    Settings.model_validate(application.args)


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
