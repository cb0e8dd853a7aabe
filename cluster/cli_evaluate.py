"""``callcluster evaluate``: how well it takes turns, measured on labelled speech."""

from __future__ import annotations

import json
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
        "callcluster evaluate turns --set commit_silence_s=0.4 --json after.json",
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
    json_file: Annotated[
        Path | None,
        typer.Option("--json", envvar="CALLCLUSTER_EVALUATE_TURNS_JSON", help="Write all here."),
    ] = None,
) -> None:
    """How soon it answers, and how often it cuts people off: always both.

    Labelled speech goes through the voice machine in virtual time, an hour of calls in seconds,
    with recognisers, language models and voices as late as published figures say.
    """
    from cluster.evaluate.knobs import parse_changes
    from cluster.evaluate.network import NETWORKS
    from cluster.evaluate.run_replay import Asked, ReplayRun
    from cluster.evaluate.text_report import render
    from simulation.corpus import SPLITS
    from simulation.corpus_noise import NOISES

    asked = Asked(
        turns=turns,
        seed=seed,
        split=_one_of(split, SPLITS, "--split") or "all",
        clips=clips,
        languages=tuple(name.strip() for name in languages.split(",") if name.strip()),
        ear=ear,
        ready_ratio=ready,
        noise=_one_of(noise, NOISES, "--noise"),
        network=_one_of(network, NETWORKS, "--network"),
        changes=parse_changes(changes or ()),
    )
    result = ReplayRun(asked).replay()
    typer.echo(render(result))
    if json_file is not None:
        json_file.write_text(json.dumps(result.as_dict()) + "\n", "utf-8")


def _one_of(given: str, known: tuple[T, ...], option: str) -> T | None:
    """The choice that was typed, None for nothing."""
    if not given:
        return None
    found = next((name for name in known if name == given), None)
    if found is None:
        raise SettingsError(f"{option}: there is no {given}; choose from {', '.join(known)}")
    return found
