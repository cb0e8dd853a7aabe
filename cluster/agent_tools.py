"""The ``tools`` of an agent's file: read and checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, field_validator

from cluster.agent_tool_files import (
    TOOL_NAME,
    HttpFile,
    McpFile,
    PythonFile,
    RememberFile,
    SwitchLanguageFile,
    ToolPart,
)
from dialogue.tools import Tool, language_parameters
from telephony.errors import InvalidPhoneNumber
from telephony.phone_number import check_e164

MAX_TOOLS = 32
MAX_RING_S = 300
_SIP = re.compile(r"sips?:[\x21-\x7e]{1,120}@[\x21-\x7e]{1,120}")

# What the model reads when the file says nothing: it must be of use with any agent.
_END_CALL = "End the call. Use it when the conversation is over, after you have said goodbye."
_TRANSFER = (
    "Put the caller through to a person. Use it when the caller asks for one, or when you cannot "
    "help."
)
_SEND_DIGITS = (
    "Press keys on the telephone line. Use it when you speak to an automatic menu that asks for "
    "keys, or when an extension has to be dialled."
)


class EndCallFile(ToolPart):
    """``type: end_call``."""

    type: Literal["end_call"]
    name: str = Field("end_call", pattern=TOOL_NAME)
    description: str = Field(_END_CALL, min_length=1, max_length=1_000)


class TransferFile(ToolPart):
    """``type: transfer``."""

    type: Literal["transfer"]
    name: str = Field("transfer", pattern=TOOL_NAME)
    description: str = Field(_TRANSFER, min_length=1, max_length=1_000)
    to: str
    timeout_s: int = Field(20, ge=5, le=MAX_RING_S)
    caller_id: str = ""
    no_answer: str = Field("", max_length=500)

    @field_validator("to", "caller_id", mode="before")
    @classmethod
    def _in_quotes(cls, number: object) -> object:
        if isinstance(number, int):  # how YAML reads a number with a plus
            raise ValueError('write the number in quotes: "+..."')
        return number

    @field_validator("to")
    @classmethod
    def _reachable(cls, to: str) -> str:
        if to.startswith(("sip:", "sips:")):
            if _SIP.fullmatch(to) is None:
                raise ValueError("a SIP address is sip:user@host")
            return to
        return _number(to)

    @field_validator("caller_id")
    @classmethod
    def _shown(cls, caller_id: str) -> str:
        return _number(caller_id) if caller_id else ""


class SendDigitsFile(ToolPart):
    """``type: send_digits``."""

    type: Literal["send_digits"]
    name: str = Field("send_digits", pattern=TOOL_NAME)
    description: str = Field(_SEND_DIGITS, min_length=1, max_length=1_000)


ToolFile = Annotated[
    EndCallFile
    | TransferFile
    | SendDigitsFile
    | HttpFile
    | PythonFile
    | McpFile
    | RememberFile
    | SwitchLanguageFile,
    Field(discriminator="type"),
]


def check_names(tools: Sequence[ToolFile]) -> None:
    """Raises ``ValueError`` when two tools have one name."""
    names = [tool.name for tool in tools]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two tools are named {name!r}: give each a name of its own")


def tools_of(
    tools: Sequence[ToolFile], language: str = "", languages: Sequence[str] = ()
) -> tuple[Tool, ...]:
    """As the dialogue has them, in an agent of ``language`` that speaks all of ``languages``."""
    return tuple(_tool_of(tool, language, languages) for tool in tools)


def _tool_of(tool: ToolFile, language: str, languages: Sequence[str]) -> Tool:
    if isinstance(tool, EndCallFile | TransferFile | SendDigitsFile):
        return Tool(**tool.model_dump())
    made = tool.tool(language)
    if made.type == "switch_language":
        return replace(made, parameters_json=language_parameters(languages))
    return made


def check_switches(tools: Sequence[ToolFile], languages: Sequence[str]) -> None:
    """Raises ``ValueError`` when there is nothing to switch to."""
    for tool in tools:
        if isinstance(tool, SwitchLanguageFile) and len(languages) < 2:
            raise ValueError(f"tools: {tool.name} needs languages: a list of others than its own")


def _number(text: str) -> str:
    try:
        return check_e164(text)
    except InvalidPhoneNumber as error:
        raise ValueError(error.message.removeprefix("number: ")) from None
