"""Portuguese, of Portugal and of Brazil."""

from __future__ import annotations

from voice.lexicon.table import Table

TABLE = Table(
    tags="pt",
    depth="deep",
    strands="quem qual quais onde quando como quanto quanta quantos quantas",
    conjunctions="""
        e ou mas porque se que quando enquanto porém contudo pois portanto como onde nem aí_eu
    """,
    prepositions="""
        de em a para por com sem sobre sob entre até desde ante contra do da dos das no na nos nas
        ao à aos às pelo pela pelos pelas num numa pra pro dum duma segundo durante após
    """,
    articles="o a os as um",
    determiners="""
        meu minha meus minhas teu tua teus tuas seu sua seus suas nosso nossa nossos nossas cada
        qualquer algum nenhum aquele aquela este esta esse essa senhor senhora dona doutor doutora
    """,
    subjects="eu me te se lhe nos",
    verbs="""
        é são está estão era estou tenho quero queria gostaria preciso procuro chamo posso pode
        poderia tem há vou sou tinha estava devo
    """,
    adverbs="muito_mais tão quase aproximadamente",
    holds="""
        eu_gostaria gostaria_de eu_queria eu_quero eu_preciso meu_nome_é o_meu_nome_é meu_número_é
        o_meu_número_é o_número_é meu_endereço_é o_código_é me_chamo chamo_me por_exemplo para_que
        já_que só_que tem_que tenho_que e_depois e_aí será_que o_que_eu do_que uma você_pode
        você_poderia o_senhor_pode a_senhora_pode pode_me eu_vou eu_tenho eu_estou
    """,
    complete="""
        sim_é é_sim o_que_é quem_é onde_é como_é qual_é quanto_é isso_é assim_é não_é sim_está
        não_está onde_está como_está tudo_está está_está sim_tenho não_tenho eu_tenho_sim sim_quero
        não_quero sim_posso não_posso se_pode não_pode não_há se_há o_que_há o_que_tem não_tem
        se_tem já_tem sim_tem quem_são quais_são quantos_são quanto_são onde_estão como_estão sou_eu
        e_eu como_eu que_eu nem_eu quem_sou não_sou que_sou já_vou não_vou eu_vou_sim lá_vou por_que
        não_sei_se não_sei_como não_sei_onde não_sei_quando quando_é que_horas_são que_dia_é a_uma
        às_uma só_uma só_um quero_um quero_uma é_meu é_minha é_seu é_sua o_meu o_seu a_sua a_minha
        não_preciso o_que_preciso o_que_quero o_que_eu_quero o_que_eu_preciso sim_senhor sim_senhora
        não_senhor não_senhora obrigado_senhor o_senhor a_senhora é_este é_esta é_esse é_essa
        é_aquele por_esse por_este com_este com_essa número_um por_isso_que como_chamo como_se_chama
        me_chama na_sua na_minha
    """,
    done="""
        obrigado obrigada muito_obrigado muito_obrigada por_favor se_faz_favor tchau até_logo
        é_só_isso só_isso é_tudo mais_nada não_obrigado não_obrigada sim_por_favor adeus até_mais
        era_só_isso isso_é_tudo
    """,
    fillers="""
        eh hã ahn hum é_que tipo bem_eh assim_eh deixa_eu_ver deixe_me_ver quer_dizer ou_seja bom
        pois_eh né
    """,
    yes="""
        sim claro com_certeza isso isso_mesmo exato exatamente correto certo pode pode_ser tá_bom
        está_bem tá ok okay perfeito concordo positivo sem_dúvida claro_que_sim pois_sim é é_isso
        é_sim uhum aham beleza combinado de_acordo está_certo está_correto tudo_bem quero tenho
        pois_é
    """,
    no="""
        não nada de_jeito_nenhum claro_que_não negativo incorreto errado nunca ainda_não não_não
        não_obrigado não_obrigada não_quero não_tenho nem_pensar de_modo_nenhum não_é não_está
    """,
    backchannels="""
        uhum aham sim tá tá_bom certo ok okay claro entendi entendo isso ah pois pois_é é exato
        perfeito beleza legal percebo está_bem bom bem verdade nossa sei
    """,
    stops="""
        para_para pare espera espere um_momento um_segundo um_minuto não desculpa desculpe calma
        peraí pera_aí chega silêncio escuta escute alto com_licença momentinho um_instante cancela
        cancele
    """,
    not_stops="para_o para_a para_os para_as para_um para_uma para_mim para_que",
    polite="""
        por_favor obrigado obrigada muito_obrigado muito_obrigada se_faz_favor faz_favor
        por_gentileza por_obséquio
    """,
    numbers="""
        zero=0 um=1? uma=1? dois=2 duas=2 três=3 tres=3 quatro=4 cinco=5 seis=6 meia=6? sete=7
        oito=8 nove=9 dez=10 onze=11 doze=12 treze=13 catorze=14 quatorze=14 quinze=15 dezesseis=16
        dezasseis=16 dezessete=17 dezassete=17 dezoito=18 dezenove=19 dezanove=19 vinte=20 trinta=30
        quarenta=40 cinquenta=50 sessenta=60 setenta=70 oitenta=80 noventa=90 cem=100 cento=100
        duzentos=200 duzentas=200 trezentos=300 trezentas=300 quatrocentos=400 quatrocentas=400
        quinhentos=500 quinhentas=500 seiscentos=600 seiscentas=600 setecentos=700 setecentas=700
        oitocentos=800 oitocentas=800 novecentos=900 novecentas=900 mil=1000 milhão=1000000
        milhões=1000000
    """,
    repeats="duplo=2 triplo=3",
    number_joiners="e",
    decimals="vírgula ponto",
    digit_words="dígitos dígito algarismos números",
    asks="""
        número_de_telefone=phone telefone=phone celular=phone telemóvel=phone meu_número=phone cep=8
        código_postal=7 data_de_nascimento=any nascimento=any aniversário=any nasceu=any ano=4
        senha=any pin=any código=any cpf=11 nif=9 número_da_conta=any número_do_cartão=16 cartão=any
        número_do_pedido=any número=any data=any protocolo=any
    """,
    question_words="""
        que o_que quem qual quais onde aonde quando como quanto quanta quantos quantas por_que
        porquê
    """,
    yes_no_openers="""
        é está são tem quer deseja pode poderia gostaria precisa você o_senhor a_senhora há posso
        podemos prefere certo correto não_é tudo_bem né já seria vai
    """,
    choice_words="ou",
    requests="""
        diga me_diga diga_me me_dê dê_me informe me_informe indique forneça preciso_do preciso_da
        pode_me_dizer pode_me_dar confirme soletre pode_dizer pode_me_informar poderia_me_dizer
        poderia_me_dar poderia_informar
    """,
)
