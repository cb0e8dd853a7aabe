"""What a ``<Stream>`` tells the replica that gets it, besides its token.

The carrier brings the parameters back in ``start``, over a socket whose handshake it has signed:
the replica needs no database to know whom it talks to, and about what.
"""

from __future__ import annotations

from collections.abc import Mapping

MAX_NUMBER_CHARS = 64
MAX_VALUE_CHARS = 400
"""Name and value stay under the carrier's 500 characters together."""
_VARIABLE = "var."
OUTBOUND = "outbound"
INBOUND = "inbound"


def stream_parameters(
    token: str,
    form: Mapping[str, str],
    *,
    direction: str = INBOUND,
    variables: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The parameters of a stream.

    Args:
        token: The stream's one-time token.
        form: Of the webhook that is being answered; ``From`` and ``To`` are taken.
        direction: Of the call.
        variables: Of an outbound call.
    """
    found = {
        "token": token,
        "from": _party(form.get("From", "")),
        "to": _party(form.get("To", "")),
    }
    if direction != INBOUND:
        found["direction"] = direction
    for name, value in (variables or {}).items():
        found[_VARIABLE + name] = value
    return found


def _party(text: str) -> str:
    """Who calls or is called, without what XML cannot hold: a caller over SIP chooses the name."""
    return "".join(filter(str.isprintable, text[:MAX_NUMBER_CHARS]))


def direction_of(parameters: Mapping[str, str]) -> str:
    """``inbound`` unless the parameters say ``outbound``."""
    return OUTBOUND if parameters.get("direction") == OUTBOUND else INBOUND


def variables_of(parameters: Mapping[str, str]) -> dict[str, str]:
    """The variables among the parameters."""
    return {
        name.removeprefix(_VARIABLE): value
        for name, value in parameters.items()
        if name.startswith(_VARIABLE)
    }
