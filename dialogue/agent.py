"""An agent: a configured AI persona, as plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, TypeGuard, get_args

from dialogue.realtime import RealtimeOptions
from dialogue.relay_options import RelayOptions
from dialogue.spoken.digit_words import tongue
from dialogue.tools import Tool, Toolbox

SpokenForms = Literal["auto", "on", "off"]
CallMode = Literal["pipeline", "relay", "realtime"]
"""How a call is carried: our own ear and mouth, the carrier's, or one model for both."""


def is_mode(name: str) -> TypeGuard[CallMode]:
    """Whether this version knows such a way of carrying a call."""
    return name in get_args(CallMode)


@dataclass(frozen=True, slots=True)
class Phrases:
    """Sentences that must be speakable when every provider is down; pre-rendered at start.

    Attributes:
        one_moment: Said when a reply is late; empty for a breath only.
        transfer, digits: Said before a tool of that type is used, when the model says nothing.
        no_answer: Said to a caller who comes back from a transfer that nobody took.
    """

    apology: str = "Sorry, I did not get that. Could you say it again?"
    still_there: str = "Are you still there?"
    goodbye: str = "Thank you for calling. Goodbye."
    trouble: str = (
        "I am having some trouble right now. Please call again in a little while. Goodbye."
    )
    resume: str = "Sorry about that, I am back."
    one_moment: str = "One moment, please."
    transfer: str = "One moment, please. I am putting you through."
    digits: str = "One moment, please."
    no_answer: str = "I am sorry, nobody is answering there. Can I help you in another way?"

    def all(self) -> tuple[str, ...]:
        """Every phrase that any call may need, for pre-rendering."""
        return (
            self.apology,
            self.still_there,
            self.goodbye,
            self.trouble,
            self.resume,
            self.one_moment,
        )


@dataclass(frozen=True, slots=True)
class TurnTaking:
    """How soon the agent answers and how easily it lets itself be interrupted; seconds.

    Attributes:
        preset: Name of the numbers that are not given here (``voice.presets``).
        eager_silence_s: Silence after which a reply is prepared but held.
        commit_silence_s: Silence after which the turn is taken, behind words that say nothing about
            the end; ``longest_silence_s``: the longest that is ever waited for.
        final_wait_s: How much longer to wait for words that are still on their way.
        barge_in_speech_s: Caller speech during playout that silences the agent; its words decide
            whether the reply goes on.
        idle_prompt_s: Silence on both sides after which the agent asks whether anyone is there.
        idle_hang_up_s: Silence on both sides after which the call ends.
        playout_lead_s: Audio kept ahead of the caller's ear in the carrier's buffer.
        breath_after_s: A reply later than usual by so much is preceded by a breath.
        one_moment_after_s: Later than usual by so much, by ``Phrases.one_moment``.
        reply_wait_s: A reply that does not come a step further for so long has failed.
        max_waste_ratio: Replies prepared for words that turned out to be others, of all replies
            asked for; above it guesses are made later.
        steady_words_s: Words unchanged for so long while the caller speaks are guessed at too; 0
            for never.
    """

    preset: str = "default"
    eager_silence_s: float | None = None
    commit_silence_s: float | None = None
    longest_silence_s: float | None = None
    final_wait_s: float | None = None
    barge_in_speech_s: float = 0.12
    idle_prompt_s: float = 12.0
    idle_hang_up_s: float = 40.0
    playout_lead_s: float = 0.2
    breath_after_s: float = 0.4
    one_moment_after_s: float = 0.9
    reply_wait_s: float = 5.0
    max_waste_ratio: float | None = None
    steady_words_s: float = 0.0


@dataclass(frozen=True, slots=True)
class AnswerReuse:
    """Which answers that were given before may be given again.

    Attributes:
        is_on: False: the response cache is never asked and never told.
        learns: Answers of this agent's calls are kept, and shared once two callers were given
            them; False: only imported ones are given.
        similar: False: only to questions in the same words.
    """

    is_on: bool = True
    learns: bool = True
    similar: bool = True


