from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from telemetry.errors import PricesInvalid
from telemetry.prices import load_prices

OWN = """
as_of: 2027-01-02
language_models:
  my-llama: {prompt: 0.01, cached: 0, completion: 0.02}
  gpt-5.6-luna: {prompt: 9, cached: 8, completion: 7, source: our contract}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "prices.yaml"
    path.write_text(text, "utf-8")
    return path


def test_the_built_in_table_is_dated_and_every_entry_says_where_it_is_from() -> None:
    import yaml

    table = load_prices()
    assert table.as_of >= date(2026, 11, 20)
    assert table.language_models["gpt-5.6-luna"].prompt == 0.20
    assert table.carriers["twilio"].outbound_minute > table.carriers["twilio"].inbound_minute
    from telemetry import prices

    content = yaml.safe_load(Path(prices.__file__).with_name("prices.yaml").read_text("utf-8"))
    for section, entries in content.items():
        if section != "as_of":
            for name, entry in entries.items():
                assert isinstance(entry["of"], date), name
                assert entry["source"], name


def test_the_models_we_ask_for_by_default_have_a_price() -> None:
    from providers.models import DEFAULT_CHAT_MODEL, DEFAULT_SPEECH_MODEL
    from providers.table import RECOGNISERS

    table = load_prices()
    assert DEFAULT_CHAT_MODEL in table.language_models
    assert DEFAULT_SPEECH_MODEL in table.voices
    assert set(RECOGNISERS) <= set(table.recognisers)


def test_ones_own_file_goes_over_the_table(tmp_path: Path) -> None:
    table = load_prices(written(tmp_path, OWN))
    assert table.as_of == date(2027, 1, 2)
    assert table.language_models["my-llama"].completion == 0.02
    assert table.language_models["gpt-5.6-luna"].prompt == 9
    assert table.language_models["gpt-6-luna"].prompt == 0.10
    assert table.carriers == load_prices().carriers


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "must hold as_of"),
        ("{", "cannot be read"),
        ("as_of: soon", "as_of must be the day"),
        ("as_of: 2027-01-01\nmodels: {}", "unknown section 'models'"),
        ("as_of: 2027-01-01\nvoices: [a]", "voices must map"),
        ("as_of: 2027-01-01\nvoices: {a: {}}", "voices: a: give thousand_chars"),
        ("as_of: 2027-01-01\nvoices: {a: {thousand_chars: x}}", "must be US dollars, not 'x'"),
        ("as_of: 2027-01-01\nvoices: {a: {thousand_chars: -1}}", "must be US dollars, not -1"),
        ("as_of: 2027-01-01\nvoices: {a: {thousand_chars: .nan}}", "must be US dollars"),
        ("as_of: 2027-01-01\nvoices: {a: {thousand_chars: 1, per: 2}}", "unknown 'per'"),
    ],
)
def test_a_wrong_file_is_said_with_its_setting(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(PricesInvalid, match="CALLCLUSTER_PRICES_FILE") as raised:
        load_prices(written(tmp_path, text))
    assert complaint in raised.value.message


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(PricesInvalid, match=r"nowhere\.yaml"):
        load_prices(tmp_path / "nowhere.yaml")
