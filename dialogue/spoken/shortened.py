"""Abbreviations and ordinals in full, for voices that stop at every full stop.

espeak-ng reads "Dr. Lee" as two sentences, "Nr." letter by letter, and "am 3. Mai" without its
ordinal. Only what has one reading stands here, or two that the next word tells apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from dialogue.spoken.quantity_words import MONTHS
from dialogue.spoken.text import Change

_NORDIC = "bl.a.:blant annet|ca.:cirka|dr.:doktor|f.eks.:for eksempel|inkl.:inklusive|kl.:klokken"
_WORDS = {
    "da": "bl.a.:blandt andet|ca.:cirka|d.:den|dr.:doktor|f.eks.:for eksempel|inkl.:inklusive"
    "|kl.:klokken|kr.:kroner|nr.:nummer|tlf.:telefon|dvs.:det vil sige",
    "de": "Dr.:Doktor|Prof.:Professor|Hr.:Herr|Hrn.:Herrn|z. B.:zum Beispiel|z.B.:zum Beispiel"
    "|d.h.:das heißt|d. h.:das heißt|ca.:circa|inkl.:inklusive|exkl.:exklusive|zzgl.:zuzüglich"
    "|bzw.:beziehungsweise|ggf.:gegebenenfalls|evtl.:eventuell|usw.:und so weiter"
    "|MwSt.:Mehrwertsteuer|u. a.:unter anderem|u.a.:unter anderem|Tel.:Telefon|St.:Sankt"
    "|Str.:Straße|vgl.:vergleiche"
    "|Mo.:Montag|Di.:Dienstag|Mi.:Mittwoch|Do.:Donnerstag|Sa.:Samstag|So.:Sonntag",
    "en": "Dr.:Doctor|Mr.:Mister|Mrs.:Missus|Ms.:Miz|Prof.:Professor|Ave.:Avenue|Blvd.:Boulevard"
    "|Rd.:Road|Apt.:Apartment|Ste.:Suite|approx.:approximately|appt.:appointment|dept.:department"
    "|Dept.:Department|ext.:extension|lb.:pounds|lbs.:pounds|oz.:ounces|e.g.:for example"
    "|i.e.:that is|etc.:et cetera|vs.:versus|Jan.:January|Feb.:February|Mar.:March|Apr.:April"
    "|Jun.:June|Jul.:July|Aug.:August|Sep.:September|Sept.:September|Oct.:October|Nov.:November|Dec.:December|Mon.:Monday"
    "|Tue.:Tuesday|Tues.:Tuesday|Wed.:Wednesday|Thu.:Thursday|Thurs.:Thursday|Fri.:Friday",
    "es": "Sr.:señor|Sra.:señora|Srta.:señorita|Dr.:doctor|Dra.:doctora|D.:don|Dª:doña|Av.:avenida"
    "|p. ej.:por ejemplo|p.ej.:por ejemplo|a. m.:de la mañana|p. m.:de la tarde|a.m.:de la mañana"
    "|p.m.:de la tarde|C/:calle|EE. UU.:Estados Unidos|izq.:izquierda|dcha.:derecha|tel.:teléfono"
    "|Uds.:ustedes|Ud.:usted|pág.:página",
    "fr": "M.:monsieur|Mme.:madame|Mme:madame|Mlle:mademoiselle|Dr.:docteur|Dr:docteur|av.:avenue"
    "|p. ex.:par exemple|p.ex.:par exemple|bd:boulevard|tél.:téléphone|env.:environ|1er:premier",
    "it": "sig.:signor|Sig.:signor|sig.ra:signora|Sig.ra:signora|dott.:dottor|dott.ssa:dottoressa"
    "|Dott.:dottor|Dott.ssa:dottoressa|ing.:ingegner|avv.:avvocato|per es.:per esempio"
    "|p.es.:per esempio|tel.:telefono|ecc.:eccetera",
    "nb": f"{_NORDIC}|nr.:nummer|tlf.:telefon|dvs.:det vil si|kr:kroner",
    "nl": "dhr.:de heer|mevr.:mevrouw|mw.:mevrouw|dr.:dokter|bijv.:bijvoorbeeld|ca.:circa"
    "|incl.:inclusief|excl.:exclusief|d.w.z.:dat wil zeggen|o.a.:onder andere|tel.:telefoon",
    "pl": "ul.:ulica|al.:aleja|godz.:godzina|np.:na przykład|dr:doktor|nr:numer|tel.:telefon"
    "|inż.:inżynier|tzn.:to znaczy",
    "pt": "Sr.:senhor|Sra.:senhora|Dr.:doutor|Dra.:doutora|Av.:avenida|R.:rua|p. ex.:por exemplo"
    "|p.ex.:por exemplo|tel.:telefone",
    "ru": "ул.:улица|д.:дом|кв.:квартира|руб.:рублей|г-н:господин|г-жа:госпожа|т.е.:то есть"
    "|напр.:например|тел.:телефон|д-р:доктор",
    "sv": "bl.a.:bland annat|ca:cirka|ca.:cirka|dr.:doktor|t.ex.:till exempel|inkl.:inklusive"
    "|kl.:klockan|kr:kronor|tel.:telefon|d.v.s.:det vill säga",
}
SHORTENED_LANGUAGES = frozenset(_WORDS)
_ORDINALS = {
    "es": "primero segundo tercero cuarto quinto sexto séptimo octavo noveno décimo",
    "fr": "premier deuxième troisième quatrième cinquième sixième septième huitième neuvième"
    " dixième",
    "it": "primo secondo terzo quarto quinto sesto settimo ottavo nono decimo",
}
_ORDINAL_SIGN = {"es": r"\.?[ºo°]", "fr": "(?:e|ème|er)", "it": "[°º]"}
_GERMAN_ORDINAL_WORDS = (
    "erst zweit dritt viert fünft sechst siebt acht neunt zehnt elft zwölft dreizehnt vierzehnt"
    " fünfzehnt sechzehnt siebzehnt achtzehnt neunzehnt zwanzigst einundzwanzigst zweiundzwanzigst"
    " dreiundzwanzigst vierundzwanzigst fünfundzwanzigst sechsundzwanzigst siebenundzwanzigst"
    " achtundzwanzigst neunundzwanzigst dreißigst einunddreißigst"
)
_GERMAN_ORDINALS = tuple(_GERMAN_ORDINAL_WORDS.split())
_GERMAN_ORDINAL = re.compile(
    rf"(?:(?<=\bder )|(?<=\bdie )|(?<=\bdas )|(?<![\d.,]))(?<!\d)(\d{{1,2}})\."
    rf"(?= (?:{'|'.join(MONTHS['de'])}|Stock|Etage|OG|Klasse|Termin|Quartal|Platz)\b)"
)
_GERMAN_FR = re.compile(r"\bFr\.(?= [A-ZÄÖÜ])")
_GERMAN_STREET = re.compile(r"(?<=[a-zäöüß])str\.")
_GERMAN_CLOCK = re.compile(r"\b([01]?\d|2[0-4])[.:]([0-5]\d)(?= Uhr\b)")
_FRENCH_CLOCK = re.compile(r"\b([01]?\d|2[0-4])\s?h\s?([0-5]\d)?\b")
_ENGLISH_SAINT = re.compile(r"\bSt\.(?= [A-Z])")
_ENGLISH_STREET = re.compile(r"(?<=[a-z] )St\.(?! [A-Z])")
_ENGLISH_DAY = re.compile(
    rf"\b(?:{'|'.join(MONTHS['en'])}|Jan\.|Feb\.|Mar\.|Apr\.|Jun\.|Jul\.|Aug\.|Sept?\.|Oct\.|Nov\.|Dec\.)"
    r" (\d{1,2})(?![\d:.,]\d|\d)"
)


def shortened(text: str, language: str) -> Iterator[Change]:
    """Every abbreviation and ordinal of the text that the language's tables have."""
    yield from _own_forms(text, language)
    pattern, words = _table(language)
    if pattern is not None:
        for found in pattern.finditer(text):
            yield Change(found.start(), ((len(found.group()), words[found.group()]),))
    sign = _ORDINAL_SIGN.get(language)
    if sign is not None:
        for found in re.finditer(rf"(?<![\w.,])([1-9]|10){sign}(?!\w)", text):
            said = _ORDINALS[language].split()[int(found.group(1)) - 1]
            yield Change(found.start(), ((len(found.group()), said),))


