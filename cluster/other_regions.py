"""The other regions: who of them answers, and calls that are given to them.

A call that another region is nearer to is offered to it before anybody answers: this region posts
the carrier's form to the other one's voice webhook, signed as the carrier signs, and hands on the
TwiML that it gets. The stream, its ``action`` and everything after it then belong to that region
alone, which has admitted the call, placed it and minted its tokens; this one is not asked again.

Rules
1. ``via`` in the query says that the call was passed on. Who is asked so takes the call or refuses
   it (503) and never passes it on: no call goes round in circles.
2. The next region is asked when one does not answer within ``TAKE_WITHIN_S``; one that is known to
   be down is not asked. All regions together have ``ALL_WITHIN_S``: the carrier waits 15 s.
3. Regions are probed beside the calls, at ``/readyz``; no webhook waits for a probe.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import random
from collections.abc import Callable, Collection, Iterable, Mapping

import httpx

from actors.rounds import for_ever
from cluster.call_urls import VOICE_PATH
from cluster.region_health import RegionHealth
from cluster.regions import Region, RegionTable, country_of
from telephony.signature import HEADER, SigningKey, sign
from telephony.twiml import MAX_TWIML_BYTES

logger = logging.getLogger(__name__)

VIA = "via"
"""In the query of a voice webhook: the region that passes a call on."""
READY_PATH = "/readyz"
PROBE_EVERY_S = 2.0
PROBE_WITHIN_S = 2.0
TAKE_WITHIN_S = 3.0
ALL_WITHIN_S = 5.0


class OtherRegions:
    """The regions that this one is not.

    Args:
        table: All of them.
        auth_token: The carrier account's, which all regions share; empty in development mode.
        count: Counts what happens, by name.
        http: Asks them.
        jitter: 0 to 1; spreads the probes of many replicas.
    """

    def __init__(
        self,
        table: RegionTable,
        auth_token: str,
        count: Callable[[str, float], None],
        http: httpx.AsyncClient | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._table = table
        self._key = SigningKey(auth_token) if auth_token else None
        self._count = count
        self._http = http or httpx.AsyncClient(timeout=TAKE_WITHIN_S)
        self._jitter = jitter
        self._health = {region.name: RegionHealth() for region in table.others}
        self._probing: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to probe. Idempotent."""
        if not self._probing:
            loop = asyncio.get_running_loop()
            for region in self._table.others:
                work = for_ever(
                    functools.partial(self._probe, region), PROBE_EVERY_S, "the probes of a region"
                )
                self._probing.append(loop.create_task(work))

    async def aclose(self) -> None:
        """Stop, and close the connections."""
        for task in self._probing:
            task.cancel()
        await asyncio.gather(*self._probing, return_exceptions=True)
        await self._http.aclose()

    def status(self) -> dict[str, bool]:
        """Which region is believed to answer, by name."""
        return {name: health.is_up for name, health in self._health.items()}

    async def nearer(self, form: Mapping[str, str]) -> str | None:
        """Offer a new call to the regions that its caller is nearer to.

        Args:
            form: Of the voice webhook.

        Returns:
            The TwiML of who takes it; None: it is ours.
        """
        regions = self._table.before_mine(country_of(form), self._away(form))
        return await self._offer(regions, form)

    async def instead(self, form: Mapping[str, str]) -> str | None:
        """Offer a call for which there is no place here to the regions that were not asked yet.

        Returns:
            The TwiML of who takes it; None: nobody does.
        """
        regions = self._table.after_mine(country_of(form), self._away(form))
        return await self._offer(regions, form)

    def _away(self, form: Mapping[str, str]) -> Collection[str]:
        """Who is down, as we know, or as the carrier says who could not reach it."""
        down = {name for name, health in self._health.items() if not health.is_up}
        return down | {self._table.at(form.get("ErrorUrl", ""))}

    async def _offer(self, regions: Iterable[Region], form: Mapping[str, str]) -> str | None:
        try:
            async with asyncio.timeout(ALL_WITHIN_S):
                for region in regions:
                    twiml = await self._ask(region, form)
                    if twiml is not None:
                        self._count("calls_passed_on", 1)
                        return twiml
        except TimeoutError:
            logger.warning("no other region has answered in time")
        return None

    async def _ask(self, region: Region, form: Mapping[str, str]) -> str | None:
        url = region.origin.url(f"{VOICE_PATH}?{VIA}={self._table.mine}")
        headers = {HEADER: sign(url, form.items(), self._key)} if self._key is not None else {}
        try:
            async with asyncio.timeout(TAKE_WITHIN_S):
                answer = await self._http.post(url, data=dict(form), headers=headers)
        except (httpx.HTTPError, TimeoutError) as error:
            self._saw(region, answered=False)
            self._count("regions_unanswered", 1)
            logger.warning("region %s has not answered: %s", region.name, type(error).__name__)
            return None
        # A front without a node behind it says 503 as well, but not in TwiML.
        is_twiml = answer.headers.get("content-type", "").startswith("text/xml")
        self._saw(region, answered=answer.status_code < 500 or is_twiml)
        if answer.status_code == 200 and is_twiml and len(answer.content) <= MAX_TWIML_BYTES:
            return answer.text
        self._count("regions_refused", 1)
        if answer.status_code < 500:
            logger.error(
                "region %s has refused a call with HTTP %d: are TWILIO_AUTH_TOKEN and "
                "CALLCLUSTER_REGIONS the same there?",
                region.name,
                answer.status_code,
            )
        return None

    async def _probe(self, region: Region) -> None:
        while True:
            await asyncio.sleep(PROBE_EVERY_S * (0.5 + self._jitter()))
            try:
                async with asyncio.timeout(PROBE_WITHIN_S):
                    answer = await self._http.get(region.origin.url(READY_PATH))
            except (httpx.HTTPError, TimeoutError):
                self._saw(region, answered=False)
            else:
                self._saw(region, answered=answer.status_code == 200)

    def _saw(self, region: Region, *, answered: bool) -> None:
        if self._health[region.name].saw(answered=answered):
            said = "answers again" if answered else "does not answer: its callers come here"
            logger.warning("region %s %s", region.name, said)
