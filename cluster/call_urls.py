"""The URLs that the carrier asks about one call, each with the call's signed token."""

from __future__ import annotations

from collections.abc import Callable

from cluster.settings import Settings
from records.ids import derived_id
from telephony.call_token import CallClaims, mint_call_token, read_call_token
from telephony.origin import PublicOrigin

# A call may wait in our queue for a long time; its callbacks come until hours after its end.
TOKEN_LIFE_US = 7 * 24 * 3_600 * 1_000_000

VOICE_PATH = "/twilio/voice"
STATUS_PATH = "/twilio/status"
MACHINE_PATH = "/twilio/amd"
RECORDING_PATH = "/twilio/recording"


class CallUrls:
    """Makes and reads them.

    Args:
        settings: ``PUBLIC_URL`` and the secret of our tokens.
        wall_clock_us: UTC microseconds.
    """

    def __init__(self, settings: Settings, wall_clock_us: Callable[[], int]) -> None:
        self._origin = PublicOrigin.parse(settings.public_url)
        self._secret = settings.signing_secret()
        self._wall_clock_us = wall_clock_us

    def token(
        self,
        tenant_id: str,
        agent_id: str,
        call_id: str,
        direction: str,
        *,
        has_variables: bool = False,
    ) -> str:
        """A token for one call."""
        expires_us = self._wall_clock_us() + TOKEN_LIFE_US
        claims = CallClaims(tenant_id, agent_id, call_id, direction, expires_us, has_variables)
        return mint_call_token(claims, self._secret)

    def read(self, token: str) -> CallClaims:
        """Who is meant. Raises ``telephony.errors.TokenRefused``."""
        return read_call_token(token, (self._secret,), now_us=self._wall_clock_us())

    def url(self, path: str, token: str) -> str:
        """Our public address of ``path``, for the call of ``token``."""
        return self._origin.url(f"{path}?o={token}")


def inbound_call_id(call_sid: str) -> str:
    """Our id of a call that came in.

    Derived from the carrier's, so that a webhook that is repeated, by whatever replica it is
    answered, is the same call: it is counted once, has one seat and one record.
    """
    return derived_id("inbound_call", call_sid)
