"""A carrier's account on paper: its numbers, and what was asked of it."""

from __future__ import annotations

from typing import Literal

from telephony.rest import (
    CallRecording,
    CarrierAccount,
    CarrierCall,
    CarrierNumber,
    CreateCall,
)


class PaperCarrier:
    """A ``telephony.rest.CarrierRest`` that owns numbers and places no calls.

    Attributes:
        urls: Voice and status URL that were set, by sid of the number.
        fallbacks: Fallback URL that was set, likewise.
        failure: Raised by everything from now on.
    """

    def __init__(self, *numbers: CarrierNumber, account: CarrierAccount | None = None) -> None:
        self._numbers = {number.number: number for number in numbers}
        self._account = account or CarrierAccount(sid="AC1", status="active", type="Full")
        self.urls: dict[str, tuple[str, str]] = {}
        self.fallbacks: dict[str, str] = {}
        self.failure: Exception | None = None
        self.closed = False

    async def find_number(self, number: str) -> CarrierNumber | None:
        self._fail()
        return self._numbers.get(number)

    async def set_number_urls(
        self, number_sid: str, *, voice_url: str, status_url: str, fallback_url: str | None = None
    ) -> None:
        self._fail()
        self.urls[number_sid] = (voice_url, status_url)
        if fallback_url is not None:
            self.fallbacks[number_sid] = fallback_url

    async def check_account(self) -> CarrierAccount:
        self._fail()
        return self._account

    async def close(self) -> None:
        self.closed = True

    async def create_call(self, call: CreateCall) -> str:
        raise NotImplementedError

    async def update_call(
        self, call_sid: str, *, twiml: str = "", status: Literal["", "completed", "canceled"] = ""
    ) -> None:
        raise NotImplementedError

    async def fetch_call(self, call_sid: str) -> CarrierCall:
        raise NotImplementedError

    async def start_recording(self, call_sid: str, recording: CallRecording | None = None) -> str:
        raise NotImplementedError

    async def delete_recording(self, recording_sid: str) -> bool:
        raise NotImplementedError

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure
