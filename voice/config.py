"""How one call's ear and mouth behave: frozen numbers, all durations in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voice.endpoint_config import EndpointConfig as EndpointConfig
from voice.errors import BadVoiceConfig
from voice.ports import FRAME_S
from voice.speculation import SpeculationConfig


@dataclass(frozen=True, slots=True)
class SpokenPhrases:
    """What the session says of its own accord, without asking the mind."""

    apology: str = "Sorry, I did not get that. Could you say it again?"
    still_there: str = "Are you still there?"
    goodbye: str = "Thank you for calling. Goodbye."
    trouble: str = (
        "I am having some trouble right now. Please call again in a little while. Goodbye."
    )


@dataclass(frozen=True, slots=True)
class PlayoutConfig:
    """How audio is fed to the carrier.

    Attributes:
        lead_s: Audio kept ahead of the caller's ear in the carrier's buffer.
        chunk_frames: Frames in one message after the first one.
        mark_every_s: A mark about every so much audio, besides one at each segment's end.
        duck_db: How far the voice is turned down while a caller may be interrupting.
        ducked_lead_s: The lead meanwhile, so that it can soon be turned up again.
        duck_ramp_s: How long turning it down takes; ``restore_ramp_s``: turning it up.
        fade_s: How long it dies away where it stops; 0 for not at all.
        join_s: How long it rises where it goes on.
    """

    lead_s: float = 0.2
    chunk_frames: int = 3
    mark_every_s: float = 0.5
    duck_db: float = -18.0
    ducked_lead_s: float = 0.08
    duck_ramp_s: float = 0.01
    restore_ramp_s: float = 0.06
    fade_s: float = 0.04
    join_s: float = 0.005

    def __post_init__(self) -> None:
        """Raises ``BadVoiceConfig`` when a chunk does not fit into the lead, or a gain is none."""
        if self.chunk_frames < 1 or self.chunk_frames * FRAME_S > self.lead_s:
            raise BadVoiceConfig("chunk_frames must be 1 at least and fit into lead_s")
        if self.duck_db > 0.0:
            raise BadVoiceConfig("duck_db must be 0 at most: the voice is turned down")
        if min(self.duck_ramp_s, self.restore_ramp_s, self.fade_s, self.join_s) < 0.0:
            raise BadVoiceConfig("ramps and fades of the playout must not be negative")


@dataclass(frozen=True, slots=True)
class BargeInConfig:
    """What a caller's sound does to the reply that is being heard; see ``voice.barge_in``.

    Attributes:
        duck_speech_s: Sound after which the voice is turned down.
        pause_speech_s: Sound after which it falls silent.
        window_s: The window within which that sound has to add up.
        doubt_s: More sound that is needed after a pause for nothing.
        restore_silence_s: Quiet after which a voice turned down is turned up.
        resume_silence_s: Quiet after which a paused reply goes on.
        brief_sound_s: A shorter sound is over when it is quiet.
        words_due_s: After a longer one words may come until so long after its beginning.
        longest_sound_s: A sound so long is an interruption, or noise, whatever is understood.
        late_words_s: Words so long after the caller's last sound still belong to it.
    """

    duck_speech_s: float = 0.04
    pause_speech_s: float = 0.12
    window_s: float = 0.6
    doubt_s: float = 0.06
    restore_silence_s: float = 0.12
    resume_silence_s: float = 0.2
    brief_sound_s: float = 0.7
    words_due_s: float = 1.2
    longest_sound_s: float = 2.0
    late_words_s: float = 1.0

    def __post_init__(self) -> None:
        """Raises ``BadVoiceConfig`` when the amounts of sound are out of order."""
        sounds_s = (self.duck_speech_s, self.pause_speech_s, self.longest_sound_s)
        if not 0.0 < sounds_s[0] <= sounds_s[1] <= sounds_s[2]:
            raise BadVoiceConfig(
                "duck_speech_s must be above 0, at most pause_speech_s, and that at most "
                "longest_sound_s"
            )
        if self.pause_speech_s > self.window_s:
            raise BadVoiceConfig("pause_speech_s must fit into window_s")

    @classmethod
    def pausing_after(cls, speech_s: float) -> BargeInConfig:
        """The default, but for the sound after which the agent falls silent."""
        usual = cls()
        return cls(
            duck_speech_s=min(usual.duck_speech_s, speech_s),
            pause_speech_s=speech_s,
            window_s=max(usual.window_s, 1.5 * speech_s),
            longest_sound_s=max(usual.longest_sound_s, 2.0 * speech_s),
        )


@dataclass(frozen=True, slots=True)
class FillerConfig:
    """What a caller hears while a reply is late; see ``voice.fillers``.

    Attributes:
        usual_wait_s: From the taking of a turn to the first audio, before that counts as late; the
            machine raises it for a call whose replies take longer.
        longest_usual_wait_s: It is never raised above this.
        longest_silence_s: Silence since anybody's last sound at which a breath is heard though the
            reply is not late yet: some turns are taken late, and some calls are used to waiting.
        breath_after_s: Lateness at which a breath is heard.
        sentence_after_s: Lateness at which the sentence is said.
        again_after_s: Silence after which it is said again.
        unheard_after_s: Silence of a caller whose words, or the last of them, have not come, after
            which a breath is heard at the latest: they may still come.
    """

    usual_wait_s: float = 0.6
    longest_usual_wait_s: float = 0.9
    longest_silence_s: float = 1.7
    breath_after_s: float = 0.4
    sentence_after_s: float = 0.9
    again_after_s: float = 1.6
    unheard_after_s: float = 0.7

    def __post_init__(self) -> None:
        """Raises ``BadVoiceConfig`` when the times are out of order."""
        if not 0.0 < self.breath_after_s < self.sentence_after_s or self.again_after_s <= 0.0:
            raise BadVoiceConfig(
                "filler times must be above 0, and the breath come before the sentence"
            )
        if not 0.0 <= self.usual_wait_s <= self.longest_usual_wait_s:
            raise BadVoiceConfig("usual_wait_s must be 0 at least and at most longest_usual_wait_s")
        if self.longest_silence_s < self.usual_wait_s:
            raise BadVoiceConfig("longest_silence_s must be usual_wait_s at least")


@dataclass(frozen=True, slots=True)
class VoiceConfig:
    """Everything a ``VoiceSession`` has to know about its agent.

    Attributes:
        language: BCP-47 tag of what is spoken in the call.
        went_on_window_s: Caller speech that starts so early in our playout belongs to the
            utterance before it: the caller had not finished.
        went_on_heard_s: But not once so much of our playout was heard.
        retreat_speech_s: So much of such speech stops the agent.
        idle_prompt_s: Silence on both sides after which the agent asks whether anyone is there.
        idle_hang_up_s: Silence on both sides after which the call ends.
        speculate: Prepare a reply at the eager threshold already.
        speculation: How.
        segments_ahead: Segments synthesised beyond the one that is being sent.
        hold_for_speech_s: A reply that is ready while the caller makes a sound waits at most
            so long before it starts.
        reply_wait_s: A taken turn without any progress for so long has failed.
        digit_wait_s: Pause after which pressed keys are complete (``#`` completes them at once).
        max_failures: Failed turns in a row after which the call is given up.
        trouble_action: What the carrier shall do then with the call, which would end otherwise:
            plain data with a ``verb``; empty for nothing.
    """

    language: str = "en-US"
    phrases: SpokenPhrases = field(default_factory=SpokenPhrases)
    endpoint: EndpointConfig = field(default_factory=EndpointConfig)
    playout: PlayoutConfig = field(default_factory=PlayoutConfig)
    barge_in: BargeInConfig = field(default_factory=BargeInConfig)
    fillers: FillerConfig = field(default_factory=FillerConfig)
    went_on_window_s: float = 0.4
    went_on_heard_s: float = 1.0
    retreat_speech_s: float = 0.06
    idle_prompt_s: float = 12.0
    idle_hang_up_s: float = 40.0
    speculate: bool = True
    speculation: SpeculationConfig = field(default_factory=SpeculationConfig)
    segments_ahead: int = 2
    hold_for_speech_s: float = 2.0
    reply_wait_s: float = 5.0
    digit_wait_s: float = 1.5
    max_failures: int = 3
    trouble_action: Mapping[str, Any] = field(default_factory=dict)
