"""``CarrierRest`` with Twilio's own client, over an HTTP client that does not block the loop.

Rules
- One time limit for a request, connecting included; nothing is asked twice.
- The carrier's words go on in errors, phone numbers left out of them.
- A sid is checked before it becomes part of a path.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from twilio.base import values
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.base.version import Version
from twilio.http.response import Response
from twilio.rest import Client

from telephony.errors import (
    CarrierRefused,
    CarrierUnreachable,
    InvalidCall,
    InvalidSetting,
)
from telephony.phone_number import check_e164
from telephony.rest import (
    MAX_INLINE_TWIML_CHARS,
    CallRecording,
    CarrierAccount,
    CarrierCall,
    CarrierNumber,
    CreateCall,
)
from telephony.twilio_http import HttpTransport, TwilioHttp

_ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
# A number in a sentence of Twilio's: whoever reads the log has no need of it.
_NUMBER = re.compile(r"(?<![0-9A-Za-z])\+?[0-9][0-9 ().-]{5,}[0-9](?![0-9A-Za-z])")
_MAX_MESSAGE_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioRestConfig:
    """The account, and how to reach its REST interface.

    Attributes:
        account_sid: ``AC`` and 32 hexadecimal digits.
        auth_token: The account's token; or the secret of ``api_key_sid``.
        api_key_sid: ``SK...``, when a key is used instead of the account's own token.
        base_url: Another address than Twilio's, such as an emulator's; Twilio's own when empty.
        timeout_s: For one request, connecting included.
        max_connections: Requests at the same time; more wait in line.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    api_key_sid: str = ""
    base_url: str = ""
    timeout_s: float = 10.0
    max_connections: int = 20

    def __post_init__(self) -> None:
        if _ACCOUNT_SID.fullmatch(self.account_sid) is None:
            raise InvalidSetting("AC and 32 hexadecimal digits", "TWILIO_ACCOUNT_SID")
        if not self.auth_token:
            raise InvalidSetting("is empty", "TWILIO_AUTH_TOKEN")
        if self.base_url:
            try:
                parts = urlsplit(self.base_url)
                is_absolute = parts.scheme in {"http", "https"} and bool(parts.hostname)
            except ValueError:
                is_absolute = False
            if not is_absolute:
                raise InvalidSetting("write it as http(s)://HOST:PORT", "TWILIO_API_BASE_URL")


