"""Agents as files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.comeback import Comeback
from actors.placement import CALL_ACTOR_PREFIX
from cluster.agents import MAX_NAMES_CHARS, load_agent, load_agents, load_tenants, require_agent
from cluster.errors import AgentFileError, SettingsError
from cluster.hand_overs import note_of
from cluster.settings import Settings
from cluster.voice_config import voice_config, voice_configs
from dialogue.agent import AnswerReuse
from telephony.stream_token import MAX_TOKEN_CHARS, StreamClaims, mint, new_token_id

GOOD = "language: en-US\nvoice: alto\nprompt: Be brief.\n"


def write(folder: Path, text: str | bytes, name: str = "ann.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def without_line(error: BaseException) -> str:
    return re.sub(r"(\.yaml):\d+:", r"\1:", str(error))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("language: [", "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        ("- a\n- b\n", "must be a mapping"),
        ("", "must be a mapping"),
        ("voice: alto\nprompt: x\n", "language: is missing"),
        (GOOD + "prompt: another\n", "cannot be read: 'prompt' stands here twice"),
        (GOOD + "phrases: {goodbye: a, goodbye: b}\n", "cannot be read: 'goodbye' stands here"),
        (GOOD + "greeting: " + "[" * 5_000, "cannot be read: too many brackets"),
        (GOOD + 'greeting: "\\ud800"\n', "holds half a character"),
        (GOOD + 'phrases: {goodbye: "\\udfff"}\n', "holds half a character"),
        (GOOD + "on_trouble: sales\n", "on_trouble: must name a tool of type transfer"),
        ("language: en-US\nvoice: alto\nprompt: ' '\n", "prompt: must not be blank"),
        (GOOD + "colour: red\n", "colour: there is no such field; there are: greeting, "),
        (GOOD + "temperature: 9\n", "temperature: must be less than or equal to 2"),
        (GOOD + "max_call_s: long\n", "max_call_s: must be a valid number"),
        (GOOD.replace("en-US", "English!"), "language: must be a language tag such as en-US"),
        (
            GOOD + "phrases: {hello: x}\n",
            "phrases.hello: there is no such field; there are: apology, ",
        ),
        (
            GOOD + "turn_taking: {eager_silence_s: 0.9, commit_silence_s: 0.5}\n",
            "turn_taking: eager_silence_s must be above 0 and at most commit_silence_s",
        ),
        (
            GOOD + "turn_taking: quick\n",
            "turn_taking: there is no preset quick; there are: default, eager, patient",
        ),
        (
            GOOD + "turn_taking: {preset: eager, longest_silence_s: 0.2}\n",
            "turn_taking: longest_silence_s must be at least commit_silence_s",
        ),
        (
            GOOD + "turn_taking: {commit_silence_s: 0.01}\n",
            "turn_taking.commit_silence_s: must be greater than or equal to 0.1",
        ),
        (GOOD + "response_cache: sometimes\n", "response_cache: on, off, or fields such as learn"),
        (
            GOOD + "response_cache: {learns: false}\n",
            "response_cache.learns: there is no such field",
        ),
        (GOOD + "response_cache: {similar: maybe}\n", "response_cache.similar: must be a valid"),
        (
            GOOD + "turn_taking: {idle_prompt_s: 50}\n",
            "turn_taking: idle_prompt_s must not be above idle_hang_up_s",
        ),
    ],
)
def test_an_error_names_the_file_and_the_field(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(AgentFileError) as error:
        load_agent(path, "t1")
    assert without_line(error.value).startswith(f"{path}: {said}")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("speaker: loudspeaker", "speaker: no speaker is called 'loudspeaker'; there are: "),
        ("recogniser: ear", "recogniser: no recogniser is called 'ear'; there are: azure"),
        ("thinker: brain", "thinker: no thinker is called 'brain'; there are: azure_openai, "),
        ("speaker: espeak", "voice: the speaker espeak has no voice 'alto'; there are: default"),
        (
            "speaker: espeak\nvoice: f1\nlanguage: ja-JP",
            "language: the speaker espeak does not serve ja-JP",
        ),
        (
            "language: zh-MO\nspeaker: azure\nvoice: zh-MO-HiuMaanNeural",
            "voice: the speaker azure has no voice 'zh-MO-HiuMaanNeural'",
        ),
        ("language: zh-HK", "language: the speaker elevenlabs does not serve zh-HK"),
    ],
)
def test_what_a_provider_cannot_do_is_refused_when_the_file_is_read(
    tmp_path: Path, changes: str, said: str
) -> None:
    fields = dict(line.split(": ") for line in (GOOD + changes).splitlines())
    path = write(tmp_path, "\n".join(f"{name}: {value}" for name, value in fields.items()))
    with pytest.raises(AgentFileError) as error:
        load_agent(path, "t1")
    assert without_line(error.value).startswith(f"{path}: {said}")


@pytest.mark.parametrize("name", ["my agent", "übung", ".", "a'; drop table--", "a\nb", "a" * 65])
def test_the_name_of_a_file_is_an_id_for_urls_and_tokens(tmp_path: Path, name: str) -> None:
    with pytest.raises(AgentFileError, match="the file's name is the agent's id"):
        load_agent(write(tmp_path, GOOD, f"{name}.yaml"), "t1")


def test_names_that_do_not_fit_into_a_token_are_refused_when_they_are_read(tmp_path: Path) -> None:
    tool = "tools: [{type: transfer, name: TOOL, to: '+14155550123'}]\n"
    for spare, fits in ((0, True), (1, False)):
        tenant_id, tool_name = "t" * 40, "n" * 40
        agent_id = "a" * (MAX_NAMES_CHARS - 80 + spare)
        path = write(tmp_path, GOOD + tool.replace("TOOL", tool_name), f"{agent_id}.yaml")
        if not fits:
            with pytest.raises(AgentFileError, match="121 characters together, at most 120"):
                load_agent(path, tenant_id)
            continue
        load_agent(path, tenant_id)
        claims = StreamClaims(
            kind="stream",
            tenant_id=tenant_id,
            agent_id=agent_id,
            call_id="c" * 36,
            call_sid="C" * 34,
            actor=CALL_ACTOR_PREFIX + "f" * 8,
            resume=1_020,
            minted_us=10**15,
            expires_us=10**15,
            token_id=new_token_id(),
            hand_overs=20,
            after=note_of(Comeback("dial", tool_name, "no-answer")),
        )
        assert len(mint(claims, b"s" * 32)) <= MAX_TOKEN_CHARS


def test_a_default_agent_without_a_file_is_said(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    agents = load_tenants(tmp_path, "t1")
    require_agent(agents, "t1", "ann", tmp_path)
    for tenant_id, agent_id in (("t1", "bob"), ("t2", "ann")):
        with pytest.raises(SettingsError, match="CALLCLUSTER_DEFAULT_AGENT is"):
            require_agent(agents, tenant_id, agent_id, tmp_path)


def test_a_folder_that_is_missing_or_empty_names_its_setting(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(AgentFileError, match="CALLCLUSTER_AGENTS_DIR"):
            load_agents(folder, "t1")


def test_a_file_becomes_an_agent(tmp_path: Path) -> None:
    write(tmp_path, GOOD + "hints: [Ann, Bob]\nphrases: {goodbye: So long.}\n")
    (agent,) = load_agents(tmp_path, "t1").values()
    assert (agent.tenant_id, agent.agent_id, agent.language) == ("t1", "ann", "en-US")
    assert agent.hints == ("Ann", "Bob")
    assert agent.phrases.goodbye == "So long."
    assert agent.phrases.apology


def test_the_version_follows_the_meaning_not_the_layout(tmp_path: Path) -> None:
    one = load_agent(write(tmp_path, GOOD), "t1")
    same = load_agent(write(tmp_path, "# a comment\n" + GOOD), "t1")
    other = load_agent(write(tmp_path, GOOD + "greeting: Hi.\n"), "t1")
    assert one.agent_version == same.agent_version != other.agent_version


def test_an_agent_and_settings_that_contradict_each_other_are_said_before_a_call(
    tmp_path: Path,
) -> None:
    agent = load_agent(write(tmp_path, GOOD + "turn_taking: {playout_lead_s: 0.1}\n"), "t1")
    with pytest.raises(SettingsError, match=r"agent ann: .*CALLCLUSTER_PLAYOUT_CHUNK_MS, 200"):
        voice_configs([agent], Settings(_env_file=None, playout_chunk_ms=200))
    config = voice_config(agent, Settings(_env_file=None, playout_chunk_ms=40))
    assert (config.playout.chunk_frames, config.playout.lead_s) == (2, 0.1)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60) | st.binary(max_size=60))
def test_no_file_crashes_the_reader(text: str | bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        with pytest.raises(AgentFileError):
            load_agent(path, "t1")


def test_a_list_of_thinkers_is_a_chain_in_that_order(tmp_path: Path) -> None:
    agent = load_agent(write(tmp_path, GOOD + "thinker: [openai, azure_openai, scripted]\n"), "t1")
    assert agent.thinkers == ("openai", "azure_openai", "scripted")
    assert (agent.thinker, agent.think_chain) == ("openai", "openai > azure_openai > scripted")


def test_ears_and_voices_are_chains_too(tmp_path: Path) -> None:
    more = (
        "recogniser: [azure, deepgram]\n"
        "spare_voices:\n  - {speaker: azure, voice: en-US-AvaMultilingualNeural}\n"
        "  - {speaker: espeak, voice: f2}\n"
    )
    agent = load_agent(write(tmp_path, GOOD + more), "t1")
    assert agent.recognisers == ("azure", "deepgram")
    assert [(one.speaker, one.voice) for one in agent.voices[1:]] == [
        ("azure", "en-US-AvaMultilingualNeural"),
        ("espeak", "f2"),
    ]
    assert agent.speakers == (agent.speaker, "azure", "espeak")
    assert set(agent.providers) >= {"azure", "deepgram", "espeak", agent.thinker}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("recogniser: [azure, azure]", "recogniser: one name, or a list"),
        ("recogniser: [azure, ear]", "recogniser: no recogniser is called 'ear'"),
        ("spare_voices: [{speaker: mouth, voice: x}]", "spare_voices.0.speaker: no speaker"),
        ("spare_voices: [{speaker: espeak, voice: x9}]", "spare_voices.0.voice: "),
        ("spare_voices: [{speaker: espeak}]", "spare_voices.0.voice: is missing"),
        (
            "spare_voices: [{speaker: espeak, voice: f1}, {speaker: espeak, voice: f1}]",
            "spare_voices: one voice is named twice",
        ),
    ],
)
def test_a_wrong_link_of_a_chain_is_named(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(AgentFileError) as caught:
        load_agent(write(tmp_path, GOOD + more + "\n"), "t1")
    assert said in str(caught.value)


def test_one_thinker_is_one_however_it_is_written(tmp_path: Path) -> None:
    for text in ("thinker: scripted", "thinker: [scripted]"):
        agent = load_agent(write(tmp_path, f"{GOOD}{text}\n"), "t1")
        assert (agent.thinkers, agent.think_chain) == (("scripted",), "scripted")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("thinker: []", "thinker: one name, or a list of up to 4 different ones"),
        ("thinker: [openai, openai]", "thinker: one name, or a list of up to 4 different ones"),
        ("thinker: [openai, brain]", "thinker: no thinker is called 'brain'"),
    ],
)
def test_a_chain_that_is_none(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(AgentFileError, match=said):
        load_agent(write(tmp_path, f"{GOOD}{text}\n"), "t1")


def test_every_mistake_of_a_file_has_a_line_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, "language: no\nvoice: 7\ntemprature: 1\nhints: Ann\n")
    with pytest.raises(AgentFileError) as error:
        load_agent(path, "t1")
    assert str(error.value).splitlines() == [
        f"{path}:1: language: must be text: put it in quotes",  # YAML reads a truth value
        f"{path}: prompt: is missing",
        f"{path}:2: voice: must be text: put it in quotes",
        f"{path}:4: hints: must be a list, each entry after a hyphen of its own",
        f"{path}:3: temprature: there is no such field; did you mean temperature?",
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("commit_silence_s: 1\n", ":4: commit_silence_s: there is no such field here; it belongs "),
        ("phrases:\n  goodby: x\n", ":5: phrases.goodby: there is no such field; did you mean "),
        ("phrases:\n  greeting: x\n", ":5: phrases.greeting: there is no such field here; it bel"),
        ("tools:\n- type: end_call\n- type: transfer\n", ":6: tools.1.to: is missing"),
        ("tools: {type: end_call}\n", ":4: tools: must be a list"),
        ("phrases: hello\n", ":4: phrases: must hold fields of its own"),
        ("greeting: Hello: you\n", ":4: cannot be read: mapping values are not allowed here: a "),
        (
            "\thints: [x]\n",
            ":4: cannot be read: found character '\\t' that cannot start any token:",
        ),
    ],
)
def test_a_mistake_says_what_to_write(tmp_path: Path, more: str, said: str) -> None:
    path = write(tmp_path, GOOD + more)
    with pytest.raises(AgentFileError) as error:
        load_agent(path, "t1")
    assert str(error.value).startswith(f"{path}{said}")


@pytest.mark.parametrize(
    ("text", "reuse"),
    [
        ("", AnswerReuse()),
        ("response_cache: on\n", AnswerReuse()),
        ('response_cache: "on"\n', AnswerReuse()),
        ("response_cache: {}\n", AnswerReuse()),
        ("response_cache: off\n", AnswerReuse(is_on=False)),
        ('response_cache: "off"\n', AnswerReuse(is_on=False)),
        ("response_cache: {learn: false}\n", AnswerReuse(learns=False)),
        ("response_cache: {similar: off}\n", AnswerReuse(similar=False)),
    ],
)
def test_which_answers_are_given_again(tmp_path: Path, text: str, reuse: AnswerReuse) -> None:
    assert load_agent(write(tmp_path, GOOD + text), "t1").response_cache == reuse
