"""What HAProxy is told: what Serve's configuration lacks, and what a stand-in does without."""

from __future__ import annotations

import pytest

from cluster.haproxy_configs import kept_config, stand_in
from tests.support.haproxy_config import CONFIG

ASKED_AGAIN = """    retry-on conn-failure empty-response junk-response
    http-request wait-for-body time 3s if METH_POST { path_beg /twilio/ }
    http-request disable-l7-retry if !METH_GET !{ path_beg /twilio/ }
"""
WATCHED_BY_US = """    acl of_call path_beg /twilio/
    acl socket hdr(upgrade) -i websocket
    http-request set-header x-request-disconnect-disabled ?1 if of_call socket
    http-request set-log-level silent if { path_beg /twilio/relay/ }
"""


def test_a_stand_in_has_everything_but_what_its_successor_is_known_by() -> None:
    found = stand_in(
        CONFIG.format(admin="/x/admin.sock", metrics=1, port=8_000, stats=2, state="/x")
    )
    assert found is not None
    assert (found.host, found.port, found.admin) == ("127.0.0.1", 8_000, "/x/admin.sock")
    text = found.text.format(fd=7)
    assert "bind fd@7\n" in text
    assert 'string "a {b}"' in text
    for gone in ("stats socket", "prometheus", "listen stats", "server-state", ":8000"):
        assert gone not in text
    assert "stats timeout 30s" in text


def test_a_replica_whose_node_is_gone_is_given_up_once() -> None:
    config = CONFIG.format(admin="/x", metrics=1, port=8_000, stats=2, state="/x")
    kept = kept_config(config)
    assert "    server gone 127.0.0.1:1 check tcp-ut 2000ms\n" in kept
    assert kept_config(kept) == kept
    assert "defaults\n    timeout http-request 5000ms\n    timeout check 750ms\n" in kept
    assert "    http-reuse never\n" in kept
    times = ("    timeout check 750ms\n", "    timeout http-request 5000ms\n")
    for ours in (" tcp-ut 2000ms", *times, ASKED_AGAIN, WATCHED_BY_US):
        assert ours in kept
        kept = kept.replace(ours, "")
    assert kept.replace("http-reuse never", "http-reuse always") == config


def test_how_long_half_a_request_is_waited_for_may_be_chosen() -> None:
    config = "defaults\n    timeout check 1s\n    timeout http-request 9s\nfrontend x\n"
    assert kept_config(config) == config
    # Of another section it says nothing.
    config = "defaults\n    timeout check 1s\nfrontend x\n    timeout http-request 9s\n"
    assert "defaults\n    timeout http-request 5000ms\n" in kept_config(config)


@pytest.mark.parametrize("config", ["", "global\n", "frontend http_frontend\n    bind :1\n"])
def test_where_the_address_or_the_admin_socket_is_not_found_nobody_stands_in(config: str) -> None:
    assert stand_in(config) is None
