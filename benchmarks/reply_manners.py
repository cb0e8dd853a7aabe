"""How languages write numbers, money, times, dates, phone numbers and names; to make replies of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Manner:
    """How a language writes.

    Attributes:
        openers: First clauses, with their mark; may be empty.
        carriers: Sentences with one ``{}`` in the middle or at the end, and one ``{}`` before a
            comma.
        closers: Last sentences.
        point, group: Of decimals and of thousands.
        money: Formats of an amount.
        times, dates, phones: Formats; ``h m d M y`` are drawn, every ``#`` is a digit.
        names: Abbreviations with what belongs to them.
    """

    openers: tuple[str, ...]
    carriers: tuple[str, ...]
    closers: tuple[str, ...]
    point: str
    group: str
    money: tuple[str, ...]
    times: tuple[str, ...]
    dates: tuple[str, ...]
    phones: tuple[str, ...]
    names: tuple[str, ...]


MANNERS: Mapping[str, Manner] = {
    "en-US": Manner(
        ("Sure,", "Of course.", "Okay, let me see.", ""),
        ("I have {} here for you.", "It says {}, as far as I can see.", "We wrote down {}."),
        ("Does that work for you?", "Anything else?", "Thank you for calling."),
        ".",
        ",",
        ("${}", "${} a month", "US${}"),
        ("{h}:{m} a.m.", "{h}:{m} p.m.", "{h} p.m.", "{H}:{m}"),
        ("May {d}, 2026", "Dec. {d}", "{M}/{d}/2026", "2026-11-{D}", "Nov. {d}, 2026"),
        ("415-555-0###", "(415) 555-0###", "+1 415 555 0###", "1-800-555-0###"),
        (
            "Dr. Lee",
            "Mr. Alvarez",
            "Dr. J. R. Whitfield",
            "St. Mary's Grill",
            "No. 17",
            "Mrs. O'Neill",
            "the U.S. office",
            "Smith vs. Jones",
            "Acme Inc. Support",
        ),
    ),
    "en-GB": Manner(
        ("Lovely,", "Right, one moment.", ""),
        ("I've got {} down for you.", "It is {}, I believe.", "They told me {}."),
        ("Is that all right?", "Shall I send a text?"),
        ".",
        ",",
        ("£{}", "£{} per visit"),
        ("{h}.{m} a.m.", "{h}.{m} p.m.", "{H}:{m}"),
        ("{d} March 2026", "{D}/11/2026", "the {d}th of May, 2026"),
        ("020 7946 0###", "+44 20 7946 0###", "07700 900###"),
        ("Mrs. Patel", "Dr. K. Shah", "St. James's Park", "No. 10"),
    ),
    "de-DE": Manner(
        ("Gerne,", "Alles klar.", "Einen Moment, bitte.", ""),
        ("Ich habe hier {} für Sie.", "Das ist {}, soweit ich sehe.", "Notiert ist {}."),
        ("Passt Ihnen das?", "Kann ich sonst noch etwas tun?"),
        ",",
        ".",
        ("{} €", "{} Euro"),
        ("{H}:{m} Uhr", "{H}.{m} Uhr"),
        ("den {d}. Mai", "am {d}. März 2026", "{D}.11.2026", "den {d}. Dezember 2026"),
        ("030 1234###", "+49 30 1234###", "0171/5550###"),
        (
            "Dr. Weber",
            "Herrn Prof. Dr. Schulz",
            "die Bahnhofstr. 12",
            "z. B. Dienstag",
            "Nr. 17",
            "Fr. Klein",
        ),
    ),
    "fr-FR": Manner(
        ("Bien sûr,", "D'accord.", ""),
        ("J'ai {} pour vous.", "C'est {}, je crois.", "J'ai noté {}."),
        ("Est-ce que cela vous convient ?", "Autre chose ?"),
        ",",
        " ",
        ("{} €", "{} euros"),
        ("{H} h {m}", "{H}h{m}", "{H}:{m}"),
        ("le {d} mai 2026", "{D}/11/2026", "mardi {d} novembre"),
        ("01 23 45 67 ##", "+33 1 23 45 67 ##", "06.12.34.56.##"),
        ("M. Dupont", "Dr. Martin", "av. Foch", "Mme Petit"),
    ),
    "es-ES": Manner(
        ("Claro,", "Muy bien.", ""),
        ("Tengo {} para usted.", "Es {}, según veo.", "He apuntado {}."),
        ("¿Le viene bien?", "¿Algo más?"),
        ",",
        ".",
        ("{} €", "{} euros"),
        ("las {H}:{m}", "las {h}.{m} h"),
        ("el {d} de mayo de 2026", "{D}/11/2026"),
        ("912 345 6##", "+34 912 34 56 ##"),
        ("la Sra. García", "el Dr. López", "la Av. Libertad", "el Sr. D. Luis Pérez"),
    ),
    "it-IT": Manner(
        ("Certo,", "Va bene.", ""),
        ("Ho qui {} per lei.", "È {}, mi pare.", "Ho segnato {}."),
        ("Le va bene?", "Altro?"),
        ",",
        ".",
        ("{} €", "{} euro"),
        ("le {H}:{m}", "le {H}.{m}"),
        ("il {d} maggio 2026", "{D}/11/2026"),
        ("06 1234 5###", "+39 06 1234 5###"),
        ("il dott. Rossi", "la sig.ra Bianchi", "l'ing. Verdi", "il sig. Neri"),
    ),
    "pt-BR": Manner(
        ("Claro,", "Certo.", ""),
        ("Tenho {} para você.", "É {}, pelo que vejo.", "Anotei {}."),
        ("Pode ser?", "Mais alguma coisa?"),
        ",",
        ".",
        ("R$ {}", "{} reais"),
        ("{H}:{m}", "{H}h{m}"),
        ("{d} de maio de 2026", "{D}/11/2026"),
        ("(11) 2345-6###", "+55 11 2345-6###"),
        ("o Dr. Souza", "a Sra. Lima", "a Av. Paulista", "o Prof. Alves"),
    ),
    "nl-NL": Manner(
        ("Prima,", "Natuurlijk.", ""),
        ("Ik heb {} voor u.", "Het is {}, zie ik hier.", "Genoteerd is {}."),
        ("Komt dat uit?", "Nog iets anders?"),
        ",",
        ".",
        ("€ {}", "{} euro"),
        ("{H}.{m} uur", "{H}:{m}"),
        ("{d} mei 2026", "{D}-11-2026"),
        ("020 123 4###", "+31 20 123 4###"),
        ("dr. De Vries", "mevr. Jansen", "de St. Jansstraat", "dhr. Bakker"),
    ),
    "pl-PL": Manner(
        ("Jasne,", "Dobrze.", ""),
        ("Mam tu {} dla pana.", "To jest {}, jak widzę.", "Zapisałem {}."),
        ("Czy to pasuje?", "Coś jeszcze?"),
        ",",
        " ",
        ("{} zł", "{} złotych"),
        ("{H}:{m}", "{H}.{m}"),
        ("{d} maja 2026 r. rano", "{D}.11.2026"),
        ("22 123 45 ##", "+48 601 234 5##"),
        ("dr. Nowak", "ul. Długa 5", "prof. Kowalski", "al. Jana Pawła"),
    ),
    "sv-SE": Manner(
        ("Visst,", "Absolut.", ""),
        ("Jag har {} åt dig.", "Det är {}, ser jag.", "Jag skrev upp {}."),
        ("Passar det?", "Något annat?"),
        ",",
        " ",
        ("{} kr", "{} kronor"),
        ("kl. {H}.{m}", "{H}:{m}"),
        ("den {d} maj 2026", "2026-11-{D}"),
        ("08-123 45 ##", "+46 8 123 45 ##"),
        ("dr. Lind", "S:t Eriks plan", "bl.a. Uppsala"),
    ),
    "ru-RU": Manner(
        ("Конечно,", "Хорошо.", ""),
        ("У меня есть {} для вас.", "Это {}, насколько я вижу.", "Записано {}."),
        ("Вам подходит?", "Что-нибудь ещё?"),
        ",",
        " ",
        ("{} руб. в месяц", "{} рублей"),
        ("{H}:{m}", "{H}.{m}"),
        ("{d} мая 2026 г. утром", "{D}.11.2026"),
        ("8 (495) 123-45-##", "+7 495 123-45-##"),
        ("ул. Ленина", "г. Москва", "д. 5", "проф. Иванов", "А. С. Петров"),
    ),
    "tr-TR": Manner(
        ("Tabii,", "Elbette.", ""),
        ("Burada {} var.", "Kayıtta {}, öyle görünüyor.", "Not ettim: {}."),
        ("Uygun mu?", "Başka bir şey?"),
        ",",
        ".",
        ("{} TL", "{} lira"),
        ("{H}:{m}", "{H}.{m}"),
        ("{d} Mayıs 2026", "{D}.11.2026"),
        ("0212 123 45 ##", "+90 212 123 45 ##"),
        ("Dr. Yılmaz", "Prof. Demir", "Atatürk Cad. 5"),
    ),
    "zh-CN": Manner(
        ("好的，", "没问题。", ""),
        ("我这边查到{}的记录。", "系统显示{}，请您核对。", "已经记下{}。"),
        ("您看可以吗？", "还有别的吗？"),
        ".",
        ",",
        ("{}元", "¥{}"),
        ("{H}:{m}", "下午{h}点{m}分", "{H}：{m}"),
        ("2026年11月{d}日", "11月{d}号", "2026-11-{D}"),
        ("010-1234 5###", "138 0013 8###"),
        ("第17号", "A38-291", "CX 408"),
    ),
    "zh-HK": Manner(
        ("好呀，", "冇問題。", ""),
        ("我呢度見到{}嘅記錄。", "系統寫住{}，你睇下啱唔啱。", "已經記低{}。"),
        ("得唔得呀？", "仲有冇其他嘢？"),
        ".",
        ",",
        ("{}蚊", "${}", "HK${}"),
        ("{H}:{m}", "下晝{h}點{m}分", "{H}：{m}"),
        ("2026年11月{d}日", "11月{d}號", "{D}/11/2026"),
        ("2345 6###", "+852 2345 6###"),
        ("第17號", "WX-20931", "CX 408"),
    ),
    "ja-JP": Manner(
        ("かしこまりました、", "はい。", ""),
        ("こちらに{}がございます。", "記録では{}、となっております。", "控えは{}です。"),
        ("よろしいでしょうか？", "ほかにございますか？"),
        ".",
        ",",
        ("{}円", "¥{}"),
        ("{H}:{m}", "午後{h}時{m}分"),
        ("2026年11月{d}日", "11月{d}日"),
        ("03-1234-5###", "090-1234-5###"),
        ("第17号", "B-204"),
    ),
    "ko-KR": Manner(
        ("네,", "알겠습니다.", ""),
        ("여기 {} 있습니다.", "기록에는 {}, 이렇게 되어 있습니다.", "적어 둔 것은 {}."),
        ("괜찮으세요?", "더 필요하신 게 있나요?"),
        ".",
        ",",
        ("{}원", "₩{}"),
        ("{H}:{m}", "오후 {h}시 {m}분"),
        ("2026년 11월 {d}일", "2026.11.{D}"),
        ("02-123-4###", "010-1234-5###"),
        ("17번", "A-204호"),
    ),
    "hi-IN": Manner(
        ("ज़रूर,", "ठीक है।", ""),
        ("मेरे पास {} है।", "यहाँ {}, ऐसा लिखा है।", "मैंने लिखा है {}।"),
        ("क्या यह ठीक है?", "और कुछ?"),
        ".",
        ",",
        ("₹{}", "{} रुपये"),
        ("{H}:{m}", "{h}.{m} बजे"),
        ("{d} मई 2026", "{D}/11/2026"),
        ("011 2345 6###", "+91 98765 43###"),
        ("डॉ. शर्मा", "श्री. वर्मा"),
    ),
    "vi-VN": Manner(
        ("Vâng,", "Được ạ.", ""),
        ("Tôi thấy {} ở đây.", "Đó là {}, theo hồ sơ.", "Tôi đã ghi {}."),
        ("Như vậy được không?", "Còn gì nữa không?"),
        ",",
        ".",
        ("{} đồng", "{} đ"),
        ("{H}:{m}", "{H} giờ {m}"),
        ("ngày {d}/11/2026", "{d} tháng 5"),
        ("028 1234 5###", "+84 28 1234 5###"),
        ("TP. Hồ Chí Minh", "TS. Nguyễn An"),
    ),
}
