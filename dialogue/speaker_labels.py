"""Words before a colon that say who speaks: "Agent:", "助理：", "Caller:", in many languages."""

from __future__ import annotations

_OWN = (
    "agent|ai|ai agent|ai assistant|ai voice agent|assistant|bot|chatbot|customer service|operator"
    "|receptionist|representative|support agent|virtual agent|virtual assistant|voice agent"
    # Germanic and Nordic
    "|agentin|assistent|assistentin|ki|ki-agent|ki-assistent|kundenservice|kundendienst|mitarbeiter"
    "|mitarbeiterin|medewerker|ai-assistent|medarbetare|medarbejder|medarbeider|kundtjänst"
    "|agentti|avustaja|tekoäly|asiakaspalvelu"
    # Romance
    "|assistante|assistant virtuel|conseiller|conseillère|ia|opérateur|opératrice|réceptionniste"
    "|standardiste|agente|agente de ia|asistente|asistente virtual|operador|operadora|recepcionista"
    "|assistente|assistente virtuale|assistente virtual|atendente|operatore|operatrice|asistent"
    # Slavic, Baltic, Greek, Turkish, Hungarian
    "|asystent|asystentka|konsultant|konsultantka|operátor|asistentka|agentka|ügynök|asszisztens"
    "|агент|ассистент|бот|ии|ии-ассистент|оператор|помощник|асистент|ші|помічник|βοηθός|εκπρόσωπος"
    "|asistan|müşteri temsilcisi|temsilci|yapay zeka|padėjėjas|palīgs|abiline|assistent"
    # Arabic, Persian, Urdu, Hebrew
    "|الوكيل|وكيل|المساعد|مساعد|الموظف|دستیار|اپراتور|ایجنٹ|اسسٹنٹ|סוכן|סוכנת|עוזר|נציג|נציגה|בוט"
    # India
    "|एजेंट|सहायक|असिस्टेंट|এজেন্ট|সহকারী|ਏਜੰਟ|એજન્ટ|முகவர்|உதவியாளர்|ఏజెంట్|సహాయకుడు|ഏജന്റ്|ಏಜೆಂಟ್"
    # South-East Asia, Africa
    "|เจ้าหน้าที่|ผู้ช่วย|เอเจนต์|บอท|trợ lý|nhân viên|tổng đài viên|tư vấn viên|agen|asisten|petugas|ejen"
    "|pembantu|ahente|wakala|msaidizi|ወኪል|ረዳት"
    # East Asia
    "|助理|助手|客服|客服人員|客服人员|客服代表|客服專員|客服专员|智能客服|智能助理|智能助手"
    "|ai助理|ai助手|ai客服|機器人|机器人|接線生|接线员|接待員|接待员|坐席"
    "|エージェント|アシスタント|aiアシスタント|オペレーター|オペレータ|ボット|受付"
    "|상담원|상담사|에이전트|어시스턴트|비서|챗봇|ai 상담원|ai 비서"
)
# None that may be a field of something read back ("Kunde: Weber"), but for the English ones.
_CALLER = (
    "caller|customer|human|user|anrufer|anruferin|appelant|appelante|usuario|llamante|chiamante|utente"
    "|usuário|beller|gebruiker|användare|uppringare|bruger|bruker|rozmówca|użytkownik|volající|uživatel"
    "|пользователь|звонящий|абонент|користувач|абонент|arayan|kullanıcı|المتصل|المستخدم|کاربر|המתקשר|משתמש"
    "|कॉलर|ผู้โทร|người gọi|người dùng|penelepon|pengguna|pemanggil|mpigaji"
    "|來電者|来电者|用戶|用户|客人|発信者|ユーザー|발신자|사용자"
)
# What a model may write before its whole reply; later in it these are words like any other.
_OPENING = (
    "answer|reply|response|output|antwort|réponse|respuesta|risposta|resposta|antwoord|svar|odpowiedź"
    "|odpověď|ответ|відповідь|cevap|yanıt"
    "|الرد|الإجابة|उत्तर|jawaban|trả lời|回答|回覆|回复|答覆|返答|답변|응답"
)

CALLERS = frozenset(_CALLER.split("|"))
OPENING = frozenset(_OPENING.split("|"))
LABELS = CALLERS | OPENING | frozenset(_OWN.split("|"))
MAX_NAME_CHARS = 30
_PREFIXES = frozenset(f"{label} "[:n] for label in LABELS for n in range(1, len(label) + 2))


def may_be_label(held: str) -> bool:
    """Whether this beginning of a line may still become a label, a name in brackets included.

    "Agent", "agent (Sarah", "Agent (Sarah) " may; "Agent Smith" may not.
    """
    folded = held.casefold()
    if folded in _PREFIXES:
        return True
    label, bracket, name = folded.partition("(")
    if not bracket or label.strip() not in LABELS or len(name) > MAX_NAME_CHARS:
        return False
    inside, closed, rest = name.partition(")")
    return "\n" not in inside and (not closed or rest in ("", " "))


def label_of(held: str) -> str:
    """The label that is complete in front of a colon, in small letters; empty if there is none."""
    label, bracket, name = held.casefold().partition("(")
    is_closed = not bracket or name.rstrip().endswith(")")
    label = label.strip()
    return label if is_closed and label in LABELS else ""