@dataclass(frozen=True, slots=True)
class SpareVoice:
    """Who speaks when the agent's own voice cannot."""

    speaker: str
    voice: str


@dataclass(frozen=True, slots=True)
class SpokenLanguage:
    """A language that calls of an agent may change to, and who hears and speaks it.

    Attributes:
        language: BCP-47 tag.
        recognisers: Names in the provider table, best first.
        asks: What callers call it when they ask for it, in lower case.
    """

    language: str
    speaker: str
    voice: str
    recognisers: tuple[str, ...]
    phrases: Phrases = field(default_factory=Phrases)
    asks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent of one tenant, at one version.

    Attributes:
        agent_version: Digest of the definition: two different definitions never share one.
        recogniser, thinker, speaker: Names of the providers in the provider table.
        then_thinkers: Who is asked, in this order, when ``thinker`` fails or is late.
        then_recognisers: Who listens, in this order, when ``recogniser`` fails or hears nothing.
        spare_voices: Who speaks, in this order, when ``speaker`` fails or is late.
        spoken_forms: How much is put into words before a voice gets it: what this speaker is known
            to read wrongly (``auto``), everything that can be (``on``), or nothing (``off``).
        model: Language model; empty for the provider's default.
        voice: Voice id of the speaker.
        record: Its calls are recorded, each side on a channel of its own.
        tools: What it may do besides speaking, each under a name of its own.
        on_trouble: Name of the transfer that takes a call which the providers cannot serve; empty
            to say so and end it.
        response_cache: Which answers are given again without asking the language model.
        mode: How its calls are carried.
        then_modes: How they go on, in this order, when that way fails in mid-call.
        switch_after_s: So long a call is carried in a way that has another one behind it: minutes
            of the one may be dearer than of the other. None: as long as it lasts.
        relay: How the carrier hears and speaks where it relays them as text.
        realtime: How it speaks and listens where one model does both.
        languages: Those that a call may change to besides its own.
        asks: What callers call its own language when they ask to go back to it.
    """

    tenant_id: str
    agent_id: str
    agent_version: str
    language: str
    prompt: str
    greeting: str
    voice: str
    recogniser: str = "azure"
    thinker: str = "openai"
    speaker: str = "elevenlabs"
    model: str = ""
    temperature: float | None = None
    max_reply_tokens: int | None = 300
    max_call_s: float = 3600.0
    phrases: Phrases = field(default_factory=Phrases)
    hints: tuple[str, ...] = ()
    turn_taking: TurnTaking = field(default_factory=TurnTaking)
    record: bool = False
    tools: tuple[Tool, ...] = ()
    on_trouble: str = ""
    then_thinkers: tuple[str, ...] = ()
    then_recognisers: tuple[str, ...] = ()
    spare_voices: tuple[SpareVoice, ...] = ()
    spoken_forms: SpokenForms = "auto"
    response_cache: AnswerReuse = field(default_factory=AnswerReuse)
    mode: CallMode = "pipeline"
    then_modes: tuple[CallMode, ...] = ()
    switch_after_s: float | None = None
    relay: RelayOptions = field(default_factory=RelayOptions)
    realtime: RealtimeOptions = field(default_factory=RealtimeOptions)
    languages: tuple[SpokenLanguage, ...] = ()
    asks: tuple[str, ...] = ()

    def own_tag(self, tag: str) -> str:
        """Its language of that tag, or the one of the same name ("es" for "es-MX"); "" for none."""
        own = (self.language, *(spoken.language for spoken in self.languages))
        exact = [language for language in own if language.casefold() == tag.casefold()]
        alike = [language for language in own if tag and tongue(language) == tongue(tag)]
        return next(iter((*exact, *alike)), "")

    def speaking(self, tag: str) -> Agent:
        """This agent in a call that has changed to another of its languages.

        Its spare voices, and what its file has tools say, stay behind: they are in the language
        that the call began in.
        """
        spoken = next((each for each in self.languages if each.language == tag), None)
        if spoken is None:
            return self
        recogniser, *then_recognisers = spoken.recognisers
        own = SpokenLanguage(
            self.language, self.speaker, self.voice, self.recognisers, self.phrases, self.asks
        )
        others = tuple(each for each in self.languages if each is not spoken)
        return replace(
            self,
            language=spoken.language,
            greeting="",
            speaker=spoken.speaker,
            voice=spoken.voice,
            spare_voices=(),
            recogniser=recogniser,
            then_recognisers=tuple(then_recognisers),
            phrases=spoken.phrases,
            tools=tuple(replace(tool, announce="", no_answer="") for tool in self.tools),
            languages=(own, *others),
            asks=spoken.asks,
        )

    @property
    def modes(self) -> tuple[CallMode, ...]:
        """Every way in which its calls may be carried, the first one first."""
        return (self.mode, *self.then_modes)

    def mode_after(self, mode: str) -> CallMode | None:
        """How calls go on that are carried like this and cannot be any longer; None: not at all."""
        known = self.modes
        at = known.index(mode) + 1 if is_mode(mode) and mode in known else len(known)
        return known[at] if at < len(known) else None

    @property
    def recognisers(self) -> tuple[str, ...]:
        """All that may listen, best first."""
        return (self.recogniser, *self.then_recognisers)

    @property
    def voices(self) -> tuple[SpareVoice, ...]:
        """All voices, its own first."""
        return (SpareVoice(self.speaker, self.voice), *self.spare_voices)

    @property
    def speakers(self) -> tuple[str, ...]:
        """All services that may speak, each once, best first."""
        return tuple(dict.fromkeys(voice.speaker for voice in self.voices))

    @property
    def providers(self) -> tuple[str, ...]:
        """Names of all services of all kinds."""
        return (*self.recognisers, *self.thinkers, *self.speakers)

    @property
    def thinkers(self) -> tuple[str, ...]:
        """Every language model that may be asked, the preferred one first."""
        return (self.thinker, *self.then_thinkers)

    @property
    def think_chain(self) -> str:
        """What answers for this agent: the name of a thinker, or ``one > two`` for a chain."""
        return " > ".join(self.thinkers)

    @property
    def toolbox(self) -> Toolbox:
        """Its tools by name."""
        return Toolbox({tool.name: tool for tool in self.tools})

    @property
    def trouble(self) -> str:
        """What is said to a caller whom the providers cannot serve."""
        return self.announcement(self.on_trouble) or self.phrases.trouble

    def announcement(self, tool: str) -> str:
        """What is said before this tool is used, if the model itself says nothing."""
        found = self.toolbox.tools.get(tool)
        if found is None:
            return ""
        defaults = {
            "end_call": self.phrases.goodbye,
            "transfer": self.phrases.transfer,
            "send_digits": self.phrases.digits,
        }
        return found.announce or defaults.get(found.type, "")

    def filler(self, tool: str) -> str:
        """What is said while this tool takes long; empty for nothing."""
        found = self.toolbox.tools.get(tool)
        said = dict(found.fillers).get(self.language) if found is not None else None
        return said or self.phrases.one_moment

    def no_answer(self, tool: str) -> str:
        """What is said to a caller who comes back from this transfer, nobody having taken it."""
        found = self.toolbox.tools.get(tool)
        return (found.no_answer if found is not None else "") or self.phrases.no_answer

    def fixed_sentences(self) -> tuple[str, ...]:
        """All that it says in the same words in every call, for pre-rendering; no empty ones."""
        tools = [sentence for tool in self.tools for sentence in self._of_tool(tool)]
        every = (self.greeting, *self.phrases.all(), *tools)
        return tuple(dict.fromkeys(sentence for sentence in every if sentence))

    def _of_tool(self, tool: Tool) -> tuple[str, ...]:
        no_answer = (self.no_answer(tool.name),) if tool.type == "transfer" else ()
        filler = () if not tool.is_run else (self.filler(tool.name),)
        return (self.announcement(tool.name), *no_answer, *filler)
