"""What the dialer asks the carrier, and what the answers mean for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from actors.dialer_events import (
    CallAccepted,
    CallKey,
    CallRefused,
    CarrierWasAway,
    CarrierWasBusy,
)
from providers.traces import trace_of
from records.edge_rows import CallRequestRow
from telephony.errors import (
    CarrierRefused,
    CarrierThrottled,
    CarrierUnreachable,
    LocalProtocolError,
    TelephonyError,
)
from telephony.rest import CarrierRest, CreateCall

logger = logging.getLogger(__name__)

JITTER = 0.2
HANG_UP_TRIES = 8
HANG_UP_AGAIN_AFTER_S = 0.5  # doubles
WRONG_KEY = (
    "the carrier does not take our credentials: check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"
)

Answer = CallAccepted | CallRefused | CarrierWasBusy | CarrierWasAway


class CarrierQuestions:
    """Asks.

    Args:
        carrier: Whom.
        new_call: What is asked for. Raises ``LocalProtocolError``.
        random: A number from 0 to 1, for pauses that do not all end together.
    """

    def __init__(
        self,
        carrier: CarrierRest,
        new_call: Callable[[CallRequestRow], CreateCall],
        random: Callable[[], float],
    ) -> None:
        self._carrier = carrier
        self._new_call = new_call
        self._random = random

    async def place(self, row: CallRequestRow) -> Answer:
        """Have a call placed; raises nothing but a cancellation."""
        key: CallKey = (row.tenant_id, row.call_id)
        try:
            return CallAccepted(key, await self._carrier.create_call(self._new_call(row)))
        except CarrierThrottled as error:
            jitter = 1 + JITTER * self._random()
            return CarrierWasBusy(key, error.retry_after_s * jitter or None)
        except CarrierUnreachable as error:
            return CarrierWasAway(key, error.message, error.maybe_done)
        except CarrierRefused as error:
            if not error.is_wrong_key:
                return CallRefused(key, error.code, error.message)
            # No fault of this call: none is lost while somebody mends the setting.
            logger.error("no call is placed: %s", WRONG_KEY)
            return CarrierWasBusy(key, None, WRONG_KEY)
        except LocalProtocolError as error:
            return CallRefused(key, 0, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the request is not lost
            logger.error("call %s: the carrier's client failed: %s", row.call_id, trace_of(error))
            return CarrierWasAway(key, type(error).__name__, maybe_done=True)

    async def hang_up(self, call_id: str, call_sid: str) -> None:
        """End a call that somebody did not want any more while it was placed."""
        pause_s = HANG_UP_AGAIN_AFTER_S
        for left in reversed(range(HANG_UP_TRIES)):
            try:
                await self._carrier.update_call(call_sid, status="completed")
            except (CarrierThrottled, CarrierUnreachable) as error:
                if not left:
                    logger.error("call %s could not be ended: %s", call_id, error)
                    return
                await asyncio.sleep(pause_s)
                pause_s *= 2
            except TelephonyError as error:
                if not (isinstance(error, CarrierRefused) and error.is_call_over):
                    logger.error("call %s could not be ended: %s", call_id, error)
                return
            else:
                return
