"""What no address and no key can be: said when a client is made, not on the phone.

People paste both: with a blank, a line break or a typographic quote, from a page that shortened
it, with a dot too many. Sockets and HTTP clients raise ``ValueError`` and its children for these,
or send them, and the service then speaks of something else.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from providers.errors import ProviderRefused, ProviderRejected

_KEY = re.compile(r"[\x21-\x7e]*")
_BLANK = re.compile(r"[\x00-\x20\x7f]")
_LONGEST_HOST_CHARS = 253


def check_key(key: str, provider: str, setting: str) -> None:
    """See that a key can stand in a header; an empty one is somebody else's matter.

    Raises:
        ProviderRefused: It holds a character that no key has. The key itself is not quoted.
    """
    if not _KEY.fullmatch(key):
        said = "the key holds a blank, a line break or a letter that no key has: copy it again"
        raise ProviderRefused(said, provider, setting)


def check_address(address: str, provider: str, setting: str) -> None:
    """See that an address has a host that a name server can be asked for.

    Raises:
        ProviderRejected: It has none, or a port that is none. It is not quoted: a password may
            stand in it.
    """
    try:
        parts = urlsplit(address.strip())
        host = parts.hostname or ""
        is_host = 0 < len(host.encode("idna")) <= _LONGEST_HOST_CHARS and parts.port != 0
    except ValueError:  # UnicodeError is one
        is_host = False
    if not is_host or _BLANK.search(address.strip()):
        raise ProviderRejected("the address is no http(s) URL", provider, setting)
