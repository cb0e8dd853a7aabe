"""Signatures against published vectors, and what gets signed as opposed to connected to."""

from __future__ import annotations

import pytest

from simulation.carrier_signature import PublicAddress, sign, signed_url

FORM = (
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
)
POST_URL = "https://example.com/myapp.php?foo=1&bar=2"
BODY_HASH = "5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9"


@pytest.mark.parametrize(
    ("url", "form", "signature"),
    [
        (POST_URL, FORM, "L/OH5YylLD5NRKLltdqwSvS0BnU="),
        (POST_URL, FORM[::-1], "L/OH5YylLD5NRKLltdqwSvS0BnU="),
        (POST_URL, FORM + FORM[:1], "L/OH5YylLD5NRKLltdqwSvS0BnU="),
        ("wss://voice.example.com/twilio/media", (), "PGLrn08/Ba1sEIuSwPQRBPD54PA="),
        ("wss://voice.example.com/twilio/media/", (), "/l2QA+p8VR0Ejy/AIlzbV7YZXIA="),
        ("wss://voice.example.com:8443/twilio/media", (), "s5KkbjaeJYie5tkxFi52a8esndc="),
        (
            "wss://voice.example.com/twilio/media",
            (("node", "a1"),),
            "x6ABqjZ8+27feGr73cErWOfPx00=",
        ),
        ("wss://voice.example.com/twilio/media?node=a1", (), "0LM49gdn3BMOEV7M08p5tpJJZVA="),
        (f"https://example.com/myapp?bodySHA256={BODY_HASH}", (), "hPXmLwIy3Fgqv1i9KPmH/HhQ6zo="),
    ],
)
def test_published_vectors(url: str, form: tuple[tuple[str, str], ...], signature: str) -> None:
    assert sign(url, form, "12345") == signature


@pytest.mark.parametrize(
    ("url", "form"),
    [
        (POST_URL, FORM[1:]),
        (POST_URL.lower().replace("myapp", "myApp"), FORM),
        (POST_URL.replace("https", "http"), FORM),
    ],
)
def test_any_change_changes_the_signature(url: str, form: tuple[tuple[str, str], ...]) -> None:
    assert sign(url, form, "12345") != "L/OH5YylLD5NRKLltdqwSvS0BnU="


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://a.example/v?x=1#rc=2&rp=ct", "https://a.example/v?x=1"),
        ("https://me:pw@a.example:8443/v", "https://a.example/v"),
        ("https://[2001:db8::1]:8443/v", "https://[2001:db8::1]/v"),
        ("http://a.example:8000/v", "http://a.example:8000/v"),
        ("wss://a.example:8443/m", "wss://a.example:8443/m"),
    ],
)
def test_what_of_a_url_is_signed(url: str, signed: str) -> None:
    assert signed_url(url) == signed


def test_urls_of_the_public_name_are_connected_to_the_target() -> None:
    address = PublicAddress("http://127.0.0.1:8000", "https://voice.example.com")
    assert address.route("https://voice.example.com/v?x=1#rc=1") == "http://127.0.0.1:8000/v?x=1"
    assert address.route("wss://voice.example.com/m") == "ws://127.0.0.1:8000/m"
    assert address.route("wss://voice.example.com:443/m") == "ws://127.0.0.1:8000/m"
    assert address.route("ws://127.0.0.1:8000/m") == "ws://127.0.0.1:8000/m"
    assert address.route("wss://other.example.com/m") == "wss://other.example.com/m"
    assert address.public_origin == "https://voice.example.com"


def test_without_a_public_name_the_target_is_it() -> None:
    assert PublicAddress("http://127.0.0.1:8000").public_origin == "http://127.0.0.1:8000"


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://a.example", ""])
def test_an_address_that_is_none_says_how_it_is_given(url: str) -> None:
    with pytest.raises(ValueError, match="HOST"):
        PublicAddress(url)
