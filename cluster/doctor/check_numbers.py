"""Do the numbers that have a route ring here? Asks the carrier; only with ``--keys``."""

from __future__ import annotations

from cluster import number_setup as setup
from cluster.doctor.examination import Findings
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.place import Place
from cluster.errors import SettingsError
from records import schema
from records.errors import RecordsError
from telephony.errors import TelephonyError

_MOST = 20
_CONSEQUENCES = {
    setup.OTHER_STATUS: "the end of its calls is known from their streams only",
    setup.NO_SPARE: "while this region is away its callers hear an error",
}


async def examine_numbers(place: Place) -> Findings:
    """See the top of this file."""
    settings = place.settings
    if settings is None:
        return [skipped("numbers", "the settings cannot be read")]
    if not place.try_keys:
        return [skipped("numbers", "--keys asks Twilio where they ring")]
    if not settings.database_url and not settings.data_dir.exists():
        return [skipped("numbers", "the product was never started: none has a route yet")]
    try:
        state = await schema.check(settings.store_url)
        if state.state != "ok":  # nothing is changed here, so nothing can be read either
            return [skipped("numbers", "the database has no table of them yet")]
        async with setup.open_routes(settings) as routes:
            rows = await routes.all()
        if not rows:
            return [_no_numbers()]
        webhooks = setup.Webhooks.of(settings)
        async with setup.opened_carrier(settings) as carrier:
            said = [
                (row, await setup.where_it_rings(carrier, webhooks, row.number))
                for row in rows[:_MOST]
            ]
    except (RecordsError, SettingsError, TelephonyError) as error:
        return [warn("numbers", str(error), "where they ring is not known")]
    findings = [number_finding(row.number, row.agent_id, where) for row, where in said]
    unknown = [
        row for row in rows if place.agents and (row.tenant_id, row.agent_id) not in place.agents
    ]
    findings += [
        fail(
            f"number ...{row.number[-4:]}",
            f"agent {row.agent_id!r} of tenant {row.tenant_id} has no file",
            "its callers hear a polite refusal",
            "callcluster number use, with --agent",
        )
        for row in unknown
    ]
    return findings


def number_finding(number: str, agent_id: str, where: str) -> Finding:
    """One number and what the carrier does with its calls."""
    subject = f"number ...{number[-4:]}"
    if where == setup.RINGS_HERE or where.startswith(setup.RINGS_IN_REGION):
        return ok(subject, f"{where}; {agent_id} answers")
    return warn(
        subject,
        where,
        _CONSEQUENCES.get(where, "its callers do not reach this deployment"),
        f"callcluster number use {number}",
    )


def _no_numbers() -> Finding:
    return warn(
        "numbers",
        "none has a route",
        "calls that reach us are answered by CALLCLUSTER_DEFAULT_AGENT",
        "callcluster number use +14155550100",
    )
