"""Which words in asterisks or brackets are acting, not speech: ``*sighs*``, ``(laughs softly)``."""

from __future__ import annotations

MAX_WORDS = 4
MAX_CHARS = 60
MAX_FIRST_WORD_CHARS = 14

_VERBS = (
    "beep breath breathe cheer chuckle clap clear cough cry frown gasp giggle grin groan growl hum "
    "laugh listen mumble mutter nod pause ponder shrug sigh smile smirk sniff snort sob stammer "
    "stutter think type whisper whistle wink yawn"
)
# The other bare verbs are left out: "*clear*" and "*type*" are emphasis more often than acting.
_BARE_VERBS = "beat beep chuckle cough cried cries gasp giggle laugh pause sigh smile"
_MANNERS = (
    "apologetically awkwardly brightly calmly cheerfully enthusiastically excitedly gently happily "
    "kindly nervously playfully politely quietly reassuringly sadly silence silently softly "
    "sympathetically thoughtfully warmly"
)
_HAN = (
    "大笑 微笑 輕笑 轻笑 苦笑 笑 笑聲 笑声 嘆氣 叹气 嘆息 叹息 停頓 停顿 暫停 暂停 咳 咳嗽 "
    "清喉嚨 清嗓子 沉默 思考 思考中 點頭 点头 打字 輕聲 轻声"
)


def _forms(verb: str) -> tuple[str, ...]:
    stem = verb.removesuffix("e")
    double = stem + stem[-1]
    return (verb + "s", stem + "ing", stem + "ed", double + "ing", double + "ed")


_DIRECTIONS = frozenset(
    [form for verb in _VERBS.split() for form in _forms(verb)]
    + _BARE_VERBS.split()
    + _MANNERS.split()
    + _HAN.split()
)


def opens_direction(first_word: str) -> bool:
    """Whether a bracket that begins with this whole word begins a stage direction."""
    return first_word.casefold() in _DIRECTIONS


def is_direction(content: str) -> bool:
    """Whether the whole content between two asterisks or brackets is a stage direction."""
    words = content.replace(",", " ").replace("-", " ").split()
    return bool(words) and len(words) <= MAX_WORDS and opens_direction(words[0].strip(".…!"))
