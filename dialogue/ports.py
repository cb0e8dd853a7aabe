"""What the mind needs from the outside: something that thinks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the conversation as the language model reads it."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class ThinkRequest:
    """One question to a language model.

    Attributes:
        call_id: Our id of the call; for logs only.
        messages: System prompt, history of what was *heard*, and the caller's words last.
        model: The provider's model name; empty for the provider's default.
        temperature: None leaves it to the provider.
        max_tokens: Upper bound of the reply; None leaves it to the provider.
    """

    call_id: str
    messages: tuple[Message, ...]
    model: str = ""
    temperature: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """The next characters of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class ReplyDone:
    """The reply is complete. Token counts are None when the provider did not tell."""

    reason: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


ThinkEvent = ReplyDelta | ReplyDone


class Thinker(Protocol):
    """A language model."""

    @property
    def name(self) -> str:
        """Short name for records, such as ``openai``."""

    async def warm(self) -> None:
        """Open a connection before it is needed. Raises ``ProviderError``."""

    def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        """Yield deltas, then one ``ReplyDone``.

        Closing the iterator early cancels the request at the provider. Raises ``ProviderError``
        from the iteration.
        """

    async def aclose(self) -> None:
        """Close every pooled connection."""
