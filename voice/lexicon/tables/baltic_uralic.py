"""Baltic and Uralic languages."""

from __future__ import annotations

from voice.lexicon.table import Table

LITHUANIAN = Table(
    tags="lt",
    conjunctions="ir arba bet kad jeigu jei nes kai nors o ar kaip",
    prepositions="į iš su be per prie ant po nuo iki už dėl pas apie tarp prieš",
    determiners="mano jūsų mūsų kiekvienas šis ši šitas ponas ponia",
    adverbs="labai apytiksliai",
    holds="mano_vardas mano_numeris norėčiau aš_norėčiau pavyzdžiui man_reikia",
    complete="ačiū_labai ne_labai tai_mano yra_mano sąrašą_mano",
    done="ačiū dėkoju viso_gero prašau ne_ačiū labai_ačiū tai_viskas sudie",
    fillers="na tai ee hm",
    yes="taip žinoma teisingai tikrai gerai sutinku aišku tiksliai",
    no="ne niekada neteisingai dar_ne visai_ne",
    backchannels="taip aha mhm supratau gerai aišku tikrai",
    stops="stop palaukite palauk ne minutėlę sekundę atsiprašau gana tyliai",
    polite="prašau ačiū dėkoju labai_ačiū",
    numbers="""
        nulis=0 vienas=1 viena=1? du=2 dvi=2 trys=3 keturi=4 penki=5 šeši=6 septyni=7 aštuoni=8
        devyni=9 dešimt=10
    """,
    question_words="kas kur kada kaip kodėl koks kokia kuris kuri kiek",
    yes_no_openers="ar galite norite turite",
    choice_words="arba ar",
    asks="""
        telefono_numeris=phone telefono_numerį=phone gimimo_data=any asmens_kodas=11 numeris=any
        numerį=any
    """,
)

LATVIAN = Table(
    tags="lv",
    conjunctions="un vai bet ka ja jo kad lai_gan nekā",
    prepositions="uz no ar bez pie pēc līdz par caur starp pirms zem",
    determiners="mans mana jūsu mūsu katrs katra šis šī kungs kundze",
    adverbs="ļoti apmēram",
    holds="mani_sauc mans_numurs_ir es_vēlos es_gribētu piemēram man_vajag",
    complete="es_ļoti tas_ir_mans ir_mana nav_mana",
    done="paldies liels_paldies uz_redzēšanos lūdzu nē_paldies tas_ir_viss",
    fillers="ē nu hm",
    yes="jā protams pareizi tieši labi piekrītu skaidrs",
    no="nē nekad nepareizi vēl_ne nemaz",
    backchannels="jā aha mhm sapratu labi skaidrs tiešām",
    stops="stop pagaidiet pagaidi nē mirklīti sekundi atvainojiet pietiek klusu",
    polite="lūdzu paldies liels_paldies",
    numbers="""
        nulle=0 viens=1 viena=1? divi=2 divas=2 trīs=3 četri=4 pieci=5 seši=6 septiņi=7 astoņi=8
        deviņi=9 desmit=10
    """,
    question_words="kas kur kad kā kāpēc kāds kāda kurš kura cik",
    yes_no_openers="vai varat vēlaties",
    choice_words="vai",
    asks="""
        telefona_numurs=phone telefona_numuru=phone dzimšanas_datums=any personas_kods=any
        numurs=any numuru=any
    """,
)

FINNISH = Table(
    tags="fi",
    conjunctions="ja tai mutta että jos koska kun vaikka joten sekä eli kuin vai",
    prepositions="noin ennen ilman",
    determiners="minun mun sinun hänen meidän teidän heidän joka jokainen tämä herra rouva",
    adverbs="hyvin_paljon erittäin todella_paljon",
    subjects="minä mä",
    verbs="nimeni_on numeroni_on",
    holds="""
        haluaisin haluan minun_nimeni_on mun_nimi_on minun_numeroni_on numero_on esimerkiksi
        voisitko voitteko voisinko olisiko
    """,
    complete="""
        niin_kuin se_on_minun on_mun se_on_mun se_on_tämä haluan_tämän minä_en kyllä_minä haluan_sen
    """,
    done="""
        kiitos kiitoksia paljon_kiitoksia näkemiin hei_hei kuulemiin moi_moi ei_kiitos kyllä_kiitos
        siinä_kaikki
    """,
    fillers="öö ööö tota tuota niinku niin_kuin ää hmm siis",
    yes="""
        kyllä joo juu niin tottakai totta_kai juuri_niin oikein aivan selvä hyvä sopii ok okei
        varmasti pitää_paikkansa
    """,
    no="ei en ei_ole ei_suinkaan väärin ei_vielä ei_koskaan ei_lainkaan enkä",
    backchannels="joo juu niin aivan okei mhm hyvä selvä ymmärrän ahaa totta kyllä vai_niin",
    stops="""
        seis odota odottakaa ei hetki hetkinen sekunti anteeksi riittää hiljaa lopeta kuuntele
        peruuta
    """,
    polite="kiitos kiitoksia ole_hyvä olkaa_hyvä",
    numbers="""
        nolla=0 yksi=1 kaksi=2 kolme=3 neljä=4 viisi=5 kuusi=6 seitsemän=7 kahdeksan=8 yhdeksän=9
        kymmenen=10 yks=1 kaks=2 viis=5 kuus=6 seittemän=7 kaheksan=8 yheksän=9 kakskyt=20
    """,
    decimals="pilkku",
    digit_words="numeroa numeron",
    asks="""
        puhelinnumero=phone puhelinnumeronne=phone puhelinnumerosi=phone postinumero=5
        syntymäaika=any syntymäaikanne=any henkilötunnus=any koodi=any numero=any
    """,
    question_words="mikä mitä kuka missä mihin mistä milloin miten miksi kuinka montako paljonko",
    yes_no_openers="onko voitko voitteko haluatko haluatteko oletko oletteko saanko voinko sopiiko",
    choice_words="tai vai",
    requests="kertokaa kerro antakaa anna syöttäkää sanokaa",
)

