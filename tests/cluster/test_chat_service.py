"""Which language model is asked, when there are keys of several services."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cluster.chat_service import (
    chat_endpoint,
    choose_chat_service,
    missing_for_chat,
    missing_for_stand_in,
    stand_in_endpoint,
)
from cluster.provider_settings import missing_keys, provider_settings
from cluster.settings import Settings
from tests.support.scripted_call import AGENT

DEPLOYED = "https://res.openai.azure.com/openai/deployments/voice/chat/completions?api-version=1"
AZURE = {"azure_openai_api_key": "az", "azure_openai_endpoint": DEPLOYED}
OPENAI = {"openai_api_key": "sk"}
ROUTER = {"openrouter_api_key": "or", "openrouter_model": "openai/gpt-5.4-mini"}
AGENTS = [replace(AGENT, thinker="openai", model="")]


def settings(**fields: Any) -> Settings:
    return Settings(_env_file=None, **fields)


@pytest.mark.parametrize(
    ("fields", "service", "others"),
    [
        ({}, "openai", ()),
        (OPENAI, "openai", ()),
        ({"openai_base_url": "http://vllm:8000/v1"}, "openai", ()),
        (AZURE, "azure", ()),
        (ROUTER, "openrouter", ()),
        ({**ROUTER, **AZURE, **OPENAI}, "openai", ("azure", "openrouter")),
        ({**ROUTER, **AZURE}, "azure", ("openrouter",)),
        ({**ROUTER, "azure_openai_api_key": "az"}, "openrouter", ("azure",)),
        ({"azure_openai_api_key": "az"}, "azure", ()),
        ({**ROUTER, **AZURE, **OPENAI, "chat_service": "azure"}, "azure", ("openai", "openrouter")),
    ],
)
def test_the_first_that_is_whole_is_taken(
    fields: dict[str, Any], service: str, others: tuple[str, ...]
) -> None:
    choice = choose_chat_service(settings(**fields))
    assert choice.service == service
    assert choice.others == others


def test_the_variables_that_decided_are_named_without_their_values() -> None:
    choice = choose_chat_service(settings(**AZURE))
    assert choice.variables == ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT")
    assert "az" not in repr(choice).replace("azure", "")


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        (OPENAI, ""),
        (AZURE, ""),
        (ROUTER, ""),
        ({"azure_openai_api_key": "az"}, "AZURE_OPENAI_ENDPOINT"),
        ({"azure_openai_endpoint": DEPLOYED}, "AZURE_OPENAI_API_KEY"),
        ({"chat_service": "azure"}, "AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT"),
        ({**OPENAI, "chat_service": "openrouter"}, "OPENROUTER_API_KEY"),
        ({"openrouter_api_key": "or"}, "OPENROUTER_MODEL, such as"),
        (
            {"azure_openai_api_key": "az", "azure_openai_endpoint": "https://res.example"},
            "AZURE_OPENAI_DEPLOYMENT (which deployment?",
        ),
        (
            {"azure_openai_api_key": "az", "azure_openai_endpoint": "https://r.example/openai/v1"},
            "AZURE_OPENAI_DEPLOYMENT (or the model of the agent)",
        ),
    ],
)
def test_what_is_missing_is_named(fields: dict[str, Any], missing: str) -> None:
    said = missing_for_chat(settings(**fields), AGENTS)
    assert said.startswith(missing)
    assert bool(said) == bool(missing)


def test_an_agent_may_bring_its_own_model() -> None:
    agents = [replace(AGENT, thinker="openai", model="openai/gpt-5.4-mini")]
    assert missing_for_chat(settings(openrouter_api_key="or"), agents) == ""


def test_openrouter_prefers_a_model_name_of_its_own() -> None:
    endpoint = chat_endpoint(settings(**ROUTER, openai_model="gpt-5.4-mini"))
    assert endpoint.model == "openai/gpt-5.4-mini"
    assert endpoint.base_url == "https://openrouter.ai/api/v1"
    there = settings(openrouter_api_key="or", openai_model="x/y", openrouter_base_url="http://a/v1")
    assert (chat_endpoint(there).model, chat_endpoint(there).base_url) == ("x/y", "http://a/v1")


def test_a_service_that_an_agent_names_is_asked_beside_the_chosen_one() -> None:
    both = settings(**OPENAI, **AZURE, **ROUTER, openai_model="gpt-6-luna")
    assert chat_endpoint(both).kind == "openai"
    azure, router = (stand_in_endpoint(both, service) for service in ("azure", "openrouter"))
    assert azure is not None
    assert router is not None
    assert (azure.kind, azure.model) == ("azure", "voice"), "not what OpenAI calls its model"
    assert (router.kind, router.model) == ("openrouter", "openai/gpt-5.4-mini")


def test_the_chosen_service_by_its_own_name_is_the_same() -> None:
    chosen = settings(**AZURE, openai_model="gpt-6-luna")
    assert stand_in_endpoint(chosen, "azure") == chat_endpoint(chosen)


@pytest.mark.parametrize(
    ("fields", "service", "missing"),
    [
        ({**OPENAI, **AZURE}, "azure", ""),
        (OPENAI, "azure", "AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT"),
        (
            {"azure_openai_api_key": "az", "azure_openai_endpoint": "https://r.azure.com"},
            "azure",
            "AZURE_OPENAI_DEPLOYMENT",
        ),
        ({**OPENAI, **ROUTER}, "openrouter", ""),
        ({**OPENAI, "openrouter_api_key": "or"}, "openrouter", "OPENROUTER_MODEL"),
        (OPENAI, "openrouter", "OPENROUTER_API_KEY"),
    ],
)
def test_what_a_service_by_name_still_needs(
    fields: dict[str, Any], service: Any, missing: str
) -> None:
    found = missing_for_stand_in(settings(**fields), service)
    assert found.startswith(missing)
    assert bool(found) == bool(missing)


def test_a_stand_in_that_nobody_names_may_be_set_wrongly() -> None:
    wrong = settings(
        **OPENAI, azure_openai_api_key="az", azure_openai_endpoint="https://r.azure.com"
    )
    assert provider_settings(wrong).azure_openai is None
    assert missing_keys(wrong, AGENTS) == []
    named = [replace(AGENTS[0], then_thinkers=("azure_openai",))]
    assert any("AZURE_OPENAI_DEPLOYMENT" in line for line in missing_keys(wrong, named))
