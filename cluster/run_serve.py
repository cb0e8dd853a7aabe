"""Run the product on this machine, or on the Ray cluster that this machine belongs to.

The order matters: the environment that Serve reads at import comes first, then Ray, then Serve.
What an earlier run left behind (an orphaned HAProxy on our ports) is ended; a port that belongs to
somebody else is said, with the setting that moves it.
"""

from __future__ import annotations

import getpass
import json
import logging
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster import ports, serve_env, shared_memory
from cluster.errors import ClusterError, NoClusterError
from cluster.found_cluster import note_start
from cluster.run_drain import begin_drain, wait_for_calls
from cluster.settings import Settings

logger = logging.getLogger(__name__)

READY_WITHIN_S = 120.0
CONNECT_WITHIN_S = 5.0
APP_NAME = "callcluster"
NAMESPACE = "callcluster"  # as in actors.placement, which is not imported before Ray starts
ERROR_LINE = re.compile(r"[A-Za-z_.]+(Error|Exception|Invalid\w*): ")
START_FAILED = "the start failed:"
NO_CLUSTER_HERE = (
    "no Ray cluster runs on this machine: start one ('callcluster node -- --head'), or name "
    "another one (RAY_ADDRESS=10.0.0.5:6379)"
)
PYTHON_PROXY_COST = (
    "HAProxy is not available for this platform: Ray Serve's Python proxy carries the audio. "
    "Expect about four times the CPU for each frame (665 instead of 168 microseconds, measured), "
    "and audio that queues from some 50 calls on."
)


def haproxy_folder(port: int) -> Path:
    """Where this deployment's HAProxy keeps its files: short, for unix sockets; one for a port."""
    return Path(tempfile.gettempdir()) / f"callcluster-{getpass.getuser()}-{port}"


def prepare_environment(settings: Settings, say: Callable[[str], None]) -> bool:
    """Set what Serve reads at import and free our ports; True when HAProxy will be used.

    Raises:
        PortInUseError: Somebody else listens where we must.
        ClusterError: The folder for HAProxy's files belongs to somebody else.
        SettingsError: This machine has not the address that we are to listen at.
    """
    ports.require_address(settings.host)
    folder = haproxy_folder(settings.port)
    serve_env.make_own_folder(folder)
    haproxy = serve_env.prepare(os.environ, folder=folder)
    if not haproxy:
        say(PYTHON_PROXY_COST)
    ended = ports.end_leftovers(str(Path(os.environ["RAY_SERVE_HAPROXY_CONFIG_FILE_LOC"]).parent))
    if ended:
        say(f"ended a HAProxy that an earlier run had left behind (process {ended[0]})")
    wanted = ports.wanted_ports(settings.port, os.environ)
    ports.require_free(wanted if haproxy else wanted[:1])
    return haproxy


class _StopAsked(BaseException):
    """A signal came while the product was still starting: unwinds whatever is under way."""