class TwilioRest:
    """Twilio's REST interface; a ``telephony.rest.CarrierRest``.

    Args:
        config: See ``TwilioRestConfig``.
        http: Carries the requests; the network unless a test brings its own.
    """

    def __init__(self, config: TwilioRestConfig, http: HttpTransport | None = None) -> None:
        self._config = config
        self._http = http or TwilioHttp(config.base_url, config.timeout_s, config.max_connections)
        client = Client(
            config.api_key_sid or config.account_sid,
            config.auth_token,
            config.account_sid,
            http_client=self._http,
        )
        # Generated code without types: everything below it is Any.
        self._account: Any = client.api.v2010.accounts(config.account_sid)

    async def create_call(self, call: CreateCall) -> str:
        """See ``CarrierRest``."""
        return _sid(await self._ask(lambda: self._account.calls.create_async(**_call_fields(call))))

    async def update_call(
        self, call_sid: str, *, twiml: str = "", status: Literal["", "completed", "canceled"] = ""
    ) -> None:
        """See ``CarrierRest``."""
        if bool(twiml) == bool(status):
            raise InvalidCall("twiml: give either twiml or status", "twiml")
        if len(twiml) > MAX_INLINE_TWIML_CHARS:
            raise InvalidCall(f"twiml: at most {MAX_INLINE_TWIML_CHARS} characters", "twiml")
        context = self._call(call_sid)
        change = {"twiml": twiml} if twiml else {"status": status}
        await self._ask(lambda: context.update_async(**change))

    async def fetch_call(self, call_sid: str) -> CarrierCall:
        """See ``CarrierRest``."""
        context = self._call(call_sid)
        found = await self._ask(context.fetch_async)
        return CarrierCall(
            sid=_sid(found),
            status=found.status or "",
            direction=found.direction or "",
            to=found.to or "",
            from_=getattr(found, "_from", "") or "",
            answered_by=found.answered_by or "",
            duration_s=_whole(found.duration),
            price=found.price or "",
            price_unit=found.price_unit or "",
            parent_call_sid=found.parent_call_sid or "",
        )

    async def start_recording(self, call_sid: str, recording: CallRecording | None = None) -> str:
        """See ``CarrierRest``."""
        context = self._call(call_sid)
        recording = recording or CallRecording()
        fields: dict[str, Any] = {"recording_channels": recording.channels}
        if recording.callback_url:
            fields["recording_status_callback"] = recording.callback_url
        return _sid(await self._ask(lambda: context.recordings.create_async(**fields)))

    async def delete_recording(self, recording_sid: str) -> bool:
        """See ``CarrierRest``."""
        context = self._account.recordings(_checked_sid(recording_sid, "RE"))
        try:
            await self._ask(context.delete_async)
        except CarrierRefused as error:
            if error.is_unknown:
                return False
            raise
        return True

    async def find_number(self, number: str) -> CarrierNumber | None:
        """See ``CarrierRest``."""
        check_e164(number)
        listed = self._account.incoming_phone_numbers
        # The carrier's filter also matches parts of numbers.
        for found in await self._ask(lambda: listed.list_async(phone_number=number, limit=50)):
            if found.phone_number == number:
                return CarrierNumber(
                    sid=_sid(found),
                    number=number,
                    voice_url=found.voice_url or "",
                    voice_method=found.voice_method or "POST",
                    voice_fallback_url=found.voice_fallback_url or "",
                    status_callback=found.status_callback or "",
                )
        return None

    async def set_number_urls(
        self, number_sid: str, *, voice_url: str, status_url: str, fallback_url: str | None = None
    ) -> None:
        """See ``CarrierRest``."""
        context = self._account.incoming_phone_numbers(_checked_sid(number_sid, "PN"))
        spare = (
            {}
            if fallback_url is None
            else {"voice_fallback_url": fallback_url, "voice_fallback_method": "POST"}
        )
        await self._ask(
            lambda: context.update_async(
                voice_url=voice_url,
                voice_method="POST",
                status_callback=status_url,
                status_callback_method="POST",
                **spare,
            )
        )

    async def check_account(self) -> CarrierAccount:
        """See ``CarrierRest``."""
        found = await self._ask(self._account.fetch_async)
        return CarrierAccount(sid=_sid(found), status=found.status or "", type=found.type or "")

    async def close(self) -> None:
        """See ``CarrierRest``."""
        await self._http.close()

    def _call(self, call_sid: str) -> Any:
        return self._account.calls(_checked_sid(call_sid, "CA"))

    async def _ask(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Do it within the time limit, with errors of our own kind."""
        try:
            async with asyncio.timeout(self._config.timeout_s):
                return await ask()
        except TimeoutError:
            # Only a connection that was made can be slow; to make one has a shorter limit.
            raise CarrierUnreachable(
                f"Twilio did not answer in {self._config.timeout_s:g} s", True
            ) from None
        except (TwilioRestException, TwilioServiceException) as error:
            raise _refusal(error) from None
        except TwilioException as error:
            raise _list_refusal(error) from None
        except (ValueError, TypeError, AttributeError) as error:
            # The client's parser: HTTP 2xx, but no JSON, or not the object it should be.
            raise CarrierUnreachable(
                f"Twilio's answer cannot be read ({type(error).__name__})", True
            ) from None


def _call_fields(call: CreateCall) -> dict[str, Any]:
    """The arguments of the client's ``create``; what is absent is not sent at all."""
    unset = values.unset
    fields: dict[str, Any] = {
        "to": call.to,
        "from_": call.from_,
        "url": call.url or unset,
        "twiml": call.twiml or unset,
        "timeout": call.timeout_s,
        "time_limit": unset if call.time_limit_s is None else call.time_limit_s,
        "send_digits": call.send_digits or unset,
    }
    if call.status_callback:
        fields["status_callback"] = call.status_callback
        fields["status_callback_event"] = list(call.status_events)
    if call.recording is not None:
        fields["record"] = True
        fields["recording_channels"] = call.recording.channels
        fields["recording_status_callback"] = call.recording.callback_url or unset
    detection = call.machine_detection
    if detection is not None:
        fields["machine_detection"] = detection.mode
        fields["machine_detection_timeout"] = detection.timeout_s or unset
        if detection.is_async:
            # A string: that is how the client wants this one.
            fields["async_amd"] = "true"
            fields["async_amd_status_callback"] = detection.callback_url
    return fields


def _refusal(error: TwilioRestException | TwilioServiceException) -> CarrierRefused:
    text = error.msg if isinstance(error, TwilioRestException) else error.detail or error.title
    message = _NUMBER.sub("(a number)", str(text))[:_MAX_MESSAGE_CHARS]
    code = error.code if isinstance(error.code, int) else error.status
    return CarrierRefused(message, code, error.status)


def _list_refusal(error: TwilioException) -> CarrierRefused | CarrierUnreachable:
    """What the client makes of a list that it does not get: the answer, without looking at it."""
    answer = error.args[1] if len(error.args) > 1 else None
    if not isinstance(answer, Response):
        return CarrierUnreachable("Twilio's client gave up", True)
    return _refusal(Version.exception("GET", "", answer, "no list"))


def _checked_sid(sid: str, prefix: str) -> str:
    """A sid that may stand in a path."""
    if re.fullmatch(prefix + "[0-9a-f]{32}", sid) is None:
        raise InvalidCall(f"sid: {prefix} and 32 hexadecimal digits", "sid")
    return sid


def _sid(found: Any) -> str:
    if not isinstance(found.sid, str) or not found.sid:
        raise CarrierUnreachable("Twilio's answer holds no sid", True)
    return found.sid


def _whole(text: object) -> int | None:
    is_number = isinstance(text, str) and text.isascii() and text.isdigit()
    return int(str(text)) if is_number else None
