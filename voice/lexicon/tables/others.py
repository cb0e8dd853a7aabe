"""Languages that are alone in their family here."""

from __future__ import annotations

from voice.lexicon.table import Table

GREEK = Table(
    tags="el",
    conjunctions="και κι ή αλλά ότι πως αν όταν επειδή ενώ όμως να που διότι μα ώστε",
    prepositions="""
        σε από με για προς χωρίς μέχρι κατά μετά_από πριν_από στον στην στο στους στις στα
    """,
    articles="ο η το οι τα τον την του της των τους τις ένας έναν",
    determiners="κάθε αυτό_το αυτή_η",
    verbs="θέλω θέλει λέγομαι ονομάζομαι",
    holds="""
        με_λένε το_όνομά_μου_είναι ο_αριθμός_μου_είναι το_τηλέφωνό_μου_είναι θα_ήθελα θα_ήθελα_να
        θέλω_να παραδείγματος_χάρη για_παράδειγμα μπορείτε_να
    """,
    complete="""
        τι_θέλω αυτό_που_θέλω ό,τι_θέλω δεν_θέλω δε_θέλω ναι_θέλω όχι_δεν_θέλω πώς_με_λένε πες_το
        κάν'_το γι'_αυτό_το εκεί_που από_που απο_πού το_ο πάρε_το βάλε_το σβήσε_το πείτε_του πες_του
        πες_της δικό_του δικό_της δικό_τους μαζί_του μαζί_της μαζί_τους σπίτι_του σπίτι_της
        σπίτι_τους άνοιξέ_το κλείσ'_το πάρ'_το ακύρωσέ_το ακυρώστε_το κάνε_το
    """,
    done="""
        ευχαριστώ ευχαριστώ_πολύ αντίο γεια_σας παρακαλώ όχι_ευχαριστώ αυτό_είναι_όλο αυτά
        καλή_σας_μέρα
    """,
    fillers="εε εμ δηλαδή λοιπόν_ε χμ",
    yes="ναι βέβαια βεβαίως σωστά ακριβώς φυσικά εντάξει καλά μάλιστα συμφωνώ σίγουρα ισχύει αμέ",
    no="όχι ποτέ λάθος καθόλου ακόμα_όχι ακόμη_όχι όχι_δεν μπα",
    backchannels="ναι α μμ εντάξει κατάλαβα σωστά ακριβώς μάλιστα καλά αλήθεια ωραία",
    stops="""
        σταμάτα σταματήστε περίμενε περιμένετε όχι μισό_λεπτό ένα_λεπτό μια_στιγμή συγγνώμη στοπ
        φτάνει ησυχία ακούστε
    """,
    polite="παρακαλώ ευχαριστώ ευχαριστώ_πολύ σας_παρακαλώ",
    numbers="""
        μηδέν=0 ένα=1 μία=1? μια=1? δύο=2 δυο=2 τρία=3 τρεις=3 τέσσερα=4 τέσσερις=4 πέντε=5 έξι=6
        επτά=7 εφτά=7 οκτώ=8 οχτώ=8 εννέα=9 εννιά=9 δέκα=10 έντεκα=11 δώδεκα=12 είκοσι=20 τριάντα=30
        σαράντα=40 πενήντα=50 εξήντα=60 εβδομήντα=70 ογδόντα=80 ενενήντα=90 εκατό=100
    """,
    decimals="κόμμα",
    digit_words="ψηφία ψηφίων",
    asks="""
        αριθμός_τηλεφώνου=phone αριθμό_τηλεφώνου=phone τηλέφωνο=phone τηλέφωνό_σας=phone
        κινητό=phone ταχυδρομικός_κώδικας=5 ταχυδρομικό_κώδικα=5 ημερομηνία_γέννησης=any αφμ=9
        κωδικός=any κωδικό=any αριθμός=any αριθμό=any
    """,
    question_words="τι ποιος ποια ποιο πού πότε πώς γιατί πόσο πόσα πόσοι πόσες",
    yes_no_openers="είναι έχετε θέλετε μπορείτε μπορώ συμφωνείτε θα_θέλατε μήπως",
    choice_words="ή",
    requests="πείτε_μου δώστε_μου πληκτρολογήστε πες_μου",
)

