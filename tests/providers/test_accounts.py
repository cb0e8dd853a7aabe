"""Where and as whom providers are asked."""

from __future__ import annotations

import pytest

from providers.accounts import account_at, account_of
from providers.health.unit import NO_ACCOUNT, Account, credential_label
from providers.settings import AzureSpeechConfig, ProviderSettings
from providers.table import CAPABILITIES
from tests.providers.test_table import KEYED

ON_THIS_MACHINE = {
    ("recogniser", "scripted"),
    ("recogniser", "pocketsphinx"),
    ("thinker", "scripted"),
    ("speaker", "espeak"),
    ("speaker", "tone"),
}


@pytest.mark.parametrize(("kind", "name"), sorted(set(CAPABILITIES) - ON_THIS_MACHINE))
def test_a_vendor_is_known_by_place_and_key(kind: str, name: str) -> None:
    account = account_of(kind, name, KEYED)
    assert account.region
    assert len(account.credential) == len(credential_label("k"))


@pytest.mark.parametrize(("kind", "name"), sorted(ON_THIS_MACHINE))
def test_what_runs_here_has_no_account(kind: str, name: str) -> None:
    assert account_of(kind, name, KEYED) == NO_ACCOUNT


def test_a_host_of_ones_own_stands_before_the_region() -> None:
    azure = AzureSpeechConfig(key="k", region="westeurope", host="wss://speech.example:5000/x")
    found = account_of("recogniser", "azure", ProviderSettings(azure=azure))
    assert found == Account("speech.example:5000", credential_label("k"))


def test_nobody_learns_a_key_from_an_account() -> None:
    found = account_at("https://user:pass@api.example.com/v1", "sk-secret")
    assert found == Account("api.example.com", credential_label("sk-secret"))
    assert "secret" not in repr(found)
