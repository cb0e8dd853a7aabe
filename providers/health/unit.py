"""What is healthy or not: one operation of one provider, as we use it.

Rules
1. A voice can fail while its provider is well, and so can a region, a model or a key: each
   combination is judged by itself, with quantiles of its own.
2. A unit's key is plain text and goes over the wire and into metrics; a credential appears in it as
   a label that leads nobody back to the key.
"""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from typing import Literal, get_args
from urllib.parse import quote, unquote

from providers.health.errors import UnitKeyInvalid

Operation = Literal[
    "stt.open",  # recogniser asked for -> ready
    "stt.first_partial",  # first speech sent -> first words
    "stt.final_lag",  # end of speech -> final words
    "llm.ttft",  # request -> first real token
    "llm.inter_token",  # longest pause between two tokens
    "tts.ttfa",  # request -> first audible frame
    "tts.realtime_factor",  # seconds of work for each second of audio
    "converse.open",  # Realtime session asked for -> set up
]
OPERATIONS: tuple[str, ...] = get_args(Operation)
# What comes after a first output. Who gives one is alive: these are not tried while nobody calls.
FLOWS: frozenset[str] = frozenset({"stt.final_lag", "llm.inter_token", "tts.realtime_factor"})


@dataclass(frozen=True, slots=True)
class Account:
    """Where and as whom a provider is asked.

    Attributes:
        region: Region or host; empty where there is but one.
        credential: Label of the key, see ``credential_label``; never the key.
    """

    region: str = ""
    credential: str = ""


NO_ACCOUNT = Account()


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """One unit of health.

    Attributes:
        provider: Short name, such as ``azure``.
        operation: What is asked of it.
        region: Region or endpoint; empty where there is but one.
        model: Model or voice.
        credential: Label of the key, see ``credential_label``; never the key.
    """

    provider: str
    operation: Operation
    region: str = ""
    model: str = ""
    credential: str = ""

    @classmethod
    def at(cls, account: Account, provider: str, operation: Operation, model: str = "") -> Unit:
        """The unit of what is asked of a provider there and as them."""
        return cls(provider, operation, account.region, model, account.credential)

    @property
    def key(self) -> str:
        """``provider/operation/region/model/credential``, percent-encoded."""
        return "/".join(quote(part, safe="") for part in astuple(self))


def unit_of_key(key: str) -> Unit:
    """The unit that ``key`` names.

    Raises:
        UnitKeyInvalid: It was not made by ``Unit.key``.
    """
    parts = [unquote(part) for part in key.split("/")]
    if len(parts) != 5 or parts[1] not in OPERATIONS:
        raise UnitKeyInvalid(f"not a unit of health: {key[:80]!r}")
    provider, operation, region, model, credential = parts
    return Unit(provider, operation, region, model, credential)  # type: ignore[arg-type]


def operation_of(key: str) -> str:
    """The operation of the unit of this key; empty where there is none."""
    return key.split("/")[1] if "/" in key else ""


def is_flow(key: str) -> bool:
    """Whether the unit of this key is about what follows a first output."""
    return operation_of(key) in FLOWS


def credential_label(secret: str) -> str:
    """Eight hexadecimal digits that tell two keys apart; empty for no key."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8] if secret else ""
