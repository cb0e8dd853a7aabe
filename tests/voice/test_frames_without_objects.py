"""``VoiceSession.hear_frame`` is ``receive`` with a ``FrameHeard``, whatever happens around it."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from voice import events
from voice.config import VoiceConfig
from voice.session import VoiceSession

Hear = Callable[[VoiceSession, bool, float], None]
STRETCHES = st.lists(st.tuples(st.booleans(), st.integers(1, 60)), min_size=1, max_size=8)


def played(stretches: list[tuple[bool, int]], words_after: int, hear: Hear) -> list[str]:
    """All that a session wants while a caller makes these sounds, and says something at last."""
    session = VoiceSession(VoiceConfig())
    wanted: list[str] = []
    now = 0.0

    def drain() -> None:
        while (output := session.next_output()) is not None:
            wanted.append(f"{now:.2f} {output}")
        wanted.append(f"{session.next_deadline()}")

    session.receive(
        events.CallStarted(greeting="Hello!", next_turn_id=1, resume_text=None), now=now
    )
    drain()
    for number, (is_speech, frames) in enumerate(stretches):
        for _ in range(frames):
            now += 0.02
            hear(session, is_speech, now)
            drain()
        if number == words_after:
            session.receive(events.FinalHeard("what do you have", now), now=now)
            drain()
    session.close(now=now)
    hear(session, True, now)
    drain()
    return wanted


def with_object(session: VoiceSession, is_speech: bool, now: float) -> None:
    session.receive(events.FrameHeard(is_speech, -20.0 if is_speech else -70.0), now=now)


def without(session: VoiceSession, is_speech: bool, now: float) -> None:
    session.hear_frame(is_speech, -20.0 if is_speech else -70.0, now=now)


@given(STRETCHES, st.integers(0, 7))
def test_both_ways_are_the_same(stretches: list[tuple[bool, int]], words_after: int) -> None:
    assert played(stretches, words_after, with_object) == played(stretches, words_after, without)
