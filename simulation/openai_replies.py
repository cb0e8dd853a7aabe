"""What the emulated language model says: a receptionist's answers, by keyword and language.

It does not think. It knows the clips' sentences, so that a demo call makes sense to a listener, and
says back in a polite sentence whatever else it heard.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from simulation.openai_continue import rest_of, unfinished
from simulation.openai_tools import ToolCall, ToolRule, after_result, call_of, tool_calls
from simulation.tongue import language_of

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """One thing the model knows how to answer.

    Attributes:
        keywords: All of them occur in what the caller said (lower case).
        reply: What it answers; unused when ``tool`` is set.
        tool: Name of a tool to call, if the request offers it.
        arguments: The tool's arguments, as an object.
        raw_arguments: Sent instead of them, as they are: models misspell JSON at times.
        is_invented: The tool is called though the request does not offer it, as models do.
        most_words: Only for callers who said no more than this; 0 for any.
    """

    keywords: tuple[str, ...]
    reply: str
    tool: str = ""
    arguments: tuple[tuple[str, Any], ...] = ()
    most_words: int = 0
    raw_arguments: str = ""
    is_invented: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model produces: text, tool calls, or both, the text first."""

    text: str
    calls: tuple[ToolCall, ...] = ()


def _line(keywords: str, reply: str, most_words: int = 0) -> ScriptLine:
    return ScriptLine(tuple(keywords.split()), reply, most_words=most_words)


DEFAULT_SCRIPT: tuple[ScriptLine, ...] = (
    _line(
        "go forward", "All right, going forward ten meters. Tell me when you would like me to stop."
    ),
    _line(
        "do something",
        "Gladly. Where would you like to go?",
    ),
    _line(
        "queen clubs",
        "The four and the queen of clubs. You win!",
    ),
    _line("ten clubs", "The ten of clubs, a fine card. Shall I deal you another one?"),
    _line("seven clubs", "Seven of clubs, noted."),
    _line(
        "close sunday",
        "On Sundays we close at five in the afternoon. Is there anything else I can help with?",
    ),
    _line("weather", "It looks mild and dry today. A light jacket will do."),
    _line(
        "return label",
        "No problem, I can send you a new return label. Shall I use the address on your order?",
    ),
    _line("my number is", "Thank you, I have your number. We will call you back within the hour."),
    _line("seven", "A table for seven. At what time?", most_words=1),
    _line("four", "At four o'clock. See you then!", most_words=1),
    _line("quilter", "Mr. Quilter will be pleased to hear it."),
    _line("dashwood", "That was well read. Shall I go on to the next chapter?"),
    _line("ill disposed", "I understand. Would you like to tell me more about him?"),
    _line("fellow americans", "Those words still carry. What can I do for you today?"),
    _line("yes", "Very good, I will take care of it right away.", most_words=4),
    _line("no", "That is fine. Is there anything else I can do for you?", most_words=4),
    _line("thank", "You are welcome. Have a pleasant day."),
    _line("hello", "Hello, and thank you for calling. How can I help you?", most_words=4),
    _line("hi", "Hello, and thank you for calling. How can I help you?", most_words=4),
    _line(
        "leichenhalle",
        "Danke für den Hinweis. Möchten Sie mehr über die Geschichte des Gebäudes erfahren?",
    ),
    _line("hallo", "Guten Tag und danke für Ihren Anruf. Wie kann ich Ihnen helfen?"),
    _line(
        "arenas", "Gracias, es una playa muy tranquila. ¿Quiere que le dé indicaciones para llegar?"
    ),
    _line("hola", "Hola, gracias por llamar. ¿En qué puedo ayudarle?"),
    _line("canzoni", "Che bella storia. Vuole ascoltare una di quelle canzoni?"),
    _line("ciao", "Buongiorno e grazie per la chiamata. Come posso aiutarla?"),
    _line("语音识别", "感谢您的来电。语音识别已经准备好了,请问有什么可以帮您?"),
    _line("开到几点", "我们今天营业到下午五点。请问还需要什么帮助吗?"),
    _line("幾點", "我哋星期日開到下晝五點。仲有咩可以幫到你?"),
    _line("預約", "好呀,聽日下晝三點已經幫你預約咗。請問點稱呼你?"),
    _line("電話", "多謝你,我記低咗你嘅電話號碼。我哋會盡快覆你。"),
    _line("等陣", "唔好意思,你慢慢講,我聽緊。"),
)

