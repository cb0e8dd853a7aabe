"""What a provider serves, as far as is known."""

from __future__ import annotations

import pytest

from providers.capabilities import Capabilities


@pytest.mark.parametrize(
    ("capabilities", "language", "served"),
    [
        (Capabilities(), "en-US", True),
        (Capabilities(languages=("en", "zh")), "zh-CN", True),
        (Capabilities(languages=("en", "zh")), "fr-FR", False),
        (Capabilities(not_languages=("zh-HK", "yue")), "zh-hk", False),
        (Capabilities(not_languages=("zh-HK", "yue")), "yue-CN", False),
        (Capabilities(not_languages=("zh-HK", "yue")), "zh-CN", True),
    ],
)
def test_serves(capabilities: Capabilities, language: str, served: bool) -> None:
    assert capabilities.serves(language) == served
