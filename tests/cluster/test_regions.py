"""Which region is nearest to a caller, and what is said of a table that cannot be."""

from __future__ import annotations

import re

import pytest

from cluster.regions import RegionTable, checked_regions, country_of, region_table

EU, US, AP = "https://eu.example.com", "https://us.example.com", "https://ap.example.com:8443"
THREE = f"eu={EU} DE FR us={US} US CA * ap={AP} JP AU"
NO_REST = f"eu={EU} DE us={US} US ap={AP} JP"


def table(mine: str, text: str = THREE) -> RegionTable:
    url = {"eu": EU, "us": US, "ap": AP}[mine]
    found = region_table(checked_regions(text), mine, url)
    assert found is not None
    return found


def names(regions: object) -> list[str]:
    return [region.name for region in regions]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("mine", "country", "order"),
    [
        ("eu", "DE", ["eu", "us", "ap"]),
        ("us", "DE", ["eu", "us", "ap"]),
        ("eu", "us", ["us", "eu", "ap"]),
        ("eu", "JP", ["ap", "us", "eu"]),
        ("eu", "BR", ["us", "eu", "ap"]),  # nobody names it: who takes the rest
        ("ap", "", ["us", "eu", "ap"]),  # the carrier does not say
    ],
)
def test_the_nearest_is_first_and_the_order_is_everywhere_the_same(
    mine: str, country: str, order: list[str]
) -> None:
    assert names(table(mine).order(country)) == order


@pytest.mark.parametrize(("mine", "country"), [("eu", "BR"), ("us", "BR"), ("ap", "")])
def test_a_country_that_nobody_takes_is_whose_number_was_called(mine: str, country: str) -> None:
    assert names(table(mine, NO_REST).order(country))[0] == mine
    assert table(mine, NO_REST).before_mine(country, ()) == ()


def test_who_is_away_is_left_out_before_and_after() -> None:
    eu = table("eu")
    assert names(eu.before_mine("JP", ())) == ["ap", "us"]
    assert names(eu.before_mine("JP", {"ap"})) == ["us"]
    assert names(eu.after_mine("JP", ())) == []  # both were asked before it came here
    assert names(eu.after_mine("DE", ())) == ["us", "ap"]
    assert names(eu.after_mine("DE", {"us"})) == ["ap"]
    # Who is nearer and away is not asked after all because there is no place here either.
    assert names(eu.after_mine("JP", {"ap"})) == []


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (f"{US}/twilio/resume?s=abc", "us"),
        (f"{AP}/twilio/voice", "ap"),
        ("https://ap.example.com/twilio/voice", ""),
        ("https://other.example.com/twilio/voice", ""),
        ("", ""),
        ("https://[::1", ""),
    ],
)
def test_a_url_tells_its_region(url: str, name: str) -> None:
    assert table("eu").at(url) == name


@pytest.mark.parametrize(
    ("form", "country"),
    [
        ({"FromCountry": "de"}, "DE"),
        ({"CallerCountry": "US"}, "US"),
        ({"FromCountry": "", "CallerCountry": "US"}, "US"),
        ({"FromCountry": "HK", "CallerCountry": "US"}, "HK"),
        ({"From": "+4930123456"}, ""),
    ],
)
def test_the_country_is_the_carriers_word(form: dict[str, str], country: str) -> None:
    assert country_of(form) == country


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"EU={EU} DE us={US}", "'EU': a region is 1 to 20 of a-z"),
        (f"eu={EU} DE", "name two regions or more"),
        (f"DE eu={EU} us={US}", "'DE': begin with a region"),
        (f"eu={EU} us={US} eu={AP}", "eu stands there twice"),
        (f"eu={EU} us={EU}", "the same address"),
        (f"eu={EU} DE us={US} de", "DE is with eu already"),
        (f"eu={EU} * us={US} *", "* is with eu already"),
        (f"eu={EU} DEU us={US}", "'DEU': a country is two letters"),
        (f"eu={EU}/voice us={US}", "write the region's PUBLIC_URL, as eu=https://eu.example.com"),
        ("eu=eu.example.com us=us.example.com", "eu=eu.example.com: write the region's PUBLIC_URL"),
    ],
)
def test_a_table_that_cannot_be_says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        checked_regions(text)


@pytest.mark.parametrize(
    ("regions", "mine", "url", "said"),
    [
        ("", "eu", EU, "CALLCLUSTER_REGIONS is not set"),
        (THREE, "", EU, "CALLCLUSTER_REGION is not set: say which of eu, us, ap"),
        (THREE, "uk", EU, "CALLCLUSTER_REGION is uk, CALLCLUSTER_REGIONS has eu, us, ap"),
        (THREE, "eu", US, f"PUBLIC_URL is {US}, but CALLCLUSTER_REGIONS has eu at {EU}"),
    ],
)
def test_settings_that_contradict_each_other_are_named(
    regions: str, mine: str, url: str, said: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        region_table(regions, mine, url)


def test_one_region_alone_has_no_table() -> None:
    assert checked_regions(" ") == ""
    assert region_table("", "", EU) is None


def test_commas_and_line_breaks_part_words_as_well() -> None:
    assert checked_regions(f"eu={EU} DE,FR\n us={US}, US") == f"eu={EU} DE FR us={US} US"
