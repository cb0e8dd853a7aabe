"""Words for money, units, months and signs, by language; see ``quantities``."""

from __future__ import annotations

from typing import NamedTuple


class Money(NamedTuple):
    """A currency: one of it, several of it, several of its hundredth parts (empty: not said)."""

    one: str
    many: str
    cents: str = ""


CURRENCIES: dict[str, dict[str, Money]] = {
    "de": {
        "€": Money("Euro", "Euro"),
        "$": Money("Dollar", "Dollar"),
        "£": Money("Pfund", "Pfund"),
    },
    "en": {
        "$": Money("dollar", "dollars", "cents"),
        "€": Money("euro", "euros", "cents"),
        "£": Money("pound", "pounds", "pence"),
        "¥": Money("yen", "yen"),
        "₹": Money("rupee", "rupees", "paise"),
    },
    "es": {
        "€": Money("euro", "euros", "céntimos"),
        "$": Money("dólar", "dólares", "centavos"),
        "£": Money("libra", "libras"),
    },
    "fr": {
        "€": Money("euro", "euros"),
        "$": Money("dollar", "dollars"),
        "£": Money("livre", "livres"),
    },
    "it": {
        "€": Money("euro", "euro"),
        "$": Money("dollaro", "dollari"),
        "£": Money("sterlina", "sterline"),
    },
    "ja": {"¥": Money("円", "円"), "$": Money("ドル", "ドル"), "€": Money("ユーロ", "ユーロ")},
    "ko": {"₩": Money("원", "원"), "$": Money("달러", "달러"), "€": Money("유로", "유로")},
    "nl": {"€": Money("euro", "euro"), "$": Money("dollar", "dollar")},
    "pt": {
        "R$": Money("real", "reais", "centavos"),
        "€": Money("euro", "euros", "cêntimos"),
        "$": Money("dólar", "dólares", "centavos"),
    },
    "yue": {
        "$": Money("蚊", "蚊"),
        "HK$": Money("港紙", "港紙"),
        "US$": Money("美金", "美金"),
        "€": Money("歐元", "歐元"),
        "¥": Money("人民幣", "人民幣"),
    },
    "zh": {
        "¥": Money("元", "元"),
        "$": Money("美元", "美元"),
        "US$": Money("美元", "美元"),
        "NT$": Money("元", "元"),
        "HK$": Money("港元", "港元"),
        "€": Money("欧元", "欧元"),
    },
}
# Between the whole and the hundredths.
AND_CENTS = {
    "en": " and ",
    "es": " con ",
    "it": " e ",
    "pt": " e ",
    "de": " ",
    "fr": " ",
    "nl": " ",
}

_UNITS = {
    "de": "km:Kilometer|m:Meter|cm:Zentimeter|mm:Millimeter|kg:Kilogramm|g:Gramm|l:Liter"
    "|km/h:Kilometer pro Stunde|min:Minuten|GB:Gigabyte|MB:Megabyte|°C:Grad|m²:Quadratmeter",
    "en": "km:kilometers|m:meters|cm:centimeters|mm:millimeters|kg:kilograms|g:grams|lb:pounds"
    "|lbs:pounds|oz:ounces|ft:feet|mi:miles|mph:miles per hour|km/h:kilometers per hour|min:minutes"
    "|hr:hours|hrs:hours|GB:gigabytes|MB:megabytes|°F:degrees Fahrenheit|°C:degrees Celsius",
    "es": "km:kilómetros|m:metros|cm:centímetros|kg:kilos|g:gramos|l:litros|min:minutos|h:horas"
    "|km/h:kilómetros por hora|GB:gigas|MB:megas|°C:grados|m²:metros cuadrados",
    "fr": "km:kilomètres|m:mètres|cm:centimètres|kg:kilos|g:grammes|l:litres|km/h:kilomètres heure"
    "|min:minutes|Go:gigaoctets|Mo:mégaoctets|°C:degrés|m²:mètres carrés",
    "it": "km:chilometri|m:metri|cm:centimetri|kg:chili|g:grammi|l:litri|km/h:chilometri orari"
    "|min:minuti|GB:giga|MB:mega|°C:gradi|m²:metri quadrati",
    "ja": "km:キロ|m:メートル|cm:センチ|kg:キロ|g:グラム|L:リットル|°C:度|℃:度|GB:ギガ"
    "|%:パーセント|％:パーセント",
    "ko": "km:킬로미터|m:미터|cm:센티미터|kg:킬로그램|g:그램|L:리터|°C:도|℃:도|GB:기가"
    "|%:퍼센트|％:퍼센트",
    "nl": "km:kilometer|m:meter|cm:centimeter|kg:kilo|g:gram|l:liter|km/u:kilometer per uur"
    "|min:minuten|GB:gigabyte|°C:graden|m²:vierkante meter",
    "pt": "km:quilômetros|m:metros|cm:centímetros|kg:quilos|g:gramas|l:litros|min:minutos|h:horas"
    "|km/h:quilômetros por hora|GB:giga|MB:mega|°C:graus|m²:metros quadrados",
    "yue": "km:公里|m:米|cm:厘米|kg:公斤|g:克|L:公升|°C:度|℃:度",
    "zh": "km:公里|m:米|cm:厘米|kg:公斤|g:克|L:升|°C:度|℃:度",
}
UNITS: dict[str, dict[str, str]] = {
    language: {name: said for name, _, said in (pair.partition(":") for pair in units.split("|"))}
    for language, units in _UNITS.items()
}

MONTHS: dict[str, tuple[str, ...]] = {
    language: tuple(names.split())
    for language, names in {
        "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "en": "January February March April May June July August September October November"
        " December",
        "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
        " diciembre",
        "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre"
        " décembre",
        "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre"
        " dicembre",
        "nl": "januari februari maart april mei juni juli augustus september oktober november"
        " december",
        "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro"
        " dezembro",
    }.items()
}
# Day, month and year, put together.
DATES = {
    "de": "{day}. {month} {year}",
    "en": "{month} {day}, {year}",
    "es": "{day} de {month} de {year}",
    "fr": "{day} {month} {year}",
    "it": "{day} {month} {year}",
    "ja": "{year}年{number}月{day}日",
    "ko": "{year}년 {number}월 {day}일",
    "nl": "{day} {month} {year}",
    "pt": "{day} de {month} de {year}",
    "yue": "{year}年{number}月{day}號",
    "zh": "{year}年{number}月{day}日",
}
CLOCKS = {
    "ja": ("{hour}時", "{hour}時{minute}分"),
    "ko": ("{hour}시", "{hour}시 {minute}분"),
    "yue": ("{hour}點", "{hour}點{minute}分"),
    "zh": ("{hour}点", "{hour}点{minute}分"),
}
NUMBER_SIGN = {
    "de": "Nummer", "en": "number", "es": "número", "fr": "numéro", "it": "numero", "nl": "nummer",
    "pt": "número", "yue": "號碼", "zh": "号", "ja": "番号", "ko": "번호",
}  # fmt: skip
AND_SIGN = {
    "de": "und", "en": "and", "es": "y", "fr": "et", "it": "e", "nl": "en", "pt": "e", "yue": "同",
    "zh": "和", "ja": "アンド", "ko": "앤",
}  # fmt: skip
