"""Which languages the carrier's own voice speaks."""

from __future__ import annotations

import pytest

from telephony.say_languages import say_language


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en-US", "en-US"),
        ("en-NZ", "en-US"),
        ("es-MX", "es-MX"),
        ("es-AR", "es-ES"),
        ("zh-HK", "zh-HK"),
        ("yue-CN", "zh-HK"),
        ("zh-MO", "zh-HK"),
        ("zh-SG", "zh-CN"),
        ("no-NO", "nb-NO"),
        ("ms-MY", ""),
        ("tlh", ""),
    ],
)
def test_a_tag_is_named_as_the_carrier_names_it(tag: str, code: str) -> None:
    assert say_language(tag) == code
