"""Cancellations of the Speech SDK become typed errors; nothing is loaded before it is needed."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from providers.azure_sdk import error_of_cancellation, load_sdk
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)


@pytest.mark.parametrize(
    ("code", "details", "kind", "setting"),
    [
        (
            "AuthenticationFailure",
            "WebSocket upgrade failed: Authentication error (401). Please check ...",
            ProviderRefused,
            "AZURE_SPEECH_KEY",
        ),
        ("Forbidden", "", ProviderRefused, "AZURE_SPEECH_KEY"),
        ("BadRequest", "", ProviderRejected, "language"),
        ("TooManyRequests", "(429)", ProviderBusy, ""),
        ("ServiceTimeout", "", ProviderTimeout, ""),
        ("ServiceError", "upgrade failed (500)", ProviderUnavailable, ""),
        ("ServiceError", "upgrade failed: not found (404)", ProviderRejected, "AZURE_SPEECH_HOST"),
        ("ConnectionFailure", "code=111: ...", ProviderUnavailable, "AZURE_SPEECH_HOST"),
        ("RuntimeError", "0x13 SPXERR", ProviderUnavailable, ""),
        ("SomethingNew", "", ProviderUnavailable, ""),
        ("", "", ProviderUnavailable, ""),
    ],
)
def test_cancellations(code: str, details: str, kind: type[ProviderError], setting: str) -> None:
    error = error_of_cancellation(code, details, "AZURE_SPEECH_HOST")
    assert type(error) is kind
    assert error.setting == setting
    assert "upgrade" not in str(error)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ConnectionFailure", ProviderUnavailable),  # no such host
        ("ServiceRedirectPermanent", ProviderRejected),
        ("AuthenticationFailure", ProviderRefused),  # a host that does not know this key
    ],
)
def test_a_wrong_region_is_named(code: str, kind: type[ProviderError]) -> None:
    error = error_of_cancellation(code, "WebSocket upgrade failed (401)", "AZURE_SPEECH_REGION")
    assert type(error) is kind
    assert "AZURE_SPEECH_REGION" in str(error)


def test_a_missing_sdk_says_what_to_install(monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "azure.cognitiveservices.speech", None)
    with pytest.raises(ProviderUnavailable, match="pip install azure-cognitiveservices-speech"):
        load_sdk()
