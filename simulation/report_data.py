"""What the demo report is drawn from: plain data, no room of the product behind it.

Times inside a call are seconds from the first sample of its recording. Times of a turn's stages are
seconds after the end of the caller's speech, negative for what was prepared ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 8_000


@dataclass(frozen=True, slots=True)
class DemoTurn:
    """One utterance of the caller and the reply to it (or a greeting, without an utterance).

    Attributes:
        turn_id: 0 for the greeting, then counted from 1.
        kind: ``greeting``, ``caller``, ``digits``, ``silence`` or ``resume``.
        caller_text: What the caller said; empty for a greeting.
        agent_text: What the agent meant to say.
        heard_text: What of it reached the caller's ear.
        interrupted: True when the caller talked over the reply and it was cut.
        stages: Stage name (``speech_ended``, ``first_token``, ...) to seconds after the end of the
            caller's speech.
        response_latency_s: End of speech to the first audible frame at the caller's ear; None when
            there is nothing to measure (a greeting, an unanswered turn).
        caller_start_s: When the caller began to speak on the recording; None if not.
        caller_end_s: When the caller's speech truly ended.
        agent_start_s: First audible sample of the reply at the caller's ear.
        agent_end_s: Last audible sample of it.
        barge_in_at_s: When the caller began to talk over this reply; None if not.
        from_cache: True when the answer came from a cache.
        decided_by: The evidence that told the end of the caller's turn; empty when not known.
    """

    turn_id: int
    kind: str = "caller"
    caller_text: str = ""
    agent_text: str = ""
    heard_text: str = ""
    interrupted: bool = False
    stages: Mapping[str, float] = field(default_factory=dict)
    response_latency_s: float | None = None
    caller_start_s: float | None = None
    caller_end_s: float | None = None
    agent_start_s: float | None = None
    agent_end_s: float | None = None
    barge_in_at_s: float | None = None
    from_cache: bool = False
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class DemoCall:
    """One call, recorded on both channels at the caller's end of the line.

    Attributes:
        language: BCP-47 tag.
        started_at_us: UTC microseconds.
        caller_pcm: int16, shape (n_samples,), 8 kHz mono: what the caller said.
        agent_pcm: int16, shape (m_samples,), 8 kHz mono: what the caller heard. The shorter of the
            two is padded with silence.
        underruns: How often the playout ran dry in the middle of a reply.
        protocol_errors: What the emulated carrier complained about; empty in a good run.
    """

    call_id: str
    language: str
    caller_name: str
    started_at_us: int
    turns: tuple[DemoTurn, ...]
    caller_pcm: NDArray[np.int16]
    agent_pcm: NDArray[np.int16]
    agent_name: str = "Agent"
    underruns: int = 0
    protocol_errors: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length of the recording."""
        return max(len(self.caller_pcm), len(self.agent_pcm)) / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class DemoReport:
    """A whole run.

    Attributes:
        calls: In the order in which they are shown.
        title: Headline of the page.
        subtitle: One sentence under it: what was run, with which providers.
        facts: Further label and value pairs for the summary, such as ("Recogniser", "azure,
            emulated").
    """

    calls: tuple[DemoCall, ...]
    title: str = "Demo calls"
    subtitle: str = ""
    facts: tuple[tuple[str, str], ...] = ()
