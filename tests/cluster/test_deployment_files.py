"""The files that people deploy with: Ray's own checks pass, and they agree with the code."""

from __future__ import annotations

import copy
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from actors.replica_drain import DrainTimes
from cluster.agents import load_agents
from cluster.cli import app
from cluster.cli_node import DRAIN_S
from cluster.node_drain import SETTLED_S, SUCCESSORS_WITHIN_S
from cluster.node_leave import LATE_S
from cluster.run_node import GRACE_S
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


SECRET = re.compile(r"_(KEY|TOKEN|SID|PASSWORD)$")
ASSIGNED = re.compile(r"(# )?[A-Z_]+=")
HEALTH_PATH = "/-/healthz"  # of Ray Serve's HAProxy: well when the node has a replica
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
        for wanted in ("/cluster.env", "/cluster.secrets.env", "set -a", "ulimit -n"):
            assert wanted in environment
        assert (" --head " in node) == key.startswith("head")
        assert "--block" not in node


@pytest.mark.parametrize("name", LAUNCHER_FILES)
def test_nodes_find_the_agents_where_the_launcher_puts_them(name: str) -> None:
    (there,) = read_yaml(name)["file_mounts"]
    assert read_environment()["CALLCLUSTER_AGENTS_DIR"] == f"{there}/agents"


def test_no_key_has_a_place_in_a_file_that_git_keeps() -> None:
    assert [name for name in read_environment() if SECRET.search(name)] == []
    example = (ROOT / "cluster.secrets.env.example").read_text("utf-8")
    pairs = [line.removeprefix("# ") for line in example.splitlines() if ASSIGNED.match(line)]
    names = {line.partition("=")[0] for line in pairs}
    assert {"RAY_AUTH_TOKEN", "TWILIO_AUTH_TOKEN", "OPENAI_API_KEY"} <= names
    assert not any(SECRET.search(line.partition("=")[0]) and line[-1] != "=" for line in pairs)
    assert "cluster.secrets.env" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_both_launcher_files_start_nodes_alike() -> None:
    aws, own = map(read_yaml, LAUNCHER_FILES)
    first_one = "export RAY_enable_autoscaler_v2=0; "  # on machines of one's own, see there
    own_start = own["head_start_ray_commands"]
    assert first_one in own_start[-1]
    own_start[-1] = own_start[-1].replace(first_one, "")
    for key in ("head_start_ray_commands", "worker_start_ray_commands", "file_mounts"):
        assert aws[key] == own[key]


def read_kubernetes() -> dict[str, dict[str, Any]]:
    """The documents of the manifest, by kind."""
    text = (ROOT / "deploy" / "kubernetes" / "rayservice.yaml").read_text("utf-8")
    return {item["kind"]: item for item in yaml.safe_load_all(text)}


# Of what RayService has (ray.io/v1, KubeRay 1.5.1 on), what this manifest needs: the operator
# drops a name that it does not know, and says nothing.
KNOWN: dict[str, set[str]] = {
    "spec": {"upgradeStrategy", "serveConfigV2", "rayClusterConfig"},
    "rayClusterConfig": {
        "rayVersion",
        "authOptions",
        "gcsFaultToleranceOptions",
        "headGroupSpec",
        "workerGroupSpecs",
    },
    "headGroupSpec": {"rayStartParams", "template"},
    "workerGroupSpecs": {
        "groupName",
        "replicas",
        "minReplicas",
        "maxReplicas",
        "rayStartParams",
        "template",
    },
    "pod": {"terminationGracePeriodSeconds", "affinity", "containers"},
    "container": {
        "name",
        "image",
        "envFrom",
        "lifecycle",
        "ports",
        "readinessProbe",
        "resources",
    },
}


def test_the_manifest_has_no_name_that_the_operator_would_drop() -> None:
    documents = read_kubernetes()
    assert documents["RayService"]["apiVersion"] == "ray.io/v1"
    spec = documents["RayService"]["spec"]
    cluster = spec["rayClusterConfig"]
    head, workers = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    found = [("spec", spec), ("rayClusterConfig", cluster), ("headGroupSpec", head)]
    found += [("workerGroupSpecs", group) for group in workers]
    for group in (head, *workers):
        pod = group["template"]["spec"]
        found += [("pod", pod), *(("container", each) for each in pod["containers"])]
    assert {
        where: set(part) - KNOWN[where] for where, part in found if set(part) - KNOWN[where]
    } == {}
    for group in workers:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


