r"""Messages of services as JSON objects, and text of theirs that can be handed on.

JSON may write half a character (a lone surrogate, ``"\ud800"``), and Python reads it. Nothing
after us can send, log or store such a text, so it ends here: U+FFFD stands in its place.
"""

from __future__ import annotations

import json
from typing import Any, Final

from providers.errors import ProviderProtocolError

REPLACEMENT: Final = "\ufffd"


def whole_text(text: str) -> str:
    """``text`` without half characters; two halves that belong together become one."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def json_object(raw: str | bytes, provider: str) -> dict[str, Any]:
    """One message of a service, its texts whole.

    Raises:
        ProviderProtocolError: It is no JSON object.
    """
    try:
        text = raw if isinstance(raw, str) else raw.decode()
        message = json.loads(text)
        if "\\ud" in text or "\\uD" in text:
            message = json.loads(whole_text(json.dumps(message, ensure_ascii=False)))
    except (ValueError, RecursionError):
        raise ProviderProtocolError("a message that is no JSON", provider) from None
    if not isinstance(message, dict):
        raise ProviderProtocolError("a message that is no object", provider)
    return message
