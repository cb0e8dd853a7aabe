"""The TwiML that hands a call to a ConversationRelay session.

Source: Twilio, TwiML for Programmable Voice: Connect, ConversationRelay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from dialogue.relay_options import RelayLanguage, RelayOptions
from telephony.errors import InvalidTwiml
from telephony.twiml import Verb, check_url, document, escape, parameter

_APART = frozenset({"languages"})


def connect_relay(
    *,
    relay_url: str,
    action_url: str,
    language: str,
    options: RelayOptions,
    parameters: Mapping[str, str],
    before: Sequence[Verb] = (),
    allow_insecure: bool = False,
) -> str:
    """Connect the call to our ConversationRelay WebSocket.

    Args:
        relay_url: Absolute ``wss://`` URL without fragment.
        action_url: Absolute ``https://`` URL that Twilio asks when the session has ended. Required:
            without it the loss of a socket would be the loss of the call.
        language: BCP-47 tag of voice and recogniser, unless ``options`` name another one.
        options: Attributes; those that are empty or None are left out.
        parameters: Come back in ``setup``; name and value under 500 characters together.
        before: Run first, in order.
        allow_insecure: Accept ``ws://`` and ``http://``; for emulators.

    Raises:
        InvalidTwiml: Says which argument, and what to change.
    """
    check_url(relay_url, "relay_url", "ws", allow_insecure)
    if "#" in relay_url:
        raise InvalidTwiml("relay_url takes no fragment")
    check_url(action_url, "action_url", "http", allow_insecure)
    attributes = {"url": relay_url, "language": language, **dict(_attributes(options))}
    relay = _element("ConversationRelay", attributes)
    children = "".join(_language(each) for each in options.languages)
    children += "".join(parameter(name, value) for name, value in parameters.items())
    noun = f"<{relay}>{children}</ConversationRelay>" if children else f"<{relay}/>"
    connect = f'<Connect action="{escape(action_url, "action_url")}">{noun}</Connect>'
    return document("".join(before) + connect)


def _language(language: RelayLanguage) -> str:
    if not language.code:
        raise InvalidTwiml("a language of the relay needs a code")
    return f"<{_element('Language', dict(_attributes(language)))}/>"


def _attributes(options: RelayOptions | RelayLanguage) -> Iterator[tuple[str, str]]:
    for each in fields(options):
        value = getattr(options, each.name)
        if each.name in _APART or value is None or value == "":
            continue
        if isinstance(value, bool):
            value = "true" if value else "false"
        yield _camel(each.name), f"{value:g}" if isinstance(value, float) else value


def _element(name: str, attributes: Mapping[str, str]) -> str:
    written = "".join(f' {key}="{escape(value, key)}"' for key, value in attributes.items())
    return name + written


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
