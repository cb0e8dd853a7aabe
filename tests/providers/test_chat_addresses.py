"""Each chat service at its own address: our requests are those of the unmodified SDK."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import openai
import pytest

from dialogue.ports import Message, ThinkRequest
from providers.chat_endpoint import azure_endpoint, openai_endpoint, openrouter_endpoint
from providers.errors import ProviderRefused, ProviderRejected
from providers.settings import ChatEndpoint, OpenAIConfig, ProviderSettings
from providers.table import build_thinker
from simulation.faults import Faults
from tests.providers import stage as stages
from tests.providers.stage import run_for_real
from tests.support.contract_thinker import all_of, text_of

pytestmark = pytest.mark.e2e

VERSION = "2024-10-21"
REFUSAL = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server sees of a request's address and key."""

    path: str
    query: tuple[tuple[str, str], ...]
    api_key: str
    authorization: str


@contextlib.asynccontextmanager
async def listener() -> AsyncIterator[tuple[str, list[Seen]]]:
    """A server that writes down every request and refuses it."""
    seen: list[Seen] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        target = urlsplit(head[0].split(" ")[1])
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        seen.append(
            Seen(
                target.path,
                tuple(parse_qsl(target.query)),
                fields.get("api-key", ""),
                fields.get("authorization", ""),
            )
        )
        writer.write(REFUSAL)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen
    finally:
        server.close()


async def ask_ours(endpoint: ChatEndpoint, model: str = "") -> None:
    thinker = build_thinker("openai", ProviderSettings(openai=OpenAIConfig(endpoint)))
    try:
        with pytest.raises(ProviderRejected):
            async for _ in thinker.reply(ThinkRequest("call", (Message("user", "Hi"),), model)):
                pass
    finally:
        await thinker.aclose()


async def ask_theirs(client: openai.AsyncOpenAI, model: str) -> None:
    with pytest.raises(openai.BadRequestError):
        await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Hi"}], stream=True
        )
    await client.close()


def both(
    ours: Callable[[str], ChatEndpoint], theirs: Callable[[str], Awaitable[None]]
) -> tuple[Seen, Seen]:
    """The request of our thinker and that of the SDK as its manual says."""

    requests: list[Seen] = []

    async def body() -> None:
        async with listener() as (address, seen):
            await ask_ours(ours(address))
            await theirs(address)
            requests.extend(seen)

    run_for_real(body())
    first, second = requests
    return first, second


def azure_sdk(address: str) -> Awaitable[None]:
    client = openai.AsyncAzureOpenAI(
        azure_endpoint=address, api_key="k", api_version=VERSION, max_retries=0
    )
    return ask_theirs(client, "voice")


def test_a_whole_azure_url_is_asked_as_the_azure_client_asks() -> None:
    url = f"/openai/deployments/voice/chat/completions?api-version={VERSION}"
    ours, theirs = both(lambda address: azure_endpoint("k", address + url), azure_sdk)
    assert ours == theirs
    assert ours == Seen(
        "/openai/deployments/voice/chat/completions", (("api-version", VERSION),), "k", ""
    )


def test_a_bare_azure_resource_is_asked_the_same_way() -> None:
    ours, theirs = both(
        lambda address: azure_endpoint("k", address, deployment="voice", api_version=VERSION),
        azure_sdk,
    )
    assert ours == theirs


def test_the_newer_azure_route_is_openais_own() -> None:
    ours, theirs = both(
        lambda address: azure_endpoint("k", f"{address}/openai/v1/", deployment="voice"),
        lambda address: ask_theirs(
            openai.AsyncOpenAI(base_url=f"{address}/openai/v1/", api_key="k", max_retries=0),
            "voice",
        ),
    )
    assert ours == theirs == Seen("/openai/v1/chat/completions", (), "", "bearer k")


def test_openrouter_and_openai_take_a_bearer_token() -> None:
    def theirs(address: str) -> Awaitable[None]:
        return ask_theirs(
            openai.AsyncOpenAI(base_url=f"{address}/api/v1", api_key="k", max_retries=0), "m"
        )

    for make in (openrouter_endpoint, openai_endpoint):
        ours, sdk = both(lambda address, make=make: make("k", f"{address}/api/v1", "m"), theirs)
        assert ours == sdk == Seen("/api/v1/chat/completions", (), "", "bearer k")


def test_the_deployment_of_the_url_is_asked_whatever_model_an_agent_names() -> None:
    async def body() -> None:
        async with listener() as (address, seen):
            url = f"{address}/openai/deployments/voice/chat/completions"
            await ask_ours(azure_endpoint("k", url), model="gpt-5.4-mini")
            assert seen[0].path == "/openai/deployments/voice/chat/completions"

    run_for_real(body())


@pytest.mark.parametrize("path", ["/openai/deployments/voice/chat/completions", "/openai/v1"])
def test_an_azure_deployment_answers(path: str) -> None:
    async def body() -> None:
        async with stages.openai() as stage:
            endpoint = azure_endpoint("k", f"http://{stage.address}{path}", model="gpt-5.4-mini")
            settings = ProviderSettings(openai=OpenAIConfig(endpoint))
            thinker = build_thinker("openai", settings)
            await thinker.warm()
            assert text_of(await all_of(thinker))
            stage.break_it(Faults(status=401))
            with pytest.raises(ProviderRefused) as refused:
                await all_of(thinker)
            assert refused.value.setting == "AZURE_OPENAI_API_KEY"
            await thinker.aclose()

    run_for_real(body())
