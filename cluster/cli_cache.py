"""``callcluster cache``: the answers that are given again: look, remove, import, export."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from cluster.cli_cache_audio import (
    MOST_CHARS,
    MostChars,
    register_render,
    render_imported,
    written_answers,
)
from cluster.cli_cache_desk import (
    ALL_TENANTS,
    Tenant,
    at_desk,
    import_language,
    one_tenant,
)
from cluster.cli_cache_show import show_entry, show_list
from cluster.cli_console import complain, say
from cluster.cli_help import add_command
from cluster.errors import SettingsError
from cluster.response_cache_desk import Desk
from cluster.settings import Settings, read_settings

ROWS_AT_ONCE = 500
CARDS_AT_ONCE = 200
EXIT_NOTHING = 1
_MEANING = {
    "answer_too_long": "the answer is longer than one that is kept",
    "no_question": "nothing is left of the question but fillers",
    "not_kept": "it is there already, silenced or written by a person",
    "personal": "the answer speaks of a caller, or repeats a number of the question",
    "question_too_long": "the question is longer than one that is looked up",
    "too_few_words": "the question means nothing without what was said before",
}

cache_app = typer.Typer(
    no_args_is_help=True,
    help="The response cache: answers that are given again without asking the language model.",
)

EntryId = Annotated[
    int, typer.Argument(metavar="[ENTRY]", help="One entry, by its id.", show_default=False)
]
AgentId = Annotated[str, typer.Option("--agent", help="Answers of one agent.")]
Tag = Annotated[str, typer.Option(help="What depends on this, such as prices or kb:42.")]
Text = Annotated[str, typer.Option(help="Words that stand in the question or the answer.")]
Source = Annotated[
    str, typer.Option(help="Learned from this call or file: the beginning of the source.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    add_command(
        cache_app,
        "cache inspect",
        inspect,
        "callcluster cache inspect",
        "callcluster cache inspect 4711        all that is known of one entry",
        "callcluster cache inspect --text 'opening hours' --limit 5",
    )
    add_command(
        cache_app,
        "cache purge",
        purge,
        "callcluster cache purge 4711",
        "callcluster cache purge --tag prices  and what was begun before ends too",
        "callcluster cache purge --source 0198c2d4-5f6a-7abc-8def-0123456789ab",
        "callcluster cache purge --all --yes",
    )
    add_command(
        cache_app,
        "cache import",
        import_file,
        "callcluster cache import faq.csv --agent reception",
        "callcluster cache import answers.jsonl --agent reception --transcripts",
    )
    register_render(cache_app)
    add_command(
        cache_app,
        "cache export",
        export,
        "callcluster cache export answers.jsonl",
        "callcluster cache export --agent reception > answers.jsonl",
    )
    app.add_typer(cache_app, name="cache")


def inspect(
    entry: EntryId = 0,
    tenant: Tenant = "",
    agent: AgentId = "",
    tag: Tag = "",
    text: Text = "",
    source: Source = "",
    limit: Annotated[int, typer.Option(min=0, help="Entries to list.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One object, for programs.")] = False,
) -> None:
    """Show the cache, a list of entries, or one entry: who it comes from, how often it was served.

    The id of an entry stands in the record of every turn that it answered (field cache.entry_id).
    The most recently used come first. Entries hold words of callers.

    [bold]Exit code[/bold]
      0  shown
      1  there is no such entry
    """
    settings = read_settings()
    chosen = _selection(settings, entry, tenant, agent, tag, text, source)

    async def ask(desk: Desk) -> tuple[dict[str, Any], dict[str, Any]]:
        return await desk.summary(), await desk.look(
            {"selection": chosen, "limit": 1 if entry else limit}
        )

    summary, found = at_desk(settings, ask)
    if as_json:
        typer.echo(json.dumps({"summary": summary, **found}, ensure_ascii=False))
    elif entry and found["rows"]:
        show_entry(found["rows"][0])
    elif not entry:
        show_list(summary, found)
    if entry and not found["rows"]:
        complain(f"there is no entry {entry}: it was purged, has ended, or is another tenant's")
        raise typer.Exit(EXIT_NOTHING)


def purge(
    entry: EntryId = 0,
    tenant: Tenant = "",
    agent: AgentId = "",
    tag: Tag = "",
    text: Text = "",
    source: Source = "",
    is_all: Annotated[bool, typer.Option("--all", help="Everything of the tenant.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove entries, everywhere and for good. What is given must all hold.

    With --tag alone, answers with this tag that calls are just being given end as well. What was
    purged may be learned again from later calls.

    [bold]Exit code[/bold]
      0  removed
      1  there is nothing to remove; or you answered no
    """
    settings = read_settings()
    chosen = _selection(settings, entry, tenant, agent, tag, text, source)
    if not (entry or agent or tag or text or source or is_all):
        raise SettingsError(
            "say what to purge: an entry, --tag, --agent, --text, --source or --all"
        )
    wanted = {"selection": chosen, "is_all": is_all}

    async def remove(desk: Desk) -> None:
        count = (await desk.remove({**wanted, "try_only": True}))["removed"]
        say(f"{count:,} entries")
        if not count and not tag:
            raise typer.Exit(EXIT_NOTHING)
        if not yes and not typer.confirm("Remove them for good?", err=True):
            raise typer.Abort
        done = await desk.remove(wanted)
        say(f"[green]ok[/green] {done['removed']:,} entries removed")

    at_desk(settings, remove)


