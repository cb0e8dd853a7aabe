"""What an agent asks before a turn, by language; the wording varies, the kind does not."""

from __future__ import annotations

from random import Random

OPEN: dict[str, tuple[str, ...]] = {
    "en": (
        "How can I help you?",
        "What happened then?",
        "Could you tell me a little more about that?",
        "What would you like to do?",
    ),
    "de": ("Wie kann ich Ihnen helfen?", "Was ist passiert?", "Können Sie mir mehr dazu sagen?"),
    "es": ("¿En qué puedo ayudarle?", "¿Qué ha pasado?", "¿Me puede contar un poco más?"),
    "it": ("Come posso aiutarla?", "Che cosa è successo?", "Mi può dire qualcosa di più?"),
    "zh": ("请问有什么可以帮您？", "发生了什么事？", "您能再说详细一点吗？"),
    "yue": ("請問有咩可以幫到你?", "發生咩事呀?", "可唔可以講多少少?"),
}
YES_NO: dict[str, tuple[str, ...]] = {
    "en": (
        "Is that correct?",
        "Shall I book it for you?",
        "Do you want me to send it by text message?",
        "Are you calling about an existing order?",
    ),
    "de": ("Ist das richtig?", "Soll ich das für Sie buchen?"),
    "es": ("¿Es correcto?", "¿Quiere que lo reserve?"),
    "it": ("È corretto?", "Vuole che lo prenoti?"),
    "zh": ("对吗？", "需要我帮您预订吗？"),
    "yue": ("係咪呀?", "使唔使幫你預約?"),
}
# With the number of digits; None when the question does not say how many.
DIGITS: dict[str, tuple[tuple[str, int | None], ...]] = {
    "en": (
        ("Please tell me your four digit PIN.", 4),
        ("What is your six digit customer number?", 6),
        ("Can you read me the eight digits of the order number?", 8),
        ("What is your phone number, please?", None),
        ("What is your account number?", None),
    ),
    "de": (("Wie ist Ihre Telefonnummer?", None),),
    "es": (("¿Cuál es su número de teléfono?", None),),
    "it": (("Qual è il suo numero di telefono?", None),),
    "zh": (("请问您的电话号码是多少？", None),),
    "yue": (("你電話幾多號呀?", None),),
}


def tongue(tag: str) -> str:
    """The spoken language of a BCP-47 tag: ``zh-HK`` is Cantonese, any other ``zh`` Mandarin."""
    lower = tag.lower()
    if lower.startswith("yue") or lower in ("zh-hk", "zh-hant-hk", "zh-mo"):
        return "yue"
    return lower.split("-")[0]


def open_question(language: str, random: Random) -> str:
    """A question that invites a sentence."""
    return random.choice(OPEN.get(tongue(language), OPEN["en"]))


def yes_no_question(language: str, random: Random) -> str:
    """A question that invites a yes or a no."""
    return random.choice(YES_NO.get(tongue(language), YES_NO["en"]))


def digits_question(language: str, random: Random) -> tuple[str, int | None]:
    """A question for a number, and how many digits it says the number has."""
    return random.choice(DIGITS.get(tongue(language), DIGITS["en"]))
