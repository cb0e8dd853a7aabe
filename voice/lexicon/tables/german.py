"""German."""

from __future__ import annotations

from voice.lexicon.table import Table

_UNITS = ["ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]
_TENS = ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]
_COMPOUNDS = " ".join(
    f"{unit}und{ten}={10 * tens + units}"
    for tens, ten in enumerate(_TENS, 2)
    for units, unit in enumerate(_UNITS, 1)
)

TABLE = Table(
    tags="de",
    depth="deep",
    strands="was wer wen wem welche welcher welches welchen wo wann warum wie wieviel wohin",
    conjunctions="""
        und oder aber weil dass wenn ob obwohl sondern denn damit sodass falls während bevor nachdem
        sowie beziehungsweise als entweder weder
    """,
    prepositions="""
        für von mit bei aus nach zu auf an in im am zum zur vom beim ins ans aufs seit bis über
        unter vor hinter neben zwischen gegen ohne um durch wegen trotz statt laut pro per ab
        innerhalb außerhalb außer
    """,
    articles="""
        der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner
    """,
    determiners="""
        mein meine meinen meinem meiner meines dein deine deinen deinem deiner unser unsere unseren
        unserem unserer eure ihre ihren ihrem ihrer seine seinen seinem seiner jede jeden jedem
        welche welchen welchem diesem diesen jener herr frau doktor dr
    """,
    verbs="heiße heißt lautet möchte würde wollte bräuchte hätte könnte müsste",
    adverbs="sehr ziemlich etwa ungefähr circa",
    holds="""
        ich_möchte ich_würde ich_hätte ich_hätte_gern ich_hätte_gerne ich_würde_gern ich_würde_gerne
        ich_brauche ich_suche ich_will mein_name_ist nummer_ist adresse_ist name_ist code_ist
        pin_ist es_ist das_ist ich_bin und_zwar zum_beispiel das_heißt können_sie könnten_sie
        würden_sie haben_sie gibt_es kann_ich könnte_ich darf_ich ich_habe wir_haben
        ich_rufe_an_wegen und_dann so_dass am_besten_in punkt_de
    """,
    complete="""
        ja_das_ist_es was_ist_das wer_ist_das wer_bist_du wie_ist_das wie_das das_ist_es so_ist_es
        das_war_das ist_das war_das ich_das sie_das du_das mir_das wir_das kann_ich_das mir_den
        ich_den ich_die nehme_die nehme_den nehme_das sehr_gut ich_bin_es wie_viel_ist_das
        nicht_sehr bitte_sehr so_sehr zu_sehr wo_ich_bin wer_ich_bin was_ich_brauche was_ich_möchte
        was_ich_suche was_ich_will wie_ich_heiße ja_möchte_ich ab_und_zu nach_und_nach nicht_an
        von_mir_aus nach_wie_vor vor_mir durch_und_durch wie_man_das das_mit die_ganze ein_und_aus
        von_klein_auf was_für_einen ich_keine habe_keine habe_keinen habe_ich_keine brauche_keine
        brauche_keinen gibt_es_keine gibt_es_keinen will_keine ist_meine ist_meiner ist_ihre
        sind_ihre sind_meine was_ich_hätte von_ihr bei_ihr mit_ihr
    """,
    done="""
        danke dankeschön danke_schön vielen_dank besten_dank tschüss tschüs auf_wiederhören
        auf_wiedersehen das_wars das_war's das_ist_alles das_war_alles nein_danke ja_bitte
        danke_sehr schönen_tag_noch nichts_weiter
    """,
    completed_by={
        "an": """
            rufe rufen ruf ruft rief riefen fange fängt fangen fing biete bieten bietet bot kommt
            komme kommen kam schaue schauen schaut schau sehe sehen sieht hören höre hört fühlt
            meldet melde melden nehme nehmen nimmt nahm zeige zeigen zeigt zeig mach mache machen
            macht schalte schalten schaltet schalt gib gebe geben gibt zieh ziehe probiere lege
            legen stelle stellen geht dran hat
        """,
        "auf": """
            mache machen macht mach stehe stehen steht stand höre hören hört hör gebe geben gibt gab
            nehme nehmen nimmt pass passe passen passt lege legen legt tauche taucht weck wecke
            wecken weckt fällt fiel schreibe schreiben schreib schreibt sperr sperre rufe rufen
            bleiben treten tritt trat hebe räume räumt lade laden lädt hat ruf zeichne zeichnen
        """,
        "aus": """
            schalte schalten schaltet schalt mache machen macht mach sieht sehen sehe sah fällt
            fallen fiel füllen fülle füllt gehe gehen geht ging reicht reichen steige steigen steigt
            komme kommen kommt drucke drucken gebe geben gibt probiere probieren ruhe ruhen probier
            schließe schließen tausche tauschen loggen logge leihen leihe kennen kenne kennt von
            wählen wähle
        """,
        "ein": """
            füge fügen füg kaufe kaufen kauft lade laden lädt lud stelle stellen stellt stell
            schalte schalten schaltet schalt trage tragen trägt trag gebe geben gibt gib schlafe
            schlafen zahle zahlen zahlt fällt fallen fiel steige steigen steigt ziehe ziehen zieht
            richte richten richtet richt checke checken checkt logge loggen loggt lege legen reiche
            reichen reicht setze setzen bringe bringen plane planen planst packe packen nehme nehmen
            nimmt greife tritt sehe kehren kehre
        """,
        "mit": """
            komme kommen kommt kam bringe bringen bringt bring nehme nehmen nimmt nimm teile teilen
            teilt teil mache machen macht spiele spielen fahre fahren gehe gehen geht höre hören
            schreibe schreiben rede reden läuft gebe geben zählt arbeite arbeiten
        """,
        "nach": """
            schaue schauen schaut schau sehe sehen sieht sieh frage fragen fragt frag denke denken
            denkt gebe geben gibt hole holen schlage schlagen reiche reichen komme kommen lese lesen
            prüfe prüfen weise je fülle
        """,
        "vor": """
            stelle stellen stellt stell habe haben hat lese lesen liest lies bereite bereiten
            bereitet komme kommen kommt schlage schlagen schlägt schlug sehe gehe gehen geht
            bestelle bestellen liegt liegen ziehe ziehen spiele spielen spiel merke merken nehme
            nach wärme
        """,
        "zu": """
            höre hören hört hör stimme stimmen stimmt mache machen macht mach sage sagen sagt sag
            schicke schicken schickt schick sende senden sendet trifft treffen gebe geben gibt lasse
            lassen lässt ordne ordnen nehme nehmen nimmt schließe schließen dazu komme kommt steht
            schaue schauen ab stelle stellen füge fügen füg
        """,
        "ab": """
            hole holen holt hol sage sagen sagt sag breche brechen bricht brich schicke schicken
            lehne lehnen lehnt schalte schalten schalt gebe geben gibt nehme nehmen nimmt fahre
            fahren fährt fliege fliegen fliegt reise reisen hänge hängt schließe schließen spiele
            spielen spiel warte warten wartet läuft laufen buche buchen bucht stelle stellen stell
            ruf rufe rufen melde melden ziehe ziehen bestelle bestellen bestell schneide lege lade
            auf
        """,
        "um": """
            buche buchen bucht ziehe ziehen zieht zog steige steigen steigt stelle stellen stellt
            tausche tauschen tauscht kehre kehren schaue schauen sehe sehen schau drehe drehen dreh
            benenne schalte schalten leite leiten rechne gehe gehen geht rum bringt bestelle wandle
        """,
        "durch": "stelle stellen stellt stell lese lesen führe führen gehe gehen lasse gebe gib",
        "bei": "bringe bringen füge fügen trage tragen trete treten steht",
        "bis": "von",
        "über": "stimme überlege gegenüber",
        "unter": "gehe gehen geht bringe bringen",
        "das": """
            ist war kostet heißt bedeutet geht macht mache machen kann können mag will möchte weiß
            wissen verstehe sehe finde glaube meine nehme brauche brauchen dauert funktioniert
            reicht wäre liegt steht was wie warum wo wann wird sagen tun
        """,
        "die": "sind waren nehme brauche kenne finde habe haben",
        "der": "ist war heißt wer wo kommt",
        "den": "nehme habe brauche kenne finde",
        "eine": "habe brauche nehme gibt hätte möchte noch suche",
        "einen": "habe brauche nehme gibt hätte möchte noch suche",
        "keine": "habe haben hat brauche gibt sehe nein es nehme leider",
        "keinen": "habe haben hat brauche gibt sehe nein es nehme leider",
        "ihre": "ist sind war",
        "möchte": "was wenn wie dass weil wo wann ich_nicht",
        "würde": "wenn dass weil",
        "hätte": "wenn dass weil was",
        "könnte": "wenn dass weil",
        "wollte": "was wenn dass weil wie wo",
        "müsste": "was wenn dass weil",
        "heiße": "wie",
        "heißt": "wie was",
        "lautet": "wie",
    },
    fillers="""
        äh ähm öh öhm hm also na_ja naja sozusagen halt quasi tja moment_mal mal_sehen
        wie_soll_ich_sagen
    """,
    yes="""
        ja jawohl jo jup jep genau richtig stimmt klar natürlich sicher gern gerne
        selbstverständlich auf_jeden_fall in_ordnung passt korrekt das_stimmt das_ist_richtig
        das_ist_korrekt einverstanden ok okay gut alles_klar doch definitiv ganz_genau das_passt
        kein_problem super perfekt das_wäre_gut das_wäre_super
    """,
    no="""
        nein nee ne nö nicht falsch auf_keinen_fall keinesfalls leider_nicht leider_nein gar_nicht
        überhaupt_nicht das_stimmt_nicht das_ist_falsch noch_nicht eher_nicht lieber_nicht
        nicht_wirklich niemals stimmt_nicht
    """,
    backchannels="""
        ja genau okay gut hm mhm aha ach_so achso verstehe ich_verstehe alles_klar klar richtig
        stimmt super schön jaja ja_ja echt wirklich ach prima natürlich oh toll interessant sicher
        na_klar in_ordnung
    """,
    stops="""
        stopp stop halt warten_sie warte moment einen_moment moment_mal nein entschuldigung sekunde
        eine_sekunde aufhören ruhe hören_sie_auf hör_auf falsch augenblick pause langsam schluss
        abbrechen
    """,
    not_stops="im_moment",
    polite="""
        bitte danke dankeschön bitteschön vielen_dank sehr_schön danke_schön bitte_schön gern gerne
    """,
    numbers=f"""
        null=0 eins=1 ein=1? zwei=2 zwo=2 drei=3 vier=4 fünf=5 sechs=6 sieben=7 acht=8 neun=9
        zehn=10 elf=11 zwölf=12 dreizehn=13 vierzehn=14 fünfzehn=15 sechzehn=16 siebzehn=17
        achtzehn=18 neunzehn=19 zwanzig=20 dreißig=30 dreissig=30 vierzig=40 fünfzig=50 sechzig=60
        siebzig=70 achtzig=80 neunzig=90 hundert=100 einhundert=100 tausend=1000 eintausend=1000
        million=1000000 {_COMPOUNDS}
    """,
    fused_numbers="tausend hundert",
    repeats="doppel=2 zweimal=2 dreimal=3",
    number_joiners="und",
    decimals="komma",
    digit_words="ziffern ziffer stellen zahlen",
    asks="""
        telefonnummer=phone handynummer=phone mobilnummer=phone rufnummer=phone rückrufnummer=phone
        telefon=phone meine_nummer=phone postleitzahl=5 plz=5 geburtsdatum=any geburtstag=any
        geboren=any geburtsjahr=4 jahr=4 jahrgang=4 pin=any code=any kundennummer=any
        kontonummer=any bestellnummer=any auftragsnummer=any rechnungsnummer=any vorgangsnummer=any
        buchungsnummer=any versicherungsnummer=any vertragsnummer=any kreditkarte=any
        kartennummer=16 iban=any nummer=any datum=any passwort=any reservierungsnummer=any
        sendungsnummer=any dreistellige=3 dreistelligen=3 dreistelliger=3 vierstellige=4
        vierstelligen=4 vierstelliger=4 fünfstellige=5 fünfstelligen=5 fünfstelliger=5
        sechsstellige=6 sechsstelligen=6 sechsstelliger=6 achtstellige=8 achtstelligen=8
        achtstelliger=8
    """,
    question_words="""
        was wer wen wem wessen welche welcher welches welchen welchem wo wohin woher wann warum
        wieso weshalb wie wieviel womit wofür
    """,
    yes_no_openers="""
        ist sind war waren haben hat hatten möchten möchtest können könnten kann kannst könnte darf
        dürfen dürfte soll sollen sollte wollen willst will würden würde wird werden passt stimmt
        gibt brauchen geht hätten wäre sehen kommen wissen kennen mögen oder richtig
    """,
    choice_words="oder",
    tell_requests="""
        können_sie_mir könnten_sie_mir würden_sie_mir kannst_du_mir könntest_du_mir
        darf_ich_ihren darf_ich_ihre darf_ich_nach darf_ich_um darf_ich_fragen
    """,
    requests="""
        sagen_sie nennen_sie geben_sie sag_mir nenne_mir bitte_nennen bitte_sagen buchstabieren_sie
        teilen_sie ich_brauche_ihre ich_bräuchte verraten_sie können_sie_mir könnten_sie_mir sagen
        geben nennen
    """,
)
