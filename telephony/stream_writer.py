"""What we say to Twilio on one media stream: media, mark and clear.

Each message has exactly the fields that Twilio accepts; one more or one less may be error 31951.
Plain string formats, since fifty of them a second and call are written.

Source: Twilio, Media Streams, WebSocket Messages.
"""

from __future__ import annotations

import json
from binascii import b2a_base64

from telephony.errors import LocalProtocolError
from telephony.json_fields import SID


class StreamWriter:
    """Writes what we say to Twilio on one stream.

    Args:
        stream_sid: From ``start``.

    Raises:
        LocalProtocolError: A sid that is not letters and digits.
    """

    __slots__ = ("_clear", "_mark_head", "_media_head")

    def __init__(self, stream_sid: str) -> None:
        if SID.fullmatch(stream_sid) is None:
            raise LocalProtocolError("a stream sid is 1 to 64 letters and digits")
        self._media_head = f'{{"event":"media","streamSid":"{stream_sid}","media":{{"payload":"'
        self._mark_head = f'{{"event":"mark","streamSid":"{stream_sid}","mark":{{"name":'
        self._clear = f'{{"event":"clear","streamSid":"{stream_sid}"}}'

    def media(self, ulaw: bytes) -> str:
        """Audio for the caller.

        Args:
            ulaw: Raw mu-law without any header, at least one byte. Twilio names no upper limit; up
                to a second is known to be safe.

        Raises:
            LocalProtocolError: No audio: Twilio would call it an invalid message (31951).
        """
        if not ulaw:
            raise LocalProtocolError("no audio: a media message needs at least one byte")
        return self._media_head + b2a_base64(ulaw, newline=False).decode("ascii") + '"}}'

    def mark(self, name: str) -> str:
        """A receipt to be returned once everything sent before has been played.

        Raises:
            LocalProtocolError: An empty name.
        """
        if not name:
            raise LocalProtocolError("a mark needs a name")
        return self._mark_head + json.dumps(name) + "}}"

    def clear(self) -> str:
        """Throw away what Twilio has not played yet; every open mark comes back at once."""
        return self._clear
