"""Germanic languages besides English and German."""

from __future__ import annotations

from voice.lexicon.table import Table

DUTCH = Table(
    tags="nl",
    conjunctions="""
        en of maar want omdat dat als indien terwijl hoewel zodat voordat nadat totdat tenzij dus
        dan
    """,
    prepositions="""
        van voor met bij naar in op te tot tegen zonder om tussen over onder uit aan door sinds
        tijdens volgens vanaf per
    """,
    articles="de het een",
    determiners="""
        mijn jouw zijn haar onze ons hun uw elke ieder iedere welke welk deze meneer mevrouw geen
    """,
    subjects="ik we wij ze zij hij ik_ben",
    verbs="heet wil wilde zou is ben heb",
    adverbs="heel erg zeer ongeveer",
    holds="""
        ik_wil_graag ik_zou_graag mijn_naam_is mijn_nummer_is ik_heb_een kunt_u kan_ik wilt_u er_is
        bijvoorbeeld
    """,
    complete="""
        zo_is_het hoe_is_het wat_is_het dat_is_het ik_ook ben_ik heb_ik kan_ik_dat geloof_ik denk_ik
        wil_ik weet_ik heel_erg met_mij doe_de wat_ik_wil wie_is_het dat_heb_ik ja_dat_is_zo dat_is
        wat_is hij_is wie_ik_ben
    """,
    done="""
        dank_je dank_u bedankt dankjewel dank_u_wel dankuwel tot_ziens doei dag alstublieft
        alsjeblieft dat_is_alles nee_dank_u nee_bedankt dat_was_het
    """,
    strands="wat wie waar welke welk hoe wanneer waarom hoeveel waarvoor waarmee",
    strands_prepositions=True,
    completed_by={
        "aan": """
            zet zetten doe doen bied geef geven trek neem nemen kom komt sluit pas passen raad vraag
            meld roep toon kondig
        """,
        "op": """
            bel belt bellen neem nemen neemt sta staat zoek zoeken hang los lossen sla slaan schrijf
            stuur let ruim houd pak geef zeg haal hou start speel zet
        """,
        "uit": """
            zet zetten doe doen leg leggen schakel maakt maak kom komt probeer zoek print log reken
        """,
        "in": "vul vullen voer voeren log schakel stel schrijf lever stap check plan zet er",
        "af": "zeg zeggen bel haal sluit rond wacht speel",
        "mee": "neem nemen kom gaan ga doe",
        "toe": "voeg voegen laat",
        "door": "ga gaan verbind verbinden verbindt geef stuur",
        "over": "bel schakel zet maak denk boek geef",
        "om": "draai boek zet zette wissel ruil ga",
        "voor": "stel lees bereid kom komt houd stem lees_het",
        "is": "wat wie waar hoe wanneer dat",
        "ben": "ja wie waar wat dat nee",
        "heb": "ja nee wat dat wel niet",
        "wil": "wat als dat wie",
        "te": "veel",
    },
    fillers="eh uh uhm ehm nou dus_eh even_kijken zeg_maar hoe_zeg_je_dat",
    yes="""
        ja jawel jazeker zeker inderdaad klopt dat_klopt goed prima natuurlijk graag oké akkoord
        juist precies is_goed ja_hoor dat_is_goed dat_is_juist uiteraard mooi
    """,
    no="""
        nee nee_hoor niet helemaal_niet dat_klopt_niet absoluut_niet nog_niet liever_niet nooit fout
        onjuist
    """,
    backchannels="""
        ja oké hmm mhm aha precies goed ja_ja juist prima inderdaad ik_snap_het snap_ik begrijp_ik
        oh echt klopt mooi fijn zeker
    """,
    stops="""
        stop wacht wacht_even nee ho een_moment momentje moment sorry pardon luister genoeg houd_op
        hou_op stil ogenblikje even_wachten annuleer
    """,
    polite="alstublieft alsjeblieft dank_je dank_u bedankt dankjewel dank_u_wel graag dankuwel",
    numbers="""
        nul=0 een=1? één=1 twee=2 drie=3 vier=4 vijf=5 zes=6 zeven=7 acht=8 negen=9 tien=10 elf=11
        twaalf=12 dertien=13 veertien=14 vijftien=15 zestien=16 zeventien=17 achttien=18
        negentien=19 twintig=20 dertig=30 veertig=40 vijftig=50 zestig=60 zeventig=70 tachtig=80
        negentig=90 honderd=100 duizend=1000
    """,
    fused_numbers="duizend honderd",
    repeats="dubbel=2 dubbele=2",
    decimals="komma",
    digit_words="cijfers cijfer",
    asks="""
        telefoonnummer=phone mobiele_nummer=phone mijn_nummer=phone postcode=any geboortedatum=any
        geboren=any pincode=4 code=any klantnummer=any rekeningnummer=any bestelnummer=any
        nummer=any jaar=4 datum=any
    """,
    question_words="wat wie waar wanneer waarom hoe welke welk hoeveel waarheen waarmee",
    yes_no_openers="is zijn heeft hebt kunt kan wilt wil mag moet zou zal bent klopt gaat heb",
    choice_words="of",
    requests="geef_me vertel_me zeg noem kunt_u_mij mag_ik_uw geef_uw voer",
)

