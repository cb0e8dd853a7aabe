"""When a deploy is over, and what is said until then."""

from __future__ import annotations

import pytest

from actors.serve_view import ServeReplica, ServeView, State
from actors.stream_watch import ReplicaPlace
from cluster.deploy_progress import DeployStep, DeployView, deploy_step
from cluster.errors import ClusterError
from cluster.found_cluster import FoundCluster
from cluster.run_deploy import FAILED_FOR_S, Deploying, require_ours

OLD = frozenset({"a", "b"})


def serve(status: str = "UPDATING", **states: State) -> ServeView:
    """A view of replicas by name; each runs in a process of its own."""
    replicas = tuple(
        ServeReplica(name, state, ReplicaPlace("node", ord(name))) for name, state in states.items()
    )
    return ServeView(status, "", 2, replicas)


def step(
    view: ServeView | None,
    calls: dict[str, int] | None = None,
    *,
    actors: int = 2,
    wanted: int = 2,
    is_same: bool = False,
) -> DeployStep:
    places = None if calls is None else {ReplicaPlace("node", ord(n)): c for n, c in calls.items()}
    return deploy_step(
        DeployView(view, places, actors, 2), replaced=OLD, wanted=wanted, is_same=is_same
    )


def test_it_is_over_when_only_new_replicas_are_asked() -> None:
    assert not step(None).is_answering
    assert not step(serve(a="running", b="running")).is_answering
    assert not step(serve(a="running", b="running", c="running")).is_answering
    assert not step(serve(a="stopping", b="running", c="running", d="running")).is_answering
    done = step(serve(a="stopping", b="stopping", c="running", d="running"), {"a": 2, "b": 1})
    assert done.is_answering
    assert (done.retiring, done.calls_left) == (2, 3)
    assert done.left == "3 calls still on 2 replicas to go"
    assert step(serve(c="running", d="running")).left == ""


def test_call_actors_are_waited_for_and_their_trouble_is_told() -> None:
    replicas = serve(c="running", d="running")
    assert not step(replicas, actors=1).is_answering
    told = deploy_step(
        DeployView(replicas, None, 0, 2, "no agent"), replaced=OLD, wanted=2, is_same=False
    )
    assert told.line == "replicas: 2 of 2 new, CallActors: 0 of 2, no agent"


def test_a_node_without_its_haproxy_answers_nobody() -> None:
    def told(*proxies: str) -> DeployStep:
        view = DeployView(serve(c="running", d="running"), None, 2, 2, proxies=proxies)
        return deploy_step(view, replaced=OLD, wanted=2, is_same=False)

    for away in ("STARTING", "UNHEALTHY"):
        assert not told("HEALTHY", away).is_answering
        assert told("HEALTHY", away).line.endswith("CallActors: 2 of 2, HAProxy: 1 of 2 nodes")
    assert told("HEALTHY", "DRAINING").is_answering
    assert told("HEALTHY").line.endswith("CallActors: 2 of 2")


def test_the_line_tells_who_is_there() -> None:
    line = step(serve(a="stopping", b="running", c="running", d="starting"), {"a": 1}).line
    assert line == (
        "replicas: 1 of 2 new, 1 starting, 1 old, 1 retiring with 1 call, CallActors: 2 of 2"
    )
    assert "retiring, " in step(serve(a="stopping", c="running")).line  # nobody counts its calls


@pytest.mark.parametrize(("wanted", "running"), [(3, "abc"), (1, "a")])
def test_another_number_of_replicas_replaces_none(wanted: int, running: str) -> None:
    before = serve(a="running", b="running")
    assert not step(before, wanted=wanted, is_same=True).is_answering
    after = serve(**dict.fromkeys(running, "running"))
    assert step(after, wanted=wanted, is_same=True).is_answering


# --- the loop -----------------------------------------------------------------------------------


