"""``callcluster``: every command a person types, each with help worth reading."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cluster.agents import load_agents
from cluster.errors import ClusterError, SettingsError
from cluster.provider_settings import missing_keys
from cluster.settings import load_settings
from cluster.voice_config import voice_configs
from simulation.errors import SimulationError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A self-hosted cluster that answers and places phone calls with an AI voice.",
)
agents_app = typer.Typer(no_args_is_help=True, help="Agents: the YAML files of your AI personas.")
simulate_app = typer.Typer(
    no_args_is_help=True, help="The stage: emulated providers that real clients talk to."
)
app.add_typer(agents_app, name="agents")
app.add_typer(simulate_app, name="simulate")
console = Console(stderr=True)


def main() -> None:
    """Entry point: known errors are one line, not a traceback."""
    try:
        app()
    except (ClusterError, SimulationError) as error:
        console.print(f"[red]callcluster:[/red] {error}", highlight=False)
        raise SystemExit(2) from None


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="HTTP port (CALLCLUSTER_PORT).")] = None,
    development: Annotated[
        bool, typer.Option("--development", help="Run without TWILIO_AUTH_TOKEN: no signatures.")
    ] = False,
    dashboard: Annotated[bool, typer.Option(help="Start Ray's dashboard on port 8265.")] = True,
) -> None:
    """Run the product here, or on the Ray cluster named by RAY_ADDRESS, until Ctrl-C.

    Settings come from the environment and from .env; docs/settings.md lists them.
    """
    from cluster.run_serve import serve_until_stopped

    overrides: dict[str, Any] = {}
    if port is not None:
        overrides["port"] = port
    if development:
        overrides["mode"] = "development"
    settings = load_settings(**overrides)
    agents = load_agents(settings.agents_dir, settings.tenant_id)
    voice_configs(agents.values(), settings)  # says now what would be wrong at the first call
    missing = missing_keys(settings, agents.values())
    if missing:
        raise SettingsError(
            "; ".join(missing) + ". Without keys: 'make demo', or 'callcluster simulate providers'."
        )
    serve_until_stopped(settings, dashboard=dashboard, say=lambda text: console.print(text))


@app.command()
def stop() -> None:
    """Stop what 'callcluster serve' or 'serve run' left on the cluster of this machine."""
    from cluster.run_stop import stop_everything

    for line in stop_everything():
        console.print(line)


@agents_app.command("validate")
def agents_validate(
    folder: Annotated[Path, typer.Argument(help="Folder with the agents' YAML files.")] = Path(
        "agents"
    ),
) -> None:
    """Read every agent and say what is wrong with which field of which file."""
    for agent in load_agents(folder, "default").values():
        console.print(
            f"[green]ok[/green] {agent.agent_id}: {agent.language}, {agent.recogniser} / "
            f"{agent.thinker} / {agent.speaker}, version {agent.agent_version}"
        )


@app.command()
def load(
    url: Annotated[str, typer.Option(help="Where the product listens.")] = "http://127.0.0.1:8000",
    calls: Annotated[int, typer.Option(min=1, help="Calls in all.")] = 10,
    concurrency: Annotated[int, typer.Option("--concurrency", "--concurrent", min=1)] = 5,
    duration: Annotated[float, typer.Option(help="Seconds a call lasts at most; 0: no limit.")] = 0,
    turns: Annotated[int, typer.Option(min=0, help="Turns in each call.")] = 3,
    ramp: Annotated[float, typer.Option(help="Seconds over which the calls start.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Which clips, in which order.")] = 1,
    language: Annotated[str, typer.Option(help="Language of the clips.")] = "en-US",
    interrupt: Annotated[float, typer.Option(help="Share of turns with an interruption.")] = 0.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report here.")] = None,
    auth_token: Annotated[
        str, typer.Option(envvar="TWILIO_AUTH_TOKEN", help="Signs what the carrier would sign.")
    ] = "",
    public_url: Annotated[
        str, typer.Option(envvar="PUBLIC_URL", help="The origin that is signed; default: --url.")
    ] = "",
) -> None:
    """Place simulated calls as Twilio would, and measure at the caller's ear.

    A run is valid when the callers were punctual and every call that was offered was admitted and
    not ended early by the server. Latencies are those of admitted calls only.

    \b
    Exit code:
      0  valid
      2  the settings cannot be, or the command line is wrong
      3  the callers themselves were late: this machine was too busy to measure with
      4  the callers were punctual, but calls were refused, failed or ended early by the server
    """  # noqa: D301 (the backspace keeps the lines of the list apart)
    from simulation.load import LoadConfig, run_load
    from simulation.load_summary import render_summary

    report = asyncio.run(
        run_load(
            LoadConfig(
                url=url,
                calls=calls,
                concurrent=concurrency,
                duration_s=duration or None,
                turns=turns,
                ramp_s=ramp,
                seed=seed,
                language=language,
                interrupt_ratio=interrupt,
                json_path=json_file,
                auth_token=auth_token,
                public_url=public_url or url,
            )
        )
    )
    typer.echo(render_summary(report))
    if report.exit_code:
        raise SystemExit(report.exit_code)


@simulate_app.command("providers")
def simulate_providers(
    host: Annotated[str, typer.Option(help="Interface to listen on.")] = "127.0.0.1",
    azure_port: Annotated[int, typer.Option(help="Azure Speech (0: any free port).")] = 7101,
    openai_port: Annotated[int, typer.Option(help="OpenAI chat completions.")] = 7102,
    elevenlabs_port: Annotated[int, typer.Option(help="ElevenLabs text-to-speech.")] = 7103,
    interim_lag_s: Annotated[float, typer.Option(help="Azure: word to hypothesis.")] = 0.15,
    final_lag_s: Annotated[float, typer.Option(help="Azure: end of phrase to phrase.")] = 0.1,
    first_token_s: Annotated[float, typer.Option(help="OpenAI: request to first token.")] = 0.25,
    per_token_s: Annotated[float, typer.Option(help="OpenAI: token to token.")] = 0.012,
    first_byte_s: Annotated[float, typer.Option(help="ElevenLabs: text to first audio.")] = 0.12,
    faults: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            help="What goes wrong from the start: SERVICE:NAME=VALUE, for example "
            "openai:status=503 or azure:hang_after_accept=true (again for more). While it runs: "
            "POST JSON to /_control/faults of any port.",
        ),
    ] = None,
) -> None:
    """Run emulators of Azure Speech, OpenAI and ElevenLabs that the unmodified SDKs talk to.

    The first line of output is JSON with the addresses; the settings that point the product at
    them are printed after it.
    """
    from cluster.cli_simulate import run_emulators

    run_emulators(
        ports=(host, azure_port, openai_port, elevenlabs_port),
        lags=(interim_lag_s, final_lag_s, first_token_s, per_token_s, first_byte_s),
        faults=faults or [],
    )


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Folder for the recordings and the report.")] = Path(
        "demo-output"
    ),
) -> None:
    """Six simulated calls with real recorded speech through the real product, without any key."""
    from cluster.demo import run_demo

    raise SystemExit(run_demo(output))