_ECHO = {
    "en": "You said: {said}. How can I help you with that?",
    "de": "Sie sagten: {said}. Wie kann ich Ihnen dabei helfen?",
    "es": "Ha dicho: {said}. ¿Cómo puedo ayudarle con eso?",
    "it": "Ha detto: {said}. Come posso aiutarla?",
    "zh": "您刚才说:{said}。请问我能怎样帮您?",
    "yue": "你頭先話:{said}。請問有咩可以幫到你?",
}
_UNHEARD = {
    "en": "Sorry, I did not catch that. Could you say it again, please?",
    "de": "Entschuldigung, das habe ich nicht verstanden. Können Sie es bitte wiederholen?",
    "es": "Perdone, no le he entendido. ¿Puede repetirlo, por favor?",
    "it": "Mi scusi, non ho capito. Può ripetere, per favore?",
    "zh": "不好意思,我没有听清楚,请您再说一遍。",
    "yue": "唔好意思,我聽唔清楚,可唔可以再講多次?",
}
_ECHO_CHARS = 120


def text_of(content: object) -> str:
    """The text of a message's content, a string or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return " ".join(part for part in parts if isinstance(part, str))
    return ""


def answer(
    messages: list[dict[str, Any]],
    tools: list[dict[str, Any]],
    script: tuple[ScriptLine, ...],
    rules: tuple[ToolRule, ...] = (),
    forced: str = "",
) -> Answer:
    """What to say to the last user message, or to the result of a tool.

    Args:
        messages: The request's messages, oldest first.
        tools: The functions it offers.
        script: Lines that come before everything else.
        rules: When tools are called; before the built-in lines.
        forced: ``required``, or the name of the tool that must be called.
    """
    begun = unfinished(messages)
    if begun is not None:
        whole = answer(messages[:-2], tools, script, rules, forced)
        return replace(whole, text=rest_of(whole.text, begun))
    said = next(
        (text_of(m.get("content")) for m in reversed(messages) if m.get("role") == "user"), ""
    )
    if forced:
        return _forced(said, tools, rules, forced)
    if messages and messages[-1].get("role") == "tool":
        return Answer(after_result(messages, rules) or _said_back(messages[-1], said))
    line = _line_for(said, tools, script)
    if line is None:
        first, calls = tool_calls(said, tools, rules)
        if calls:
            return Answer(first, calls)
        line = _line_for(said, tools, DEFAULT_SCRIPT)
    if line is not None:
        if not line.tool:
            return Answer(line.reply)
        arguments = line.raw_arguments or json.dumps(dict(line.arguments), ensure_ascii=False)
        return Answer("", (ToolCall(line.tool, arguments),))
    tongue = language_of(said)
    if not said.strip():
        return Answer(_UNHEARD[tongue])
    return Answer(_ECHO[tongue].format(said=said.strip().rstrip(".。!?！？")[:_ECHO_CHARS]))


def _forced(
    said: str, tools: list[dict[str, Any]], rules: tuple[ToolRule, ...], forced: str
) -> Answer:
    allowed = [tool for tool in tools if forced in ("required", tool.get("name"))]
    first, calls = tool_calls(said, allowed, rules)
    return Answer(first, calls or tuple(call_of(tool, {}, said) for tool in allowed[:1]))


def _said_back(message: dict[str, Any], said: str) -> str:
    result = text_of(message.get("content")).strip()[:_ECHO_CHARS]
    return f"Here is what I found: {result}." if language_of(said) == "en" else result


def _line_for(
    said: str, tools: list[dict[str, Any]], script: tuple[ScriptLine, ...]
) -> ScriptLine | None:
    offered = {str(tool.get("name", "")) for tool in tools}
    possible = (
        line for line in script if not line.tool or line.is_invented or line.tool in offered
    )
    return next((line for line in possible if _matches(line, said)), None)


def _matches(line: ScriptLine, said: str) -> bool:
    lower = said.lower()
    words = _WORD.findall(lower)
    if 0 < line.most_words < len(words):
        return False
    return all(
        keyword in words if keyword.isascii() else keyword in lower for keyword in line.keywords
    )


_TOKEN = re.compile(r"[\u3000-\u9fff\uff00-\uffef]|\s*[^\s\u3000-\u9fff\uff00-\uffef]{1,7}|\s+")


def tokens(text: str) -> list[str]:
    """Cut a reply into pieces of about a token; joined they are the reply again."""
    return _TOKEN.findall(text)
