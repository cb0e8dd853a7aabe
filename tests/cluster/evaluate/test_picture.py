"""The picture of latency against turns cut."""

from __future__ import annotations

import re

from cluster.evaluate.picture import PEERS, Line, Mark, picture


def test_nobody_is_drawn_quicker_than_he_is() -> None:
    svg = picture([Line("all", (Mark(700.0, 4.0, 2.0, 6.0, "all"),))], across="ms")
    written = [float(text) for text in re.findall(r">(\d+)</text>", svg)]
    assert max(written) >= max(slower for _, _, slower in PEERS)
