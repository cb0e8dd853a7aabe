"""The composition root: ``serve run serve_app:app``.

Settings come from the environment (see ``docs/settings.md``). ``callcluster serve`` does the same
and first sets what Ray Serve reads at import, so that HAProxy carries the audio.
"""

from __future__ import annotations

from typing import Any

from ray import serve

from cluster.ingress import build_deployment
from cluster.settings import load_settings


def build_app(args: dict[str, Any]) -> serve.Application:
    """Settings, checked, to a Serve application. Raises ``cluster.errors.SettingsError``."""
    return build_deployment(load_settings(**args))


app = build_app({})