class _Signals:
    """SIGINT and SIGTERM: the start is broken off, the running product is stopped.

    Attributes:
        stopping: Set by the first signal.
        at_once: Set by a second one, and by SIGTERM: calls in progress are not waited for.
    """

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.at_once = threading.Event()
        self._starting = True

    def install(self) -> None:
        """Take both signals; once more after Ray, which installs its own."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._received)

    def started(self) -> None:
        """From now on a signal only sets ``stopping``."""
        self._starting = False

    @property
    def broke_off(self) -> bool:
        """Whether a signal came before everything had started."""
        return self._starting and self.stopping.is_set()

    def _received(self, number: int, *_: object) -> None:
        first = not self.stopping.is_set()
        self.stopping.set()
        if not first or number != signal.SIGINT:
            self.at_once.set()
        if first and self._starting:
            raise _StopAsked


def serve_until_stopped(settings: Settings, *, dashboard: bool, say: Callable[[str], None]) -> None:
    """Start everything, say where it is, and return once a signal has stopped it.

    The first Ctrl-C waits for calls in progress, a second one ends them.

    Raises:
        ClusterError: It did not become ready; the message says what was missing.
    """
    haproxy = prepare_environment(settings, say)
    signals = _Signals()
    signals.install()
    try:
        say("starting Ray")
        start_ray(dashboard=dashboard)
        signals.install()
        say("starting Ray Serve" + (" with HAProxy" if haproxy else ""))
        deploy(settings)
        report = wait_until_ready(settings.port, say=say)
        say(_banner(settings, report))
        signals.started()
        signals.stopping.wait()
        wait_for_calls(begin_drain, signals.at_once, say)
    except (_StopAsked, SystemError) as error:
        # Inside Ray's compiled code the one becomes the cause of the other.
        if isinstance(error, SystemError) and not signals.broke_off:
            raise
        say("the start was broken off")
    finally:
        signals.started()
        say("stopping")
        stop_all(settings.port)


def connect(address: str, *, log_to_driver: bool = False) -> None:
    """Join the Ray cluster at ``address``.

    Args:
        address: Of Ray, or ``auto`` for the one of this machine.
        log_to_driver: Show here what its processes log, which may be of others' calls.

    Raises:
        ClusterError: It is not there, or it does not let us in.
    """
    import ray
    from ray._private import services

    host, _, port = address.rpartition(":")
    if "://" in address or (address != "auto" and not (host and port.isdigit())):
        raise ClusterError(
            f"{address!r} (RAY_ADDRESS) is no address of a Ray cluster: HOST:PORT of its GCS, such "
            "as 10.0.0.5:6379, or auto for the cluster of this machine"
        )
    if host:  # Ray itself tries for more than a minute
        try:
            socket.create_connection((host, int(port)), CONNECT_WITHIN_S).close()
        except OSError as error:
            raise ClusterError(
                f"no Ray cluster at {address!r} (RAY_ADDRESS): {error.strerror or error}"
            ) from None
    _hush_ray()
    _take_up_token(address)
    try:
        ray.init(
            address=address,
            namespace=NAMESPACE,
            log_to_driver=log_to_driver,
            logging_level=logging.WARNING,
        )
    except (ConnectionError, ray.exceptions.AuthenticationError) as error:
        runs_here = bool(services.find_gcs_addresses())  # type: ignore[no-untyped-call]
        if address == "auto" and isinstance(error, ConnectionError) and not runs_here:
            raise NoClusterError(NO_CLUSTER_HERE) from None
        raise ClusterError(
            f"no way into the Ray cluster at {address!r} (RAY_ADDRESS): "
            f"{str(error).strip().splitlines()[0]} If it asks for a token, set RAY_AUTH_MODE=token "
            "and keep the token in ~/.ray/auth_token."
        ) from None


def _hush_ray() -> None:
    """Without Ray's advice on tokens: who may join is said by our own errors and the doctor."""
    logging.getLogger("ray._private.authentication").setLevel(logging.ERROR)


def _take_up_token(address: str) -> None:
    """Let Ray use its token for a cluster of this machine that is named by its address.

    For one that it has found by itself Ray does so unasked. The token goes to no other host.
    """
    from ray._private import services
    from ray._private.authentication import authentication_token_setup

    if address in services.find_gcs_addresses():  # type: ignore[no-untyped-call]
        authentication_token_setup.maybe_enable_token_auth_if_token_available(
            warn_if_disabled=False
        )


def start_ray(*, dashboard: bool) -> None:
    """Join the cluster that RAY_ADDRESS names, or start one that lives as long as this process.

    Raises:
        ClusterError: The cluster that RAY_ADDRESS names cannot be joined, or none started here.
    """
    address = os.environ.get("RAY_ADDRESS")
    if address:
        connect(address, log_to_driver=True)
        return
    shared_memory.require()
    if not sys.stderr.isatty():
        os.environ.setdefault("RAY_COLOR_PREFIX", "0")  # whose process a line is of, in colours
    import ray

    _hush_ray()
    try:
        ray.init(
            address="local",  # never some other cluster that happens to run here
            namespace=NAMESPACE,
            include_dashboard=dashboard,
            log_to_driver=True,
            configure_logging=True,
            logging_level=logging.WARNING,
            object_store_memory=shared_memory.STORE_BYTES,
            # Two cores must be able to run the whole thing; these are slots, not threads.
            num_cpus=max(4, os.cpu_count() or 1),
        )
    except SystemError:  # perhaps a signal; see ``serve_until_stopped``
        raise
    except Exception as error:  # noqa: BLE001 - Ray raises this very class when a node is late
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ClusterError(f"{START_FAILED} Ray: {why}") from None


def deploy(settings: Settings) -> None:
    """Start Serve on our port and run the application; returns when its replicas run."""
    from ray import serve

    from cluster.ingress import build_deployment

    settings = _released(settings)
    try:
        serve.run(build_deployment(settings), name=APP_NAME, route_prefix="/")
    except RuntimeError as error:
        raise ClusterError(f"{START_FAILED} {deployment_trouble() or error}") from None


def begin_deploy(settings: Settings) -> Settings:
    """Likewise, and return at once; the settings have their release then.

    Serve's own wait ends when the last replica of before is gone, ten minutes later if need be.
    """
    from ray import serve

    from cluster.ingress import build_deployment

    settings = _released(settings)
    target = serve.RunTarget(build_deployment(settings), name=APP_NAME, route_prefix="/")
    serve.run_many([target], wait_for_applications_running=False)
    return settings


