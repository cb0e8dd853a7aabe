"""Relayed calls: the real edge and the real chat client behind Twilio's side of the wire."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from actors.wire import TurnEntry
from dialogue.relay_options import RelayOptions
from dialogue.tools import Tool
from simulation.callee import Phones
from simulation.callee_book import Callee, CalleeBook
from simulation.carrier import Carrier
from simulation.carrier_errors import StreamRefused
from simulation.carrier_stream import Findings
from simulation.openai_replies import ScriptLine
from simulation.relay_line import RelayLine
from simulation.relay_timing import RelayTiming
from tests.support.edge_stage import Cast, Door, EdgeStage
from tests.support.relay_phone import RelayPhone, TextPerson, until

pytestmark = pytest.mark.e2e

SALES = "+14155550123"
TOOLS = (
    Tool("end_call", "end_call", "When the caller says goodbye."),
    Tool(
        "transfer",
        "sales",
        "To buy.",
        to=SALES,
        timeout_s=5,
        announce="I get them.",
        no_answer="Away.",
    ),
    Tool("send_digits", "press", "For menus."),
)
SCRIPT = (
    ScriptLine(("buy",), "", tool="sales"),
    ScriptLine(("menu",), "", tool="press", arguments=(("digits", "12#"),)),
    ScriptLine(("bye",), "", tool="end_call"),
    ScriptLine(("story",), "There is a lot to say about that. " + "It goes on and on. " * 6),
    ScriptLine(("keypad",), "You pressed keys."),
)
QUICK = RelayTiming(
    partial_lag_s=0.02,
    endpoint_s=0.06,
    first_byte_s=0.01,
    interrupt_after_s=0.05,
    reconnect_after_s=0.02,
)
RELAY = RelayOptions(tts_provider="Google", voice="en-US-Journey-O")


@pytest.fixture(scope="module")
def stage() -> Iterator[EdgeStage]:
    again = replace(RELAY, application_reconnect=True)
    casts = (
        Cast("relay", script=SCRIPT, tools=TOOLS, mode="relay", relay=RELAY),
        Cast("again", script=SCRIPT, tools=TOOLS, mode="relay", relay=again),
        Cast("dear", mode="relay", then_modes=("pipeline",), switch_after_s=1.0, relay=RELAY),
        Cast("other", mode="pipeline", then_modes=("relay",), switch_after_s=1.0, relay=RELAY),
        Cast("weak", mode="relay", then_modes=("pipeline",), relay=RELAY),
    )
    with EdgeStage(casts).running() as s:
        yield s


def carrier(door: Door, timing: RelayTiming = QUICK, callee: Callee | None = None) -> Carrier:
    book = CalleeBook(Callee(outcome="failed", after_s=0.0))
    book.put(SALES, callee or Callee())
    return door.carrier(phones=Phones(book), relay=timing)


class Story:
    """What the record has of one call."""

    def __init__(self, stage: EdgeStage, phone: RelayPhone) -> None:
        self._stage = stage
        self._call_sid = phone.leg.identity.call_sid

    @property
    def entries(self) -> list[TurnEntry]:
        found = {
            entry.turn_id: entry
            for home in self._stage.pool.homes.values()
            for call_id, entry in home.recorder.settled
            if home.recorder.calls[call_id].call_sid == self._call_sid
        }
        return [found[turn_id] for turn_id in sorted(found)]

    @property
    def turns(self) -> list[tuple[str, str, str]]:
        """Kind, the caller's words, what was heard."""
        return [(turn.kind, turn.caller_text, turn.heard_text) for turn in self.entries]

    @property
    def ends(self) -> list[tuple[bool, str]]:
        return [
            (planned, reason)
            for home in self._stage.pool.homes.values()
            for call_id, planned, reason in home.recorder.closed
            if home.recorder.calls[call_id].call_sid == self._call_sid
        ]

    @property
    def uses(self) -> list[tuple[str, str]]:
        return [
            (use["name"], json.loads(use["result"])["status"])
            for turn in self.entries
            for use in turn.tools
        ]

    async def has(self, count: int) -> None:
        await until(lambda: len(self.entries) >= count)


Scene = Callable[[RelayPhone, Story], Awaitable[None]]


def play(
    stage: EdgeStage,
    scene: Scene,
    name: str = "relay",
    timing: RelayTiming = QUICK,
    callee: Callee | None = None,
) -> Story:
    """A call whose greeting was heard; hung up by the caller if the scene leaves it open."""

    async def call() -> Story:
        async with carrier(stage.doors[name], timing, callee) as line, RelayPhone(line) as phone:
            story = Story(stage, phone)
            await phone.up()
            await story.has(1)
            await scene(phone, story)
            return story

    return stage.play(call())