def test_a_pod_gets_calls_when_its_node_answers_and_outlives_them() -> None:
    documents = read_kubernetes()
    spec = documents["RayService"]["spec"]
    serve_port = yaml.safe_load(spec["serveConfigV2"])["http_options"]["port"]
    times = DrainTimes(wait_s=Settings.model_fields["drain_s"].metadata[-1].le)  # its most
    for group in spec["rayClusterConfig"]["workerGroupSpecs"]:
        pod = group["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] > times.wait_s + times.move_s + times.least_s
        (container,) = pod["containers"]
        assert [port["containerPort"] for port in container["ports"]] == [serve_port]
        probe = container["readinessProbe"]
        assert probe["httpGet"] == {"path": HEALTH_PATH, "port": serve_port}
        assert probe["periodSeconds"] * probe["failureThreshold"] <= 3
        # One over HTTP would end a pod that has no replica, with the calls that go on there.
        assert "livenessProbe" not in container
    front = documents["Service"]["spec"]
    assert {port["targetPort"] for port in front["ports"]} == {serve_port}
    assert front["selector"] == {"ray.io/group": "calls"}
    opened = documents["NetworkPolicy"]["spec"]["ingress"]
    assert [port["port"] for rule in opened if "from" not in rule for port in rule["ports"]] == [
        serve_port
    ]


def test_a_pod_that_is_deleted_is_drained_before_ray_hears_of_it() -> None:
    documents = read_kubernetes()
    cluster = documents["RayService"]["spec"]["rayClusterConfig"]
    given = float(documents["ConfigMap"]["data"].get("CALLCLUSTER_NODE_DRAIN_S", DRAIN_S))
    for group in cluster["workerGroupSpecs"]:
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        name, *arguments = container["lifecycle"]["preStop"]["exec"]["command"]
        assert name == "callcluster"
        group = typer.main.get_command(app)
        assert isinstance(group, typer.core.TyperGroup)
        command = group.commands[arguments[0]]
        drain = command.make_context(arguments[0], list(arguments[1:]))
        assert drain.params == {"name": "", "deadline": given}
        # Kubernetes counts the preStop, and Ray has to end after it.
        assert pod["terminationGracePeriodSeconds"] > given + LATE_S + 2 * GRACE_S
    # A head cannot be drained: it has no calls.
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    budget = documents["PodDisruptionBudget"]["spec"]
    assert budget["selector"]["matchLabels"] == documents["Service"]["spec"]["selector"]
    assert budget["maxUnavailable"] == 1


def test_by_itself_a_drain_has_time_for_all_of_it() -> None:
    times = DrainTimes()
    assert SUCCESSORS_WITHIN_S + times.wait_s + times.move_s + times.least_s + SETTLED_S <= DRAIN_S


def test_the_gcs_and_the_doctor_are_told_of_the_same_redis() -> None:
    documents = read_kubernetes()
    cluster = documents["RayService"]["spec"]["rayClusterConfig"]
    options = cluster["gcsFaultToleranceOptions"]
    assert documents["ConfigMap"]["data"]["RAY_REDIS_ADDRESS"] == options["redisAddress"]
    password = options["redisPassword"]["valueFrom"]["secretKeyRef"]
    assert password["key"] in documents["Secret"]["stringData"]
    # Beside those options the operator refuses a head that has it in `env`; `envFrom` it leaves.
    assert all("env" not in each for each in pods_containers(cluster))
    assert (
        cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    )  # a string, or it is dropped
    assert cluster["rayVersion"] == metadata.version("ray")


def test_the_operator_and_nobody_else_reaches_the_dashboard() -> None:
    documents = read_kubernetes()
    cluster = documents["RayService"]["spec"]["rayClusterConfig"]
    assert cluster["headGroupSpec"]["rayStartParams"]["dashboard-host"] == "0.0.0.0"
    # It sends the word that it has made itself; one of ours it would not know.
    assert cluster["authOptions"] == {"mode": "token"}
    given = {*documents["ConfigMap"]["data"], *documents["Secret"]["stringData"]}
    assert not {name for name in given if name.startswith("RAY_AUTH_")}
    rules = documents["NetworkPolicy"]["spec"]["ingress"]
    (rule,) = [each for each in rules if {"port": 8265} in each.get("ports", [])]
    (who,) = rule["from"]
    assert who["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "kuberay-operator"}


def test_the_image_has_what_kuberay_asks_with_and_no_keys() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
    assert re.search(r"apt-get install [^&]*\bwget\b", dockerfile)
    assert "COPY . " in dockerfile
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert {".env", "*.secrets.env", "var", ".git", ".venv"} <= set(ignored)


def pods_containers(cluster: dict[str, Any]) -> list[dict[str, Any]]:
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [each for group in groups for each in group["template"]["spec"]["containers"]]


def test_every_variable_of_the_pods_is_one_that_something_reads() -> None:
    documents = read_kubernetes()
    given = {*documents["ConfigMap"]["data"], *documents["Secret"]["stringData"]}
    told = (ROOT / "docs" / "settings.md").read_text("utf-8")
    others = {*SERVE_ENVIRONMENT, "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_REDIS_ADDRESS"}
    others |= {"RAY_SERVE_HAPROXY_BINARY_PATH", "RAY_SERVE_HAPROXY_MAXCONN", "REDIS_PASSWORD"}
    assert {name for name in given - others if f"`{name}`" not in told} == set()


def test_the_pods_of_kubernetes_have_the_environment_of_every_node() -> None:
    documents = read_kubernetes()
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
