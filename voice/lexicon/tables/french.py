"""French."""

from __future__ import annotations

from voice.lexicon.table import Table

TABLE = Table(
    tags="fr",
    depth="deep",
    strands="quel quelle quels quelles combien comment où quand quoi pourquoi",
    conjunctions="""
        et ou mais parce car donc si que quand lorsque puisque comme ni sinon qu' lorsqu' puisqu'
        jusqu' tandis
    """,
    prepositions="""
        de à en dans sur sous pour par avec sans chez vers entre pendant du des au aux d' selon
        malgré contre parmi envers dès hors jusque
    """,
    articles="le la les un une l'",
    determiners="""
        mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs ce cet cette ces chaque quel
        quelle quels quelles quelque quelques monsieur madame docteur aucun aucune
    """,
    subjects="""
        je j' tu il elle on nous_avons ils elles ne n' se s' me m' te t' c' y_a c'est qu'il qu'elle
        qu'on s'il qu'ils jusqu'à
    """,
    verbs="""
        est sont suis ai as a avons avez ont était étais serait voudrais aimerais veux souhaite
        souhaiterais cherche peux pouvez pourriez pourrais dois voulais appelle doit faut vais va
        aurais
    """,
    adverbs="très trop plutôt environ assez presque",
    holds="""
        je_voudrais j'aimerais je_m'appelle mon_nom_est mon_numéro_est mon_adresse_est le_numéro_est
        mon_numéro_c'est le_code_est il_y_a est-ce_que est_ce_que parce_que pour_que afin_de
        avant_de au_lieu_de à_cause_de par_exemple c'est_à_dire je_peux je_vais je_souhaite
        j'ai_besoin j'ai_besoin_de à_partir_de il_faut y_a-t-il c'est_pour c'est_que et_puis
        et_après ainsi_que j'appelle_pour je_cherche je_veux vous_pouvez vous_avez avez_vous
        pouvez_vous pourriez_vous puis_je est_ce_qu'il est_ce_qu'on ce_qui ce_que ne_pas
    """,
    complete="""
        oui_c'est_ça c'est_ça c'est_bon où_est qui_est quel_est quelle_est oui_je_suis comment_ça_va
        ça_va on_y_va c'est_qui c'est_quoi qu'est_ce_que_c'est c'est_où où_c'est combien_c'est
        c'est_combien c'est_quand quand_c'est oui_c'est si_c'est que_c'est est_elle est_il a_t_il
        a_t_elle y_a_t_il sont_ils sont_elles sera_t_il fait_il va_t_il vient_il peut_on va_t_on
        coûte_t_il quelle_heure_est_il dit_il et_elle avec_elle pour_elle chez_elle à_elle d'elle
        qu'elle_est comme_elle pour_un_ou_deux j'en_veux_un j'en_ai_un j'en_prends_un
        j'en_voudrais_un en_ai_un en_veux_un j'en_ai_une j'en_veux_une il_y_en_a y_en_a j'en_ai
        il_n'y_en_a je_peux_pas ce_que_je_veux ce_que_je_cherche comme_ça avec_ou_sans vas_y allez_y
        où_va qui_va tu_vas il_le_faut comme_il_faut s'il_le_faut qu'il_faut ce_qu'il_faut
        que_je_suis où_je_suis qui_je_suis là_où_je_suis comment_il_s'appelle comment_elle_s'appelle
        comment_s'appelle comment_je_m'appelle pas_trop pas_très ça_sera ça_l'est il_l'est
        elle_l'est je_le_suis une_minute deux_ou_trois c'est_trop c'en_est_trop bien_sûr_que_si
        ça_je_peux oui_je_peux bonjour_monsieur bonjour_madame merci_monsieur merci_madame
        oui_monsieur oui_madame non_monsieur non_madame au_revoir_monsieur au_revoir_madame
        pourquoi_pas donnez_moi_les prenez_les appelez_les prends_les mets_les faites_les appelle_le
        appelez_le faites_le mets_le prends_le fais_le dites_le appelez_la prenez_la et_vous et_moi
        moi_si mais_si ah_si tu_peux si_tu_peux si_vous_pouvez si_je_peux si_tu_veux comme_tu_veux
        quand_tu_veux tu_veux on_doit à_la_une numéro_un en_fait du_coup depuis vers_elle voilà_bon
    """,
    done="""
        merci merci_beaucoup s'il_vous_plaît s'il_te_plaît svp au_revoir c'est_tout ce_sera_tout
        rien_d'autre non_merci bonne_journée bonne_soirée merci_bien à_bientôt salut
        voilà_c'est_tout
    """,
    fillers="""
        euh heu ben bah hum enfin alors bon genre disons comment_dire voyons attendez_voir du_coup
    """,
    yes="""
        oui ouais ouaip bien_sûr d'accord exactement exact tout_à_fait c'est_ça c'est_exact
        c'est_correct correct absolument parfait volontiers effectivement entendu certainement
        évidemment ok si mais_oui ça_marche ça_me_va c'est_bon affirmatif avec_plaisir oui_oui
        c'est_bien_ça ça_va
    """,
    no="""
        non pas_du_tout absolument_pas jamais pas_vraiment pas_encore non_non c'est_faux faux
        mais_non incorrect négatif ce_n'est_pas_ça c'est_pas_ça bien_sûr_que_non surtout_pas
    """,
    backchannels="""
        oui ouais d'accord mhm ok okay ah_oui ah bien très_bien je_vois je_comprends entendu
        exactement tout_à_fait parfait super voilà c'est_ça bon ah_bon ah_d'accord oui_oui
        effectivement vraiment compris génial
    """,
    stops="""
        stop arrêtez arrête attendez attends un_instant une_seconde une_minute non pardon
        excusez_moi excuse_moi un_moment minute silence écoutez taisez_vous tais_toi ça_suffit halte
        annulez annule
    """,
    not_stops="",
    polite="""
        s'il_vous_plaît s'il_te_plaît svp merci merci_beaucoup merci_bien je_vous_prie
        je_vous_en_prie monsieur madame
    """,
    numbers="""
        zéro=0 un=1 une=1? deux=2 trois=3 quatre=4 cinq=5 six=6 sept=7 huit=8 neuf=9 dix=10 onze=11
        douze=12 treize=13 quatorze=14 quinze=15 seize=16 vingt=20 vingts=20 trente=30 quarante=40
        cinquante=50 soixante=60 septante=70 huitante=80 octante=80 nonante=90 cent=100 cents=100
        mille=1000 million=1000000 millions=1000000
    """,
    repeats="double=2 triple=3",
    number_joiners="et",
    is_vigesimal=True,
    decimals="virgule",
    digit_words="chiffres chiffre",
    asks="""
        numéro_de_téléphone=phone téléphone=phone portable=phone mon_numéro=phone code_postal=5
        date_de_naissance=any naissance=any anniversaire=any né=any née=any année=4 code=any pin=any
        mot_de_passe=any numéro_de_compte=any numéro_de_carte=16 carte=any numéro_de_commande=any
        numéro_client=any numéro_de_client=any numéro_de_dossier=any numéro_de_réservation=any
        numéro=any date=any
    """,
    question_words="""
        qui que quoi qu'est-ce quel quelle quels quelles où quand comment combien pourquoi lequel
        laquelle qu'est_ce
    """,
    yes_no_openers="""
        est-ce est_ce avez_vous êtes_vous voulez_vous pouvez_vous souhaitez_vous désirez_vous
        puis_je pourriez_vous préférez_vous as_tu es_tu veux_tu peux_tu y_a_t_il ça_vous c'est
        vous_avez vous_voulez vous_êtes d'accord n'est_ce_pas correct voudriez_vous aimeriez_vous
        avez êtes
    """,
    choice_words="ou",
    tell_requests="""
        pouvez_vous_me_dire pouvez_vous_m'en_dire pouvez_vous_me_donner pouvez_vous_m'expliquer
        pouvez_vous_me_décrire pouvez_vous_préciser pourriez_vous_me_dire pourriez_vous_m'en_dire
        pourriez_vous_me_donner pourriez_vous_m'expliquer puis_je_avoir
    """,
    requests="""
        dites_moi donnez_moi dis_moi donne_moi indiquez_moi veuillez pouvez_vous_me_donner
        j'ai_besoin_de_votre quel_est épelez précisez pourriez_vous_me_donner me_donner me_dire
    """,
)
