"""How a socket of Deepgram is asked for."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.deepgram_wire import (
    MAX_KEYTERMS,
    check_config,
    configure_keyterms,
    socket_url,
    usable_keyterms,
)
from providers.errors import ProviderRefused, ProviderRejected
from providers.settings import DeepgramConfig
from simulation.deepgram_flux_settings import FluxSettings, settings_of_configure

KEYED = DeepgramConfig(api_key="k")


def query_of(config: DeepgramConfig, language: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(socket_url(config, language)).query)


def test_the_address_asks_for_mu_law_untouched_and_the_thresholds() -> None:
    url = urlsplit(socket_url(KEYED, "en-US"))
    assert (url.scheme, url.netloc, url.path) == ("wss", "api.deepgram.com", "/v2/listen")
    assert parse_qs(url.query) == {
        "model": ["flux-general-en"],
        "encoding": ["mulaw"],
        "sample_rate": ["8000"],
        "eot_threshold": ["0.7"],
        "eager_eot_threshold": ["0.4"],
        "eot_timeout_ms": ["1000"],
    }


def test_eager_ends_can_be_switched_off() -> None:
    config = DeepgramConfig(api_key="k", eager_eot_threshold=0.0)
    assert "eager_eot_threshold" not in query_of(config, "en-US")


@pytest.mark.parametrize(
    ("model", "language", "asked", "hint"),
    [
        ("", "en-GB", "flux-general-en", None),
        ("", "de-DE", "flux-general-multi", ["de-DE"]),
        ("", "pt-BR", "flux-general-multi", ["pt-BR"]),
        ("flux-general-multi", "en-US", "flux-general-multi", ["en-US"]),
        ("flux-of-tomorrow", "zh-HK", "flux-of-tomorrow", None),
    ],
)
def test_the_model_follows_the_language(
    model: str, language: str, asked: str, hint: list[str] | None
) -> None:
    query = query_of(DeepgramConfig(api_key="k", model=model), language)
    assert query["model"] == [asked]
    assert query.get("language_hint") == hint


@pytest.mark.parametrize(
    ("language", "others", "asked", "hints"),
    [
        ("en-US", ("es-ES", "zh-HK"), "flux-general-multi", ["en-US", "es-ES"]),
        ("en-US", ("zh-HK",), "flux-general-en", None),
        ("en-US", ("en-GB",), "flux-general-en", None),
        ("es-ES", ("en-US",), "flux-general-multi", ["es-ES", "en-US"]),
    ],
)
def test_what_the_caller_may_change_to_is_a_hint_if_it_is_heard(
    language: str, others: tuple[str, ...], asked: str, hints: list[str] | None
) -> None:
    query = parse_qs(urlsplit(socket_url(KEYED, language, others)).query)
    assert query["model"] == [asked]
    assert query.get("language_hint") == hints


@pytest.mark.parametrize(
    ("model", "language", "setting"),
    [
        ("", "zh-HK", "language"),
        ("", "yue-CN", "language"),
        ("flux-general-en", "es-ES", "DEEPGRAM_MODEL"),
    ],
)
def test_a_language_that_the_model_does_not_hear_is_refused(
    model: str, language: str, setting: str
) -> None:
    with pytest.raises(ProviderRejected) as caught:
        socket_url(DeepgramConfig(api_key="k", model=model), language)
    assert caught.value.setting == setting
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        ("https://api.eu.deepgram.com/", "wss://api.eu.deepgram.com"),
        ("http://127.0.0.1:7105", "ws://127.0.0.1:7105"),
        ("wss://flux.example.com/behind", "wss://flux.example.com/behind"),
    ],
)
def test_other_addresses(base_url: str, origin: str) -> None:
    config = DeepgramConfig(api_key="k", base_url=base_url)
    assert socket_url(config, "en-US").startswith(f"{origin}/v2/listen?")


@pytest.mark.parametrize(
    ("fields", "setting"),
    [
        ({"base_url": "api.deepgram.com"}, "DEEPGRAM_BASE_URL"),
        ({"base_url": "ftp://api.deepgram.com"}, "DEEPGRAM_BASE_URL"),
        ({"base_url": "https://"}, "DEEPGRAM_BASE_URL"),
        ({"eot_threshold": 0.4}, "CALLCLUSTER_DEEPGRAM_EOT_THRESHOLD"),
        ({"eager_eot_threshold": 0.2}, "CALLCLUSTER_DEEPGRAM_EAGER_EOT_THRESHOLD"),
        ({"eager_eot_threshold": 0.8}, "CALLCLUSTER_DEEPGRAM_EAGER_EOT_THRESHOLD"),
        ({"eot_timeout_s": 0.1}, "CALLCLUSTER_DEEPGRAM_EOT_TIMEOUT_MS"),
        ({"eot_timeout_s": 61.0}, "CALLCLUSTER_DEEPGRAM_EOT_TIMEOUT_MS"),
    ],
)
def test_settings_that_make_no_sense_are_named(fields: dict[str, object], setting: str) -> None:
    with pytest.raises(ProviderRejected) as caught:
        check_config(DeepgramConfig(api_key="k", **fields))  # type: ignore[arg-type]
    assert caught.value.setting == setting


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ProviderRefused) as caught:
        check_config(DeepgramConfig())
    assert caught.value.setting == "DEEPGRAM_API_KEY"


def test_phrases_that_would_cost_the_whole_list_are_left_out() -> None:
    phrases = ("Ray", "", "  ", "Ray", "customer \n service", "x" * 101, "Flux")
    assert usable_keyterms(phrases) == ("Ray", "customer service", "Flux")
    assert len(usable_keyterms(tuple(f"t{n}" for n in range(200)))) == MAX_KEYTERMS


@given(st.lists(st.text(max_size=120), max_size=130))
def test_the_service_takes_every_list_of_keyterms(phrases: list[str]) -> None:
    terms = usable_keyterms(tuple(phrases))
    message = json.loads(configure_keyterms(terms))
    assert settings_of_configure(FluxSettings(), message).keyterms == terms
    assert sum(map(len, terms)) <= 1_500
