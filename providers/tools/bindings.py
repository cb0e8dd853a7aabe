"""How the tools of an agent are done, as its file declares it: plain frozen data, no secrets.

``dialogue.tools.Tool.binding`` holds one of these.
"""

from __future__ import annotations

from dataclasses import dataclass, field

RETRY_WAIT_S = 0.25
LONGEST_RETRY_WAIT_S = 2.0


@dataclass(frozen=True, slots=True)
class SecretText:
    """A text whose value is in the environment.

    Attributes:
        name: Of the secret; the environment has it as ``CALLCLUSTER_SECRET_<name>``.
        before: Put in front of it, such as ``Bearer``.
    """

    name: str
    before: str = ""


HeaderValue = str | SecretText


@dataclass(frozen=True, slots=True)
class Shown:
    """What of an answer the model reads.

    Attributes:
        paths: Names and numbers with dots between them; empty for all of it.
        chars: So much at the most.
    """

    paths: tuple[str, ...] = ()
    chars: int = 2_000


@dataclass(frozen=True, slots=True)
class HttpBinding:
    """One HTTP request.

    Attributes:
        url: ``{name}`` in its path or query is the argument of that name; the other arguments are
            the query, or the JSON body where the method has one.
        timeout_s: Of each attempt, to the last byte of the answer.
        retries: Attempts after the first one.
        key_header: Carries the same value in every attempt at the same use; empty for none.
        may_repeat: Whether an attempt may follow one that may have been carried out.
        max_bytes: Of an answer.
    """

    method: str
    url: str
    headers: tuple[tuple[str, HeaderValue], ...] = ()
    timeout_s: float = 5.0
    retries: int = 1
    key_header: str = "Idempotency-Key"
    may_repeat: bool = False
    max_bytes: int = 65_536
    shown: Shown = field(default_factory=Shown)

    @property
    def longest_s(self) -> float:
        """After so long there is a result."""
        return self.timeout_s * (1 + self.retries) + LONGEST_RETRY_WAIT_S * self.retries

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of the secrets that it needs."""
        return tuple(value.name for _, value in self.headers if isinstance(value, SecretText))


@dataclass(frozen=True, slots=True)
class PythonBinding:
    """A function of a module that the deployment allows.

    Attributes:
        entry: ``module:function``.
        timeout_s: After so long nobody waits for it.
        max_bytes: Of what it returns, as JSON.
    """

    entry: str
    timeout_s: float = 5.0
    max_bytes: int = 65_536
    shown: Shown = field(default_factory=Shown)

    @property
    def longest_s(self) -> float:
        """After so long there is a result."""
        return self.timeout_s


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server of the Model Context Protocol: a command that is run, or an address.

    Attributes:
        command: Program and arguments; empty for an address.
        env: Further variables of the program.
        url: Of a server that speaks streamable HTTP; empty for a command.
        headers: Sent to that address.
    """

    command: tuple[str, ...] = ()
    env: tuple[tuple[str, HeaderValue], ...] = ()
    url: str = ""
    headers: tuple[tuple[str, HeaderValue], ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of the secrets that it needs."""
        values = (value for _, value in (*self.env, *self.headers))
        return tuple(value.name for value in values if isinstance(value, SecretText))


@dataclass(frozen=True, slots=True)
class McpBinding:
    """One tool of an MCP server.

    Attributes:
        tool: Its name there.
        timeout_s: From the call to the answer, with the time to connect if that is needed.
        max_bytes: Of an answer.
    """

    server: McpServer
    tool: str
    timeout_s: float = 5.0
    max_bytes: int = 65_536
    shown: Shown = field(default_factory=Shown)

    @property
    def longest_s(self) -> float:
        """After so long there is a result."""
        return self.timeout_s

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of the secrets that it needs."""
        return self.server.secrets
