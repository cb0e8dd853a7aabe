"""How a socket of Deepgram's turn-based recognition (Flux, ``/v2/listen``) is asked for.

Source: Deepgram's pages "Turn-based Audio (Flux)", "End-of-Turn Detection Parameters", "Configure",
"Keyterm Prompting", "Close Stream" and "Flux Multilingual & Language Prompting". Audio goes up as
binary messages, everything else is JSON text.
"""

from __future__ import annotations

import json
from urllib.parse import urlencode

from providers.deepgram_errors import PROVIDER, error_of_close, error_of_handshake
from providers.endpoint_checks import check_key
from providers.errors import ProviderRefused, ProviderRejected
from providers.models import FLUX_ENGLISH, FLUX_LANGUAGES, FLUX_MULTILINGUAL
from providers.settings import (
    DEEPGRAM_BASE_URL,
    DEEPGRAM_EAGER_EOT,
    DEEPGRAM_EOT,
    DEEPGRAM_EOT_TIMEOUT,
    DEEPGRAM_KEY,
    DEEPGRAM_MODEL,
    DeepgramConfig,
)
from providers.socket_peer import Peer, socket_origin
from voice.ports import SAMPLE_RATE_HZ

PEER = Peer(PROVIDER, DEEPGRAM_BASE_URL, error_of_handshake, error_of_close)
CLOSE_STREAM = json.dumps({"type": "CloseStream"})

# More, longer or empty keyterms are a refused handshake; all together may have 500 tokens.
MAX_KEYTERMS = 100
_MAX_KEYTERM_CHARS = 100
_MAX_KEYTERMS_CHARS = 1_500


def check_config(config: DeepgramConfig) -> None:
    """See that there is a key, an address and thresholds that the service takes.

    Raises:
        ProviderRefused: The key is missing, or is none.
        ProviderRejected: Something makes no sense; names the setting.
    """
    if not config.api_key:
        raise ProviderRefused("there is no key", PROVIDER, DEEPGRAM_KEY)
    check_key(config.api_key, PROVIDER, DEEPGRAM_KEY)
    socket_origin(config.base_url, PEER)
    if not 0.5 <= config.eot_threshold <= 0.9:
        raise ProviderRejected("not from 0.5 to 0.9", PROVIDER, DEEPGRAM_EOT)
    eager = config.eager_eot_threshold
    if eager and not 0.3 <= eager <= config.eot_threshold:
        raise ProviderRejected(
            f"not from 0.3 to {config.eot_threshold:g}, nor 0 for off", PROVIDER, DEEPGRAM_EAGER_EOT
        )
    if not 0.5 <= config.eot_timeout_s <= 60.0:
        raise ProviderRejected("not from 500 to 60000", PROVIDER, DEEPGRAM_EOT_TIMEOUT)


def socket_url(config: DeepgramConfig, language: str, others: tuple[str, ...] = ()) -> str:
    """The address of a socket that hears ``language`` (BCP-47).

    Args:
        config: Model and thresholds.
        language: Of the call.
        others: Those that the caller may change to. What the multilingual model does not hear of
            them is passed over; what it does is a hint, and has it used for English too.

    Raises:
        ProviderRejected: The model does not hear it, or the base URL is of another scheme.
    """
    others = tuple(tag for tag in others if _primary(tag) in FLUX_LANGUAGES[FLUX_MULTILINGUAL])
    model = _model(config, language, others)
    query = [
        ("model", model),
        ("encoding", "mulaw"),
        ("sample_rate", str(SAMPLE_RATE_HZ)),
        ("eot_threshold", f"{config.eot_threshold:g}"),
        ("eot_timeout_ms", str(round(config.eot_timeout_s * 1_000))),
    ]
    if config.eager_eot_threshold:
        query.append(("eager_eot_threshold", f"{config.eager_eot_threshold:g}"))
    if model == FLUX_MULTILINGUAL:
        query += [("language_hint", tag) for tag in dict.fromkeys((language, *others))]
    return f"{socket_origin(config.base_url, PEER)}/v2/listen?{urlencode(query)}"


def _primary(tag: str) -> str:
    return tag.lower().split("-", 1)[0]


def _model(config: DeepgramConfig, language: str, others: tuple[str, ...]) -> str:
    primary = _primary(language)
    is_english = primary == "en" and all(_primary(tag) == "en" for tag in others)
    model = config.model or (FLUX_ENGLISH if is_english else FLUX_MULTILINGUAL)
    # A model that is not in the table may hear anything: the service will say.
    if primary not in FLUX_LANGUAGES.get(model, (primary,)):
        setting = DEEPGRAM_MODEL if config.model else "language"
        raise ProviderRejected(f"{model} does not hear {language}", PROVIDER, setting)
    return model


def usable_keyterms(phrases: tuple[str, ...]) -> tuple[str, ...]:
    """The phrases that the service takes as keyterms, in order; one too many loses them all."""
    terms: list[str] = []
    left = _MAX_KEYTERMS_CHARS
    for phrase in dict.fromkeys(" ".join(phrase.split()) for phrase in phrases):
        if 0 < len(phrase) <= min(_MAX_KEYTERM_CHARS, left) and len(terms) < MAX_KEYTERMS:
            terms.append(phrase)
            left -= len(phrase)
    return tuple(terms)


def configure_keyterms(terms: tuple[str, ...]) -> str:
    """The message that replaces the socket's keyterms."""
    return json.dumps({"type": "Configure", "keyterms": list(terms)})
