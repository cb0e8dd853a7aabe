"""The event-stream format (server-sent events), byte by byte: no I/O, no JSON.

Rules
1. Bytes come in any cut. Lines end with LF, CRLF or CR; a byte order mark may stand first.
2. The ``data`` lines up to a blank line are one event, joined by LF; one space after the colon
   belongs to none of them. An event without data is none.
3. Comments (keep-alives), ``event``, ``id`` and ``retry`` are skipped. A line that is none of these
   is skipped too, as the standard wants it; one before the first event is remembered (``foreign``):
   such a body is a web page, or a plain JSON answer.
4. A line, or the ``data`` lines of one event, longer than the bound end the reading (``overlong``).
5. Other than in the standard, an event that the body ends in is handed out: it is the reader of
   its data who can tell whether it is whole.
"""

from __future__ import annotations

LONGEST_EVENT_BYTES = 1 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LF, _CR = 0x0A, 0x0D
_OTHER_FIELDS = frozenset({b"event", b"id", b"retry"})


class EventStream:
    """Cuts a body into the data of its events.

    Args:
        longest_event_bytes: Bound on one line, and on all ``data`` lines of one event.

    Attributes:
        foreign: The body began with something that is no line of an event stream.
        overlong: The bound was passed; nothing more is handed out.
    """

    def __init__(self, longest_event_bytes: int = LONGEST_EVENT_BYTES) -> None:
        self._longest_bytes = longest_event_bytes
        self._begun = False
        self._events = 0
        self._after_cr = False
        self._tail = bytearray()
        self._data: list[bytes] = []
        self._data_bytes = 0
        self.foreign = False
        self.overlong = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes of the body; returns the data of the events they complete."""
        if not data or self.overlong:
            return []
        if self._after_cr:  # a CRLF may have been cut in two
            self._after_cr = False
            if data[0] == _LF:
                data = data[1:]
                if not data:
                    return []
        lines = self._lines(data)
        events: list[bytes] = []
        for line in lines:
            if line:
                self._take(line)
                if self.overlong:
                    break
            elif self._data:
                self._complete(events)
        if len(self._tail) > self._longest_bytes:
            self.overlong = True
        return events

    def end(self) -> list[bytes]:
        """The body is over; returns the data of the event it broke off in, if there was one."""
        events = self.feed(b"\n\n")
        self._after_cr = False
        return events

    def _lines(self, data: bytes) -> list[bytes]:
        """The lines that ``data`` completes; what follows them is kept."""
        tail = self._tail
        if tail:
            if b"\n" not in data and b"\r" not in data:
                tail += data
                return []
            data = bytes(tail) + data
            tail.clear()
        lines = data.splitlines()  # of bytes: at LF, CRLF and CR, nowhere else
        last = data[-1]
        if last == _CR:
            self._after_cr = True
        elif last != _LF:
            tail += lines.pop()
        if lines and not self._begun:
            self._begun = True
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
        return lines

    def _take(self, line: bytes) -> None:
        if len(line) > self._longest_bytes - self._data_bytes:
            self.overlong = True
        elif line.startswith(b"data:"):
            self._data.append(line[6:] if line.startswith(b" ", 5) else line[5:])
            self._data_bytes += len(line)
        elif not line.startswith(b":"):
            name = line.partition(b":")[0]
            if name == b"data":
                self._data.append(b"")
            elif name not in _OTHER_FIELDS and not self._events:
                self.foreign = True

    def _complete(self, events: list[bytes]) -> None:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._data.clear()
        self._data_bytes = 0
        if data:
            self._events += 1
            events.append(data)
