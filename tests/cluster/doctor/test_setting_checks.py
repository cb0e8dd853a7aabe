"""What the doctor says of settings, agents, keys and time; it never shows a key."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cluster.doctor.check_clock import clock_finding, time_sources
from cluster.doctor.check_key_trials import ADDRESS_OF, KeyTrial, planned, trial_finding, try_key
from cluster.doctor.check_keys import (
    chat_findings,
    examine_keys,
    key_finding,
    model_finding,
    speech_model_findings,
    used_keys,
    without_user,
)
from cluster.doctor.check_nodes import node_findings
from cluster.doctor.check_public import certificate_finding, socket_findings
from cluster.doctor.check_running import replica_findings
from cluster.doctor.check_settings import examine_agents, examine_settings
from cluster.doctor.check_voices import voice_finding
from cluster.doctor.finding import Finding
from cluster.doctor.place import Place
from cluster.setting_names import UnknownName
from cluster.settings import Settings
from cluster.voice_lookup import VoiceAnswer
from dialogue.agent import SpareVoice
from tests.support.scripted_call import AGENT
from tests.support.virtual_time import run

KEYED = replace(AGENT, recogniser="azure", thinker="openai", speaker="elevenlabs", model="")
SECRET = "sk-do-not-show-me"
DEPLOYED = "https://res.openai.azure.com/openai/deployments/voice/chat/completions?api-version=1"


def settings(**fields: Any) -> Settings:
    return Settings(_env_file=None, **fields)


def place(known: Settings, *agents: Any) -> Place:
    named = {(agent.tenant_id, agent.agent_id): agent for agent in agents or (KEYED,)}
    return Place(settings=known, agents=named)


def statuses(findings: Sequence[Finding]) -> dict[str, str]:
    return {finding.subject: finding.status for finding in findings}


# --- settings and agents -------------------------------------------------------------------------


def test_settings_that_would_stop_the_start_are_a_failure() -> None:
    (bad,) = run(examine_settings(Place(settings=None, settings_problem="CALLCLUSTER_PORT: abc")))
    assert (bad.status, bad.found) == ("fail", "CALLCLUSTER_PORT: abc")
    findings = run(examine_settings(place(settings(mode="development"))))
    assert statuses(findings) == {"settings": "ok", "CALLCLUSTER_MODE": "warn"}


def test_a_single_replica_that_callers_reach_is_told() -> None:
    findings = run(examine_settings(place(settings())))
    assert statuses(findings) == {"settings": "ok", "CALLCLUSTER_INGRESS_REPLICAS": "warn"}
    assert statuses(run(examine_settings(place(settings(ingress_replicas=2))))) == {
        "settings": "ok"
    }


def test_names_that_nobody_reads_are_told_with_what_may_be_meant() -> None:
    known = replace(
        place(settings(ingress_replicas=2)),
        unknown_names=[UnknownName("CALLCLUSTER_PROT", "CALLCLUSTER_PORT")],
    )
    _, told = run(examine_settings(known))
    assert (told.status, told.subject) == ("warn", "CALLCLUSTER_PROT")
    assert told.found == "is read by nobody: is CALLCLUSTER_PORT meant?"


def test_an_agent_is_shown_with_its_stand_ins() -> None:
    spare = SpareVoice("espeak", "f2")
    chain = replace(KEYED, then_thinkers=("openrouter",), spare_voices=(spare,))
    found = run(examine_agents(place(settings(default_agent="a1", tenant_id="t1"), chain)))
    assert found[0].found == "en-US, azure / openai > openrouter / elevenlabs > espeak"


def test_the_key_of_a_spare_voice_is_looked_at_and_only_then() -> None:
    known = settings(openai_tts_api_key=SECRET, elevenlabs_api_key=SECRET)
    assert "OPENAI_TTS_API_KEY" not in used_keys(known, [KEYED])
    spare = replace(KEYED, spare_voices=(SpareVoice("openai", "alloy"),))
    assert used_keys(known, [spare])["OPENAI_TTS_API_KEY"] == SECRET


def test_agents_are_read_and_the_default_one_must_be_there() -> None:
    known = settings(default_agent="a1", tenant_id="t1")
    other = replace(KEYED, tenant_id="acme", agent_id="sales")
    findings = run(examine_agents(place(known, KEYED, other)))
    assert statuses(findings) == {"agent a1": "ok", "agent acme/sales": "ok"}
    missing = run(examine_agents(place(settings(default_agent="nobody"))))
    assert statuses(missing)["CALLCLUSTER_DEFAULT_AGENT"] == "fail"
    broken = Place(settings=known, agents_problem="agents/x.yaml: prompt: Field required")
    assert run(examine_agents(broken))[0].status == "fail"


def test_who_is_in_the_wrong_folder_is_not_sent_to_another_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir()
    for folder in ("agents", "var"):  # one that is not there, and one without files
        monkeypatch.setenv("CALLCLUSTER_AGENTS_DIR", folder)
        (finding,) = run(examine_agents(Place.of_environment()))
        assert str(tmp_path / folder) in finding.found
        assert "the folder of your deployment" in finding.found
        assert "CALLCLUSTER_AGENTS_DIR" in finding.advice
        assert "agents validate" not in finding.advice


# --- keys ----------------------------------------------------------------------------------------


def test_keys_are_counted_and_not_shown() -> None:
    known = settings(
        openai_api_key=SECRET,
        azure_speech_key=SECRET,
        azure_speech_region="westeurope",
        elevenlabs_api_key=SECRET,
        twilio_auth_token=SECRET,
        twilio_account_sid="AC" + "0" * 32,
    )
    findings = run(examine_keys(place(known)))
    assert {finding.status for finding in findings} == {"ok"}
    assert f"set, {len(SECRET)} characters" in findings[0].found
    assert SECRET not in repr(findings)


def test_missing_keys_are_failures_that_name_the_variable() -> None:
    findings = run(examine_keys(place(settings())))
    said = " ".join(finding.found for finding in findings)
    for name in ("AZURE_SPEECH_KEY", "ELEVENLABS_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY"):
        assert name in said
    assert statuses(findings)["TWILIO_ACCOUNT_SID"] == "warn"


def test_agents_without_keys_need_none() -> None:
    findings = run(examine_keys(place(settings(), AGENT)))
    assert not [finding for finding in findings if finding.status == "fail"]


@pytest.mark.parametrize("value", [f" {SECRET}", f'"{SECRET}"', f"{SECRET}\n", "sk two"])
def test_a_key_with_blanks_or_quotes_is_odd(value: str) -> None:
    found = key_finding("OPENAI_API_KEY", value)
    assert found.status == "warn"
    assert SECRET not in repr(found)


def test_the_report_says_which_service_thinks_and_which_are_left_out() -> None:
    known = settings(
        azure_openai_api_key=SECRET, azure_openai_endpoint=DEPLOYED, openrouter_api_key=SECRET
    )
    chosen, model = chat_findings(known, [KEYED], date(2026, 1, 1))
    assert chosen.found.startswith(
        "Azure OpenAI at https://res.openai.azure.com/openai/deployments/voice, by "
        "AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT"
    )
    assert "not used: OpenRouter" in chosen.found
    assert model.subject == "model voice"
    assert SECRET not in repr((chosen, model))


def test_an_address_is_shown_without_its_password() -> None:
    assert without_user("https://u:p@gate.example/v1?key=k") == "https://gate.example/v1"


@pytest.mark.parametrize(
    ("retires_on", "status"),
    [
        (None, "ok"),
        (date(2026, 3, 1), "ok"),
        (date(2026, 1, 20), "warn"),
        (date(2026, 1, 1), "fail"),
    ],
)
def test_a_model_that_retires_is_said(retires_on: date | None, status: str) -> None:
    assert model_finding("m", retires_on, date(2026, 1, 1)).status == status


def test_what_to_do_about_a_model_is_what_helps() -> None:
    known = settings(openai_api_key=SECRET, openai_model="gpt-5")
    agents = [KEYED, replace(KEYED, agent_id="b", model="gpt-4o")]
    _, by_file, by_setting = chat_findings(known, agents, date(2028, 1, 1))
    assert (by_file.subject, by_file.advice) == (
        "model gpt-4o",
        "change model in the agent's file",
    )
    assert (by_setting.subject, by_setting.advice) == ("model gpt-5", "set OPENAI_MODEL")


def test_a_voice_that_retires_is_said_unless_it_is_another_servers() -> None:
    (finding,) = speech_model_findings(settings(), date(2027, 2, 1))
    assert finding.status == "fail"
    assert "cannot speak" in str(finding)
    (finding,) = speech_model_findings(settings(openai_tts_model="new"), date(2027, 2, 1))
    assert finding.status == "ok"
    own = settings(openai_tts_base_url="http://kokoro:8880/v1")
    assert speech_model_findings(own, date(2027, 2, 1)) == []


def test_the_key_of_a_speech_server_is_tried_there() -> None:
    own = settings(openai_tts_api_key=SECRET, openai_tts_base_url="http://kokoro:8880/v1/")
    trials = [trial for name, trial in planned(own) if trial.setting == "OPENAI_TTS_API_KEY"]
    assert [trial.url for trial in trials] == ["http://kokoro:8880/v1/models"]


@pytest.mark.parametrize(
    ("problem", "advice"),
    [
        ("elevenlabs: HTTP 401 (look at ELEVENLABS_API_KEY)", "change the setting that it names"),
        ("elevenlabs: HTTP 503", "try again"),
    ],
)
def test_a_voice_that_nobody_would_tell_of_is_looked_for_where_it_helps(
    problem: str, advice: str
) -> None:
    found = voice_finding(VoiceAnswer("v", ("a1",), problem=problem))
    assert (found.status, found.advice) == ("warn", advice)


@pytest.mark.parametrize(
    ("setting", "named"),
    [("AZURE_SPEECH_KEY", "look at AZURE_SPEECH_REGION"), ("NEW_API_KEY", "look at its address")],
)
def test_an_address_that_cannot_be_reached_is_named(setting: str, named: str) -> None:
    trial = KeyTrial(setting, "GET", "http://h:none/", {})  # no URL: nothing is sent
    found = asyncio.run(try_key(trial, place(settings())))
    assert found.status == "fail"
    assert found.advice.startswith(named)


# --- keys, tried ---------------------------------------------------------------------------------


def test_each_provider_is_asked_where_it_stands() -> None:
    known = settings(
        azure_speech_key=SECRET,
        azure_speech_region="westeurope",
        deepgram_api_key=SECRET,
        azure_openai_api_key=SECRET,
        azure_openai_endpoint=DEPLOYED,
        elevenlabs_api_key=SECRET,
        elevenlabs_base_url="http://127.0.0.1:7103/",
    )
    trials = dict(planned(known))
    assert trials["azure"].url == (
        "https://westeurope.api.cognitive.microsoft.com/sts/v1.0/issueToken"
    )
    assert trials["openai"].url.endswith("/openai/deployments/voice/chat/completions")
    assert trials["openai"].params == (("api-version", "1"),)
    assert trials["deepgram"].url == "https://api.deepgram.com/v1/projects"
    assert trials["elevenlabs"].url == "http://127.0.0.1:7103/v1/user/subscription"
    assert SECRET not in repr(trials)
    there = settings(azure_speech_key="k", azure_speech_host="ws://127.0.0.1:7101")
    assert dict(planned(there))["azure"].url == "http://127.0.0.1:7101/sts/v1.0/issueToken"
    named = [*trials.values(), *dict(planned(settings(cartesia_api_key=SECRET))).values()]
    assert {trial.setting for trial in named} <= set(ADDRESS_OF), "or nobody says where to look"
    router = settings(openrouter_api_key=SECRET)
    assert dict(planned(router))["openai"].url == "https://openrouter.ai/api/v1/key"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, "", "ok"),
        (400, "", "ok"),
        (401, "", "fail"),
        (401, '{"detail":{"status":"missing_permissions"}}', "ok"),
        (402, "", "fail"),
        (404, "", "fail"),
        (429, "", "warn"),
        (500, "", "warn"),
    ],
)
def test_what_an_answer_means_for_a_key(status: int, body: str, expected: str) -> None:
    known = settings(azure_openai_api_key=SECRET, azure_openai_endpoint=DEPLOYED)
    found = trial_finding(dict(planned(known))["openai"], "res.openai.azure.com", status, body)
    assert found.status == expected
    assert SECRET not in repr(found)


def test_a_page_that_is_not_there_proves_nothing() -> None:
    trial = dict(planned(settings(openrouter_api_key=SECRET)))["openai"]
    assert trial_finding(trial, "h", 404, "").status == "skipped"
    assert trial_finding(trial, "h", 400, "").status == "warn"


# --- time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offsets_s", "status"),
    [([], "skipped"), ([0.4], "ok"), ([-5.0, 0.1, 0.3], "ok"), ([5.0], "warn"), ([-40.0], "fail")],
)
def test_the_median_of_other_peoples_clocks_counts(offsets_s: list[float], status: str) -> None:
    assert clock_finding(offsets_s).status == status


def test_this_machine_does_not_tell_itself_the_time() -> None:
    known = settings(
        elevenlabs_base_url="http://127.0.0.1:7103", openai_base_url="http://u:p@gate.example/v1"
    )
    assert time_sources(known) == ["https://api.twilio.com/", "http://gate.example/"]


# --- the running product and its nodes -----------------------------------------------------------

READY = {
    "ready": True,
    "pid": 7,
    "active_calls": 1,
    "max_calls": 9,
    "haproxy": True,
    "warnings": [],
}


def test_a_replica_is_ready_behind_haproxy_or_not() -> None:
    assert {finding.status for finding in replica_findings(READY)} == {"ok"}
    waiting = replica_findings({**READY, "ready": False, "waiting_for": ["voice: no key"]})
    assert (waiting[0].status, "voice: no key" in waiting[0].found) == ("fail", True)
    python = replica_findings({**READY, "haproxy": False, "warnings": ["RAY_SERVE_... is not 1"]})
    assert [finding.status for finding in python] == ["ok", "warn"]
    nice = replica_findings({**READY, "warnings": ["this process runs at nice 15"]})
    assert nice[-1].found == "this process runs at nice 15"


HERE: dict[str, Any] = {
    "python": "3.11.7",
    "packages": {"ray": "2.60.0", "callcluster": "0.1.0"},
    "code_digest": "aa",
    "code_at": "/opt",
    "haproxy": True,
    "complaints": [],
    "error": "",
}
SAME: dict[str, Any] = {
    **HERE,
    "ip": "10.0.0.2",
    "asked_s": 100.0,
    "time_s": 100.5,
    "read_s": 103.0,
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {"node 10.0.0.2": "ok"}),
        ({"python": "3.12.1"}, {"node 10.0.0.2": "fail"}),
        ({"packages": {"ray": "2.59.0", "callcluster": "0.1.0"}}, {"node 10.0.0.2": "fail"}),
        ({"packages": {}}, {"node 10.0.0.2": "fail"}),
        ({"code_digest": "bb"}, {"node 10.0.0.2": "fail"}),
        ({"error": "ModuleNotFoundError: cluster"}, {"node 10.0.0.2": "fail"}),
        ({"code_at": "/usr"}, {"node 10.0.0.2": "ok", "node 10.0.0.2: place": "warn"}),
        ({"haproxy": False}, {"node 10.0.0.2": "ok", "node 10.0.0.2: proxy": "warn"}),
        ({"complaints": ["nice"]}, {"node 10.0.0.2": "ok", "node 10.0.0.2: environment": "warn"}),
        ({"time_s": 90.0}, {"node 10.0.0.2": "ok", "node 10.0.0.2: clock": "fail"}),
        ({"time_s": 110.0}, {"node 10.0.0.2": "ok", "node 10.0.0.2: clock": "fail"}),
        ({"replicas": [READY]}, {"node 10.0.0.2": "ok", "node 10.0.0.2: replicas": "ok"}),
        (
            {"replicas": [READY, {**READY, "haproxy": False}]},
            {"node 10.0.0.2": "ok", "node 10.0.0.2: replica 7: proxy": "warn"},
        ),
        ({"time_s": 104.0}, {"node 10.0.0.2": "ok"}),  # no more than the answer may have waited
    ],
)
def test_every_node_must_be_as_this_one(change: dict[str, Any], expected: dict[str, str]) -> None:
    assert statuses(node_findings(HERE, [{**SAME, **change}])) == expected


def test_a_difference_between_nodes_is_spelled_out() -> None:
    (found,) = node_findings(HERE, [{**SAME, "packages": {"ray": "2.59.0"}}])
    assert found.found == "differs: ray 2.59.0 (here 2.60.0), callcluster none (here 0.1.0)"
    assert node_findings(HERE, [])[0].status == "fail"


# --- the public address --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signed", "unsigned", "is_development", "expected"),
    [
        (101, 403, False, ("ok", "ok")),
        (403, 403, False, ("fail", "ok")),
        (404, 404, False, ("fail", "skipped")),
        ("ConnectionResetError", 403, False, ("fail", "ok")),
        (101, 101, False, ("ok", "fail")),
        (None, 101, True, ("skipped", "warn")),
    ],
)
def test_what_two_handshakes_say(
    signed: int | str | None, unsigned: int | str, is_development: bool, expected: tuple[str, str]
) -> None:
    findings = socket_findings("wss://h/m", signed, unsigned, is_development=is_development)
    assert tuple(finding.status for finding in findings) == expected


@pytest.mark.parametrize(
    ("ends", "status"),
    [("Mar  1 00:00:00 2026 GMT", "ok"), ("Jan  9 00:00:00 2026 GMT", "warn"), (None, "ok")],
)
def test_a_certificate_that_ends_soon_is_a_warning(ends: str | None, status: str) -> None:
    new_year_s = 1_767_225_600.0
    certificate = {"notAfter": ends} if ends else {}
    assert certificate_finding(certificate, new_year_s).status == status