SWEDISH = Table(
    tags="sv",
    conjunctions="""
        och eller men för_att att om när därför_att eftersom medan fast som utan så_att samt än
    """,
    prepositions="""
        i på till från med av för om hos under över vid mellan utan efter före mot genom enligt ur
        åt
    """,
    articles="en ett den det de",
    determiners="""
        min mitt mina din ditt dina sin sitt sina vår vårt våra er ert era hans hennes deras varje
        denna detta dessa någon något några vilken vilket vilka
    """,
    subjects="jag vi",
    verbs="heter är vill skulle har ska kan",
    adverbs="väldigt mycket_mer ungefär cirka",
    holds="""
        jag_skulle_vilja jag_vill mitt_namn_är mitt_nummer_är jag_heter jag_har jag_är till_exempel
        kan_du kan_ni har_ni det_är det_finns
    """,
    complete="""
        hur_är_det vad_är_det vem_är_det ja_det_är_det det_är_det ja_det_är ja_tack kan_jag vill_jag
        har_jag är_jag tror_jag tycker_jag menar_jag det_gör_jag jag_det som_jag vad_det_är
        så_är_det han_är vem_det_är hur_det_är sätt_på slå_på koppla_på starta_om tyck_om vad_som
        slå_av stäng_av ta_med kom_med följ_med håll_i var_det har_det den_det köpa_den ta_den
        ta_det vill_ha_det jag_vill_ha_den göra_det så_det
    """,
    done="""
        tack tack_så_mycket hej_då hejdå adjö tack_ska_du_ha nej_tack det_var_allt det_är_allt
        tack_så_hemskt_mycket
    """,
    strands="vad vem var vilken vilket vilka hur när varför vart som",
    strands_prepositions=True,
    fillers="eh öh hm asså alltså liksom typ låt_mig_se ehm",
    yes="""
        ja jo jajamän absolut precis stämmer det_stämmer visst javisst självklart gärna okej ok bra
        korrekt just_det rätt det_är_rätt det_går_bra japp
    """,
    no="nej nä inte inte_alls absolut_inte aldrig det_stämmer_inte fel inte_än nej_då nix",
    backchannels="""
        ja jo mm mhm okej aha jaha precis just_det visst jag_förstår bra jaså verkligen jaja ok
        absolut
    """,
    stops="""
        stopp stanna vänta nej ursäkta förlåt sluta ett_ögonblick en_sekund vänta_lite lyssna tyst
        vänta_nu avbryt
    """,
    polite="tack tack_så_mycket snälla är_du_snäll vänligen",
    numbers="""
        noll=0 ett=1? en=1? två=2 tre=3 fyra=4 fem=5 sex=6 sju=7 åtta=8 nio=9 tio=10 elva=11 tolv=12
        tretton=13 fjorton=14 femton=15 sexton=16 sjutton=17 arton=18 nitton=19 tjugo=20 trettio=30
        fyrtio=40 femtio=50 sextio=60 sjuttio=70 åttio=80 nittio=90 hundra=100 tusen=1000
    """,
    decimals="komma",
    digit_words="siffror siffrorna",
    asks="""
        telefonnummer=phone mobilnummer=phone personnummer=any postnummer=5 födelsedatum=any kod=any
        pinkod=4 kundnummer=any nummer=any
    """,
    question_words="vad vem vilken vilket vilka var vart när hur varför",
    yes_no_openers="är har vill kan ska skulle får stämmer finns behöver går",
    choice_words="eller",
    requests="säg ge_mig berätta ange uppge",
)

