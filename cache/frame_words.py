"""Word lists of the frame veto: what turns an answer round, and what leaves it as it is.

English in depth. Other languages have their negations only, and the veto then refuses any
substitution in a nearly equal sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _groups(text: str) -> list[list[str]]:
    return [group.split() for group in text.split("/")]


NEGATIONS: Final[Mapping[str, frozenset[str]]] = {
    "en": _words("not no non never without none nothing nobody neither nor nowhere except"),
    "de": _words("nicht kein keine keinen keinem keiner nie niemals ohne nichts niemand außer"),
    "fr": _words("pas non jamais sans rien personne aucun aucune ni plus sauf"),
    "es": _words("no nunca sin nada nadie ningún ninguna ninguno jamás tampoco excepto"),
    "it": _words("non no mai senza niente nulla nessuno nessuna tranne"),
    "pt": _words("não nunca sem nada ninguém nenhum nenhuma jamais exceto"),
    "nl": _words("niet geen nooit zonder niets niemand behalve"),
    "zh": _words("不 沒 没 無 无 別 别 未 非 唔 冇 咪 除"),
}

LEXICAL_NEGATIONS: Final = _words(
    "forgot forget forgotten fail failed lose lost broke broken unable missing decline declined "
    "refuse refused deny denied wrong stop stopped reject rejected"
)
"""English: says "not" without saying it: "forgot" is "cannot remember"."""

AFFIRMATIONS: Final = _words("yes yeah yep yup correct exactly indeed")
"""At the beginning: what the agent said last is agreed to."""
INVERTED: Final = _words(
    "what which can could would do does did is are am will may should must have has how whats"
)
"""A question begins with one of these."""

FUNCTION: Final = _words(
    "a an the i you he she it we they me him her us them my your his its our their mine yours this "
    "that these those there here is are am was were be been being do does did done have has had "
    "can could may might will would shall should must need of in on at to for from with by about "
    "into as and or if so but then than what which who whom whose when where why how please just "
    "like want get got some any also too very really okay ok yes hi hello hey thanks thank well "
    "now let tell know possible way able id ill going go goes make see much many long far often old"
)

QUESTIONS: Final = _words(
    "when where why who how_much how_many how_long how_late how_early how_far how_often how_old"
)

IGNORABLE: Final = _words("please just really okay ok hi hello hey thanks thank well so actually")

OPPOSITES: Final[tuple[tuple[str, str], ...]] = tuple(
    (left, right)
    for left, right in _groups("""
