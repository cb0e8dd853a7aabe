"""The calls of a replica as the watch has to know them, and what is done when it takes them away.

Whoever takes a call from a replica that hangs knows nothing of it but what the replica told: the
claims of the next ``action`` token. The carrier is told to ask ``action`` as if the stream had
ended, so that the one place where that is decided decides here too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from actors.stream_watch import WatchedCall
from cluster.back_office_parts import carrier_of
from cluster.call_places import RESUME_PATH, mint_action
from cluster.call_registry import LiveCall
from cluster.settings import Settings
from cluster.wall_clock import wall_clock_us
from telephony.errors import CarrierError, CarrierRefused, LocalProtocolError
from telephony.origin import PublicOrigin
from telephony.rest import CarrierRest
from telephony.stream_token import StreamClaims
from telephony.twiml_redirect import redirect

logger = logging.getLogger(__name__)

MOVE_WITHIN_S = 5.0
CALL_MOVER = "cluster.watched_calls:build_call_mover"


def watched(calls: Iterable[LiveCall]) -> list[dict[str, Any]]:
    """Calls in progress as plain data; each is with the actor that has it now.

    It is asked ten times a second. What was written of a call is kept until its mind moves: anew
    for a thousand calls, it would stop the loop that carries them for 35 ms each time.
    """
    found = []
    for call in calls:
        if call.claims is None:
            continue
        mind = call.driver.mind
        where = (mind.actor, mind.epoch)
        if call.told is None or call.told[0] != where:
            call.told = (where, _plain(call, call.claims, where))
        found.append(call.told[1])
    return found


def _plain(
    call: LiveCall, claims: StreamClaims, where: tuple[str, tuple[int, int]]
) -> dict[str, Any]:
    actor, epoch = where
    return {
        "call_id": call.call_id,
        "call_sid": call.call_sid,
        "epoch": list(epoch),
        "claims": asdict(replace(claims, actor=actor, minted_us=epoch[1])),
    }


class CallMover:
    """Has the carrier ask ``action`` for calls whose replica does not answer any more.

    Args:
        settings: Of the deployment.
        carrier: None when it is not configured: then such calls cannot be moved.
        clock_us: UTC microseconds.
    """

    def __init__(
        self, settings: Settings, carrier: CarrierRest | None, clock_us: Callable[[], int]
    ) -> None:
        self._secret = settings.signing_secret()
        self._origin = PublicOrigin.parse(settings.public_url)
        self._carrier = carrier
        self._clock_us = clock_us

    async def move(self, call: WatchedCall) -> bool:
        """Do it; what goes wrong is logged. Never raises.

        Returns:
            False when it may be tried again.
        """
        why = ""
        if self._carrier is None:
            why = "TWILIO_ACCOUNT_SID is not set"
        else:
            try:
                document = self.document(call.claims)
                async with asyncio.timeout(MOVE_WITHIN_S):
                    await self._carrier.update_call(call.call_sid, twiml=document)
            except CarrierRefused as error:
                why = "" if error.is_call_over or error.is_unknown else str(error)
            except (LocalProtocolError, TypeError) as error:
                why = str(error)
            except (CarrierError, TimeoutError) as error:  # busy, or away
                logger.error(
                    "call %s hangs and cannot be moved: %s", call.call_id, str(error) or "no answer"
                )
                return False
        if why:
            logger.error("call %s hangs and cannot be moved: %s", call.call_id, why)
        return True

    def document(self, claims: Mapping[str, Any]) -> str:
        """The TwiML that sends a call to ``action``. Raises ``TypeError`` for unknown claims."""
        token = mint_action(StreamClaims(**claims), self._secret, self._clock_us(), "")
        return redirect(self._origin.url(f"{RESUME_PATH}?s={token}"))


def build_call_mover(plain_settings: Mapping[str, Any]) -> CallMover:
    """Build it from the settings of the deployment; nothing is asked for that."""
    settings = Settings.from_plain(dict(plain_settings))
    return CallMover(settings, carrier_of(settings), wall_clock_us)