DANISH = Table(
    tags="da",
    conjunctions="og eller men fordi at hvis når mens selvom da som så_at samt end",
    prepositions="""
        i på til fra med af for om hos under over ved mellem uden efter før mod gennem ifølge
    """,
    articles="en et den det de",
    determiners="""
        min mit mine din dit dine sin sit sine vores jeres hans hendes deres hver denne dette disse
        hvilken hvilket hvilke
    """,
    subjects="jeg vi",
    verbs="hedder er vil ville har skal kan",
    adverbs="meget_mere cirka omkring",
    holds="""
        jeg_vil_gerne jeg_vil_gerne_have mit_navn_er mit_nummer_er jeg_har jeg_hedder for_eksempel
        kan_du kan_jeg det_er der_er
    """,
    complete="""
        hvordan_er_det hvad_er_det hvem_er_det det_er_det ja_det_er_det det_er_det_hele kan_jeg_det
        har_jeg er_jeg tror_jeg synes_jeg vil_jeg tænd_for sluk_for det_gør_jeg ja_det har_det
        gør_det var_det tage_det
    """,
    done="""
        tak mange_tak tusind_tak farvel hej_hej nej_tak ja_tak det_var_det det_var_alt det_er_alt
    """,
    strands="hvad hvem hvor hvilken hvilket hvilke hvordan hvornår hvorfor som",
    strands_prepositions=True,
    fillers="øh øhm hm altså ligesom lad_mig_se æh",
    yes="""
        ja jo jep jamen_ja selvfølgelig præcis rigtigt det_er_rigtigt gerne okay ok fint korrekt
        helt_sikkert naturligvis det_passer godt
    """,
    no="nej ikke slet_ikke aldrig det_passer_ikke forkert ikke_endnu overhovedet_ikke næ",
    backchannels="ja jo mm mhm okay nå aha præcis jeg_forstår godt fint ja_ja rigtigt virkelig ok",
    stops="""
        stop vent nej undskyld et_øjeblik øjeblik vent_lidt hold_op lyt stille lige_et_øjeblik
        annuller
    """,
    polite="tak mange_tak venligst",
    numbers="""
        nul=0 en=1? et=1? to=2 tre=3 fire=4 fem=5 seks=6 syv=7 otte=8 ni=9 ti=10 elleve=11 tolv=12
        tretten=13 fjorten=14 femten=15 seksten=16 sytten=17 atten=18 nitten=19 tyve=20 tredive=30
        fyrre=40 halvtreds=50 tres=60 halvfjerds=70 firs=80 halvfems=90 hundrede=100 tusind=1000
    """,
    decimals="komma",
    digit_words="cifre",
    asks="""
        telefonnummer=phone mobilnummer=phone cpr=10 postnummer=4 fødselsdato=any kode=any
        nummer=any
    """,
    question_words="hvad hvem hvor hvornår hvordan hvorfor hvilken hvilket hvilke",
    yes_no_openers="er har vil kan skal må passer findes kunne",
    choice_words="eller",
    requests="sig giv_mig fortæl oplys indtast",
)

NORWEGIAN = Table(
    tags="no nb nn",
    conjunctions="og eller men fordi at hvis når mens selv_om dersom som samt enn",
    prepositions="""
        i på til fra med av for om hos under over ved mellom uten etter før mot gjennom ifølge
    """,
    articles="en et ei den det de",
    determiners="""
        min mitt mine din ditt dine sin sitt sine vår vårt våre deres hans hennes hver denne dette
        disse hvilken hvilket hvilke
    """,
    subjects="jeg vi eg",
    verbs="heter er vil ville har skal kan",
    adverbs="veldig cirka omtrent",
    holds="""
        jeg_vil_gjerne jeg_vil_gjerne_ha navnet_mitt_er nummeret_mitt_er jeg_har jeg_heter
        for_eksempel kan_du kan_jeg det_er det_finnes
    """,
    complete="""
        hvordan_er_det hva_er_det hvem_er_det det_er_det ja_det_er_det kan_jeg_det har_jeg er_jeg
        tror_jeg synes_jeg vil_jeg slå_på skru_på slå_av skru_av det_gjør_jeg ja_det har_det
        gjør_det var_det ta_det
    """,
    done="""
        takk tusen_takk mange_takk ha_det ha_det_bra nei_takk ja_takk det_var_alt det_er_alt
        takk_skal_du_ha
    """,
    strands="hva hvem hvor hvilken hvilket hvilke hvordan når hvorfor som",
    strands_prepositions=True,
    fillers="øh eh hm altså liksom la_meg_se øhm",
    yes="""
        ja jo jepp selvfølgelig akkurat riktig det_er_riktig det_stemmer stemmer gjerne ok okei
        greit korrekt absolutt naturligvis fint bra
    """,
    no="nei ikke slett_ikke aldri det_stemmer_ikke feil ikke_ennå overhodet_ikke",
    backchannels="ja jo mm mhm ok okei aha akkurat jeg_forstår bra fint ja_ja jaha riktig greit",
    stops="stopp vent nei unnskyld et_øyeblikk øyeblikk vent_litt hør stille slutt avbryt",
    polite="takk tusen_takk vennligst vær_så_snill",
    numbers="""
        null=0 en=1? ett=1? én=1 to=2 tre=3 fire=4 fem=5 seks=6 sju=7 syv=7 åtte=8 ni=9 ti=10
        elleve=11 tolv=12 tretten=13 fjorten=14 femten=15 seksten=16 sytten=17 atten=18 nitten=19
        tjue=20 tretti=30 førti=40 femti=50 seksti=60 sytti=70 åtti=80 nitti=90 hundre=100
        tusen=1000
    """,
    decimals="komma",
    digit_words="siffer sifre",
    asks="""
        telefonnummer=phone mobilnummer=phone fødselsnummer=11 postnummer=4 fødselsdato=any kode=any
        nummer=any
    """,
    question_words="hva hvem hvor når hvordan hvorfor hvilken hvilket hvilke",
    yes_no_openers="er har vil kan skal får stemmer finnes kunne",
    choice_words="eller",
    requests="si gi_meg fortell oppgi tast",
)