def _released(settings: Settings) -> Settings:
    """Start what everything else needs, and name what is deployed."""
    from actors.named import begin_directory, deployed_release
    from cluster.mind_plan import mind_plan
    from cluster.release import released

    logging.getLogger("ray.serve").setLevel(logging.WARNING)  # its progress is ours, said once
    settings = released(settings, deployed_release, time.time())
    note_start(settings.port)
    begin_directory(mind_plan(settings))  # while Serve starts
    start_proxies({"host": settings.host, "port": settings.port})
    return settings


def start_proxies(http_options: dict[str, Any]) -> None:
    """Start Serve, and HAProxy on every node.

    On a busy machine HAProxy may take longer than the five seconds that Serve's controller gives
    it: it is ended then and started again with more time, and whoever waited for the first one is
    told that it died. The controller goes on, so that the second start joins it, and who deploys
    waits for the new one.

    Args:
        http_options: Host and port.

    Raises:
        ClusterError: Serve does not start.
    """
    from ray import serve
    from ray.exceptions import RayActorError

    for is_last in (False, True):
        try:
            serve.start(http_options=http_options)
            return
        except (RayActorError, TimeoutError) as error:
            why = str(error).strip().splitlines()[-1]
            if is_last:
                raise ClusterError(f"{START_FAILED} Ray Serve: {why}") from None
            logger.warning("Ray Serve's proxy did not start, once more: %s", why)


def deployment_trouble() -> str:
    """The error of the constructor, from what Serve says of a deployment that failed."""
    from ray import serve

    app = serve.status().applications.get(APP_NAME)
    texts = [part.message for part in app.deployments.values()] if app is not None else []
    lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    # An error that quotes another one says so in a line that names no reason.
    told = [line for line in lines if not line.endswith("(most recent call last):")]
    errors = [line for line in told if ERROR_LINE.match(line)]
    return errors[-1] if errors else (lines[-1] if lines else "")


def wait_until_ready(
    port: int, within_s: float = READY_WITHIN_S, say: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Poll ``/readyz`` until the product answers calls; returns what it says then.

    Args:
        port: Where it listens.
        within_s: How long to wait.
        say: Told what it waits for, whenever that changes.

    Raises:
        ClusterError: Not ready in time, or the start has failed; says what was missing.
    """
    deadline = time.monotonic() + within_s
    missing, said = "no answer yet", ""
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                report: dict[str, Any] = json.load(answer)
                return report
        except urllib.error.HTTPError as error:
            missing = _what_is_missing(error)
        except (OSError, ValueError) as error:
            missing = f"no answer yet ({type(error).__name__})"
        if missing.startswith(START_FAILED):
            raise ClusterError(missing)
        if say is not None and missing != said and not missing.startswith("no answer"):
            say(f"not ready, waiting for {missing}")
            said = missing
        threading.Event().wait(0.1)
    raise ClusterError(f"not ready after {within_s:.0f} s, still waiting for {missing}")


def _what_is_missing(error: urllib.error.HTTPError) -> str:
    """What a ``/readyz`` that is not ready waits for, in words."""
    if error.code != 503:
        return f"no answer yet (HTTP {error.code})"
    try:
        waiting_for = json.loads(error.read())["waiting_for"]
        return "; ".join(str(item) for item in waiting_for)
    except (ValueError, KeyError, TypeError):
        return "no answer yet (HTTP 503)"


def stop_all(port: int) -> None:
    """Stop Serve and our actors, and make sure that no HAProxy is left."""
    import ray

    if ray.is_initialized():
        from actors.named import remove_all

        try:
            if os.environ.get("RAY_ADDRESS"):
                from cluster.run_stop import stop_at_once

                stop_at_once(logger.info)
            else:
                remove_all()
        finally:
            ray.shutdown()
    config = os.environ.get("RAY_SERVE_HAPROXY_CONFIG_FILE_LOC")
    if config:
        deadline = time.monotonic() + 5.0
        while ports.listener_on(port) is not None and time.monotonic() < deadline:
            ports.end_leftovers(str(Path(config).parent))
            threading.Event().wait(0.1)
    shutil.rmtree(haproxy_folder(port), ignore_errors=True)


def _banner(settings: Settings, report: dict[str, Any]) -> str:
    lines = [
        f"ready on port {settings.port}: {report['cluster_capacity']} calls, "
        f"{'HAProxy' if report['haproxy'] else 'Python proxy'}",
        f"  webhook of your number:  {settings.public_url}/twilio/voice   (POST)",
        f"  health:                  http://127.0.0.1:{settings.port}/readyz",
    ]
    notes = list(report["warnings"])
    if settings.development:
        signed = settings.twilio_auth_token.get_secret_value()
        checked = "TWILIO_AUTH_TOKEN checks signatures" if signed else "no signature is checked"
        notes.append(f"development mode: {checked}, and the API needs no key")
    return "\n".join([*lines, *(f"  note: {note}" for note in notes)])
