"""Words that are written with a full stop and are not the end of a sentence, by language.

Only what a capital letter may follow stands here (``Dr. Weber``, ``ul. Długa``), or any word where
letters have no case. What a small letter or a number follows needs no table: see
``abbreviations.py``. Case does not count; a stop inside a word stays, the last one is left out.
"""

from __future__ import annotations

_EN = (
    "mr mrs ms mx dr prof rev hon gen gov sen rep sgt capt lt col cmdr messrs mt ft vs e.g i.e"
    " viz approx appt dept est ext fig misc tel temp ca cf ph lb lbs oz yd sq ste inc.'s esp incl"
    " excl"
)
_HR = "g gđa gđica gosp dr mr prof ing inž dipl mag ul br tel tj npr sv tzv uklj uključ"
_SR = "г гђа гђица госп др мр проф инж дипл ул бул бр тел тј нпр св тзв"
_ID = "dr drg drs prof ir h hj jl jln no tel kec kab kel gg ny tn bpk sdr yth kol"
_HI = "डॉ डा श्री श्रीमती सुश्री कु पं प्रो रु रू मो नं इं सं"
_NB = "hr fr dr prof kl nr tlf f.eks bl.a dvs ca inkl ekskl evt adr st pst"
_RU = (
    "г гг г-н г-жа гр д-р др проф акад доц инж ул пр пр-т просп пер пл наб б-р бул ш д кв корп стр"
    " эт тел доб им св т.е т.к напр обл р-н мкр пос тыс млн"
)

KEEP: dict[str, str] = {
    "en": _EN,
    "af": "mnr mev mej me dr prof ds adv st bv d.w.s tel nr",
    "ar": "د أ م أ.د ت ط ش ص ص.ب أ.م",
    "az": "dr prof cən küç pr tel bax",
    "be": "сп сп-р д-р праф вул пр зав тэл напр г буд кв",
    "bg": "г г-н г-жа г-ца д-р проф доц инж арх ул бул кв ж.к бл вх ет ап тел напр св т.е т.нар",
    "bn": "ডা ড ডঃ মো মোঃ মোসা মি মিসেস নং রু প্রফ ইঞ্জি",
    "bs": _HR,
    "ca": "sr sra srta dr dra prof av avda c pl pça ctra tel núm pàg p.ex st sta",
    "cs": "p pí sl dr mudr judr ing bc mgr phdr rndr mvdr prof doc plk ul nám tř č čp tel tj tzn"
    " tzv např vč sv st kol",
    "cy": "dr mr mrs parch st ff",
    "da": _NB + " fru d pct",
    "de": "hr hrn fr frl dr prof dipl mag bzw ca evtl ggf inkl exkl zzgl max min tel z.b d.h u.a"
    " i.d.r str nr s.o s.u vgl abs bspw sog insb lt gem st jr hl kath ev allg z b",
    "el": "κ κα κος κ.κ δρ καθ αγ οδ λεωφ λ αρ τηλ π.χ δηλ βλ πλ",
    "es": "sr sra srta sres dr dra d dª dña ud uds vd vds lic licda ing arq prof profa gral av"
    " avda c cl pza pl ctra pág tel núm p.ej ej ee urb sta sto col esq",
    "et": "hr pr prl dr prof dots tel nr nt tn mnt pst k.a",
    "eu": "jn and dr prof tel zk kal",
    "fa": "د م ص.پ",
    "fi": "tri prof dos esim mm ts ks n klo puh nro os hra rva nti",
    "fil": "g gng bb dr dra prof bgy brgy sta sto atty engr kgg",
    "fr": "m mm mme mmes mlle mlles me mes dr drs pr prof st ste av bd boul pl rte ch tél env p.ex"
    " ex mgr art cf p",
    "ga": "an tuas dr",
    "gl": "sr sra dr dra d dª prof av avda rúa tel núm p.ex",
    "gu": "ડૉ ડો ડા શ્રી શ્રીમતી રૂ પ્રો નં",
    "he": "טל רח שד ת.ד",
    "hi": _HI,
    "hr": _HR,
    "hu": "dr prof id ifj özv u ker tel pl kb ún ill em fszt",
    "hy": "դոկտ պրոֆ պրն տկն փող հեռ",
    "id": _ID,
    "is": "hr fr dr próf t.d þ.e u.þ.b s",
    "it": "sig sig.ra sigg sig.na sig.ri dott dott.ssa dr ing avv arch geom rag prof prof.ssa on"
    " cav v.le p.zza c.so p.za tel pag p.es es s ss st sta",
    "ka": "ბ-ნი ქ-ნი დრ პროფ ქ ქუჩ ტელ გამზ",
    "kk": "проф д-р көш тел",
    "kn": "ಡಾ ಶ್ರೀ ಶ್ರೀಮತಿ ರೂ ಪ್ರೊ ನಂ",
    "ky": "проф д-р көч тел",
    "lo": "ດຣ ທ ນ",
    "lt": "p dr prof doc g pr al tel nr pvz t.y vad",
    "lv": "dr prof doc tel tālr nr piem plkst t.i kgs kdze",
    "mk": "г-дин г-ѓа г-ца д-р проф инж ул бул бр тел т.е",
    "ml": "ഡോ ശ്രീ ശ്രീമതി രൂ പ്രൊഫ നം",
    "mn": "проф др утас",
    "mr": _HI + " सौ श्रीम",
    "ms": _ID + " en pn cik",
    "mt": "is-sur is-sra dr prof triq",
    "nb": _NB,
    "ne": _HI,
    "nl": "dhr mevr mw mej dr drs ir ing mr prof ds st bijv d.w.z t.n.v m.a.w o.a i.p.v str tel nr"
    " incl excl ca bv fam",
    "nn": _NB,
    "no": _NB,
    "pa": "ਡਾ ਸ ਸ੍ਰ ਸ੍ਰੀ ਸ਼੍ਰੀ ਪ੍ਰੋ ਰੁ ਨੰ",
    "pl": "p pp dr hab prof inż mgr lek ks ul al pl os gen św np tzn tj tzw m.in nr tel godz im"
    " woj pok",
    "pt": "sr sra srta dr dra d dª prof profa profª eng engª arq av r al trav pça tel pág exmo"
    " exma sta sto p.ex ex nº",
    "ro": "dl dna d-na d-ra dra dr prof ing av str bd bl sc et ap nr tel ex sf jud șos",
    "ru": _RU,
    "si": "රු ඩී පි ආචාර්",
    "sk": "p pí dr mudr judr ing bc mgr phdr prof doc ul nám č tel tj t.j tzv napr vrát sv",
    "sl": "g ga gdč dr prof inž mag ul št tel npr oz tj sv t.i",
    "sq": "z znj zj dr prof rr tel p.sh nr",
    "sr": f"{_SR} {_HR}",
    "sv": "dr prof hr fr t.ex bl.a d.v.s kl tel nr ca inkl exkl ev resp s k",
    "sw": "dk bw bi bi prof mhe s.l.p nk k.m sh",
    "ta": "டாக் திரு திருமதி செல்வி டா ரூ பேரா எண் மு",
    "te": "డా డాక్ శ్రీ శ్రీమతి రూ ప్రొ నం",
    "tr": "dr doç prof av uzm op dt müh yrd sn bay cad sok sk mah apt no tel blv bul blok",
    "uk": "п пп г-н д-р др проф ак акад інж доц вул просп пр-т пров пл бул наб буд кв корп тел моб"
    " м смт с ім св напр обл р-н тис млн",
    "ur": "ڈاکٹر",
    "uz": "prof dr ko'ch tel",
    "vi": "tp q p ts ths th.s bs gs pgs ks ls tt tx đt ntn st",
    "zu": "mnu nksz dkt",
}