def import_file(
    file: Annotated[
        Path, typer.Argument(help="CSV, JSON lines or YAML, in UTF-8.", show_default=False)
    ],
    agent: Annotated[str, typer.Option(help="Whose answers these are.", show_default=False)],
    tenant: Tenant = "",
    language: Annotated[
        str, typer.Option(help="BCP-47 tag.", show_default="of the agent's file")
    ] = "",
    tag: Annotated[str, typer.Option(help="Put on every answer.")] = "",
    transcripts: Annotated[
        bool,
        typer.Option(
            "--transcripts",
            help="Past calls, written by nobody: an answer is shared when two callers had it.",
        ),
    ] = False,
    no_audio: Annotated[
        bool, typer.Option("--no-audio", help="Do not have the answers spoken yet.")
    ] = False,
    most_chars: MostChars = MOST_CHARS,
) -> None:
    """Import questions with their answers: a FAQ file, or transcripts of past calls.

    A card has question (or questions, a list) and answer; tags, ttl, answer_id, caller and next
    (ids of answers that are likely to be wanted then) are optional. CSV names its columns in the
    first line; YAML is a list of cards, or answers by question. ttl: lasting (default), static (7
    days), business (1 day), today, moment (5 minutes).

    FAQ answers are given from the first call on, in every version of the agent and wherever a call
    stands. Answers with tools, names or numbers of callers do not belong in here. The same question
    again renews its answer.

    Then the answers are rendered in all voices of the agent, so that the first caller who asks does
    not wait for one: what is rendered already is not spoken again.
    """
    from cluster.response_cache_files import read_cards

    settings = read_settings()
    cards = read_cards(file)
    if tag:
        cards = [{**card, "tags": [*card["tags"], tag]} for card in cards]
    tenant_id = one_tenant(settings, tenant)
    scope = {
        "tenant_id": tenant_id,
        "agent_id": agent,
        "language": import_language(settings, tenant_id, agent, language),
    }

    is_spoken = not (no_audio or transcripts)

    async def bring(desk: Desk) -> tuple[int, Counter[str], list[str]]:
        kept, refused = 0, Counter[str]()
        for start in range(0, len(cards), CARDS_AT_ONCE):
            part = cards[start : start + CARDS_AT_ONCE]
            done = await desk.bring({"scope": scope, "is_trusted": not transcripts, "cards": part})
            kept += done["kept"]
            refused.update(done["refused"])
        return kept, refused, await written_answers(desk, scope) if is_spoken else []

    kept, refused, answers = at_desk(settings, bring)
    say(f"[green]ok[/green] {kept:,} of {len(cards):,} questions of agent {agent}")
    for reason, count in refused.most_common():
        say(f"{count:,} not kept: {_MEANING.get(reason, reason)}")
    if answers:
        render_imported(settings, scope, answers, most_chars)


def export(
    file: Annotated[Path, typer.Argument(help="Where to; - for stdout.", allow_dash=True)] = Path(
        "-"
    ),
    tenant: Tenant = "",
    agent: AgentId = "",
    tag: Tag = "",
    text: Text = "",
    source: Source = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier export.")
    ] = False,
) -> None:
    """Write entries as JSON lines, with all that is known of them; 'cache import' reads them again.

    They hold words of callers and agents, never who a caller was.
    """
    settings = read_settings()
    chosen = _selection(settings, 0, tenant, agent, tag, text, source)
    is_stdout = str(file) == "-"
    if not is_stdout and file.exists() and not overwrite:
        raise SettingsError(f"{file} is there already: --overwrite replaces it")

    async def collect(desk: Desk) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            wanted = {"selection": chosen, "limit": ROWS_AT_ONCE, "offset": len(rows)}
            part = (await desk.look(wanted))["rows"]
            rows += part
            if len(part) < ROWS_AT_ONCE:
                return rows

    rows = at_desk(settings, collect)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if is_stdout:
        typer.echo(lines, nl=False)
    else:
        try:
            file.write_text(lines, "utf-8")
        except OSError as error:
            raise SettingsError(f"{file} cannot be written: {error.strerror}") from None
    say(f"{len(rows):,} entries")


def _selection(
    settings: Settings, entry: int, tenant: str, agent: str, tag: str, text: str, source: str
) -> dict[str, Any]:
    tenant_id = tenant or settings.tenant_id
    return {
        "entry_id": entry,
        "tenant_id": "" if tenant_id == ALL_TENANTS else tenant_id,
        "agent_id": agent,
        "tag": tag,
        "text": text,
        "source": source,
    }
