"""What people ask of the response cache and do to it: look, remove, invalidate, import, export.

Messages (plain data, ``{"v": 1, ...}``, unknown fields ignored; answers hold words of callers and
agents, so they are for the person who asked and for no log)

    summary   answered by ``cache.keeper_view.summary_of`` and what the owner does
    look      ``selection`` (``cache.keeper_view.Selection``), ``limit``, ``offset``; answered by
              ``rows`` and ``total``
    remove    ``selection``, ``is_all`` (needed for a selection of everything), ``try_only``;
              answered by ``removed``. A selection by tag and tenant also invalidates the tag;
              with ``is_erased`` (:func:`erasure_of`) nothing more is learned from its source
    bring     ``scope`` (tenant_id, agent_id, language), ``is_trusted``, ``cards`` (question,
              answer, tags, ttl, answer_id, caller, source, next); answered by ``kept`` and
              ``refused`` (reason and how often)
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from actors.cache_driver import VERSION, CacheDriver
from cache.deltas import packed
from cache.entry import (
    Answer,
    Provenance,
    StorageClass,
    TtlClass,
    answer_id_of,
    call_source,
)
from cache.errors import ImportInvalid
from cache.keeper_view import Selection, row_of, summary_of
from cache.lookup import Life, Question, ask
from cache.scope import ANY, Scope, caller_mark
from cache.storage_class import MOST_ANSWER_CHARS, AnswerFacts, storage_class, ttl_class

MOST_ROWS: Final = 1_000
MOST_CARDS: Final = 500
_ENCODE_WITHIN_S: Final = 30.0


class CacheDesk:
    """Answers people.

    Args:
        driver: Of the owner.
        clock: Epoch seconds.
    """

    def __init__(self, driver: CacheDriver, clock: Callable[[], float]) -> None:
        self._driver = driver
        self._clock = clock

    async def summary(self) -> dict[str, Any]:
        """Numbers about the cache; no words of anybody."""
        return {
            "v": VERSION,
            **summary_of(self._driver.keeper, self._clock()),
            **self._driver.status(),
        }

    async def look(self, plain: Mapping[str, Any]) -> dict[str, Any]:
        """Some entries. Raises ``ImportInvalid`` for a message of another form."""
        chosen = _selection_of(plain)
        limit, offset = _whole(plain, "limit", 100), _whole(plain, "offset", 0)
        keeper, now_s = self._driver.keeper, self._clock()
        found = list(chosen.of(keeper))
        rows = itertools.islice(found, offset, offset + min(limit, MOST_ROWS))
        return {
            "v": VERSION,
            "rows": [row_of(keeper, entry, now_s) for entry in rows],
            "total": len(found),
        }

    async def remove(self, plain: Mapping[str, Any]) -> dict[str, Any]:
        """Remove entries. Raises ``ImportInvalid`` for a message of another form."""
        chosen = _selection_of(plain)
        if chosen.is_everything and plain.get("is_all") is not True:
            raise ImportInvalid("say which entries, or that all of them are meant")
        await self._driver.settled()
        keeper = self._driver.keeper
        ids = [entry.entry_id for entry in chosen.of(keeper)]
        if plain.get("try_only") is True:
            return {"v": VERSION, "removed": len(ids)}
        if (
            chosen.tag
            and chosen.tenant_id
            and Selection(tenant_id=chosen.tenant_id, tag=chosen.tag) == chosen
        ):
            keeper.invalidate(chosen.tenant_id, chosen.tag, now_s=self._clock())
        if plain.get("is_erased") is True and chosen.tenant_id and chosen.source:
            keeper.erase(chosen.tenant_id, chosen.source, now_s=self._clock())
        removed = keeper.purge(ids)
        self._driver.changed()
        await self._driver.save()
        return {"v": VERSION, "removed": removed}

    async def bring(self, plain: Mapping[str, Any]) -> dict[str, Any]:
        """Import answers. Raises ``ImportInvalid`` for a message of another form."""
        scope = _scope_of(plain.get("scope"))
        cards = plain.get("cards")
        if not isinstance(cards, list) or len(cards) > MOST_CARDS:
            raise ImportInvalid(f"cards are a list of at most {MOST_CARDS}")
        is_trusted = plain.get("is_trusted") is True
        await self._driver.settled()
        await self._driver.encoder.check([scope.language])
        refused: Counter[str] = Counter()
        for card in cards:
            if reason := await self._bring(scope, card, is_trusted=is_trusted):
                refused[reason] += 1
        self._driver.changed()
        return {"v": VERSION, "kept": len(cards) - refused.total(), "refused": dict(refused)}

    async def _bring(self, scope: Scope, card: Any, *, is_trusted: bool) -> str:
        """Import one; why not, empty when it was kept."""
        if not isinstance(card, Mapping):
            return "not_a_card"
        asked, said = _text(card, "question"), _text(card, "answer").strip()
        question = ask(asked, scope)
        if reason := _objection(question, said):
            return reason
        answer = _answer_of(card, question, asked, said, is_trusted=is_trusted)
        if answer is None:
            return "personal"
        vector, _ = await self._driver.encoder.vector(
            question.text, scope.language, within_s=_ENCODE_WITHIN_S
        )
        caller = caller_mark(scope.tenant_id, _text(card, "caller") or "import")
        life = Life(self._clock(), source=_text(card, "source")[:200])
        kept = self._driver.keeper.bring(question, packed(vector), answer, caller, life)
        if kept is not None and (then := _ids(card.get("next"))):
            self._driver.keeper.step(scope, answer.answer_id, then)
        return "" if kept is not None else "not_kept"


def erasure_of(tenant_id: str, call_id: str) -> dict[str, Any]:
    """The message ``remove`` for a call that was erased."""
    selection = {"tenant_id": tenant_id, "source": call_source(call_id)}
    return {"v": VERSION, "selection": selection, "is_erased": True}


def _objection(question: Question, said: str) -> str:
    if question.is_too_long:
        return "question_too_long"
    if not question.text:
        return "no_question"
    if question.depends_on_before:
        return "too_few_words"
    if not said:
        return "no_answer"
    return "answer_too_long" if len(said) > MOST_ANSWER_CHARS else ""


def _answer_of(
    card: Mapping[str, Any], question: Question, asked: str, said: str, *, is_trusted: bool
) -> Answer | None:
    """The answer of a card; None for one of a past call that may not be kept."""
    tags = card.get("tags")
    kept_tags = (
        frozenset(str(tag) for tag in tags if tag) if isinstance(tags, list) else frozenset()
    )
    ttl = _text(card, "ttl")
    wanted = TtlClass(ttl) if ttl in set(TtlClass) else None
    if is_trusted:
        provenance, lives = Provenance.FAQ, wanted or TtlClass.LASTING
    else:
        facts = AnswerFacts(asked, said, question.scope.language)
        if storage_class(facts) is not StorageClass.GENERIC:
            return None
        provenance, lives = Provenance.TRANSCRIPT, ttl_class(said, wanted or TtlClass.BUSINESS)
    answer_id = _text(card, "answer_id") or answer_id_of(said)
    return Answer(answer_id, said, StorageClass.GENERIC, provenance, kept_tags, lives)


def _selection_of(plain: Mapping[str, Any]) -> Selection:
    chosen = plain.get("selection", {})
    if not isinstance(chosen, Mapping):
        raise ImportInvalid("a selection is a mapping")
    try:
        return Selection.from_plain(chosen)
    except ValueError as error:
        raise ImportInvalid(str(error)) from None


def _scope_of(plain: Any) -> Scope:
    """Where cards go: the common scope of an agent."""
    names = ("tenant_id", "agent_id", "language")
    if not isinstance(plain, Mapping) or not all(_text(plain, name) for name in names):
        raise ImportInvalid("a scope has a tenant, an agent and a language")
    tenant_id, agent_id, language = (_text(plain, name) for name in names)
    return Scope(tenant_id, agent_id, ANY, ANY, ANY, language, ANY).common


def _ids(value: Any) -> tuple[str, ...]:
    """Ids of answers; others than texts are passed over."""
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _text(plain: Mapping[str, Any], name: str) -> str:
    value = plain.get(name, "")
    return value if isinstance(value, str) else ""


def _whole(plain: Mapping[str, Any], name: str, default: int) -> int:
    value = plain.get(name, default)
    if type(value) is not int or value < 0:
        raise ImportInvalid(f"{name} is a number from 0")
    return value
