"""Are the keys there that the agents' providers and the carrier need? Never shows one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from urllib.parse import urlsplit, urlunsplit

from cluster.chat_service import chat_endpoint, choose_chat_service
from cluster.doctor.check_settings import WOULD_NOT_START
from cluster.doctor.examination import Findings
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.place import Place
from cluster.provider_settings import missing_keys, provider_settings
from cluster.settings import Settings
from cluster.socket_provider_settings import socket_keys
from dialogue.agent import Agent
from providers.errors import ProviderError
from providers.models import (
    DEFAULT_CHAT_MODEL,
    DEFAULT_OPENAI_SPEECH_MODEL,
    OPENAI_SPEECH_MODELS,
    chat_model,
)
from providers.openai_tts_wire import OPENAI_ADDRESS
from providers.settings import ChatEndpoint

_SOON_DAYS = 30
_SERVICES = {"openai": "OpenAI", "azure": "Azure OpenAI", "openrouter": "OpenRouter"}


async def examine_keys(place: Place) -> Findings:
    """See the top of this file."""
    settings = place.settings
    if settings is None:
        return [skipped("keys", "the settings cannot be read")]
    agents = list(place.agents.values())
    missing = missing_keys(settings, agents)
    findings = [
        fail("keys", sentence, WOULD_NOT_START, "set it in the environment or in .env")
        for sentence in missing
    ]
    findings += [
        key_finding(name, value) for name, value in used_keys(settings, agents).items() if value
    ]
    if any("openai" in agent.thinkers for agent in agents):
        findings += chat_findings(settings, agents, datetime.now(UTC).date())
    if any("openai" in agent.speakers for agent in agents):
        findings += speech_model_findings(settings, datetime.now(UTC).date())
    findings.append(_carrier_finding(settings))
    return findings


def used_keys(settings: Settings, agents: Iterable[Agent]) -> Mapping[str, str]:
    """The keys that these agents and the carrier use: variable to value, empty ones too."""
    agents = list(agents)
    used = {name for agent in agents for name in agent.providers}
    keys = {}
    if "azure" in used:
        keys["AZURE_SPEECH_KEY"] = settings.azure_speech_key.get_secret_value()
    if "deepgram" in used:
        keys["DEEPGRAM_API_KEY"] = settings.deepgram_api_key.get_secret_value()
    if "openai" in used:
        try:
            endpoint = chat_endpoint(settings)
        except ProviderError:
            endpoint = ChatEndpoint()
        keys[endpoint.key_setting] = endpoint.api_key
    if any("openai" in agent.speakers for agent in agents):
        keys["OPENAI_TTS_API_KEY"] = settings.openai_tts_api_key.get_secret_value()
    if "azure_openai" in used:
        keys["AZURE_OPENAI_API_KEY"] = settings.azure_openai_api_key.get_secret_value()
    if "openrouter" in used:
        keys["OPENROUTER_API_KEY"] = settings.openrouter_api_key.get_secret_value()
    keys.update(socket_keys(settings, used))
    if "elevenlabs" in used:
        keys["ELEVENLABS_API_KEY"] = settings.elevenlabs_api_key.get_secret_value()
    keys["TWILIO_AUTH_TOKEN"] = settings.twilio_auth_token.get_secret_value()
    return keys


def key_finding(name: str, value: str) -> Finding:
    """A key that is set; only its length is told."""
    said = f"set, {len(value)} characters"
    if value != value.strip() or value[:1] in "\"'" or any(letter.isspace() for letter in value):
        return warn(
            name,
            f"{said}, blanks or quotes among them",
            "it will probably be refused",
            "write it without quotes and blanks",
        )
    return ok(name, said)


def chat_findings(settings: Settings, agents: Iterable[Agent], today: date) -> list[Finding]:
    """Which language model is asked, at which service, and why."""
    choice = choose_chat_service(settings)
    subject = "language model"
    if choice.missing:
        return []  # said above
    try:
        endpoint = chat_endpoint(settings)
    except ProviderError as error:
        return [fail(subject, str(error), WOULD_NOT_START, f"set {error.setting}")]
    why = "CALLCLUSTER_CHAT_SERVICE" if settings.chat_service else " and ".join(choice.variables)
    said = f"{_SERVICES[choice.service]} at {without_user(endpoint.base_url)}, by {why}"
    if choice.others:
        names = ", ".join(_SERVICES[name] for name in choice.others)
        said += f". Also set, and not used: {names} (CALLCLUSTER_CHAT_SERVICE chooses)"
    findings = [ok(subject, said)]
    asking = [agent for agent in agents if agent.thinker == "openai"]
    own = {agent.model: "change model in the agent's file" for agent in asking if agent.model}
    shared = endpoint.model or DEFAULT_CHAT_MODEL
    if any(not agent.model for agent in asking):
        own[shared] = f"set {endpoint.model_setting}"
    findings += [
        model_finding(name, chat_model(name).retires_on, today, advice=advice)
        for name, advice in sorted(own.items())
    ]
    return findings


def speech_model_findings(settings: Settings, today: date) -> list[Finding]:
    """Does OpenAI still speak, where it is asked to?"""
    speech = provider_settings(settings).openai_tts
    if speech.base_url.rstrip("/") != OPENAI_ADDRESS:
        return []  # other servers have models of their own
    name = speech.model or DEFAULT_OPENAI_SPEECH_MODEL
    advice = "name another speaker in the agent's file, or set OPENAI_TTS_BASE_URL"
    return [model_finding(name, OPENAI_SPEECH_MODELS.get(name), today, "speak", advice)]


def model_finding(
    name: str,
    retires_on: date | None,
    today: date,
    work: str = "think",
    advice: str = "",
) -> Finding:
    """Does the vendor still serve this model, and for how long?"""
    subject = f"model {name}"
    if retires_on is None:
        return ok(subject, "no date of retirement is known")
    if retires_on <= today:
        return fail(subject, f"retired on {retires_on}", f"the agent cannot {work}", advice)
    if (retires_on - today).days <= _SOON_DAYS:
        return warn(
            subject, f"retires on {retires_on}", f"the agent cannot {work} from then on", advice
        )
    return ok(subject, f"retires on {retires_on}")


def without_user(url: str) -> str:
    """An address without a user name and password in it, and without its query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _carrier_finding(settings: Settings) -> Finding:
    sid = settings.twilio_account_sid
    if not sid:
        return warn(
            "TWILIO_ACCOUNT_SID",
            "not set",
            "calls come in, but none can be placed, moved or recorded",
            "set it to the AC... of your account",
        )
    if not (sid.startswith("AC") and len(sid) == 34):
        return fail(
            "TWILIO_ACCOUNT_SID",
            f"{len(sid)} characters, not AC and 32 hexadecimal digits",
            "no call can be placed, moved or recorded",
            "copy the Account SID from the Twilio console",
        )
    return ok("TWILIO_ACCOUNT_SID", f"set, {len(sid)} characters")
