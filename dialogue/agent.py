"""An agent: a configured AI persona, as plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Phrases:
    """Sentences that must be speakable when every provider is down; pre-rendered at start."""

    apology: str = "Sorry, I did not get that. Could you say it again?"
    still_there: str = "Are you still there?"
    goodbye: str = "Thank you for calling. Goodbye."
    trouble: str = (
        "I am having some trouble right now. Please call again in a little while. Goodbye."
    )
    resume: str = "Sorry about that, I am back."

    def all(self) -> tuple[str, ...]:
        """Every phrase, for pre-rendering."""
        return (self.apology, self.still_there, self.goodbye, self.trouble, self.resume)


@dataclass(frozen=True, slots=True)
class TurnTaking:
    """How soon the agent answers and how easily it lets itself be interrupted; seconds.

    Attributes:
        eager_silence_s: Silence after which a reply is prepared but held.
        commit_silence_s: Silence after which the turn is taken.
        final_wait_s: How much longer to wait for the recogniser's final words at commit.
        barge_in_speech_s: Caller speech during playout that stops the agent.
        idle_prompt_s: Silence on both sides after which the agent asks whether anyone is there.
        idle_hang_up_s: Silence on both sides after which the call ends.
        playout_lead_s: Audio kept ahead of the caller's ear in the carrier's buffer.
    """

    eager_silence_s: float = 0.2
    commit_silence_s: float = 0.55
    final_wait_s: float = 0.25
    barge_in_speech_s: float = 0.24
    idle_prompt_s: float = 12.0
    idle_hang_up_s: float = 40.0
    playout_lead_s: float = 0.2


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent of one tenant, at one version.

    Attributes:
        agent_version: Digest of the definition: two different definitions never share one.
        recogniser, thinker, speaker: Names of the providers in the provider table.
        model: Language model; empty for the provider's default.
        voice: Voice id of the speaker.
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
