from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from simulation.report import render_report, write_report
from simulation.report_data import DemoCall, DemoReport
from tests.simulation.report_samples import call, report, turn

_VOID = {"meta", "link", "br", "img", "input", "hr"}


class Outline(HTMLParser):
    """Checks that tags nest, and gathers what they point at and what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}
        self.targets: list[str] = []
        self.ids: list[str] = []
        self.classes: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        for name, value in attrs:
            if name in {"src", "href"}:
                self.targets.append(value or "")
            if name == "id":
                self.ids.append(value or "")
            if name == "class":
                self.classes.append(value or "")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.words += data + " "


def outline(html: str) -> Outline:
    read = Outline()
    read.feed(html)
    read.close()
    assert read.open == []
    return read


def test_one_page_needs_nothing_from_outside() -> None:
    html = render_report(report(call(), call(caller_name="Ben")))
    read = outline(html)
    assert [target[:5] for target in read.targets] == ["#call", "#call", "data:", "data:"]
    assert {target[1:] for target in read.targets if target[0] == "#"} == set(read.ids)
    assert not re.search(r"https?://|@import|url\(", html)
    assert read.counts["audio"] == 2


def test_says_who_said_what_and_how_long_it_took() -> None:
    words = outline(render_report(report(title="Two calls", facts=(("Model", "emulated"),)))).words
    for expected in ("Two calls", "Amelia", "Is it open?", "Yes, until six", "510 ms", "Model"):
        assert expected in words


def test_an_interrupted_reply_shows_what_was_not_heard_and_when() -> None:
    cut = turn(interrupted=True, heard_text="Yes, until", barge_in_at_s=1.7)
    read = outline(render_report(report(call(cut))))
    assert read.counts["s"] == 1
    assert "barge" in read.classes
    assert "interrupted" in read.words


def test_nothing_said_can_change_the_page() -> None:
    evil = "<script>alert(1)</script>\" onclick='x' &"
    html = render_report(
        report(
            call(
                turn(caller_text=evil, agent_text=evil, heard_text=evil),
                caller_name=evil,
                agent_name=evil,
                call_id=evil,
                language=evil,
                protocol_errors=(evil,),
            ),
            title=evil,
            subtitle=evil,
            facts=((evil, evil),),
        )
    )
    read = outline(html)
    assert read.counts["script"] == 1
    assert evil in read.words
    assert not re.search(r"<[^>]* onclick='x'", html)


@pytest.mark.parametrize("language", ["zh-HK", "ar-EG"])
def test_other_scripts_are_marked_with_their_language(language: str) -> None:
    html = render_report(report(call(turn(caller_text="早晨 مرحبا"), language=language)))
    assert f'lang="{language}" dir="auto">早晨 مرحبا' in html


def test_a_call_in_which_nothing_happened_is_drawn_too() -> None:
    silence = np.zeros(0, np.int16)
    nothing = DemoCall("id", "en", "Nobody", 0, (), silence, silence)
    assert "–" in outline(render_report(DemoReport((nothing,)))).words


def test_a_run_without_calls_is_a_page_too() -> None:
    assert outline(render_report(DemoReport(()))).counts["h1"] == 1


def test_turns_without_times_are_listed_but_not_drawn() -> None:
    bare = turn(caller_start_s=None, agent_end_s=None, response_latency_s=None, stages={})
    read = outline(render_report(report(call(bare))))
    assert "block" not in read.classes
    assert "Is it open?" in read.words


def test_writing_makes_the_directory_and_survives_any_text(tmp_path: Path) -> None:
    path = write_report(report(title="lone \ud800"), tmp_path / "out" / "report.html")
    assert path.read_text("utf-8").startswith("<!doctype html>")
