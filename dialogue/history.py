"""What was said and heard so far, and how a language model is told of it.

The model reads what the caller *heard*, never what we meant to say: a reply that was cut off ends
in "…", and one that nobody heard is not there at all.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from dialogue.agent import Agent
from dialogue.languages import language_of
from dialogue.ports import Message
from dialogue.spoken.digit_words import tongue
from dialogue.tool_use import LateResults, facts_in, late_results, with_uses
from dialogue.written import as_written

CUT_OFF = "…"
_KEYS = re.compile(r"[0-9*#A-D]+$")


class SettledTurn(Protocol):
    """One turn that is over; ``actors.wire.TurnEntry`` is one.

    Attributes:
        kind: ``greeting``, ``caller``, ``digits``, ``silence`` or ``resume``.
        outcome: ``heard`` to the end, ``interrupted``, ``failed`` or ``dropped``.
    """

    @property
    def turn_id(self) -> int:
        """Counts the turns of a call; the greeting is 0."""

    @property
    def kind(self) -> str:
        """What began the turn."""

    @property
    def caller_text(self) -> str:
        """The caller's words; digits for keys."""

    @property
    def heard_text(self) -> str:
        """What of the reply reached the ear."""

    @property
    def outcome(self) -> str:
        """How the reply ended."""

    @property
    def tools(self) -> Sequence[Mapping[str, Any]]:
        """The tools it used (``dialogue.tool_use``)."""


Turn = TypeVar("Turn", bound=SettledTurn)


@dataclass(frozen=True, slots=True)
class HistoryLimits:
    """How much of a call the model reads.

    When a limit is passed, the oldest turns go until ``keep_ratio`` of it is left: dropping one
    turn each time would change the beginning of every prompt and void the provider's prompt cache.
    """

    max_turns: int = 40
    max_chars: int = 12_000
    keep_ratio: float = 0.75


class History(Generic[Turn]):
    """The settled turns of one call, by ``turn_id``."""

    def __init__(self, limits: HistoryLimits) -> None:
        self._limits = limits
        self._turns: dict[int, Turn] = {}
        self._newest = -1

    def __contains__(self, turn_id: int) -> bool:
        return turn_id in self._turns

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Every turn, oldest first."""
        return tuple(self._turns.values())

    def add(self, turns: Iterable[Turn]) -> list[Turn]:
        """Take turns in; return those that were new. The first account of a turn stands."""
        fresh = []
        for turn in turns:
            if turn.turn_id in self._turns:
                continue
            self._turns[turn.turn_id] = turn
            fresh.append(turn)
            if turn.turn_id < self._newest:  # late: put it where it belongs
                self._turns = dict(sorted(self._turns.items()))
            self._newest = max(self._newest, turn.turn_id)
        return fresh

    def messages(
        self,
        agent: Agent,
        before_turn_id: int,
        line: str,
        *,
        results: Mapping[str, str] | None = None,
        open_uses: Sequence[Mapping[str, Any]] = (),
    ) -> tuple[Message, ...]:
        """The prompt: instructions, what was heard before ``before_turn_id``, and ``line``.

        Neighbouring lines of one side become one message, since some models insist on alternation.

        Args:
            agent: Who speaks.
            before_turn_id: Turns from here on are not told of.
            line: The caller's words.
            results: What came of tools after their turns were settled, by the use's id.
            open_uses: Tools that were used and stand in no settled turn, with their ``turn``.
        """
        turns = self._window(before_turn_id)
        late = late_results((use for turn in turns for use in turn.tools), results)
        facts = facts_in(use for turn in self._turns.values() for use in turn.tools)
        # As one string, whichever calls hold it: a prompt is long, and the same in all of them.
        merged = [Message("system", sys.intern(instructions(agent, facts)))]
        for turn in turns:
            for message in _messages_of(turn, late, agent):
                _append(merged, message)
        now = [use for use in open_uses if use.get("turn") == before_turn_id]
        before = [use for use in open_uses if use.get("turn") != before_turn_id]
        merged += with_uses(None, before_turn_id - 1, before, LateResults())
        if line:
            _append(merged, Message("user", line))
        merged += with_uses(None, before_turn_id, now, LateResults())
        return tuple(merged)

    def _window(self, before_turn_id: int) -> list[Turn]:
        limits = self._limits
        turns = [turn for turn in self._turns.values() if turn.turn_id < before_turn_id]
        first, chars = 0, 0
        for end, turn in enumerate(turns, start=1):
            chars += _chars_of(turn)
            if end - first <= limits.max_turns and chars <= limits.max_chars:
                continue
            while first < end - 1 and (
                end - first > limits.max_turns * limits.keep_ratio
                or chars > limits.max_chars * limits.keep_ratio
            ):
                chars -= _chars_of(turns[first])
                first += 1
        return turns[first:]


def caller_line(kind: str, text: str) -> str:
    """The caller's side of a turn as the model reads it; of ``digits`` the keys stand last."""
    text = text.strip()
    found = _KEYS.search(text) if kind == "digits" else None
    if found is None:
        return text
    keys = f"(pressed on the keypad: {' '.join(found.group())})"
    return f"{text[: found.start()].rstrip()} {keys}".lstrip()


