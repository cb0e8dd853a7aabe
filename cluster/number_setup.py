"""Let a phone number of the carrier's account ring here, or no longer.

The order is such that whatever breaks off in the middle, doing it again finishes it: first see that
the account owns the number, then write who answers it, then tell the carrier where to call.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cluster.call_store import open_call_store
from cluster.carrier_client import open_carrier
from cluster.errors import SettingsError
from cluster.regions import region_table
from cluster.settings import Settings
from records.edge_rows import NumberRow
from records.number_store import NumberStore
from records.schema import prepare
from telephony.errors import CarrierError
from telephony.origin import PublicOrigin
from telephony.rest import CarrierNumber, CarrierRest

VOICE_PATH = "/twilio/voice"
STATUS_PATH = "/twilio/status"
RINGS_HERE = "rings here"
OTHER_STATUS = f"{RINGS_HERE}, but its status webhook is another one"
NO_SPARE = f"{RINGS_HERE}, but its fallback webhook is of no other region"
RINGS_IN_REGION = "rings in region"
_CARRIERS_OWN_DEMO = "https://demo.twilio.com/"


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Where a number sends its calls and tells of their end.

    Attributes:
        fallback_url: Where it sends a call that this deployment does not answer: the next region.
            Empty where there is one region only; then the number's own is left as it is.
        elsewhere: Voice URL of each other region, to its name.
    """

    voice_url: str
    status_url: str
    fallback_url: str = ""
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> Webhooks:
        """Those of this deployment.

        Raises:
            SettingsError: PUBLIC_URL is one that the carrier cannot reach.
        """
        if not settings.public_url.startswith("https://") and not settings.development:
            raise SettingsError(
                f"PUBLIC_URL is {settings.public_url}: the carrier needs the https:// address at "
                "which it reaches this deployment"
            )
        origin = PublicOrigin.parse(settings.public_url)
        table = region_table(settings.regions, settings.region, settings.public_url)
        others = table.others if table else ()
        spares = {region.origin.url(VOICE_PATH): region.name for region in others}
        return cls(
            origin.url(VOICE_PATH),
            origin.url(STATUS_PATH),
            next(iter(spares), ""),
            spares,
        )

    def are_set(self, number: CarrierNumber) -> bool:
        """Whether the number rings here already, and in another region when this one is away."""
        return (
            number.voice_url == self.voice_url
            and number.status_callback == self.status_url
            and self.has_spare(number)
        )

    def has_spare(self, number: CarrierNumber) -> bool:
        """Whether its calls go to another region when this one is away; true without regions."""
        return not self.elsewhere or number.voice_fallback_url in self.elsewhere


async def find_at_carrier(carrier: CarrierRest, number: str) -> CarrierNumber:
    """The account's number.

    Raises:
        SettingsError: The account does not own it.
        telephony.errors.CarrierError: The carrier did not say.
    """
    found = await carrier.find_number(number)
    if found is None:
        raise SettingsError(
            f"the account of TWILIO_ACCOUNT_SID owns no number {number}: buy it in the Twilio "
            "console, or set the account that owns it"
        )
    return found


def belongs_elsewhere(number: CarrierNumber, webhooks: Webhooks) -> str:
    """The address that answers this number now, if that is somebody's; empty if nobody's."""
    url = number.voice_url
    if not url or url == webhooks.voice_url or url.startswith(_CARRIERS_OWN_DEMO):
        return ""
    return url


async def use_number(
    carrier: CarrierRest,
    routes: NumberStore,
    webhooks: Webhooks,
    row: NumberRow,
    confirm: Callable[[str], bool],
) -> None:
    """Write the route, then set the number's webhooks at the carrier.

    Args:
        carrier: Of the account that owns the number.
        routes: Who answers which number.
        webhooks: Of this deployment.
        row: The number and who answers it.
        confirm: Asked, with the address that answers the number now, whether to go on.

    Raises:
        SettingsError: The account does not own the number, or nobody confirmed; nothing changed.
        records.errors.NumberTaken: It belongs to another tenant; nothing was changed.
        telephony.errors.CarrierError: The route may be written, the webhooks are not: do it again.
    """
    found = await find_at_carrier(carrier, row.number)
    elsewhere = belongs_elsewhere(found, webhooks)
    if elsewhere and not confirm(elsewhere):
        raise SettingsError("nothing was changed (--yes answers yes)")
    await routes.put(row)
    if not webhooks.are_set(found):
        await carrier.set_number_urls(
            found.sid,
            voice_url=webhooks.voice_url,
            status_url=webhooks.status_url,
            fallback_url=webhooks.fallback_url or None,
        )


async def be_spare_of(
    carrier: CarrierRest, routes: NumberStore, webhooks: Webhooks, row: NumberRow
) -> str:
    """Write who answers a number that rings in another region; nothing changes at the carrier.

    Returns:
        The name of that region.

    Raises:
        SettingsError: The number rings in no other region, or the account does not own it; nothing
            was changed.
        records.errors.NumberTaken: It belongs to another tenant; nothing was changed.
        telephony.errors.CarrierError: The carrier did not say.
    """
    found = await find_at_carrier(carrier, row.number)
    region = webhooks.elsewhere.get(found.voice_url)
    if region is None:
        known = ", ".join(webhooks.elsewhere.values()) or "none: CALLCLUSTER_REGIONS is not set"
        raise SettingsError(
            f"{row.number} does not ring in another region ({known}): 'callcluster number use' "
            "there first"
        )
    await routes.put(row)
    return region


async def unhook(carrier: CarrierRest, webhooks: Webhooks, number: str) -> bool:
    """Clear the webhooks of a number that rings here; False when it rings elsewhere.

    Raises:
        SettingsError, telephony.errors.CarrierError: As ``find_at_carrier``.
    """
    found = await find_at_carrier(carrier, number)
    if found.voice_url != webhooks.voice_url:
        return False
    is_ours = found.voice_fallback_url in webhooks.elsewhere
    await carrier.set_number_urls(
        found.sid, voice_url="", status_url="", fallback_url="" if is_ours else None
    )
    return True


async def where_it_rings(carrier: CarrierRest, webhooks: Webhooks, number: str) -> str:
    """What the carrier does with a number's calls, in words."""
    try:
        found = await carrier.find_number(number)
    except CarrierError as error:
        return str(error)
    if found is None:
        return "not a number of this account"
    if webhooks.are_set(found):
        return RINGS_HERE
    if found.voice_url == webhooks.voice_url:
        if found.status_callback != webhooks.status_url:
            return OTHER_STATUS
        return NO_SPARE
    if found.voice_url in webhooks.elsewhere:
        return f"{RINGS_IN_REGION} {webhooks.elsewhere[found.voice_url]}"
    return f"rings at {found.voice_url}" if found.voice_url else "no webhook"


@asynccontextmanager
async def open_routes(settings: Settings) -> AsyncIterator[NumberStore]:
    """The routes in the call store, its tables checked.

    Raises:
        SettingsError: The data directory cannot be made.
        records.errors.RecordsError: The database cannot be used.
    """
    if not settings.database_url:
        settings.make_data_dir()
    database = open_call_store(settings)
    try:
        await prepare(database)
        yield NumberStore(database)
    finally:
        await database.aclose()


@asynccontextmanager
async def opened_carrier(settings: Settings) -> AsyncIterator[CarrierRest]:
    """The carrier of the settings. Raises ``telephony.errors.InvalidSetting``."""
    carrier = open_carrier(settings)
    try:
        yield carrier
    finally:
        await carrier.close()
