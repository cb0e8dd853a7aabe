"""Which owner keeps the answers of an agent, where one owner is not enough.

Rendezvous hashing by tenant and agent: every scope of an agent has one owner, whatever its version,
language or state, so that what is learned together lies together. With one owner more, each of the
others gives up an equal part to it and nothing else moves.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

MOST_SHARDS: Final = 64
_IDS_EACH: Final = 1 << 40


def shard_of(tenant_id: str, agent_id: str, shards: int) -> int:
    """The owner of this agent, 0 to ``shards`` - 1; the same in every process.

    Args:
        tenant_id: Whose agent.
        agent_id: Its name.
        shards: How many owners there are, at least one.
    """
    return max(range(shards), key=lambda shard: _weight(tenant_id, agent_id, shard))


def first_id(shard: int, *, after: int = 0) -> int:
    """The first id that an owner gives to an entry; no other owner gives ids of its range.

    Args:
        shard: Which owner.
        after: The greatest id that was given while there were more or fewer owners: all their ids
            lie below the ranges of today. 0 when there were none.
    """
    block = after // _IDS_EACH + 1 if after else 0
    return (block + shard) * _IDS_EACH + 1


def _weight(tenant_id: str, agent_id: str, shard: int) -> bytes:
    digest = blake2b(digest_size=16, person=b"callcluster-shrd")
    for field in (tenant_id, agent_id, str(shard)):
        encoded = field.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.digest()
