"""API keys: whose request is this?

A key that was found good is trusted for ``TRUST_S``; a revoked one is refused within that time.
While the database is away, keys known to be good go on for ``TRUST_WHEN_AWAY_S``. Kept is a digest
of the key, never the key.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cluster.api.errors import ApiError
from records.edge_rows import ApiKeyRow
from records.errors import RecordsError

logger = logging.getLogger(__name__)

TRUST_S = 3.0
TRUST_WHEN_AWAY_S = 300.0
KEPT = 2_000
MAX_KEY_CHARS = 200


@dataclass(frozen=True, slots=True)
class _Known:
    tenant_id: str | None  # None: a key that opens nothing
    at: float


class ApiKeys:
    """From the ``Authorization`` header to a tenant.

    Args:
        find: The key of a secret, or None. Raises ``RecordsError``.
        now: Seconds of a clock that does not jump.
        tenant_without_key: Who is meant without any key; None: nobody (outside development mode).
    """

    def __init__(
        self,
        find: Callable[[str], Awaitable[ApiKeyRow | None]],
        now: Callable[[], float],
        tenant_without_key: str | None,
    ) -> None:
        self._find = find
        self._now = now
        self._tenant_without_key = tenant_without_key
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._has_warned = False

    async def tenant_of(self, authorization: str) -> str:
        """The tenant.

        Raises:
            ApiError: 401: no key, or one that opens nothing; 503: nobody can tell.
        """
        if not authorization and self._tenant_without_key is not None:
            if not self._has_warned:
                logger.warning(
                    "DEVELOPMENT MODE: the API is open to everybody without a key, as tenant %s",
                    self._tenant_without_key,
                )
                self._has_warned = True
            return self._tenant_without_key
        scheme, _, key = authorization.partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key or len(key) > MAX_KEY_CHARS:
            raise _unauthorized("send the header Authorization: Bearer cck_...")
        tenant_id = await self._ask(key)
        if tenant_id is None:
            raise _unauthorized("this API key opens nothing: it is wrong, or was revoked")
        return tenant_id

    async def _ask(self, key: str) -> str | None:
        digest = hashlib.sha256(key.encode("utf-8", "replace")).digest()
        known, now = self._known.get(digest), self._now()
        if known is not None and now - known.at < TRUST_S:
            return known.tenant_id
        try:
            row = await self._find(key)
        except RecordsError as error:
            if known is not None and known.tenant_id and now - known.at < TRUST_WHEN_AWAY_S:
                return known.tenant_id
            raise ApiError(f"API keys cannot be checked: {error}", "store_unavailable") from None
        tenant_id = None if row is None else row.tenant_id
        self._known[digest] = _Known(tenant_id, now)
        self._known.move_to_end(digest)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return tenant_id


def _unauthorized(message: str) -> ApiError:
    return ApiError(message, "unauthorized")
