"""What hub.yaml may say: frozen parts, each value checked where it stands, unknown settings refused."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import islice, pairwise
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from hub.model.money import Currency, exponent
from hub.model.overlays import OverlayField
from hub.model.payouts import SettlementKind

SHIPPED: Final = Path(__file__).resolve().parents[2] / "config" / "hub.yaml"
"""The configuration that comes with the checkout."""

INTERVAL_S_MAX: Final = 86_400
CRON_LOOKS: Final = 10  # times that a cron expression comes next, among which the longest wait is looked for
LONGEST_WAIT_S: Final = 366 * 86_400.0  # of an expression that comes once and no more

SLUG_CHARACTERS_MAX: Final = 20
"""A document's key has 40 characters; the channel's slug may take half of them."""


_PartT = TypeVar("_PartT")

# --- what a value may be ------------------------------------------------------------------------------------------


def _currency(code: str) -> str:
    exponent(code)
    return code


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"not a time zone: {name!r}; expected one like 'America/New_York'") from None
    return name


def _slug(slug: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+", slug) or len(slug) > SLUG_CHARACTERS_MAX:
        raise ValueError(f"not a slug: {slug!r}; expected at most {SLUG_CHARACTERS_MAX} of a-z, 0-9 and '-'")
    return slug


def is_variable(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", name) is not None


def _variable(name: str) -> str:
    # The value may be a secret pasted here by mistake, so no message repeats it.
    if not is_variable(name):
        raise ValueError("expected the name of an environment variable, like SHOPIFY_WEBHOOK_SECRET, never a secret")
    return name


def _some(parts: tuple[_PartT, ...]) -> tuple[_PartT, ...]:
    if not parts:
        raise ValueError("at least one is needed")
    return parts


def _expression(text: str) -> str:
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        jmespath.compile(text)
    except JMESPathError as fault:
        raise ValueError(f"not JMESPath: {text[:80]!r}: {' '.join(str(fault).split())[:200]}") from None
    return text


def _listed(given: object) -> object:
    """One expression may stand without its list."""
    return [given] if isinstance(given, str) else given


def _beside_the_file(file: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", SHIPPED.parent)
    return folder / file


def _every(given: object) -> object:
    """Seconds, or a cron expression."""
    if isinstance(given, str):
        from cronsim import CronSim, CronSimError

        try:
            CronSim(given, datetime(2026, 1, 1, tzinfo=UTC))
        except CronSimError as fault:
            raise ValueError(
                f"not a cron expression: {given[:80]!r}: {fault}; expected one like '30 2 * * *'"
            ) from None
        return given
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= INTERVAL_S_MAX:
        raise ValueError(f"expected seconds from 1 to {INTERVAL_S_MAX}, or a cron expression: {given!r}")
    return given


def longest_wait_s(every: int | str, timezone: str, now: datetime) -> float:
    """The interval in seconds; of a cron expression the longest of those that come next."""
    if isinstance(every, int):
        return float(every)
    from cronsim import CronSim

    at = list(islice(CronSim(every, now.astimezone(ZoneInfo(timezone))), CRON_LOOKS))
    return max(((after - before).total_seconds() for before, after in pairwise(at)), default=LONGEST_WAIT_S)


Every = Annotated[int | str, BeforeValidator(_every)]
"""How often something is done: an interval in seconds, or a cron expression in the time zone of what it is done for."""
Slug = Annotated[str, AfterValidator(_slug)]
CurrencyCode = Annotated[Currency, AfterValidator(_currency)]
TimeZone = Annotated[str, AfterValidator(_timezone)]
VariableName = Annotated[str, AfterValidator(_variable)]
Expression = Annotated[str, AfterValidator(_expression)]
Expressions = Annotated[tuple[Expression, ...], BeforeValidator(_listed), AfterValidator(_some)]
DataFile = Annotated[Path, AfterValidator(_beside_the_file)]


# --- what the file says -------------------------------------------------------------------------------------------


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entity(Part):
    """A company with books of its own."""

    slug: Slug
    name: Annotated[str, Field(min_length=1)]
    currency: CurrencyCode
    """The functional currency."""
    timezone: TimeZone
    chart: DataFile = SHIPPED.parent / "chart.yaml"
    policies: DataFile = SHIPPED.parent / "policies.yaml"


class Retention(Part):
    """How long personal data is kept after it was last received; None: for good. See orderhub purge."""

    parties_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """Names and addresses of buyers."""
    bodies_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """Raw records: their bodies and headers."""


class Ships(StrEnum):
    """Who sends the goods of a channel's orders, and so who tells whom."""

    CHANNEL = "channel"  # the channel tells the hub
    ERP = "erp"  # what the ERP ships is told to the channel
    WAREHOUSE = "warehouse"  # as the ERP, which the warehouse reports to


