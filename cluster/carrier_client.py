"""The carrier's REST interface as the settings name it."""

from __future__ import annotations

from cluster.settings import Settings
from telephony.rest import CarrierRest
from telephony.twilio_rest import TwilioRest, TwilioRestConfig


def open_carrier(settings: Settings) -> CarrierRest:
    """A client of the account in the settings; close it after use.

    Raises:
        telephony.errors.InvalidSetting: TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN or
            TWILIO_API_BASE_URL cannot be used.
    """
    return TwilioRest(
        TwilioRestConfig(
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token.get_secret_value(),
            base_url=settings.twilio_api_base_url,
        )
    )
