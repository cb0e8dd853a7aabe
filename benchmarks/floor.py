"""How long the emulated providers themselves take to answer: part of every overhead figure here."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from benchmarks.stats import Spread, spread

REQUESTS = 40
PAUSE_S = 0.02
VOICE = "21m00Tcm4TlvDq8ikWAM"


async def measure(openai_base_url: str, elevenlabs_base_url: str) -> dict[str, Spread]:
    """Plain HTTP requests one at a time: to the first token, and to the first byte of speech."""
    tokens, speech = [], []
    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as http:
        for number in range(REQUESTS):
            said = f"You said: number {number} please."
            question = {"role": "user", "content": said}
            asked = {"model": "gpt-5.4-mini", "stream": True, "messages": [question]}
            url = f"{openai_base_url}/chat/completions"
            tokens.append(await _until(http, url, asked, b'"content":"'))
            url = f"{elevenlabs_base_url}/v1/text-to-speech/{VOICE}/stream?output_format=ulaw_8000"
            speech.append(await _until(http, url, {"text": said}, b""))
            await asyncio.sleep(PAUSE_S)
    warm = slice(2, None)  # the first requests open connections
    return {"first_token": spread(tokens[warm]), "first_speech": spread(speech[warm])}


async def _until(http: httpx.AsyncClient, url: str, body: dict[str, Any], mark: bytes) -> float:
    """Seconds from the request until ``mark`` has arrived; the answer is read to its end."""
    headers = {"authorization": "Bearer emulated", "xi-api-key": "emulated"}
    began_s = time.perf_counter()
    found_s: float | None = None
    async with http.stream("POST", url, json=body, headers=headers) as answer:
        answer.raise_for_status()
        async for piece in answer.aiter_raw():
            if found_s is None and mark in piece.replace(b" ", b""):
                found_s = time.perf_counter() - began_s
    if found_s is None:
        raise ValueError(f"{url}: answered without {mark!r}")
    return found_s
