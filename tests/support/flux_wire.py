"""Messages of the emulated Deepgram as they go over the wire."""

from __future__ import annotations

import json
from typing import Any

REQUEST_ID = "6f1f4d2c-0000-4000-8000-000000000001"


def as_wire(body: dict[str, Any], request_id: str = REQUEST_ID) -> str:
    """With the ids that a socket adds."""
    return json.dumps(body | {"request_id": request_id, "sequence_id": 0})


def connected(request_id: str = REQUEST_ID) -> str:
    """The first message of a socket."""
    return as_wire({"type": "Connected"}, request_id)