ICELANDIC = Table(
    tags="is",
    conjunctions="og eða en því_að að ef þegar sem",
    prepositions="í til frá með af um hjá undir yfir við milli án eftir fyrir",
    determiners="minn mín mitt þinn þín þitt sinn hver",
    subjects="ég við",
    verbs="heiti er vil",
    complete="hvað_er hver_er",
    done="takk takk_fyrir bless kærar_takk nei_takk",
    strands="hvað hver hvar hvenær hvernig",
    fillers="hérna eh sko",
    yes="já jú auðvitað rétt einmitt ok allt_í_lagi gott",
    no="nei ekki alls_ekki aldrei rangt",
    backchannels="já jú mm mhm ok einmitt allt_í_lagi já_já",
    stops="stopp bíddu nei afsakið fyrirgefðu augnablik hættu",
    polite="takk takk_fyrir vinsamlegast",
    numbers="""
        núll=0 einn=1? eitt=1? tveir=2 tvö=2 þrír=3 þrjú=3 fjórir=4 fjögur=4 fimm=5 sex=6 sjö=7
        átta=8 níu=9 tíu=10
    """,
    question_words="hvað hver hvar hvenær hvernig hvers_vegna",
    yes_no_openers="er hefur viltu getur má á",
    choice_words="eða",
    asks="símanúmer=phone kennitala=10 númer=any",
)

AFRIKAANS = Table(
    tags="af",
    conjunctions="en of maar want omdat dat as terwyl hoewel sodat",
    prepositions="van vir met by na in op tot teen sonder om tussen oor onder aan deur sedert",
    articles="die 'n",
    determiners="my jou sy haar ons hulle_se elke hierdie daardie watter",
    subjects="ek",
    verbs="is het wil",
    holds="ek_wil ek_wil_graag my_naam_is my_nommer_is ek_het ek_is",
    complete="wat_is dit_is so_is_dit ek_het_dit gehad_het gedoen_het gesê_het",
    done="dankie baie_dankie totsiens nee_dankie asseblief ja_asseblief",
    strands="wat wie waar watter hoe wanneer hoekom",
    strands_prepositions=True,
    fillers="eh uhm",
    yes="ja natuurlik reg dis_reg korrek goed seker oukei graag",
    no="nee nie glad_nie nooit verkeerd nog_nie",
    backchannels="ja mm mhm oukei reg goed ek_sien",
    stops="stop wag nee verskoon_my jammer wag_bietjie ophou",
    polite="asseblief dankie baie_dankie",
    numbers="nul=0 een=1 twee=2 drie=3 vier=4 vyf=5 ses=6 sewe=7 agt=8 nege=9 tien=10",
    question_words="wat wie waar wanneer hoekom hoe watter hoeveel",
    yes_no_openers="is het kan wil mag sal",
    choice_words="of",
    asks="telefoonnommer=phone nommer=any",
)

TABLES = (DUTCH, SWEDISH, DANISH, NORWEGIAN, ICELANDIC, AFRIKAANS)
