"""How the carrier's half of a relayed call behaves: frozen numbers, durations in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RelayTiming:
    """How quick the carrier's half is, and what it does about a lost socket.

    Attributes:
        partial_lag_s: From the end of a word to the partial prompt that holds it.
        endpoint_s: From the last word to the prompt.
        first_byte_s: From words of the server to their sound.
        interrupt_after_s: Speech of the caller that cuts the agent's.
        reconnects: How often a lost socket is opened again.
        reconnect_after_s: How long it waits before each.
        sends_setup_again: Whether such a socket begins with ``setup``.
    """

    partial_lag_s: float = 0.1
    endpoint_s: float = 0.5
    first_byte_s: float = 0.15
    interrupt_after_s: float = 0.2
    reconnects: int = 3
    reconnect_after_s: float = 0.2
    sends_setup_again: bool = True
