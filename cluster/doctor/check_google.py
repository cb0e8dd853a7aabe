"""Google's credentials: can the file be read, and with ``--keys``: does Google take them?

The trial asks for a token and for a list of voices, which cost nothing. An emulator, whose address
is ``http://``, is asked without credentials.
"""

from __future__ import annotations

import asyncio
from typing import Final

from cluster.doctor.check_key_trials import KeyTrial, try_key
from cluster.doctor.examination import Findings
from cluster.doctor.finding import Finding, fail, ok
from cluster.doctor.place import Place
from cluster.settings import Settings
from providers.errors import ProviderError, ProviderRefused
from providers.google_channel import access_token, is_installed, read_credentials
from providers.google_settings import GOOGLE_CREDENTIALS

GOOGLE: Final = "google"
_WITHIN_S: Final = 8.0
_VOICES: Final = "https://texttospeech.googleapis.com/v1/voices"
_CONSEQUENCE: Final = "Google hears and speaks in no call"
_HINT: Final = f"put the path of a service account's key file into {GOOGLE_CREDENTIALS}"


def needs_credentials(settings: Settings) -> bool:
    """Whether a real service is asked."""
    endpoints = (settings.google_speech_endpoint, settings.google_tts_endpoint)
    return is_installed() and not all(each.startswith("http://") for each in endpoints)


def credentials_finding(settings: Settings) -> Finding | None:
    """What the key file is worth, without asking anybody; None where no file is named."""
    path = settings.google_application_credentials
    if not path or not needs_credentials(settings):
        return None
    try:
        read_credentials(path)
    except ProviderError as error:
        return fail(GOOGLE_CREDENTIALS, error.message, _CONSEQUENCE, _HINT)
    return ok(GOOGLE_CREDENTIALS, "the file holds credentials")


async def try_google(settings: Settings, place: Place) -> Finding:
    """Ask for a token, and with it for the voices of one language."""
    subject = f"{GOOGLE_CREDENTIALS} tried"
    try:
        async with asyncio.timeout(_WITHIN_S):
            token = await asyncio.to_thread(access_token, settings.google_application_credentials)
    except ProviderRefused as error:
        return fail(subject, error.message, _CONSEQUENCE, _HINT)
    except (ProviderError, TimeoutError) as error:
        said = str(error) or "no answer in time"
        return fail(subject, said, "Google cannot be reached from here", "network, proxy, firewall")
    headers = {"Authorization": f"Bearer {token}"}
    if settings.google_cloud_project:
        headers["x-goog-user-project"] = settings.google_cloud_project
    params = (("languageCode", "en-US"),)
    return await try_key(KeyTrial(GOOGLE_CREDENTIALS, "GET", _VOICES, headers, params), place)


async def examine_google(place: Place) -> Findings:
    """The key file, as it lies there."""
    finding = None
    if place.settings is not None and _is_used(place):
        finding = await asyncio.to_thread(credentials_finding, place.settings)
    return [] if finding is None else [finding]


async def examine_google_trial(place: Place) -> Findings:
    """With ``--keys``: the credentials, tried."""
    settings = place.settings
    if settings is None or not place.try_keys or not _is_used(place):
        return []
    return [await try_google(settings, place)] if needs_credentials(settings) else []


def _is_used(place: Place) -> bool:
    return any(GOOGLE in agent.providers for agent in place.agents.values())
