"""What people read of the named actors in Ray's dashboard."""

from __future__ import annotations

import pytest

from actors.actor_repr import MOST_CHARACTERS, actor_repr
from actors.back_office import BackOffice
from actors.call_actor import CallActor
from actors.directory_actor import CallDirectoryActor
from actors.metrics_actor import MetricsActor
from actors.provider_health_actor import ProviderHealthActor
from actors.semantic_cache_actor import SemanticCacheActor

SECRETS = {
    "twilio_auth_token": "a-token-of-theirs",
    "twilio_from_number": "+14155550123",
    "calls_per_actor": 50,
    "release": "1700000000-abcdef",
}


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (("Kind",), "Kind"),
        (("Kind", ""), "Kind"),
        (("Kind", "one", "", "two"), "Kind: one, two"),
        (("Kind", "a\nb\x1b[31m"), "Kind: a?b?[31m"),
    ],
)
def test_one_printable_line(told: tuple[str, ...], line: str) -> None:
    assert actor_repr(*told) == line


def test_a_long_one_is_cut() -> None:
    line = actor_repr("Kind", "x" * 200)
    assert len(line) == MOST_CHARACTERS
    assert line.endswith("x...")


@pytest.mark.parametrize(
    ("actor", "line"),
    [
        (
            CallActor("call-actor-v1-ab", "module:function", SECRETS),
            "CallActor: thinks for up to 50 calls, release 1700000000-abcdef",
        ),
        (CallActor("call-actor-v1-ab", "module:function", {}), "CallActor"),
        (
            CallDirectoryActor({}, None, ("module:function", SECRETS)),
            "CallDirectory: keeps the pool of CallActors, leases their seats",
        ),
        (
            ProviderHealthActor(),
            "ProviderHealth: keeps breakers and quotas of all providers, probes idle ones",
        ),
        (
            ProviderHealthActor(probes_idle=False),
            "ProviderHealth: keeps breakers and quotas of all providers",
        ),
        (
            SemanticCacheActor("module:function", SECRETS, 1),
            "SemanticCache: owns cached answers, shard 1",
        ),
        (
            BackOffice("module:function", SECRETS),
            "BackOffice: dials, tidies up, watches the ingress replicas",
        ),
    ],
)
def test_each_says_what_it_is_and_no_secret(actor: object, line: str) -> None:
    assert repr(actor) == line


def test_so_does_the_one_that_needs_ray_to_be_made() -> None:
    assert repr(object.__new__(MetricsActor)) == "Metrics: adds up what all processes measured"
