"""A call that changes its language between two turns, on virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from dialogue.agent import Phrases, SpokenLanguage
from dialogue.call_language import language_use
from tests.support.scripted_call import AGENT, Phone, Stage, play

SPANISH = SpokenLanguage(
    "es-ES",
    "fake",
    "elvira",
    ("fake",),
    Phrases(apology="¿Perdón?", still_there="¿Sigue ahí?", resume="Ya estoy.", goodbye="Adiós."),
    ("español", "spanish"),
)
MALAY = SpokenLanguage("ms-MY", "fake", "yasmin", ("fake",), asks=("melayu", "malay"))
SPEAKING = replace(AGENT, languages=(SPANISH, MALAY), asks=("english", "inglés"))


def stage() -> Stage:
    return Stage(agent=SPEAKING)


async def turn(phone: Phone, text: str) -> None:
    count = len(phone.log)
    await phone.say(text)
    await phone.until(lambda: len(phone.log) > count)


def test_who_asks_is_heard_and_answered_in_it_from_the_next_turn_on() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await turn(phone, "can we speak Spanish")
        assert stage.speaker.voices[-1] == (AGENT.voice, AGENT.language), "the turn it came with"
        assert phone.driver.turn_log[1].tools == (language_use("es-ES", "asked"),)
        await phone.until(lambda: len(stage.recogniser.languages) == 2)
        assert stage.recogniser.languages == [AGENT.language, "es-ES"]
        assert stage.recogniser.open_streams == 1
        await turn(phone, "quiero una mesa")
        assert stage.speaker.voices[-1] == ("elvira", "es-ES")
        assert "plain Spanish" in stage.thinker.requests[-1].messages[0].text
        assert stage.counters["language_changes"] == 1
        await turn(phone, "inglés por favor")
        await turn(phone, "a table please")
        assert stage.speaker.voices[-1] == (AGENT.voice, AGENT.language)

    play(scene, stage)


def test_two_turns_of_it_change_the_call() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await turn(phone, "saya mahu tempah untuk dua orang")
        assert stage.counters["language_changes"] == 0
        await turn(phone, "boleh saya tahu bila")
        assert phone.driver.turn_log[2].tools == (language_use("ms-MY", "heard"),)
        await turn(phone, "terima kasih")
        assert stage.speaker.voices[-1] == ("yasmin", "ms-MY")

    play(scene, stage)


def test_what_the_recogniser_says_counts() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        for words in ("Lopez Garcia", "Madrid Barcelona"):
            count = len(phone.log)
            await phone.talk(0.6)
            await asyncio.sleep(0.1)
            phone.ear.hear(words, language="es")
            await phone.until(lambda count=count: len(phone.log) > count)
        assert phone.driver.turn_log[-1].tools[0]["language"] == "es-ES"

    play(scene, stage)


def test_a_call_whose_mind_died_stays_in_it() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await turn(phone, "can we speak Spanish")
        await turn(phone, "quiero una mesa")
        lost = phone.mind.actor
        stage.pool.kill(lost)
        await turn(phone, "para dos")
        assert phone.mind.actor != lost
        assert "plain Spanish" in stage.thinker.requests[-1].messages[0].text
        assert stage.speaker.voices[-1] == ("elvira", "es-ES")

    play(scene, stage)


def test_a_call_whose_stream_was_lost_goes_on_in_it() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await turn(phone, "can we speak Spanish")
        await phone.until(lambda: len(stage.recogniser.languages) == 2)
        phone.lose_socket()
        await phone.ended()
        again = stage.phone(epoch=(1, 2), actor=phone.mind.actor)
        await again.until_heard("Ya estoy.")
        assert stage.recogniser.languages[-1] == "es-ES"
        assert stage.recogniser.languages.count(AGENT.language) == 1
        assert stage.speaker.voices[-1] == ("elvira", "es-ES")

    play(scene, stage)


def test_an_agent_of_one_language_stays_in_it() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await turn(phone, "can we speak Spanish")
        await turn(phone, "quiero una mesa para dos")
        await turn(phone, "para mañana por la noche")
        assert stage.recogniser.languages == [AGENT.language]
        assert all(entry.tools == () for entry in phone.driver.turn_log)

    play(scene)
