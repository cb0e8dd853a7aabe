"""Which deployment runs on the Ray cluster that we have joined, and whether it is this one's.

Ray's ``auto`` joins whatever cluster it finds on the machine: another checkout's, another port's.
What is there is asked of those who know: Serve's controller has the port where calls come in, the
GCS the folder of who deployed last, the back office and the CallActors the calls in progress.
"""

from __future__ import annotations

import contextlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

ASK_WITHIN_S = 2.0
PORT_SETTING = "CALLCLUSTER_PORT"
_KEY = b"started"  # of the GCS' store, in our namespace


@dataclass(frozen=True, slots=True)
class FoundCluster:
    """What of the product is on a Ray cluster.

    Attributes:
        address: Of its GCS.
        has_product: Something of ours, or a Ray Serve, runs there.
        port: Where its calls come in; None when nobody says.
        folder: Where it was started, on its machine; empty when nobody says.
        calls: In progress, those with the carrier included; None when they are not counted.
    """

    address: str
    has_product: bool = True
    port: int | None = None
    folder: str = ""
    calls: int | None = 0

    @property
    def name(self) -> str:
        """What a person knows it by."""
        known = [f"port {self.port}"] if self.port else []
        known += [f"started in {self.folder}"] if self.folder else []
        return f"the Ray cluster at {self.address}" + (f" ({', '.join(known)})" if known else "")

    def differs(self, port: int, folder: Path | None) -> str:
        """Why it is another deployment than that of these settings; empty when it may be it.

        Args:
            port: Of the settings.
            folder: Where we are; None when it does not matter.
        """
        if self.port is not None and self.port != port:
            return f"{PORT_SETTING} is {port} here"
        if folder is not None and self.folder and Path(self.folder) != folder:
            return f"this is {folder}"
        return ""

    @property
    def calls_text(self) -> str:
        """How many calls are in progress, in words."""
        if self.calls is None:
            return "calls in progress cannot be counted"
        return f"{self.calls} call{'s' * (self.calls != 1)} in progress"


def note_start(port: int) -> None:
    """Have the cluster that we have joined know which deployment it runs: port and folder."""
    from ray.experimental import internal_kv

    from actors.placement import NAMESPACE

    started = {"port": port, "folder": str(Path.cwd())}
    internal_kv._internal_kv_put(  # noqa: SLF001 - Ray's own libraries use it by this name
        _KEY, json.dumps(started).encode(), namespace=NAMESPACE.encode()
    )


def forget_start() -> None:
    """The deployment is gone."""
    from ray.experimental import internal_kv

    from actors.placement import NAMESPACE

    internal_kv._internal_kv_del(_KEY, namespace=NAMESPACE.encode())  # noqa: SLF001 - as above


def _started() -> dict[str, Any]:
    """What ``note_start`` has left; empty when 'serve run' has started it, or an older version."""
    from ray.experimental import internal_kv

    from actors.placement import NAMESPACE

    noted = internal_kv._internal_kv_get(_KEY, namespace=NAMESPACE.encode())  # noqa: SLF001
    return dict(json.loads(noted)) if noted else {}


def look_around() -> FoundCluster:
    """Whose deployment is on the cluster that we have joined; its calls are not counted."""
    import ray

    from actors.named_watch import CONTROLLER_NAME
    from actors.placement import NAMESPACE
    from actors.serve_replicas import SERVE_NAMESPACE

    named = ray.util.list_named_actors(all_namespaces=True)
    ours = [item["name"] for item in named if item["namespace"] == NAMESPACE]
    serves = [item["name"] for item in named if item["namespace"] == SERVE_NAMESPACE]
    started = _started() if ours or serves else {}
    http = _ask(CONTROLLER_NAME, SERVE_NAMESPACE, "get_http_config") if serves else None
    port = getattr(http, "port", None) or started.get("port")
    return FoundCluster(
        ray.get_runtime_context().gcs_address,
        has_product=bool(ours or serves),
        port=int(port) if port else None,
        folder=str(started.get("folder", "")),
        calls=None,
    )


def calls_in_progress() -> int | None:
    """Of the cluster that we have joined, those with the carrier included.

    By whoever of those that count them answers; None when they do not.
    """
    import ray

    from actors.placement import BACK_OFFICE_NAME, CALL_ACTOR_PREFIX, NAMESPACE

    named = ray.util.list_named_actors(all_namespaces=True)
    ours = [item["name"] for item in named if item["namespace"] == NAMESPACE]
    if not ours:
        return 0
    minds = [name for name in ours if name.startswith(CALL_ACTOR_PREFIX)]
    streams = _ask(BACK_OFFICE_NAME, NAMESPACE, "streams")
    told = _statuses(minds)
    if streams is None and len(told) < max(1, len(minds)):
        return None
    talking = sum(int(each["calls"]) for each in streams or ())
    seated = sum(int(status["active_calls"]) for status in told)
    # A caller who was put through has no stream, but comes back to us.
    return max(talking, seated) + sum(int(each.get("handed_over_calls", 0)) for each in told)


def _statuses(minds: list[str]) -> list[dict[str, Any]]:
    """What those CallActors that answer say of themselves."""
    import ray

    from actors.placement import NAMESPACE

    asked: list[Any] = []
    for name in minds:
        with contextlib.suppress(ValueError):
            asked.append(ray.get_actor(name, namespace=NAMESPACE).status.remote())
    if not asked:
        return []
    told = []
    for answer in ray.wait(asked, num_returns=len(asked), timeout=ASK_WITHIN_S)[0]:
        with contextlib.suppress(ray.exceptions.RayError):
            told.append(ray.get(answer))
    return told


def _ask(name: str, namespace: str, question: str) -> Any:
    """The answer of a named actor; None when it is away, late, or of a version without it."""
    import ray

    try:
        method = getattr(ray.get_actor(name, namespace=namespace), question)
        return ray.get(method.remote(), timeout=ASK_WITHIN_S)
    except (ValueError, AttributeError, ray.exceptions.RayError) as error:
        logger.debug("%s does not say: %s", name, type(error).__name__)
        return None
