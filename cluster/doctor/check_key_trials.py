"""Does each key open its service? One request each that costs nothing; only with ``--keys``.

Addresses are those of the settings, so that emulators and gateways are asked where they stand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from cluster.carrier_client import open_carrier
from cluster.chat_service import chat_endpoint, stand_in_endpoint
from cluster.doctor.examination import Findings
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.place import LOOPBACK, Place
from cluster.provider_settings import provider_settings
from cluster.settings import Settings
from cluster.socket_provider_settings import key_trials
from providers.errors import ProviderError
from providers.settings import (
    AZURE_OPENAI_ENDPOINT,
    DEEPGRAM_BASE_URL,
    ELEVENLABS_BASE_URL,
    OPENAI_BASE_URL,
    OPENAI_TTS_BASE_URL,
    OPENROUTER_BASE_URL,
    ChatEndpoint,
    ChatService,
)
from providers.socket_settings import CARTESIA_BASE_URL, OPENAI_STT_BASE_URL, SCRIBE_BASE_URL
from telephony.errors import CarrierError, CarrierRefused, InvalidSetting

_WITHIN_S: Final = 8.0
_REFUSED: Final = frozenset({401, 403})
_NO_CREDIT: Final = 402
_OPENAI_VOICE: Final = "openai as a speaker"  # of its own key and address
# The variable that says where the service of a key is.
ADDRESS_OF: Final = {
    "AZURE_SPEECH_KEY": "AZURE_SPEECH_REGION (or AZURE_SPEECH_HOST)",
    "OPENAI_API_KEY": OPENAI_BASE_URL,
    "AZURE_OPENAI_API_KEY": AZURE_OPENAI_ENDPOINT,
    "OPENROUTER_API_KEY": OPENROUTER_BASE_URL,
    "OPENAI_TTS_API_KEY": OPENAI_TTS_BASE_URL,
    "OPENAI_STT_API_KEY": OPENAI_STT_BASE_URL,
    "DEEPGRAM_API_KEY": DEEPGRAM_BASE_URL,
    "SCRIBE_API_KEY": SCRIBE_BASE_URL,
    "CARTESIA_API_KEY": CARTESIA_BASE_URL,
    "ELEVENLABS_API_KEY": ELEVENLABS_BASE_URL,
}
_BY_NAME: Final[Mapping[str, ChatService]] = {"azure_openai": "azure", "openrouter": "openrouter"}


@dataclass(frozen=True, slots=True)
class KeyTrial:
    """One request that shows whether a key is good.

    Attributes:
        setting: The variable that holds the key.
        proof: Statuses, besides success, that are given only to whoever has a good key.
    """

    setting: str
    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    params: tuple[tuple[str, str], ...] = ()
    json: Mapping[str, Any] | None = None
    proof: frozenset[int] = frozenset()


async def examine_key_trials(place: Place) -> Findings:
    """See the top of this file."""
    settings = place.settings
    if settings is None:
        return [skipped("keys tried", "the settings cannot be read")]
    if not place.try_keys:
        return [skipped("keys tried", "--keys tries each with a request that costs nothing")]
    agents = place.agents.values()
    used = {name for agent in agents for name in agent.providers}
    if any("openai" in agent.speakers for agent in agents):
        used.add(_OPENAI_VOICE)
    trials = [trial for trial in planned(settings) if trial[0] in used]
    found = await asyncio.gather(
        *(try_key(trial, place) for _, trial in trials), _try_carrier(settings)
    )
    return list(found)


def planned(settings: Settings) -> list[tuple[str, KeyTrial]]:
    """The trials of every provider whose key is set, beside the provider's name."""
    trials = []
    speech_key = settings.azure_speech_key.get_secret_value()
    if speech_key:
        trials.append(("azure", _azure_speech(settings, speech_key)))
    try:
        endpoint = chat_endpoint(settings)
    except ProviderError:
        endpoint = ChatEndpoint()
    if endpoint.api_key:
        trials.append(("openai", _chat(endpoint)))
    for name, service in _BY_NAME.items():
        stand_in = _stand_in(settings, service)
        if stand_in is not None:
            trials.append((name, _chat(stand_in)))
    speech_key = settings.openai_tts_api_key.get_secret_value()
    if speech_key:
        url = f"{provider_settings(settings).openai_tts.base_url.rstrip('/')}/models"
        headers = {"Authorization": f"Bearer {speech_key}"}
        trials.append((_OPENAI_VOICE, KeyTrial("OPENAI_TTS_API_KEY", "GET", url, headers)))
    flux_key = settings.deepgram_api_key.get_secret_value()
    if flux_key:
        url = f"{settings.deepgram_base_url.rstrip('/')}/v1/projects"
        headers = {"Authorization": f"Token {flux_key}"}
        trials.append(("deepgram", KeyTrial("DEEPGRAM_API_KEY", "GET", url, headers)))
    for provider, setting, url, headers in key_trials(settings):
        trials.append((provider, KeyTrial(setting, "GET", url, headers)))
    voice_key = settings.elevenlabs_api_key.get_secret_value()
    if voice_key:
        url = f"{settings.elevenlabs_base_url.rstrip('/')}/v1/user/subscription"
        trials.append(
            ("elevenlabs", KeyTrial("ELEVENLABS_API_KEY", "GET", url, {"xi-api-key": voice_key}))
        )
    return trials


