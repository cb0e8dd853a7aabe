"""What can go wrong on the stage, in one tree.

SimulationError
├── ClipMissing        no clip of that name or language in the library
├── ClipUnreadable     a clip's file or its entry in clips.json is not what it should be
├── VoiceUnavailable   the emulated voice cannot be loaded; says what to install
├── FaultsInvalid      a fault setting that does not exist or has a wrong value
├── CalleeInvalid      a callee's script that does not exist or has a wrong value
├── GoogleMissing      an emulator of Google's is asked for and its clients are not installed
└── WireViolation      a client's message does not follow the emulated protocol
"""

from __future__ import annotations


class SimulationError(Exception):
    """Something on the stage is not as it should be.

    Args:
        message: What happened and what to change, for a person.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class ClipMissing(SimulationError):
    """No such clip; the message lists those there are."""


class ClipUnreadable(SimulationError):
    """A sound file or its description cannot be used."""


class VoiceUnavailable(SimulationError):
    """The library behind the emulated voice is not installed or does not start."""


class FaultsInvalid(SimulationError):
    """A fault setting that does not exist, or a value of the wrong kind."""


class CalleeInvalid(SimulationError):
    """A field of a callee that does not exist, or a value of the wrong kind."""


class GoogleMissing(SimulationError):
    """The packages with Google's protocol buffers are not installed."""


class WireViolation(SimulationError):
    """A message that the real service would refuse as well."""