# Do end sentences too: only a small letter or a number says that they do not.
CAPITAL: dict[str, str] = {
    "en": "a.m p.m etc inc ltd co corp jr sr ph.d b.a m.a jan feb mar apr jun jul aug sep sept oct"
    " nov dec mon tue tues wed thu thur thurs fri sat sun min hr hrs",
    "de": "usw etc mwst u.s.w",
    "bg": "лв ч",
    "es": "etc a.m p.m m uu ee.uu",
    "el": "π.μ μ.μ κ.λπ",
    "ru": "руб р ч т.д т.п др",
    "uk": "грн год т.д ін",
}

# May end a sentence, but more often stand before a name: only a word that opens sentences decides.
STARTER: dict[str, str] = {
    "en": "u.s u.k u.n u.s.a d.c ave blvd rd apt no nos art vol pp pg sec ch bldg hwy jr sr st"
    " inc ltd corp",
    "de": "mo di mi do fr sa so jan feb apr aug sept okt nov dez str nr tel",
}

# Words that follow a time or a date in the same sentence although they begin with a capital.
CONTINUES: dict[str, str] = {
    "en": "monday tuesday wednesday thursday friday saturday sunday january february march april"
    " june july august september october november december pacific eastern central mountain"
    " greenwich atlantic gmt utc est edt et pst pdt pt cst cdt ct mst mdt mt bst cet",
    "fr": "rue av avenue bd boulevard place allée allées impasse chemin quai route cours square"
    " cité",
}

# First words of sentences; of other words that begin with a capital it is not known.
STARTERS: dict[str, str] = {
    "en": "i i'm i'll i've i'd we we're we'll we've we'd you you're you'll your he she it it's they"
    " there there's that that's this these those the our my a an would could can do does did is are"
    " was were will shall should may might have has had what what's when where which who why how if"
    " please thanks thank and but so or let let's yes no ok okay sorry just then after before for"
    " in on at to also anything everything nothing is once while unfortunately alternatively"
    " otherwise great good perfect sure right",
    "de": "ich wir sie er es das der die den dem ein eine einen bitte möchten haben hätten können"
    " könnten kann könnte soll sollen wie was wann wo wer wohin welche welcher welches passt ist"
    " sind gibt darf dürfen vielen danke ja nein leider gerne gern falls wenn ihr ihre ihren unser"
    " unsere mein dann dort hier aber und oder noch wollen brauchen geht stimmt reicht außerdem"
    " alternativ danach ansonsten bis auch nur dafür damit dieser diese dieses",
    "fr": "je j'ai nous vous il elle on ils elles ce c'est le la les l un une des est est-ce voulez"
    " souhaitez pouvez avez puis-je quel quelle quels quelles où quand comment si merci oui non"
    " mais et ou votre vos notre nos cela ça y avez-vous voulez-vous pouvez-vous souhaitez-vous",
    "es": "yo el la los las un una es son está están usted ustedes le les su sus nuestro nuestra"
    " quiere puede tiene necesita qué cuándo dónde cómo cuál si gracias sí no pero y o hay por"
    " también ¿",
    "it": "io il lo la i gli le un una è sono lei vuole può ha desidera che quale quando dove come"
    " se grazie sì no ma e o c'è ci nostro nostra suo sua posso possiamo",
    "pt": "eu o a os as um uma é são está estão você senhor senhora quer pode tem precisa deseja"
    " qual quando onde como se obrigado obrigada sim não mas e ou há seu sua nosso nossa posso"
    " podemos",
    "nl": "ik wij we u hij zij ze het de een is zijn heeft hebt kan kunt wilt wil mag moet wat"
    " wanneer waar wie welke hoe als bedankt dank ja nee maar en of er uw onze schikt past zal",
}
