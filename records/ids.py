"""Ids that sort by time: UUID version 7 (RFC 9562, section 5.7).

The 12 bits after the milliseconds carry the microseconds of the clock (RFC 9562, section 6.2,
method 3), so that ids made within one millisecond still sort by their making.
"""

from __future__ import annotations

import secrets
import uuid

RANDOM_BYTES = 8
_LARGEST_MS = (1 << 48) - 1
_DERIVED = uuid.UUID("5b0f1f0e-6d0c-5d43-9d7b-3f6f2c1c7a10")


def uuid7(wall_us: int, random_bytes: bytes) -> str:
    """A new id, as 36 characters of text.

    Args:
        wall_us: UTC microseconds since 1970.
        random_bytes: At least 8 bytes nobody can guess (62 bits of them are used).

    Raises:
        ValueError: The time does not fit 48 bits of milliseconds, or there are too few bytes.
    """
    milliseconds, microseconds = divmod(wall_us, 1_000)
    if not 0 <= milliseconds <= _LARGEST_MS:
        raise ValueError(f"wall_us {wall_us} is outside the range of UUIDv7")
    if len(random_bytes) < RANDOM_BYTES:
        raise ValueError(f"{RANDOM_BYTES} random bytes are needed, not {len(random_bytes)}")
    fraction = microseconds * 4096 // 1_000
    low = int.from_bytes(random_bytes[:RANDOM_BYTES], "big") & ((1 << 62) - 1)
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | fraction << 64 | 0b10 << 62 | low))


def wall_us_of(text: str) -> int:
    """When an id of ``uuid7`` was made, UTC microseconds.

    Raises:
        ValueError: ``text`` is not a UUID of version 7.
    """
    parsed = uuid.UUID(text)
    if parsed.version != 7:
        raise ValueError("not a UUID of version 7")
    fraction = parsed.int >> 64 & 0xFFF
    return (parsed.int >> 80) * 1_000 + -(-fraction * 1_000 // 4096)


def derived_id(*parts: str) -> str:
    """The same id for the same parts, as 36 characters of text.

    For what may be told twice, such as a status callback (``call_sid``, ``status``): its journal
    entry is then one entry.
    """
    return str(uuid.uuid5(_DERIVED, "\x1f".join(parts)))


def new_id(wall_us: int) -> str:
    """A new id that nobody can guess; see ``uuid7``."""
    return uuid7(wall_us, secrets.token_bytes(RANDOM_BYTES))
