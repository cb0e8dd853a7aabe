"""South Slavic languages. A verb may end nearly any sentence: only function words hold."""

from __future__ import annotations

from voice.lexicon.table import Table

# Shared by Croatian, Bosnian and Serbian.
_SOUTH_FILLERS = """
    ovaj pa znači mislim eee hm
"""
_SOUTH_BACKCHANNELS = """
    da aha mhm dobro razumijem razumem jasno ok tako_je točno tačno stvarno
"""
_SOUTH_STOPS = """
    stop čekaj čekajte ne stani stanite trenutak samo_trenutak sekundu izvini izvinite oprostite
    dosta tiho slušajte polako
"""
_SOUTH_NUMBERS = """
    nula=0 jedan=1 jedna=1? dva=2 dve=2 dvije=2 tri=3 četiri=4 pet=5 šest=6 sedam=7 osam=8
    devet=9 deset=10 jedanaest=11 dvanaest=12 trinaest=13 četrnaest=14 petnaest=15 šesnaest=16
    sedamnaest=17 osamnaest=18 devetnaest=19 dvadeset=20 trideset=30 četrdeset=40 pedeset=50
    šezdeset=60 sedamdeset=70 osamdeset=80 devedeset=90 sto=100
"""

CROATIAN = Table(
    tags="hr bs",
    conjunctions="i ili ali da ako jer kada kad iako nego te dok što zato_što",
    prepositions="u na s sa iz do od za po kod bez kroz između pod nad pred o prema oko",
    determiners="""
        moj moja moje tvoj vaš vaša vaše naš naša svaki svaka ovaj_jedan koji koja koje gospodin
        gospođa
    """,
    adverbs="vrlo jako otprilike",
    holds="""
        zovem_se moje_ime_je moj_broj_je htio_bih htjela_bih želio_bih željela_bih trebam na_primjer
    """,
    complete="mislim_da ja_da za_što nego_što je_moj je_moja hvala_gospođo da_da ne_baš_jako",
    done="hvala puno_hvala hvala_lijepa doviđenja molim ne_hvala to_je_sve",
    yes="""
        da je naravno točno tačno tako_je dobro u_redu slažem_se svakako može jeste jest apsolutno
    """,
    no="ne nije nikako nikad pogrešno još_ne uopće_ne ne_hvala nipošto",
    polite="molim hvala molim_vas puno_hvala hvala_lijepa",
    digit_words="znamenki znamenke cifara cifre brojeva",
    asks="broj_telefona=phone telefon=phone datum_rođenja=any oib=11 kod=any broj=any godina=4",
    question_words="što šta tko ko gdje kamo kada kad kako zašto koji koja koje koliko",
    yes_no_openers="je_li jeste_li imate_li želite_li možete_li mogu_li da_li biste_li jel je",
    choice_words="ili",
    requests="recite navedite unesite izdiktirajte",
    fillers=_SOUTH_FILLERS,
    backchannels=_SOUTH_BACKCHANNELS,
    stops=_SOUTH_STOPS,
    numbers=_SOUTH_NUMBERS,
)

SERBIAN = Table(
    tags="sr",
    conjunctions="""
        i ili ali da ako jer kada kad iako nego te dok što zato_što и или али да ако јер када кад
        иако него док што
    """,
    prepositions="""
        u na s sa iz do od za po kod bez kroz između pod nad pred o prema oko у на с са из до од за
        по код без кроз између под над пред о према око
    """,
    determiners="""
        moj moja moje tvoj vaš vaša vaše naš naša svaki svaka koji koja koje gospodin gospođa мој
        моја моје ваш ваша ваше сваки
    """,
    adverbs="vrlo veoma otprilike врло веома",
    holds="""
        zovem_se moje_ime_je moj_broj_je hteo_bih htela_bih želeo_bih želela_bih treba_mi na_primer
        зовем_се мој_број_је хтео_бих хтела_бих на_пример
    """,
    complete="mislim_da ja_da za_što nego_što je_moj je_moja da_da да_да",
    done="""
        hvala hvala_puno doviđenja molim ne_hvala to_je_sve хвала хвала_пуно довиђења молим не_хвала
        то_је_све
    """,
    yes="""
        da naravno tačno tako_je dobro u_redu slažem_se svakako može jeste да наравно тачно тако_је
        добро у_реду јесте може
    """,
    no="ne nije nikako nikad pogrešno još_ne uopšte_ne не није никако никад погрешно још_не",
    polite="molim hvala molim_vas hvala_puno молим хвала молим_вас",
    fillers=f"{_SOUTH_FILLERS} па овај значи мислим",
    backchannels=f"{_SOUTH_BACKCHANNELS} да аха добро разумем јасно тако_је тачно",
    stops=f"{_SOUTH_STOPS} стоп чекај чекајте не стани станите тренутак извините доста",
    numbers=f"""
        {_SOUTH_NUMBERS} нула=0 један=1 два=2 две=2 три=3 четири=4 пет=5 шест=6 седам=7 осам=8
        девет=9 десет=10
    """,
    digit_words="cifara cifre brojeva цифара",
    asks="""
        broj_telefona=phone telefon=phone datum_rođenja=any jmbg=13 kod=any broj=any godina=4
        број_телефона=phone телефон=phone датум_рођења=any број=any
    """,
    question_words="""
        šta ko gde kuda kada kad kako zašto koji koja koje koliko шта ко где када како зашто који
        колико
    """,
    yes_no_openers="da_li je_li jeste_li imate_li želite_li možete_li mogu_li jel да_ли је_ли",
    choice_words="ili или",
    requests="recite navedite unesite реците наведите унесите",
)