class Stock(StrEnum):
    NONE = "none"
    PUSH = "push"  # the ERP's stock levels are told to the channel


class Allocate(Part):
    """Orders reserve stock when they are decided, and wait as backorders for what is not there."""

    locations: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], AfterValidator(_some)]
    """The ERP's codes; stock is taken from the first that has it."""


SLOTS_MAX: Final = 100
Slots = Annotated[int, Field(ge=1, le=SLOTS_MAX)]


class ChannelPolicies(Part):
    """What a channel's orders do otherwise than its entity's policies say; None: as they say.

    The accounts that refunds and returns go to are the entity's alone: the ERP posts by them.
    """

    recognise: Literal["shipment", "delivery"] | None = None
    late_facts: Literal["next_open_period", "hold"] | None = None


class Channel(Part):
    """One configured connection to a system."""

    slug: Slug
    system: Slug
    entity: Slug
    currency: CurrencyCode
    timezone: TimeZone
    go_live: date | None = None
    """Orders placed before this day are captured and reconciled, not posted; None: all are posted."""
    address: Annotated[str, Field(min_length=1)] | None = None
    """Base URL of the shop; None: the channel is fed from files alone."""
    options: dict[str, Any] = {}
    """The connector's own settings; its README names them, and `orderhub check` their faults."""
    every: dict[str, Every] = {}
    """How often each stream of the channel is pulled, in seconds or by cron in its time zone, and `sweep` and
    `subscribe` are done; what is not named keeps its own beat."""
    retention: Retention = Retention()
    policies: ChannelPolicies = ChannelPolicies()
    settle_s: Annotated[int, Field(ge=0, le=86_400)] | None = None
    """How long what the channel was told and does not show is not believed to be absent; None: the connector's own."""
    slots: Slots | None = None
    """How many calls the channel bears at once, whoever makes them; None: one worker tells it several things a call."""
    ships: Ships = Ships.CHANNEL
    """Who sends the goods: the channel's own people, or the ERP or its warehouse, so that the channel is told."""
    stock: Stock = Stock.NONE
    """Whether the channel is told the ERP's stock levels."""
    allocate: Allocate | None = None
    """None: orders reserve nothing; whoever ships decides what there is."""
    overlays: dict[OverlayField, Expressions] = {}
    """Where the merchant keeps fields of an order: JMESPath over the raw document, the first that finds one counts."""
    secrets: dict[str, VariableName] = {}
    """What the connector calls a secret, and the environment variable that holds it."""

    @model_validator(mode="after")
    def _who_ships_recognises(self) -> Self:
        if self.policies.recognise is not None and self.ships is not Ships.CHANNEL:
            raise ValueError("what the ERP ships is recognised by its own policies: leave policies.recognise out")
        return self


class Erp(Part):
    slug: Slug
    system: Slug
    every: dict[Literal["changes"], Every] = {}
    """How often its changes are read, in seconds or by cron in the first entity's time zone."""
    settle_s: Annotated[int, Field(ge=0, le=86_400)] | None = None
    """How long an absent document is not believed to be absent; None: the adapter's own default."""
    slots: Slots | None = None
    """How many calls it bears at once, whoever makes them; None: it takes many documents in one call."""
    address: Annotated[str, Field(min_length=1)] | None = None
    """Base URL of its service; None: it needs none."""
    options: dict[str, Any] = {}
    """The adapter's own settings; its README names them, and `orderhub check` their faults."""
    secrets: dict[str, VariableName] = {}
    """What the adapter calls a secret, and the environment variable that holds it."""


class Files(Part):
    """Data that the hub works with, each file beside the configuration that names it."""

    rates: DataFile = SHIPPED.parent / "rates.yaml"
    crosswalks: DataFile = SHIPPED.parent / "crosswalks.yaml"
    items: DataFile = SHIPPED.parent / "items.yaml"


class PriceHold(Part):
    """Off the price list by more than both tolerances."""

    on: bool = True
    tolerance_minor: Annotated[int, Field(ge=0)] = 0
    tolerance_percent: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(5)


class CreditHold(Part):
    """What a customer owes would pass the limit."""

    on: bool = False
    limits_minor: dict[str, Annotated[int, Field(ge=0)]] = {}
    """By customer, in the entity's currency."""
    default_limit_minor: Annotated[int, Field(ge=0)] | None = None
    """For a customer without a line of its own; None: no limit."""


class CaptureHold(Part):
    """Nothing is captured of what is to be paid before shipment."""

    on: bool = True
    b2b: bool = False
    """Also for orders on a company's account, which pay by invoice."""


