"""Romance languages besides Spanish, Italian, French and Portuguese."""

from __future__ import annotations

from voice.lexicon.table import Table

CATALAN = Table(
    tags="ca",
    conjunctions="i o però perquè que si quan mentre com encara_que doncs ni sinó",
    prepositions="""
        a de en amb per sense sobre entre fins des durant cap segons del dels al als pel pels contra
    """,
    articles="el la els les un l'",
    determiners="""
        meu meva teu teva seu seva nostre nostra cada aquest aquesta aquell aquella mon ma senyor
        senyora
    """,
    verbs="vull voldria necessito em_dic soc sóc tinc",
    adverbs="molt_més tan",
    holds="em_dic el_meu_nom_és el_meu_número_és m'agradaria voldria per_exemple",
    complete="""
        és_meu és_meva el_meu la_meva el_seu la_seva el_que_vull el_que_necessito que_tinc no_vull
        no_tinc sí_vull qui_soc no_ho_soc sí_que_ho_soc vull_aquest vull_aquesta
    """,
    done="gràcies moltes_gràcies adéu si_us_plau sisplau fins_ara no_gràcies això_és_tot res_més",
    fillers="eh doncs_eh ehm a_veure bé_eh",
    yes="sí és_clar clar exacte correcte d'acord i_tant molt_bé perfecte cert per_descomptat val",
    no="no gens mai incorrecte encara_no en_absolut tampoc",
    backchannels="sí ja clar d'acord entesos exacte ah ho_entenc molt_bé val",
    stops="""
        atura't pari espera esperi esperi's no un_moment un_segon perdó perdoni disculpi prou
        silenci escolti
    """,
    polite="si_us_plau sisplau gràcies moltes_gràcies",
    numbers="""
        zero=0 un=1? u=1? una=1? dos=2 dues=2 tres=3 quatre=4 cinc=5 sis=6 set=7 vuit=8 nou=9 deu=10
        onze=11 dotze=12 tretze=13 catorze=14 quinze=15 setze=16 disset=17 divuit=18 dinou=19
        vint=20 trenta=30 quaranta=40 cinquanta=50 seixanta=60 setanta=70 vuitanta=80 noranta=90
        cent=100 mil=1000
    """,
    decimals="coma",
    digit_words="dígits xifres",
    asks="""
        número_de_telèfon=phone telèfon=phone mòbil=phone codi_postal=5 data_de_naixement=any
        codi=any número=any any=4
    """,
    question_words="què qui quin quina quins quines on quan com quant quanta quants per_què",
    yes_no_openers="és té vol pot podria desitja necessita està hi_ha correcte",
    choice_words="o",
    requests="digui'm digueu digui doni'm indiqui",
)

GALICIAN = Table(
    tags="gl",
    conjunctions="e ou pero porque que se cando mentres como aínda_que nin senón",
    prepositions="""
        a de en con por para sen sobre entre ata desde durante do da dos das no na nos nas ao á
        segundo
    """,
    articles="o os as un",
    determiners="meu miña meus teu túa seu súa noso nosa cada este esta ese esa señor señora",
    verbs="quero quixera necesito chámome",
    holds="chámome o_meu_nome_é o_meu_número_é gustaríame por_exemplo",
    complete="é_meu é_miña o_meu a_miña o_que_quero non_quero si_quero quero_este quero_esta",
    done="grazas moitas_grazas adeus por_favor ata_logo non_grazas iso_é_todo",
    fillers="eh pois_eh ehm a_ver",
    yes="si claro exacto correcto de_acordo vale moi_ben por_suposto certo",
    no="non nada nunca incorrecto aínda_non en_absoluto tampouco",
    backchannels="si xa claro vale entendo exacto ah de_acordo",
    stops="pare espera espere non un_momento un_segundo perdón desculpe abonda silencio escoite",
    polite="por_favor grazas moitas_grazas",
    numbers="""
        cero=0 un=1? unha=1? dous=2 dúas=2 tres=3 catro=4 cinco=5 seis=6 sete=7 oito=8 nove=9 dez=10
    """,
    question_words="que quen cal cales onde cando como canto cantos por_que",
    yes_no_openers="é ten quere pode podería desexa",
    choice_words="ou",
    asks="número_de_teléfono=phone teléfono=phone código_postal=5 data_de_nacemento=any número=any",
)

ROMANIAN = Table(
    tags="ro mo",
    conjunctions="""
        și sau dar că să dacă pentru_că când deși iar ori fiindcă deoarece ca încât decât
    """,
    prepositions="""
        de la în cu pe pentru din fără despre sub peste între prin până spre după_ce către
    """,
    articles="un o al ale ai",
    determiners="fiecare acest această acestui niște orice domnul doamna",
    subjects="eu_sunt mă îmi m- s-",
    verbs="vreau aș sunt am este e numesc",
    adverbs="foarte cam",
    holds="""
        mă_numesc mă_cheamă numele_meu_este numărul_meu_este aș_vrea aș_dori am_nevoie am_nevoie_de
        de_exemplu aveți puteți
    """,
    complete="""
        da_este nu_este da_sunt nu_sunt da_am nu_am ce_este cine_este unde_este cât_este care_este
        da_vreau nu_vreau ce_vreau unde_sunt cum_este nu_e unde_e cine_e ce_e da_e cât_e așa_e de_la
        numai_o doar_o ce_am
    """,
    done="""
        mulțumesc mulțumesc_mult mersi la_revedere vă_rog te_rog nu_mulțumesc asta_e_tot atât
        o_zi_bună
    """,
    strands="ce cine unde când cum cât câți câte care",
    fillers="ăă ăăă deci păi adică hm",
    yes="da sigur desigur exact corect bineînțeles de_acord bine așa_este așa_e perfect firește ok",
    no="nu deloc niciodată greșit incorect încă_nu nicidecum nu_nu",
    backchannels="da aha mhm înțeleg am_înțeles bine ok exact sigur așa_e serios",
    stops="""
        stop stai stați așteaptă așteptați nu un_moment o_secundă scuze scuzați-mă pardon ajunge
        liniște ascultați
    """,
    polite="vă_rog te_rog mulțumesc mulțumesc_mult mersi",
    numbers="""
        zero=0 unu=1 una=1? un=1? doi=2 două=2 trei=3 patru=4 cinci=5 șase=6 șapte=7 opt=8 nouă=9
        zece=10 unsprezece=11 doisprezece=12 treisprezece=13 paisprezece=14 cincisprezece=15
        șaisprezece=16 șaptesprezece=17 optsprezece=18 nouăsprezece=19 douăzeci=20 treizeci=30
        patruzeci=40 cincizeci=50 șaizeci=60 șaptezeci=70 optzeci=80 nouăzeci=90
    """,
    number_joiners="și",
    decimals="virgulă",
    digit_words="cifre cifra",
    asks="""
        număr_de_telefon=phone numărul_de_telefon=phone telefon=phone data_nașterii=any cnp=13
        cod_poștal=6 codul_poștal=6 cod=any codul=any numărul=any număr=any anul=4
    """,
    question_words="ce cine care unde când cum cât câți câte câtă de_ce",
    yes_no_openers="este sunteți aveți doriți puteți ați vreți e corect pot",
    choice_words="sau ori",
    requests="spuneți-mi spuneți dați-mi introduceți precizați",
)

TABLES = (CATALAN, GALICIAN, ROMANIAN)