ALBANIAN = Table(
    tags="sq",
    conjunctions="dhe ose por që nëse sepse kur edhe_pse ndërsa apo",
    prepositions="në nga me për pa mbi nën deri te tek rreth gjatë",
    articles="një i e të së",
    determiners="im ime juaj juaja çdo ky kjo zoti zonja",
    verbs="quhem dua jam",
    holds="unë_dua emri_im_është numri_im_është do_të_doja për_shembull",
    complete="""
        emri_im numri_im emri_juaj numri_juaj çfarë_dua nuk_dua po_dua ku_jam kush_jam a_jam
        është_ky është_kjo është_imja dua_këtë kush_është_ky çfarë_është_kjo telefoni_im shtëpia_ime
        e_mia dua_një vetëm_një
    """,
    done="faleminderit shumë_faleminderit mirupafshim ju_lutem jo_faleminderit kaq",
    fillers="ëë ëëë domethënë",
    yes="po sigurisht saktë natyrisht patjetër mirë dakord në_rregull ashtu_është",
    no="jo kurrë gabim ende_jo aspak",
    backchannels="po aha mirë kuptova saktë në_rregull",
    stops="ndal ndalo prit prisni jo një_moment një_sekondë më_falni mjaft",
    polite="ju_lutem të_lutem faleminderit shumë_faleminderit",
    numbers="""
        zero=0 një=1? dy=2 tre=3 tri=3 katër=4 pesë=5 gjashtë=6 shtatë=7 tetë=8 nëntë=9 dhjetë=10
    """,
    question_words="çfarë kush ku kur si pse cili cila sa",
    yes_no_openers="a keni doni mund",
    choice_words="ose apo",
    asks="numri_i_telefonit=phone numrin_e_telefonit=phone datëlindja=any numri=any",
)

SWAHILI = Table(
    tags="sw",
    conjunctions="na au lakini kwamba kama kwa_sababu ikiwa wakati ingawa kwani",
    prepositions="kwa ya wa za la cha katika kutoka hadi kuhusu bila vya pa",
    determiners="kila bwana bibi",
    holds="jina_langu_ni nambari_yangu_ni nataka ninataka ningependa ningependa_kwa mfano nahitaji",
    complete="sitaki ninayotaka ninachotaka vile_nataka",
    done="asante asante_sana kwaheri tafadhali hapana_asante ni_hayo_tu",
    fillers="ee yaani",
    yes="ndiyo ndio naam sawa kweli sahihi bila_shaka hakika ni_kweli sawa_sawa",
    no="hapana la_hasha siyo sio bado kamwe si_sahihi hakuna",
    backchannels="ndiyo ndio sawa naelewa nimeelewa kweli mhm eeh",
    stops="simama acha subiri ngoja hapana samahani dakika_moja kidogo_tu_subiri inatosha sikiliza",
    polite="tafadhali asante asante_sana",
    numbers="sifuri=0 moja=1 mbili=2 tatu=3 nne=4 tano=5 sita=6 saba=7 nane=8 tisa=9 kumi=10",
    question_words="nini nani wapi lini vipi kwa_nini gani ngapi",
    yes_no_openers="je",
    choice_words="au",
    asks="nambari_ya_simu=phone namba_ya_simu=phone tarehe_ya_kuzaliwa=any nambari=any namba=any",
)

BASQUE = Table(
    tags="eu",
    conjunctions="eta edo baina baldin ala",
    determiners="nire zure gure",
    done="eskerrik_asko agur mesedez ez_eskerrik_asko mila_esker",
    complete="hau_nire",
    fillers="eee ba",
    yes="bai noski jakina ados zuzena horixe ondo",
    no="ez inoiz_ez oraindik_ez okerra",
    backchannels="bai ados ondo ulertzen_dut noski",
    stops="gelditu itxaron ez momentu_bat barkatu nahikoa",
    polite="mesedez eskerrik_asko mila_esker",
    numbers="zero=0 bat=1? bi=2 hiru=3 lau=4 bost=5 sei=6 zazpi=7 zortzi=8 bederatzi=9 hamar=10",
    question_words="zer nor non noiz nola zergatik zein zenbat",
    choice_words="edo ala",
    asks="telefono_zenbakia=phone zenbakia=any",
)

