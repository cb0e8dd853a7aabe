"""Can this encoder read this language? Asked once at start, for each language of the agents.

An encoder that does not know a script gives every sentence nearly the same vector: "what is my
balance" and "the internet is down" were 0.99 alike in Chinese to an English model. Then the
semantic tier is off for that language, and the exact tier and the patterns go on.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cache.encoder import Encoder
from cache.normalise import canonical

MOST_UNRELATED: Final = 0.5
MOST_UNKNOWN: Final = 0.1
LEAST_RELATED: Final = 0.6

_SENTENCES: Final[Mapping[str, tuple[str, str, str, str, str]]] = {
    # The first two ask the same; the others have nothing to do with them or with each other.
    "en": (
        "what time do you open in the morning",
        "when do you open in the morning",
        "my internet connection is not working",
        "I would like to cancel my order",
        "do you have a vegetarian menu",
    ),
    "de": (
        "um wie viel Uhr öffnen Sie am Morgen",
        "wann öffnen Sie am Morgen",
        "meine Internetverbindung funktioniert nicht",
        "ich möchte meine Bestellung stornieren",
        "haben Sie eine vegetarische Speisekarte",
    ),
    "fr": (
        "à quelle heure ouvrez-vous le matin",
        "vous ouvrez à quelle heure le matin",
        "ma connexion internet ne marche pas",
        "je voudrais annuler ma commande",
        "avez-vous un menu végétarien",
    ),
    "es": (
        "a qué hora abren por la mañana",
        "cuándo abren por la mañana",
        "mi conexión a internet no funciona",
        "quisiera cancelar mi pedido",
        "tienen un menú vegetariano",
    ),
    "it": (
        "a che ora aprite la mattina",
        "quando aprite la mattina",
        "la mia connessione internet non funziona",
        "vorrei annullare il mio ordine",
        "avete un menù vegetariano",
    ),
    "pt": (
        "a que horas abrem de manhã",
        "quando abrem de manhã",
        "a minha ligação à internet não funciona",
        "queria cancelar a minha encomenda",
        "têm um menu vegetariano",
    ),
    "nl": (
        "hoe laat gaat u 's ochtends open",
        "wanneer gaat u 's ochtends open",
        "mijn internetverbinding werkt niet",
        "ik wil mijn bestelling annuleren",
        "heeft u een vegetarisch menu",
    ),
    "zh": (
        "你們早上幾點開門",
        "請問早上什麼時候開門",
        "我的網路連不上",
        "我想取消訂單",
        "有沒有素食菜單",
    ),
    "yue": (
        "你哋朝早幾點開門",
        "請問朝早幾時開門",
        "我屋企上唔到網",
        "我想取消張訂單",
        "有冇素食餐牌",
    ),
    "ja": (
        "朝は何時に開きますか",
        "朝の開店時間を教えてください",
        "インターネットにつながりません",
        "注文をキャンセルしたいです",
        "ベジタリアンのメニューはありますか",
    ),
    "ko": (
        "아침 몇 시에 여나요",
        "아침에 언제 문을 여나요",
        "인터넷이 안 돼요",
        "주문을 취소하고 싶어요",
        "채식 메뉴가 있나요",
    ),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found.

    Attributes:
        can_read: Whether the semantic tier may be used.
        why: For ``callcluster doctor``; empty when it may.
        unrelated: The greatest similarity of sentences that have nothing to do with each other.
        related: That of two which ask the same.
        unknown_ratio: Share of tokens that the model has never seen.
    """

    can_read: bool
    why: str = ""
    unrelated: float = 0.0
    related: float = 0.0
    unknown_ratio: float = 0.0


def check_language(encoder: Encoder, language: str) -> Reading:
    """Five sentences of the language through the encoder: some 15 ms."""
    first = language.lower().split("-")[0]
    sentences = _SENTENCES.get("zh" if first == "cmn" else first)
    if sentences is None:
        return Reading(can_read=False, why=f"there are no sentences in {language} to try it with")
    keys = [canonical(sentence, language) for sentence in sentences]
    unknown = max(encoder.unknown_ratio(key) for key in keys)
    vectors = [encoder.encode(key) for key in keys]
    related = float(vectors[0] @ vectors[1])
    unrelated = max(float(one @ other) for one, other in itertools.combinations(vectors[1:], 2))
    why = ""
    if unknown > MOST_UNKNOWN:
        why = f"{unknown:.0%} of the tokens of {language} are unknown to the encoder"
    elif unrelated >= MOST_UNRELATED:
        why = f"unrelated sentences in {language} are {unrelated:.2f} alike to the encoder"
    elif related < LEAST_RELATED:
        why = f"sentences of one meaning in {language} are only {related:.2f} alike to the encoder"
    return Reading(not why, why, unrelated, related, unknown)
