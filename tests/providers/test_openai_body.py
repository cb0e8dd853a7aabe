"""What is asked of a language model."""

from __future__ import annotations

from dialogue.ports import Message, ThinkRequest
from providers.openai_body import model_of, request_body
from providers.settings import OpenAIConfig

REQUEST = ThinkRequest("call", (Message("system", "Be brief."), Message("user", "Hi")))


def test_a_request_to_the_default_model() -> None:
    body = request_body(OpenAIConfig(), REQUEST)
    assert body["model"] == model_of(OpenAIConfig())
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    assert body["stream"] is True
    assert body["reasoning_effort"] == "none"
    assert "temperature" not in body


def test_an_unknown_model_gets_only_what_everybody_takes() -> None:
    request = ThinkRequest("call", REQUEST.messages, "local-model", 0.3, 50)
    body = request_body(OpenAIConfig(model="other"), request)
    assert body == {
        "model": "local-model",
        "messages": body["messages"],
        "stream": True,
        "temperature": 0.3,
        "max_tokens": 50,
    }


def test_the_bound_has_the_name_the_model_knows() -> None:
    request = ThinkRequest("call", REQUEST.messages, max_tokens=50)
    assert request_body(OpenAIConfig(), request)["max_completion_tokens"] == 50


def test_the_configured_model_comes_before_the_default() -> None:
    assert model_of(OpenAIConfig(model="mine")) == "mine"
