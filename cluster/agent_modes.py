"""The ``mode`` of an agent's file: in which ways its calls are carried, one after the other."""

from __future__ import annotations

from typing import Final, get_args

from dialogue.agent import CallMode

MODES: Final[tuple[str, ...]] = get_args(CallMode)


def check_modes(chain: tuple[str, ...]) -> None:
    """Raises ``ValueError``: one of them is not known, or is there twice."""
    if not chain or len(set(chain)) < len(chain) or not set(chain) <= set(MODES):
        raise ValueError(f"one of {', '.join(MODES)}, or a list of different ones")


def check_switch(chain: tuple[str, ...], switch_after_s: float | None) -> None:
    """Raises ``ValueError``: calls are to go on in another way, and there is none."""
    if switch_after_s is not None and len(chain) == 1:
        raise ValueError(
            "switch_after_s: needs a list in mode, such as [relay, pipeline]: there is no other "
            "way to go on in"
        )
