"""Agents as YAML files: read, checked, turned into plain frozen data.

One file is one agent; its name without ``.yaml`` is the agent's id. The version is a digest of what
the file says, so that two different definitions never share one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cluster import agent_languages
from cluster.agent_modes import check_modes, check_switch
from cluster.agent_realtime import RealtimeFile
from cluster.agent_relay import RelayFile, relay_options
from cluster.agent_tool_files import ENTRY, TOOL_NAME
from cluster.agent_tools import MAX_TOOLS, ToolFile, check_names, check_switches, tools_of
from cluster.agent_yaml import read_yaml
from cluster.errors import AgentFileError, SettingsError
from cluster.file_mistakes import Mistake, Place, mistakes
from cluster.setting_types import TENANT
from dialogue.agent import (
    Agent,
    AnswerReuse,
    CallMode,
    Phrases,
    SpareVoice,
    SpokenForms,
    SpokenLanguage,
    TurnTaking,
)
from dialogue.relay_options import RelayOptions
from providers.table import refusal_of
from voice.presets import endpoint_of

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LANGUAGE = agent_languages.LANGUAGE_TAG
_PATTERNS = {
    _LANGUAGE: "must be a language tag such as en-US or de-DE",
    ENTRY: "must be module:function",
    TOOL_NAME: "must be a letter, then letters, digits, _ and -, 40 characters at most",
}
_WRONG_FOLDER = "Go to the folder of your deployment, or set CALLCLUSTER_AGENTS_DIR"
_PHRASES = Phrases()
_TAKING = TurnTaking()
MAX_CHAIN = 4
MAX_NAMES_CHARS = 120
"""Of tenant, agent and tool together: the tokens of a call fit into the carrier's parameters."""
_BUILT = {
    "phrases",
    "turn_taking",
    "tools",
    "thinker",
    "recogniser",
    "spare_voices",
    "response_cache",
    "mode",
    "relay",
    "realtime",
    "languages",
}


class _PhrasesFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    apology: str = _PHRASES.apology
    still_there: str = _PHRASES.still_there
    goodbye: str = _PHRASES.goodbye
    trouble: str = _PHRASES.trouble
    resume: str = _PHRASES.resume
    one_moment: str = _PHRASES.one_moment
    transfer: str = _PHRASES.transfer
    digits: str = _PHRASES.digits
    no_answer: str = _PHRASES.no_answer


class _TurnTakingFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: str = _TAKING.preset
    eager_silence_s: float | None = Field(_TAKING.eager_silence_s, ge=0.04, le=3)
    commit_silence_s: float | None = Field(_TAKING.commit_silence_s, ge=0.1, le=5)
    longest_silence_s: float | None = Field(_TAKING.longest_silence_s, ge=0.1, le=10)
    final_wait_s: float | None = Field(_TAKING.final_wait_s, ge=0, le=3)
    barge_in_speech_s: float = Field(_TAKING.barge_in_speech_s, ge=0.04, le=3)
    idle_prompt_s: float = Field(_TAKING.idle_prompt_s, ge=2)
    idle_hang_up_s: float = Field(_TAKING.idle_hang_up_s, ge=4)
    playout_lead_s: float = Field(_TAKING.playout_lead_s, ge=0.04, le=2)
    breath_after_s: float = Field(_TAKING.breath_after_s, ge=0.1, le=10)
    one_moment_after_s: float = Field(_TAKING.one_moment_after_s, ge=0.2, le=20)
    reply_wait_s: float = Field(_TAKING.reply_wait_s, ge=1, le=60)
    max_waste_ratio: float | None = Field(_TAKING.max_waste_ratio, gt=0, le=1)
    steady_words_s: float = Field(_TAKING.steady_words_s, ge=0, le=2)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        endpoint_of(
            self.preset,
            eager_silence_s=self.eager_silence_s,
            commit_silence_s=self.commit_silence_s,
            longest_silence_s=self.longest_silence_s,
        )
        if self.idle_prompt_s > self.idle_hang_up_s:
            raise ValueError("idle_prompt_s must not be above idle_hang_up_s")
        if self.breath_after_s >= self.one_moment_after_s:
            raise ValueError("breath_after_s must be below one_moment_after_s")
        return self


