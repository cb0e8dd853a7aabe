"""``callcluster node``: one Ray node of a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from cluster.cli_console import say
from cluster.cli_help import add_command
from cluster.errors import SettingsError

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


def node(
    ray_arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- ARGUMENTS", help="Of 'ray start'.", show_default=False),
    ] = None,
    port: Annotated[
        int,
        typer.Option(envvar="CALLCLUSTER_PORT", metavar="N", help="Where HAProxy is to listen."),
    ] = 8000,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once Ray runs; stay in the background.")
    ] = False,
    log: Annotated[
        Path, typer.Option(help="What is said in the background is added to this file.")
    ] = Path("callcluster-node.log"),
) -> None:
    """Start a Ray node of a cluster on this machine, and look after it until SIGTERM.

    It is 'ray start' with what the product needs on every node: the environment that Ray Serve
    reads at import, HAProxy with its keeper, descriptors for its connections. On the head, a GCS
    that dies is started again as it was, once RAY_REDIS_ADDRESS says where its state is kept.

    [bold]Exit code[/bold]
      0  it was stopped by SIGTERM or Ctrl-C; with --detach: it runs
      1  Ray ended by itself: start it again
      2  it did not start: the last line says why
    """
    if not ray_arguments:
        raise SettingsError(f"what is this node to be? {FORMS}")
    from cluster import run_node

    if detach:
        pid = run_node.detach((f"--port={port}", "--", *ray_arguments), log.absolute())
        say(f"the node runs as process {pid}; what it says: {log.absolute()}")
        return
    raise SystemExit(run_node.run_node(ray_arguments, port=port, say=say))
