"""Types of settings: what a value has to look like, said in words when it does not.

A wrong value stops the start. Let through, each of these would show much later, as a call that
fails or a process that does not come up.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from cluster.provider_limits import checked_limits
from cluster.regions import checked_regions
from cluster.tenant_limits import checked_tenant_calls
from telemetry.errors import PricesInvalid
from telemetry.prices import load_prices
from telephony.errors import InvalidPhoneNumber
from telephony.phone_number import check_e164

TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9._-]+)?")
_REGION = re.compile(r"[A-Za-z0-9-]{1,40}")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def _address(schemes: tuple[str, ...], said: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not value:
            return value
        value = value.strip()
        try:
            parts = urlsplit(value)
            has_place = bool(parts.hostname) and parts.port != 0
        except ValueError as error:
            raise ValueError(f"not a URL ({error})") from None
        if parts.scheme not in schemes:
            raise ValueError(f"must begin with {said}")
        if not has_place or not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError(f"not a URL: write {schemes[-1]}://host, with :port and a path if any")
        return value

    return check


def _key(value: SecretStr) -> SecretStr:
    given = value.get_secret_value()
    text = given.strip()
    if given and not text:  # not as if it were not set: what it opens would stand open
        raise ValueError("holds blanks only")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("holds a blank, a line break or a letter that no key has")
    return SecretStr(text)


def _phone_number(value: str) -> str:
    try:
        return check_e164(value) if value else value
    except InvalidPhoneNumber as error:
        raise ValueError(error.message.removeprefix("number: ")) from None


def _fits(pattern: re.Pattern[str], said: str, *, may_be_empty: bool = False) -> Any:
    def check(value: str) -> str:
        if not pattern.fullmatch(value) and not (may_be_empty and not value):
            raise ValueError(said)
        return value

    return AfterValidator(check)


def _level(value: str) -> str:
    if value.upper() not in _LEVELS:
        raise ValueError(f"must be one of {', '.join(_LEVELS)}")
    return value.upper()


def _readable_prices(value: Path) -> Path:
    try:
        load_prices(value)
    except PricesInvalid as error:
        raise ValueError(error.message) from None
    return value


WebAddress = Annotated[str, AfterValidator(_address(("http", "https"), "https:// (or http://)"))]
SocketAddress = Annotated[str, AfterValidator(_address(("ws", "wss"), "ws:// or wss://"))]
Key = Annotated[SecretStr, AfterValidator(_key)]
PhoneNumber = Annotated[str, AfterValidator(_phone_number)]
AccountSid = Annotated[
    str, _fits(_ACCOUNT_SID, "must be AC and 32 hexadecimal digits", may_be_empty=True)
]
Region = Annotated[str, _fits(_REGION, "must be a name such as westeurope", may_be_empty=True)]
TenantId = Annotated[str, _fits(TENANT, "must be letters, digits, _ and -, 64 at most")]
Host = Annotated[
    str, _fits(_HOST, "must be an address of this machine, or 0.0.0.0 for all of them")
]
ProviderLimits = Annotated[str, AfterValidator(checked_limits)]
TenantCalls = Annotated[str, AfterValidator(checked_tenant_calls)]
Regions = Annotated[str, AfterValidator(checked_regions)]
LogLevel = Annotated[str, AfterValidator(_level)]
PricesFile = Annotated[Path, AfterValidator(_readable_prices)]
