"""Errors cross processes, so they pickle; and they say what to look at."""

from __future__ import annotations

import pickle

import pytest

from providers import errors

KINDS = [
    errors.ProviderError,
    errors.ProviderUnavailable,
    errors.ProviderTimeout,
    errors.ProviderBusy,
    errors.ProviderRefused,
    errors.ProviderRejected,
    errors.ProviderProtocolError,
]


@pytest.mark.parametrize("kind", KINDS)
def test_pickles_whole(kind: type[errors.ProviderError]) -> None:
    error = pickle.loads(pickle.dumps(kind("no", "azure", "AZURE_SPEECH_KEY", 2.5)))
    assert type(error) is kind
    assert vars(error) == vars(kind("no", "azure", "AZURE_SPEECH_KEY", 2.5))
    assert str(error) == "azure: no (look at AZURE_SPEECH_KEY)"


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_a_person_must_change_is_not_retryable(kind: type[errors.ProviderError]) -> None:
    final = (errors.ProviderRefused, errors.ProviderRejected)
    assert kind().retryable == (not issubclass(kind, final))
