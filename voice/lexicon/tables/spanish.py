"""Spanish."""

from __future__ import annotations

from voice.lexicon.table import Table

TABLE = Table(
    tags="es",
    depth="deep",
    strands="qué quién quiénes cuál cuáles dónde cuándo cómo cuánto cuánta cuántos cuántas lo_que",
    conjunctions="""
        y e o u pero porque aunque si sino ni que mientras cuando donde como pues entonces además
        mas
    """,
    prepositions="""
        a ante bajo con contra de desde durante en entre hacia hasta mediante para por según sin
        sobre tras al del
    """,
    articles="el la los las un lo",
    determiners="""
        mi mis tu tus su sus nuestro nuestra nuestros nuestras cada cualquier algún ningún este esta
        estos estas ese esos esas aquel aquella cuyo cuya señor señora don doña doctor doctora
    """,
    subjects="yo_me me te se nos le les yo",
    verbs="""
        es son está están era soy estoy tengo quiero quisiera quería necesito busco llamo llama
        gustaría voy puedo podría puede tiene hay hemos he ha han había
    """,
    adverbs="muy tan más_o_menos_a casi aproximadamente",
    holds="""
        me_gustaría quisiera me_llamo mi_nombre_es mi_número_es mi_teléfono_es mi_dirección_es
        es_que por_ejemplo ya_que así_que para_que tengo_que hay_que voy_a quiero_que a_la a_las
        a_las_dos_y número_es el_número_es el_código_es tal_que de_la y_luego y_después lo_que
        la_que el_que puede_ser_que me_puede me_podría podría_usted quería_saber una una_y
    """,
    complete="""
        cómo_es qué_es quién_es dónde_está cómo_está cómo_se_llama cómo_te_llamas qué_hay así_es
        eso_es esa_es ese_es este_es ya_está aquí_está ahí_está ahí_es eso_está ya_lo_es lo_es
        sí_lo_es sí_es no_es no_lo_es sí_está no_está sí_hay no_hay sí_tengo no_tengo sí_puedo
        no_puedo sí_quiero no_quiero yo_soy sí_soy soy_yo como_yo que_yo y_yo cómo_estoy si_hay
        si_tiene si_puede no_puede si_puedo qué_tiene qué_tengo lo_que_hay lo_que_quiero
        lo_que_necesito lo_que_busco como_sea no_sé_qué no_sé_cómo dónde_es cuándo_es cuál_es
        por_qué para_qué cuánto_es qué_hora_es a_qué_hora_es así_como son_estas son_estos es_este
        es_esta es_ese como_este como_esta por_este claro_que_sí para_dos no_soy ya_voy allí_voy
        ahí_voy dame_una dame_un quiero_una quiero_uno solo_una una_a_la_una la_una a_la_una
        sólo_una no_no_ha ya_ha ya_lo_he como_siempre cómo_están dónde_están quiénes_son cuáles_son
        cuántos_son cuánto_son que_nos que_me esta_es no_lo_está lo_está de_esta de_este en_este
        en_esta de_nada por_favor_si con_este con_esta y_este y_esta esta_noche eh bueno esto
    """,
    done="""
        gracias muchas_gracias muchísimas_gracias por_favor adiós chao hasta_luego nada_más
        eso_es_todo no_gracias sí_por_favor hasta_mañana eso_sería_todo es_todo eso_nada_más
    """,
    fillers="""
        eh em este_pues este_eh pues bueno o_sea esto mmm a_ver digamos cómo_se_dice déjame_ver
        déjeme_ver entonces
    """,
    yes="""
        sí si claro claro_que_sí por_supuesto correcto exacto exactamente así_es eso_es vale
        de_acuerdo está_bien desde_luego cierto efectivamente perfecto bueno bien sí_señor sí_señora
        cómo_no dale okey afirmativo perfectamente sí_claro ajá eso_mismo
    """,
    no="""
        no para_nada claro_que_no en_absoluto de_ninguna_manera no_gracias incorrecto negativo nunca
        todavía_no aún_no no_señor no_es_correcto tampoco no_no
    """,
    backchannels="""
        ajá sí vale claro ya bien bueno okey exacto de_acuerdo entiendo ya_veo perfecto cierto
        correcto ah oh mm qué_bien anda muy_bien comprendo eso
    """,
    stops="""
        para_para pare espera espere espérate un_momento un_segundo no perdón perdone perdona
        disculpe disculpa alto basta silencio escuche escucha oiga oye detente deténgase cállate
        momento momentito cancela cancele
    """,
    not_stops="para_que para_qué para_mí para_el para_la para_los para_las para_un para_una",
    polite="por_favor gracias muchas_gracias si_es_tan_amable muy_amable",
    numbers="""
        cero=0 uno=1 una=1? un=1? dos=2 tres=3 cuatro=4 cinco=5 seis=6 siete=7 ocho=8 nueve=9
        diez=10 once=11 doce=12 trece=13 catorce=14 quince=15 dieciséis=16 dieciseis=16
        diecisiete=17 dieciocho=18 diecinueve=19 veinte=20 veintiuno=21 veintiún=21 veintiuna=21
        veintidós=22 veintidos=22 veintitrés=23 veintitres=23 veinticuatro=24 veinticinco=25
        veintiséis=26 veintiseis=26 veintisiete=27 veintiocho=28 veintinueve=29 treinta=30
        cuarenta=40 cincuenta=50 sesenta=60 setenta=70 ochenta=80 noventa=90 cien=100 ciento=100
        doscientos=200 doscientas=200 trescientos=300 trescientas=300 cuatrocientos=400
        cuatrocientas=400 quinientos=500 quinientas=500 seiscientos=600 seiscientas=600
        setecientos=700 setecientas=700 ochocientos=800 ochocientas=800 novecientos=900
        novecientas=900 mil=1000 millón=1000000 millones=1000000
    """,
    repeats="doble=2 triple=3",
    number_joiners="y",
    decimals="coma punto",
    digit_words="dígitos dígito cifras números",
    asks="""
        número_de_teléfono=phone teléfono=phone celular=phone móvil=phone mi_número=phone
        código_postal=5 fecha_de_nacimiento=any cumpleaños=any nació=any año=4 pin=any clave=any
        código=any contraseña=any número_de_cuenta=any número_de_tarjeta=16 tarjeta=any
        número_de_pedido=any número_de_cliente=any número_de_referencia=any número_de_reserva=any
        número=any fecha=any dni=any documento=any cédula=any
    """,
    question_words="""
        qué quién quiénes cuál cuáles dónde adónde cuándo cómo cuánto cuánta cuántos cuántas por_qué
    """,
    yes_no_openers="""
        es está son están tiene tienes quiere quieres desea deseas puede puedes podría podrías
        necesita necesitas le te hay ha has sería prefiere usted verdad correcto no cierto vale
        puedo podemos
    """,
    choice_words="o u",
    tell_requests="""
        me_puede_contar me_puede_decir me_puede_dar me_puede_explicar me_puede_describir
        me_podría_contar me_podría_decir me_podría_dar me_podría_explicar me_puedes_contar
        me_puedes_decir me_puedes_dar puede_contarme puede_decirme puede_darme puede_explicarme
        podría_contarme podría_decirme podría_darme podría_explicarme
    """,
    requests="""
        dígame dime deme dame indíqueme indique proporcione me_dice me_da me_puede_dar
        me_puede_decir necesito_su confirme confírmeme deletree me_podría_decir me_podría_dar
        podría_darme puede_darme podría_decirme puede_decirme podrías_darme me_podrías_dar
    """,
)
