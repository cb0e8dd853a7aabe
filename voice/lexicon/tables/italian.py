"""Italian."""

from __future__ import annotations

from voice.lexicon.table import Table

_UNITS = ["uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove"]
_TENS = ["venti", "trenta", "quaranta", "cinquanta", "sessanta", "settanta", "ottanta", "novanta"]


def _compounds() -> str:
    """``ventuno=21`` to ``novantanove=99``; the vowel of the tens falls before uno and otto."""
    found = []
    for tens, ten in enumerate(_TENS, 2):
        for units, unit in enumerate(_UNITS, 1):
            stem = ten[:-1] if unit[0] in "uo" else ten
            found.append(f"{stem}{unit}={10 * tens + units}")
        found += [f"{ten[:-1]}un={10 * tens + 1}", f"{ten}tré={10 * tens + 3}"]
    hundreds = [f"{unit}cento={100 * count}" for count, unit in enumerate(_UNITS, 1) if count > 1]
    return " ".join(found + hundreds)


TABLE = Table(
    tags="it",
    depth="deep",
    strands="che cosa chi quale quali dove quando come quanto quanta quanti quante",
    conjunctions="""
        e ed o od oppure ma però perché se che quando mentre anche_se quindi poi_e né anziché
        affinché benché siccome poiché cioè
    """,
    prepositions="""
        di a da in con su per tra fra del dello della dei degli delle al allo alla ai agli alle dal
        dallo dalla dai dagli dalle nel nello nella nei negli nelle sul sullo sulla sui sugli sulle
        verso senza durante dopo_di fino tramite presso contro secondo circa all' dell' nell' dall'
        sull' d'
    """,
    articles="il lo la i gli le un uno una l' un'",
    determiners="""
        mio mia miei mie tuo tua tuoi tue suo sua suoi sue nostro nostra nostri nostre vostro vostra
        loro ogni qualche qualsiasi quel quell' quest' quei quegli signor signora dottor dottoressa
    """,
    subjects="io mi ti si ci vi c' m' s'",
    verbs="""
        è sono sto ho hai ha abbiamo hanno vorrei volevo voglio devo posso potrei può potrebbe avrei
        chiamo sarebbe era stavo dovrei
    """,
    adverbs="molto_più tanto_che più_o_meno_alle quasi circa",
    holds="""
        mi_chiamo il_mio_nome_è il_mio_numero_è il_mio_indirizzo_è il_numero_è il_codice_è vorrei_un
        per_esempio ad_esempio in_modo_da prima_di dopo_di invece_di per_favore_può potrebbe_dirmi
        può_dirmi mi_può mi_potrebbe e_poi visto_che dato_che il_fatto_che avrei_bisogno ho_bisogno
        mi_serve mi_servirebbe vorrei_sapere
    """,
    complete="""
        cos'è che_cos'è chi_è dov'è com'è qual_è quant'è così_è sì_lo_è non_lo_è lo_è non_c'è c'è
        sì_ce_l'ho ce_l'ho non_ce_l'ho non_ho sì_posso non_posso non_può si_può se_può se_posso
        se_possibile non_sono sì_sono chi_sono dove_sono come_sono quanti_sono quali_sono sono_io
        anch'io anche_io pure_io come_la quanto_costa_uno ne_ho_uno solo_uno solo_una ne_vorrei_uno
        è_mio è_mia è_suo è_sua sono_miei a_casa_mia casa_mia per_conto_mio non_lo che_ora_è
        che_ore_sono quando_è che_giorno_è dove_è come_è perché_no non_voglio quello_che_voglio
        quel_che_ho se_vuole non_si dammi_uno è_uno numero_uno per_uno all'una ciò_che_ho già_ho
        da_te da_me che_tempo_fa a_due mio_dio anche_loro con_loro di_loro sono_loro per_loro
        non_so_perché chissà_perché e_perché
    """,
    done="""
        grazie grazie_mille molte_grazie arrivederci ciao per_favore per_piacere no_grazie sì_grazie
        basta_così è_tutto nient'altro buona_giornata buonasera_grazie a_posto_così
    """,
    fillers="""
        ehm eh mmm allora cioè dunque insomma diciamo come_dire vediamo beh tipo un_attimo_che
        fammi_pensare
    """,
    yes="""
        sì si certo certamente esatto esattamente giusto corretto va_bene d'accordo perfetto
        ovviamente naturalmente sicuro sicuramente assolutamente assolutamente_sì volentieri bene ok
        proprio_così è_corretto è_giusto confermo affermativo come_no
    """,
    no="""
        no no_no per_niente assolutamente_no affatto sbagliato non_ancora mai non_è_corretto
        non_è_giusto negativo neanche purtroppo_no no_mi_dispiace
    """,
    backchannels="""
        sì mhm ah certo ok okay va_bene bene capisco ho_capito esatto giusto d'accordo perfetto già
        davvero ah_ok ecco eh_sì chiaro bello
    """,
    stops="""
        stop fermo ferma basta aspetta aspetti aspettate un_attimo un_momento un_secondo no scusi
        scusa alt zitto zitta silenzio senta senti mi_scusi si_fermi fermati momento attimo annulla
    """,
    not_stops="",
    polite="per_favore per_piacere per_cortesia grazie grazie_mille prego gentilmente cortesemente",
    numbers=f"""
        zero=0 uno=1 un=1? una=1? due=2 tre=3 quattro=4 cinque=5 sei=6 sette=7 otto=8 nove=9
        dieci=10 undici=11 dodici=12 tredici=13 quattordici=14 quindici=15 sedici=16 diciassette=17
        diciotto=18 diciannove=19 venti=20 trenta=30 quaranta=40 cinquanta=50 sessanta=60
        settanta=70 ottanta=80 novanta=90 cento=100 mille=1000 mila=1000 milione=1000000
        milioni=1000000 duemila=2000 {_compounds()}
    """,
    fused_numbers="mila mille cento",
    repeats="doppio=2 triplo=3",
    number_joiners="e",
    decimals="virgola punto",
    digit_words="cifre cifra numeri",
    asks="""
        numero_di_telefono=phone telefono=phone cellulare=phone recapito=phone mio_numero=phone
        codice_postale=5 cap=5 data_di_nascita=any nascita=any nato=any nata=any compleanno=any
        anno=4 pin=any codice=any password=any numero_di_conto=any numero_della_carta=16 carta=any
        numero_d'ordine=any numero_ordine=any numero_cliente=any numero=any data=any
    """,
    question_words="""
        che cosa che_cosa cos'è chi quale quali qual dove quando come quanto quanta quanti quante
        perché com'è dov'è
    """,
    yes_no_openers="""
        è sono ha hai vuole vuoi desidera può puoi potrebbe potresti le ti c'è ci posso possiamo
        deve devi preferisce vorrebbe giusto corretto vero va_bene conferma
    """,
    choice_words="o oppure",
    tell_requests="""
        mi_può_dire mi_può_dare mi_può_raccontare mi_può_spiegare mi_può_descrivere
        mi_potrebbe_dire mi_potrebbe_dare mi_potrebbe_spiegare può_dirmi può_darmi può_spiegarmi
        potrebbe_dirmi potrebbe_darmi potrebbe_spiegarmi mi_sa_dire
    """,
    requests="""
        mi_dica dimmi mi_dia dammi mi_può_dire mi_può_dare indichi inserisca mi_dice mi_fornisca
        scandisca ripeta confermi ho_bisogno_del mi_serve mi_potrebbe_dare mi_potrebbe_dire
        può_darmi può_dirmi potrebbe_darmi potrebbe_dirmi
    """,
)