class Cluster:
    """A cluster that shows one view after another, each for some looks; nobody waits."""

    def __init__(
        self, *views: tuple[ServeView | None, int], fewest: int = 2, is_scaled: bool = False
    ) -> None:
        self._views = [view for view, looks in views for _ in range(looks)]
        self.now = 0.0
        self.newest = ""  # release that the directory knows
        self.said: list[str] = []
        self.deploying = Deploying(
            self.look,
            OLD,
            fewest,
            False,
            lambda: "TypeError: no such agent",
            lambda: self.now,
            self.wait,
            is_scaled,
            release="1764000000-aa",
        )

    def look(self) -> DeployView:
        serving = self._views.pop(0) if len(self._views) > 1 else self._views[0]
        calls = {ReplicaPlace("node", ord("a")): 1}
        return DeployView(serving, calls, 2, 2, release=self.newest)

    def wait(self, seconds: float) -> None:
        self.now += seconds


def test_each_change_is_said_once_and_who_wants_to_waits_until_all_is_gone() -> None:
    cluster = Cluster(
        (serve(a="running", b="running"), 3),
        (serve(a="running", b="stopping", c="running"), 4),
        (serve(a="stopping", c="running", d="running"), 3),
        (serve(c="running", d="running"), 1),
    )
    answering = cluster.deploying.until_answering(cluster.said.append)
    assert len(cluster.said) == 2
    assert answering.left == "1 call still on 1 replica to go"
    cluster.deploying.until_gone(answering, 100.0, cluster.said.append)
    assert cluster.said[2:] == ["1 call still on 1 replica to go", "what was replaced is gone"]


def test_where_replicas_follow_the_calls_serve_says_how_many_there_are_to_be() -> None:
    views = ((serve(a="running", c="running"), 1), (serve(c="running", d="running"), 1))
    cluster = Cluster(*views, fewest=1, is_scaled=True)  # Serve wants two
    done = cluster.deploying.until_answering(cluster.said.append)
    assert cluster.said == ["replicas: 1 of 2 new, 1 old, CallActors: 2 of 2"]
    assert done.replicas == 2


def test_a_failure_is_believed_when_it_lasts() -> None:
    failed = serve("DEPLOY_FAILED", a="running", b="running")
    cluster = Cluster((failed, 2), (serve(c="running", d="running"), 1))
    assert cluster.deploying.until_answering(cluster.said.append).is_answering
    cluster = Cluster((failed, 1))
    with pytest.raises(ClusterError, match="no such agent"):
        cluster.deploying.until_answering(cluster.said.append)
    assert cluster.now >= FAILED_FOR_S


def test_nobody_waits_for_ever() -> None:
    cluster = Cluster((serve(a="running", b="running", c="starting"), 1))
    with pytest.raises(ClusterError, match="does not go on: replicas: 0 of 2 new, 1 starting"):
        cluster.deploying.until_answering(cluster.said.append)
    cluster = Cluster((serve(a="stopping", c="running", d="running"), 1))
    with pytest.raises(ClusterError, match="after 90 s: 1 call still on 1 replica"):
        cluster.deploying.until_gone(cluster.deploying.step(), 90.0, cluster.said.append)


@pytest.mark.parametrize("newest", ["", "1763999999-bb", "1764000000-aa"])
def test_a_directory_that_has_not_heard_of_it_yet_or_says_nothing_is_no_other_deploy(
    newest: str,
) -> None:
    cluster = Cluster((serve(c="running", d="running"), 1))
    cluster.newest = newest
    assert cluster.deploying.until_answering(cluster.said.append).is_answering


def test_whom_a_newer_deploy_has_overtaken_does_not_say_that_he_is_answering() -> None:
    cluster = Cluster((serve(c="running", d="running"), 1))
    cluster.newest = "1764000001-bb"
    with pytest.raises(ClusterError, match="1764000001-bb was deployed after 1764000000-aa"):
        cluster.deploying.until_answering(cluster.said.append)


def test_nobody_elses_deployment_is_replaced_because_ray_found_it() -> None:
    found = FoundCluster("10.0.0.5:6379", port=8001, folder="/srv/there")
    require_ours(found, 8001)  # of another folder: what is newer may lie elsewhere
    with pytest.raises(ClusterError, match=r"RAY_ADDRESS=10\.0\.0\.5:6379 callcluster deploy"):
        require_ours(found, 8000)