class _ResponseCacheFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    learn: bool = True
    similar: bool = True


class _SpareVoiceFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    speaker: str
    voice: str = Field(min_length=1)


class _AgentFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    language: str = Field(pattern=_LANGUAGE)
    languages: tuple[str | agent_languages.LanguageFile, ...] = Field(
        (), max_length=agent_languages.MAX_LANGUAGES
    )
    mode: str | tuple[str, ...] = "pipeline"
    prompt: str = Field(min_length=1)
    greeting: str = ""
    voice: str = Field(min_length=1)
    recogniser: str | tuple[str, ...] = "azure"
    thinker: str | tuple[str, ...] = "openai"
    speaker: str = "elevenlabs"
    spare_voices: tuple[_SpareVoiceFile, ...] = Field((), max_length=MAX_CHAIN - 1)
    spoken_forms: SpokenForms = "auto"
    model: str = ""
    temperature: float | None = Field(None, ge=0, le=2)
    max_reply_tokens: int | None = Field(300, ge=16)
    max_call_s: float = Field(3600.0, gt=0, le=14_400)
    hints: tuple[str, ...] = ()
    record: bool = False
    tools: tuple[ToolFile, ...] = Field((), max_length=MAX_TOOLS)
    on_trouble: str = ""
    phrases: _PhrasesFile = Field(default_factory=_PhrasesFile)
    turn_taking: _TurnTakingFile = Field(default_factory=lambda: _TurnTakingFile.model_validate({}))
    response_cache: _ResponseCacheFile | None = Field(default_factory=_ResponseCacheFile)
    switch_after_s: float | None = Field(None, ge=1)
    relay: RelayFile = Field(default_factory=lambda: RelayFile.model_validate({}))
    realtime: RealtimeFile = Field(default_factory=lambda: RealtimeFile.model_validate({}))

    @field_validator("response_cache", mode="before")
    @classmethod
    def _on_or_off(cls, given: object) -> object:
        if given in (True, "on"):  # YAML reads on and off as true and false
            return {}
        if given is None or isinstance(given, bool | str):
            if given in (False, "off"):
                return None
            raise ValueError("on, off, or fields such as learn: false")
        return given

    @field_validator("turn_taking", mode="before")
    @classmethod
    def _a_preset_alone(cls, given: object) -> object:
        return {"preset": given} if isinstance(given, str) else given

    @field_validator("prompt")
    @classmethod
    def _says_something(cls, prompt: str) -> str:
        if prompt.isspace():
            raise ValueError("must not be blank")
        return prompt

    @field_validator("thinker", "recogniser")
    @classmethod
    def _some_once_each(cls, names: str | tuple[str, ...]) -> str | tuple[str, ...]:
        chain = _chain(names)
        if not chain or len(chain) > MAX_CHAIN or len(set(chain)) < len(chain):
            raise ValueError(f"one name, or a list of up to {MAX_CHAIN} different ones")
        return names

    @field_validator("mode")
    @classmethod
    def _known_modes(cls, names: str | tuple[str, ...]) -> str | tuple[str, ...]:
        check_modes(_chain(names))
        return names

    @field_validator("tools")
    @classmethod
    def _apart(cls, tools: tuple[ToolFile, ...]) -> tuple[ToolFile, ...]:
        check_names(tools)
        return tools

    @model_validator(mode="after")
    def _languages_are_served(self) -> Self:
        self.spoken()
        check_switches(self.tools, self.tags())
        check_switch(_chain(self.mode), self.switch_after_s)
        return self

    def tags(self) -> tuple[str, ...]:
        """Every language that its calls may be in, its own first."""
        return (self.language, *(spoken.language for spoken in self.spoken()))

    def spoken(self) -> tuple[SpokenLanguage, ...]:
        """What its calls may change to. Raises ``ValueError``: who hears, or speaks, it?"""
        own = agent_languages.Own(self.language, self.speaker, self.voice, _chain(self.recogniser))
        return agent_languages.spoken_languages(self.languages, own)

    @model_validator(mode="after")
    def _relay_has_a_voice(self) -> Self:
        self.relay_options()
        return self

    def relay_options(self) -> RelayOptions:
        """How the carrier hears and speaks. Raises ``ValueError``: with which voice?"""
        return relay_options(
            self.relay,
            speaker=self.speaker,
            voice=self.voice,
            hints=self.hints,
            others=tuple(spoken.language for spoken in self.spoken()),
            is_used="relay" in _chain(self.mode),
        )

    @model_validator(mode="after")
    def _voices_differ(self) -> Self:
        own = _SpareVoiceFile(speaker=self.speaker, voice=self.voice)
        if len({own, *self.spare_voices}) <= len(self.spare_voices):
            raise ValueError("spare_voices: one voice is named twice")
        return self

    @model_validator(mode="after")
    def _trouble_is_a_transfer(self) -> Self:
        transfers = [tool.name for tool in self.tools if tool.type == "transfer"]
        if self.on_trouble and self.on_trouble not in transfers:
            known = ", ".join(transfers) or "there is none"
            raise ValueError(f"on_trouble: must name a tool of type transfer ({known})")
        return self


