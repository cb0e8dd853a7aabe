"""What a provider serves, as far as is known."""

from __future__ import annotations

import pytest

from providers.capabilities import Capabilities, Refusal


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


@pytest.mark.parametrize(
    ("capabilities", "voice", "refusal"),
    [
        (Capabilities(), "any", None),
        (Capabilities(languages=("de",)), "any", Refusal("language", "does not serve en-US")),
        (Capabilities(voices=("a", "b")), "b", None),
        (Capabilities(voices=("a", "b")), "", None),
        (
            Capabilities(voices=("a", "b")),
            "c",
            Refusal("voice", "has no voice 'c'; there are: a, b"),
        ),
        (Capabilities(voice_pattern="[a-z]+-x", voice_example="ann-x"), "bob-x", None),
        (
            Capabilities(voice_pattern="[a-z]+-x", voice_example="ann-x"),
            "bob",
            Refusal("voice", "has no voice 'bob'; its voices are named like ann-x"),
        ),
        (Capabilities(voice_pattern=r"(?P<locale>\w+-\w+)-\w+"), "en-GB-Ann", None),
        (
            Capabilities(voice_pattern=r"(?P<locale>\w+-\w+)-\w+"),
            "de-DE-Ann",
            Refusal("voice", "has de-DE-Ann for de-DE, not for en-US"),
        ),
        (
            Capabilities(voice_pattern=r"(?P<locale>\w+-\w+)-\w+", polyglot_pattern="All"),
            "de-DE-AnnAll",
            None,
        ),
    ],
)
def test_refusals(capabilities: Capabilities, voice: str, refusal: Refusal | None) -> None:
    assert capabilities.refusal("en-US", voice) == refusal


@pytest.mark.parametrize(
    ("locale", "language", "same"),
    [
        ("yue-CN", "zh-HK", True),
        ("zh-HK", "yue", True),
        ("zh-TW", "zh-CN", True),
        ("zh-CN", "zh-HK", False),
        ("nb-NO", "no", True),
        ("en-AU", "EN-us", True),
        ("pt-BR", "es-ES", False),
    ],
)
def test_one_tongue_may_have_several_tags(locale: str, language: str, same: bool) -> None:
    capabilities = Capabilities(voice_pattern=r"(?P<locale>\w+-\w+)-Ann")
    assert (capabilities.refusal(language, f"{locale}-Ann") is None) == same
