"""Rows that the API, the dialer and the webhooks keep: requests, numbers, keys, recordings.

Instants are UTC microseconds; 0 means not yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

RequestStatus = Literal[
    "queued",
    "dialing",
    "placed",
    "answered",
    "completed",
    "busy",
    "no-answer",
    "failed",
    "canceled",
]
FINAL_REQUEST_STATUSES: Final = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
DELETING: Final = "deleting"  # status of a recording that the carrier must still delete


@dataclass(frozen=True, slots=True)
class CallRequestRow:
    """One outbound call that somebody asked for.

    Attributes:
        idempotency_key: Chosen by the client, unique within the tenant; empty: none.
        body_digest: Of the request, so that a key used for another request is noticed.
        to_number: E.164.
        from_number: E.164.
        variables: For the agent's prompt; JSON types only.
        options: Machine detection, recording, timeout and the like; JSON types only.
        status: ``dialing`` is written before the carrier is asked, ``placed`` once it answered.
        attempts: How often the carrier was asked.
        not_before_us: When it may be dialed.
        answered_by: What machine detection says: ``human``, ``machine_start`` and the like.
        error_code: The carrier's; 0: none.
        error: What went wrong, for a person.
        erased_at_us: When its content was erased.
    """

    tenant_id: str
    call_id: str
    agent_id: str
    to_number: str
    from_number: str
    idempotency_key: str = ""
    body_digest: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    status: RequestStatus = "queued"
    call_sid: str = ""
    attempts: int = 0
    not_before_us: int = 0
    created_at_us: int = 0
    updated_at_us: int = 0
    answered_by: str = ""
    error_code: int = 0
    error: str = ""
    erased_at_us: int = 0


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A phone number (E.164) and who answers it."""

    number: str
    tenant_id: str
    agent_id: str
    created_at_us: int = 0


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """An API key; the secret itself is kept nowhere.

    Attributes:
        key_id: The middle part of ``cck_<key_id>_<random>``; no secret.
        key_hash: Of the whole secret, as hexadecimal text.
        revoked_at_us: From then on it opens nothing; 0: it is good.
    """

    key_id: str
    key_hash: str = field(repr=False)
    tenant_id: str = ""
    name: str = ""
    created_at_us: int = 0
    revoked_at_us: int = 0


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recording that the carrier keeps.

    Attributes:
        status: The carrier's (``in-progress``, ``completed``, ``absent``, ``failed``), or
            ``deleting``: the call was erased or is too old, and the carrier must delete it.
        url: Where the carrier serves it.
        channels: 1 or 2.
        at_us: When the newest word about it came.
    """

    recording_sid: str
    tenant_id: str
    call_id: str
    call_sid: str
    status: str
    url: str = ""
    duration_s: float = 0.0
    channels: int = 0
    at_us: int = 0