def test_a_conversation_leaves_the_same_record_as_any_other(stage: EdgeStage) -> None:
    async def scene(phone: RelayPhone, story: Story) -> None:
        phone.person.say("Do you have a table?")
        await story.has(2)
        phone.person.press("4#")
        await story.has(3)
        report = await phone.hang_up()
        assert not report.violations.counts, report.violations.details
        assert not report.errors.counts, report.errors.details
        assert (report.status, report.ended_by, report.relays) == ("completed", "caller", 1)
        await until(lambda: bool(story.ends))

    story = play(stage, scene)
    assert story.turns == [
        ("greeting", "", "Hi."),
        ("caller", "Do you have a table?", "Noted."),
        ("digits", "4", "You pressed keys."),
    ]
    assert story.ends == [(True, "caller_hung_up")]
    asked = story.entries[1]
    assert asked.timeline["first_frame_out"] >= asked.timeline["committed"] == 0.0
    assert asked.usage["relay_s"] > 0
    assert asked.usage["completion_tokens"] > 0
    assert "spoken_chars" not in asked.usage, "the carrier's voice is in the price of its minutes"


def test_what_was_heard_of_a_cut_reply_is_the_carriers_word(stage: EdgeStage) -> None:
    async def scene(phone: RelayPhone, story: Story) -> None:
        phone.person.say("Tell me the story")
        await until(lambda: phone.line.voice.playout.heard_s > 1.5)
        phone.person.say("Stop it")
        await story.has(2)
        await phone.hang_up()

    _, kind_words, heard = play(stage, scene).turns[1]
    assert kind_words == "Tell me the story"
    assert heard.startswith("There is")
    assert len(heard) < 100


def test_a_transfer_leaves_and_comes_back_as_a_relay(stage: EdgeStage) -> None:
    async def scene(phone: RelayPhone, story: Story) -> None:
        phone.person.say("I want to buy")
        await until(lambda: phone.leg.report.relays == 2)
        await story.has(3)
        report = await phone.hang_up()
        assert not report.violations.counts, report.violations.details

    story = play(stage, scene, callee=Callee(outcome="busy", after_s=0.05))
    assert story.uses == [("sales", "put through"), ("sales", "busy")]
    assert story.turns[2][0] == "resume"


def test_keys_are_pressed_without_leaving_the_session(stage: EdgeStage) -> None:
    async def scene(phone: RelayPhone, story: Story) -> None:
        phone.person.say("the menu please")
        await until(lambda: phone.line.keys == "12#")
        report = await phone.hang_up()
        assert report.relays == 1

    assert play(stage, scene).uses == [("press", "pressed")]


def test_the_agent_ends_the_call(stage: EdgeStage) -> None:
    async def scene(phone: RelayPhone, story: Story) -> None:
        phone.person.say("bye then")
        report = await phone.ended()
        assert (report.status, report.ended_by, report.relays) == ("completed", "agent", 1)
        assert not report.errors.counts, report.errors.details

    story = play(stage, scene)
    assert story.turns[-1][2] == "Bye."
    assert story.ends == [(True, "agent_hung_up")]


def test_a_lost_socket_is_followed_by_another_session_that_knows_the_thread(
    stage: EdgeStage,
) -> None:
    async def scene(phone: RelayPhone, story: Story) -> None:
        phone.person.say("My name is Ann")
        await story.has(2)
        phone.line.lose_socket()
        await story.has(3)
        phone.person.say("Are you there?")
        await story.has(4)
        report = await phone.hang_up()
        assert dict(report.errors.counts) == {39001: 1}
        assert report.relays == 2

    assert play(stage, scene).turns[2] == ("resume", "", "Back.")
    lines = [message.text for message in stage.asked("relay")[-1].messages]
    assert "My name is Ann" in lines


@pytest.mark.parametrize("sends_setup", [True, False])
def test_a_socket_that_the_carrier_opens_again_goes_on_in_the_same_session(
    stage: EdgeStage, sends_setup: bool
) -> None:
    async def scene(phone: RelayPhone, story: Story) -> None:
        phone.person.say("My name is Ann")
        await story.has(2)
        phone.line.lose_socket()
        phone.person.say("Are you there?")  # while there is no socket
        await story.has(3)
        report = await phone.hang_up()
        assert (report.relays, report.relay_sockets) == (1, 2)
        assert not report.violations.counts, report.violations.details

    timing = replace(QUICK, sends_setup_again=sends_setup)
    assert play(stage, scene, "again", timing).turns[1:] == [
        ("caller", "My name is Ann", "Noted."),
        ("caller", "Are you there?", "Noted."),
    ]
    lines = [message.text for message in stage.asked("again")[-1].messages]
    assert lines.count("My name is Ann") == 1


