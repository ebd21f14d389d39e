"""metrics: how a period's orders went — cycle times, fill, promises, returns, touches — and what they earned.

The margin is what the orders make of the books: expected income, and the cost that the ERP booked for their goods. It
is compared with what the accounts moved by the ERP's trial balance; what differs is listed by document.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from hub.books.chart import Role
from hub.flow.fold import fold, winners
from hub.flow.margin import (
    MARGIN_ROLES,
    NO_LINE,
    AccountTie,
    Booked,
    Gap,
    GapWhy,
    ProductLine,
    Sums,
    by_product_line,
    gaps,
)
from hub.flow.match import month_of
from hub.flow.metrics import ChannelFigures, Promises, Stage, hours, ratio
from hub.model.documents import DOCUMENT, Document, DocumentKey, DocumentKind
from hub.model.entries import ENTRY, Entry
from hub.model.intents import StepState
from hub.model.order import OrderKey
from hub.ports import KeepsBooks, StatesCosts
from hub.steps.hub import Hub, OpenChannel
from hub.store import statement as stored
from hub.store.views import metrics as views

CHUNK_ORDERS: Final = 1_000
ORDERS_MAX: Final = 10_000
"""Orders whose margin is told one by one, those with the least first; the sums count all of them."""

COST: Final = Role.COST_OF_GOODS_SOLD.value

_ALONE: Final = {
    StepState.PLANNED.value: GapWhy.NOT_SENT,
    StepState.SENT.value: GapWhy.IN_DOUBT,
    StepState.IN_DOUBT.value: GapWhy.IN_DOUBT,
    StepState.REJECTED.value: GapWhy.REJECTED,
    StepState.DONE.value: GapWhy.GONE,
}


@dataclass(slots=True)
class Earned:
    """Net revenue and cost of something, in its entity's currency."""

    currency: str
    net_revenue_minor: int = 0
    cost_minor: int = 0

    @property
    def margin_minor(self) -> int:
        return self.net_revenue_minor - self.cost_minor

    def as_json(self) -> dict[str, Any]:
        return {
            "currency": self.currency,
            "net_revenue_minor": self.net_revenue_minor,
            "cost_minor": self.cost_minor,
            "margin_minor": self.margin_minor,
            "margin_share": ratio(self.margin_minor, self.net_revenue_minor) if self.net_revenue_minor > 0 else None,
        }


@dataclass(slots=True)
class Margin:
    """What was earned, by (entity, …)."""

    entities: dict[str, Earned] = field(default_factory=dict)
    channels: dict[tuple[str, str], Earned] = field(default_factory=dict)
    lines: dict[tuple[str, str], Earned] = field(default_factory=dict)
    orders: dict[tuple[str, str, str], Earned] = field(default_factory=dict)  # entity, channel, order
    names: dict[tuple[str, str, str], str] = field(default_factory=dict)  # of those orders, for people
    accounts: list[AccountTie] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    booked: bool = True  # the ERP says what goods cost, and lets its books be read; False: income alone, not tied

    @property
    def ties(self) -> bool | None:
        """Whether every account moved by what the orders make; None: nobody could look."""
        return not self.gaps and not any(one.residual_minor for one in self.accounts) if self.booked else None


@dataclass(slots=True)
class Metrics:
    period: str
    on: datetime.date  # the period's last day
    channels: list[ChannelFigures]
    touches: dict[str, int]
    margin: Margin

    @property
    def orders(self) -> int:
        return sum(channel.orders for channel in self.channels)


def metrics(hub: Hub, period: str) -> Metrics:
    """The figures of a month, as things stand now.

    Raises:
        Misconfigured: the period is not written `2026-05`.
    """
    first, last = month_of(period)
    zone = ZoneInfo(hub.settings.entities[0].timezone)
    begin = datetime.datetime.combine(first, datetime.time(), zone)
    end = datetime.datetime.combine(last + datetime.timedelta(days=1), datetime.time(), zone)
    with hub.store.connect() as connection:
        return Metrics(
            period,
            last,
            _figures(hub, connection, first, last),
            views.touches(hub.store, hub.inbox, begin, end),
            _Books(hub, connection, first, last).margin(),
        )


def _figures(hub: Hub, connection: Connection, first: datetime.date, last: datetime.date) -> list[ChannelFigures]:
    configured = {one.slug: one for one in hub.settings.channels}
    found: dict[str, ChannelFigures] = {}
    keys = [key for key in views.placed(connection, first, last) if key.channel in configured]
    now = hub.clock()
    for start in range(0, len(keys), CHUNK_ORDERS):
        part = keys[start : start + CHUNK_ORDERS]
        facts = stored.facts(connection, part)
        for key in part:
            slug = key.channel
            figures = found.setdefault(slug, ChannelFigures(slug, configured[slug].currency))
            figures.add(fold(key, winners(facts.get(key, ()))), now)
    return [found[slug] for slug in sorted(found)]


