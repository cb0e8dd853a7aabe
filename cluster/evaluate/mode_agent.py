"""The agent of a conversation in three modes, and what the emulated models say to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from dialogue.agent import CallMode
from simulation.mode_script import (
    ANNOUNCED,
    CUES,
    GREETING,
    LOOK_UP,
    NOBODY,
    OTHER_LANGUAGE,
    PRESS,
    REMEMBER,
    SWITCH,
    TRANSFER,
    tool_rules,
)

LANGUAGE = "en-US"
SALES = "+14155550123"
RELAYED_VOICE = "yue-HK-Standard-A"  # of the other language, at the carrier's Google


def agent_text(mode: CallMode, tool_service_url: str, then_modes: Sequence[CallMode] = ()) -> str:
    """The file of the agent of one mode; but for the mode they are all alike.

    Args:
        mode: How its calls are carried.
        tool_service_url: Where a ``simulation.tool_service`` listens.
        then_modes: How they may go on.
    """
    agent = {
        "mode": [mode, *then_modes] if then_modes else mode,
        "language": LANGUAGE,
        # In Cantonese by the voice of the table: the agent's own one does not speak it.
        "languages": [{"language": OTHER_LANGUAGE, "speaker": "azure"}],
        "relay": {
            "languages": [
                {"code": OTHER_LANGUAGE, "tts_provider": "Google", "voice": RELAYED_VOICE}
            ]
        },
        "voice": "21m00Tcm4TlvDq8ikWAM",
        "speaker": "elevenlabs",
        "recogniser": "azure",
        "thinker": "openai",
        "greeting": GREETING,
        "prompt": "You answer the telephone.",
        "phrases": {"resume": "Here I am again."},
        "tools": tools_of_agent(tool_service_url),
    }
    return yaml.safe_dump(agent, allow_unicode=True)


def tools_of_agent(tool_service_url: str) -> list[dict[str, Any]]:
    """Its tools, as its file has them: two actions, one that runs, two that note something."""
    return [
        {
            "type": "transfer",
            "name": TRANSFER,
            "description": "To buy.",
            "to": SALES,
            "timeout_s": 5,
            "announce": ANNOUNCED,
            "no_answer": NOBODY,
        },
        {
            "type": "send_digits",
            "name": PRESS,
            "description": "For menus.",
            "announce": "I press it.",
        },
        {
            "type": "http",
            "name": LOOK_UP,
            "description": "How many of a card are left.",
            "method": "GET",
            "idempotent": False,  # to be used once, whatever dies
            "timeout_s": 20,  # however busy the machine is on which this is compared
            "url": f"{tool_service_url}/stock/{{item}}",
            "parameters": {
                "type": "object",
                "properties": {"item": {"type": "string"}},
                "required": ["item"],
                "additionalProperties": False,
            },
        },
        {"type": "remember", "name": REMEMBER},
        {"type": "switch_language", "name": SWITCH},
    ]


def script_text() -> str:
    """What the emulated models answer and do, as their script."""
    replies = [{"when": list(cue.keywords), "say": cue.reply} for cue in CUES if not cue.tool]
    said = {name: rule.after for rule in tool_rules() for name in rule.tools}
    tools = [
        {
            "when": cue.pattern,
            "call": cue.tool,
            "arguments": dict(cue.arguments),
            "after": said[cue.tool],
        }
        for cue in CUES
        if cue.tool
    ]
    return yaml.safe_dump({"replies": replies, "tools": tools}, allow_unicode=True)
