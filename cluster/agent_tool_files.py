"""The ``tools`` of an agent's file that bring a result: read and checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cluster.secret_variables import SECRET_NAME
from dialogue.tools import Tool
from providers.tools.bindings import (
    HeaderValue,
    HttpBinding,
    McpBinding,
    McpServer,
    PythonBinding,
    SecretText,
    Shown,
)
from providers.tools.errors import ToolUnusable
from providers.tools.http_tool import PLACEHOLDER, REPEATABLE_METHODS
from providers.tools.schema import check_schema

TOOL_NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,39}$"
MAX_FILLER_CHARS = 500
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OUR_HEADERS = frozenset(
    ("accept-encoding", "connection", "content-length", "host", "transfer-encoding")
)
ENTRY = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"
_SWITCH_LANGUAGE = (
    "Go on in another language. Use it when the caller asks for it, or does not understand you."
)
_REMEMBER = (
    "Note a fact of this call that you will need again, such as the caller's name or order number."
)


class ToolPart(BaseModel):
    """What every tool of a file has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    announce: str = Field("", max_length=500)


class _Secret(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: str = Field(pattern=SECRET_NAME)
    before: str = Field("", max_length=100)


class RunFile(ToolPart):
    """What every tool that brings a result has."""

    description: str = Field(min_length=1, max_length=1_000)
    parameters: dict[str, Any] = Field(default_factory=dict)
    timeout_s: float = Field(5.0, ge=0.1, le=60)
    filler: str | dict[str, str] = Field("", max_length=500)
    filler_after_s: float = Field(0.8, ge=0.2, le=10)
    show: tuple[str, ...] = Field((), max_length=50)
    show_chars: int = Field(2_000, ge=50, le=6_000)

    @field_validator("parameters")
    @classmethod
    def _a_schema(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        if parameters:
            try:
                check_schema(parameters)
            except ToolUnusable as error:
                raise ValueError(error.message.removeprefix("parameters ")) from None
        return parameters

    @field_validator("filler")
    @classmethod
    def _short(cls, filler: str | dict[str, str]) -> str | dict[str, str]:
        said = [filler] if isinstance(filler, str) else list(filler.values())
        if any(len(text) > MAX_FILLER_CHARS for text in said):
            raise ValueError(f"{MAX_FILLER_CHARS} characters at most")
        return filler

    def fillers(self, language: str) -> tuple[tuple[str, str], ...]:
        """What is said, by language; one text is of the agent's own."""
        if isinstance(self.filler, str):
            return ((language, self.filler),) if self.filler else ()
        return tuple(self.filler.items())

    @field_validator("show")
    @classmethod
    def _paths(cls, show: tuple[str, ...]) -> tuple[str, ...]:
        if any(not path or ".." in f".{path}." for path in show):
            raise ValueError("names with dots between them, such as items.0.name")
        return show

    @property
    def shown(self) -> Shown:
        """What the model reads of an answer."""
        return Shown(self.show, self.show_chars)

    @property
    def parameters_json(self) -> str:
        """The schema as the dialogue has it."""
        return json.dumps(self.parameters, ensure_ascii=False) if self.parameters else ""


class HttpFile(RunFile):
    """``type: http``."""

    type: Literal["http"]
    name: str = Field(pattern=TOOL_NAME)
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    url: str = Field(min_length=1, max_length=2_000)
    headers: dict[str, str | _Secret] = Field(default_factory=dict, max_length=30)
    retries: int = Field(1, ge=0, le=5)
    idempotency_header: str = "Idempotency-Key"
    idempotent: bool | None = None
    max_answer_bytes: int = Field(65_536, ge=1_000, le=1_000_000)

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        return address(url)

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, str | _Secret]) -> dict[str, str | _Secret]:
        return sendable(headers)

    @field_validator("idempotency_header")
    @classmethod
    def _a_header(cls, name: str) -> str:
        if name and (not _HEADER.fullmatch(name) or name.lower() in _OUR_HEADERS):
            raise ValueError("must be the name of a header, or empty for none")
        return name

    @model_validator(mode="after")
    def _arguments_are_known(self) -> Self:
        properties, required = self.parameters.get("properties"), self.parameters.get("required")
        known = set(properties or ()) & set(required or ())
        for name in PLACEHOLDER.findall(self.url):
            if name not in known:
                raise ValueError(
                    f"url: {{{name}}} must be among parameters.properties and parameters.required"
                )
        return self

    def tool(self, language: str) -> Tool:
        """As the dialogue has it, in an agent of this language."""
        declared = self.idempotent
        may_repeat = self.method in REPEATABLE_METHODS if declared is None else declared
        binding = HttpBinding(
            method=self.method,
            url=self.url,
            headers=valued(self.headers),
            timeout_s=self.timeout_s,
            retries=self.retries,
            key_header=self.idempotency_header,
            may_repeat=may_repeat,
            max_bytes=self.max_answer_bytes,
            shown=self.shown,
        )
        return _run(self, language, binding, binding.longest_s, is_idempotent=may_repeat)


