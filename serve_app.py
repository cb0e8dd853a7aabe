"""The composition root: ``serve run serve_app:app``.

Settings come from the environment (see ``docs/settings.md``). ``callcluster serve`` does the same
and first sets what Ray Serve reads at import, so that HAProxy carries the audio.
"""

from __future__ import annotations

import time
from typing import Any

import ray
from ray import serve

from actors.named import deployed_release
from cluster.ingress import build_deployment
from cluster.release import released
from cluster.settings import load_settings


def build_app(args: dict[str, Any]) -> serve.Application:
    """Settings, checked, to a Serve application. Raises ``cluster.errors.SettingsError``."""
    settings = load_settings(**args)
    return build_deployment(released(settings, _running_release, time.time()))


def _running_release() -> str:
    """What the cluster runs; nothing is known where this is built outside of one."""
    return deployed_release() if ray.is_initialized() else ""


app = build_app({})
