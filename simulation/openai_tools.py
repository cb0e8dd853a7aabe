"""When the emulated language model calls a tool, and with which arguments.

It does not think: a table of rules says what a caller has to say, and the schema of the tool that
is offered says what the arguments are called. So the same rules serve every agent whose tools have
one of the usual names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_KEY_WORDS = {word: str(n) for n, word in enumerate(_DIGITS)}
_KEY_WORDS |= {"oh": "0", "star": "*", "pound": "#", "hash": "#"}
_KEY = re.compile(rf"[0-9*#]|\b(?:{'|'.join(_KEY_WORDS)})\b")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_FAILED = re.compile(r"\berrors?\b|\bfail|\bfalse\b|\bnot allowed\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as the model writes it: ``arguments`` is JSON."""

    name: str
    arguments: str = "{}"


@dataclass(frozen=True, slots=True)
class ToolRule:
    """One reason to call a tool.

    Attributes:
        pattern: Regular expression, searched in what the caller said last, in any case. A named
            group is an argument; one named ``digits`` becomes telephone keys ("one two" is 12).
        tools: Names it may go by: the first one that the request offers is called.
        arguments: Further arguments, for properties of these names.
        say: Said before the call; empty for nothing.
        after: Said to a result that tells of no failure; empty to say the result back.
    """

    pattern: str
    tools: tuple[str, ...]
    arguments: tuple[tuple[str, Any], ...] = ()
    say: str = ""
    after: str = ""

    def matches(self, said: str) -> dict[str, Any] | None:
        """The arguments found in ``said``; None when there is no reason to call."""
        found = re.search(self.pattern, said, re.IGNORECASE)
        if found is None:
            return None
        groups = {name: text.strip() for name, text in found.groupdict().items() if text}
        if "digits" in groups:
            groups["digits"] = keys_of(groups["digits"])
        return {**dict(self.arguments), **groups}


_A_KEY = rf"(?:[0-9*#]+|{'|'.join(_KEY_WORDS)})(?!\w)"
_WHERE = r"\b(?:to|with)\b (?:the |your |an? )?(?P<destination>[\w ]+?)(?= please|[^\w ]|$)"

DEFAULT_TOOL_RULES: tuple[ToolRule, ...] = (
    ToolRule(
        rf"\bpress\b(?: the)?(?: keys?| numbers?)?(?P<digits>(?:[ ,]+(?:and )?{_A_KEY})+)",
        ("send_digits", "send_dtmf", "press_digits", "press_keys", "dtmf"),
        after="I have pressed it for you.",
    ),
    ToolRule(
        rf"\b(?:transfer|connect|put) (?:me|us|this call)\b(?:.*?{_WHERE})?"
        r"|\b(?:speak|talk) (?:to|with) (?:the |your |an? )?"
        r"(?P<person>human|person|agent|operator|someone|somebody|manager)\b",
        ("transfer_call", "transfer", "transfer_to_human", "connect_to"),
        say="One moment, please.",
        after="I am putting you through now.",
    ),
    ToolRule(
        r"\bhang up\b|\bgood ?bye\b|\bbye\b|\bauf wiederhören\b|\badiós\b|再見|再见|拜拜",
        ("end_call", "hang_up", "hangup"),
        (("reason", "the caller said goodbye"),),
        after="Goodbye.",
    ),
)


def tool_calls(
    said: str, tools: Sequence[Mapping[str, Any]], rules: Sequence[ToolRule]
) -> tuple[str, tuple[ToolCall, ...]]:
    """What to say first, and what to call: every rule that applies, in the order of ``rules``.

    Args:
        said: The caller's last words.
        tools: The ``function`` objects that the request offers.
        rules: The table.
    """
    offered = {str(tool.get("name")): tool for tool in tools}
    first, calls = "", []
    for rule in rules:
        name = next((name for name in rule.tools if name in offered), None)
        known = rule.matches(said) if name is not None else None
        if name is not None and known is not None:
            first = first or rule.say
            calls.append(call_of(offered[name], known, said))
    return first, tuple(calls)


def call_of(tool: Mapping[str, Any], known: Mapping[str, Any], said: str) -> ToolCall:
    """A call of ``tool`` with the arguments that its schema asks for."""
    arguments = arguments_for(tool.get("parameters"), known, said)
    return ToolCall(str(tool.get("name")), json.dumps(arguments, ensure_ascii=False))


def arguments_for(schema: object, known: Mapping[str, Any], said: str) -> dict[str, Any]:
    """Arguments that fit ``schema``.

    Known ones go where a property has their name, and the rest of them to required texts of other
    names; what is required and unknown is made up from ``said``. Without properties: ``known``.
    """
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(schema, Mapping) or not isinstance(properties, Mapping):
        return dict(known)
    required = schema.get("required")
    must = set(required) if isinstance(required, list) else set()
    spare = [value for name, value in known.items() if name not in properties]
    arguments: dict[str, Any] = {}
    for name, form in properties.items():
        if not isinstance(form, Mapping):
            continue
        choices = form.get("enum")
        if isinstance(choices, list) and choices:
            value = _chosen(choices, f"{known.get(name, '')} {said}")
            if value is not None or name in must:
                arguments[name] = choices[0] if value is None else value
        elif name in known:
            arguments[name] = known[name]
        elif name in must:
            arguments[name] = _made_up(form.get("type"), spare, said)
    return arguments


def after_result(messages: Sequence[Mapping[str, Any]], rules: Sequence[ToolRule]) -> str:
    """What to say to the result that stands last; empty to say it back."""
    last = messages[-1]
    text = str(last.get("content"))
    if _FAILED.search(text):
        return "I am sorry, that did not work."
    names = {
        call.get("id"): call.get("function", {}).get("name")
        for message in messages
        for call in message.get("tool_calls") or ()
    }
    name = names.get(last.get("tool_call_id"))
    return next((rule.after for rule in rules if name in rule.tools), "")


def keys_of(text: str) -> str:
    """Telephone keys in words or digits, "one, 2 and star": 12*."""
    return "".join(_KEY_WORDS.get(key, key) for key in _KEY.findall(text.lower()))


def _chosen(choices: list[Any], said: str) -> object:
    spoken = said.lower().replace("_", " ")
    named = (c for c in choices if isinstance(c, str) and c.lower().replace("_", " ") in spoken)
    return next(named, None)


def _made_up(kind: object, spare: list[Any], said: str) -> object:
    match kind:
        case "integer" | "number":
            found = _NUMBER.search(said)
            value = float(found.group()) if found else 0.0
            return int(value) if kind == "integer" else value
        case "boolean":
            return True
        case "array":
            return []
        case "object":
            return {}
        case _:
            return str(spare.pop(0)) if spare else said.strip()
