"""The script of the emulated model and of the phones of the world outside: one YAML file.

```yaml
replies:                      # what the model answers; the first that fits, before its own ones
  - when: [ten, clubs]        # words that the caller has all said
    say: A fine card.
tools:                        # when the model calls a tool that the agent has
  - when: ten of clubs        # a regular expression, in what the caller said last, in any case
    call: transfer            # its name, or several: the first that the agent has
    say: One moment, please.  # before the call
voice: steady                 # voices are a tone of one level, to measure levels by; else left out
callees:                      # who answers when a number is called
  "+14155550123": {says: [card001], talk_s: 20}
```

The model's own rules for a tool that the file names do not apply any more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from cluster.errors import SettingsError
from cluster.file_mistakes import mistakes
from simulation.callee_book import ANYBODY, Callee
from simulation.errors import CalleeInvalid
from simulation.openai_replies import ScriptLine
from simulation.openai_tools import DEFAULT_TOOL_RULES, ToolRule
from telephony.phone_number import is_e164

MAX_ENTRIES = 1_000


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Texts = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1, max_length=50)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Reply(_Part):
    when: Texts
    say: str = Field(min_length=1)
    most_words: int = Field(0, ge=0)


class _Tool(_Part):
    when: str = Field(min_length=1)
    call: Texts
    arguments: dict[str, Any] = Field(default_factory=dict)
    say: str = ""
    after: str = ""

    @field_validator("when")
    @classmethod
    def _searchable(cls, when: str) -> str:
        try:
            re.compile(when)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return when


class _File(_Part):
    replies: list[_Reply] = Field(default_factory=list, max_length=MAX_ENTRIES)
    tools: list[_Tool] = Field(default_factory=list, max_length=MAX_ENTRIES)
    callees: dict[str, dict[str, Any]] = Field(default_factory=dict, max_length=MAX_ENTRIES)
    voice: Literal["", "steady"] = ""


@dataclass(frozen=True, slots=True)
class EmulatorScript:
    """As the emulators want it; by default what they know by themselves.

    Attributes:
        callees: By number in E.164; ``"*"`` is everybody else.
        is_voice_steady: Voices are a tone of one level.
    """

    replies: tuple[ScriptLine, ...] = ()
    tool_rules: tuple[ToolRule, ...] = DEFAULT_TOOL_RULES
    callees: dict[str, Callee] = field(default_factory=dict)
    is_voice_steady: bool = False


def load_script(path: Path | None) -> EmulatorScript:
    """Read a script; that of the emulators themselves without a path.

    Raises:
        SettingsError: It cannot be read, or holds what cannot be; names the file and the place.
    """
    if path is None:
        return EmulatorScript()
    try:
        return _script(_File.model_validate(yaml.safe_load(path.read_text("utf-8")) or {}))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SettingsError(f"--script {path}: cannot be read: {why}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"--script {path}: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        (first, *_) = mistakes(error, _File)
        where = "" if first.place else "the file "
        raise SettingsError(f"--script {path}: {where}{first}") from None
    except CalleeInvalid as error:
        raise SettingsError(f"--script {path}: callees: {error}") from None


def _script(file: _File) -> EmulatorScript:
    named = {name for tool in file.tools for name in tool.call}
    kept = [rule for rule in DEFAULT_TOOL_RULES if named.isdisjoint(rule.tools)]
    rules = [
        ToolRule(tool.when, tuple(tool.call), tuple(tool.arguments.items()), tool.say, tool.after)
        for tool in file.tools
    ]
    return EmulatorScript(
        replies=tuple(
            ScriptLine(
                tuple(word.lower() for text in reply.when for word in text.split()),
                reply.say,
                most_words=reply.most_words,
            )
            for reply in file.replies
        ),
        tool_rules=(*rules, *kept),
        callees={_number(number): Callee.parse(wire) for number, wire in file.callees.items()},
        is_voice_steady=file.voice == "steady",
    )


def _number(text: str) -> str:
    if text != ANYBODY and not is_e164(text):
        raise CalleeInvalid(f'{text!r}: a number is written "+14155550123"; "*" is everybody else')
    return text
