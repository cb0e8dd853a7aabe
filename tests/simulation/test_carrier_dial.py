"""Transfers on virtual time: who is rung, what ``action`` is told, what the caller hears."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from simulation.callee import Phones
from simulation.callee_book import Callee, CalleeBook
from simulation.caller import CallerConfig, SimulatedCaller
from simulation.caller_faults import QuietPerson
from simulation.caller_script import Leave, Speak, StaySilent, Step
from simulation.carrier_leg import PhoneLeg
from simulation.carrier_parts import LegReport
from simulation.carrier_stream import Person
from simulation.exchange import Exchange, ExchangeConfig
from simulation.hearing import is_loud
from tests.simulation.paper_server import CONNECT, PaperAgent, PaperWeb, tone_clip
from tests.support.virtual_time import run

ANNA, BERT = "+14155550123", "+14155550124"
BACK = "<Response><Say>Back.</Say></Response>"


def dial(*numbers: str, **attributes: object) -> str:
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    nouns = "".join(
        f'<Number statusCallback="https://voice.example.com/twilio/child"'
        f' statusCallbackEvent="initiated ringing answered completed">{number}</Number>'
        for number in numbers
    )
    return f'<Response><Dial action="/twilio/dial"{written}>{nouns}</Dial></Response>'


class Transfer:
    """One call in whose only document is a <Dial>."""

    def __init__(
        self,
        document: str,
        callees: dict[str, Callee],
        meanwhile: Callable[[Exchange, PhoneLeg], Awaitable[Any]] | None = None,
        caller: Callable[[float], Person] | None = None,
    ) -> None:
        self.web = PaperWeb({"/twilio/voice": [document], "/twilio/dial": [BACK]})
        self.report: LegReport
        self.calls: list[Any] = []
        self.took_s = 0.0

        async def whole() -> None:
            book = CalleeBook(Callee(outcome="failed"))
            for number, callee in callees.items():
                book.put(number, callee)
            config = ExchangeConfig(
                "http://127.0.0.1:1", "12345", public_url="https://voice.example.com"
            )
            exchange = Exchange(
                config,
                phones=Phones(book, tone_clip),
                transport=httpx.MockTransport(self.web),
                opener=PaperAgent().opener,
            )
            async with exchange:
                loop = asyncio.get_running_loop()
                person = caller(loop.time()) if caller else QuietPerson()
                leg = exchange.dial(exchange.identity("+14155550100"), person)
                since_s = loop.time()
                task = loop.create_task(leg.run())
                if meanwhile is not None:
                    await meanwhile(exchange, leg)
                self.report = await task
                self.took_s = loop.time() - since_s
                self.calls = list(exchange.log)

        run(whole())

    @property
    def action(self) -> dict[str, str]:
        (form,) = self.web.forms("/twilio/dial")
        return form

    def states(self, number: str) -> list[str]:
        children = self.web.forms("/twilio/child")
        return [form["CallStatus"] for form in children if form["To"] == number]


def test_somebody_answers_talks_and_hangs_up() -> None:
    transfer = Transfer(dial(ANNA), {ANNA: Callee(after_s=2.0, talk_s=5.0)})
    form = transfer.action
    assert (form["DialCallStatus"], form["DialBridged"]) == ("completed", "true")
    assert (form["DialCallDuration"], form["CallStatus"]) == ("5", "in-progress")
    assert transfer.states(ANNA) == ["initiated", "ringing", "in-progress", "completed"]
    assert transfer.report.said == ["Back."]
    assert (transfer.report.status, transfer.report.ended_by) == ("completed", "agent")
    child, parent = transfer.calls
    assert form["DialCallSid"] == child.record.identity.call_sid
    assert child.record.identity.parent_call_sid == parent.record.identity.call_sid
    assert child.record.identity.direction == "outbound-dial"
    assert child.record.identity.from_number == "+14155550100"
    assert (child.record.status, child.record.duration_s) == ("completed", 5)


@pytest.mark.parametrize(
    ("callee", "status", "states", "wait_s"),
    [
        (Callee("busy", 1.0), "busy", ["initiated", "ringing", "busy"], 1.0),
        (Callee("failed", 1.0), "failed", ["initiated", "failed"], 1.0),
        (Callee("no-answer"), "no-answer", ["initiated", "ringing", "no-answer"], 20.0),
        (Callee(after_s=25.0), "no-answer", ["initiated", "ringing", "no-answer"], 20.0),
    ],
)
def test_nobody_answers(callee: Callee, status: str, states: list[str], wait_s: float) -> None:
    transfer = Transfer(dial(ANNA, timeout=20), {ANNA: callee})
    form = transfer.action
    assert (form["DialCallStatus"], form["DialBridged"]) == (status, "false")
    assert "DialCallDuration" not in form
    assert form["DialCallSid"] == transfer.calls[0].record.identity.call_sid
    assert transfer.states(ANNA) == states
    assert transfer.report.said == ["Back."]
    assert transfer.took_s == pytest.approx(wait_s, abs=0.6)


def test_without_action_the_next_verb_runs() -> None:
    document = "<Response><Dial>+14155550123</Dial><Say>Nobody.</Say></Response>"
    transfer = Transfer(document, {ANNA: Callee("busy")})
    assert transfer.report.said == ["Nobody."]


def test_nobody_to_ring_has_failed() -> None:
    transfer = Transfer('<Response><Dial action="/twilio/dial">me</Dial></Response>', {})
    assert transfer.action["DialCallStatus"] == "failed"
    assert "DialCallSid" not in transfer.action
    assert transfer.report.violations.counts == {13223: 1}


def test_all_ring_and_the_first_to_answer_has_the_call() -> None:
    transfer = Transfer(
        dial(ANNA, BERT), {ANNA: Callee(after_s=4.0), BERT: Callee(after_s=2.0, talk_s=3.0)}
    )
    assert transfer.action["DialCallStatus"] == "completed"
    assert transfer.states(BERT) == ["initiated", "ringing", "in-progress", "completed"]
    assert transfer.states(ANNA) == ["initiated", "ringing", "canceled"]
    assert transfer.took_s < 6


def test_two_who_answer_in_the_same_moment_are_not_both_connected() -> None:
    both = Callee(after_s=2.0, talk_s=3.0)
    transfer = Transfer(dial(ANNA, BERT), {ANNA: both, BERT: both})
    assert transfer.states(ANNA)[-1] == "completed"
    assert "in-progress" not in transfer.states(BERT)


def test_one_after_the_other() -> None:
    transfer = Transfer(
        dial(ANNA, BERT, sequential="true", timeout=5),
        {ANNA: Callee("no-answer"), BERT: Callee(after_s=1.0, talk_s=2.0)},
    )
    assert transfer.action["DialCallStatus"] == "completed"
    assert transfer.states(ANNA) == ["initiated", "ringing", "no-answer"]
    assert transfer.states(BERT)[-1] == "completed"
    assert transfer.took_s == pytest.approx(5 + 1 + 2, abs=0.8)


def test_a_caller_who_gives_up_while_it_rings() -> None:
    def impatient(now: float) -> Person:
        script: list[Step] = [StaySilent(3.0), Leave()]
        return SimulatedCaller(iter(script), CallerConfig(), now)

    transfer = Transfer(dial(ANNA), {ANNA: Callee("no-answer")}, caller=impatient)
    form = transfer.action
    assert (form["CallStatus"], form["DialCallStatus"]) == ("completed", "canceled")
    assert transfer.states(ANNA)[-1] == "canceled"
    assert transfer.report.said == []
    assert (transfer.report.status, transfer.report.ended_by) == ("completed", "caller")


def test_a_caller_who_hangs_up_after_talking() -> None:
    def brief(now: float) -> Person:
        return SimulatedCaller(iter([StaySilent(100.0)]), CallerConfig(max_duration_s=6.0), now)

    transfer = Transfer(dial(ANNA), {ANNA: Callee(after_s=2.0)}, caller=brief)
    assert transfer.action["DialCallStatus"] == "completed"
    assert transfer.states(ANNA)[-1] == "completed"
    assert transfer.report.ended_by == "caller"


def test_the_two_hear_each_other() -> None:
    heard: list[bytes] = []

    class Ear(QuietPerson):
        def tick(self, due_s: float, now: float, heard_now: Any) -> Any:
            heard.extend(each.audio for each in heard_now)
            return super().tick(due_s, now, heard_now)

    callee = Callee(after_s=1.0, says=("tone",), speaks_first=True, talk_s=2.0)
    Transfer(dial(ANNA), {ANNA: callee}, caller=lambda _now: Ear())
    assert 0.3 <= sum(is_loud(audio[:80]) for audio in heard) * 0.02 <= 0.5


def test_keys_reach_the_other_side() -> None:
    document = (
        '<Response><Dial action="/twilio/dial"><Number sendDigits="ww7">+14155550123</Number>'
        "</Dial></Response>"
    )
    transfer = Transfer(document, {ANNA: Callee(after_s=1.0, presses="19", talk_s=20.0)})
    assert transfer.report.keys == "19"
    assert transfer.calls[0].report.keys == "7"


def test_an_update_takes_the_call_away_from_the_dialled_phone() -> None:
    async def move(_: Exchange, leg: PhoneLeg) -> None:
        await asyncio.sleep(4.0)
        assert leg.update(b"<Response><Say>Moved.</Say></Response>")

    transfer = Transfer(dial(ANNA), {ANNA: Callee(after_s=1.0)}, move)
    assert transfer.web.forms("/twilio/dial") == []
    assert transfer.report.said == ["Moved."]
    assert transfer.states(ANNA)[-1] == "completed"


def test_rest_ends_the_dialled_call_and_the_caller_stays() -> None:
    async def end(exchange: Exchange, _: PhoneLeg) -> None:
        await asyncio.sleep(4.0)
        child = next(iter(exchange.log))
        assert child.hang_up()

    transfer = Transfer(dial(ANNA), {ANNA: Callee(after_s=1.0)}, end)
    assert transfer.action["DialCallStatus"] == "completed"
    assert transfer.report.said == ["Back."]


def test_the_time_limit_of_a_dial() -> None:
    transfer = Transfer(dial(ANNA, timeLimit=7), {ANNA: Callee(after_s=1.0)})
    assert transfer.action["DialCallDuration"] == "7"


def test_a_stream_before_and_after_a_transfer() -> None:
    """What a hand-over is: the stream ends, a person is rung in vain, a new stream begins."""
    agent = PaperAgent()
    agent.on_frame = lambda socket, chunk: (
        socket.end(1000) if chunk == 50 and socket is agent.sockets[0] else None
    )
    web = PaperWeb(
        {
            "/twilio/voice": [CONNECT],
            "/twilio/after": [dial(ANNA, timeout=5), "<Response/>"],
            "/twilio/dial": [CONNECT],
        }
    )

    async def whole() -> LegReport:
        book = CalleeBook()
        book.put(ANNA, Callee("no-answer"))
        exchange = Exchange(
            ExchangeConfig("http://127.0.0.1:1", "12345", public_url="https://voice.example.com"),
            phones=Phones(book, tone_clip),
            transport=httpx.MockTransport(web),
            opener=agent.opener,
        )
        async with exchange:
            script: list[Step] = [Speak(tone_clip()), StaySilent(12.0), Leave()]
            person = SimulatedCaller(
                iter(script), CallerConfig(), asyncio.get_running_loop().time()
            )
            return await exchange.dial(exchange.identity("+14155550100"), person).run()

    report = run(whole())
    assert report.streams == 2
    assert report.stream_gaps_s == [pytest.approx(5.1, abs=0.2)]
    assert not report.errors.counts
    assert not report.violations.counts
    assert report.ended_by == "caller"
