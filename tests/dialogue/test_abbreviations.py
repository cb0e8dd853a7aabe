"""Judging full stops."""

from __future__ import annotations

import pytest

from dialogue.abbreviations import StopReader


@pytest.mark.parametrize(
    ("language", "before", "verdict"),
    [
        ("en-US", "I see", "cut"),
        ("en-US", "Ask Dr", "keep"),
        ("en-US", "in the U.S", "keep"),
        ("en-US", "at N.A.S.A", "keep"),
        ("en-US", "at 5 p.m", "cut_before_capital"),
        ("en-US", "Well..", "cut_before_capital"),
        ("en-US", "No", "keep_before_digit"),
        ("en-US", "It is 5", "keep_before_digit"),
        ("en-US", "1", "keep"),
        ("en-US", "1. Red 2", "keep"),
        ("en-US", "Mr. J", "keep"),
        ("en-US", "So do I", "cut"),
        ("en-US", "", "cut"),
        ("en-US", '"', "cut"),
        ("de-DE", "am 3", "keep"),
        ("de-DE", "z. B", "keep"),
        ("es-ES", "la Sra", "keep"),
        ("zh-HK", "你好Dr", "keep"),
        ("", "Dr", "keep"),
    ],
)
def test_verdicts(language: str, before: str, verdict: str) -> None:
    assert StopReader(language).judge(before) == verdict
