"""Google's credentials as the doctor sees them, without Google."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from cluster.doctor.check_google import examine_google, examine_google_trial
from cluster.doctor.finding import Finding
from cluster.doctor.place import Place
from cluster.settings import Settings
from dialogue.agent import Agent
from providers.errors import ProviderRefused

pytest.importorskip("google.auth")

AGENT = Agent("t", "ann", "v", "en-US", "prompt", "", "voice", recogniser="google")
EMULATED = "http://127.0.0.1:1"


def looked_at(path: str = "", *, agent: Agent = AGENT, **fields: Any) -> list[Finding]:
    settings = Settings(_env_file=None, google_application_credentials=path, **fields)
    place = Place(settings=settings, agents={("t", "ann"): agent}, try_keys=True)
    return list(asyncio.run(examine_google(place)))


def test_a_file_that_holds_credentials_is_good(tmp_path: Path) -> None:
    path = tmp_path / "user.json"
    fields = {"client_id": "c", "client_secret": "s", "refresh_token": "r"}
    path.write_text(json.dumps({"type": "authorized_user", **fields}), "utf-8")
    (finding,) = looked_at(str(path))
    assert finding.status == "ok"


@pytest.mark.parametrize("text", ["", "{}", '{"type": "service_account"}', "no json"])
def test_a_file_that_holds_none_is_told_without_what_is_in_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(text, "utf-8")
    (finding,) = looked_at(str(path))
    assert finding.status == "fail"
    assert finding.subject == "GOOGLE_APPLICATION_CREDENTIALS"
    assert "no credentials" in finding.found


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    (finding,) = looked_at(str(tmp_path / "none.json"))
    assert finding.status == "fail"


def test_nobody_asks_where_google_is_not_used_or_only_emulated() -> None:
    other = Agent("t", "ann", "v", "en-US", "prompt", "", "voice", recogniser="azure")
    assert looked_at("nowhere", agent=other) == []
    emulated = {"google_speech_endpoint": EMULATED, "google_tts_endpoint": EMULATED}
    assert looked_at("nowhere", **emulated) == []


def test_credentials_that_google_takes_no_more_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: str) -> str:
        raise ProviderRefused("no token: RefreshError", "google")

    monkeypatch.setattr("cluster.doctor.check_google.access_token", refuse)
    place = Place(settings=Settings(_env_file=None), agents={("t", "ann"): AGENT}, try_keys=True)
    (finding,) = asyncio.run(examine_google_trial(place))
    assert (finding.status, finding.found) == ("fail", "no token: RefreshError")
