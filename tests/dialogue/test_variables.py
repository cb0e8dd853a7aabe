"""Variables of a call in the words of its agent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dialogue.agent import Agent
from dialogue.variables import fill, personal, placeholders

AGENT = Agent("t", "a", "v", "en-US", "Call {name} about {order_1}.", "Hello {name}!", "Rachel")


def test_placeholders_of_prompt_and_greeting_are_wanted() -> None:
    assert placeholders(AGENT) == {"name", "order_1"}


def test_other_braces_stay() -> None:
    text = 'Answer {"json": 1}, {}, {two words} and { name }.'
    assert fill(text, {"json": "x", "name": "Ann"}) == text


def test_values_are_words_and_never_placeholders() -> None:
    assert fill("{a} {b}", {"a": "{b}", "b": "{a}"}) == "{b} {a}"


@given(st.dictionaries(st.sampled_from(["name", "order_1"]), st.text(max_size=20)))
def test_every_variable_is_put_in_once(variables: dict[str, str]) -> None:
    said = personal(AGENT, variables).greeting
    assert said == f"Hello {variables.get('name', '{name}')}!"


def test_without_variables_the_agent_is_the_same() -> None:
    assert personal(AGENT, {}) is AGENT
