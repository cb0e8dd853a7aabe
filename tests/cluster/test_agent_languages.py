"""The ``languages`` of an agent's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.agents import load_agent
from cluster.errors import AgentFileError
from dialogue.agent import Agent, Phrases
from dialogue.languages import phrases_of

OWN = "language: en-US\nvoice: 21m00Tcm4TlvDq8ikWAM\nprompt: Be nice.\n"


def load(tmp_path: Path, text: str) -> Agent:
    path = tmp_path / "desk.yaml"
    path.write_text(text, "utf-8")
    return load_agent(path, "acme")


def test_its_own_voice_speaks_what_it_can_and_the_tables_the_rest(tmp_path: Path) -> None:
    agent = load(tmp_path, OWN + "languages: [es-ES, ms-MY, zh-CN, zh-HK]\n")
    who = {each.language: (each.speaker, each.voice) for each in agent.languages}
    own = ("elevenlabs", "21m00Tcm4TlvDq8ikWAM")
    assert who == {
        "es-ES": own,
        "ms-MY": own,
        "zh-CN": own,
        "zh-HK": ("azure", "zh-HK-HiuMaanNeural"),
    }
    assert all(each.recognisers == ("azure",) for each in agent.languages)
    assert agent.languages[1].phrases == phrases_of("ms")
    assert "español" in agent.languages[0].asks
    assert agent.asks == ("english",)
    assert agent.phrases == Phrases()


def test_a_recogniser_that_does_not_hear_it_gives_way(tmp_path: Path) -> None:
    agent = load(tmp_path, OWN + "recogniser: [deepgram, scribe]\nlanguages: [ms-MY, es-ES]\n")
    assert agent.languages[0].recognisers == ("scribe",)
    assert agent.languages[1].recognisers == ("deepgram", "scribe")
    only = load(tmp_path, OWN + "recogniser: deepgram\nlanguages: [ms-MY]\n")
    assert only.languages[0].recognisers == ("azure",)


def test_a_language_may_say_who_hears_and_speaks_it(tmp_path: Path) -> None:
    text = OWN + (
        "languages:\n"
        "  - language: zh-HK\n"
        "    speaker: azure\n"
        "    voice: zh-HK-WanLungNeural\n"
        "    recogniser: [azure, scribe]\n"
        "    phrases: {goodbye: 多謝晒，拜拜。}\n"
    )
    [cantonese] = load(tmp_path, text).languages
    assert cantonese.voice == "zh-HK-WanLungNeural"
    assert cantonese.recognisers == ("azure", "scribe")
    assert cantonese.phrases.goodbye == "多謝晒，拜拜。"
    assert cantonese.phrases.apology == phrases_of("yue").apology


def test_an_agent_of_another_language_says_its_phrases_in_it(tmp_path: Path) -> None:
    text = "language: de-DE\nvoice: v\nprompt: Sei nett.\nphrases: {goodbye: Tschüs.}\n"
    agent = load(tmp_path, text)
    assert agent.phrases.goodbye == "Tschüs."
    assert agent.phrases.apology == phrases_of("de").apology


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("languages: [en-US]", "each language once"),
        ("languages: [es-ES, es-MX]", "one of each language"),
        ("languages: [tlh]", "tlh is not in the table of languages"),
        ("languages: ['no such tag!']", "must be a language tag"),
        ("languages: 5", "languages: must be a list"),
        ("languages: [{language: zh-HK, voice: v}]", "elevenlabs does not serve zh-HK"),
        ("languages: [{language: zh-HK, speaker: cartesia}]", "name a voice of cartesia"),
        ("languages: [{language: ms-MY, recogniser: deepgram}]", "deepgram does not serve ms-MY"),
        ("languages: [{language: ms-MY, recogniser: nobody}]", "no recogniser is called 'nobody'"),
        ("languages: [{language: ms-MY, colour: red}]", "colour"),
    ],
)
def test_what_cannot_be_is_said_with_its_field(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(AgentFileError) as raised:
        load(tmp_path, OWN + line + "\n")
    assert told in str(raised.value)
    assert "languages" in str(raised.value)