def test_a_relay_goes_on_as_a_pipeline_between_two_turns_when_it_gets_dear(
    stage: EdgeStage,
) -> None:
    async def scene(phone: RelayPhone, story: Story) -> None:
        phone.person.say("My name is Ann")
        await story.has(2)
        await until(lambda: phone.leg.stream is not None)
        report = await phone.hang_up()
        assert (report.streams, report.relays) == (2, 1)
        assert not report.errors.counts, report.errors.details

    story = play(stage, scene, "dear")
    assert story.turns == [("greeting", "", "Hi."), ("caller", "My name is Ann", "Noted.")]
    assert stage.doors["dear"].counters["calls_handed_over_switch"] == 1


def test_a_pipeline_goes_on_as_a_relay_and_knows_the_thread(stage: EdgeStage) -> None:
    async def call() -> Story:
        door = stage.doors["other"]
        async with carrier(door) as line, RelayPhone(line) as phone:
            story = Story(stage, phone)
            await phone.up()
            phone.person.say("My name is Ann")
            await story.has(2)
            report = await phone.hang_up()
            assert (report.streams, report.relays) == (2, 1)
            return story

    story = stage.play(call())
    assert story.turns == [("greeting", "", "Hi."), ("caller", "My name is Ann", "Noted.")]
    assert [turn.turn_id for turn in story.entries] == [0, 1]


def test_a_relay_whose_carrier_fails_goes_on_as_a_pipeline(stage: EdgeStage) -> None:
    async def scene(phone: RelayPhone, story: Story) -> None:
        phone.line.break_down(64114, "speech recognition provider")
        await until(lambda: phone.leg.stream is not None)
        await story.has(2)
        report = await phone.hang_up()
        assert (report.streams, report.relays) == (2, 1)

    assert play(stage, scene, "weak").turns[1] == ("resume", "", "Back.")


def test_a_lost_call_actor_is_not_noticed(stage: EdgeStage) -> None:
    async def scene(phone: RelayPhone, story: Story) -> None:
        door, call_sid = stage.doors["relay"], phone.leg.identity.call_sid
        call = door.edge.registry.owner_of(call_sid)
        assert call is not None
        before = call.driver.mind.actor
        stage.pool.kill(before)
        phone.person.say("Hello?")
        await until(lambda: ("caller", "Hello?", "Noted.") in story.turns)
        assert call.driver.mind.actor != before
        report = await phone.hang_up()
        assert report.relays == 1
        await until(lambda: bool(story.ends) and story.ends[-1] == (True, "caller_hung_up"))
        stage.pool.start(before)

    play(stage, scene)


def test_what_cannot_be_read_does_no_harm_and_is_told_without_any_words(
    stage: EdgeStage, caplog: pytest.LogCaptureFixture
) -> None:
    counters = stage.doors["relay"].counters
    before = Counter(counters)

    async def scene(phone: RelayPhone, story: Story) -> None:
        phone.line.send('{"type":"prompt","voicePrompt":"My secret')
        phone.line.send('{"type":"weather","rain":"My secret"}')
        phone.line.send('{"type":"error","description":"Invalid message received: My secret"}')
        phone.line.send("[]")
        phone.person.say("Hello?")
        await story.has(2)
        await phone.hang_up()

    with caplog.at_level(logging.INFO):
        story = play(stage, scene)
    assert story.turns[1] == ("caller", "Hello?", "Noted.")
    counted = {
        name: counters[name] - before[name] for name in ("protocol_warnings", "relay_complaints")
    }
    assert counted == {"protocol_warnings": 3, "relay_complaints": 1}
    assert "secret" not in caplog.text
    assert "unknown message ignored: 'weather'" in caplog.text


def test_nobody_comes_in_without_signature_and_token(stage: EdgeStage) -> None:
    counters = stage.doors["relay"].counters
    before = Counter(counters)

    async def scene(phone: RelayPhone, story: Story) -> None:
        setup, ticker = phone.line.setup, phone.ticker

        def stranger(**changes: Any) -> RelayLine:
            return RelayLine(replace(setup, **changes), TextPerson(), ticker, Findings())

        with pytest.raises(StreamRefused):
            await stranger(auth_token="x" * 32).open()
        for token in ("", "forged.forged", setup.noun.parameters["token"]):
            second = stranger(noun=replace(setup.noun, parameters={"token": token}))
            await second.open()
            end = await asyncio.wait_for(second.ended(), 5.0)
            assert (end.status, end.close_code) == ("failed", 1008), token
        await phone.hang_up()

    play(stage, scene)
    assert counters["handshakes_refused"] - before["handshakes_refused"] == 1
    assert counters["streams_refused"] - before["streams_refused"] == 3
