"""What the mind needs from the outside: something that thinks.

A reply with tools takes several requests. The model asks for a tool instead of (or after) saying
something; whoever holds the dialogue carries it out and asks again, with what came of it::

    first = ThinkRequest(call_id, messages, tools=(TRANSFER,))
    # events: ReplyDelta("One moment."), ToolCallRequested("call_1", "transfer", '{"to": "sales"}'),
    #         ReplyDone("tool_calls")
    asked = Message("assistant", "One moment.", tool_calls=(the_call,))
    result = Message("tool", '{"ok": true}', tool_call_id="call_1")
    second = replace(first, messages=(*messages, asked, result))

Rules
1. A request without ``tools`` is answered in text only. A model that asks for a tool all the same
   is reported as it is; whoever offered none ignores it.
2. ``ToolCallRequested`` comes once for each call, whole, in the model's order, after the text of
   the reply and before its ``ReplyDone``. Of a reply that was cut off (``length``,
   ``content_filter``) no call comes. ``ToolCallBegan`` comes once before the first of them, as
   soon as the provider shows it: a sign of life, since the model may write arguments for long.
3. The provider checks neither name nor arguments against the tools: the model may invent both.
4. Every call in ``Message.tool_calls`` needs its ``tool`` message, directly after, in any order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant", "tool"]
ToolChoice = Literal["auto", "none", "required"]


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool the model may ask for.

    Attributes:
        name: Letters, digits, ``_`` and ``-``; at most 64.
        description: For the model: what it does and when to use it.
        parameters: JSON schema of its arguments, an object; empty for a tool without arguments.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCallBegan:
    """The model is writing a tool call, which will come whole; it may break off before."""


@dataclass(frozen=True, slots=True)
class ToolCallRequested:
    """The model wants a tool to be used; nothing was done yet.

    Attributes:
        id: The provider's id of this call; the result is sent back under it.
        name: Of the tool, as the model wrote it.
        arguments_json: As the model wrote them, ``{}`` if it wrote none; not checked to be JSON.
    """

    id: str
    name: str
    arguments_json: str


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the conversation as the language model reads it.

    Attributes:
        text: What was said; of a ``tool`` message the result, best as JSON.
        tool_calls: Only of ``assistant``: what it asked for in this line. ``text`` may be empty.
        tool_call_id: Only of ``tool``, and always there: the call this is the result of.
    """

    role: Role
    text: str
    tool_calls: tuple[ToolCallRequested, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class ThinkRequest:
    """One question to a language model.

    Attributes:
        call_id: Our id of the call; for logs only.
        messages: System prompt, history of what was *heard*, and the caller's words last.
        model: The provider's model name; empty for the provider's default.
        temperature: None leaves it to the provider.
        max_tokens: Upper bound of the reply; None leaves it to the provider.
        tools: What the model may ask for. Keep them the same, in the same order, for a whole call:
            they stand before the messages in the provider's prompt cache.
        tool_choice: ``none`` forbids tools without changing that prefix, ``required`` forces one.
            Only sent with ``tools``.
        tenant_id: Whose call it is: what may be spent on second opinions is each tenant's own.
    """

    call_id: str
    messages: tuple[Message, ...]
    model: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    tools: tuple[ToolDefinition, ...] = ()
    tool_choice: ToolChoice = "auto"
    tenant_id: str = ""


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """The next characters of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class ReplyDone:
    """The reply is complete. Token counts are None when the provider did not tell.

    Attributes:
        reason: As the provider names it: ``stop``, ``length``, ``tool_calls``, ``content_filter``.
        cached_tokens: How many of ``prompt_tokens`` came from the provider's prompt cache.
        stand_in: Who answered instead of the agent's own thinker, by name; empty for its own.
    """

    reason: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    stand_in: str = ""


ThinkEvent = ReplyDelta | ToolCallBegan | ToolCallRequested | ReplyDone


class Thinker(Protocol):
    """A language model."""

    @property
    def name(self) -> str:
        """Short name for records, such as ``openai``."""

    async def warm(self) -> None:
        """Open a connection before it is needed. Raises ``ProviderError``."""

    def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        """Yield deltas and tool calls, then one ``ReplyDone``.

        Closing the iterator early cancels the request at the provider. Raises ``ProviderError``
        from the iteration.
        """

    async def aclose(self) -> None:
        """Close every pooled connection."""
