"""The server side of a call's mind, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from actors.mind_calls import MindConfig
from actors.mind_driver import SEATED_LATELY_S, MindDriver
from actors.wire import (
    AbandonTurn,
    CallOpened,
    CallState,
    CloseCall,
    OpenCall,
    SettleTurns,
    TakeTurn,
    TurnEntry,
    TurnItem,
    WireError,
)
from dialogue.agent import Agent
from dialogue.ports import ThinkRequest
from dialogue.session import MAX_GUESSES_A_TURN, CallIdentity
from providers.errors import ProviderRefused, ProviderUnavailable
from tests.support.fake_thinker import HANG, FakeThinker, Step
from tests.support.virtual_time import run

AGENT = Agent(
    "t1", "a1", "v7", "en-US", "You are Ann.", "Hello!", "voice", thinker="fake", model="m"
)
EPOCH = (0, 10)
OPEN = OpenCall("t1", "a1", "v7", "call-1", "CA1", EPOCH, token_id="token-1")
HAPPY: tuple[Step, ...] = (0.2, "Of co", 0.1, "urse, I", " can do ", 0.1, "that. ", "Bye.")


@dataclass
class FakeRecorder:
    events: list[tuple[Any, ...]] = field(default_factory=list)

    def call_opened(self, call: CallIdentity, *, at_us: int) -> None:
        self.events.append(("opened", call.call_id, call.epoch, call.agent_version, at_us))

    def turn_settled(self, call: CallIdentity, turn: TurnEntry) -> None:
        self.events.append(("settled", call.call_id, turn.turn_id))

    def units_used(self, call: CallIdentity, usage: Mapping[str, float]) -> None:
        self.events.append(("used", call.call_id, dict(usage)))

    def handed_over(self, call: CallIdentity, hand_over: Mapping[str, Any], *, at_us: int) -> None:
        self.events.append(("handed over", call.call_id, dict(hand_over)))

    def call_closed(self, call: CallIdentity, *, planned: bool, reason: str, at_us: int) -> None:
        self.events.append(("closed", call.call_id, planned, reason))

    def call_moved(self, call: CallIdentity) -> None:
        self.events.append(("moved", call.call_id))


class Stage:
    """A driver with everything around it."""

    def __init__(self, script: Any = HAPPY, config: MindConfig | None = None) -> None:
        self.thinker = FakeThinker(script)
        self.recorder = FakeRecorder()
        self.driver = MindDriver(
            {("t1", "a1"): AGENT},
            {"fake": self.thinker},
            self.recorder,
            config or MindConfig(),
            lambda: 77,
        )

    async def open(self, message: OpenCall = OPEN, **changes: Any) -> CallOpened:
        plain = await self.driver.open_call(replace(message, **changes).to_plain())
        return CallOpened.from_plain(plain)

    async def turn(self, turn_id: int = 1, guess: int = 1, **changes: Any) -> list[TurnItem]:
        return [
            TurnItem.from_plain(plain)
            async for plain in self.driver.take_turn(take(turn_id, guess, **changes))
        ]

    async def state(self, call_id: str = "call-1") -> CallState:
        return CallState.from_plain(await self.driver.call_state(call_id))

    async def close(self, *, planned: bool, epoch: tuple[int, int] = EPOCH) -> dict[str, Any]:
        message = CloseCall("t1", "call-1", epoch, planned, "because")
        return await self.driver.close_call(message.to_plain())

    def sweep(self) -> int:
        return self.driver.sweep(asyncio.get_running_loop().time())


def take(turn_id: int = 1, guess: int = 1, **changes: Any) -> dict[str, Any]:
    message = TakeTurn("t1", "call-1", EPOCH, turn_id, guess, "caller", "Hi there")
    return replace(message, **changes).to_plain()


def entry(turn_id: int, **changes: Any) -> TurnEntry:
    return replace(TurnEntry(turn_id, "caller", "q", "a", "a"), **changes)


def on_stage(
    script: Any = HAPPY, config: MindConfig | None = None
) -> Callable[[Callable[[Stage], Coroutine[Any, Any, None]]], Callable[[], None]]:
    """Run a test on virtual time, with a call open; nothing may be left over afterwards."""

    def wrap(test: Callable[[Stage], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        async def play() -> None:
            stage = Stage(script, config)
            assert (await stage.open()).refusal == ""
            await test(stage)
            await stage.driver.aclose()
            assert stage.thinker.open_replies == 0
            assert len(asyncio.all_tasks()) <= 2  # this one and the runner's

        def runner() -> None:
            run(play())

        runner.__doc__ = test.__doc__
        return runner

    return wrap


def kinds(items: list[TurnItem]) -> list[str]:
    return [item.type for item in items]


def texts(items: list[TurnItem]) -> list[str]:
    return [item.text for item in items if item.type == "segment"]


async def settle_down() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


# --- a turn ---------------------------------------------------------------------------------------


@on_stage()
async def test_a_turn_is_accepted_spoken_in_segments_and_finished(stage: Stage) -> None:
    items = await stage.turn()
    assert kinds(items) == ["accepted", "segment", "segment", "segment", "finished"]
    assert texts(items) == ["Of course,", "I can do that.", "Bye."]
    assert [item.index for item in items if item.type == "segment"] == [0, 1, 2]
    assert items[-1].usage == {"prompt_tokens": 11, "completion_tokens": 7}
    stages = {name: round(value, 3) for name, value in items[-1].stages.items()}
    assert stages == {"think_requested": 0.0, "first_token": 0.2, "first_segment": 0.3}


@on_stage()
async def test_segments_come_as_soon_as_they_are_cut(stage: Stage) -> None:
    clock = asyncio.get_running_loop().time
    start = clock()
    arrivals = [round(clock() - start, 3) async for _ in stage.driver.take_turn(take())]
    assert arrivals == [0.0, 0.3, 0.4, 0.4, 0.4]


@on_stage()
async def test_the_model_reads_what_was_heard(stage: Stage) -> None:
    heard = entry(1, caller_text="Hi", heard_text="We have", outcome="interrupted")
    await stage.turn(2, settled=(heard,), text="When?")
    messages = stage.thinker.requests[0].messages
    assert [message.text for message in messages[1:]] == ["Hi", "We have…", "When?"]


@on_stage()
async def test_silence_needs_no_model(stage: Stage) -> None:
    items = await stage.turn(kind="silence", text="")
    assert kinds(items) == ["accepted", "segment", "finished"]
    assert texts(items) == [AGENT.phrases.still_there]
    assert stage.thinker.requests == []


@on_stage(("Goodbye then. <end_call>",))
async def test_the_agent_may_hang_up(stage: Stage) -> None:
    items = await stage.turn()
    assert texts(items) == ["Goodbye then."]
    assert items[-1].hang_up


@on_stage(
    (
        "**Agent:** *smiles* Sure",
        "ly <b>now</b>.",
    )
)
async def test_markup_is_not_spoken(stage: Stage) -> None:
    assert texts(await stage.turn()) == ["Surely now."]


@on_stage(lambda request: (f"You said {request.messages[-1].text}.",))
async def test_two_guesses_at_one_turn_answer_apart(stage: Stage) -> None:
    first, second = await asyncio.gather(
        stage.turn(1, 1, text="I want", speculative=True), stage.turn(1, 2, text="I want tea")
    )
    assert texts(first) == ["You said I want."]
    assert texts(second) == ["You said I want tea."]


# --- a model in trouble ---------------------------------------------------------------------------


@on_stage((HANG, "too late"))
async def test_a_model_that_stays_silent_fails_the_turn(stage: Stage) -> None:
    start = asyncio.get_running_loop().time()
    items = await stage.turn()
    assert kinds(items) == ["accepted", "failed"]
    assert (items[-1].refusal, items[-1].retryable) == ("provider", True)
    assert "no first token" in items[-1].message
    assert asyncio.get_running_loop().time() - start == pytest.approx(5.0)
    await settle_down()
    assert stage.thinker.cancelled == 1


@on_stage((4.9, "Of course, I ", 4.9, "can. ", HANG))
async def test_a_model_that_stalls_fails_the_rest(stage: Stage) -> None:
    """A slow model is waited for; the segments that came before a stall stand."""
    items = await stage.turn()
    assert texts(items) == ["Of course,", "I can."]
    assert "fell silent" in items[-1].message


@on_stage([step for _ in range(20) for step in (1.0, "")])
async def test_empty_deltas_keep_no_dead_stream_alive(stage: Stage) -> None:
    start = asyncio.get_running_loop().time()
    assert kinds(await stage.turn()) == ["accepted", "failed"]
    assert asyncio.get_running_loop().time() - start == pytest.approx(5.0)


@on_stage((0.1, ProviderRefused("the key is not valid", "openai", "OPENAI_API_KEY")))
async def test_an_error_before_the_first_token_tells_what_to_change(stage: Stage) -> None:
    items = await stage.turn()
    assert kinds(items) == ["accepted", "failed"]
    assert items[-1].message == "openai: the key is not valid (look at OPENAI_API_KEY)"
    assert not items[-1].retryable


@on_stage(("Of course, I ", ProviderUnavailable("closed", "openai")))
async def test_an_error_in_mid_reply_lets_the_segments_stand(stage: Stage) -> None:
    items = await stage.turn()
    assert kinds(items) == ["accepted", "segment", "failed"]
    assert items[-1].retryable


@on_stage((KeyError("what the caller said"),))
async def test_a_broken_thinker_fails_its_turn_and_tells_no_transcript(stage: Stage) -> None:
    items = await stage.turn()
    assert items[-1].message == "fake broke: KeyError"


@pytest.mark.parametrize("answer", ["", "  ", "** **", "<speak></speak>"])
def test_an_answer_without_words_is_a_typed_failure(answer: str) -> None:
    @on_stage((answer,))
    async def play(stage: Stage) -> None:
        items = await stage.turn()
        assert kinds(items) == ["accepted", "failed"]
        assert (items[-1].refusal, items[-1].retryable) == ("empty_reply", True)

    play()


@on_stage(["word, "] * 5_000)
async def test_an_endless_answer_is_ended(stage: Stage) -> None:
    items = await stage.turn()
    assert items[-1].type == "finished"
    assert sum(map(len, texts(items))) < 7_000
    await settle_down()
    assert stage.thinker.cancelled == 1


@on_stage((ProviderUnavailable("down", "openai"),))
async def test_a_failed_turn_may_be_asked_again(stage: Stage) -> None:
    assert kinds(await stage.turn(1, 1)) == kinds(await stage.turn(1, 1)) == ["accepted", "failed"]


def test_an_agent_with_an_unknown_thinker_says_so() -> None:
    async def play() -> None:
        driver = MindDriver({("t1", "a1"): AGENT}, {}, FakeRecorder(), MindConfig(), lambda: 0)
        await driver.open_call(OPEN.to_plain())
        items = [TurnItem.from_plain(plain) async for plain in driver.take_turn(take())]
        assert kinds(items) == ["accepted", "failed"]
        assert "'fake'" in items[-1].message

    run(play())


# --- a turn nobody waits for any more -------------------------------------------------------------


@on_stage((0.1, "Of course, ", HANG))
async def test_abandoning_cancels_the_model_at_once(stage: Stage) -> None:
    turn = asyncio.create_task(stage.turn())
    await asyncio.sleep(0.2)
    await stage.driver.abandon(AbandonTurn("t1", "call-1", EPOCH, 1, 1).to_plain())
    await settle_down()
    assert (stage.thinker.cancelled, stage.thinker.open_replies) == (1, 0)
    items = await turn
    assert kinds(items) == ["accepted", "segment", "failed"]
    assert items[-1].refusal == "abandoned"


@on_stage((0.1, "Of course, ", HANG))
async def test_closing_the_stream_cancels_the_model_at_once(stage: Stage) -> None:
    items = stage.driver.take_turn(take())
    assert (await anext(items))["type"] == "accepted"
    assert (await anext(items))["type"] == "segment"
    await items.aclose()
    await settle_down()
    assert stage.thinker.cancelled == 1
    assert stage.driver.status()["replies"] == 0


@on_stage((HANG,))
async def test_a_cancelled_consumer_cancels_the_model(stage: Stage) -> None:
    turn = asyncio.create_task(stage.turn())
    await asyncio.sleep(0.1)
    turn.cancel()
    await settle_down()
    assert stage.thinker.cancelled == 1


@on_stage()
async def test_an_abandon_that_overtakes_its_turn_wins(stage: Stage) -> None:
    await stage.driver.abandon(AbandonTurn("t1", "call-1", EPOCH, 1, 1).to_plain())
    items = await stage.turn(1, 1)
    assert [(item.type, item.refusal) for item in items] == [("failed", "stale_turn")]
    assert (await stage.turn(1, 2))[-1].type == "finished"


@on_stage((HANG,))
async def test_abandoning_one_guess_leaves_the_other(stage: Stage) -> None:
    turns = [asyncio.create_task(stage.turn(1, guess)) for guess in (1, 2)]
    await asyncio.sleep(0.1)
    await stage.driver.abandon(AbandonTurn("t1", "call-1", EPOCH, 1, 1).to_plain())
    await settle_down()
    assert [turn.done() for turn in turns] == [True, False]


@on_stage((HANG,))
async def test_one_guess_too_many_ends_the_oldest(stage: Stage) -> None:
    guesses = range(1, MAX_GUESSES_A_TURN + 2)
    turns = [asyncio.create_task(stage.turn(1, guess)) for guess in guesses]
    await asyncio.sleep(0.1)
    assert [turn.done() for turn in turns] == [True] + [False] * MAX_GUESSES_A_TURN


@on_stage((0.5, "Fine."))
async def test_the_same_guess_asked_again_replaces_the_former(stage: Stage) -> None:
    former = asyncio.create_task(stage.turn(1, 1))
    await asyncio.sleep(0.1)
    items = await stage.turn(1, 1)
    assert texts(items) == ["Fine."]
    assert (await former)[-1].refusal == "abandoned"
    await settle_down()
    assert stage.driver.status()["replies"] == 0


@on_stage((HANG,))
async def test_settling_a_turn_ends_its_reply(stage: Stage) -> None:
    turn = asyncio.create_task(stage.turn())
    await asyncio.sleep(0.1)
    await stage.driver.settle(SettleTurns("t1", "call-1", EPOCH, (entry(1),)).to_plain())
    assert (await turn)[-1].refusal == "stale_turn"
    await settle_down()
    assert stage.thinker.cancelled == 1


@on_stage((HANG,))
async def test_closing_the_call_ends_its_replies(stage: Stage) -> None:
    turn = asyncio.create_task(stage.turn())
    await asyncio.sleep(0.1)
    await stage.close(planned=True)
    assert (await turn)[-1].refusal == "abandoned"


# --- whose call it is -----------------------------------------------------------------------------


@on_stage()
async def test_a_token_is_used_once(stage: Stage) -> None:
    assert (await stage.open(call_id="call-2")).refusal == "token_used"
    assert (await stage.open(call_id="call-2", token_id="token-2")).refusal == ""


@on_stage(config=MindConfig(token_memory_s=100.0))
async def test_a_token_is_forgotten_after_its_lifetime(stage: Stage) -> None:
    await asyncio.sleep(101.0)
    stage.sweep()
    assert (await stage.open(call_id="call-2")).refusal == ""


@on_stage(config=MindConfig(calls_per_actor=2))
async def test_a_full_actor_refuses_new_calls_but_takes_back_its_own(stage: Stage) -> None:
    assert (await stage.open(call_id="call-2", token_id="")).refusal == ""
    assert (await stage.open(call_id="call-3", token_id="")).refusal == "full"
    assert (await stage.open(epoch=(1, 11), token_id="")).refusal == ""
    assert stage.driver.status()["free"] == 0
    assert len(stage.driver.status()["seated_lately"]) == 2
    await asyncio.sleep(SEATED_LATELY_S)
    assert stage.driver.status()["seated_lately"] == []


@on_stage()
async def test_an_unknown_agent_is_refused(stage: Stage) -> None:
    assert (await stage.open(agent_id="nobody", token_id="")).refusal == "unknown_agent"
    assert (await stage.open(tenant_id="t2", token_id="")).refusal == "unknown_agent"


@on_stage()
async def test_a_new_call_is_greeted_and_a_resumed_one_is_not(stage: Stage) -> None:
    assert (await stage.open(call_id="call-2", token_id="")).greeting == "Hello!"
    log = (entry(0, kind="greeting"),)
    assert (await stage.open(call_id="call-3", token_id="", turn_log=log)).greeting is None


@on_stage((HANG,))
async def test_a_newer_epoch_takes_the_call_over(stage: Stage) -> None:
    """The running turn of the older stream ends, and the turn log is handed out."""
    turn = asyncio.create_task(stage.turn(2, settled=(entry(1),)))
    await asyncio.sleep(0.1)
    opened = await stage.open(epoch=(1, 5), token_id="token-2")
    assert [told.turn_id for told in opened.turn_log] == [1]
    assert (await turn)[-1].refusal == "stale_epoch"
    assert [item.refusal for item in await stage.turn(3)] == ["stale_epoch"]
    again = asyncio.create_task(stage.turn(2, epoch=(1, 5)))
    await asyncio.sleep(0.1)
    assert not again.done()


@on_stage()
async def test_the_goodbye_of_an_older_stream_does_not_end_the_call(stage: Stage) -> None:
    await stage.open(epoch=(1, 5), token_id="token-2")
    assert (await stage.close(planned=True))["refusal"] == "stale_epoch"
    assert not (await stage.state()).planned_end
    assert (await stage.open(token_id="")).refusal == "stale_epoch"


@on_stage()
async def test_a_call_under_an_epoch_not_opened_here_is_unknown(stage: Stage) -> None:
    assert [item.refusal for item in await stage.turn(epoch=(9, 9))] == ["unknown_call"]
    assert [item.refusal for item in await stage.turn(call_id="x")] == ["unknown_call"]
    assert [item.refusal for item in await stage.turn(tenant_id="x")] == ["unknown_call"]


@on_stage()
async def test_both_turn_logs_are_joined(stage: Stage) -> None:
    await stage.driver.settle(SettleTurns("t1", "call-1", EPOCH, (entry(1), entry(3))).to_plain())
    log = (entry(2), entry(3, heard_text="other"))
    opened = await stage.open(epoch=(1, 5), token_id="", turn_log=log)
    assert [(told.turn_id, told.heard_text) for told in opened.turn_log] == [
        (1, "a"),
        (2, "a"),
        (3, "a"),
    ]


def test_another_actor_continues_from_the_turn_log() -> None:
    async def play() -> None:
        first, second = Stage(("Yes.",)), Stage(("Yes.",))
        await first.open()
        for turn_id in (1, 2):
            await first.turn(turn_id, settled=(entry(turn_id - 1),))
        log = (await first.state()).turn_log
        await second.open(epoch=(0, 11), token_id="", turn_log=log)
        await first.turn(3, settled=(entry(2),))
        await second.turn(3, epoch=(0, 11), settled=(entry(2),))
        assert first.thinker.requests[-1] == second.thinker.requests[-1]

    run(play())


# --- how a call ends ------------------------------------------------------------------------------


@on_stage()
async def test_a_planned_end_is_remembered_for_the_resume_webhook(stage: Stage) -> None:
    await stage.close(planned=True)
    state = await stage.state()
    assert (state.known, state.planned_end, state.reason) == (True, True, "because")
    assert (await stage.open(epoch=(1, 5), token_id="")).refusal == "ended"
    assert [item.refusal for item in await stage.turn()] == ["ended"]
    assert stage.driver.status()["active_calls"] == 0
    await asyncio.sleep(61.0)
    stage.sweep()
    assert not (await stage.state()).known


@on_stage()
async def test_a_lost_call_waits_for_its_stream(stage: Stage) -> None:
    await stage.driver.settle(SettleTurns("t1", "call-1", EPOCH, (entry(1),)).to_plain())
    await stage.close(planned=False)
    await asyncio.sleep(59.0)
    stage.sweep()
    state = await stage.state()
    assert (state.known, state.planned_end, len(state.turn_log)) == (True, False, 1)
    assert (await stage.open(epoch=(1, 5), token_id="token-2")).refusal == ""
    await asyncio.sleep(61.0)
    stage.sweep()
    assert stage.driver.status()["active_calls"] == 1


@on_stage()
async def test_a_lost_call_that_nobody_resumes_is_recorded_as_lost(stage: Stage) -> None:
    await stage.close(planned=False)
    await asyncio.sleep(61.0)
    stage.sweep()
    assert stage.recorder.events[-1] == ("closed", "call-1", False, "because")
    assert stage.driver.status()["free"] == 50


@on_stage((HANG,), MindConfig(stale_call_s=100.0, first_token_timeout_s=1_000.0))
async def test_a_call_whose_ingress_vanished_is_given_up(stage: Stage) -> None:
    turn = asyncio.create_task(stage.turn())
    await asyncio.sleep(99.0)
    assert stage.sweep() == 0
    await asyncio.sleep(2.0)
    assert stage.sweep() == 1
    assert (await turn)[-1].type == "failed"
    await asyncio.sleep(61.0)
    stage.sweep()
    assert stage.recorder.events[-1] == ("closed", "call-1", False, "ingress_vanished")


@on_stage(("Yes.",), MindConfig(stale_call_s=100.0))
async def test_a_call_given_up_too_early_goes_on(stage: Stage) -> None:
    await asyncio.sleep(101.0)
    assert stage.sweep() == 1
    assert (await stage.turn())[-1].type == "finished"
    assert stage.driver.status()["active_calls"] == 1


@on_stage()
async def test_the_record_tells_the_story_once(stage: Stage) -> None:
    await stage.turn(1, settled=(entry(0),))
    await stage.turn(2, settled=(entry(0), entry(1)))
    await stage.close(planned=True)
    await stage.close(planned=True)
    assert stage.recorder.events == [
        ("opened", "call-1", EPOCH, "v7", 77),
        ("settled", "call-1", 0),
        ("settled", "call-1", 1),
        ("closed", "call-1", True, "because"),
    ]


@on_stage()
async def test_a_message_that_cannot_be_read_is_refused(stage: Stage) -> None:
    with pytest.raises(WireError):
        await stage.driver.open_call({"v": 1})
    with pytest.raises(WireError):
        await anext(stage.driver.take_turn({"v": 0}))


# --- many calls -----------------------------------------------------------------------------------


def test_a_hundred_calls_do_not_touch_each_other() -> None:
    def script(request: ThinkRequest) -> list[Step]:
        number = int(request.call_id)
        if number % 5 == 0:
            return [HANG]
        if number % 7 == 0:
            return [ProviderUnavailable("down", "openai")]
        return [number / 1_000, f"I am {number}", 0.05, " and nobody else. "]

    async def play() -> None:
        stage = Stage(script, MindConfig(calls_per_actor=100))
        for number in range(100):
            opened = await stage.open(call_id=str(number), token_id="")
            assert opened.refusal == ""

        async def two_turns(number: int) -> list[TurnItem]:
            await stage.turn(1, call_id=str(number))
            return await stage.turn(2, call_id=str(number), settled=(entry(1),))

        calls = await asyncio.gather(*map(two_turns, range(100)))
        for number, items in enumerate(calls):
            if number % 5 == 0 or number % 7 == 0:
                assert kinds(items) == ["accepted", "failed"]
            else:
                assert texts(items) == [f"I am {number} and nobody else."]
        await settle_down()
        status = stage.driver.status()
        assert (status["active_calls"], status["replies"], status["free"]) == (100, 0, 0)
        assert status["totals"]["turns"] == 200

    run(play())