class _Books:
    """The margin of a period, gathered from expected entries, the ERP's costs and its journal."""

    def __init__(self, hub: Hub, connection: Connection, first: datetime.date, last: datetime.date) -> None:
        self._hub = hub
        self._connection = connection
        self._first, self._last = first, last
        self._channels = {one.slug: hub.channel(one.slug) for one in hub.settings.channels}
        self._currencies = {one.slug: one.currency for one in hub.settings.entities}
        self._found = Margin()
        self._orders: list[Booked] = []  # what the orders put on each account
        self._ledger: list[Booked] = []  # what the ERP has there

    def margin(self) -> Margin:
        found = self._found
        for entity, currency in sorted(self._currencies.items()):
            found.entities[entity] = Earned(currency)
        self._expect()
        erp = self._hub.erp
        if isinstance(erp, StatesCosts) and isinstance(erp, KeepsBooks):
            self._cost(erp)
            self._tie(erp)
        else:
            found.booked = False
        return found

    # --- income, as expected ----------------------------------------------------------------------------------------

    def _expect(self) -> None:
        found = views.entries(self._connection, self._first, self._last)
        rows = [row for row in found if row.channel in self._channels]
        before = self._before([row for row in rows if row.reversal or row.kind == DocumentKind.JOURNAL_ENTRY.value])
        for row in rows:
            entry: Entry = ENTRY.validate_json(row.entry)
            if not self._first <= entry.date <= self._last:
                continue
            document: Document = DOCUMENT.validate_json(row.content)
            known = before.get(OrderKey(row.channel, row.order), [])
            if row.reversal:  # of what was decided on the document before
                document = next((d for id, d in reversed(known) if d.key == document.key and id < row.intent), document)
            invoices = [d for _, d in known if d.kind is DocumentKind.INVOICE and d.applies_to == document.applies_to]
            self._add_income(self._channels[row.channel], row, document, entry, invoices)

    def _before(self, rows: Sequence[views.EntryRow]) -> dict[OrderKey, list[tuple[int, Document]]]:
        """All decisions on the documents of these rows' orders."""
        keys = sorted({OrderKey(row.channel, row.order) for row in rows})
        found: dict[OrderKey, list[tuple[int, Document]]] = {}
        for start in range(0, len(keys), CHUNK_ORDERS):
            for row in views.decided(self._connection, keys[start : start + CHUNK_ORDERS]):
                found.setdefault(row.key, []).append((row.intent, DOCUMENT.validate_json(row.content)))
        return found

    def _add_income(
        self, channel: OpenChannel, row: views.EntryRow, document: Document, entry: Entry, invoices: list[Document]
    ) -> None:
        sign = -1 if row.reversal else 1
        posted = entry.reversed(entry.date) if row.reversal else entry  # shared as the document posted it
        split = by_product_line(document, posted, _line_of(channel), channel.chart, channel.policy, invoices)
        reference = document.reference or ""
        for line, sums in split.items():
            for account, minor in sums.items():
                why, worth = _ALONE[row.state], sign * minor
                self._orders.append(Booked(entry.entity, account, row.document, row.kind, reference, worth, why))
                self._earn(entry.entity, row.channel, row.order, reference, line, revenue=-worth)

    def _earn(
        self, entity: str, channel: str, order: str, reference: str, line: str, *, revenue: int = 0, cost: int = 0
    ) -> None:
        found, currency = self._found, self._currencies[entity]
        key = (entity, channel, order)
        if reference:
            found.names[key] = reference
        for earned in (
            found.entities[entity],
            found.channels.setdefault((entity, channel), Earned(currency)),
            found.lines.setdefault((entity, line), Earned(currency)),
            found.orders.setdefault(key, Earned(currency)),
        ):
            earned.net_revenue_minor += revenue
            earned.cost_minor += cost

    # --- cost, as the ERP has it ------------------------------------------------------------------------------------

    def _cost(self, erp: StatesCosts) -> None:
        for cost in erp.costs(self._first, self._last):
            if cost.entity not in self._currencies:
                continue
            channel = self._channels.get(cost.channel or "")
            booked = Booked(
                cost.entity,
                cost.account,
                cost.document or cost.ref,
                cost.kind,
                "",
                cost.functional_minor,
                GapWhy.OF_NO_ORDER,
            )
            self._ledger.append(booked)
            if channel is None or not cost.order:
                continue
            self._orders.append(booked)
            line = _line_of(channel)(cost.item)
            self._earn(cost.entity, cost.channel or "", cost.order, "", line, cost=cost.functional_minor)

    # --- how it ties ------------------------------------------------------------------------------------------------

    def _tie(self, books: KeepsBooks) -> None:
        accounts = books.accounts()
        roles = {row["id"]: str(row["role"]) for row in accounts if row["role"] in MARGIN_ROLES}
        booked: dict[tuple[str, str], int] = defaultdict(int)
        for row in self._income_of(books, roles):
            self._ledger.append(row)
        for row in self._ledger:
            booked[row.entity, row.account] += row.minor
        moved = self._moved(books, roles)
        ours: dict[tuple[str, str], int] = defaultdict(int)
        for row in self._orders:
            ours[row.entity, row.account] += row.minor
        names = {row["id"]: str(row["name"]) for row in accounts}
        for entity, account in sorted({*moved, *booked, *ours}):
            if not (moved[entity, account] or booked[entity, account] or ours[entity, account]):
                continue
            self._found.accounts.append(
                AccountTie(
                    entity=entity,
                    account=account,
                    name=names.get(account, account),
                    role=roles.get(account, ""),
                    currency=self._currencies[entity],
                    orders_minor=ours[entity, account],
                    ledger_minor=moved[entity, account],
                    residual_minor=moved[entity, account] - booked[entity, account],
                )
            )
        self._found.gaps = gaps(self._orders, self._ledger)

    def _income_of(self, books: KeepsBooks, roles: dict[str, str]) -> Iterator[Booked]:
        """The journal's postings to the accounts of income; those of cost came with their items."""
        for entry in books.journal(self._first, self._last):
            if entry["entity"] not in self._currencies:
                continue
            sums: Sums = {}
            for posting in entry["postings"]:
                if roles.get(posting["account"], COST) != COST:
                    sums[posting["account"]] = sums.get(posting["account"], 0) + posting["functional_minor"]
            why = GapWhy.NOT_EXPECTED if entry["document"] else GapWhy.TYPED_IN
            for account, minor in sums.items():
                document = DocumentKey(entry["document"] or entry["ref"])
                reference = entry["reference"] or ""
                yield Booked(entry["entity"], account, document, entry["kind"], reference, minor, why)

    def _moved(self, books: KeepsBooks, roles: dict[str, str]) -> dict[tuple[str, str], int]:
        moved: dict[tuple[str, str], int] = defaultdict(int)
        day_before = self._first - datetime.timedelta(days=1)
        for until, sign in ((self._last, 1), (day_before, -1)):
            for row in books.trial_balance(until):
                if row["account"] in roles and row["entity"] in self._currencies:
                    moved[row["entity"], row["account"]] += sign * int(row["functional_minor"])
        return moved


