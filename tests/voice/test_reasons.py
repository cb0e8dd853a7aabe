from __future__ import annotations

import pytest

from voice.reasons import ended_by, taken_by, told

TAKEN = "final+silence 560 ms (550 needed: no known end)"


def test_a_line_keeps_what_took_the_turn_and_what_ended_it() -> None:
    line = told(TAKEN, "barge-in")
    assert (taken_by(line), ended_by(line)) == (TAKEN, "barge-in")


@pytest.mark.parametrize(("taken", "ended"), [("", "barge-in"), (TAKEN, "")])
def test_half_a_line_is_what_is_known(taken: str, ended: str) -> None:
    assert told(taken, ended) == (taken or ended)
    assert taken_by(told(taken, ended)) == (taken or ended)
