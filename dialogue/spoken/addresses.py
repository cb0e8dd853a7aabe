"""E-mail and web addresses, said: "help at example dot com"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dialogue.spoken.text import Change

_MAIL = re.compile(
    r"(?<![\w.@])[A-Za-z0-9][\w.+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}", re.ASCII
)
_COUNTRIES = (
    "ae|ai|am|ar|at|au|bd|be|bg|br|by|ca|ch|cl|cn|co|cy|cz|de|dk|ee|eg|es|et|eu|fi|fr|ge|gr|hk|hr|hu"
    "|id|ie|il|in|io|ir|is|it|jp|ke|kr|kz|li|lk|lt|lu|lv|me|mo|mt|mx|my|ng|nl|no|np|nz|pe|ph|pk|pl|pt"
    "|ro|rs|ru|sa|se|sg|si|sk|th|tr|tv|tw|tz|ua|uk|us|uy|uz|ve|vn|za"
)
_WEB = re.compile(
    r"(?<![\w.@/])(?:(?:https?://)(?:www\.)?|www\.)?(?:[A-Za-z0-9-]+\.)+"
    rf"(?:com|org|net|info|biz|edu|gov|app|dev|shop|online|example|{_COUNTRIES})"
    r"(?![A-Za-z0-9@])(?:/[\w./?=&%#+~-]*[\w/])?",
    re.ASCII,
)
_SCHEME = re.compile(r"https?://")
_NO_ADDRESS = re.compile(r"^(?:[a-z]\.)+[a-z]{1,2}$|^(?:no|nr|tel|st|dr|vs)\.", re.IGNORECASE)
# At, dot, dash, underscore, slash.
_WORDS = {
    "ar": "آت|نقطة|شرطة|شرطة سفلية|شرطة مائلة",
    "ca": "arrova|punt|guió|guió baix|barra",
    "cs": "zavináč|tečka|pomlčka|podtržítko|lomeno",
    "da": "snabel-a|punktum|bindestreg|understreg|skråstreg",
    "de": "ät|Punkt|Bindestrich|Unterstrich|Schrägstrich",
    "el": "παπάκι|τελεία|παύλα|κάτω παύλα|κάθετος",
    "en": "at|dot|dash|underscore|slash",
    "es": "arroba|punto|guion|guion bajo|barra",
    "fi": "ät|piste|viiva|alaviiva|kautta",
    "fr": "arobase|point|tiret|tiret bas|slash",
    "he": "שטרודל|נקודה|מקף|קו תחתון|סלאש",
    "hi": "ऐट|डॉट|डैश|अंडरस्कोर|स्लैश",
    "hu": "kukac|pont|kötőjel|aláhúzás|per",
    "id": "at|titik|strip|garis bawah|garis miring",
    "it": "chiocciola|punto|trattino|trattino basso|barra",
    "ja": "アットマーク|ドット|ハイフン|アンダーバー|スラッシュ",
    "ko": "골뱅이|점|하이픈|밑줄|슬래시",
    "ms": "at|titik|sengkang|garis bawah|garis miring",
    "nb": "krøllalfa|punktum|bindestrek|understrek|skråstrek",
    "nl": "apenstaartje|punt|streepje|laag streepje|schuine streep",
    "pl": "małpa|kropka|myślnik|podkreślnik|ukośnik",
    "pt": "arroba|ponto|hífen|sublinhado|barra",
    "ro": "arond|punct|cratimă|linie jos|slash",
    "ru": "собака|точка|дефис|нижнее подчёркивание|слэш",
    "sk": "zavináč|bodka|pomlčka|podčiarkovník|lomka",
    "sv": "snabel-a|punkt|bindestreck|understreck|snedstreck",
    "th": "แอท|จุด|ขีด|ขีดล่าง|ทับ",
    "tr": "et|nokta|tire|alt çizgi|eğik çizgi",
    "uk": "собачка|крапка|дефіс|нижнє підкреслення|слеш",
    "vi": "a còng|chấm|gạch ngang|gạch dưới|gạch chéo",
    "yue": "at|點|橫線|底線|斜線",
    "zh": "at|点|横线|下划线|斜线",
}
ADDRESS_LANGUAGES = frozenset(_WORDS)
_SIGNS = "@.-_/"


def addresses(text: str, language: str) -> Iterator[Change]:
    """Every address; of a web address without its scheme and without what follows a ``?``."""
    words = _WORDS.get(language)
    if words is None:
        return
    said = dict(zip(_SIGNS, words.split("|"), strict=True))
    for found in _MAIL.finditer(text):
        yield _change(found.start(), found.group(), said)
    for found in _WEB.finditer(text):
        if not _NO_ADDRESS.match(found.group()):
            yield _change(found.start(), found.group(), said)


def _change(start: int, address: str, said: dict[str, str]) -> Change:
    scheme = _SCHEME.match(address)
    parts: list[tuple[int, str]] = [(scheme.end(), "")] if scheme else []
    at = scheme.end() if scheme else 0
    host = re.split(r"[/?]", address[at:], maxsplit=1)[0].rpartition("@")[2]
    country = host.rpartition(".")[2]
    spelled = len(country) == 2 and country != "me"
    host_end = at + len(address[at:].partition(host)[0]) + len(host)
    is_said, after_sign = True, False
    for index in range(at, len(address)):
        ch = address[index]
        is_said = is_said and ch not in "?#"
        if not is_said:
            parts.append((1, ""))
        elif ch in said or ch == "+":
            parts.append((1, f" {said.get(ch, ch)}"))
            after_sign = True
        else:
            apart = after_sign or (spelled and index == host_end - 1)
            parts.append((1, f" {ch}" if apart else ch))
            after_sign = False
    return Change(start, tuple(parts))
