"""A call that is asked to go to another replica leaves between two turns; nobody hears of it."""

from __future__ import annotations

from actors.call_times import ELSEWHERE
from actors.comeback import Comeback
from cluster.hand_overs import comeback_of, note_of
from tests.support.fake_thinker import FakeThinker
from tests.support.scripted_call import REPLY, Phone, Stage, play

MOVED = Comeback("switch", "", "moved")


async def gone(phone: Phone) -> None:
    end = await phone.ended()
    assert (end.planned, end.reason, dict(end.hand_over)) == (True, "switching", dict(ELSEWHERE))


def test_a_call_in_which_nobody_speaks_leaves_at_once_and_goes_on_in_silence() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        phone.driver.go_elsewhere()
        phone.driver.go_elsewhere()
        await gone(phone)
        newer = stage.phone(epoch=(1, 20), comeback=MOVED)
        await newer.say("are you there")
        await newer.until_heard("what there is.")
        assert newer.heard == REPLY.replace(". ", ".")
        assert [turn_id for turn_id, _, _, _ in newer.log] == [0, 1]

    play(scene)


def test_nobody_is_moved_in_mid_sentence() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.talk(0.3)
        phone.driver.go_elsewhere()  # the caller is speaking
        await phone.say("tell me")
        await phone.until_heard("what there is.")
        assert not phone.task.done()
        await phone.until(lambda: phone.log[-1][3] == "heard")
        await gone(phone)
        assert [kind for _, kind, _, _ in phone.log] == ["greeting", "caller"]

    play(scene, lambda: Stage({"fake": FakeThinker([0.5, REPLY])}))


def test_what_it_is_told_by_comes_back_in_the_token() -> None:
    assert comeback_of(note_of(MOVED)) == MOVED
