"""TwiML that sends a call in progress to another of our URLs, for ``calls(sid).update``."""

from __future__ import annotations

from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from telephony.errors import InvalidTwiml


def redirect(url: str) -> str:
    """Ask ``url`` with POST what to do now; whatever the call does ends.

    Args:
        url: Absolute, http or https.

    Raises:
        InvalidTwiml: It is not.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise InvalidTwiml("url: an absolute http or https URL")
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Response>'
        f'<Redirect method="POST">{escape(url)}</Redirect></Response>'
    )