def instructions(agent: Agent, facts: Mapping[str, str] | None = None) -> str:
    """The system prompt: the agent's own, then what every agent on a telephone has to know.

    ``facts`` are what it has noted in this call.
    """
    noted = "".join(f"\n- {name}: {value}" for name, value in (facts or {}).items())
    return _rules(agent) + (f"\n\nYou have noted in this call:{noted}" if noted else "")


def _rules(agent: Agent) -> str:
    return (
        f"{agent.prompt.strip()}\n\n"
        "You are on the telephone. Your words are spoken aloud: answer in one to three short "
        f"sentences of plain {language_name(agent.language)}, without markdown, lists, emoji, "
        "headings or stage directions. Ask one question at a time. The caller's words come from a "
        "speech recogniser and may be misheard; ask back when they make no sense. "
        f'A line of yours that ends in "{CUT_OFF}" was cut off there: the caller heard no more '
        "of it. Keys that the caller pressed stand in brackets, such as "
        f"{caller_line('digits', '12#')}. {_language_rules(agent)}{_tool_rules(agent)}"
    ).strip()


def _tool_rules(agent: Agent) -> str:
    """How the call is ended, and how tools are used."""
    ends = [tool.name for tool in agent.tools if tool.type == "end_call"]
    if ends:
        rules = f"When the conversation is over, say goodbye and use the tool {ends[0]}."
    else:
        rules = (
            "When the conversation is over, say goodbye and end your reply with <end_call>; "
            "never write it otherwise."
        )
    if any(tool.is_action for tool in agent.tools):
        rules += (
            " Before you use a tool, say in the same reply what you are about to do. A tool is "
            "only used once the caller has heard that; one tool at a time."
        )
    runs = [tool.name for tool in agent.tools if tool.is_run]
    if runs:
        rules += (
            f" Of your tools {', '.join(runs)} you get a result at once, and go on with it in the "
            "same reply: say nothing of what it will be before you have it, and make nothing up. "
            "If one fails, tell the caller so in your own words, without technical terms."
        )
    return rules


def _language_rules(agent: Agent) -> str:
    """What is done for a caller who wants another of the agent's languages."""
    if not agent.languages:
        return ""
    names = ", ".join(language_name(spoken.language) for spoken in agent.languages)
    return (
        f"The call can go on in another language: {names}. When the caller asks for one of these, "
        "say in one short sentence of it that you go on in it; the next turn is spoken in it. "
    )


def language_name(tag: str) -> str:
    """A language as one names it to a model; the tag itself if it has no name here."""
    special = _LANGUAGES.get(tag.casefold()) or _LANGUAGES.get(tongue(tag))
    row = None if special else language_of(tag)
    return special or (row.name if row is not None else tag)


def _messages_of(turn: SettledTurn, late: LateResults, agent: Agent) -> list[Message]:
    messages: list[Message] = []
    with_tools = bool(agent.tools)
    caller = caller_line(turn.kind, as_written(turn.caller_text, agent.language))
    if caller:
        messages.append(Message("user", caller))
    if turn.outcome == "dropped":
        # Taken back within a syllable or two: the caller's words come again. What ran has run.
        ran = [use for use in turn.tools if "id" in use]
        return messages + (with_uses(None, turn.turn_id, ran, late) if with_tools else [])
    heard = turn.heard_text.strip()
    if heard and turn.outcome != "heard":
        heard = heard.rstrip(".,;:…，。、 ") + CUT_OFF
    spoken = Message("assistant", heard) if heard else None
    if with_tools:
        return messages + with_uses(spoken, turn.turn_id, turn.tools, late)
    return messages + ([spoken] if spoken is not None else [])


def _append(messages: list[Message], message: Message) -> None:
    """Add a line; one that continues its side's last line joins it."""
    last = messages[-1]
    if last.role != message.role or last.tool_calls or message.role == "tool":
        messages.append(message)
    elif message.role == "user" and message.text.startswith(last.text):
        messages[-1] = message  # a dropped turn, asked again with more words
    else:
        text = f"{last.text}\n{message.text}" if message.text else last.text
        messages[-1] = replace(message, text=text)


def _chars_of(turn: SettledTurn) -> int:
    used = sum(len(str(use.get("result", ""))) for use in turn.tools)
    return len(turn.caller_text) + len(turn.heard_text) + used


_LANGUAGES = {
    "yue": "Cantonese, as it is spoken in Hong Kong",
    "yue-cn": "Cantonese",
    "zh": "Mandarin Chinese",
    "zh-hk": "Cantonese, as it is spoken in Hong Kong",
    "zh-mo": "Cantonese, as it is spoken in Macau",
    "zh-tw": "Mandarin Chinese in traditional characters",
}
