"""The ten digits, as they are said one by one, by language."""

from __future__ import annotations

from functools import lru_cache

_DIGITS = {
    "af": "nul een twee drie vier vyf ses sewe agt nege",
    "am": "ዜሮ አንድ ሁለት ሦስት አራት አምስት ስድስት ሰባት ስምንት ዘጠኝ",
    "ar": "صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة",
    "az": "sıfır bir iki üç dörd beş altı yeddi səkkiz doqquz",
    "bg": "нула едно две три четири пет шест седем осем девет",
    "bn": "শূন্য এক দুই তিন চার পাঁচ ছয় সাত আট নয়",
    "bs": "nula jedan dva tri četiri pet šest sedam osam devet",
    "ca": "zero u dos tres quatre cinc sis set vuit nou",
    "cs": "nula jedna dva tři čtyři pět šest sedm osm devět",
    "da": "nul en to tre fire fem seks syv otte ni",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun",
    "el": "μηδέν ένα δύο τρία τέσσερα πέντε έξι επτά οκτώ εννέα",
    "en": "zero one two three four five six seven eight nine",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "et": "null üks kaks kolm neli viis kuus seitse kaheksa üheksa",
    "fa": "صفر یک دو سه چهار پنج شش هفت هشت نه",
    "fi": "nolla yksi kaksi kolme neljä viisi kuusi seitsemän kahdeksan yhdeksän",
    "fil": "zero isa dalawa tatlo apat lima anim pito walo siyam",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
    "gl": "cero un dous tres catro cinco seis sete oito nove",
    "gu": "શૂન્ય એક બે ત્રણ ચાર પાંચ છ સાત આઠ નવ",
    "he": "אפס אחת שתיים שלוש ארבע חמש שש שבע שמונה תשע",
    "hi": "शून्य एक दो तीन चार पाँच छह सात आठ नौ",
    "hr": "nula jedan dva tri četiri pet šest sedam osam devet",
    "hu": "nulla egy kettő három négy öt hat hét nyolc kilenc",
    "hy": "զրո մեկ երկու երեք չորս հինգ վեց յոթ ութ ինը",
    "id": "nol satu dua tiga empat lima enam tujuh delapan sembilan",
    "is": "núll einn tveir þrír fjórir fimm sex sjö átta níu",
    "it": "zero uno due tre quattro cinque sei sette otto nove",
    "ja": "ゼロ いち に さん よん ご ろく なな はち きゅう",
    "ka": "ნული ერთი ორი სამი ოთხი ხუთი ექვსი შვიდი რვა ცხრა",
    "kk": "нөл бір екі үш төрт бес алты жеті сегіз тоғыз",
    "km": "សូន្យ មួយ ពីរ បី បួន ប្រាំ ប្រាំមួយ ប្រាំពីរ ប្រាំបី ប្រាំបួន",
    "kn": "ಸೊನ್ನೆ ಒಂದು ಎರಡು ಮೂರು ನಾಲ್ಕು ಐದು ಆರು ಏಳು ಎಂಟು ಒಂಬತ್ತು",
    "ko": "공 일 이 삼 사 오 육 칠 팔 구",
    "lo": "ສູນ ໜຶ່ງ ສອງ ສາມ ສີ່ ຫ້າ ຫົກ ເຈັດ ແປດ ເກົ້າ",
    "lt": "nulis vienas du trys keturi penki šeši septyni aštuoni devyni",
    "lv": "nulle viens divi trīs četri pieci seši septiņi astoņi deviņi",
    "mk": "нула еден два три четири пет шест седум осум девет",
    "ml": "പൂജ്യം ഒന്ന് രണ്ട് മൂന്ന് നാല് അഞ്ച് ആറ് ഏഴ് എട്ട് ഒമ്പത്",
    "mr": "शून्य एक दोन तीन चार पाच सहा सात आठ नऊ",
    "ms": "kosong satu dua tiga empat lima enam tujuh lapan sembilan",
    "my": "သုည တစ် နှစ် သုံး လေး ငါး ခြောက် ခုနစ် ရှစ် ကိုး",
    "nb": "null en to tre fire fem seks sju åtte ni",
    "nl": "nul een twee drie vier vijf zes zeven acht negen",
    "pa": "ਸਿਫ਼ਰ ਇੱਕ ਦੋ ਤਿੰਨ ਚਾਰ ਪੰਜ ਛੇ ਸੱਤ ਅੱਠ ਨੌਂ",
    "pl": "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
    "pt": "zero um dois três quatro cinco seis sete oito nove",
    "ro": "zero unu doi trei patru cinci șase șapte opt nouă",
    "ru": "ноль один два три четыре пять шесть семь восемь девять",
    "sk": "nula jeden dva tri štyri päť šesť sedem osem deväť",
    "sl": "nič ena dva tri štiri pet šest sedem osem devet",
    "sr": "нула један два три четири пет шест седам осам девет",
    "sv": "noll ett två tre fyra fem sex sju åtta nio",
    "sw": "sifuri moja mbili tatu nne tano sita saba nane tisa",
    "ta": "பூஜ்யம் ஒன்று இரண்டு மூன்று நான்கு ஐந்து ஆறு ஏழு எட்டு ஒன்பது",
    "te": "సున్నా ఒకటి రెండు మూడు నాలుగు ఐదు ఆరు ఏడు ఎనిమిది తొమ్మిది",
    "th": "ศูนย์ หนึ่ง สอง สาม สี่ ห้า หก เจ็ด แปด เก้า",
    "tr": "sıfır bir iki üç dört beş altı yedi sekiz dokuz",
    "uk": "нуль один два три чотири п'ять шість сім вісім дев'ять",
    "ur": "صفر ایک دو تین چار پانچ چھ سات آٹھ نو",
    "vi": "không một hai ba bốn năm sáu bảy tám chín",
    "yue": "零 一 二 三 四 五 六 七 八 九",
    "zh": "零 一 二 三 四 五 六 七 八 九",
}


DIGIT_LANGUAGES = frozenset(_DIGITS)
_CANTONESE_REGIONS = frozenset({"hk", "mo", "yue"})


def digit_words(language: str) -> tuple[str, ...]:
    """The digits 0 to 9 as words of the language; as digits where the words are not known.

    Args:
        language: A primary subtag as ``tongue`` gives it.
    """
    return tuple(_DIGITS.get(language, "0 1 2 3 4 5 6 7 8 9").split())


@lru_cache(maxsize=256)  # asked for every line of every history
def tongue(language: str) -> str:
    """The primary subtag of a BCP-47 tag under which the tables of this package have it."""
    primary, *rest = language.replace("_", "-").casefold().split("-")
    if primary == "zh" and not _CANTONESE_REGIONS.isdisjoint(rest):
        return "yue"
    return {"no": "nb", "nn": "nb", "tl": "fil", "cmn": "zh", "iw": "he", "in": "id"}.get(
        primary, primary
    )
