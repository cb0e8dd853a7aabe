"""Turkic languages: the verb ends the sentence, so conjunctions and determiners hold."""

from __future__ import annotations

from voice.lexicon.table import Table

TURKISH = Table(
    tags="tr",
    conjunctions="ve veya ya_da ama fakat çünkü eğer ki ancak hem yani ile yoksa",
    determiners="bir benim bizim sizin onun her bu şu bazı hangi bütün tüm sayın",
    adverbs="çok en daha yaklaşık",
    holds="""
        benim_adım adım numaram telefon_numaram ben_bir istiyorum_ki örneğin mesela_bir acaba
        rica_etsem bir_de
    """,
    complete="""
        ne_ile kiminle istediğim_bu bu_benim benim_bu hepsi_bu o_bu nedir_bu kim_bu ne_bu evet_bu
        hayır_bu sadece_bir bir_daha hiç_daha o_benim evet_benim benimle en_çok pek_çok
        teşekkürler_çok daha_çok soğuk_çok bunun_için benim_adım_ne numaram_bu istediğim_bir
        birazdan_daha
    """,
    done="""
        teşekkürler teşekkür_ederim çok_teşekkürler çok_teşekkür_ederim sağ_olun sağ_ol hoşça_kalın
        iyi_günler görüşürüz lütfen hayır_teşekkürler bu_kadar hepsi_bu_kadar
    """,
    fillers="ee ıı ııı şey hani yani işte bakayım eee",
    yes="""
        evet tabii tabii_ki elbette doğru aynen kesinlikle olur tamam peki kabul iyi uygun he hı_hı
        öyle var
    """,
    no="hayır yok değil olmaz asla yanlış henüz_değil hiç istemiyorum hayır_istemiyorum",
    backchannels="""
        evet hı_hı hıhı tamam anladım peki tabii doğru öyle_mi gerçekten_mi ya he aynen güzel
    """,
    stops="""
        dur durun bekle bekleyin bir_dakika bir_saniye hayır pardon affedersiniz özür_dilerim yeter
        sus susun dinle dinleyin iptal
    """,
    polite="lütfen teşekkürler teşekkür_ederim sağ_olun zahmet_olmazsa rica_etsem çok",
    numbers="""
        sıfır=0 bir=1? iki=2 üç=3 dört=4 beş=5 altı=6 yedi=7 sekiz=8 dokuz=9 on=10 yirmi=20 otuz=30
        kırk=40 elli=50 altmış=60 yetmiş=70 seksen=80 doksan=90 yüz=100 bin=1000
    """,
    decimals="virgül nokta",
    digit_words="hane haneli hanesini rakam rakamını basamak",
    asks="""
        telefon_numaranız=phone telefon_numaranızı=phone telefon_numaram=phone cep_telefonu=phone
        cep_numaranız=phone posta_kodu=5 posta_kodunuz=5 doğum_tarihi=any doğum_tarihiniz=any
        doğum_tarihinizi=any kimlik_numaranız=11 kimlik_numaranızı=11 şifre=any şifreniz=any kod=any
        kodu=any numaranız=any numaranızı=any
    """,
    question_words="ne kim nerede nereye ne_zaman nasıl neden niçin niye hangi kaç ne_kadar",
    yes_no_openers="mı mi mu mü mısınız misiniz musunuz müsünüz mıyım miyim var_mı",
    choice_words="veya ya_da yoksa mı_yoksa",
    requests="söyleyin söyler_misiniz verin verir_misiniz girin paylaşır_mısınız alabilir_miyim",
)

