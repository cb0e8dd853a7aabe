"""One call from the ingress' side, on virtual time, with CallActors that can be killed."""

from __future__ import annotations

from tests.support.scripted_call import REPLY, Stage, play


def test_greets_answers_and_settles_what_was_heard() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        assert phone.heard == "Hello!"
        await phone.say("what do you have")
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.heard == "Hello!" + REPLY.replace(". I", ".I").replace(", and", ", and")
        assert phone.log == [
            (0, "greeting", "Hello!", "heard"),
            (1, "caller", REPLY, "heard"),
        ]
        phone.hang_up()
        end = await phone.ended()
        assert (end.planned, end.reason, end.close_code) == (True, "caller_hung_up", 1000)
        assert stage.pool.homes["ann"].recorder.closed == [("call-1", True, "caller_hung_up")]

    play(scene)
