from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.errors import InvalidSetting
from telephony.origin import PublicOrigin
from tests.telephony.properties import examples


@pytest.mark.parametrize(
    ("public_url", "url", "stream_url"),
    [
        (
            "https://voice.example.com",
            "https://voice.example.com/a?n=1",
            "wss://voice.example.com/m",
        ),
        (
            "https://Voice.Example.com/",
            "https://voice.example.com/a?n=1",
            "wss://voice.example.com/m",
        ),
        ("wss://h:8443", "https://h:8443/a?n=1", "wss://h:8443/m"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/a?n=1", "ws://127.0.0.1:8000/m"),
        ("ws://localhost", "http://localhost/a?n=1", "ws://localhost/m"),
        ("http://[::1]:8000", "http://[::1]:8000/a?n=1", "ws://[::1]:8000/m"),
    ],
)
def test_builds_the_urls_that_the_world_sees(public_url: str, url: str, stream_url: str) -> None:
    origin = PublicOrigin.parse(public_url)
    assert origin.url("/a?n=1") == url
    assert origin.stream_url("/m") == stream_url


@pytest.mark.parametrize(
    ("public_url", "hosts"),
    [
        ("https://h", ("h", "h:443")),
        ("https://h:8443", ("h", "h:8443")),
        ("http://h", ("h", "h:80")),
        ("http://h:8000", ("h:8000",)),
    ],
)
def test_names_the_hosts_that_may_have_been_signed(public_url: str, hosts: tuple[str, ...]) -> None:
    assert PublicOrigin.parse(public_url).hosts() == hosts


@pytest.mark.parametrize(
    "public_url",
    [
        "",
        "voice.example.com",
        "ftp://voice.example.com",
        "https://",
        "https://h/prefix",
        "https://h?x=1",
        "https://h#f",
        "https://user:pw@h",
        "https://h:port",
        "https://h:99999",
        "https://[::1",
        "https://höst",
        "https://a b",
    ],
)
def test_refuses_what_is_no_origin_and_names_the_setting(public_url: str) -> None:
    with pytest.raises(InvalidSetting, match="PUBLIC_URL"):
        PublicOrigin.parse(public_url)


@examples()
@given(st.text() | st.text("htps:/[]@?#.%1a", max_size=20).map(lambda tail: "https://" + tail))
def test_anything_is_read_or_refused(public_url: str) -> None:
    try:
        origin = PublicOrigin.parse(public_url)
    except InvalidSetting:
        return
    assert PublicOrigin.parse(origin.url("")) == origin
