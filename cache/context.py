"""What a turn has to be read with: how much of what the agent said belongs to a question's scope.

Rules
1. What is said first in a call, after the greeting at most, means the same in every call: ``OPEN``.
2. So does a question that stands by itself ("Do you have parking?"): it asks, names a thing, and
   points at nothing that was said before.
3. Any other turn ("yes", "at five", "and on Sundays?") is read with the last sentence that the
   caller heard, and shared only among callers who heard that very sentence.
4. All of this holds as long as the caller has said nothing but such questions. "I am calling about
   the shop in Leeds" is part of every question after it: those are ``BOUND``, and their answers are
   nobody else's.

What a person imported stands beside all of them (``Scope.common``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from cache.frame import frame_of
from cache.normalise import canonical
from cache.scope import UNKNOWN_ACT
from cache.text import exact_form, is_unspaced

OPEN: Final = "open"
BOUND: Final = "bound"
_AFTER: Final = "after:"
_SENTENCE_END: Final = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])")
_LEAST_WORDS: Final = 4
_LEAST_UNSPACED: Final = 5


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ASKS: Final[Mapping[str, frozenset[str]]] = {
    "en": _words(
        "what when where which who whose why how is are am do does did can could may might will "
        "would should shall must has have was were"
    ),
    "de": _words("was wann wo wohin woher welche welcher welches wer wem wessen warum wie wieviel"),
    "fr": _words("que quoi quand où quel quelle quels quelles qui pourquoi comment combien est"),
    "es": _words("qué cuándo dónde cuál cuáles quién por cómo cuánto cuánta cuántos cuántas"),
    "it": _words("che cosa quando dove quale quali chi perché come quanto quanta quanti quante"),
    "pt": _words("que quando onde qual quais quem porque como quanto quanta quantos quantas"),
    "nl": _words("wat wanneer waar welke wie waarom hoe hoeveel"),
}
_POINTS: Final[Mapping[str, frozenset[str]]] = {
    "en": _words(
        "it its that this these those there they them their he she him his her one ones same "
        "other others another else too also either neither instead then again both such"
    ),
    "de": _words(
        "es er ihn ihm das dies diese dieser dieses jene dort da dann dabei dafür auch "
        "davon damit andere anderen noch wieder"
    ),
    "fr": _words("il elle ils elles lui leur ça cela ce cette y en aussi autre même"),
    "es": _words("él ella ellos ellas lo le eso esto ese esa este esta ahí allí también otro otra"),
    "it": _words("esso lui loro quello quella questo questa lì là ci ne anche altro altra"),
    "pt": _words("ele ela eles elas isso isto esse essa este esta lá ali também outro outra"),
    "nl": _words("hij zij ze hem dat dit die deze daar dan ook er ander andere"),
}
_THEY: Final = re.compile(r"\b(?:sie|ihr|ihre[nmr]?)\b")  # German; "Sie" is the one spoken to
_ASKS_HAN: Final = re.compile(
    r"[嗎吗呢咩]$|什麼|什么|甚麼|乜|幾|几|哪|邊|點樣|點解|怎|誰|谁|邊個|何時|多少|有冇|有沒有|有没有|係咪|是不是|可不可以|可唔可以"
)
_POINTS_HAN: Final = re.compile(
    r"[它他她佢那這这嗰]|呢[個次間度啲樣]|其他|另外|都係|也是|同樣|同样"
)
_GOES_ON: Final = _words(
    "and but or no yes yeah yep nope ok okay so und aber oder nein ja y e et o"
)
_REQUESTS: Final = re.compile(
    r"^(?:i (?:would like|want|wanted|need) to (?:know|ask)|i (?:wonder|am wondering)|tell me"
    r"|let me know) "
)
_PLEASANT: Final = _words(
    "hi hello hey thanks thank you very much good morning afternoon evening ok okay great fine "
    "perfect well there"
)
# "It" and "there" that stand for nothing.
_EMPTY_WORDS: Final = re.compile(
    r"\b(?:(?:is|are|was|were|will) there|there (?:is|are)|is it possible|it is possible"
    r"|(?:does|will|would) it (?:take|cost)(?= to)|what time is it)\b"
)


def act_of(
    text: str, *, heard_before: str, said_before: Iterable[str], is_first: bool, language: str
) -> str:
    """``last_agent_act`` of the scope of a turn (``cache.scope.Scope``). Never raises on text.

    Args:
        text: The caller's words, as the recogniser wrote them.
        heard_before: What the caller heard of the agent's last turn; empty when that is not known.
        said_before: What the caller has said in the turns before.
        is_first: Nothing was said yet but the greeting.
        language: BCP-47 tag.
    """
    if is_first:
        return OPEN
    if not all(adds_nothing(said, language) for said in said_before):
        return BOUND
    if stands_by_itself(text, language):
        return OPEN
    sentences = [part for part in _SENTENCE_END.split(heard_before) if exact_form(part)]
    if not sentences:
        return UNKNOWN_ACT
    last = exact_form(sentences[-1]).encode("utf-8", "surrogatepass")
    return _AFTER + blake2b(last, digest_size=8, person=b"callcluster-act").hexdigest()


def adds_nothing(text: str, language: str) -> bool:
    """Whether later questions mean the same as without these words; in doubt not."""
    form = canonical(text, language)
    is_english = language.lower().split("-")[0] == "en"
    if not form or (is_english and _PLEASANT.issuperset(form.split())):
        return True
    return stands_by_itself(text, language)


@lru_cache(maxsize=4_096)
def stands_by_itself(text: str, language: str) -> bool:
    """Whether this is a question that means the same whatever was said before; in doubt not."""
    form = canonical(text, language)
    if not form:
        return False
    first = language.lower().split("-")[0]
    if first in ("zh", "yue", "cmn"):
        if sum(map(is_unspaced, form)) < _LEAST_UNSPACED or _POINTS_HAN.search(form):
            return False
        return _is_marked(text) or _ASKS_HAN.search(form) is not None
    if first not in _ASKS:
        return False
    words = form.split()
    if words[0] in _GOES_ON:
        return False
    if first == "en":
        words = _EMPTY_WORDS.sub("exists", form).split()
        if not frame_of(form, language).content:
            return False
    elif len(words) < _LEAST_WORDS:
        return False
    if first == "de" and _THEY.search(text):
        return False
    asks = _is_marked(text) or form.split()[0] in _ASKS[first]
    asks = asks or (first == "en" and _REQUESTS.match(form) is not None)
    return asks and not _POINTS[first] & set(words)


def _is_marked(text: str) -> bool:
    return text.rstrip().endswith(("?", "？"))