def _stand_in(settings: Settings, service: ChatService) -> ChatEndpoint | None:
    try:
        return stand_in_endpoint(settings, service)
    except ProviderError:  # said by the check of the keys
        return None


def _azure_speech(settings: Settings, key: str) -> KeyTrial:
    host = settings.azure_speech_host
    if not host and not settings.azure_speech_region:
        host = settings.azure_tts_host
    if host:
        parts = urlsplit(host)
        origin = f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}"
    else:
        origin = f"https://{settings.azure_speech_region}.api.cognitive.microsoft.com"
    return KeyTrial(
        "AZURE_SPEECH_KEY",
        "POST",
        f"{origin}/sts/v1.0/issueToken",
        {"Ocp-Apim-Subscription-Key": key},
    )


def _chat(endpoint: ChatEndpoint) -> KeyTrial:
    headers = {**dict(endpoint.default_headers), **endpoint.key_headers}
    if endpoint.kind == "azure":
        # No messages: a good key is told so (400) and nothing is computed. This also shows that
        # the deployment exists, which a list of models would not.
        return KeyTrial(
            endpoint.key_setting,
            "POST",
            f"{endpoint.base_url}/chat/completions",
            headers,
            endpoint.default_query,
            {"model": endpoint.model, "messages": []},
            frozenset({400, 422}),
        )
    # OpenRouter lists its models to everybody; what a key may do only to its owner.
    path = "/key" if endpoint.kind == "openrouter" else "/models"
    return KeyTrial(
        endpoint.key_setting,
        "GET",
        f"{endpoint.base_url}{path}",
        headers,
        endpoint.default_query,
    )


async def try_key(trial: KeyTrial, place: Place) -> Finding:
    """Send one request and say what the answer means."""
    host = urlsplit(trial.url).hostname or ""
    is_local = host in LOOPBACK
    try:
        async with httpx.AsyncClient(
            timeout=_WITHIN_S, verify=place.tls or True, trust_env=not is_local
        ) as http:
            answer = await http.request(
                trial.method,
                trial.url,
                headers=dict(trial.headers),
                params=dict(trial.params) or None,
                json=trial.json,
            )
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError) as error:
        return fail(
            f"{trial.setting} tried",
            f"{host}: {type(error).__name__}",
            "its provider cannot be reached from here",
            f"look at {ADDRESS_OF.get(trial.setting, 'its address in the settings')}, or at the "
            "network, a proxy, a firewall",
        )
    return trial_finding(trial, host, answer.status_code, answer.text)


def trial_finding(trial: KeyTrial, host: str, status: int, body: str) -> Finding:
    """What the answer to a trial means."""
    subject = f"{trial.setting} tried"
    # ElevenLabs: a key that may speak need not be one that may see its user.
    is_narrow = "missing_permissions" in body
    if 200 <= status < 300 or status in trial.proof or (status in _REFUSED and is_narrow):
        return ok(subject, f"{host} takes it")
    if status in _REFUSED:
        return fail(
            subject,
            f"{host} refuses it (HTTP {status})",
            "every turn that needs it fails",
            f"put a good key into {trial.setting}",
        )
    if status == _NO_CREDIT:
        return fail(
            subject, f"{host}: no credit left", "every turn that needs it fails", "add credit"
        )
    if status == 429:
        return warn(
            subject, f"{host}: too many requests", "calls may fail now", "look at the quota"
        )
    if status == 404 and trial.json is not None:
        return fail(
            subject,
            f"{host}: no such deployment",
            "the agent cannot think",
            "AZURE_OPENAI_ENDPOINT or AZURE_OPENAI_DEPLOYMENT names one that is not there",
        )
    if status == 404:
        return skipped(subject, f"{host} answers, but has no page that would prove a key")
    return warn(subject, f"{host} answers HTTP {status}", "this is not known", "try again")


async def _try_carrier(settings: Settings) -> Finding:
    subject = "TWILIO_AUTH_TOKEN tried"
    if not settings.twilio_account_sid or not settings.twilio_auth_token.get_secret_value():
        return skipped(subject, "needs TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN")
    try:
        carrier = open_carrier(settings)
    except InvalidSetting as error:
        return fail(subject, str(error), "no call can be placed", f"set {error.setting}")
    try:
        account = await carrier.check_account()
    except CarrierRefused as error:
        return fail(
            subject,
            f"Twilio refuses it ({error.code})",
            "no call can be placed, and every webhook's signature is refused",
            "copy Account SID and Auth Token of one account from the Twilio console",
        )
    except CarrierError as error:
        return fail(subject, str(error), "no call can be placed", "network or TWILIO_API_BASE_URL")
    finally:
        await carrier.close()
    if account.status != "active":
        return fail(
            subject, f"the account is {account.status}", "no call works", "see the Twilio console"
        )
    if account.type == "Trial":
        return warn(
            subject,
            "Twilio takes it; a trial account",
            "only verified numbers can be called, and callers hear a notice first",
            "upgrade the account",
        )
    return ok(subject, "Twilio takes it, the account is active")