WELSH = Table(
    tags="cy",
    conjunctions="a ac neu ond os oherwydd achos bod pan",
    prepositions="i o yn ar am gyda heb at gan rhwng dros",
    articles="y yr",
    determiners="fy eich ein pob",
    complete="oes_gan diolch_i_chi",
    done="diolch diolch_yn_fawr hwyl hwyl_fawr os_gwelwch_yn_dda dim_diolch",
    fillers="ym",
    yes="ie ydw oes iawn wrth_gwrs cywir do ydy",
    no="na nage nac_ydw nac_oes naddo nac_ydy",
    backchannels="ie iawn ok wrth_gwrs",
    stops="stopiwch arhoswch na esgusodwch_fi sori munud",
    polite="os_gwelwch_yn_dda diolch diolch_yn_fawr plîs",
    numbers="""
        dim=0? sero=0 un=1 dau=2 dwy=2 tri=3 tair=3 pedwar=4 pedair=4 pump=5 chwech=6 saith=7 wyth=8
        naw=9 deg=10
    """,
    question_words="beth pwy ble pryd sut pam pa faint",
    choice_words="neu",
    asks="rhif_ffôn=phone rhif=any",
)

IRISH = Table(
    tags="ga",
    conjunctions="agus nó ach má mar go",
    prepositions="i ar ag le do ó faoi gan",
    articles="an na",
    determiners="mo do ár bhur gach",
    complete="cad_mar",
    done="go_raibh_maith_agat go_raibh_míle_maith_agat slán le_do_thoil",
    yes="sea is_ea tá ceart ceart_go_leor cinnte",
    no="ní_hea níl ní",
    backchannels="sea ceart tuigim ok",
    stops="stop fan nóiméad gabh_mo_leithscéal",
    polite="le_do_thoil go_raibh_maith_agat más_é_do_thoil_é",
    numbers="náid=0 aon=1? dó=2 trí=3 ceathair=4 cúig=5 sé=6? seacht=7 ocht=8 naoi=9 deich=10",
    question_words="cad cé cá cathain conas cén",
    choice_words="nó",
)

ZULU = Table(
    tags="zu",
    conjunctions="futhi noma kodwa ngoba uma ukuthi",
    done="ngiyabonga siyabonga ngiyabonga_kakhulu sala_kahle",
    yes="yebo kulungile ngempela",
    no="cha qha hhayi",
    backchannels="yebo kulungile ngiyezwa",
    stops="ima linda cha uxolo",
    polite="ngicela ngiyabonga siyabonga",
    question_words="yini ubani kuphi nini kanjani ngani",
    choice_words="noma",
)

MONGOLIAN = Table(
    tags="mn",
    conjunctions="ба болон эсвэл гэхдээ харин учир_нь хэрэв бөгөөд",
    determiners="миний таны бидний бүр энэ ямар",
    adverbs="маш ойролцоогоор",
    complete="энэ_миний юу_энэ тийм_энэ",
    done="баярлалаа их_баярлалаа баяртай үгүй_баярлалаа",
    fillers="өө аан",
    yes="тийм за зөв мэдээж болно тэгье",
    no="үгүй биш болохгүй буруу хэзээ_ч_үгүй",
    backchannels="тийм за ойлголоо мэдээж",
    stops="зогс зогсоорой түр_хүлээ хүлээгээрэй үгүй уучлаарай",
    polite="баярлалаа гуйя",
    numbers="тэг=0 нэг=1 хоёр=2 гурав=3 дөрөв=4 тав=5 зургаа=6 долоо=7 найм=8 ес=9 арав=10",
    question_words="юу хэн хаана хэзээ яаж яагаад аль хэд ямар",
    yes_no_openers="уу үү юу",
    choice_words="эсвэл",
    asks="утасны_дугаар=phone дугаар=any",
)

TABLES = (GREEK, ALBANIAN, SWAHILI, BASQUE, WELSH, IRISH, ZULU, MONGOLIAN)
