"""West Slavic languages. A verb may end nearly any sentence: only function words hold."""

from __future__ import annotations

from voice.lexicon.table import Table

POLISH = Table(
    tags="pl",
    conjunctions="""
        i oraz lub albo ale że żeby jeśli jeżeli bo ponieważ kiedy gdy chociaż czy więc a oraz_że
    """,
    prepositions="w we na z ze do od za dla po przy bez przez między pod nad przed o u ku około",
    determiners="""
        mój moja moje twój twoja pana pani nasz nasza każdy każda ten ta który która które pan
    """,
    adverbs="bardzo około",
    holds="""
        nazywam_się mam_na_imię mój_numer mój_numer_to chciałbym chciałabym proszę_o potrzebuję
        to_znaczy na_przykład czy_mógłbym czy_mogę
    """,
    complete="""
        za_co po_co nie_bardzo tak_bardzo proszę_bardzo dziękuję_pani dziękuję_panu proszę_pana
        proszę_pani dla_pana dla_pani jest_moja jest_mój to_moje jest_pani jest_pan dobrze_pani
        jak_się_pan jak_się_pani jak_się_nazywam no_i a_pan a_pani to_ta to_ten tak_proszę_pani
        tak_proszę_pana nie_proszę_pani
    """,
    done="""
        dziękuję dzięki dziękuję_bardzo bardzo_dziękuję do_widzenia nie_dziękuję tak_proszę
        to_wszystko do_usłyszenia proszę
    """,
    fillers="yyy eee no hmm znaczy jakby e yy",
    yes="""
        tak no oczywiście zgadza_się dokładnie dobrze jasne pewnie racja prawda owszem ok okej
        słusznie zgoda poproszę tak_zgadza_się
    """,
    no="""
        nie wcale nigdy nieprawda źle jeszcze_nie absolutnie_nie nie_zgadza_się skądże niepoprawnie
    """,
    backchannels="""
        tak no aha mhm rozumiem dobrze jasne okej ok dokładnie no_tak naprawdę oczywiście
    """,
    stops="""
        stop czekaj proszę_czekać proszę_zaczekać zaczekaj nie chwileczkę chwilę moment przepraszam
        dość cicho poczekaj słuchaj anuluj
    """,
    polite="proszę dziękuję dzięki dziękuję_bardzo uprzejmie poproszę bardzo",
    numbers="""
        zero=0 jeden=1 jedna=1? dwa=2 dwie=2 trzy=3 cztery=4 pięć=5 sześć=6 siedem=7 osiem=8
        dziewięć=9 dziesięć=10 jedenaście=11 dwanaście=12 trzynaście=13 czternaście=14 piętnaście=15
        szesnaście=16 siedemnaście=17 osiemnaście=18 dziewiętnaście=19 dwadzieścia=20 trzydzieści=30
        czterdzieści=40 pięćdziesiąt=50 sześćdziesiąt=60 siedemdziesiąt=70 osiemdziesiąt=80
        dziewięćdziesiąt=90 sto=100 dwieście=200 trzysta=300 czterysta=400 pięćset=500 sześćset=600
        siedemset=700 osiemset=800 dziewięćset=900 tysiąc=1000 tysiące=1000 tysięcy=1000
    """,
    decimals="przecinek",
    digit_words="cyfr cyfry cyfrę",
    asks="""
        numer_telefonu=phone telefon=phone mój_numer=phone kod_pocztowy=5 data_urodzenia=any
        datę_urodzenia=any urodzenia=any pesel=11 nip=10 kod=any pin=4 numer=any rok=4 data=any
        datę=any
    """,
    question_words="""
        co kto gdzie dokąd kiedy jak dlaczego jaki jaka jakie który która które ile czemu
    """,
    yes_no_openers="czy prawda zgadza_się dobrze",
    choice_words="lub albo czy",
    requests="proszę_podać podaj proszę_powiedzieć powiedz proszę_wprowadzić poproszę_o",
)