class PythonFile(RunFile):
    """``type: python``."""

    type: Literal["python"]
    name: str = Field(pattern=TOOL_NAME)
    function: str = Field(pattern=ENTRY)
    idempotent: bool = False
    max_answer_bytes: int = Field(65_536, ge=1_000, le=1_000_000)

    def tool(self, language: str) -> Tool:
        """As the dialogue has it, in an agent of this language."""
        binding = PythonBinding(self.function, self.timeout_s, self.max_answer_bytes, self.shown)
        return _run(self, language, binding, binding.longest_s, is_idempotent=self.idempotent)


class McpServerFile(BaseModel):
    """Where an MCP server is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: tuple[str, ...] = Field((), max_length=50)
    env: dict[str, str | _Secret] = Field(default_factory=dict, max_length=50)
    url: str = Field("", max_length=2_000)
    headers: dict[str, str | _Secret] = Field(default_factory=dict, max_length=30)

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, str | _Secret]) -> dict[str, str | _Secret]:
        return sendable(headers)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.command) == bool(self.url):
            raise ValueError("either command: [program, argument] or url")
        if self.url:
            address(self.url)
        if self.command and self.headers:
            raise ValueError("headers belong to url; give a command env")
        if self.url and self.env:
            raise ValueError("env belongs to command; give a url headers")
        return self

    def server(self) -> McpServer:
        """As whoever connects has it."""
        return McpServer(self.command, valued(self.env), self.url, valued(self.headers))


class McpFile(RunFile):
    """``type: mcp``."""

    type: Literal["mcp"]
    name: str = Field(pattern=TOOL_NAME)
    server: McpServerFile
    tool_there: str = Field("", max_length=128, alias="tool")
    idempotent: bool = False
    max_answer_bytes: int = Field(65_536, ge=1_000, le=1_000_000)

    def tool(self, language: str) -> Tool:
        """As the dialogue has it, in an agent of this language."""
        binding = McpBinding(
            self.server.server(),
            self.tool_there or self.name,
            self.timeout_s,
            self.max_answer_bytes,
            self.shown,
        )
        return _run(self, language, binding, binding.longest_s, is_idempotent=self.idempotent)


class RememberFile(ToolPart):
    """``type: remember``."""

    type: Literal["remember"]
    name: str = Field("remember", pattern=TOOL_NAME)
    description: str = Field(_REMEMBER, min_length=1, max_length=1_000)

    def tool(self, _language: str) -> Tool:
        """As the dialogue has it."""
        return Tool("remember", self.name, self.description, announce=self.announce)


class SwitchLanguageFile(ToolPart):
    """``type: switch_language``."""

    type: Literal["switch_language"]
    name: str = Field("switch_language", pattern=TOOL_NAME)
    description: str = Field(_SWITCH_LANGUAGE, min_length=1, max_length=1_000)

    def tool(self, _language: str) -> Tool:
        """As the dialogue has it; the languages are filled in by ``with_languages``."""
        return Tool("switch_language", self.name, self.description, announce=self.announce)


def valued(values: Mapping[str, str | _Secret]) -> tuple[tuple[str, HeaderValue], ...]:
    """Names and texts, or where the text is to be had."""
    return tuple(
        (name, SecretText(value.secret, value.before) if isinstance(value, _Secret) else value)
        for name, value in values.items()
    )


def sendable(headers: dict[str, str | _Secret]) -> dict[str, str | _Secret]:
    """Headers that can be sent. Raises ``ValueError``."""
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in _OUR_HEADERS:
            raise ValueError(f"{name!r} cannot be set")
        text = value.before if isinstance(value, _Secret) else value
        if not text.isprintable() or not text.isascii():
            raise ValueError(f"{name}: holds a line break, or a letter that no header has")
    return headers


def address(url: str) -> str:
    """A URL that can be asked. Raises ``ValueError``."""
    try:
        parts = urlsplit(url)
        has_place = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise ValueError(f"not a URL ({error})") from None
    if parts.scheme not in {"http", "https"} or not has_place:
        raise ValueError("must be a URL: https://host/path")
    if "{" in parts.netloc or "{" in parts.fragment:
        raise ValueError("arguments such as {name} belong into the path or the query")
    if "@" in parts.netloc:
        raise ValueError("holds a password: put it into headers, with secret: NAME")
    if any(char.isspace() for char in url) or not url.isprintable():
        raise ValueError("holds a blank: write %20")
    return url


def _run(
    file: HttpFile | PythonFile | McpFile,
    language: str,
    binding: object,
    longest_s: float,
    *,
    is_idempotent: bool,
) -> Tool:
    return Tool(
        file.type,
        file.name,
        file.description,
        announce=file.announce,
        parameters_json=file.parameters_json,
        is_idempotent=is_idempotent,
        fillers=file.fillers(language),
        filler_after_s=file.filler_after_s,
        longest_s=longest_s,
        binding=binding,
    )
