"""The way from an ingress replica to a CallActor: over its link, or by Ray calls where it has none.

Ray finds the actor and says where its link listens; what may be asked is the same on both ways, and
so is what fails: ``MindLostError``, after which the call goes on elsewhere.

A reply that pauses is watched: a model may think for long, but its CallActor must answer a question
about itself meanwhile. One that does not is lost, as if it had died.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import ray

from actors.errors import LinkLostError, MindLostError
from actors.gcs_questions import ask_gcs
from actors.mind_link import CONNECT_WITHIN_S, MindLink
from actors.placement import NAMESPACE
from actors.wire import AbandonTurn, TakeTurn, TurnItem

logger = logging.getLogger(__name__)

QUIET_SHARE = 0.25  # of the time that a CallActor may be silent, before it is asked whether it is


class MindWay:
    """Made by ``find``.

    Args:
        actor: Its name.
        handle: Ray's handle of it.
        link: An open link to it; None asks through Ray.
    """

    def __init__(self, actor: str, handle: Any, link: MindLink | None) -> None:
        self._actor = actor
        self._handle = handle
        self._link = link

    @classmethod
    async def find(cls, actor: str) -> MindWay:
        """Look an actor up by its name and come to its link.

        Raises:
            MindLostError: There is no such actor, or it is dead.
        """
        try:
            # A blocking question to the GCS: in a thread, and once for each actor.
            find = functools.partial(ray.get_actor, actor, NAMESPACE)
            handle = await ask_gcs(("actor", actor), find)
            link = await linked(actor, handle)
        except (TimeoutError, ValueError, ray.exceptions.RayError) as error:
            raise MindLostError(f"{actor}: {type(error).__name__}") from None
        return cls(actor, handle, link)

    @property
    def is_lost(self) -> bool:
        """Whether it has to be found again."""
        return self._link is not None and self._link.is_lost

    @property
    def is_linked(self) -> bool:
        """Whether it is asked over a link."""
        return self._link is not None

    @property
    def heard_at(self) -> float:
        """Loop time at which the actor last said anything over its link; long ago without one."""
        return -math.inf if self._link is None else self._link.heard_at

    async def ask(self, method: str, argument: Any) -> Any:
        """One question, one answer. Raises ``MindLostError``."""
        try:
            if self._link is not None:
                return await self._link.ask(method, argument)
            return await getattr(self._handle, method).remote(argument)
        except LinkLostError as error:
            raise MindLostError(f"{self._actor}: {error}") from None
        except ray.exceptions.RayError as error:
            raise MindLostError(f"{self._actor}: {type(error).__name__}") from None

    async def take_turn(
        self, message: TakeTurn, silent_for_s: float
    ) -> AsyncGenerator[TurnItem, None]:
        """Ask for a reply; closing the iterator abandons it.

        Args:
            message: The question.
            silent_for_s: An actor that does not answer about itself for so long is lost.

        Raises:
            MindLostError: It is dead, silent, or cannot be reached.
        """
        plain = message.to_plain()
        items = (
            self._link.stream("take_turn", plain)
            if self._link is not None
            else _through_ray(self._handle, message)
        )
        async with aclosing(items):
            while True:
                waiting = asyncio.ensure_future(_next(items))
                try:
                    item = await self._watched(waiting, silent_for_s)
                except LinkLostError as error:
                    raise MindLostError(f"{self._actor}: {error}") from None
                except ray.exceptions.RayError as error:
                    raise MindLostError(f"{self._actor}: {type(error).__name__}") from None
                finally:
                    if not waiting.done():  # nothing may read it while it is being closed
                        waiting.cancel()
                        await asyncio.wait({waiting})
                    if not waiting.cancelled():
                        waiting.exception()  # seen, also where this turn was cancelled in that step
                if item is None:
                    return
                yield item
                if item.type in {"finished", "failed"}:
                    return

    async def _watched(
        self, waiting: asyncio.Task[TurnItem | None], silent_for_s: float
    ) -> TurnItem | None:
        """The next item, however late, as long as the CallActor itself answers.

        It is asked after a quarter of the time, and the rest is what it has for the answer: a
        caller in whose turn it stops waits no longer than one who asks after it has stopped.
        """
        quiet_s = silent_for_s * QUIET_SHARE
        while True:
            done, _ = await asyncio.wait({waiting}, timeout=quiet_s)
            if done:
                return waiting.result()
            if self._has_spoken(quiet_s):
                continue
            answer_s = silent_for_s - quiet_s
            asking = asyncio.ensure_future(self._is_there())
            try:
                done, _ = await asyncio.wait(
                    {waiting, asking}, timeout=answer_s, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                asking.cancel()
            if asking in done:
                asking.result()
            elif not done and not self._has_spoken(answer_s):  # else it is busy with others
                raise MindLostError(f"{self._actor}: silent in the middle of a reply")

    def _has_spoken(self, within_s: float) -> bool:
        return asyncio.get_running_loop().time() - self.heard_at < within_s

    async def _is_there(self) -> None:
        """Any answer will do. Raises ``LinkLostError``, ``RayError``."""
        if self._link is not None:
            await self._link.ask("call_state", "")
        else:
            await self._handle.status.remote()


async def linked(actor: str, handle: Any) -> MindLink | None:
    """A link to this actor; None where none can be had, and it is asked through Ray."""
    try:
        where = await asyncio.wait_for(handle.link.remote(), CONNECT_WITHIN_S)
        return await MindLink.connect(where) if where else None
    except AttributeError:  # of a release that knows no link
        return None
    except (TimeoutError, LinkLostError) as error:
        logger.warning("%s is asked through Ray, it has no link: %s", actor, error)
        return None


async def _next(items: AsyncIterator[Any]) -> TurnItem | None:
    """The next item of a stream; None at its end."""
    plain = await anext(items, None)
    return None if plain is None else TurnItem.from_plain(plain)


async def _through_ray(handle: Any, message: TakeTurn) -> AsyncGenerator[Any, None]:
    stream = handle.take_turn.options(num_returns="streaming").remote(message.to_plain())
    over = False
    try:
        async for reference in stream:
            plain = await reference
            over = plain.get("type") in {"finished", "failed"}
            yield plain
        over = True
    except ray.exceptions.RayError:
        over = True  # nobody is there to be told
        raise
    finally:
        if not over:  # Ray does not tell a generator that nobody reads it
            handle.abandon.remote(
                AbandonTurn(
                    message.tenant_id,
                    message.call_id,
                    message.epoch,
                    message.turn_id,
                    message.guess,
                ).to_plain()
            )
