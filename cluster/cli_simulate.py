"""``callcluster simulate``: the emulated providers as a command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cluster.cli_help import add_command

simulate_app = typer.Typer(
    no_args_is_help=True, help="Emulated services that the real clients talk to, without any key."
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    add_command(
        simulate_app,
        "simulate providers",
        simulate_providers,
        "callcluster simulate providers",
        "callcluster simulate providers --script transfer.yaml",
        "callcluster simulate providers --first-token-s 0.6",
        "callcluster simulate providers --fault openai:status=503",
    )
    app.add_typer(simulate_app, name="simulate")


def simulate_providers(
    host: Annotated[str, typer.Option(help="Interface to listen on.")] = "127.0.0.1",
    azure_port: Annotated[int, typer.Option(help="Azure Speech (0: any free port).")] = 7101,
    openai_port: Annotated[int, typer.Option(help="OpenAI chat completions.")] = 7102,
    elevenlabs_port: Annotated[int, typer.Option(help="ElevenLabs text-to-speech.")] = 7103,
    twilio_port: Annotated[int, typer.Option(help="Twilio's REST interface.")] = 7104,
    deepgram_port: Annotated[int, typer.Option(help="Deepgram Flux.")] = 7105,
    azure_tts_port: Annotated[int, typer.Option(help="Azure text-to-speech.")] = 7106,
    openai_tts_port: Annotated[int, typer.Option(help="OpenAI's speech endpoint.")] = 7107,
    realtime_port: Annotated[int, typer.Option(help="OpenAI Realtime.")] = 7108,
    cartesia_port: Annotated[int, typer.Option(help="Cartesia text-to-speech.")] = 7109,
    openai_stt_port: Annotated[int, typer.Option(help="OpenAI's realtime transcription.")] = 7110,
    scribe_port: Annotated[int, typer.Option(help="ElevenLabs Scribe.")] = 7111,
    google_port: Annotated[
        int | None,
        typer.Option(
            help="Google Speech-to-Text. Not started without it: needs callcluster\\[google]."
        ),
    ] = None,
    google_tts_port: Annotated[
        int | None, typer.Option(help="Google Text-to-Speech, likewise.")
    ] = None,
    twilio_numbers: Annotated[
        list[str] | None,
        typer.Option(
            "--twilio-number",
            metavar="NUMBER",
            help="A number the account owns; again for more.",
            show_default="+14155550199",
        ),
    ] = None,
    product_url: Annotated[
        str,
        typer.Option(envvar="CALLCLUSTER_URL", help="Where the product listens: calls go there."),
    ] = "http://127.0.0.1:8000",
    public_url: Annotated[
        str, typer.Option(envvar="PUBLIC_URL", help="The origin that is signed, if another.")
    ] = "",
    account_sid: Annotated[
        str, typer.Option(envvar="TWILIO_ACCOUNT_SID", help="The account of the emulated Twilio.")
    ] = "",
    auth_token: Annotated[
        str, typer.Option(envvar="TWILIO_AUTH_TOKEN", help="Its token: opens REST, signs webhooks.")
    ] = "",
    interim_lag_s: Annotated[float, typer.Option(help="Azure: word to hypothesis.")] = 0.15,
    final_lag_s: Annotated[float, typer.Option(help="Azure: end of phrase to phrase.")] = 0.1,
    first_token_s: Annotated[float, typer.Option(help="OpenAI: request to first token.")] = 0.25,
    per_token_s: Annotated[float, typer.Option(help="OpenAI: token to token.")] = 0.012,
    first_byte_s: Annotated[float, typer.Option(help="Voices: text to first audio.")] = 0.12,
    faults: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="SERVICE:NAME=VALUE",
            help="What goes wrong from the start, such as azure:hang_after_accept=true; again for "
            "more. While it runs: POST JSON to /_control/faults of any port.",
        ),
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option(help="YAML: what the model answers, which tools it calls, who answers."),
    ] = None,
    clips: Annotated[
        Path | None, typer.Option(help="Folder with clips.json: the speech that is recognised.")
    ] = None,
    first_served: Annotated[
        bool,
        typer.Option(
            "--first-served",
            help="Come before other processes where the system allows it, for a measurement: an "
            "answer is late as the options say then, and not as the machine is busy.",
        ),
    ] = False,
) -> None:
    r"""Run emulators of Azure Speech, Deepgram, OpenAI, ElevenLabs and Twilio for the real clients.

    The first line of output is JSON with the addresses; the settings that point the product at
    them are printed after it. Who answers which number: in --script, or while it runs POST JSON to
    /_control/callees.

    [bold]The file of --script[/bold]
      replies:                     what the model answers; the first that fits
        - when: \[ten, clubs]       words that the caller has all said
          say: A fine card.
      tools:                       when it calls a tool that the agent has
        - when: ten of clubs       a regular expression
          call: transfer           the tool's name
          say: One moment.         before it calls
      callees:                     who answers which number; "*": everybody else
        "+14155550123": {says: \[card001], talk_s: 20}
    """
    from cluster.run_emulators import Account, run_emulators
    from simulation.first_served import be_first_served

    if first_served:
        be_first_served()
    run_emulators(
        ports=(
            host,
            azure_port,
            openai_port,
            elevenlabs_port,
            deepgram_port,
            azure_tts_port,
            openai_tts_port,
            realtime_port,
            google_port,
            google_tts_port,
        ),
        socket_ports=(cartesia_port, openai_stt_port, scribe_port),
        lags=(interim_lag_s, final_lag_s, first_token_s, per_token_s, first_byte_s),
        account=Account(
            port=twilio_port,
            numbers=tuple(twilio_numbers or ()),
            product_url=product_url,
            public_url=public_url,
            account_sid=account_sid,
            auth_token=auth_token,
        ),
        faults=faults or [],
        script=script,
        clips=clips,
    )
