"""``callcluster evaluate``: how well it takes turns, and whether all modes are alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import typer

from cluster.cli_help import add_command
from cluster.errors import SettingsError

T = TypeVar("T", bound=str)

evaluate_app = typer.Typer(no_args_is_help=True, help="Measure how well it talks: turns, modes.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    add_command(
        evaluate_app,
        "evaluate turns",
        evaluate_turns,
        "callcluster evaluate turns --html turns.html",
        "callcluster evaluate turns --ready 0.6 --preset eager",
        "callcluster evaluate turns --talk-over",
        "callcluster evaluate turns --replay --turns 800 --json before.json",
        "callcluster evaluate turns --replay --turns 800 --compare before.json",
        "callcluster evaluate turns --replay --sweep commit_silence_s=0.2:1:0.1",
    )
    add_command(
        evaluate_app,
        "evaluate modes",
        evaluate_modes,
        "callcluster evaluate modes",
        "callcluster evaluate modes --short --html modes.html",
    )
    app.add_typer(evaluate_app, name="evaluate")


def evaluate_turns(
    is_replay: Annotated[
        bool, typer.Option("--replay", help="Virtual time, the voice machine alone: seconds.")
    ] = False,
    calls: Annotated[
        int, typer.Option(min=1, max=40, metavar="N", help="Live: calls at once.")
    ] = 8,
    output: Annotated[Path, typer.Option(help="Live: folder for logs.")] = Path("evaluate-output"),
    turns: Annotated[int, typer.Option(min=10, metavar="N", help="Labelled turns.")] = 240,
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
        float, typer.Option(min=0.0, max=1.0, help="Share of turns whose answer is there at once.")
    ] = 0.0,
    talk_over: Annotated[
        bool, typer.Option("--talk-over", help="Most turns are said over the agent.")
    ] = False,
    preset: Annotated[
        str, typer.Option(help="How it takes turns: default, eager or patient.")
    ] = "default",
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

    A turn is cut when it was taken before its caller's labelled end; latency is from that end to
    the first audible frame of the reply. Recognisers, language models and voices are emulated, as
    late as published figures say.

    Live (the default) starts the real product behind HAProxy and lets simulated callers talk to it
    over sockets: some five minutes. --replay plays the same kind of turns through the voice machine
    in virtual time, an hour of calls in seconds, with noise, jitter and loss.

    --ready makes the answers of that share of turns ready, in every language, by the seed. Live,
    they are imported into the product's own response cache and spoken before the run; the report
    says how many turns the cache really answered, and how soon behind the taking of the turn. In a
    replay the first clause is there at once.

    --talk-over is for interruptions and backchannels: of 240 turns some 95 and 60, in English and
    Cantonese (of which there are recordings of both) unless --languages says otherwise. Live, the
    voices are a tone of one level then, so that duck and resume can be read off what the caller
    heard; other live runs measure silence, false stops and ridden only.

    --set and --sweep name any number of the machine's configuration, such as commit_silence_s,
    eager_silence_s, pause_speech_s; live knows those of an agent's turn_taking. --sweep needs
    --replay. --clips measures on recordings of your own: docs/turn-taking.md says how to label
    them.

    [bold]Exit code[/bold]
      0    measured
      1    --compare: significantly more turns cut, or slower, than before
      2    it cannot run: a recording, a setting or the command line is wrong
      3    live: the callers were late, this machine was too busy to measure
      4    live: a call was not carried to its end
      130  Ctrl-C; nothing is left running
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
        is_talked_over=talk_over,
        preset=preset,
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
    if is_replay:
        raise SystemExit(run_replay(asked, wanted, typer.echo))
    from cluster.evaluate.run_live import run_live

    if wanted.sweeps or network:
        raise SettingsError("--sweep and --network belong to --replay")
    raise SystemExit(run_live(asked, wanted, typer.echo, lines=calls, logs=output))


def evaluate_modes(
    is_short: Annotated[
        bool, typer.Option("--short", help="Six turns instead of thirty: a minute.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write everything as one page.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder for logs.")] = Path("evaluate-output"),
) -> None:
    """Have one conversation as pipeline, relay and realtime, and hold the three side by side.

    Starts the product and emulated providers, and needs no key. The conversation has
    interruptions, transfers that nobody takes, keys, a question to a service over HTTP, facts to
    remember, and goes on in Cantonese for a while. Shown are what was had, what it cost by the
    price table, and every difference in words or tools; --html adds the conversation turn by turn.
    All thirty turns take some five minutes.

    [bold]Exit code[/bold]
      0    the same words and the same tools in all modes
      1    there are differences, or a call was not recorded
      2    it cannot run
    """
    from cluster.evaluate.run_modes import run_modes

    raise SystemExit(run_modes(typer.echo, is_short=is_short, html=html, logs=output))


def _one_of(given: str, known: tuple[T, ...], option: str) -> T | None:
    """The choice that was typed, None for nothing."""
    if not given:
        return None
    found = next((name for name in known if name == given), None)
    if found is None:
        raise SettingsError(f"{option}: there is no {given}; choose from {', '.join(known)}")
    return found
