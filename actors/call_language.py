"""Which language one call is in, for whoever drives its stream.

Rules:
1. A turn is settled in the language it was spoken in; a change is in force from the next turn on.
2. What changes it: a tool that says so in its use, the caller who asks for another language, or
   speaks it (``voice.language_watch``). The use that tells of it stays with the turn, so that the
   turn log knows, and whoever takes the call over (``dialogue.call_language``).
3. Only languages of the agent's file; an agent with one of them costs nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from actors.call_parts import CallParts
from actors.wire import TurnEntry
from dialogue.agent import Agent
from dialogue.call_language import language_in, language_of_call, language_use
from voice.config import SpokenPhrases, VoiceConfig
from voice.fillers import FillerSounds
from voice.language_watch import LanguageWatch


class CallLanguage:
    """Of one call on one stream.

    Args:
        agent: As its file has it.
        config: The voice machine's, in the agent's own language.
        parts: Of the process; its ``languages`` are used once the call has changed.
        on_change: Has the call heard and spoken in what these attributes say from now on.

    Attributes:
        agent: As it speaks now.
        config: In the language of now.
        parts: Likewise.
    """

    def __init__(
        self,
        agent: Agent,
        config: VoiceConfig,
        parts: CallParts,
        on_change: Callable[[], None],
    ) -> None:
        self._own = (agent, config, parts)
        self._on_change = on_change
        self.agent, self.config, self.parts = self._own
        self._watch: LanguageWatch | None = None
        if agent.languages:
            names = {agent.language: agent.asks}
            names |= {spoken.language: spoken.asks for spoken in agent.languages}
            self._watch = LanguageWatch(agent.language, names)

    def sounds(self, call_id: str) -> FillerSounds:
        """What is heard while a reply is late."""
        return self.parts.speech.filler_sounds(self.agent, call_id)

    def recall(self, turns: Iterable[TurnEntry]) -> None:
        """The call has these turns already: go on in the language that they ended in."""
        if self._watch is not None:
            self._change_to(language_of_call(self._own[0], turns))

    def settled(self, entry: TurnEntry, recognised: str = "") -> TurnEntry:
        """A turn is over; returns it with the change that follows from it, if one does.

        Args:
            entry: As it will be logged.
            recognised: What the recogniser says was spoken; empty when it does not say.
        """
        if self._watch is None:
            return entry
        own = self._own[0]
        told = own.own_tag(language_in(entry.tools))
        if told:
            self._change_to(told)
            return entry
        if entry.kind != "caller" or entry.outcome == "dropped":
            return entry
        change = self._watch.hear(entry.caller_text, recognised)
        if change is None:
            return entry
        self._change_to(change.language)
        use = language_use(change.language, change.why)
        return replace(entry, tools=(*entry.tools, use))

    def _change_to(self, language: str) -> None:
        if self._watch is None or language == self.agent.language:
            return
        own, config, own_parts = self._own
        self._watch.change_to(language)
        self.agent = own.speaking(language)
        self.parts = own_parts.languages.get(language, own_parts)
        self.config = config_in(config, self.agent)
        own_parts.count("language_changes", 1)
        self._on_change()


def config_in(config: VoiceConfig, agent: Agent) -> VoiceConfig:
    """The configuration of a call that goes on in the language of ``agent``."""
    phrases = agent.phrases
    waits = config.trouble_action.get("verb") == "switch"  # another way follows: nobody is sorry
    trouble = (phrases.one_moment or phrases.resume) if waits else agent.trouble
    spoken = SpokenPhrases(
        apology=phrases.apology,
        still_there=phrases.still_there,
        goodbye=phrases.goodbye,
        trouble=trouble,
    )
    return replace(config, language=agent.language, phrases=spoken)
