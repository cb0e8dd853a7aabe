"""Tools of an agent that bring a result: what of its file is read, and what refused, and how."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from cluster.agents import load_agent
from cluster.errors import AgentFileError
from cluster.secret_variables import gathered
from cluster.settings import Settings
from cluster.tool_complaints import tool_complaints
from dialogue.agent import Agent
from providers.tools.bindings import HttpBinding, SecretText

FILE = """
language: en-US
voice: v
prompt: You take orders.
tools:
  - type: http
    name: order_status
    description: Look an order up.
    method: GET
    url: https://shop.example/orders/{order}
    headers:
      Accept: application/json
      Authorization: {secret: SHOP_TOKEN, before: "Bearer "}
    parameters:
      type: object
      properties: {order: {type: string}}
      required: [order]
    show: [state, items.0.name]
    filler: I am looking it up.
  - type: remember
"""


def load(folder: Path, text: str = FILE) -> Agent:
    path = folder / "shop.yaml"
    path.write_text(text, encoding="utf-8")
    return load_agent(path, "t")


def test_a_tool_is_read_with_all_of_its_fields(tmp_path: Path) -> None:
    agent = load(tmp_path)
    tool, remember = agent.tools
    assert isinstance(tool.binding, HttpBinding)
    assert tool.binding.headers[1] == ("Authorization", SecretText("SHOP_TOKEN", "Bearer "))
    assert tool.binding.shown.paths == ("state", "items.0.name")
    assert tool.is_idempotent
    assert not tool.is_action
    assert tool.parameters["required"] == ["order"]
    assert agent.filler("order_status") == "I am looking it up."
    assert "I am looking it up." in agent.fixed_sentences()
    assert remember.parameters["required"] == ["name", "value"]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("method: GET", "method: STEAL", "method"),
        ("https://shop.example", "ftp://shop.example", "must be a URL"),
        ("https://shop.example", "https://{order}.example", "path or the query"),
        ("https://shop.example", "https://me:pw@shop.example", "secret: NAME"),
        ("orders/{order}", "orders/{number}", "{number} must be among parameters"),
        ("required: [order]", "required: 5", "parameters.required"),
        ("type: object\n", "type: array\n", "type: object"),
        ("{type: string}", '{$ref: "https://x.example/y"}', "$ref must point into the schema"),
        ("secret: SHOP_TOKEN", "secret: shop-token", "secret"),
        ("Accept: application", "Host: application", "'Host' cannot be set"),
        ("Accept: application/json", 'Accept: "a\\nb"', "line break"),
        ("show: [state", "show: [a..b", "names with dots"),
        ("name: order_status", "name: 5 orders", "must be a letter"),
        ("name: order_status", "name: remember", "two tools are named"),
        ("filler: I am", "fillers: I am", "there is no such field"),
        ("description: Look an order up.", "timeout_s: 900", "timeout_s"),
        ("type: http", "type: soap", "there is no 'soap'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, before: str, after: str, words: str) -> None:
    assert before in FILE
    with pytest.raises(AgentFileError) as error:
        load(tmp_path, FILE.replace(before, after, 1))
    assert words in str(error.value)
    assert "tools" in str(error.value)


def test_a_post_is_not_repeated_unless_the_file_says_so(tmp_path: Path) -> None:
    post = FILE.replace("method: GET", "method: POST")
    assert not load(tmp_path, post).tools[0].is_idempotent
    assert (
        load(tmp_path, post.replace("    show:", "    idempotent: true\n    show:"))
        .tools[0]
        .is_idempotent
    )


def test_secrets_are_gathered_by_their_beginning_and_missed_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = load(tmp_path)
    settings = Settings(_env_file=None)
    (complaint,) = tool_complaints(settings, [agent])
    assert complaint == (
        "agent shop: tool order_status needs a secret: set CALLCLUSTER_SECRET_SHOP_TOKEN"
    )
    env_file = tmp_path / ".env"
    env_file.write_text("CALLCLUSTER_SECRET_SHOP_TOKEN=old\nCALLCLUSTER_SECRET_OTHER=2\n")
    monkeypatch.setenv("CALLCLUSTER_SECRET_SHOP_TOKEN", "abc")
    monkeypatch.setenv("CALLCLUSTER_SECRET_bad-name", "x")
    text = gathered(env_file)
    assert json.loads(text) == {"SHOP_TOKEN": "abc", "OTHER": "2"}
    known = Settings(_env_file=None, tool_secrets=SecretStr(text))
    assert tool_complaints(Settings.from_plain(known.to_plain()), [agent]) == []
    assert "abc" not in repr(known)
