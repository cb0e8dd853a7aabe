"""What the offline recogniser has to be told: a frozen record, read from nowhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PocketsphinxConfig:
    """The recogniser on this machine.

    Attributes:
        pause_s: Silence that ends a phrase.
        start_timeout_s: To load the library and the model.
        answer_timeout_s: For one phrase, those before it not counted.
    """

    pause_s: float = 0.4
    start_timeout_s: float = 10.0
    answer_timeout_s: float = 5.0
