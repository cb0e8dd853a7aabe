"""What can go wrong at the carrier's side of a simulated call, in one tree.

SimulationError
└── CarrierError            carries Twilio's error code
    ├── WebhookFailed       11xxx: the server did not answer a webhook as it must
    ├── TwimlRejected       12xxx: the answer is not TwiML that can be run
    └── StreamRefused       319xx: the media socket could not be opened
"""

from __future__ import annotations

from simulation.errors import SimulationError


class CarrierError(SimulationError):
    """Something at which the real carrier would log an error of this number.

    Args:
        code: Twilio's error code, such as 31920.
        message: What happened and what to look at; never holds a number, a key or a transcript.
    """

    def __init__(self, code: int = 0, message: str = "") -> None:
        super().__init__(message)
        # An exception is pickled by its args: both, so that it comes back whole.
        self.args = (code, message)
        self.code = code

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class WebhookFailed(CarrierError):
    """A webhook got no usable answer."""


class TwimlRejected(CarrierError):
    """A document that the carrier would refuse to run."""


class StreamRefused(CarrierError):
    """The media socket was not opened."""