def _own_forms(text: str, language: str) -> Iterator[Change]:
    """What needs more than a table."""
    if language == "de":
        for found in _GERMAN_ORDINAL.finditer(text):
            number = int(found.group(1))
            if 1 <= number <= len(_GERMAN_ORDINALS):
                ending = "e" if re.search(r"\b(?:der|die|das) $", text[: found.start()]) else "en"
                said = _GERMAN_ORDINALS[number - 1] + ending
                yield Change(found.start(), ((len(found.group()), said),))
        yield from _replaced(_GERMAN_FR, text, "Frau")
        yield from _replaced(_GERMAN_STREET, text, "straße")
        for found in _GERMAN_CLOCK.finditer(text):
            minute = f" {int(found.group(2))}" if int(found.group(2)) else ""
            said = f"{int(found.group(1))} Uhr{minute}"
            yield Change(found.start(), ((len(found.group()) + len(" Uhr"), said),))
    elif language == "fr":
        for found in _FRENCH_CLOCK.finditer(text):
            hours = "heure" if found.group(1) == "1" else "heures"
            said = f"{found.group(1)} {hours}" + (f" {found.group(2)}" if found.group(2) else "")
            yield Change(found.start(), ((len(found.group()), said),))
    elif language == "en":
        yield from _replaced(_ENGLISH_SAINT, text, "Saint")
        yield from _replaced(_ENGLISH_STREET, text, "Street")
        for found in _ENGLISH_DAY.finditer(text):
            day = int(found.group(1))
            ending = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
            yield Change(found.start(1), ((len(found.group(1)), f"{day}{ending}"),))


def _replaced(pattern: re.Pattern[str], text: str, said: str) -> Iterator[Change]:
    for found in pattern.finditer(text):
        yield Change(found.start(), ((len(found.group()), said),))


@cache
def _table(language: str) -> tuple[re.Pattern[str] | None, dict[str, str]]:
    words = dict(pair.split(":", 1) for pair in _WORDS.get(language, "").split("|") if pair)
    if not words:
        return None, {}
    longest_first = sorted(words, key=len, reverse=True)
    choices = "|".join(re.escape(word) for word in longest_first)
    return re.compile(rf"(?<![\w.-])(?:{choices})(?!\w)"), words
