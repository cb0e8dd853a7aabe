"""What the checks look at: the settings, the agents, the environment, and where the product is."""

from __future__ import annotations

import os
import ssl
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from cluster.agents import load_tenants
from cluster.errors import AgentFileError, SettingsError
from cluster.setting_names import UnknownName, unknown_names, written_names
from cluster.settings import Settings, load_settings, read_settings
from dialogue.agent import Agent

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What there is to examine.

    Attributes:
        settings: None when they cannot be read at all.
        settings_problem: Why the product would not start with them; empty when it would.
        agents: By tenant and agent id; empty when they cannot be read.
        agents_problem: Why not.
        unknown_names: Variables that look like settings and are none.
        environment: Usually ``os.environ``.
        local_url: Where the product listens if it runs, ``http://HOST:PORT``.
        is_offline: Nothing may leave this machine.
        try_keys: Keys may be tried with requests that cost nothing.
        tls: Whom to trust; the system's authorities when None.
    """

    settings: Settings | None
    settings_problem: str = ""
    agents: Mapping[tuple[str, str], Agent] = field(default_factory=dict)
    agents_problem: str = ""
    unknown_names: Sequence[UnknownName] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    local_url: str = "http://127.0.0.1:8000"
    is_offline: bool = False
    try_keys: bool = False
    tls: ssl.SSLContext | None = None

    @classmethod
    def of_environment(
        cls,
        *,
        url: str = "",
        public_url: str = "",
        is_offline: bool = False,
        try_keys: bool = False,
        options: Collection[str] = (),
    ) -> Place:
        """This machine, as ``callcluster serve`` would find it here and now.

        Args:
            url: Where the product listens; empty for the port of the settings.
            public_url: Instead of the one of the settings.
            is_offline: Nothing may leave this machine.
            try_keys: Keys may be tried.
            options: Variables of the commands' options.
        """
        overrides = {"public_url": public_url} if public_url else {}
        settings, problem = _read(overrides)
        agents, agents_problem = _agents(settings)
        port = settings.port if settings is not None else 8000
        return cls(
            settings=settings,
            settings_problem=problem,
            agents=agents,
            agents_problem=agents_problem,
            unknown_names=unknown_names(written_names(), options),
            environment=dict(os.environ),
            local_url=(url or f"http://127.0.0.1:{port}").rstrip("/"),
            is_offline=is_offline,
            try_keys=try_keys,
        )

    @property
    def is_development(self) -> bool:
        """Whether the settings ask for a run without signatures."""
        return self.settings is not None and self.settings.development


def _read(overrides: dict[str, str]) -> tuple[Settings | None, str]:
    try:
        return load_settings(**overrides), ""
    except SettingsError as error:
        problem = str(error)
    try:
        return read_settings(**overrides), problem
    except SettingsError:
        return None, problem


def _agents(settings: Settings | None) -> tuple[Mapping[tuple[str, str], Agent], str]:
    if settings is None:
        return {}, "the settings cannot be read"
    try:
        return load_tenants(settings.agents_dir, settings.tenant_id), ""
    except AgentFileError as error:
        return {}, str(error)
