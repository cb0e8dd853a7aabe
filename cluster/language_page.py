"""The page of languages: what each provider can and cannot do in each, told from the tables."""

from __future__ import annotations

from collections.abc import Iterator

from dialogue.languages import Language, languages
from dialogue.spoken.coverage import rule_groups
from providers.table import CAPABILITIES, refusal_of
from voice.completeness import completeness
from voice.lexicon.registry import lexicon_for

_NO_LISTS = ("scripted", "tone")  # they stand in for services
_INTRODUCTION = """\
# Languages

This page is generated from the tables that the product itself reads: `callcluster languages
--markdown > docs/languages.md`. How an agent gets several languages is [below](#several-languages).

A row has who hears the language, who speaks it, and what of our own tables knows it. A provider
that keeps no list of languages is asked when a process warms up: it stands here in brackets.
Sentences of most languages were not read by a native speaker yet; an agent's file can say each of
them otherwise.

| what | where it comes from |
|---|---|
| default voice | Azure's, first of `dialogue/languages/table.toml`; used where the agent's own \
voice does not speak the language |
| turns | `voice/lexicon`: `deep` knows the ends of utterances word by word, `basic` conjunctions, \
fillers and answers; `+ model` where a text model of finished utterances was trained |
| spoken forms | `dialogue/spoken`: what is put into words for a voice that would read it wrongly |
"""
_SEVERAL = """\
## Several languages

```yaml
language: en-US
languages:
  - es-ES                     # the agent's own voice and recogniser if they can, else the table's
  - language: zh-HK
    speaker: azure
    voice: zh-HK-HiuGaaiNeural
    phrases: {goodbye: 多謝晒，拜拜。}
```

A call begins in `language` and goes on in another one from the next turn on

- when the caller asks for it ("can we speak Spanish", 可唔可以講廣東話), at once;
- when the caller speaks it for two turns in a row: as the recogniser says where it does, else by
  the script, else by words that the other language has and the call's has not;
- when a tool says so (`switch_language`, or any use that names a `language`).

From then on the recogniser, the voice, the phrases, the end-of-turn tables and the clause cutter \
are
those of the new language, the model is told to answer in it, and the response cache is asked for
answers of it. The change stands with its turn, in the record and in the journal, so a call whose
CallActor or stream is lost goes on in it. A relayed call sends Twilio's `language` message; its
languages are declared to Twilio with the agent's voice service, or as `relay: languages:` says
(Cantonese there only, since Twilio's services have names of their own for it: an agent with `relay`
in `mode` that does not declare it is refused).

Who tells which language was spoken, where an agent has several:

| recogniser | how |
|---|---|
| `azure` | continuous language identification among at most ten of them, at a price of its own; \
`CALLCLUSTER_AZURE_IDENTIFIES_LANGUAGES=false` switches it off (containers do not know it) |
| `deepgram` | the multilingual Flux model, which takes the place of the English one, with a hint \
for each that it hears |
| `scribe` | language detection among them |
| `openai_transcription` | `gpt-transcribe` says what it heard; `gpt-live-transcribe` is told of \
all of them and says nothing |
| `google`, `pocketsphinx` | do not: a language is heard as badly as that of the call's is heard |

These are the services' own descriptions; none of it was tried with a key. With a caller for whom
there is no place, the carrier's voice says so in the agent's language where it speaks it, else in
English.

Each of `languages` needs a row in the table; a file that names one which nobody is known to hear or
speak is refused.
"""


def language_page() -> str:
    """The whole page, in Markdown."""
    lines = [_INTRODUCTION]
    lines += _overview()
    lines += ["", "## Who hears it", ""]
    lines += _who("recogniser")
    lines += ["", "## Who speaks it", ""]
    lines += _who("speaker")
    lines += [
        "",
        "Realtime models of OpenAI hear and speak most of these languages without a list; \
Cantonese",
        "is written down there as Chinese. Twilio's ConversationRelay has its own list for each of",
        "its providers, which depends on the account.",
        "",
        _SEVERAL,
        _CANTONESE,
    ]
    return "\n".join(lines).rstrip() + "\n"


_CANTONESE = """\
## Cantonese

| tag | who | Azure hears | Azure speaks | Google hears |
|---|---|---|---|---|
| `zh-HK`, `yue`, `yue-HK` | Hong Kong | `zh-HK` | HiuMaan, HiuGaai, WanLung | `yue-Hant-HK` |
| `zh-MO` | Macau | `zh-HK` | the same | `yue-Hant-HK` |
| `yue-CN` | Guangdong | `yue-CN` | XiaoMin, YunSong | `yue-Hant-HK` |

Phrase lists (`hints`) reach Azure's `zh-HK`; its `yue-CN` is not listed as taking any. Voices of
Hong Kong and Macau are given traditional characters, whatever the model wrote; heard words are
understood in both. Numbers that the caller said (九一二三四五六七, 下晝三點半, 廿五號, \
十二個八毫半) reach
the model as digits; the record keeps the words. ElevenLabs, Cartesia and OpenAI's transcription
know Mandarin only, and an agent that names them for Cantonese is refused.
"""


def _overview() -> Iterator[str]:
    yield "| tag | language | | locale | default voice | turns | spoken forms |"
    yield "|---|---|---|---|---|---|---|"
    for row in languages().values():
        lexicon = lexicon_for(row.locale)
        model = " + model" if completeness("well", row.locale) is not None else ""
        forms = ", ".join(rule_groups(row.tag)) or "none"
        yield (
            f"| `{row.tag}` | {row.name} | {row.native} | `{row.locale}` | `{row.voices[0]}` "
            f"| {lexicon.depth}{model} | {forms} |"
        )


def _who(kind: str) -> Iterator[str]:
    names = [name for of, name in CAPABILITIES if of == kind and name not in _NO_LISTS]
    yield f"| | {' | '.join(f'`{name}`' for name in names)} |"
    yield "|---" * (len(names) + 1) + "|"
    for row in languages().values():
        cells = " | ".join(_cell(kind, name, row) for name in names)
        yield f"| {row.name} | {cells} |"


def _cell(kind: str, name: str, row: Language) -> str:
    if refusal_of(kind, name, row.locale) is not None:
        return "no"
    has_list = bool(CAPABILITIES[kind, name].languages)
    is_known = has_list or name == "azure"  # whose voices the table names, and locales are theirs
    return "yes" if is_known else "(ask)"
