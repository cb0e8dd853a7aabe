"""What one process is given to survive its providers, without starting anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from actors.metrics_failover import LedgerTally, show_health
from cluster.provider_health import ProcessHealth, ears_of, think_chains, voices_of
from cluster.provider_settings import provider_settings
from cluster.settings import Settings
from dialogue.agent import SpareVoice
from dialogue.ports import Thinker
from providers.failover.candidates import think_candidate
from providers.failover.speaker import FailoverSpeaker
from providers.failover.thinker import FailoverThinker
from providers.health.local import LocalHealth
from providers.health.signals import Sign, Signal
from providers.health.unit import Unit, credential_label, unit_of_key
from providers.health.view import HealthView
from telemetry import catalog
from telemetry.ledger import MetricsLedger
from tests.support.fake_ear_and_mouth import FakeRecogniser, FakeSpeaker
from tests.support.fake_thinker import FakeThinker
from tests.support.scripted_call import AGENT


def settings(**fields: Any) -> Settings:
    return Settings(_env_file=None, **fields)


def health(ledger: MetricsLedger, **fields: Any) -> ProcessHealth:
    return ProcessHealth("call-actor-1", settings(**fields), ledger)


def test_one_name_is_the_service_itself_and_a_chain_is_one_of_its_own() -> None:
    services: dict[str, Thinker] = {name: FakeThinker((), name=name) for name in ("a", "b")}
    chains = {"a": ("a",), "a > b": ("a", "b"), "b > a": ("b", "a")}
    ledger = MetricsLedger("call-actor-1", 1)
    found = think_chains(chains, services, provider_settings(settings()), health(ledger))
    assert found["a"] is services["a"]
    assert isinstance(found["a > b"], FailoverThinker)
    assert [found[name].name for name in chains] == list(chains)


def test_agents_with_one_ear_and_one_voice_share_the_services_and_judge_nobody() -> None:
    ledger = MetricsLedger("ingress-1", 1)
    process = health(ledger)
    plain = replace(AGENT, recogniser="a", speaker="x", spoken_forms="off")
    rich = replace(plain, then_recognisers=("b",), spare_voices=(SpareVoice("y", "alto"),))
    agents = {"plain": plain, "rich": rich, "richer": replace(rich, voice="bass")}
    listening = {name: named(FakeRecogniser(), name) for name in "ab"}
    speaking = {name: named(FakeSpeaker(), name) for name in "xy"}

    voices = voices_of({"plain": plain}, speaking, process)
    assert voices["plain"] is speaking["x"]
    ears = ears_of({"plain": plain}, listening, process)
    assert ears["plain"].order() == (0,)
    assert not process.view.probes

    ears = ears_of(agents, listening, process)
    assert ears["rich"] is ears["richer"]
    assert [one.name for one in ears["rich"].recognisers] == ["a", "b"]
    voices = voices_of(agents, speaking, process)
    assert isinstance(voices["rich"], FailoverSpeaker)
    assert voices["rich"].name == "x"
    assert Unit("y", "tts.ttfa", model="alto").key in process.view.probes
    assert Unit("b", "stt.open").key in process.view.probes


def named(service: Any, name: str) -> Any:
    service.name = name
    return service


def test_no_hedge_where_none_is_allowed() -> None:
    ledger = MetricsLedger("call-actor-1", 1)
    generous, none = health(ledger).budgets(), health(ledger, hedge_ratio=0).budgets()
    assert generous.of("ann").spend()
    assert not generous.of("ann").spend()
    assert generous.of("bob").spend(), "each tenant has its own"
    none.of("ann").request_sent()
    assert not none.of("ann").spend()


def test_a_unit_of_health_tells_services_and_keys_apart_and_shows_no_key() -> None:
    known = provider_settings(
        settings(
            openai_api_key="sk-one",
            openai_base_url="https://user:pass@gateway.example/v1",
            openrouter_api_key="sk-two",
            openrouter_model="m/x",
        )
    )
    one, two, three = (
        think_candidate(name, FakeThinker(()), known) for name in ("openai", "openrouter", "tone")
    )
    assert (one.region, two.region) == ("gateway.example", "openrouter.ai")
    assert two.model == "m/x"
    assert one.credential != two.credential
    assert "sk-" not in repr((one.credential, two.credential))
    assert (three.name, three.region, three.credential) == ("tone", "", "")


def test_what_is_counted() -> None:
    ledger = MetricsLedger("call-actor-1", 1)
    tally = LedgerTally(ledger)
    tally.asked("think", "openai", "first")
    tally.asked("think", "azure_openai", "hedge")
    tally.waited("think", 0.6)
    view = HealthView(LocalHealth("call-actor-1", lambda: 0.0), lambda: 1_000.0)
    for name in ("openai", "azure_openai"):
        view.can_probe(Unit(name, "llm.ttft").key, _never)
    for _ in range(4):
        view.saw(Unit("openai", "llm.ttft").key, Signal(Sign.UNAVAILABLE))
    show_health(ledger, view)
    plain = str(ledger.snapshot())
    for metric in (catalog.PROVIDER_REQUESTS, catalog.FAILOVER_WAIT, catalog.PROVIDER_LEFT):
        assert metric.name in plain
    gauges = {
        tuple(labels): value
        for name, labels, value in _gauges(ledger)
        if name == catalog.PROVIDER_LEFT.name
    }
    assert gauges == {("openai", "llm.ttft"): 1.0, ("azure_openai", "llm.ttft"): 0.0}


def _gauges(ledger: MetricsLedger) -> list[Any]:
    return [(name, labels, value) for (name, labels), value in ledger._gauges.items()]


async def _never() -> float:
    raise AssertionError("nobody probes here")


def test_another_key_or_region_of_a_vendor_is_judged_by_itself() -> None:
    ledger = MetricsLedger("ingress-1", 1)
    process = health(
        ledger,
        deepgram_api_key="d-secret",
        elevenlabs_api_key="e-secret",
        azure_speech_key="a-secret",
        azure_speech_region="westeurope",
    )
    agent = replace(
        AGENT,
        recogniser="azure",
        then_recognisers=("deepgram",),
        speaker="elevenlabs",
        spare_voices=(SpareVoice("azure", "en-GB-SoniaNeural"),),
    )
    ears_of({0: agent}, {n: named(FakeRecogniser(), n) for n in agent.recognisers}, process)
    voices_of({0: agent}, {n: named(FakeSpeaker(), n) for n in agent.speakers}, process)

    units = [unit_of_key(key) for key in process.view.probes]
    found = {(unit.operation[:3], unit.provider, unit.region, unit.credential) for unit in units}
    assert found == {
        ("stt", "azure", "westeurope", credential_label("a-secret")),
        ("stt", "deepgram", "api.deepgram.com", credential_label("d-secret")),
        ("tts", "elevenlabs", "api.elevenlabs.io", credential_label("e-secret")),
        ("tts", "azure", "westeurope", credential_label("a-secret")),
    }
    assert "secret" not in "".join(process.view.probes)
