from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.azure_stt import AzureConfig, turn_settings

CONFIG = AzureConfig()
FIELDS = (
    "phraseDetection",
    "mode",
    "CONVERSATION",
    "segmentation",
    "segmentationSilenceTimeoutMs",
    "initialSilenceTimeout",
    "phraseOutput",
    "format",
    "detailed",
    "options",
    "continuation",
    "audio",
    "streams",
    "offset",
    "languageId",
    "languages",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def test_the_context_of_the_new_path_holds_everything() -> None:
    context = {
        "phraseDetection": {
            "language": "zh-HK",
            "mode": "CONVERSATION",
            "CONVERSATION": {
                "segmentation": {"mode": "Custom", "segmentationSilenceTimeoutMs": 300}
            },
            "initialSilenceTimeout": 4_000,
        },
        "phraseOutput": {"format": "Detailed", "detailed": {"options": ["WordTimings"]}},
        "continuation": {"audio": {"streams": {"1": {"offset": "10000000"}}}},
    }
    settings_ = turn_settings(context, {}, CONFIG)
    assert settings_.languages == ("zh-HK",)
    assert settings_.segmentation_silence_s == pytest.approx(0.3)
    assert settings_.initial_silence_s == pytest.approx(4.0)
    assert settings_.shape.detailed
    assert settings_.shape.word_times
    assert settings_.base == 10_000_000


def test_the_query_of_the_old_path_counts() -> None:
    query = {"language": "de-DE", "format": "detailed", "initialSilenceTimeoutMs": "2500"}
    settings_ = turn_settings({}, query, CONFIG)
    assert settings_.languages == ("de-DE",)
    assert settings_.shape.detailed
    assert settings_.initial_silence_s == pytest.approx(2.5)
    assert settings_.segmentation_silence_s == CONFIG.segmentation_silence_s


@settings(max_examples=20)
@given(st.dictionaries(st.text(max_size=4) | st.sampled_from(FIELDS), JSON, max_size=3))
def test_odd_contexts_are_passed_over(context: dict[str, object]) -> None:
    assert turn_settings(context, {}, CONFIG).languages
