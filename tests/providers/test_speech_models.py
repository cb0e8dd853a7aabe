"""What of the settings belongs to the name of a clip."""

from __future__ import annotations

from providers.settings import ElevenLabsConfig, OpenAITtsConfig, ProviderSettings
from providers.socket_settings import CartesiaConfig
from providers.speech_models import speech_model, speech_models
from providers.table import SPEAKERS


def test_every_speaker_that_has_settings_is_there() -> None:
    assert set(speech_models(ProviderSettings())) == set(SPEAKERS) - {"tone"}


def test_no_key_is_in_it() -> None:
    known = ProviderSettings(
        elevenlabs=ElevenLabsConfig("secret", "https://me:secret@voice.example/x/?key=secret"),
        cartesia=CartesiaConfig("secret", "https://voice.example"),
        openai_tts=OpenAITtsConfig("secret", "http://me:secret@voice.example:8880/v1"),
    )
    found = speech_models(known)
    assert "secret" not in str(found)
    assert found["elevenlabs"] == "eleven_flash_v2_5 voice.example/x"
    assert found["openai"] == "gpt-4o-mini-tts voice.example:8880/v1 24000 Hz"


def test_who_has_no_choice_of_models_is_called_by_its_name() -> None:
    known = ProviderSettings(cartesia=CartesiaConfig(model="sonic-3"))
    assert speech_model("cartesia", known) == "sonic-3"
    assert speech_model("espeak", known) == "espeak"
