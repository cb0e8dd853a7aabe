from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.report_waterfall import waterfall_svg
from tests.simulation.report_samples import STAGES, turn


def test_every_step_has_a_bar_and_its_milliseconds() -> None:
    root = ElementTree.fromstring(waterfall_svg(turn()))
    assert len(root.findall("rect")) == 8
    labels = [text.text for text in root.findall("text") if text.get("class") == "ms"]
    assert labels == ["120 ms", "200 ms", "250 ms", "100 ms", "30 ms", "69 ms", "2 ms", "48 ms"]
    assert "heard after 510 ms" in (root.get("aria-label") or "")


def test_a_turn_without_stages_has_no_picture() -> None:
    assert waterfall_svg(turn(stages={})) == ""


@settings(max_examples=25)
@given(
    st.dictionaries(st.sampled_from(list(STAGES)), st.floats(-100, 100)),
    st.none() | st.floats(0, 100),
)
def test_bars_stay_in_the_picture(stages: dict[str, float], latency_s: float | None) -> None:
    svg = waterfall_svg(turn(stages=stages, response_latency_s=latency_s))
    if not svg:
        return
    for rect in ElementTree.fromstring(svg).findall("rect"):
        left, width = (float((rect.get(name) or "").rstrip("%")) for name in ("x", "width"))
        assert left >= 0
        assert left + width <= 100
    assert len(re.findall("<line", svg)) < 30
