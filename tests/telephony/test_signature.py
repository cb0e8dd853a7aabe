from __future__ import annotations

import hashlib
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from telephony.errors import InvalidSetting
from telephony.origin import PublicOrigin
from telephony.signature import SignatureCheck, SigningKey, sign
from tests.telephony.properties import examples

KEY = SigningKey("12345")
EXAMPLE_URL = "https://example.com/myapp.php?foo=1&bar=2"
EXAMPLE_FIELDS = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
]
EXAMPLE_SIGNATURE = "L/OH5YylLD5NRKLltdqwSvS0BnU="
JSON_BODY = b'{"CallSid":"CA1234567890ABCDE","Caller":"+12349013030"}'
JSON_HASH = "5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9"
JSON_SIGNATURE = "hPXmLwIy3Fgqv1i9KPmH/HhQ6zo="


def _check(public_url: str = "https://example.com", *keys: SigningKey) -> SignatureCheck:
    return SignatureCheck(PublicOrigin.parse(public_url), keys or (KEY,))


class _Form:
    """A multi-valued form as web frameworks hand it to ``RequestValidator``."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def __iter__(self) -> Iterator[str]:
        return iter({name for name, _ in self._fields})

    def __len__(self) -> int:
        return len(self._fields)

    def getlist(self, name: str) -> list[str]:
        return [value for key, value in self._fields if key == name]


# --- vectors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "fields", "key", "signature"),
    [
        (EXAMPLE_URL, EXAMPLE_FIELDS, KEY, EXAMPLE_SIGNATURE),
        (
            EXAMPLE_URL,
            EXAMPLE_FIELDS,
            SigningKey("12345", "sha256"),
            "qMztBq0IANMH/q0K9sCfKQJLylezvRdRzRS647SAVow=",
        ),
        ("wss://voice.example.com/twilio/media", [], KEY, "PGLrn08/Ba1sEIuSwPQRBPD54PA="),
        ("wss://voice.example.com/twilio/media/", [], KEY, "/l2QA+p8VR0Ejy/AIlzbV7YZXIA="),
        ("wss://voice.example.com:8443/twilio/media", [], KEY, "s5KkbjaeJYie5tkxFi52a8esndc="),
        (
            "wss://voice.example.com/twilio/media",
            [("node", "a1")],
            KEY,
            "x6ABqjZ8+27feGr73cErWOfPx00=",
        ),
        ("wss://voice.example.com/twilio/media?node=a1", [], KEY, "0LM49gdn3BMOEV7M08p5tpJJZVA="),
        (f"https://example.com/myapp?bodySHA256={JSON_HASH}", [], KEY, JSON_SIGNATURE),
    ],
)
def test_signs_the_golden_vectors(
    url: str, fields: list[tuple[str, str]], key: SigningKey, signature: str
) -> None:
    assert sign(url, fields, key) == signature


def test_a_key_is_not_printed() -> None:
    assert "12345" not in repr(KEY)


# --- forms ----------------------------------------------------------------------------------------

TARGET = "/myapp.php?foo=1&bar=2"


def test_accepts_twilios_own_example() -> None:
    assert _check().is_signed_form(TARGET, EXAMPLE_FIELDS, EXAMPLE_SIGNATURE)


def test_the_order_of_the_fields_does_not_matter() -> None:
    assert _check().is_signed_form(TARGET, reversed(EXAMPLE_FIELDS), EXAMPLE_SIGNATURE)


@pytest.mark.parametrize(
    ("target", "fields", "signature"),
    [
        (TARGET, EXAMPLE_FIELDS, None),
        (TARGET, EXAMPLE_FIELDS, ""),
        (TARGET, EXAMPLE_FIELDS, "no base64 at all"),
        (TARGET, EXAMPLE_FIELDS, "L/OH5YylLD5NRKLltdqwSvS0BnÜ="),
        (TARGET, EXAMPLE_FIELDS, "\ud800"),
        (TARGET, EXAMPLE_FIELDS, EXAMPLE_SIGNATURE + " "),
        (TARGET, EXAMPLE_FIELDS[1:], EXAMPLE_SIGNATURE),
        (TARGET, [*EXAMPLE_FIELDS, ("X", "")], EXAMPLE_SIGNATURE),
        (TARGET, [*EXAMPLE_FIELDS, ("X", "\ud800")], EXAMPLE_SIGNATURE),
        (TARGET, [], EXAMPLE_SIGNATURE),
        ("/MyApp.php?foo=1&bar=2", EXAMPLE_FIELDS, EXAMPLE_SIGNATURE),
        ("/myapp.php?foo=1&bar=3", EXAMPLE_FIELDS, EXAMPLE_SIGNATURE),
        ("/myapp.php?bar=2&foo=1", EXAMPLE_FIELDS, EXAMPLE_SIGNATURE),
        ("/myapp.php", EXAMPLE_FIELDS, EXAMPLE_SIGNATURE),
    ],
)
def test_refuses_a_form_that_was_not_signed_like_this(
    target: str, fields: list[tuple[str, str]], signature: str | None
) -> None:
    assert not _check().is_signed_form(target, fields, signature)


def test_refuses_another_origin_and_another_scheme() -> None:
    assert not _check("https://example.org").is_signed_form(
        TARGET, EXAMPLE_FIELDS, EXAMPLE_SIGNATURE
    )
    assert not _check("http://example.com").is_signed_form(
        TARGET, EXAMPLE_FIELDS, EXAMPLE_SIGNATURE
    )


def test_an_empty_value_is_part_of_what_was_signed() -> None:
    fields = [("FromCity", ""), ("From", "+1")]
    signature = sign("https://example.com/v", fields, KEY)
    assert _check().is_signed_form("/v", fields, signature)
    assert not _check().is_signed_form("/v", fields[1:], signature)


def test_a_repeated_name_counts_each_value_once() -> None:
    fields = [("Digit", "2"), ("Digit", "1"), ("Digit", "2")]
    assert sign("u", fields, KEY) == sign("u", [("Digit", "1"), ("Digit", "2")], KEY)
    assert sign("u", fields, KEY) != sign("u", [("Digit", "2")], KEY)


@pytest.mark.parametrize("signed", ["https://h/v", "https://h:8443/v"])
def test_a_port_may_have_been_signed_or_not(signed: str) -> None:
    assert _check("https://h:8443").is_signed_form("/v", [], sign(signed, [], KEY))


def test_on_loopback_the_port_is_part_of_the_url() -> None:
    check = _check("http://127.0.0.1:8000")
    assert check.is_signed_form("/v", [], sign("http://127.0.0.1:8000/v", [], KEY))
    assert not check.is_signed_form("/v", [], sign("http://127.0.0.1/v", [], KEY))


def test_while_tokens_rotate_both_are_good() -> None:
    check = _check("https://example.com", SigningKey("next"), KEY)
    assert check.is_signed_form(TARGET, EXAMPLE_FIELDS, EXAMPLE_SIGNATURE)
    assert not _check("https://example.com", SigningKey("next")).is_signed_form(
        TARGET, EXAMPLE_FIELDS, EXAMPLE_SIGNATURE
    )


def test_the_algorithm_is_ours_to_choose() -> None:
    weak = sign("https://example.com/v", [], SigningKey("k", "sha1"))
    assert not _check("https://example.com", SigningKey("k", "sha256")).is_signed_form(
        "/v", [], weak
    )


@pytest.mark.parametrize("keys", [(), (SigningKey(""),), (KEY, SigningKey(""))])
def test_without_a_key_nothing_is_checked_at_all(keys: tuple[SigningKey, ...]) -> None:
    with pytest.raises(InvalidSetting, match="TWILIO_AUTH_TOKEN"):
        SignatureCheck(PublicOrigin.parse("https://h"), keys)


# --- other requests -------------------------------------------------------------------------------


def test_a_get_is_covered_by_its_url() -> None:
    signature = sign("https://example.com/v?CallSid=CA1&From=%2B1", [], KEY)
    assert _check().is_signed_get("/v?CallSid=CA1&From=%2B1", signature)
    assert not _check().is_signed_get("/v?CallSid=CA1&From=+1", signature)


def test_a_json_body_is_covered_by_its_hash() -> None:
    target = f"/myapp?bodySHA256={JSON_HASH}"
    assert _check().is_signed_json(target, JSON_BODY, JSON_SIGNATURE)


@pytest.mark.parametrize(
    ("target", "body", "signature"),
    [
        (f"/myapp?bodySHA256={JSON_HASH}", JSON_BODY + b" ", JSON_SIGNATURE),
        (f"/myapp?bodySHA256={JSON_HASH}", JSON_BODY, EXAMPLE_SIGNATURE),
        (f"/myapp?bodySHA256={JSON_HASH.upper()}", JSON_BODY, JSON_SIGNATURE),
        ("/myapp?bodySHA256=", b"", JSON_SIGNATURE),
        ("/myapp", JSON_BODY, sign("https://example.com/myapp", [], KEY)),
        ("//[/?bodySHA256=x", JSON_BODY, JSON_SIGNATURE),
    ],
)
def test_refuses_a_json_body_that_was_not_signed(target: str, body: bytes, signature: str) -> None:
    assert not _check().is_signed_json(target, body, signature)


@pytest.mark.parametrize(
    "signed",
    [
        "wss://voice.example.com/twilio/media",
        "wss://voice.example.com/twilio/media/",
        "wss://voice.example.com:443/twilio/media",
        "wss://voice.example.com:443/twilio/media/",
    ],
)
@pytest.mark.parametrize("path", ["/twilio/media", "/twilio/media/"])
def test_an_upgrade_may_have_been_signed_in_four_spellings(signed: str, path: str) -> None:
    check = _check("https://voice.example.com")
    assert check.is_signed_upgrade(path, sign(signed, [], KEY))


@pytest.mark.parametrize(
    "signed",
    [
        "https://voice.example.com/twilio/media",
        "ws://voice.example.com/twilio/media",
        "wss://voice.example.com/Twilio/media",
        "wss://voice.example.com:8443/twilio/media",
        "wss://voice.example.com/twilio",
        "wss://voice.example.com/twilio/media?x=1",
        "wss://voice.example.com/twilio/media//",
    ],
)
def test_refuses_an_upgrade_signed_otherwise(signed: str) -> None:
    check = _check("https://voice.example.com")
    assert not check.is_signed_upgrade("/twilio/media", sign(signed, [], KEY))


def test_the_golden_upgrades_are_accepted() -> None:
    check = _check("https://voice.example.com")
    assert check.is_signed_upgrade("/twilio/media", "PGLrn08/Ba1sEIuSwPQRBPD54PA=")
    assert check.is_signed_upgrade("/twilio/media", "/l2QA+p8VR0Ejy/AIlzbV7YZXIA=")
    assert check.is_signed_upgrade("/twilio/media?node=a1", "0LM49gdn3BMOEV7M08p5tpJJZVA=")
    on_port = _check("https://voice.example.com:8443")
    assert on_port.is_signed_upgrade("/twilio/media", "s5KkbjaeJYie5tkxFi52a8esndc=")


def test_the_root_path_has_a_slash_or_none() -> None:
    check = _check("https://h")
    assert check.is_signed_upgrade("/", sign("wss://h/", [], KEY))
    assert check.is_signed_upgrade("/", sign("wss://h", [], KEY))
    assert not check.is_signed_upgrade("/", sign("wss://h//", [], KEY))


def test_an_upgrade_on_loopback_keeps_its_port() -> None:
    check = _check("http://127.0.0.1:8000")
    assert check.is_signed_upgrade("/m", sign("ws://127.0.0.1:8000/m", [], KEY))
    assert not check.is_signed_upgrade("/m", sign("wss://127.0.0.1:8000/m", [], KEY))


@pytest.mark.parametrize("signature", [None, "", "x"])
def test_an_upgrade_needs_a_signature(signature: str | None) -> None:
    assert not _check().is_signed_upgrade("/m", signature)


# --- against Twilio's own implementation ----------------------------------------------------------

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_fields = st.lists(st.tuples(_text.filter(bool), _text), max_size=8)
_query = st.dictionaries(st.text("abcz", min_size=1, max_size=3), _text, max_size=3)


@examples()
@given(_fields, _query, st.text(min_size=1, max_size=40).filter(lambda key: key.isprintable()))
def test_signs_forms_as_twilio_does(
    fields: list[tuple[str, str]], query: dict[str, str], token: str
) -> None:
    target = "/twilio/voice" + (f"?{urlencode(query)}" if query else "")
    theirs = RequestValidator(token).compute_signature(
        f"https://example.com{target}", _Form(fields)
    )
    check = _check("https://example.com", SigningKey(token))
    assert check.is_signed_form(target, fields, theirs)


@examples()
@given(_fields, st.data())
def test_agrees_with_twilio_about_altered_forms(
    fields: list[tuple[str, str]], data: st.DataObject
) -> None:
    altered = data.draw(st.permutations(fields)) + data.draw(_fields)
    signature = sign("https://example.com/v", fields, KEY)
    theirs = RequestValidator("12345").validate("https://example.com/v", _Form(altered), signature)
    assert _check().is_signed_form("/v", altered, signature) == theirs


@examples()
@given(st.binary(max_size=200), st.binary(max_size=3))
def test_agrees_with_twilio_about_json(body: bytes, appended: bytes) -> None:
    target = f"/j?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = sign(f"https://example.com{target}", [], KEY)
    received = (body + appended).decode("latin-1")
    theirs = RequestValidator("12345").validate(f"https://example.com{target}", received, signature)
    ours = _check().is_signed_json(target, received.encode(), signature)
    assert ours == theirs


@examples()
@given(st.text("abc/%2F-_.~", max_size=20))
def test_agrees_with_twilio_about_upgrades(tail: str) -> None:
    path = "/twilio" + tail
    signature = RequestValidator("12345").compute_signature(f"wss://example.com{path}", {})
    assert _check().is_signed_upgrade(path, signature)


@examples()
@given(st.text(), st.lists(st.tuples(st.text(), st.text()), max_size=3), st.text())
def test_anything_is_answered_with_no(
    target: str, fields: list[tuple[str, str]], signature: str
) -> None:
    check = _check()
    assert not check.is_signed_form(target, fields, signature)
    assert not check.is_signed_json(target, target.encode("utf-8", "ignore"), signature)
    assert not check.is_signed_upgrade(target, signature)
