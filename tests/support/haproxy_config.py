"""A configuration like those that Ray Serve writes for HAProxy."""

from __future__ import annotations

CONFIG = """global
    stats socket {admin} mode 666 level admin expose-fd listeners
    stats timeout 30s
    maxconn 100
    server-state-base {state}
    server-state-file {state}/state
defaults
    mode http
    timeout connect 1s
    timeout client 10s
    timeout server 10s
    load-server-state-from-file global
frontend prometheus
    bind :{metrics}
    no log
frontend http_frontend
    bind 127.0.0.1:{port}
    http-request return status 200 content-type text/plain string "a {{b}}"
backend replicas
    http-reuse always
    default-server inter 1s fall 2
    server gone 127.0.0.1:1 check
listen stats
  bind *:{stats}
"""
