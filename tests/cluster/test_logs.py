"""Lines of the log that strangers can cause."""

from __future__ import annotations

from cluster.logs import SeldomLine


def test_strangers_cannot_fill_the_log_and_nothing_goes_uncounted() -> None:
    said: list[str] = []
    now = [100.0]
    line = SeldomLine(said.append, lambda: now[0], every_s=10.0)
    for step in range(25):
        now[0] = 100.0 + step
        line("refused")
    again = "refused (9 more since the last line)"
    assert said == ["refused", again, again]
    now[0] = 200.0
    line("refused")
    assert said[3:] == ["refused (4 more since the last line)"]
    now[0] = 300.0
    line("refused")
    assert said[4:] == ["refused"]