on off / open close / opening closing / open shut / start stop / start end / begin end / buy sell
/ early late / earlier later / earliest latest / cheap expensive / cheapest expensive / high low
/ highest lowest / higher lower / more less / most least / maximum minimum / max min
/ increase decrease
/ raise lower / raise reduce / increase reduce / add remove / add delete / add cancel / in out
/ up down / upgrade downgrade / arrive leave / arrival departure / arrive depart / before after
/ first last / next last / next previous / send receive / lend borrow / deposit withdraw
/ pay refund
/ accept refuse / accept reject / accept decline / allow forbid / allow prohibit / allowed forbidden
/ allowed banned / enable disable / activate deactivate / lock unlock / block unblock / join leave
/ enter leave / enter exit / login logout / push pull / win lose / find lose / found lost
/ left right
/ inside outside / indoor outdoor / above below / over under / old new / big small / large small
/ long short / fast slow / quick slow / hot cold / warm cold / full empty / with without
/ always never
/ public private / free paid / single double / male female / incoming outgoing / inbound outbound
/ import export / upload download / create delete / create close / create cancel / keep cancel
/ keep return / keep delete / book cancel / reserve cancel / confirm cancel / accept cancel
/ renew cancel / extend shorten / hire fire / attach detach / connect disconnect
/ subscribe unsubscribe
/ include exclude / included excluded / same different / best worst / better worse / good bad
/ easy difficult / safe dangerous / heavy light / wet dry / day night / morning evening
/ morning night / morning afternoon / afternoon evening / am pm / weekday weekend / credit debit
/ adult child / domestic international / mandatory optional / required optional / required allowed
/ one both / give take / bring take / pick drop / top bottom / front back / near far / hide show
/ mute unmute / freeze unfreeze / win lose / pass fail / approve deny / approve reject
/ present absent
/ visible hidden / permanent temporary / gain lose / save spend / from to / stay leave
/ remember forget / put take / into out
""")
)

NEGATIVE_PREFIXES: Final = ("un", "dis", "de", "in", "im", "ir", "non", "mis", "re")

TIMES: Final = _words(
    "today tomorrow yesterday tonight monday tuesday wednesday thursday friday saturday sunday "
    "weekend weekday january february april june july august september october november december "
    "spring summer autumn winter christmas easter halloween thanksgiving morning afternoon evening "
    "night noon midnight midday am pm daily weekly monthly yearly annual now later soon "
    "next last previous current early late before after until since"
)
"""What turns an answer round; for "may" and "march" see frame."""

PAST: Final = _words("yesterday")
"""Tells when something happened, which seldom changes what to do about it."""

OBLIGATION: Final = _words("must need required necessary obliged mandatory should shall")
PERMISSION: Final = _words("may allowed permitted permit")
ABILITY: Final = _words("can could may able possible allowed permitted")
ASKING: Final = _words("do does did")
INTENTION: Final = _words(
    "want wants wanted wish wishes hope hoping hoped intend intends intending plan plans planning "
    "planned going thinking consider considering"
)
"""Words for what is not done yet; "like" is one after "would" only."""
TO_ASK: Final = _words("know ask check find see hear inquire enquire understand learn tell say")
"""Nobody intends more than a question with these: "I would like to know"."""
MODAL: Final = INTENTION | OBLIGATION | ABILITY
FUTURE: Final = _words("will shall")
PERFECT: Final = _words("have has had having")
ALREADY: Final = _words("already")

PAST_FORMS: Final = _words(
    "did was were had paid sent bought sold lost found forgot broke stole came went took gave made "
    "left kept told said spoke got saw knew began wrote"
)

AUXILIARY_PAST: Final = _words("did was were had wanted hoped planned")
"""Past forms that do not say that anything was done: "was going to", "wanted to"."""

UNIVERSAL: Final = _words("all every each both whole entire everyone everybody everything")
LIMITING: Final = _words("only solely exclusively")
QUANTITIES: Final = UNIVERSAL | LIMITING

PERSONS: Final[Mapping[str, str]] = {
    word: group[0]
    for group in _groups(
        "i me my mine / you your yours / he him his / she her hers / we us our ours "
        "/ they them their theirs"
    )
    for word in group
}
"""Words of one person, after PRONOUNS: who does something, and whose it is."""

ACTED_ON: Final = _words("me us him them her")

SYNONYMS: Final[Mapping[str, str]] = {
    word: group[0]
    for group in _groups("""
delivery shipping shipment deliver ship / person human agent representative someone somebody anyone
/ cost price fee costs / book reserve reservation booking / buy purchase / begin start
/ fix repair mend / talk speak / mistake error / problem issue trouble / assist help
/ holiday vacation / flat apartment / parcel package / bill invoice / luggage baggage suitcase
/ film movie / lift elevator / shop store / cheap inexpensive / big large / small little
/ fast quick / journey trip / delete remove / photo picture / car vehicle / child kid
/ close shut / phone telephone mobile cellphone / cancel terminate
/ address location located situated
/ steal stolen stole / password passcode / email mail / receive get gotten obtain
/ change modify alter
/ amend update / return bring / arrive come / appointment meeting / job work working
/ need necessary require
/ method option / include included / wifi wireless internet / cash notes
/ near nearest closest nearby
/ identical same / explain tell describe / expire expiry expiration / transfer transferred
/ verify verification / identity id / refund reimburse reimbursement / fee charge / open opening
/ choose select pick / view see / show display / account accounts / call ring / also additionally
""")
    for word in group
}

IRREGULAR: Final[Mapping[str, str]] = {
    "children": "child",
    "people": "person",
    "paid": "pay",
    "sent": "send",
    "bought": "buy",
    "sold": "sell",
    "lost": "lose",
    "found": "find",
    "forgot": "forget",
    "forgotten": "forget",
    "broke": "break",
    "broken": "break",
    "stole": "steal",
    "stolen": "steal",
    "came": "come",
    "went": "go",
    "took": "take",
    "taken": "take",
    "gave": "give",
    "given": "give",
    "made": "make",
    "left": "leave",
    "kept": "keep",
    "told": "tell",
    "said": "say",
    "spoke": "speak",
    "women": "woman",
    "men": "man",
    "better": "better",
    "located": "locate",
    "wife": "wife",
    "news": "news",
}

PRONOUNS: Final[Mapping[str, str]] = {
    "me": "i",
    "him": "he",
    "us": "we",
    "them": "they",
    "mine": "my",
    "yours": "your",
    "am": "is",
    "are": "is",
    "was": "is",
    "were": "is",
    "does": "do",
    "did": "do",
    "has": "have",
    "an": "a",
    "the": "a",
}
