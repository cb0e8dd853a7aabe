"""``callcluster evaluate``: how well it takes turns, measured on labelled speech."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import typer

from cluster.cli_help import add_command
from cluster.errors import SettingsError

T = TypeVar("T", bound=str)

evaluate_app = typer.Typer(no_args_is_help=True, help="Measure how well it takes turns.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    add_command(
        evaluate_app,
        "evaluate turns",
        evaluate_turns,
        "callcluster evaluate turns --turns 800",
        "callcluster evaluate turns --sweep commit_silence_s=0.2:1.0:0.1 --html curve.html",
        "callcluster evaluate turns --json before.json",
        "callcluster evaluate turns --set commit_silence_s=0.4 --compare before.json",
    )
    app.add_typer(evaluate_app, name="evaluate")


def evaluate_turns(
    turns: Annotated[int, typer.Option(min=10, metavar="N", help="Labelled turns.")] = 400,
    seed: Annotated[int, typer.Option(help="Decides everything.")] = 1,
    split: Annotated[str, typer.Option(help="Recordings: all, dev or held-out.")] = "all",
    clips: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Recordings of your own, with manifest.json.")
    ] = None,
    languages: Annotated[str, typer.Option(metavar="NAMES", help="Such as en,de,zh.")] = "",
    ear: Annotated[str, typer.Option(help="Recogniser: azure, flux, quick or slow.")] = "azure",
    scorer: Annotated[
        str, typer.Option(help="Speech detector: silero, energy; auto: as the product here.")
    ] = "auto",
    turn_model: Annotated[
        str, typer.Option(help="End-of-turn model: smart-turn, none; auto: likewise.")
    ] = "auto",
    ready: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of turns answered from memory.")
    ] = 0.0,
    noise: Annotated[str, typer.Option(help="line, white, hum or babble; default: mixed.")] = "",
    network: Annotated[
        str, typer.Option(help="clean, jitter, stalls or loss; default: mixed.")
    ] = "",
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=NUMBER", help="Change a setting.")
    ] = None,
    sweeps: Annotated[
        list[str] | None,
        typer.Option("--sweep", metavar="NAME=FROM:TO:STEP", help="A curve over a setting."),
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Hold it against a run's --json.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with pictures.")
    ] = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", envvar="CALLCLUSTER_EVALUATE_TURNS_JSON", help="Write all here."),
    ] = None,
) -> None:
    """How soon it answers, and how often it cuts people off: always both.

    Labelled speech goes through the voice machine in virtual time, an hour of calls in seconds,
    with recognisers, language models and voices as late as published figures say. A turn is cut
    when it was taken before its caller's labelled end; latency is from that end to the first
    audible frame of the reply.

    --set and --sweep name any number of the machine's configuration, such as commit_silence_s,
    eager_silence_s, pause_speech_s. --clips measures on recordings of your own: docs/turn-taking.md
    says how to label them.

    [bold]Exit code[/bold]
      0    measured
      1    --compare: significantly more turns cut, or slower, than before
      2    it cannot run: a recording, a setting or the command line is wrong
    """
    from cluster.evaluate.knobs import parse_changes, parse_sweep
    from cluster.evaluate.network import NETWORKS
    from cluster.evaluate.replay_run import Asked
    from cluster.evaluate.run_replay import Wanted, run_replay
    from simulation.corpus import SPLITS
    from simulation.corpus_noise import NOISES

    asked = Asked(
        turns=turns,
        seed=seed,
        split=_one_of(split, SPLITS, "--split") or "all",
        clips=clips,
        languages=tuple(name.strip() for name in languages.split(",") if name.strip()),
        ear=ear,
        scorer=scorer,
        turn_model=turn_model,
        ready_ratio=ready,
        noise=_one_of(noise, NOISES, "--noise"),
        network=_one_of(network, NETWORKS, "--network"),
        changes=parse_changes(changes or ()),
    )
    wanted = Wanted(
        sweeps=tuple(parse_sweep(text) for text in sweeps or ()),
        compare=compare,
        html=html,
        json_file=json_file,
    )
    raise SystemExit(run_replay(asked, wanted, typer.echo))


def _one_of(given: str, known: tuple[T, ...], option: str) -> T | None:
    """The choice that was typed, None for nothing."""
    if not given:
        return None
    found = next((name for name in known if name == given), None)
    if found is None:
        raise SettingsError(f"{option}: there is no {given}; choose from {', '.join(known)}")
    return found