CZECH = Table(
    tags="cs",
    conjunctions="a nebo ale že aby když protože jestli jestliže pokud i ani nýbrž takže či",
    prepositions="v ve na s se z ze do od za pro po při bez přes mezi pod nad před o u k ke okolo",
    determiners="""
        můj moje má tvůj váš vaše náš naše každý každá tento tato který která které pan paní
    """,
    adverbs="velmi asi přibližně",
    holds="""
        jmenuji_se jmenuju_se moje_číslo_je chtěl_bych chtěla_bych potřebuji potřebuju například
        to_znamená
    """,
    complete="""
        za_co no_a dobře_paní děkuji_paní jak_se pro_co jmenuje_se dívá_se to_je_moje je_má vaše_je
        to_asi ano_asi
    """,
    done="děkuji děkuju díky na_shledanou nashledanou prosím ne_děkuji to_je_vše to_je_všechno",
    fillers="ehm no jako eee prostě",
    yes="""
        ano jo jasně samozřejmě přesně správně dobře určitě souhlasí ovšem přesně_tak v_pořádku ok
    """,
    no="ne vůbec nikdy špatně ještě_ne vůbec_ne nesouhlasí",
    backchannels="ano jo jasně aha mhm rozumím dobře ok přesně no_jo opravdu",
    stops="""
        stop počkejte počkej ne moment okamžik vteřinu promiňte pardon dost ticho poslouchejte
        chvilku
    """,
    polite="prosím děkuji děkuju díky",
    numbers="""
        nula=0 jedna=1 jeden=1? dva=2 dvě=2 tři=3 čtyři=4 pět=5 šest=6 sedm=7 osm=8 devět=9 deset=10
        jedenáct=11 dvanáct=12 třináct=13 čtrnáct=14 patnáct=15 šestnáct=16 sedmnáct=17 osmnáct=18
        devatenáct=19 dvacet=20 třicet=30 čtyřicet=40 padesát=50 šedesát=60 sedmdesát=70 osmdesát=80
        devadesát=90 sto=100 tisíc=1000
    """,
    decimals="celá",
    digit_words="číslic číslice",
    asks="telefonní_číslo=phone telefon=phone datum_narození=any psč=5 kód=any číslo=any rok=4",
    question_words="co kdo kde kam kdy jak proč jaký jaká jaké který která které kolik",
    yes_no_openers="je jste máte chcete můžete mohu souhlasí můžu chcete_li",
    choice_words="nebo",
    requests="řekněte uveďte zadejte nadiktujte sdělte",
)

SLOVAK = Table(
    tags="sk",
    conjunctions="a alebo ale že aby keď pretože lebo ak aj ani takže či",
    prepositions="v vo na s so z zo do od za pre po pri bez cez medzi pod nad pred o u k ku okolo",
    determiners="""
        môj moja moje tvoj váš vaša vaše náš naša každý každá tento táto ktorý ktorá ktoré pán pani
    """,
    adverbs="veľmi asi",
    holds="volám_sa moje_číslo_je chcel_by_som chcela_by_som potrebujem napríklad",
    complete="za_čo no_a je_moje je_moja ďakujem_pani áno_asi",
    done="ďakujem vďaka dovidenia prosím nie_ďakujem to_je_všetko",
    fillers="ehm no akože eee",
    yes="áno hej jasné samozrejme presne správne dobre určite súhlasí v_poriadku ok iste",
    no="nie vôbec nikdy zle ešte_nie vôbec_nie",
    backchannels="áno hej jasné aha mhm rozumiem dobre ok presne naozaj",
    stops="stop počkajte počkaj nie moment okamih prepáčte pardon dosť ticho počúvajte chvíľu",
    polite="prosím ďakujem vďaka",
    numbers="""
        nula=0 jeden=1 jedna=1? dva=2 dve=2 tri=3 štyri=4 päť=5 šesť=6 sedem=7 osem=8 deväť=9
        desať=10
    """,
    digit_words="číslic číslice",
    asks="telefónne_číslo=phone telefón=phone dátum_narodenia=any kód=any číslo=any rok=4",
    question_words="čo kto kde kam kedy ako prečo aký aká aké ktorý ktorá ktoré koľko",
    yes_no_openers="je ste máte chcete môžete môžem súhlasí",
    choice_words="alebo",
    requests="povedzte uveďte zadajte nadiktujte",
)

TABLES = (POLISH, CZECH, SLOVAK)