def _chain(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def load_agent(path: Path, tenant_id: str) -> Agent:
    """Read one agent file.

    Raises:
        AgentFileError: Not readable, not YAML, a field is wrong, or a provider that it names does
            not exist or cannot do its language or voice; the message names line and field, and has
            a line for each field that is wrong.
    """
    if not _ID.fullmatch(path.stem):
        raise AgentFileError(
            f"{path}: the file's name is the agent's id: a letter or digit, then letters, digits, "
            "_, - and dots, 64 at most"
        )
    file = read_yaml(path)
    if not isinstance(file.content, dict):
        raise AgentFileError(f"{path}: must be a mapping of fields such as language and prompt")
    try:
        checked = _AgentFile.model_validate(file.content)
    except ValidationError as error:
        found = mistakes(error, _AgentFile, _PATTERNS)
        raise AgentFileError("\n".join(f"{file.at(one.place)}: {one}" for one in found)) from None
    places: list[tuple[Place, str, str, str]] = [
        *(((), "recogniser", name, "") for name in _chain(checked.recogniser)),
        *(((), "thinker", name, "") for name in _chain(checked.thinker)),
        ((), "speaker", checked.speaker, checked.voice),
        *(
            (("spare_voices", at), "speaker", spare.speaker, spare.voice)
            for at, spare in enumerate(checked.spare_voices)
        ),
    ]
    for place, kind, name, voice in places:
        if refusal := refusal_of(kind, name, checked.language, voice):
            wrong = Mistake((*place, refusal.field), refusal.reason)
            raise AgentFileError(f"{file.at(wrong.place)}: {wrong}")
    _check_names(path, tenant_id, checked)
    try:
        digest = hashlib.blake2b(checked.model_dump_json().encode(), digest_size=6).hexdigest()
    except ValueError:
        raise AgentFileError(f"{path}: holds half a character (\\ud800 to \\udfff)") from None
    values = checked.model_dump(exclude=_BUILT)
    thinker, *then_thinkers = _chain(checked.thinker)
    recogniser, *then_recognisers = _chain(checked.recogniser)
    mode, *then_modes = cast("tuple[CallMode, ...]", _chain(checked.mode))
    return Agent(
        tenant_id=tenant_id,
        agent_id=path.stem,
        agent_version=digest,
        thinker=thinker,
        then_thinkers=tuple(then_thinkers),
        recogniser=recogniser,
        then_recognisers=tuple(then_recognisers),
        mode=mode,
        then_modes=tuple(then_modes),
        spare_voices=tuple(SpareVoice(v.speaker, v.voice) for v in checked.spare_voices),
        tools=tools_of(checked.tools, checked.language, checked.tags()),
        phrases=agent_languages.own_phrases(
            checked.language, checked.phrases.model_dump(exclude_unset=True)
        ),
        languages=checked.spoken(),
        asks=agent_languages.asks_of(checked.language),
        turn_taking=TurnTaking(**checked.turn_taking.model_dump()),
        response_cache=_reuse(checked.response_cache),
        relay=checked.relay_options(),
        realtime=checked.realtime.options(),
        **values,
    )


def _reuse(checked: _ResponseCacheFile | None) -> AnswerReuse:
    if checked is None:
        return AnswerReuse(is_on=False)
    return AnswerReuse(learns=checked.learn, similar=checked.similar)


def _check_names(path: Path, tenant_id: str, checked: _AgentFile) -> None:
    """Names travel through the carrier in tokens, for which it has little room."""
    longest = max((tool.name for tool in checked.tools), key=len, default="")
    chars = len(tenant_id) + len(path.stem) + len(longest)
    if chars > MAX_NAMES_CHARS:
        raise AgentFileError(
            f"{path}: the names of tenant, agent and tool ({longest or 'none'}) are {chars} "
            f"characters together, at most {MAX_NAMES_CHARS}: shorten one of them"
        )


def require_agent(
    agents: Mapping[tuple[str, str], Agent], tenant_id: str, agent_id: str, folder: Path
) -> None:
    """Raises ``SettingsError`` when the default agent has no file."""
    if (tenant_id, agent_id) not in agents:
        known = ", ".join(sorted(name for tenant, name in agents if tenant == tenant_id))
        raise SettingsError(
            f"CALLCLUSTER_DEFAULT_AGENT is {agent_id!r}, but there is no such file in {folder}: "
            f"{known or 'none'}"
        )


def load_tenants(folder: Path, tenant_id: str) -> dict[tuple[str, str], Agent]:
    """Read the agents of every tenant: ``(tenant id, agent id)`` to agent.

    Raises:
        AgentFileError: As ``agent_files``; or a file is wrong, as ``load_agent`` says.
    """
    return {
        (owner, path.stem): load_agent(path, owner)
        for owner, path in agent_files(folder, tenant_id)
    }


def agent_files(folder: Path, tenant_id: str) -> list[tuple[str, Path]]:
    """The files of every tenant, with the tenant's id.

    Files of ``folder`` itself belong to ``tenant_id``; those of a folder in it to the tenant that
    it is named after.

    Raises:
        AgentFileError: ``folder`` is missing or empty; or a folder in it whose name is no tenant's,
            or is ``tenant_id``, which would have two folders.
    """
    if not folder.is_dir():
        raise AgentFileError(f"{folder.absolute()}: no such folder. {_WRONG_FOLDER}")
    found = [(tenant_id, path) for path in sorted(folder.glob("*.yaml"))]
    if not found:
        raise AgentFileError(f"{folder.absolute()}: no agent files (*.yaml). {_WRONG_FOLDER}")
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        paths = sorted(inner.glob("*.yaml"))
        if paths and (not TENANT.fullmatch(inner.name) or inner.name == tenant_id):
            raise AgentFileError(
                f"{inner}: name the folder after another tenant than {tenant_id} "
                "(CALLCLUSTER_TENANT_ID), in letters, digits, _ and -, 64 at most"
            )
        found += [(inner.name, path) for path in paths]
    return found


def load_agents(folder: Path, tenant_id: str) -> dict[str, Agent]:
    """Read the agents of one tenant: agent id to agent. Raises ``AgentFileError``."""
    agents = load_tenants(folder, tenant_id)
    return {name: agent for (owner, name), agent in agents.items() if owner == tenant_id}
