"""The doctor against things that listen: the real edge, a TLS front, emulators, nothing at all."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import Request, Response, ServerConnection, serve

from cluster.doctor import check_running
from cluster.doctor.check_key_trials import examine_key_trials
from cluster.doctor.check_public import examine_public
from cluster.doctor.check_running import examine_running
from cluster.doctor.finding import Finding
from cluster.doctor.place import Place
from cluster.settings import Settings
from simulation.providers import ProvidersConfig, RunningProviders, run_providers
from simulation.voice_sound import HummingVoice
from telephony.origin import PublicOrigin
from telephony.signature import HEADER, SignatureCheck, SigningKey
from tests.support.edge_stage import TOKEN, EdgeStage
from tests.support.scripted_call import AGENT

pytestmark = pytest.mark.e2e


def settings(**fields: Any) -> Settings:
    return Settings(_env_file=None, **{"twilio_auth_token": TOKEN, **fields})


def statuses(findings: Sequence[Finding]) -> dict[str, str]:
    return {finding.subject: finding.status for finding in findings}


# --- the real edge -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stage() -> Iterator[EdgeStage]:
    with EdgeStage().running() as running:
        yield running


def test_the_edge_is_examined_and_no_call_is_made(stage: EdgeStage) -> None:
    door = stage.doors["good"]
    known = settings(public_url=door.url, mode="development")
    before = dict(door.counters)
    findings = stage.play(examine_public(Place(settings=known)))
    assert statuses(findings) == {
        "PUBLIC_URL": "ok",
        "TLS": "warn",
        "webhooks": "ok",
        "media socket": "ok",
        "unsigned socket": "ok",
    }
    assert len(door.edge.registry) == 0
    assert dict(door.counters) == {**before, "handshakes_refused": 1}


def test_another_token_here_than_there_is_found(stage: EdgeStage) -> None:
    known = settings(
        public_url=stage.doors["good"].url, mode="development", twilio_auth_token="x" * 32
    )
    findings = stage.play(examine_public(Place(settings=known)))
    assert statuses(findings)["media socket"] == "fail"
    assert "TWILIO_AUTH_TOKEN" in findings[-2].advice
    assert "x" * 32 not in repr(findings)


def test_the_running_edge_is_ready(stage: EdgeStage) -> None:
    door = stage.doors["good"]
    place = Place(settings=settings(), local_url=door.url)
    ready, *proxy = stage.play(examine_running(place))
    assert ready.status == "ok"
    assert proxy[0].status == "warn"  # no HAProxy in front of this one
    door.edge.not_ready[:] = ["voice: elevenlabs: the key is not valid"]
    try:
        waiting = stage.play(examine_running(place))[0]
    finally:
        door.edge.not_ready.clear()
    assert (waiting.status, "the key is not valid" in waiting.found) == ("fail", True)


# --- a front with TLS ----------------------------------------------------------------------------


@contextlib.contextmanager
def certificate(folder: Path, days: int) -> Iterator[Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key, in one file."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "front")])
    now = datetime.now(UTC)
    host = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "front.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    yield file


@contextlib.asynccontextmanager
async def front(file: Path, *, forwards_sockets: bool = True) -> AsyncIterator[str]:
    """A TLS front with the product's manners behind it; its public URL."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"https://127.0.0.1:{listening.getsockname()[1]}"
    check = SignatureCheck(PublicOrigin.parse(url), (SigningKey(TOKEN),))

    def answer(connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/healthz":
            return connection.respond(HTTPStatus.OK, '{"status":"ok"}')
        if not forwards_sockets:
            return connection.respond(HTTPStatus.BAD_GATEWAY, "no sockets here")
        if check.is_signed_upgrade(request.path, request.headers.get(HEADER)):
            return None
        return connection.respond(HTTPStatus.FORBIDDEN, "")

    async def hold(connection: ServerConnection) -> None:
        await connection.wait_closed()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    async with serve(hold, sock=listening, ssl=context, process_request=answer):
        yield url


def examined(file: Path, *, trusted: bool = True, **options: Any) -> dict[str, Finding]:
    async def body() -> Sequence[Finding]:
        async with front(file, **options) as url:
            trust = ssl.create_default_context(cafile=str(file)) if trusted else None
            known = settings(public_url=url, mode="development")
            return await examine_public(Place(settings=known, tls=trust))

    return {finding.subject: finding for finding in asyncio.run(body())}


def test_a_front_with_a_good_certificate(tmp_path: Path) -> None:
    with certificate(tmp_path, days=60) as file:
        found = examined(file)
    assert {finding.status for finding in found.values()} == {"ok"}
    assert found["TLS"].found == "a valid certificate, 60 days left"
    assert found["media socket"].found.startswith("wss://127.0.0.1:")


def test_a_certificate_of_nobody_is_said(tmp_path: Path) -> None:
    with certificate(tmp_path, days=60) as file:
        found = examined(file, trusted=False)
    assert found["TLS"].status == "fail"
    assert "self-signed" in found["TLS"].found.replace(" ", "-")
    assert "media socket" not in found  # whoever is not trusted is told no signature


def test_a_certificate_that_ends_soon_is_said(tmp_path: Path) -> None:
    with certificate(tmp_path, days=5) as file:
        assert examined(file)["TLS"].found == "the certificate ends in 5 days"


def test_a_front_without_sockets_is_said(tmp_path: Path) -> None:
    with certificate(tmp_path, days=60) as file:
        found = examined(file, forwards_sockets=False)
    assert found["webhooks"].status == "ok"
    assert (found["media socket"].status, found["unsigned socket"].status) == ("fail", "skipped")
    assert "HTTP 502" in found["media socket"].found


# --- nothing, or somebody else -------------------------------------------------------------------


def nobody() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_nobody_at_the_public_address() -> None:
    known = settings(public_url=nobody(), mode="development")
    found = asyncio.run(examine_public(Place(settings=known)))
    assert statuses(found)["webhooks"] == "skipped"  # this machine, in development mode
    assert "media socket" not in statuses(found)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://127.0.0.1:8443", "this machine only"),
        ("https://no-such-host.invalid", "has no address"),
    ],
)
def test_an_address_that_twilio_cannot_reach(url: str, said: str) -> None:
    found = asyncio.run(examine_public(Place(settings=settings(public_url=url))))
    assert [finding.status for finding in found] == ["fail"]
    assert said in found[0].found


