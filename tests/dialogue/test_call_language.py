"""A call's language is told from its turns, by whoever has them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors.wire import TurnEntry
from dialogue.agent import Agent, Phrases, SpokenLanguage
from dialogue.call_language import language_in, language_of_call, language_use
from dialogue.history import instructions
from dialogue.session import CallIdentity, DialogueSession
from dialogue.tools import Tool

SPANISH = SpokenLanguage(
    "es-ES", "azure", "es-ES-ElviraNeural", ("azure", "deepgram"), Phrases(apology="¿Perdón?")
)
MALAY = SpokenLanguage("ms-MY", "azure", "ms-MY-YasminNeural", ("azure",))
AGENT = Agent(
    "acme", "desk", "v1", "en-US", "Be nice.", "Hello!", "kai",
    recogniser="azure", speaker="elevenlabs", languages=(SPANISH, MALAY),
)  # fmt: skip


def turn(turn_id: int, *languages: str) -> TurnEntry:
    uses = tuple(language_use(language, "asked") for language in languages)
    return TurnEntry(turn_id, "caller", caller_text="well", heard_text="yes", tools=uses)


@pytest.mark.parametrize(
    ("turns", "language"),
    [
        ([], "en-US"),
        ([turn(1)], "en-US"),
        ([turn(1, "es-ES")], "es-ES"),
        ([turn(1, "es")], "es-ES"),
        ([turn(1, "es-MX")], "es-ES"),
        ([turn(1, "es-ES"), turn(2), turn(3, "ms-MY")], "ms-MY"),
        ([turn(1, "es-ES"), turn(2, "en-US")], "en-US"),
        ([turn(1, "es-ES"), turn(2, "de-DE")], "es-ES"),
        ([turn(1, "ms-MY", "es-ES")], "es-ES"),
    ],
)
def test_the_newest_change_counts(turns: list[TurnEntry], language: str) -> None:
    assert language_of_call(AGENT, turns) == language


def test_another_versions_use_is_passed_over() -> None:
    assert language_in([{"language": 5}, {"name": "x"}, {}]) == ""


def test_an_agent_speaks_its_other_language_with_everything_that_belongs_to_it() -> None:
    with_tool = replace(AGENT, tools=(Tool("end_call", "end_call", "", announce="Bye now."),))
    spanish = with_tool.speaking("es-ES")
    assert (spanish.language, spanish.voice, spanish.speaker) == (
        "es-ES",
        "es-ES-ElviraNeural",
        "azure",
    )
    assert spanish.recognisers == ("azure", "deepgram")
    assert spanish.phrases.apology == "¿Perdón?"
    assert spanish.tools[0].announce == ""
    assert (spanish.prompt, spanish.agent_version) == (AGENT.prompt, AGENT.agent_version)
    assert [each.language for each in spanish.languages] == ["en-US", "ms-MY"]
    assert spanish.speaking("en-US").voice == "kai"
    assert AGENT.speaking("de-DE") is AGENT


def test_the_model_is_told_which_languages_there_are() -> None:
    assert "another language: Spanish, Malay" in instructions(AGENT)
    assert "plain Spanish" in instructions(AGENT.speaking("es-ES"))
    assert "another language: English, Malay" in instructions(AGENT.speaking("es-ES"))
    assert "another language" not in instructions(replace(AGENT, languages=()))


def session(*turns: TurnEntry) -> DialogueSession[TurnEntry]:
    call = CallIdentity("acme", "desk", "v1", "call-1", "CA1")
    made = DialogueSession[TurnEntry](AGENT, call)
    made.settle(turns)
    return made


def test_the_mind_goes_on_in_it_and_so_does_one_that_takes_over() -> None:
    first = session(turn(1))
    assert first.agent.language == "en-US"
    first.settle([turn(2, "es-ES")])
    assert first.agent.language == "es-ES"
    request = first.begin_turn(3, 1, "caller", "hola")
    assert "plain Spanish" in request.messages[0].text  # type: ignore[union-attr]
    again = session(*first.turn_log)
    assert again.agent == first.agent
    assert again.begin_turn(3, 1, "silence", "").text == AGENT.speaking("es-ES").phrases.still_there  # type: ignore[union-attr]


def test_the_use_of_a_change_is_nothing_that_the_model_reads() -> None:
    told = session(turn(1, "es-ES")).begin_turn(2, 1, "caller", "hola")
    assert all(not message.tool_calls for message in told.messages)  # type: ignore[union-attr]
