"""What can go wrong in this room.

VoiceError
└── BadVoiceConfig    a number that cannot work; names the field (also a ``ValueError``)
"""

from __future__ import annotations


class VoiceError(Exception):
    """Something is wrong in the voice room."""


class BadVoiceConfig(VoiceError, ValueError):
    """A setting cannot work; the message names the field and its limits."""