def _line_of(channel: OpenChannel) -> ProductLine:
    def line_of(item: str | None) -> str:
        known = channel.items.get(item) if item is not None else None
        return (known.line if known is not None else None) or NO_LINE

    return line_of


# --- as JSON -------------------------------------------------------------------------------------------------------


def as_json(found: Metrics) -> dict[str, Any]:
    """The figures with JSON-ready values; hours and shares are numbers, money is in minor units."""
    touched = sum(found.touches.values())
    return {
        "period": found.period,
        "orders": found.orders,
        "channels": [_channel_json(channel) for channel in found.channels],
        "touches": {
            "count": touched,
            "per_100_orders": round(100 * touched / found.orders, 1) if found.orders else None,
            "by_kind": found.touches,
        },
        "margin": _margin_json(found.margin),
    }


def _channel_json(one: ChannelFigures) -> dict[str, Any]:
    return {
        "channel": one.channel,
        "orders": one.orders,
        "cycle_h": {
            stage.value: {
                "orders": len(one.seconds[stage]),
                "median": hours(one.seconds[stage], 50),
                "p90": hours(one.seconds[stage], 90),
            }
            for stage in Stage
        },
        "fill": {
            "orders": one.shipped_orders,
            "complete_orders": one.complete_orders,
            "units": one.due_units,
            "first_units": one.first_units,
            "rate": ratio(one.first_units, one.due_units),
        },
        "ship_by": _promises_json(one.ship_by),
        "delivery_by": _promises_json(one.delivery_by),
        "returns": {
            "units": one.returned_units,
            "of_units": one.shipped_units,
            "unit_rate": ratio(one.returned_units, one.shipped_units),
            "currency": one.currency,
            "amount_minor": one.returned_minor,
            "of_amount_minor": one.shipped_minor,
            "value_rate": ratio(one.returned_minor, one.shipped_minor),
        },
    }


def _promises_json(promises: Promises) -> dict[str, Any]:
    return {**asdict(promises), "on_time_rate": promises.share}


def _margin_json(margin: Margin) -> dict[str, Any]:
    least = sorted(margin.orders.items(), key=lambda one: (one[1].margin_minor, one[0]))[:ORDERS_MAX]
    return {
        "ties": margin.ties,
        "entities": [{"entity": of, **earned.as_json()} for of, earned in margin.entities.items()],
        "channels": [
            {"entity": entity, "channel": channel, **earned.as_json()}
            for (entity, channel), earned in sorted(margin.channels.items())
        ],
        "lines": [
            {"entity": entity, "line": line, **earned.as_json()}
            for (entity, line), earned in sorted(margin.lines.items())
        ],
        "orders_count": len(margin.orders),
        "orders": [
            {"entity": of[0], "channel": of[1], "order": of[2], "name": margin.names.get(of), **earned.as_json()}
            for of, earned in least
        ],
        "accounts": [asdict(one) | {"gap_minor": one.ledger_minor - one.orders_minor} for one in margin.accounts],
        "gaps": [asdict(one) | {"gap_minor": one.ledger_minor - one.orders_minor} for one in margin.gaps],
    }
