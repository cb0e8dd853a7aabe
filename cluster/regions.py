"""``CALLCLUSTER_REGIONS``: where else this product runs, and which region is nearest to a caller.

``eu=https://eu.voice.example.com DE FR GB us=https://us.voice.example.com US CA *``: the name of a
region and its address, then the countries whose callers it is nearest to (ISO 3166, two letters),
``*`` for all the rest. The order in which regions stand is the order of spares.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from telephony.errors import InvalidSetting
from telephony.origin import PublicOrigin

THE_REST = "*"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")
_COUNTRY = re.compile(r"[A-Z]{2}")
# The carrier tells the caller's country in the one, and in older webhooks in the other.
_COUNTRY_FIELDS = ("FromCountry", "CallerCountry")


@dataclass(frozen=True, slots=True)
class Region:
    """One deployment among several, with calls, actors and a store of its own.

    Attributes:
        countries: Two capital letters each, or ``THE_REST``.
    """

    name: str
    origin: PublicOrigin
    countries: frozenset[str]


class RegionTable:
    """All regions, as seen from one of them.

    Args:
        regions: In the order of the setting, the same everywhere.
        mine: Name of this one.
    """

    def __init__(self, regions: Sequence[Region], mine: str) -> None:
        self._regions = tuple(regions)
        self.mine = mine

    @property
    def others(self) -> tuple[Region, ...]:
        """Every region but this one."""
        return tuple(region for region in self._regions if region.name != self.mine)

    def order(self, country: str) -> tuple[Region, ...]:
        """Every region, the one to be tried first at the head.

        Who names the country, who takes the rest, then the others as they stand in the setting. A
        country that nobody takes belongs to this region: its number was called.

        Args:
            country: Of the caller, two letters in either case; empty when the carrier does not say.
        """
        country = country.upper()

        def rank(region: Region) -> int:
            if country and country in region.countries:
                return 0
            if THE_REST in region.countries:
                return 1
            return 2 if region.name == self.mine and not self._is_taken(country) else 3

        return tuple(sorted(self._regions, key=rank))

    def before_mine(self, country: str, away: Collection[str]) -> tuple[Region, ...]:
        """The regions that this caller is nearer to than to this one.

        Args:
            country: As for ``order``.
            away: Names of regions that are not to be asked.
        """
        found = []
        for region in self.order(country):
            if region.name == self.mine:
                break
            if region.name not in away:
                found.append(region)
        return tuple(found)

    def after_mine(self, country: str, away: Collection[str]) -> tuple[Region, ...]:
        """The regions that are left for a caller for whom there is no place here."""
        nearer = {self.mine, *(region.name for region in self.before_mine(country, ()))}
        return tuple(
            region
            for region in self.order(country)
            if region.name not in nearer and region.name not in away
        )

    def at(self, url: str) -> str:
        """Name of the region that a URL is of; empty when it is of none."""
        try:
            parts = urlsplit(url)
            there = PublicOrigin.parse(f"{parts.scheme}://{parts.netloc}")
        except (ValueError, InvalidSetting):
            return ""
        return next((region.name for region in self._regions if region.origin == there), "")

    def _is_taken(self, country: str) -> bool:
        return any(
            THE_REST in region.countries or country in region.countries for region in self._regions
        )


def country_of(form: Mapping[str, str]) -> str:
    """The caller's country, as the carrier tells it; empty when it does not."""
    return next((form[name].strip().upper() for name in _COUNTRY_FIELDS if form.get(name)), "")


def checked_regions(text: str) -> str:
    """The setting with one blank between its words.

    Raises:
        ValueError: It cannot be read; says what to write.
    """
    return " ".join(_words(text)) if _read(text) else ""


def region_table(regions: str, mine: str, public_url: str) -> RegionTable | None:
    """The table of ``CALLCLUSTER_REGIONS``, ``CALLCLUSTER_REGION`` and ``PUBLIC_URL``.

    Args:
        regions: What ``checked_regions`` has answered.
        mine: Name of this region.
        public_url: Of this region.

    Returns:
        None when the product runs in one region only.

    Raises:
        ValueError: They contradict each other; names the settings.
    """
    read = _read(regions)
    if not read and not mine:
        return None
    names = ", ".join(region.name for region in read)
    if not read:
        raise ValueError("CALLCLUSTER_REGION names a region, but CALLCLUSTER_REGIONS is not set")
    if not mine:
        raise ValueError(f"CALLCLUSTER_REGION is not set: say which of {names} this one is")
    here = next((region for region in read if region.name == mine), None)
    if here is None:
        raise ValueError(f"CALLCLUSTER_REGION is {mine}, CALLCLUSTER_REGIONS has {names}")
    if here.origin != PublicOrigin.parse(public_url):
        raise ValueError(
            f"PUBLIC_URL is {public_url}, but CALLCLUSTER_REGIONS has {mine} at "
            f"{here.origin.url('')}: one of them is wrong"
        )
    return RegionTable(read, mine)


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _read(text: str) -> tuple[Region, ...]:
    """Raises ``ValueError``."""
    places: dict[str, PublicOrigin] = {}
    countries: dict[str, list[str]] = {}
    name = ""
    for word in _words(text):
        if "=" in word:
            name, _, address = word.partition("=")
            if _NAME.fullmatch(name) is None:
                raise ValueError(f"{name!r}: a region is 1 to 20 of a-z, 0-9 and -")
            if name in places:
                raise ValueError(f"{name} stands there twice")
            places[name], countries[name] = _place(name, address), []
        elif not name:
            raise ValueError(f"{word!r}: begin with a region, as eu=https://eu.example.com DE FR")
        else:
            countries[name].append(_country(word, countries))
    if len(places) == 1:
        raise ValueError("name two regions or more, or leave it out")
    if len(set(places.values())) < len(places):
        raise ValueError("two regions have the same address")
    return tuple(Region(name, place, frozenset(countries[name])) for name, place in places.items())


def _place(name: str, address: str) -> PublicOrigin:
    try:
        return PublicOrigin.parse(address)
    except InvalidSetting:
        raise ValueError(
            f"{name}={address}: write the region's PUBLIC_URL, as {name}=https://{name}.example.com"
        ) from None


def _country(word: str, taken: Mapping[str, Sequence[str]]) -> str:
    country = word.upper()
    if country != THE_REST and _COUNTRY.fullmatch(country) is None:
        raise ValueError(f"{word!r}: a country is two letters, such as DE; * is all the rest")
    for region, theirs in taken.items():
        if country in theirs:
            raise ValueError(f"{country} is with {region} already")
    return country
