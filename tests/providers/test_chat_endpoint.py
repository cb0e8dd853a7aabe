"""Addresses of language models, as people have them."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.chat_endpoint import (
    AZURE_API_VERSION,
    OPENAI_ADDRESS,
    OPENROUTER_ADDRESS,
    azure_endpoint,
    openai_endpoint,
    openrouter_endpoint,
)
from providers.errors import ProviderRejected
from providers.settings import ChatEndpoint

RESOURCE = "https://res.openai.azure.com"
DEPLOYED = f"{RESOURCE}/openai/deployments/voice"


@pytest.mark.parametrize(
    ("address", "base_url", "version"),
    [
        (f"{DEPLOYED}/chat/completions?api-version=2024-10-21", DEPLOYED, "2024-10-21"),
        (f"{DEPLOYED}/chat/completions/", DEPLOYED, AZURE_API_VERSION),
        (f"{DEPLOYED}", DEPLOYED, AZURE_API_VERSION),
        (f" {DEPLOYED}?api-version=2024-10-21 ", DEPLOYED, "2024-10-21"),
        (
            "https://gate.example.com/llm/openai/deployments/voice/chat/completions?api-version=1",
            "https://gate.example.com/llm/openai/deployments/voice",
            "1",
        ),
        (
            "http://127.0.0.1:7102/openai/deployments/voice/chat/completions?api-version=1",
            "http://127.0.0.1:7102/openai/deployments/voice",
            "1",
        ),
    ],
)
def test_the_whole_url_of_a_deployment_says_everything(
    address: str, base_url: str, version: str
) -> None:
    endpoint = azure_endpoint("k", address)
    assert (endpoint.kind, endpoint.base_url) == ("azure", base_url)
    assert endpoint.default_query == (("api-version", version),)
    assert endpoint.model == "voice"
    assert endpoint.key_headers == {"api-key": "k"}


@pytest.mark.parametrize("address", [RESOURCE, f"{RESOURCE}/", f"{RESOURCE}/openai"])
def test_a_bare_resource_takes_deployment_and_version_from_elsewhere(address: str) -> None:
    endpoint = azure_endpoint("k", address, deployment="voice", api_version="2024-10-21")
    assert endpoint.base_url == DEPLOYED
    assert endpoint.default_query == (("api-version", "2024-10-21"),)
    assert azure_endpoint("k", address, model="gpt-5.4-mini").base_url.endswith("/gpt-5.4-mini")


def test_what_the_url_says_comes_before_what_stands_elsewhere() -> None:
    endpoint = azure_endpoint(
        "k", f"{DEPLOYED}?api-version=1", deployment="other", api_version="2", model="gpt-5.4-mini"
    )
    assert endpoint.base_url == DEPLOYED
    assert endpoint.default_query == (("api-version", "1"),)
    assert endpoint.model == "gpt-5.4-mini"  # what stands behind the deployment


def test_the_newer_route_of_azure_needs_no_version() -> None:
    endpoint = azure_endpoint("k", f"{RESOURCE}/openai/v1/", deployment="voice", api_version="2")
    assert endpoint == ChatEndpoint("azure", f"{RESOURCE}/openai/v1", "k", model="voice")


@pytest.mark.parametrize(
    ("address", "setting"),
    [
        ("", "AZURE_OPENAI_ENDPOINT"),
        ("res.openai.azure.com", "AZURE_OPENAI_ENDPOINT"),
        ("ftp://res.openai.azure.com", "AZURE_OPENAI_ENDPOINT"),
        ("https://[", "AZURE_OPENAI_ENDPOINT"),
        ("https://host:port", "AZURE_OPENAI_ENDPOINT"),
        (f"{RESOURCE}/openai/deployments//chat/completions", "AZURE_OPENAI_ENDPOINT"),
        (RESOURCE, "AZURE_OPENAI_DEPLOYMENT"),
    ],
)
def test_an_address_that_leads_nowhere_names_the_setting(address: str, setting: str) -> None:
    with pytest.raises(ProviderRejected) as error:
        azure_endpoint("k", address)
    assert error.value.setting == setting


def test_everybody_else_takes_a_bearer_token() -> None:
    assert openai_endpoint("k").base_url == OPENAI_ADDRESS
    assert openai_endpoint("k").key_headers == {"Authorization": "Bearer k"}
    assert openai_endpoint("", "http://vllm:8000/v1/").key_headers == {}
    assert openai_endpoint("", "http://vllm:8000/v1/").base_url == "http://vllm:8000/v1"
    router = openrouter_endpoint("k", model="openai/gpt-5.4-mini")
    assert (router.kind, router.base_url) == ("openrouter", OPENROUTER_ADDRESS)
    assert router.key_headers == {"Authorization": "Bearer k"}
    assert openrouter_endpoint("k", "http://127.0.0.1:7102/v1").base_url.endswith("7102/v1")


def test_an_endpoint_names_its_own_settings_and_hides_its_key() -> None:
    endpoint = azure_endpoint("a-secret", DEPLOYED)
    assert endpoint.key_setting == "AZURE_OPENAI_API_KEY"
    assert endpoint.address_setting == "AZURE_OPENAI_ENDPOINT"
    assert openrouter_endpoint("k").key_setting == "OPENROUTER_API_KEY"
    assert openai_endpoint("k").key_setting == "OPENAI_API_KEY"
    assert "a-secret" not in repr(endpoint)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_typed_error(text: str) -> None:
    try:
        endpoint = azure_endpoint("k", text, deployment="voice")
    except ProviderRejected:
        return
    assert endpoint.base_url.startswith(("http://", "https://"))
    assert not endpoint.base_url.endswith("/")


@given(st.text(st.characters(exclude_characters="/\\", exclude_categories=["Cs"]), min_size=1))
def test_a_deployment_keeps_its_name(name: str) -> None:
    whole = azure_endpoint("k", f"{RESOURCE}/openai/deployments/{quote(name, safe='')}")
    parts = azure_endpoint("k", RESOURCE, deployment=name)
    assert whole.base_url == parts.base_url
    assert whole.model == parts.model == name
