"""Where the first segment may end without punctuation: before a clause's conjunction.

Only words that do not join two nouns stand here ("because", not "and"), and in Chinese the pause
after "your number is" besides, and where a colon might stand before figures or letters that are
read out: 系統寫住2345 6789. Used once the segment is long enough and no comma has come.
"""

from __future__ import annotations

import re

_ZH = (
    "因為|因为|所以|但係|但是|不過|不过|如果|或者|而且|同埋|然後|然后|跟住|仲有|即係|等我|讓我|让我"
)
# After "the total is", "the number is", unless it is a question: 係咪, 是否.
_ZH_IS = (
    "(?<=(?:一共|總共|总共|合共|地址|號碼|号码|編號|编号|單號|单号|時間|时间|電話|电话|價錢|价格|費用|费用|密碼|密码|日期|地點|地点"
    "|餘額|余额|結餘|结余|金額|金额|房號|房号|電郵|邮箱|網址|网址|帳號|賬號|账号|車牌|车牌)"
    "[係是為为])(?=[^咪唔乜邊點幾不否多什甚谁誰哪吗嗎嘅的，。？！、,?!])"
)
# At least four characters, so that "it shows 2 orders" stays whole.
_ZH_SAYS = (
    "(?<=寫住|寫明|寫咗|寫着|寫著|顯示|記低|記咗|写着|写明|写了|显示|记下)"
    "(?=[0-9０-９A-Za-z$＄£€¥+][0-9０-９A-Za-z.,:/@ -]{3})"
)
_WORDS = {
    "en": "because but which if when while unless although though whereas whether",
    "de": "weil dass wenn falls aber sondern obwohl damit",
    "es": "porque pero si cuando aunque mientras",
    "fr": "parce mais si quand lorsque puisque afin",
    "it": "perché ma se quando mentre affinché",
    "pt": "porque mas se quando enquanto embora",
    "nl": "omdat maar als wanneer hoewel zodat",
    "sv": "eftersom men när fast medan",
    "da": "fordi men hvis når mens",
    "nb": "fordi men hvis når mens",
    "id": "karena tetapi tapi jika kalau ketika sehingga",
    "ms": "kerana tetapi tapi jika kalau apabila supaya",
    "vi": "nhưng nếu khi vì",
    "tr": "çünkü ama fakat ancak eğer",
    "ro": "pentru dar dacă când deși",
    "hi": "लेकिन क्योंकि अगर मगर जबकि ताकि",
    "bn": "কিন্তু কারণ যদি তবে",
    "ar": "لأن لكن ولكن إذا عندما",
    "fa": "چون ولی اما اگر وقتی",
    "ur": "لیکن کیونکہ اگر مگر تاکہ",
    "ta": "ஆனால் ஏனெனில்",
    "te": "కానీ ఎందుకంటే",
    "sw": "lakini kwa-sababu ikiwa",
}
# Never between one of these, or any very short word, and the conjunction: "even if", "in which".
_LEANING_WORDS = (
    "even only just what with from about except sogar auch selbst même comme incluso anche mesmo"
    " zelfs chiar även selv hatta"
)
_LEANING = frozenset(_LEANING_WORDS.split())
_LEANING_CHARS = 3
# Endings of a clause that goes on, as Korean writes them before a space.
_ENDINGS = {"ko": ("지만", "는데", "니까", "면서", "으면", "시면", "려면", "때문에")}


class PhraseReader:
    """Finds such places in one language.

    Args:
        language: Primary BCP-47 subtag.
    """

    def __init__(self, language: str) -> None:
        self._before = frozenset(_WORDS.get({"no": "nb"}.get(language, language), "").split())
        self._after = _ENDINGS.get(language, ())
        is_chinese = language in ("zh", "yue", "cmn")
        self._inside = re.compile(f"(?={_ZH})|{_ZH_IS}|{_ZH_SAYS}") if is_chinese else None

    @property
    def looks_inside(self) -> bool:
        """Whether ``end_inside`` can find anything."""
        return self._inside is not None

    def end_at_space(self, before: str) -> int | None:
        """Where the phrase ends, given that a space follows ``before``; None for nowhere."""
        if before.endswith(self._after) and self._after:
            return len(before)
        start = before.rfind(" ") + 1
        if not start or before[start:] not in self._before:
            return None
        leaning = before[:start].rsplit(maxsplit=1)[-1] if before[:start].strip() else ""
        return start if len(leaning) > _LEANING_CHARS and leaning not in _LEANING else None

    def end_inside(self, text: str, least: int) -> int | None:
        """Where the phrase ends in a text without spaces, at ``least`` so many characters in."""
        found = self._inside.search(text, least) if self._inside is not None else None
        return found.start() if found is not None else None