SLOVENIAN = Table(
    tags="sl",
    conjunctions="in ali ampak da če ker ko čeprav pa_da kot vendar",
    prepositions="v na s z iz do od za po pri brez skozi med pod nad pred o k h okoli",
    determiners="""
        moj moja moje vaš vaša vaše naš naša vsak vsaka ta kateri katera katero gospod gospa
    """,
    adverbs="zelo približno",
    holds="ime_mi_je moje_ime_je moja_številka_je rad_bi rada_bi potrebujem na_primer",
    complete="hvala_gospa to_je_moj je_moja kaj_pa_ta",
    done="hvala najlepša_hvala hvala_lepa nasvidenje prosim ne_hvala to_je_vse",
    fillers="eee torej mislim hm",
    yes="ja da seveda točno pravilno drži v_redu dobro res_je tako_je lahko",
    no="ne nikakor nikoli narobe še_ne sploh_ne ni",
    backchannels="ja aha mhm dobro razumem v_redu ok točno res seveda",
    stops="stop počakajte počakaj ne trenutek oprostite dovolj tiho samo_trenutek",
    polite="prosim hvala najlepša_hvala hvala_lepa",
    numbers="""
        nič=0 nula=0 ena=1 en=1? dve=2 dva=2 tri=3 štiri=4 pet=5 šest=6 sedem=7 osem=8 devet=9
        deset=10
    """,
    digit_words="številk številke",
    asks="""
        telefonska_številka=phone telefonsko_številko=phone datum_rojstva=any številka=any
        številko=any
    """,
    question_words="kaj kdo kje kam kdaj kako zakaj kateri katera katero koliko",
    yes_no_openers="ali je ste imate želite lahko",
    choice_words="ali",
    requests="povejte navedite vnesite",
)

BULGARIAN = Table(
    tags="bg",
    conjunctions="и или но а че да ако защото когато въпреки_че тъй_като как докато",
    prepositions="в във на с със от до за по при без през между под над пред към около",
    determiners="""
        моят моята моето моите вашият вашата вашето нашият всеки всяка този тази кой коя кое
    """,
    adverbs="много_по приблизително",
    holds="""
        казвам_се името_ми_е номерът_ми_е бих_искал бих_искала искам_да трябва_да например
        може_ли_да
    """,
    complete="за_какво не_знам_как ами_да не_знам_кой",
    done="благодаря много_благодаря мерси довиждане моля не_благодаря това_е_всичко",
    fillers="ъъъ ъ ами значи такова",
    yes="да ами_да точно разбира_се вярно правилно добре така_е съгласен съгласна става естествено",
    no="не никак никога грешно още_не въобще_не няма",
    backchannels="да аха мхм добре разбирам ясно точно така_е окей",
    stops="стоп чакай чакайте не момент един_момент секунда извинете достатъчно тихо спри спрете",
    polite="моля благодаря мерси ако_обичате",
    numbers="""
        нула=0 едно=1 един=1? една=1? две=2 два=2 три=3 четири=4 пет=5 шест=6 седем=7 осем=8 девет=9
        десет=10
    """,
    digit_words="цифри цифрите",
    asks="""
        телефонен_номер=phone телефонния_номер=phone телефон=phone дата_на_раждане=any егн=10
        код=any номер=any
    """,
    question_words="какво кой коя кое кои къде кога как защо колко",
    yes_no_openers="ли може имате искате дали",
    choice_words="или",
    requests="кажете посочете въведете продиктувайте",
)

MACEDONIAN = Table(
    tags="mk",
    conjunctions="и или но а дека да ако бидејќи кога иако",
    prepositions="во на со од до за по кај без низ меѓу под над пред кон околу",
    determiners="мојот мојата моето вашиот вашата нашиот секој секоја овој оваа",
    done="благодарам фала пријатно молам не_благодарам тоа_е_сѐ",
    fillers="па значи",
    yes="да секако точно во_ред добро така_е може",
    no="не никогаш погрешно уште_не",
    backchannels="да аха добро разбирам точно",
    stops="стоп чекај чекајте не момент извинете доста",
    polite="молам благодарам фала",
    numbers="""
        нула=0 еден=1 една=1? два=2 две=2 три=3 четири=4 пет=5 шест=6 седум=7 осум=8 девет=9
        десет=10
    """,
    question_words="што кој каде кога како зошто колку која кое",
    yes_no_openers="дали имате сакате може",
    choice_words="или",
    asks="телефонски_број=phone телефон=phone број=any",
)

TABLES = (CROATIAN, SERBIAN, SLOVENIAN, BULGARIAN, MACEDONIAN)
