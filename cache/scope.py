"""Who may share an answer with whom: the hard partition of the response cache.

A scope is never part of an embedding: two questions of different scopes are not compared at all,
however alike they are. "Yes" after one question of the agent is another question than "yes" after
the next, so what the agent said last belongs to the scope too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Final

KEY_BYTES: Final = 16
PUBLIC: Final = "public"
UNKNOWN_ACT: Final = ""
ANY: Final = "*"
_REMEMBERED: Final = 4_096  # scopes of callers come and go


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything that must be equal before an answer may be used again.

    Attributes:
        tenant_id: Whose answers these are.
        agent_id: Which agent.
        agent_version: Changes with every edit of the agent's file.
        prompt_version: Digest or number of the prompt as it was rendered without the caller's data.
        flow_node: Where in the flow the call is; empty for an agent without one.
        language: BCP-47 tag of the turn.
        last_agent_act: What the agent did last, such as ``ask:date`` or ``answer``; empty when it
            is not known, and then turns of few words are never answered from the cache.
        visibility: ``PUBLIC``, or what :func:`private_to` gives.
    """

    tenant_id: str
    agent_id: str
    agent_version: str
    prompt_version: str
    flow_node: str
    language: str
    last_agent_act: str = UNKNOWN_ACT
    visibility: str = PUBLIC

    @property
    def is_public(self) -> bool:
        """Whether several callers may share its answers."""
        return self.visibility == PUBLIC

    @property
    def common(self) -> Scope:
        """Where the agent's FAQ cards are: true in every version, node and state of the dialogue.

        Only what a person wrote or imported stands there; what a model said never does.
        """
        return _common(self)

    def key(self) -> bytes:
        """16 bytes (BLAKE2b) that are the same in every process.

        Each field is preceded by its length, so that no two scopes run together into one.
        """
        return _key(self)


@lru_cache(maxsize=_REMEMBERED)
def _common(scope: Scope) -> Scope:
    return replace(
        scope,
        agent_version=ANY,
        prompt_version=ANY,
        flow_node=ANY,
        last_agent_act=ANY,
        visibility=PUBLIC,
    )


@lru_cache(maxsize=_REMEMBERED)
def _key(scope: Scope) -> bytes:
    """A lookup asks for it ten times."""
    digest = blake2b(digest_size=KEY_BYTES, person=b"callcluster-scop")
    for field in (
        scope.tenant_id,
        scope.agent_id,
        scope.agent_version,
        scope.prompt_version,
        scope.flow_node,
        scope.language.lower(),
        scope.last_agent_act,
        scope.visibility,
    ):
        encoded = field.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.digest()


def private_to(caller_id: str) -> str:
    """The visibility of answers that one caller alone may hear again."""
    return f"caller:{caller_id}"


def caller_mark(tenant_id: str, caller_id: str) -> bytes:
    """16 bytes that tell callers of a tenant apart without naming them.

    It is what entries keep of who produced them: enough to count different callers.
    """
    digest = blake2b(digest_size=KEY_BYTES, person=b"callcluster-call")
    for field in (tenant_id, caller_id):
        encoded = field.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.digest()
