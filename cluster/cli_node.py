"""``callcluster node`` and ``callcluster drain``: one Ray node of a cluster, from start to end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from cluster.cli_console import say, say_if_heard
from cluster.cli_help import add_command
from cluster.errors import SettingsError

DRAIN_S = 300.0  # a successor's start, CALLCLUSTER_DRAIN_S, and 45 s to find a pause; and some more
FORMS = (
    "'callcluster node -- --head --port=6379' for the first node of a cluster, "
    "'callcluster node -- --address=HOST:6379' for each other one"
)


class NodeCommand(TyperCommand):
    """Who leaves out ``--`` is told where it belongs."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As any command; raises ``SettingsError`` where an option can only be Ray's."""
        ours = args[: args.index("--")] if "--" in args else args
        known = {flag for parameter in self.get_params(ctx) for flag in parameter.opts}
        for word in ours:
            flag = word.partition("=")[0]
            if flag.startswith("--") and flag not in known:
                raise SettingsError(
                    f"{flag}: what 'ray start' is to be given comes after '--': {FORMS}"
                )
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    add_command(
        app,
        "node",
        node,
        "callcluster node -- --head --port=6379",
        "callcluster node -- --address=10.0.0.5:6379",
        "callcluster node --detach -- --address=10.0.0.5:6379   from a script",
        parsed_by=NodeCommand,
    )
    add_command(
        app,
        "drain",
        drain,
        "callcluster drain 10.0.0.7",
        "callcluster drain --deadline 100    the node of this machine",
    )


def node(
    ray_arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- ARGUMENTS", help="Of 'ray start'.", show_default=False),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            envvar="CALLCLUSTER_PORT",
            metavar="N",
            min=1,
            max=65_535,
            help="Where HAProxy is to listen.",
        ),
    ] = 8000,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once Ray runs; stay in the background.")
    ] = False,
    log: Annotated[
        Path, typer.Option(help="What is said in the background is added to this file.")
    ] = Path("callcluster-node.log"),
    drain_s: Annotated[
        float,
        typer.Option(
            envvar="CALLCLUSTER_NODE_DRAIN_S",
            metavar="S",
            min=0.0,
            help="How long calls have to leave this node after SIGTERM; 0: it ends at once.",
        ),
    ] = DRAIN_S,
) -> None:
    """Start a Ray node of a cluster on this machine, and look after it until SIGTERM.

    It is 'ray start' with what the product needs on every node: the environment that Ray Serve
    reads at import, HAProxy with its keeper, descriptors for its connections. On the head, a GCS
    that dies is started again as it was, once RAY_REDIS_ADDRESS says where its state is kept.

    At SIGTERM or Ctrl-C, or when its terminal is closed, the node is drained first, as by
    'callcluster drain': its calls go on at other nodes, between two turns. A second SIGTERM or
    Ctrl-C ends it at once, and so does the first on the head. Whoever ends it by force must wait
    longer, and signal this process alone: Ray's processes end at once (systemd: TimeoutStopSec,
    KillMode=mixed).

    [bold]Exit code[/bold]
      0  it was stopped by SIGTERM or Ctrl-C; with --detach: it runs
      1  Ray ended by itself: start it again
      2  it did not start: the last line says why
    """
    if not ray_arguments:
        raise SettingsError(f"what is this node to be? {FORMS}")
    if detach:
        from cluster import detached_node

        options = (f"--port={port}", f"--drain-s={drain_s:g}")
        pid = detached_node.detach((*options, "--", *ray_arguments), log.absolute())
        say(f"the node runs as process {pid}; what it says: {log.absolute()}")
        return
    from cluster import run_node

    raise SystemExit(run_node.run_node(ray_arguments, port=port, say=say_if_heard, drain_s=drain_s))


def drain(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[NODE]",
            help="Its address, its host's name or the beginning of its id.",
            show_default="that of this machine",
        ),
    ] = "",
    deadline: Annotated[
        float,
        typer.Option(
            envvar="CALLCLUSTER_NODE_DRAIN_S",
            metavar="S",
            min=1.0,
            help="How long it may take. Calls are moved in time for it.",
        ),
    ] = DRAIN_S,
) -> None:
    """Take all calls from a node of the cluster of RAY_ADDRESS, or of this machine's.

    Nothing new comes to it. Ray Serve starts a successor for each of its replicas on another node,
    then calls have CALLCLUSTER_DRAIN_S to end by themselves, and what is left goes on elsewhere,
    between two turns: calls of its replicas, of its CallActors, and those of other nodes that the
    carrier reaches through its HAProxy. A node that was drained takes nothing again until it is
    started anew.

    [bold]Exit code[/bold]
      0  nobody is on the phone there any more: it can be taken away
      1  the time is over, and somebody is
      2  it was not drained: the last line says why
    """
    from cluster.run_node_drain import drain_node

    is_empty = drain_node(os.environ.get("RAY_ADDRESS") or "auto", name, deadline, say_if_heard)
    raise SystemExit(0 if is_empty else 1)
