"""A call whose recognisers all refuse, or all hang: what its caller hears, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from providers.errors import ProviderUnavailable
from providers.failover.ears import Ears
from providers.failover.listening import MOST_FAILURES
from providers.health.local import LocalHealth
from providers.health.view import HealthView
from tests.support.fake_ear_and_mouth import FakeRecogniser
from tests.support.scripted_call import Phone, Stage, play

SOUND_WITHIN_S = 1.0  # from the end of speech, whatever is down
DEAD_AIR_S = 2.0


class Deaf:
    """Two recognisers, and one caller whose ear is watched.

    Attributes:
        sent: ``(loop time, seconds)`` of all audio that the caller was sent.
    """

    def __init__(self, stage: Stage) -> None:
        self.loop = asyncio.get_running_loop()
        self.recognisers = (stage.recogniser, FakeRecogniser())
        for number, recogniser in enumerate(self.recognisers):
            recogniser.name = f"service{number}"
        view = HealthView(LocalHealth("me", lambda: 0.5), lambda: 1e9 + self.loop.time())
        stage.parts = replace(stage.parts, ears=Ears(self.recognisers, view))
        self.sent: list[tuple[float, float]] = []
        self.phone: Phone = stage.phone()
        media = self.phone.playout.media

        def watched(audio: bytes, *, now: float) -> None:
            self.sent.append((now, len(audio) / 8_000))
            media(audio, now=now)

        self.phone.playout.media = watched  # type: ignore[method-assign]

    async def down(self) -> None:
        """Everybody refuses from now on, and open streams break."""
        for recogniser in self.recognisers:
            recogniser.refusals = [ProviderUnavailable("503", "fake")] * 50
        self.phone.ear.fail()

    def first_sound_s(self, after: float) -> float:
        """From a moment to the next audio."""
        return next(at for at, _ in self.sent if at > after) - after

    def dead_air_s(self, after: float) -> float:
        """The longest time without audio since a moment, until the last audio."""
        dry_at, longest_s = after, 0.0
        for at, seconds in self.sent:
            if at > after:
                longest_s = max(longest_s, at - dry_at)
                dry_at = max(at, dry_at) + seconds
        return longest_s


def deaf(scene: Callable[[Deaf], Awaitable[None]]) -> None:
    async def whole(stage: Stage) -> None:
        await stage.speech.prepare(stage.agent)
        here = Deaf(stage)
        await here.phone.greeted()
        await scene(here)
        assert all(recogniser.open_streams == 0 for recogniser in here.recognisers)

    play(whole)


@pytest.mark.parametrize("speech_s", [0.4, 0.8, 1.2, 2.0])
def test_who_speaks_while_everybody_refuses_is_answered_within_a_second(speech_s: float) -> None:
    async def scene(here: Deaf) -> None:
        for recogniser in here.recognisers:  # slowly, as where a vendor's client tries by itself
            recogniser.slow_s = 1.0
        await here.phone.talk(speech_s / 2)
        await here.down()
        await here.phone.talk(speech_s / 2)
        ended_at = here.loop.time()
        end = await here.phone.ended()
        assert here.first_sound_s(ended_at) <= SOUND_WITHIN_S
        assert here.dead_air_s(ended_at) <= DEAD_AIR_S
        assert (end.planned, end.reason) == (True, "recogniser_lost")
        assert here.phone.heard.endswith("Trouble.")

    deaf(scene)


@pytest.mark.parametrize("speech_s", [0.7, 1.0, 1.4, 2.0, 4.0])
def test_who_speaks_while_everybody_hangs_hears_a_sound_within_a_second(speech_s: float) -> None:
    async def scene(here: Deaf) -> None:
        began_at = here.loop.time()
        await here.phone.talk(speech_s)
        ended_at = here.loop.time()
        sounds_s = []
        while not here.phone.task.done() and here.loop.time() < began_at + 30.0:
            sounds_s.append(here.first_sound_s(ended_at) if here.sent[-1][0] > ended_at else 0.0)
            await asyncio.sleep(2.5)
            await here.phone.talk(speech_s)
            ended_at = here.loop.time()
            await asyncio.sleep(SOUND_WITHIN_S)
        assert max(sounds_s) <= SOUND_WITHIN_S
        end = await here.phone.ended()
        assert (end.planned, end.reason) == (True, "recogniser_lost")
        assert here.dead_air_s(ended_at) <= DEAD_AIR_S
        assert here.phone.heard.endswith("Trouble.")

    deaf(scene)


def test_a_call_in_a_process_that_has_left_everybody_does_not_wait_for_words() -> None:
    async def scene(here: Deaf) -> None:
        ears = here.phone.stage.parts.ears
        for choice in range(2):
            for _ in range(4):
                ears.deaf(choice)
        await here.phone.talk(0.5)
        ended_at = here.loop.time()
        await asyncio.sleep(1.5)
        assert here.first_sound_s(ended_at) == pytest.approx(0.6, abs=0.05)
        await here.phone.leave()

    deaf(scene)


def test_a_healthy_recogniser_with_late_words_is_never_told_that_it_was_not_heard() -> None:
    """Published lags reach 0.7 s."""

    async def scene(here: Deaf) -> None:
        for _ in range(6):
            await here.phone.talk(0.9)
            await asyncio.sleep(0.7)
            here.phone.ear.hear("good morning", late_s=0.7)
            await asyncio.sleep(4.0)
        assert [outcome for *_, outcome in here.phone.log[1:]] == ["heard"] * 6
        assert "Pardon?" not in here.phone.heard
        assert here.recognisers[1].openings == 0, "and nobody else was asked"
        await here.phone.leave()

    deaf(scene)


def test_refusals_of_one_are_no_loss_of_hearing() -> None:
    async def scene(here: Deaf) -> None:
        here.recognisers[0].refusals = [ProviderUnavailable("503", "fake")] * MOST_FAILURES
        await here.phone.talk(0.5)
        here.phone.ear.fail()
        await here.phone.talk(0.5)
        ended_at = here.loop.time()
        await asyncio.sleep(0.5)
        (stream,) = here.recognisers[1].streams[here.phone.call_id]
        stream.hear("good morning")
        await here.phone.until(lambda: len(here.phone.log) == 2)
        assert here.phone.log[-1][3] == "heard"
        assert "Pardon?" not in here.phone.heard
        assert here.first_sound_s(ended_at) < SOUND_WITHIN_S
        await here.phone.leave()

    deaf(scene)
