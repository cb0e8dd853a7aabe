"""The settings and the agents: would the product start with them?"""

from __future__ import annotations

from cluster.doctor.examination import Findings
from cluster.doctor.finding import fail, ok, skipped, warn
from cluster.doctor.place import Place
from cluster.errors import ClusterError
from cluster.settings import Settings
from cluster.voice_config import voice_configs
from dialogue.agent import Agent

WOULD_NOT_START = "'callcluster serve' refuses to start"


async def examine_settings(place: Place) -> Findings:
    """Values, contradictions, names that nobody reads, the mode."""
    if place.settings_problem:
        findings = [
            fail(
                "settings",
                place.settings_problem,
                WOULD_NOT_START,
                "set it in the environment or in .env (docs/settings.md)",
            )
        ]
    else:
        findings = [ok("settings", "every value can be used")]
    findings += [
        warn(
            unknown.name,
            unknown.found,
            "what it was to set has its default",
            "docs/settings.md has all names",
        )
        for unknown in place.unknown_names
    ]
    settings = place.settings
    if settings is None:
        return findings
    if settings.development:
        findings.append(
            warn(
                "CALLCLUSTER_MODE",
                "development",
                "without TWILIO_AUTH_TOKEN nobody's signature is checked",
                "leave it out before this machine is reachable from outside",
            )
        )
    elif settings.ingress_replicas == 1:
        findings.append(
            warn(
                "CALLCLUSTER_INGRESS_REPLICAS",
                "1: all calls are in one process",
                "when it hangs, no other one is there to notice it and to take its calls",
                "set it to 2 or more, where there are cores for it",
            )
        )
    return findings


async def examine_agents(place: Place) -> Findings:
    """Every agent's file, the default agent, turn-taking against the settings."""
    settings = place.settings
    if settings is None:
        return [skipped("agents", "the settings cannot be read")]
    if place.agents_problem:
        has_files = any(settings.agents_dir.glob("*.yaml"))
        advice = "callcluster agents validate" if has_files else "CALLCLUSTER_AGENTS_DIR, or cd"
        return [fail("agents", place.agents_problem, WOULD_NOT_START, advice)]
    findings = [
        ok(
            agent_name(agent, settings),
            f"{agent.language}, {chains_of(agent)}",
        )
        for agent in place.agents.values()
    ]
    ours = [name for tenant_id, name in place.agents if tenant_id == settings.tenant_id]
    if settings.default_agent not in ours:
        findings.append(
            fail(
                "CALLCLUSTER_DEFAULT_AGENT",
                f"{settings.default_agent!r} has no file in {settings.agents_dir}",
                WOULD_NOT_START,
                f"set it to one of {', '.join(ours)}",
            )
        )
    try:
        voice_configs(place.agents.values(), settings)
    except ClusterError as error:
        findings.append(fail("turn-taking", str(error), WOULD_NOT_START, "change one of them"))
    return findings


def chains_of(agent: Agent) -> str:
    """Who hears, thinks and speaks, stand-ins included, each in the order they are asked."""
    works = (agent.recognisers, agent.thinkers, agent.speakers)
    return " / ".join(" > ".join(names) for names in works)


def agent_name(agent: Agent, settings: Settings) -> str:
    """Its id, and its tenant's if that is another than the deployment's own."""
    if agent.tenant_id == settings.tenant_id:
        return f"agent {agent.agent_id}"
    return f"agent {agent.tenant_id}/{agent.agent_id}"