class Holds(Part):
    """Which business holds are on. An order that breaks its own identity is held whatever stands here."""

    unmapped_item: bool = True
    missing_rate: bool = True
    price: PriceHold = PriceHold()
    credit: CreditHold = CreditHold()
    require_capture: CaptureHold = CaptureHold()
    edit_window_minutes: Annotated[int, Field(ge=0, le=10_080)] = 0
    """How long after placement an order may still be edited by its buyer; 0: no such wait."""


class BankColumns(Part):
    """Which column of a bank's CSV says what."""

    date: Annotated[str, Field(min_length=1)]
    amount: str | None = None
    """Signed: + came in. None: it is in two columns, paid in and paid out."""
    paid_in: str | None = None
    paid_out: str | None = None
    currency: CurrencyCode | None = None
    """Of every line; None: `currency_column` says it."""
    currency_column: str | None = None
    reference: str | None = None
    text: str | None = None
    date_format: str = "%Y-%m-%d"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    decimal: Annotated[str, Field(pattern=r"^[.,]$")] = "."
    encoding: Annotated[str, Field(pattern=r"^(utf-8|latin-1|cp1252)$")] = "utf-8"


class SettlementColumns(Part):
    """Which column of a payment provider's CSV says what; a row is a line of its balance, or a payout."""

    method: Annotated[str, Field(min_length=1)]
    """What the channel's orders call this gateway."""
    id: Annotated[str, Field(min_length=1)]
    date: Annotated[str, Field(min_length=1)]
    kind: Annotated[str, Field(min_length=1)]
    amount: Annotated[str, Field(min_length=1)]
    fee: str | None = None
    """As the provider signs it, see `fee_sign`; None: it charges none here."""
    fee_sign: Annotated[int, Field(ge=-1, le=1)] = -1
    """-1: a fee charged is negative in the file; 1: it is positive."""
    currency: CurrencyCode | None = None
    currency_column: str | None = None
    payout: str | None = None
    """The id of the payout that the row is in; None: a row is in the next payout of its currency."""
    order: str | None = None
    transaction: str | None = None
    kinds: dict[str, SettlementKind] = {}
    """The provider's word and what it is: charge, refund, fee, payout …; any other word goes into quarantine."""
    date_format: str = "%Y-%m-%d"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    decimal: Annotated[str, Field(pattern=r"^[.,]$")] = "."
    encoding: Annotated[str, Field(pattern=r"^(utf-8|latin-1|cp1252)$")] = "utf-8"


class Mail(Part):
    """Who is told of alerts by e-mail, and through which server."""

    server: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+$")]
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    tls: Literal["starttls", "tls"] = "starttls"
    """starttls: begun on an open connection, which goes no further without; tls: from the first byte."""
    ca: DataFile | None = None
    """Certificates to trust, PEM; None: those that this machine trusts."""
    sender: Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")]
    to: Annotated[tuple[Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")], ...], AfterValidator(_some)]
    user: str | None = None
    """None: the server asks for no log-in."""
    password: VariableName | None = None
    """The environment variable that holds it."""

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together")
        return self


class Called(Part):
    """An address that is called with each alert, sealed so that its owner knows who calls."""

    address: Annotated[str, Field(min_length=1)]
    secret: VariableName
    """The environment variable that holds the key of the seal."""


class Alerts(Part):
    """What somebody is to be told of, once when it begins and once when it is over; None: never of that."""

    money_held_minor: dict[CurrencyCode, Annotated[int, Field(ge=1)]] = {}
    """By currency: so much is held, or more."""
    in_doubt_minutes: Annotated[int, Field(ge=1, le=100_000)] | None = 60
    """So long it has been unknown whether a write happened."""
    quiet_minutes: dict[Slug, Annotated[int, Field(ge=1, le=1_000_000)]] = {}
    """By channel: so long nothing came of it, by webhook, pull or file."""
    late_cursor_beats: Annotated[int, Field(ge=2, le=10_000)] | None = 10
    """A stream was not read for so many of its beats, and not for five minutes."""
    missing_orders: Annotated[int, Field(ge=1)] | None = 1
    """So many orders of a channel are missing by the daily completeness check, in the hub or in the ERP, or more."""
    mail: Mail | None = None
    webhook: Called | None = None


class HubFile(Part):
    """What hub.yaml may say."""

    entities: Annotated[tuple[Entity, ...], AfterValidator(_some)]
    channels: Annotated[tuple[Channel, ...], AfterValidator(_some)]
    erp: Erp
    files: Files = Files()
    public_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/[^\s]*)?$")] | None = None
    """Where channels reach this hub's webhooks, as https://hub.example.com; None: it registers none by itself."""
    bank: dict[str, BankColumns] = {}
    """How banks write their CSV, by a name of ours; CAMT.053 needs none."""
    settlements: dict[str, SettlementColumns] = {}
    """How payment providers write theirs, by a name of ours."""
    holds: Holds = Holds()
    alerts: Alerts = Alerts()
