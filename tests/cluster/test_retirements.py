"""Models that retire soon are said before the first call fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cluster.retirements import retiring
from dialogue.agent import SpareVoice
from providers.settings import ChatEndpoint, OpenAIConfig, OpenAITtsConfig, ProviderSettings
from tests.support.scripted_call import AGENT

KNOWN = ProviderSettings(
    openrouter=OpenAIConfig(ChatEndpoint("openrouter", model="gpt-4.1-nano")),
    azure_openai=OpenAIConfig(ChatEndpoint("azure", model="gpt-4o")),
)
ANN = replace(AGENT, agent_id="ann", thinker="openai", speaker="elevenlabs", model="gpt-4o-mini")


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (date(2026, 12, 1), None),
        (
            date(2026, 12, 20),
            "model gpt-4o-mini retires on 2027-01-14 (agent ann): change model in",
        ),
        (date(2027, 1, 14), "model gpt-4o-mini retired on 2027-01-14 (agent ann): change model in"),
    ],
)
def test_says_when_it_is_time(today: date, said: str | None) -> None:
    found = [each.sentence(today) for each in retiring([ANN], KNOWN, today)]
    assert [line[: len(said or "")] for line in found] == ([said] if said else [])


def test_the_advice_is_of_what_counts() -> None:
    """A setting does not help where the agent's own file names the model."""
    known = ProviderSettings(openai=OpenAIConfig(ChatEndpoint(model="gpt-4o")))
    today = date(2027, 1, 14)
    (own,) = retiring([ANN], known, today)
    assert own.advice == "change model in the agent's file"
    (deployed,) = retiring([replace(ANN, model="")], known, today)
    assert deployed.advice == "set OPENAI_MODEL"


def test_stand_ins_and_spare_voices_count_and_those_of_no_date_do_not() -> None:
    today = date(2027, 1, 6)
    chain = replace(ANN, model="gpt-6-luna", then_thinkers=("openrouter", "azure_openai"))
    bob = replace(ANN, agent_id="bob", model="", spare_voices=(SpareVoice("openai", "alloy"),))
    found = {each.model: each for each in retiring([chain, bob], KNOWN, today)}
    assert set(found) == {"gpt-4.1-nano", "gpt-4o-mini-tts"}, "a deployment's name tells nothing"
    assert found["gpt-4.1-nano"].agents == ("ann",)
    assert "OPENROUTER_MODEL" in found["gpt-4.1-nano"].advice
    assert found["gpt-4o-mini-tts"].agents == ("bob",)


def test_a_speech_server_of_ones_own_has_its_own_models() -> None:
    known = replace(KNOWN, openai_tts=OpenAITtsConfig(base_url="http://127.0.0.1:1/v1"))
    bob = replace(ANN, model="gpt-6-luna", speaker="openai")
    assert retiring([bob], known, date(2027, 2, 1)) == []


def test_a_model_of_several_agents_is_said_once_the_soonest_first() -> None:
    today = date(2027, 1, 10)
    cid = replace(ANN, agent_id="cid", model="gpt-5")
    found = retiring([ANN, replace(ANN, agent_id="bob"), cid], KNOWN, today)
    assert [each.agents for each in found] == [("cid",), ("ann", "bob")]