def test_nobody_at_the_local_address_is_no_failure() -> None:
    place = Place(settings=settings(), local_url=nobody())
    assert statuses(asyncio.run(examine_running(place))) == {"readyz": "skipped"}


def test_replicas_whose_haproxy_is_down_are_no_product_that_does_not_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = nobody()
    port = int(url.rpartition(":")[2])
    here = {11: [{"port": port}, {"port": port}, {"port": port + 1}, {"old": "says none"}], 12: []}
    monkeypatch.setattr(check_running, "raylets", lambda: list(here))
    monkeypatch.setattr(check_running, "replicas_below", here.__getitem__)
    (found,) = asyncio.run(examine_running(Place(settings=settings(), local_url=url)))
    assert (found.status, "2 ingress replicas" in found.found) == ("fail", True)
    assert "HAProxy is down" in found.found
    # Of another product of this machine, or of another machine, nothing is said.
    here[11] = [{"port": port + 1}]
    (found,) = asyncio.run(examine_running(Place(settings=settings(), local_url=url)))
    assert found.status == "skipped"


def test_something_else_at_the_local_address_is_one() -> None:
    async def body() -> Sequence[Finding]:
        async with run_providers(ProvidersConfig(voice=HummingVoice())) as running:
            url = running.elevenlabs_base_url
            return await examine_running(Place(settings=settings(), local_url=url))

    (found,) = asyncio.run(body())
    assert (found.status, "not as the product" in found.found) == ("fail", True)


# --- keys, tried against the emulators -----------------------------------------------------------

KEYED = replace(AGENT, recogniser="azure", thinker="openai", speaker="elevenlabs", model="")


def tried(services: Any, *, try_keys: bool = True) -> dict[str, str]:
    async def body() -> Sequence[Finding]:
        async with run_providers(ProvidersConfig(voice=HummingVoice())) as running:
            known = settings(twilio_auth_token="", **services(running))
            return await examine_key_trials(
                Place(settings=known, agents={("default", "a1"): KEYED}, try_keys=try_keys)
            )

    return statuses(asyncio.run(body()))


def openai_at(running: RunningProviders) -> dict[str, str]:
    return {
        "azure_speech_key": "k" * 32,
        "azure_speech_host": running.azure_host,
        "openai_api_key": "k",
        "openai_base_url": running.openai_base_url,
        "elevenlabs_api_key": "k",
        "elevenlabs_base_url": running.elevenlabs_base_url,
    }


def test_every_key_is_tried_where_the_settings_point() -> None:
    assert tried(openai_at) == {
        "AZURE_SPEECH_KEY tried": "ok",
        "OPENAI_API_KEY tried": "ok",
        "ELEVENLABS_API_KEY tried": "ok",
        "TWILIO_AUTH_TOKEN tried": "skipped",
    }


def test_a_wrong_key_is_a_failure_and_a_deployment_is_asked_without_a_message() -> None:
    def wrong(running: RunningProviders) -> dict[str, str]:
        address = running.openai_base_url.removesuffix("/v1")
        return {
            **openai_at(running),
            "openai_api_key": "",
            "openai_base_url": "",
            "azure_openai_api_key": "k",
            "azure_openai_endpoint": f"{address}/openai/deployments/voice/chat/completions",
            "elevenlabs_api_key": "bad",
        }

    found = tried(wrong)
    assert found["AZURE_OPENAI_API_KEY tried"] == "ok"
    assert found["ELEVENLABS_API_KEY tried"] == "fail"


def test_a_provider_that_is_not_there_is_a_failure() -> None:
    def away(running: RunningProviders) -> dict[str, str]:
        return {**openai_at(running), "openai_base_url": nobody()}

    assert tried(away)["OPENAI_API_KEY tried"] == "fail"


def test_no_key_is_tried_unasked() -> None:
    assert tried(openai_at, try_keys=False) == {"keys tried": "skipped"}