ESTONIAN = Table(
    tags="et",
    conjunctions="ja või aga et kui sest kuna kuigi ning ehk vaid",
    prepositions="umbes enne ilma",
    determiners="minu sinu tema meie teie nende iga see",
    adverbs="väga",
    holds="minu_nimi_on minu_number_on ma_sooviksin ma_tahaksin mul_on_vaja näiteks",
    complete="see_on_minu tahan_see on_see mis_see kes_see mis_on_see võtan_see jah_see",
    done="aitäh tänan palun nägemist head_aega ei_aitäh see_on_kõik",
    fillers="ee noh nagu tähendab",
    yes="jah jaa muidugi õige täpselt hea sobib olgu selge kindlasti nõus",
    no="ei mitte ei_ole vale veel_mitte üldse_mitte",
    backchannels="jah jaa mhm ahah selge hea saan_aru olgu tõesti",
    stops="stopp oota oodake ei hetk üks_hetk sekund vabandust aitab vait",
    polite="palun aitäh tänan suur_aitäh",
    numbers="null=0 üks=1 kaks=2 kolm=3 neli=4 viis=5 kuus=6 seitse=7 kaheksa=8 üheksa=9 kümme=10",
    question_words="mis kes kus millal kuidas miks milline mitu kui_palju",
    yes_no_openers="kas saate",
    choice_words="või",
    asks="telefoninumber=phone isikukood=11 sünniaeg=any number=any",
)

HUNGARIAN = Table(
    tags="hu",
    conjunctions="és vagy de hogy ha mert mivel amikor bár hanem valamint mint",
    articles="a az egy",
    determiners="minden ez_a az_a melyik",
    adverbs="nagyon körülbelül kb",
    holds="""
        szeretnék szeretném a_nevem az_én_nevem a_számom a_telefonszámom például tudna van_egy
        kérnék
    """,
    complete="""
        ez_az kell_egy csak_egy kérek_egy az_egy mi_az ki_az igen_az nem_az jó_az szeretem_nagyon
        köszönöm_nagyon nem_nagyon hol_van_az az_az mennyi_az elég_egy mint_az
    """,
    done="""
        köszönöm köszönöm_szépen köszi viszontlátásra viszonthallásra nem_köszönöm ennyi ez_minden
        szia
    """,
    fillers="ö öö ööö hát izé szóval hm",
    yes="""
        igen persze természetesen pontosan így_van helyes rendben jó oké egyetértek biztosan
        igen_kérem
    """,
    no="nem dehogy soha helytelen még_nem egyáltalán_nem nincs",
    backchannels="igen aha mhm értem jó rendben oké persze tényleg világos",
    stops="""
        állj várjon várj nem egy_pillanat pillanat bocsánat elnézést elég csend hallgasson
        álljon_meg
    """,
    polite="kérem köszönöm köszönöm_szépen legyen_szíves köszi",
    numbers="""
        nulla=0 egy=1? kettő=2 két=2 három=3 négy=4 öt=5 hat=6 hét=7 nyolc=8 kilenc=9 tíz=10 húsz=20
        harminc=30 negyven=40 ötven=50 hatvan=60 hetven=70 nyolcvan=80 kilencven=90 száz=100
        ezer=1000
    """,
    decimals="egész",
    digit_words="számjegy számjegyű számjegyét",
    asks="""
        telefonszám=phone telefonszáma=phone telefonszámát=phone irányítószám=4 irányítószámát=4
        születési_dátum=any születési_dátuma=any kód=any kódot=any szám=any számát=any
    """,
    question_words="mi mit ki kit hol hová mikor hogyan hogy miért melyik mennyi hány milyen",
    yes_no_openers="van szeretne tud tudna lehet kér rendben",
    choice_words="vagy",
    requests="adja_meg mondja kérem_adja kérem_mondja kérem_a",
)

TABLES = (LITHUANIAN, LATVIAN, FINNISH, ESTONIAN, HUNGARIAN)
