"""``CALLCLUSTER_CALLS_PER_TENANT`` and ``CALLCLUSTER_TENANT_CALLS``."""

from __future__ import annotations

import pytest

from actors.tenant_leases import TenantLimit
from cluster.errors import SettingsError
from cluster.settings import Settings, read_settings
from cluster.tenant_limits import TenantLimits, checked_tenant_calls


def limits(**given: object) -> TenantLimits:
    settings = Settings(_env_file=None, **given)
    return TenantLimits(settings.calls_per_tenant, settings.tenant_calls)


def test_no_tenant_has_a_limit_unless_one_is_set() -> None:
    assert limits().of("acme") is None
    assert limits().room("acme", 9_999) is None


def test_a_tenant_s_own_limit_comes_before_that_of_all() -> None:
    found = limits(calls_per_tenant=10, tenant_calls=" acme=20,beta=0\n default=5 ")
    assert found.of("acme") == TenantLimit("acme", 20)
    assert found.of("beta") is None
    assert found.of("default") == TenantLimit("default", 5)
    assert found.of("somebody") == TenantLimit("somebody", 10)
    assert (found.room("default", 3), found.room("default", 9)) == (2, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("acme", "write the tenant and its calls at once"),
        ("acme=-1", "write the tenant"),
        ("acme=many", "write the tenant"),
        ("_acme=1", "write the tenant"),
        ("acme=1 acme=2", "acme stands there twice"),
    ],
)
def test_says_what_is_wrong_with_it(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        checked_tenant_calls(text)
    with pytest.raises(SettingsError, match=f"CALLCLUSTER_TENANT_CALLS: .*{said}"):
        read_settings(_env_file=None, tenant_calls=text)


def test_the_limit_of_all_names_its_setting_when_it_is_wrong() -> None:
    with pytest.raises(SettingsError, match="CALLCLUSTER_CALLS_PER_TENANT"):
        read_settings(_env_file=None, calls_per_tenant=-1)
