"""Every option of every named actor, in one place: name, namespace, resources, restarts.

The protocol version stands in the name, so that a new release with another protocol starts its own
actors beside the old ones instead of talking to them.
"""

from __future__ import annotations

from typing import Any

from actors.wire import VERSION

NAMESPACE = "callcluster"
DIRECTORY_NAME = f"call-directory-v{VERSION}"
METRICS_NAME = f"metrics-v{VERSION}"
HEALTH_NAME = f"provider-health-v{VERSION}"
CACHE_NAME = f"semantic-cache-v{VERSION}"
BACK_OFFICE_NAME = f"back-office-v{VERSION}"
CALL_ACTOR_PREFIX = f"call-actor-v{VERSION}-"

# Ray would tell the GCS of every turn and every report, and the GCS keep 100,000 of them.
_QUIET = {"enable_task_events": False}


def directory_options() -> dict[str, Any]:
    """Options of the one directory of a cluster."""
    return {
        "name": DIRECTORY_NAME,
        "namespace": NAMESPACE,
        "lifetime": "detached",
        "get_if_exists": True,
        "num_cpus": 0,
        "max_restarts": -1,
        "max_task_retries": 0,
        "max_concurrency": 1_000,
        **_QUIET,
    }


def metrics_options() -> dict[str, Any]:
    """Options of the one MetricsActor of a cluster."""
    return {
        "name": METRICS_NAME,
        "namespace": NAMESPACE,
        "lifetime": "detached",
        "get_if_exists": True,
        "num_cpus": 0,
        "max_restarts": -1,
        "max_task_retries": 0,
        "max_concurrency": 1_000,
        **_QUIET,
    }


def provider_health_options() -> dict[str, Any]:
    """Options of the one ProviderHealthActor of a cluster.

    Each process keeps one long poll open at it, and each counts as a call in progress.
    """
    return {**metrics_options(), "name": HEALTH_NAME, "max_concurrency": 10_000}


def cache_name(shard: int) -> str:
    """The name of one owner of the response cache."""
    return f"{CACHE_NAME}-{shard}" if shard else CACHE_NAME


def semantic_cache_options(shard: int = 0) -> dict[str, Any]:
    """Options of a SemanticCacheActor, one a shard: long polls, as at the keeper of health.

    It has a file on the disk of its node, so it starts where the first process that wants it runs.
    """
    return {**metrics_options(), "name": cache_name(shard), "max_concurrency": 10_000}


def back_office_options() -> dict[str, Any]:
    """Options of the one BackOffice of a cluster."""
    return {**metrics_options(), "name": BACK_OFFICE_NAME}


def call_actor_options(name: str) -> dict[str, Any]:
    """Options of one CallActor.

    Not restarted by Ray: its calls are re-placed by their ingress replicas the moment it dies, and
    the directory starts a fresh one. Detached, because an actor created by an ingress replica or by
    the directory would otherwise die with its creator.
    """
    return {
        "name": name,
        "namespace": NAMESPACE,
        "lifetime": "detached",
        "num_cpus": 0.1,
        "max_restarts": 0,
        "max_task_retries": 0,
        "max_concurrency": 10_000,
        "scheduling_strategy": "SPREAD",
        **_QUIET,
    }
