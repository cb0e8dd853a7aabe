"""``callcluster chaos``: break things on purpose under running calls."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cluster.chaos.faults import BY_NAME, ROLES
from cluster.chaos.plan import ChaosPlan
from cluster.cli_help import add_command
from cluster.errors import SettingsError

chaos_app = typer.Typer(
    no_args_is_help=True, help="Break things on purpose under running calls, and measure."
)
_QUICK = ChaosPlan(healthy_s=8.0, fault_s=8.0, kills=10)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    add_command(
        chaos_app,
        "chaos providers",
        chaos_providers,
        "callcluster chaos providers --quick --calls 4",
        "callcluster chaos providers --faults hang,kill --roles speak",
        "callcluster chaos providers --json chaos.json",
    )
    add_command(
        chaos_app,
        "chaos cluster",
        chaos_cluster,
        "callcluster chaos cluster --calls 6 --repeat 3",
        "callcluster chaos cluster --faults call-actor-kill,ingress-hang",
        "callcluster chaos cluster --json survival.json",
    )
    app.add_typer(chaos_app, name="chaos")


def chaos_providers(
    calls: Annotated[int, typer.Option(min=1, max=40, metavar="N", help="Calls at once.")] = 20,
    faults: Annotated[
        str, typer.Option(metavar="NAMES", help=f"Some of {', '.join(BY_NAME)}.")
    ] = "",
    roles: Annotated[str, typer.Option(metavar="NAMES", help=f"Some of {', '.join(ROLES)}.")] = "",
    quick: Annotated[
        bool, typer.Option("--quick", help="Half of the time; tails are thin.")
    ] = False,
    fault_s: Annotated[float, typer.Option(help="Seconds a fault lasts; 0: as usual.")] = 0.0,
    kills: Annotated[int, typer.Option(min=0, help="Streams killed; 0: as usual.")] = 0,
    seed: Annotated[int, typer.Option(help="Who says what, in which order.")] = 1,
    output: Annotated[Path, typer.Option(help="Folder for logs and figures.")] = Path(
        "chaos-output"
    ),
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json",
            envvar="CALLCLUSTER_CHAOS_PROVIDERS_JSON",
            help="Add everything to what is here; default: chaos.json in the folder.",
        ),
    ] = None,
) -> None:
    """Providers that fail under running calls, and what callers notice of it.

    Runs the real product and three rows of emulated providers on this machine, without any key:
    the first of each chain, and those that stand in. Callers with recorded human speech talk while
    one of them fails, and each figure is shown beside what is promised. Everything takes nearly
    half an hour, one fault two to six minutes. Results are added to those of earlier runs, so that
    it can be done piece by piece; [bold]python -m benchmarks.chaos_table[/bold] makes one table of
    them.

    [bold]Faults[/bold]
      errors busy            503; 429 with Retry-After
      hang slow half tenth   all hang; six times slower; half, one in ten hang
      kill                   streams are cut in the middle, again and again
      two                    503 of the first and of the second
      down silent            everybody refuses; everybody hangs

    [bold]Exit code[/bold]
      0    all that is promised was reached
      1    something was not
      2    it could not run, or the command line is wrong
      3    some of it is not valid (often: machine too busy); see the table
      130  Ctrl-C; nothing is left running
    """
    from cluster.chaos.run import run_chaos

    plan = plan_of(calls, _names(faults, "--faults", tuple(BY_NAME)), quick=quick)
    plan = replace(
        plan,
        roles=_names(roles, "--roles", ROLES),
        seed=seed,
        fault_s=fault_s or plan.fault_s,
        kills=kills or plan.kills,
    )
    raise SystemExit(run_chaos(plan, output, json_file))


def chaos_cluster(
    calls: Annotated[int, typer.Option(min=1, max=40, metavar="N", help="Calls at once.")] = 20,
    repeat: Annotated[
        int, typer.Option(min=1, metavar="N", help="How often each fault strikes.")
    ] = 20,
    faults: Annotated[
        str, typer.Option(metavar="NAMES", help="Some of those above; all when left out.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Who says what; which process is struck.")] = 1,
    output: Annotated[Path, typer.Option(help="Folder for logs and figures.")] = Path(
        "survival-output"
    ),
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json",
            envvar="CALLCLUSTER_CHAOS_CLUSTER_JSON",
            help="Where the figures go; default: survival.json in the folder.",
        ),
    ] = None,
) -> None:
    """Processes of the cluster that die or hang under running calls, and what callers notice.

    Runs the real product on this machine, without any key, with two ingress replicas and two
    CallActors. Callers with recorded human speech talk while one process after another is killed
    (SIGKILL) or held (SIGSTOP) as the agent listens, thinks or speaks. Each figure is shown beside
    what is promised.

    [bold]Faults[/bold]
      call-actor-kill call-actor-hang     the mind of many calls
      ingress-kill ingress-hang           the ear and the mouth
      haproxy-kill haproxy-hang line-cut  what lies between the carrier and those
      haproxy-manager-kill                the process of Serve that starts HAProxy
      directory-kill directory-hang       who may place calls
      health-kill health-hang metrics-kill metrics-hang cache-kill cache-hang office-kill
      controller-kill controller-hang     of Ray Serve
      gcs-hang gcs-kill                   of Ray; gcs-kill needs redis-server and root
      node-kill node-loss node-drain      one of several nodes; needs root, for namespaces
      deploy                              other agents, deployed on two nodes
      scale-out scale-in                  a replica more, a replica less, on two nodes
      database-stop                       for a minute; needs PostgreSQL

    [bold]Exit code[/bold]
      0    all that is promised was reached
      1    something was not
      2    it could not run, or the command line is wrong
      3    some of it is not valid (often: machine too busy); see the table
      130  Ctrl-C; nothing is left running
    """
    from cluster.survival.faults import BY_NAME as MORTAL
    from cluster.survival.plan import SurvivalPlan
    from cluster.survival.run import run_survival

    names = _names(faults, "--faults", tuple(MORTAL))
    plan = SurvivalPlan(
        calls=calls, repeat=repeat, seed=seed, faults=tuple(MORTAL[name] for name in names)
    )
    raise SystemExit(run_survival(plan, output, json_file))


def plan_of(calls: int, faults: tuple[str, ...], *, quick: bool) -> ChaosPlan:
    """How much is measured."""
    plan = _QUICK if quick else ChaosPlan()
    return replace(plan, calls=calls, faults=tuple(BY_NAME[name] for name in faults))


def _names(given: str, option: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """The names of an option, in the order of ``known``; all when nothing is given."""
    wanted = [name.strip() for name in given.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise SettingsError(f"{option}: there is no {unknown[0]}; choose from {','.join(known)}")
    return tuple(name for name in known if name in wanted) if wanted else known