AZERBAIJANI = Table(
    tags="az",
    conjunctions="və və_ya amma lakin çünki əgər ki ancaq yaxud",
    determiners="bir mənim bizim sizin onun hər bu hansı bütün hörmətli",
    adverbs="çox ən daha təxminən",
    complete="bu_mənim nədir_bu kimdir_bu nə_bu bu_bir ən_çox bir_daha daha_çox",
    done="təşəkkür_edirəm çox_sağ_olun sağ_olun sağ_ol zəhmət_olmasa hələlik xeyr_təşəkkür_edirəm",
    fillers="ee yəni şey deməli",
    yes="bəli hə əlbəttə düzdür doğrudur oldu yaxşı tamam razıyam təbii",
    no="xeyr yox deyil heç_vaxt səhvdir hələ_yox",
    backchannels="bəli hə aha başa_düşdüm yaxşı aydındır tamam düzdür",
    stops="""
        dayan dayanın gözlə gözləyin yox xeyr bir_dəqiqə bir_saniyə bağışlayın üzr_istəyirəm bəsdir
    """,
    polite="zəhmət_olmasa təşəkkür_edirəm sağ_olun",
    numbers="sıfır=0 bir=1? iki=2 üç=3 dörd=4 beş=5 altı=6 yeddi=7 səkkiz=8 doqquz=9 on=10",
    question_words="nə kim harada hara nə_vaxt necə niyə hansı neçə nə_qədər",
    yes_no_openers="mı mi mu mü",
    choice_words="və_ya yaxud yoxsa",
    asks="""
        telefon_nömrəniz=phone telefon_nömrənizi=phone doğum_tarixiniz=any nömrə=any nömrənizi=any
    """,
)

KAZAKH = Table(
    tags="kk",
    conjunctions="және немесе бірақ өйткені егер себебі әлде сондықтан мен",
    determiners="менің біздің сіздің оның әр бұл барлық",
    adverbs="өте ең шамамен",
    complete="бұл_менің бұл_не бұл_кім тек_мен ол_мен және_мен иә_мен не_бұл",
    done="рахмет көп_рахмет сау_болыңыз жоқ_рахмет өтінемін",
    fillers="ээ жаңағы яғни",
    yes="иә ия әрине дұрыс жарайды болады жақсы келісемін дәл",
    no="жоқ емес ешқашан дұрыс_емес әлі_жоқ",
    backchannels="иә ия түсіндім жарайды жақсы дұрыс",
    stops="тоқта тоқтаңыз күте_тұрыңыз күтіңіз жоқ бір_минут кешіріңіз жетеді",
    polite="өтінемін рахмет көп_рахмет",
    numbers="нөл=0 бір=1 екі=2 үш=3 төрт=4 бес=5 алты=6 жеті=7 сегіз=8 тоғыз=9 он=10",
    question_words="не кім қайда қашан қалай неге қандай қанша неше қай",
    yes_no_openers="ма ме ба бе па пе",
    choice_words="немесе әлде",
    asks="телефон_нөміріңіз=phone телефон_нөміріңізді=phone нөмір=any",
)

UZBEK = Table(
    tags="uz",
    conjunctions="va yoki lekin ammo chunki agar balki hamda",
    determiners="mening bizning sizning uning har bu qaysi barcha hurmatli",
    adverbs="juda eng taxminan",
    complete="bu_mening bu_nima kim_bu nima_bu",
    done="rahmat katta_rahmat xayr yo'q_rahmat iltimos",
    fillers="ee haligi ya'ni",
    yes="ha albatta to'g'ri mayli bo'ladi yaxshi roziman",
    no="yo'q emas hech_qachon noto'g'ri hali_yo'q",
    backchannels="ha tushundim mayli yaxshi to'g'ri xo'p",
    stops="to'xta to'xtang kuting yo'q bir_daqiqa kechirasiz yetarli",
    polite="iltimos rahmat katta_rahmat",
    numbers="nol=0 bir=1 ikki=2 uch=3 to'rt=4 besh=5 olti=6 yetti=7 sakkiz=8 to'qqiz=9 o'n=10",
    question_words="nima kim qayerda qachon qanday nega qaysi qancha nechta",
    yes_no_openers="mi",
    choice_words="yoki",
    asks="telefon_raqamingiz=phone telefon_raqamingizni=phone raqam=any",
)

TABLES = (TURKISH, AZERBAIJANI, KAZAKH, UZBEK)
