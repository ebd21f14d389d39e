"""What the account's lists must have: subsidiaries, currencies, accounts, items, locations, tax codes, open periods."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from erp_adapters.netsuite import suiteql
from erp_adapters.netsuite.client import Client
from erp_adapters.netsuite.directory import PAYMENT_CLEARING, UNTAXED
from erp_adapters.netsuite.needs import FEATURES, NEVER_TOLD
from erp_adapters.netsuite.options import ANY, Items, Options
from erp_adapters.netsuite.suiteql import Named
from hub.model.documents import Component
from hub.model.money import exponent
from hub.model.problems import Problem
from hub.ports import ErpConfig, InUse
from mappings.netsuite.fields import Fields

LISTED_MAX: Final = 50  # names of one kind that are listed when they are missing
MONTHS_BACK: Final = 2  # periods before this one whose state is told
SKEW_S_MAX: Final = 60.0
ZONE_STEP_S: Final = 900  # time zones are quarters of an hour apart
TWICE_MAX: Final = 20

ITEMS_AT: Final = "Lists > Accounting > Items"
ACCOUNTS_AT: Final = "Lists > Accounting > Accounts"
DEPARTMENTS_AT: Final = "Setup > Company > Departments"
CLASSES_AT: Final = "Setup > Company > Classes"
PERIODS_AT: Final = "Setup > Accounting > Manage Accounting Periods"

Finding = Problem | str
"""What is wrong, or a note: what could not be seen, or is for a person to judge."""

Look = Callable[[], Iterator[Finding]]

SUBSIDIARIES: Final = (
    "SELECT s.id, s.name, s.isinactive, c.symbol FROM subsidiary s LEFT JOIN currency c ON c.id = s.currency "
    "ORDER BY s.id"
)
CURRENCIES: Final = "SELECT id, symbol, isinactive, isbasecurrency, currencyprecision FROM currency ORDER BY id"
SOLD_TO: Final = (
    "SELECT i.id, i.itemid AS name, a.acctnumber AS number FROM item i JOIN account a ON a.id = i.incomeaccount "
    "WHERE i.itemid IN ({}) ORDER BY i.id"
)
PERIODS: Final = (
    f"SELECT p.id, {suiteql.DAY.format('p.startdate')} AS first, "  # noqa: S608 - ours
    f"{suiteql.DAY.format('p.enddate')} AS last, p.closed, p.arlocked, p.alllocked FROM accountingperiod p "
    "WHERE p.isquarter = 'F' AND p.isyear = 'F' AND p.isadjust = 'F' ORDER BY p.id"
)
NOW: Final = (
    f"SELECT c.id, {suiteql.MOMENT.format('SYSDATE')} AS now "  # noqa: S608 - ours
    "FROM currency c ORDER BY c.id FETCH FIRST 1 ROWS ONLY"
)
TWICE: Final = (
    "SELECT t.externalid, COUNT(t.id) AS n, MIN(t.id) AS id FROM transaction t WHERE t.externalid IS NOT NULL "  # noqa: S608
    f"GROUP BY t.externalid HAVING COUNT(t.id) > 1 ORDER BY MIN(t.id) FETCH FIRST {TWICE_MAX} ROWS ONLY"
)


class Lists:
    """What a query shows of one account."""

    def __init__(self, client: Client, options: Options, config: ErpConfig, used: InUse) -> None:
        self._client = client
        self._options = options
        self._config = config
        self._used = used
        chart = config.chart.get("accounts") or ()
        self._roles = {str(one["role"]): str(one["number"]) for one in chart if not one.get("alternative")}
        self._methods = {str(word): str(role) for word, role in (config.chart.get("methods") or {}).items()}

    def looks(self) -> Iterator[tuple[str, Look]]:
        """What is looked at, and how."""
        yield "subsidiaries", self._subsidiaries
        yield "currencies", self._currencies
        yield "accounts", self._chart
        yield "items", self._items
        yield "items of charges", self._charges
        yield "locations", self._locations
        yield "departments and classes", self._segments
        yield "tax codes", self._tax_codes
        yield "accounting periods", self._periods
        yield "clock and time zone", self._time
        yield "external ids", self._external_ids

    def _subsidiaries(self) -> Iterator[Finding]:
        wanted = self._options.subsidiaries
        rows = {row.needed("id"): row for row in self._rows(SUBSIDIARIES)}
        active = [id for id, row in rows.items() if not row.flag("isinactive")]
        if not wanted:
            if len(active) > 1:
                yield Problem(
                    "options.subsidiaries",
                    f"the account has {len(active)} subsidiaries: name the one of each entity by its internal id "
                    "(Setup > Company > Subsidiaries)",
                )
            return
        currencies = {entity.slug: entity.functional for entity in self._config.entities}
        for entity, id in sorted(wanted.items()):
            if id not in active:
                yield Problem(
                    f"options.subsidiaries.{entity}",
                    f"there is no active subsidiary with the internal id {id} (Setup > Company > Subsidiaries)",
                )
            elif (symbol := rows[id].text("symbol")) not in (None, currencies[entity]):
                yield Problem(
                    f"options.subsidiaries.{entity}",
                    f"subsidiary {id} keeps its books in {symbol}, the entity in {currencies[entity]}: name another "
                    "subsidiary, or correct the entity's currency",
                )

    def _currencies(self) -> Iterator[Finding]:
        found = {row.text("symbol"): row for row in self._rows(CURRENCIES)}
        functional = {entity.functional for entity in self._config.entities}
        for code in sorted(self._used.currencies | functional):
            row = found.get(code)
            if row is None or row.flag("isinactive"):
                yield Problem(
                    f"currencies.{code}",
                    f"NetSuite has no active currency {code}: make it at Lists > Accounting > Currencies (the feature "
                    f"Multiple Currencies is at {FEATURES} > Company)",
                )
            elif (places := row.whole("currencyprecision")) not in (None, exponent(code)):
                yield Problem(
                    f"currencies.{code}",
                    f"NetSuite keeps {code} with {places} decimal places, the channel has {exponent(code)}: amounts "
                    "would be rounded; correct it at Lists > Accounting > Currencies",
                )
        if not self._options.subsidiaries:
            base = {code for code, row in found.items() if row.flag("isbasecurrency")}
            for entity in self._config.entities:
                if base and entity.functional not in base:
                    yield Problem(
                        f"currencies.{entity.functional}",
                        f"entity {entity.slug} keeps its books in {entity.functional}, the account in "
                        f"{', '.join(sorted(map(str, base)))}",
                    )

    def _chart(self) -> Iterator[Finding]:
        options = self._options
        wanted: dict[str, str] = {}  # NetSuite's number -> the hub's
        for role, number in self._roles.items():
            if role not in NEVER_TOLD:
                wanted.setdefault(options.account_number(number), number)
        for number in self._used.accounts:
            wanted.setdefault(options.account_number(number), number)
        for method in self._used.methods:
            number = self._roles.get(self._methods.get(method, PAYMENT_CLEARING), "")
            if (mapped := options.accounts.get(f"{number}:{method}")) is not None:
                wanted.setdefault(mapped, f"{number}:{method}")
        for number, mapped in options.accounts.items():
            wanted.setdefault(mapped, number)
        accounts = suiteql.accounts(self._client, sorted(wanted))
        remedy = f"make it at {ACCOUNTS_AT}, or name NetSuite's own number in options.accounts"
        yield from self._missing("accounts", wanted, accounts, remedy)
        for role in ("receivable", "refunds_payable"):
            hubs = self._roles.get(role)
            found = accounts.get(options.account_number(hubs)) if hubs else None
            if found is not None and found.kind and found.kind.lower() != "acctrec":
                yield Problem(
                    f"options.accounts.{hubs}",
                    f"the books' {role.replace('_', ' ')} ({hubs}) is account {found.name} in NetSuite, of type "
                    f"{found.kind}: NetSuite keeps what customers owe and are owed on accounts receivable; name that "
                    "account's number in options.accounts",
                )

    def _items(self) -> Iterator[Finding]:
        wanted = dict.fromkeys(self._used.items, "")
        found = suiteql.items(self._client, sorted(wanted))
        remedy = f"make it at {ITEMS_AT}, or map the SKU to another in crosswalks.yaml"
        yield from self._missing("items", wanted, found, remedy)
        revenue = self._used.sold_to.get(Component.GOODS.value)
        cards = self._used.sold_to.get(Component.GIFT_CARD.value)
        right = {self._options.account_number(one) for one in (revenue, cards) if one is not None}
        sold = self._sold_to(sorted(found))
        wrong = sorted({number for number in sold.values() if number not in right}) if right else []
        if wrong:
            codes = [code for code, number in sorted(sold.items()) if number in wrong]
            yield (
                f"sold to accounts {', '.join(wrong)}, the books say {', '.join(sorted(right))}: {_listed(codes)}; "
                "the comparison by account shows them as moved"
            )

    def _charges(self) -> Iterator[Finding]:
        codes = {name: code for name in Items.model_fields if (code := getattr(self._options.items, name)) is not None}
        found = suiteql.items(self._client, sorted(set(codes.values())))
        sold = self._sold_to(sorted(found))
        for name, code in codes.items():
            one = found.get(code)
            if one is None or one.inactive:
                state = "is inactive" if one is not None else "is not there"
                yield Problem(
                    f"options.items.{name}",
                    f"item {code!r} {state}: make it at {ITEMS_AT}, or name another in hub.yaml",
                )
                continue
            books = self._used.sold_to.get(name)
            number = self._options.account_number(books) if books is not None else None
            if number is not None and code in sold and sold[code] != number:
                yield Problem(
                    f"options.items.{name}",
                    f"item {code} is sold to account {sold[code]}, the books post it to {number}: correct the item's "
                    f"account ({ITEMS_AT} > {code} > Accounting), the chart, or options.accounts",
                )

    def _locations(self) -> Iterator[Finding]:
        used = self._used.locations | ({self._options.order_location} if self._options.order_location else set())
        wanted = {self._options.location(name): name for name in used}
        found = suiteql.locations(self._client, sorted(wanted))
        remedy = "make it at Setup > Company > Locations, or name NetSuite's in options.locations"
        yield from self._missing("locations", wanted, found, remedy)

    def _segments(self) -> Iterator[Finding]:
        options, client = self._options, self._client
        for option, named in (("departments", options.departments), ("classes", options.classes)):
            for channel in self._used.channels if named and ANY not in named else ():
                if channel not in named:
                    yield Problem(
                        f"options.{option}.{channel}",
                        f"this channel has none, so its documents would be refused: name one in hub.yaml, or {ANY}",
                    )
        if options.departments:
            wanted = {name: channel for channel, name in options.departments.items()}
            remedy = f"make it at {DEPARTMENTS_AT}, or name another by its full name in options.departments"
            yield from self._missing("departments", wanted, suiteql.departments(client, sorted(wanted)), remedy)
        by_item, by_channel = options.item_classes, options.classes
        if by_item or by_channel:
            wanted = {name: of for of, name in (*by_item.items(), *by_channel.items())}
            option = "options.classes or options.item_classes"
            remedy = f"make it at {CLASSES_AT}, or name another by its full name in {option}"
            yield from self._missing("classes", wanted, suiteql.classes(client, sorted(wanted)), remedy)
        codes = dict.fromkeys(by_item.keys() - {one.value for one in Component}, "")
        remedy = "correct the code in options.item_classes; a charge goes by its word, such as shipping"
        yield from self._missing("options.item_classes", codes, suiteql.items(client, sorted(codes)), remedy)

    def _tax_codes(self) -> Iterator[Finding]:
        options = self._options.tax_codes
        codes = {one.code: word for word, one in options.items()}
        kinds = {one.type: word for word, one in options.items()}
        remedy = "make it at Setup > Tax in the subsidiary's nexus, or correct options.tax_codes"
        yield from self._missing("tax_codes", codes, suiteql.tax_codes(self._client, sorted(codes)), remedy)
        yield from self._missing("tax_types", kinds, suiteql.tax_types(self._client, sorted(kinds)), remedy)
        if options and UNTAXED not in options:
            yield f"options.tax_codes has no {UNTAXED}: rows without tax name no tax code"

    # --- time ---------------------------------------------------------------------------------------------------------

    def _periods(self) -> Iterator[Finding]:
        periods = [(row.day("first"), row.day("last"), row) for row in self._rows(PERIODS)]
        for entity in self._config.entities:
            today = self._config.clock().astimezone(ZoneInfo(entity.timezone)).date()
            for back in range(MONTHS_BACK + 1):
                day = _months_back(today, back)
                held = next((row for first, last, row in periods if first and last and first <= day <= last), None)
                state = _state(held)
                if state is None:
                    continue
                if back:
                    yield f"the period of {day:%Y-%m} {state}: what is late moves on by late_facts"
                    continue
                yield Problem(
                    "periods.today",
                    f"the period of {day} {state}, so nothing of today can be told: set it at {PERIODS_AT}",
                )

    def _time(self) -> Iterator[Finding]:
        before = self._config.clock()
        told = next(iter(self._rows(NOW)), None)
        after = self._config.clock()
        said = told.text("now") if told is not None else None
        if said is None:
            yield "not seen: NetSuite told no time"
            return
        ours = before + (after - before) / 2
        ahead_s = (datetime.fromisoformat(said).replace(tzinfo=UTC) - ours).total_seconds()
        zone_s = round(ahead_s / ZONE_STEP_S) * ZONE_STEP_S
        skew_s = ahead_s - zone_s
        if abs(skew_s) > SKEW_S_MAX + (after - before).total_seconds():
            yield Problem(
                "clock",
                f"this machine's clock and NetSuite's differ by {abs(skew_s):.0f} s: set it by a time server; from "
                "five minutes on, logins are refused",
            )
        if zone_s:
            yield (
                f"the integration's user lives at UTC{zone_s / 3600:+g} h: where its clocks are set back, an hour is "
                "told twice; GMT is the safer choice (Home > Set Preferences, as that user)"
            )

    def _external_ids(self) -> Iterator[Finding]:
        for row in self._rows(TWICE):
            yield Problem(
                "external_ids",
                f"{row.text('n')} transactions have the external id {row.text('externalid')}, the first with the "
                f"internal id {row.text('id')}: NetSuite keeps them unique, so something here does not; give the "
                "others another one, or the hub may adopt the wrong record",
            )

    # --- parts --------------------------------------------------------------------------------------------------------

    def _rows(self, query: str, params: Sequence[str | int] = ()) -> list[Fields]:
        return list(self._client.suiteql(query, params))

    def _missing(
        self, path: str, wanted: Mapping[str, str], found: Mapping[str, Named], remedy: str
    ) -> Iterator[Finding]:
        """Every name that is not there, or inactive; `wanted` says what of ours each stands for."""
        gone = sorted(name for name in wanted if name not in found or found[name].inactive)
        for name in gone[:LISTED_MAX]:
            ours = f" (for {wanted[name]})" if wanted[name] not in ("", name) else ""
            state = "is inactive" if name in found else "is not there"
            yield Problem(f"{path}.{name}", f"{name!r}{ours} {state}: {remedy}")
        if len(gone) > LISTED_MAX:
            yield Problem(path, f"and {len(gone) - LISTED_MAX} more")

    def _sold_to(self, codes: Sequence[str]) -> dict[str, str]:
        """The number of the account that each item is sold to, where NetSuite tells."""
        sold: dict[str, str] = {}
        for some in suiteql.some_at_once(codes, suiteql.NAMES_AT_ONCE):
            query = SOLD_TO.format(suiteql.marks(some))
            sold |= {row.needed("name"): number for row in self._rows(query, some) if (number := row.text("number"))}
        return sold


def _state(period: Fields | None) -> str | None:
    """What keeps a period from taking a document; None: nothing does."""
    if period is None:
        return "is not set up"
    if period.flag("closed"):
        return "is closed"
    if period.flag("alllocked") or period.flag("arlocked"):
        return "is locked"
    return None


def _months_back(day: date, months: int) -> date:
    """The same day so many months ago, or the first of that month."""
    for _ in range(months):
        day = (day.replace(day=1) - timedelta(days=1)).replace(day=1)
    return day


def _listed(names: Sequence[str]) -> str:
    more = len(names) - LISTED_MAX
    return ", ".join(names[:LISTED_MAX]) + (f" and {more} more" if more > 0 else "")
