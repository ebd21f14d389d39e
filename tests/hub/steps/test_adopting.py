"""An older integration posted until yesterday: what it made is taken over, and nothing is posted a second time."""

import json
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.errors import Misconfigured
from hub.model.adoption import Doubt
from hub.model.causes import CauseCode
from hub.model.documents import Component, Document, DocumentKey, DocumentKind, DocumentLine
from hub.model.intents import Action
from hub.model.reconciliation import Pair, Reconciliation
from hub.steps.adopting import adopt
from hub.steps.closing import reconcile
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.steps.showing import show_order
from hub.store import audit
from tests.hub.steps.conftest import OpenHub, record, stories, take_in

Json = dict[str, Any]

GO_LIVE = date(2026, 11, 1)
NO_KEY = DocumentKey("")


def minor(amount: str) -> int:
    return int(Decimal(amount) * 100)


def dollars(amount_minor: int) -> str:
    return f"{Decimal(amount_minor) / 100:.2f}"


def sold(count: int) -> list[Json]:
    """Plain orders of October: paid, shipped whole, taxed on top, nothing discounted."""
    plain = (s.final for s in stories(120) if "plain" in s.traits)
    fits = [f for f in plain if f["fulfillments"] and not f["taxes_included"] and f["total_discounts"] == "0.00"]
    return fits[:count]


def go_live(hub: Hub, on: date | None = GO_LIVE) -> Hub:
    """The hub with the day from which it posts."""
    channels = tuple(one.model_copy(update={"go_live": on}) for one in hub.settings.channels)
    object.__setattr__(hub, "settings", hub.settings.model_copy(update={"channels": channels}))
    vars(hub).pop("_channels", None)
    return hub


class Older:
    """The integration before the hub: it types its documents in, under no key, and knows orders by name alone."""

    def __init__(self, hub: Hub) -> None:
        self.erp = hub.erp
        self.timezone = hub.channel("shopify").timezone
        self.items: set[str] = set()

    def day(self, at: str) -> date:
        return datetime.fromisoformat(at).astimezone(self.timezone).date()

    def order(self, final: Json, *, off_minor: int = 0) -> str:
        """Sales order, fulfilment, invoice and payment; the name of the sales order."""
        placed, name = self.day(final["created_at"]), str(final["name"])
        shipped = self.day(final["fulfillments"][0]["created_at"])
        for line in final["line_items"]:
            self._item(line["sku"])
        goods = [
            DocumentLine(Component.GOODS, minor(x["price"]) * x["quantity"], None, x["sku"], x["quantity"])
            for x in final["line_items"]
        ]
        shipping = minor(final["total_shipping_price_set"]["shop_money"]["amount"])
        rest = [DocumentLine(Component.TAX, minor(final["total_tax"]) + off_minor, detail="Sales Tax")]
        rest += [DocumentLine(Component.SHIPPING, shipping)] if shipping else []
        ref = self._type(DocumentKind.SALES_ORDER, placed, name, (*goods, *rest))
        stock = tuple(DocumentLine(Component.STOCK, 0, None, x["sku"], x["quantity"]) for x in final["line_items"])
        self._type(DocumentKind.FULFILMENT, shipped, name, stock, location="main")
        self._type(DocumentKind.INVOICE, shipped, name, (*goods, *rest))
        paid = [x for x in final["transactions"] if x["kind"] in ("sale", "capture")]
        for one in paid:
            line = DocumentLine(Component.DEPOSITS, minor(one["amount"]))
            at = self.day(one["processed_at"])
            self._type(DocumentKind.DEPOSIT, at, name, (line,), method=one["gateway"])
        applied = DocumentLine(Component.DEPOSITS, sum(minor(one["amount"]) for one in paid))
        self._type(DocumentKind.DEPOSIT_APPLICATION, shipped, name, (applied,))
        return ref

    def _item(self, sku: str) -> None:
        if sku not in self.items:
            self.items.add(sku)
            stock = (DocumentLine(Component.STOCK, 100, item=sku, quantity=1),)
            self._type(DocumentKind.ITEM, date(2026, 1, 2), None, stock)
            received = (DocumentLine(Component.STOCK, 100_000, item=sku, quantity=1_000),)
            self._type(DocumentKind.STOCK_RECEIPT, date(2026, 1, 2), None, received, location="main")

    def _type(
        self,
        kind: DocumentKind,
        on: date,
        name: str | None,
        lines: tuple[DocumentLine, ...],
        *,
        method: str | None = None,
        location: str | None = None,
    ) -> str:
        document = Document(NO_KEY, kind, "main", "USD", on, lines, None, name, method, location)
        ref: str = self.erp.type_in(document)
        return ref


def refunded(final: Json) -> Json:
    """The order after one unit of its first line came back, the day after the go-live."""
    line = final["line_items"][0]
    net = minor(line["price"])
    tax = sum(minor(one["price"]) for one in line["tax_lines"]) // line["quantity"]
    at = "2026-11-01T15:00:00+00:00"
    order = int(final["id"])
    row = {
        "id": order + 71,
        "quantity": 1,
        "line_item_id": line["id"],
        "location_id": None,
        "restock_type": "return",
        "subtotal": dollars(net),
        "total_tax": dollars(tax),
        "subtotal_set": money_set(net),
        "total_tax_set": money_set(tax),
    }
    paid = {
        **next(one for one in final["transactions"] if one["kind"] in ("sale", "capture")),
        "id": order + 72,
        "kind": "refund",
        "amount": dollars(net + tax),
        "created_at": at,
        "processed_at": at,
    }
    refund = {
        "id": order + 70,
        "order_id": order,
        "created_at": at,
        "processed_at": at,
        "restock": True,
        "note": None,
        "refund_line_items": [row],
        "order_adjustments": [],
        "refund_shipping_lines": [],
        "duties": [],
        "transactions": [paid],
    }
    return final | {
        "refunds": [refund],
        "transactions": [*final["transactions"], paid],
        "financial_status": "partially_refunded",
        "updated_at": at,
    }


def money_set(amount_minor: int) -> Json:
    money = {"amount": dollars(amount_minor), "currency_code": "USD"}
    return {"shop_money": money, "presentment_money": money}


def closed(hub: Hub, tmp_path: Path, period: str, orders: list[Json]) -> Reconciliation:
    statement = tmp_path / "statement.json"
    statement.write_text(json.dumps({"orders": orders}))
    return reconcile(hub, period, [statement])


def told(found: Reconciliation) -> list[tuple[Pair, str, int, list[tuple[str, int]], int]]:
    return [
        (v.pair, v.kind.value, v.delta_minor, [(c.code.value, c.amount_minor) for c in v.causes], v.residual_minor)
        for v in (*found.sales.variances, *found.payments.variances)
    ]


@pytest.fixture
def hub(open_one: OpenHub) -> Hub:
    return go_live(open_one())


@pytest.fixture
def month(hub: Hub) -> list[Json]:
    """Twenty orders that the older integration posted, and the hub captured."""
    orders = sold(20)
    older = Older(hub)
    for final in orders:
        older.order(final)
    take_in(hub, *[record(final, str(final["id"])) for final in orders])
    assert send_all(hub).done == 0
    return orders


def test_what_an_older_integration_posted_ties_once_it_is_adopted(hub: Hub, month: list[Json], tmp_path: Path) -> None:
    found = adopt(hub, "shopify")

    assert (found.orders, len(found.links), found.unsure, found.absent, found.posts) == (20, 100, [], [], [])
    assert [link.differences for link in found.links if link.differences] == []
    assert send_all(hub).done == 0
    closed_month = closed(hub, tmp_path, "2026-10", month)
    assert told(closed_month) == []
    assert [side.orders for side in (*closed_month.sales.hub, *closed_month.sales.erp)] == [20, 20]


def test_without_adoption_every_order_of_that_month_stands_on_both_sides_alone(
    hub: Hub, month: list[Json], tmp_path: Path
) -> None:
    found = closed(hub, tmp_path, "2026-10", month).sales.variances

    assert sorted((v.kind.value, v.causes[0].code.value) for v in found) == [
        *[("missing_in_erp", "held_order")] * 20,
        *[("unknown_to_channel", "entered_in_erp_alone")] * 20,
    ]


def test_a_refund_after_the_go_live_is_credited_to_the_adopted_order_and_nothing_is_doubled(
    hub: Hub, month: list[Json], tmp_path: Path
) -> None:
    adopt(hub, "shopify")
    later = refunded(month[3])
    before = documents_of_orders(hub)

    take_in(hub, record(later, "later"))
    sent = send_all(hub)

    assert (sent.rejected, sent.in_doubt, sent.differing) == (0, 0, 0)
    new = [one for one in documents_of_orders(hub) if one not in before]
    assert sorted(kind for kind, _, _ in new) == ["credit_memo", "refund", "return_receipt"]
    assert {name for _, name, _ in new} == {month[3]["name"]}
    assert {key for _, _, key in new} == {
        f"cm-shopify-{later['id']}-{later['refunds'][0]['id']}"[:40],
        *(key for kind, _, key in new if kind != "credit_memo"),
    }
    orders = [later if one["id"] == later["id"] else one for one in month]
    assert told(closed(hub, tmp_path, "2026-10", orders)) == []
    assert told(closed(hub, tmp_path, "2026-11", orders)) == []


def documents_of_orders(hub: Hub) -> list[tuple[str, str, str]]:
    """Kind, order name and key of every document of an order in the ERP."""
    return [(one.kind.value, one.reference, one.key) for one in hub.erp.documents(date(2026, 1, 1), date(2026, 12, 31))]


def test_adopting_twice_is_adopting_once(hub: Hub, month: list[Json]) -> None:
    first = adopt(hub, "shopify")
    before = documents_of_orders(hub)

    again = adopt(hub, "shopify")

    assert len(first.links) == 100
    assert (again.orders, again.links, again.unsure, again.before) == (0, [], [], 100)
    assert documents_of_orders(hub) == before
    assert len(audit.listed(hub.store, action="adopt")) == 20


def test_a_dry_run_says_what_would_be_and_changes_nothing(hub: Hub, month: list[Json]) -> None:
    before = documents_of_orders(hub)

    found = adopt(hub, "shopify", write=False)

    assert (found.orders, len(found.links)) == (20, 100)
    assert documents_of_orders(hub) == before
    assert show_order(hub, f"shopify/{month[0]['id']}").documents == []
    assert audit.listed(hub.store, action="adopt") == []


def test_a_run_that_ended_between_the_erp_and_the_hub_is_finished_by_the_next(
    hub: Hub, month: list[Json], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = pytest.raises(RuntimeError)
    with monkeypatch.context() as patch, broken:
        patch.setattr(hub.erp, "read_back", fail)
        adopt(hub, "shopify")

    found = adopt(hub, "shopify")

    assert (found.orders, len(found.links), found.unsure) == (20, 100, [])
    assert told(closed(hub, tmp_path, "2026-10", month)) == []


def fail(*_: object) -> None:
    raise RuntimeError("the machine is gone")


def test_an_amount_that_differs_is_listed_and_named_by_the_reconciliation(hub: Hub, tmp_path: Path) -> None:
    right, wrong = sold(2)
    older = Older(hub)
    older.order(right)
    older.order(wrong, off_minor=250)
    take_in(hub, record(right, "right"), record(wrong, "wrong"))

    found = adopt(hub, "shopify")

    differing = [(x.document.kind.value, x.difference_minor, x.differences) for x in found.links if x.differences]
    assert sorted(differing) == [("invoice", 250, ("total", "tax")), ("sales_order", 250, ("total", "tax"))]
    assert found.as_json()["difference_minor"] == {"USD": 500}
    (variance,) = closed(hub, tmp_path, "2026-10", [right, wrong]).sales.variances
    assert [(c.code, c.amount_minor) for c in variance.causes] == [(CauseCode.ADOPTED, 250)]
    assert (variance.order, variance.residual_minor) == (str(wrong["id"]), 0)


def test_two_candidates_are_listed_and_neither_is_taken(hub: Hub) -> None:
    one, two = sold(2)
    older = Older(hub)
    refs = [older.order(one), older.order(one)]
    older.order(two)
    take_in(hub, record(one, "one"), record(two, "two"))

    found = adopt(hub, "shopify")

    assert found.orders == 1
    assert {x.doubt for x in found.unsure} == {Doubt.SEVERAL_DOCUMENTS}
    assert {x.erp.ref for x in found.unsure if x.erp.kind is DocumentKind.SALES_ORDER} == set(refs)
    assert show_order(hub, f"shopify/{one['id']}").documents == []


def test_a_name_that_two_channels_have_is_for_a_person(hub: Hub) -> None:
    (final,) = sold(1)
    other = hub.settings.channels[0].model_copy(update={"slug": "shopify-2"})
    both = (*hub.settings.channels, other)
    object.__setattr__(hub, "settings", hub.settings.model_copy(update={"channels": both}))
    Older(hub).order(final)
    elsewhere = final | {"id": 900_000_001}
    take_in(hub, record(final, "one"), replace(record(elsewhere, "two"), channel="shopify-2"))

    found = adopt(hub, "shopify")

    assert (found.orders, {x.doubt for x in found.unsure}) == (0, {Doubt.SEVERAL_ORDERS})
    assert len(found.unsure) == 5


def test_what_the_hub_posted_already_is_not_taken_a_second_time(hub: Hub) -> None:
    (final,) = sold(1)
    older = Older(hub)
    go_live(hub, None)
    for line in final["line_items"]:
        older._item(line["sku"])
    take_in(hub, record(final, "one"))
    assert send_all(hub).rejected == 0
    older.order(final)

    found = adopt(hub, "shopify", until=date(2026, 10, 31))

    assert (found.orders, {x.doubt for x in found.unsure}) == (0, {Doubt.OURS_STANDS})


def test_a_go_live_that_was_set_too_early_is_made_good_before_anything_is_sent(hub: Hub, tmp_path: Path) -> None:
    go_live(hub, None)
    orders = sold(3)
    older = Older(hub)
    for final in orders:
        older.order(final)
    take_in(hub, *[record(final, str(final["id"])) for final in orders])

    found = adopt(hub, "shopify", until=date(2026, 10, 31))

    assert (found.orders, found.unsure) == (3, [])
    sent = send_all(hub)
    assert sent.rejected == 0
    assert len(documents_of_orders(hub)) == 15
    assert told(closed(hub, tmp_path, "2026-10", orders)) == []


def test_an_order_shipped_after_the_go_live_is_shipped_and_invoiced_by_the_hub(hub: Hub, tmp_path: Path) -> None:
    (final,) = sold(1)
    older = Older(hub)
    older.order(final)
    for ref in refs_of(hub, DocumentKind.FULFILMENT, DocumentKind.INVOICE, DocumentKind.DEPOSIT_APPLICATION):
        hub.erp.void(ref)
    open_order = final | {"fulfillments": [], "fulfillment_status": None}
    take_in(hub, record(open_order, "open"))
    assert len(adopt(hub, "shopify").links) == 2
    at = "2026-11-01T15:00:00+00:00"
    shipped = final | {
        "updated_at": at,
        "fulfillments": [one | {"created_at": at, "updated_at": at} for one in final["fulfillments"]],
    }

    take_in(hub, record(shipped, "shipped"))
    sent = send_all(hub)

    assert (sent.rejected, sent.differing) == (0, 0)
    kinds = sorted(kind for kind, _, _ in documents_of_orders(hub))
    assert kinds == ["deposit", "deposit_application", "fulfilment", "invoice", "sales_order"]
    assert told(closed(hub, tmp_path, "2026-10", [shipped])) == []
    owed = {
        row["account"]: row["balance_minor"] for row in hub.erp.trial_balance() if row["account"] in ("1100", "2100")
    }
    assert set(owed.values()) <= {0}


def refs_of(hub: Hub, *kinds: DocumentKind) -> list[str]:
    return [one.ref for one in hub.erp.documents(date(2026, 1, 1), date(2026, 12, 31)) if one.kind in kinds]


def test_an_order_cancelled_after_the_go_live_amends_the_adopted_document(hub: Hub) -> None:
    (final,) = sold(1)
    Older(hub).order(final)
    for ref in refs_of(hub, DocumentKind.FULFILMENT, DocumentKind.INVOICE, DocumentKind.DEPOSIT_APPLICATION):
        hub.erp.void(ref)
    (ref,) = refs_of(hub, DocumentKind.SALES_ORDER)
    open_order = final | {"fulfillments": [], "fulfillment_status": None}
    take_in(hub, record(open_order, "open"))
    adopt(hub, "shopify")

    at = "2026-11-01T15:00:00+00:00"
    take_in(hub, record(open_order | {"cancelled_at": at, "cancel_reason": "customer", "updated_at": at}, "cancelled"))
    sent = send_all(hub)

    assert (sent.rejected, sent.differing) == (0, 0)
    key = f"so-shopify-{final['id']}"
    assert [x.action for x in show_order(hub, f"shopify/{final['id']}").documents if x.document == key] == [
        Action.CREATE.value,
        Action.AMEND.value,
    ]
    assert hub.erp.ref(key) == ref
    assert sum(line.amount_minor for line in hub.erp.document(ref).lines) == 0


def test_a_document_that_the_older_integration_never_made_is_left_and_named(
    hub: Hub, month: list[Json], tmp_path: Path
) -> None:
    (gone,) = [
        one
        for one in hub.erp.documents(date(2026, 1, 1), date(2026, 12, 31))
        if one.kind is DocumentKind.DEPOSIT and one.reference == month[2]["name"]
    ]
    hub.erp.void(gone.ref)

    found = adopt(hub, "shopify")

    assert [x.kind for x in found.absent] == [DocumentKind.DEPOSIT]
    assert send_all(hub).done == 0
    (variance,) = told(closed(hub, tmp_path, "2026-10", month))
    total = gone.total_minor
    assert variance == (Pair.HUB_ERP, "missing_in_erp", -total, [("held_order", -total)], 0)


def test_until_when_must_be_known(hub: Hub) -> None:
    go_live(hub, None)

    with pytest.raises(Misconfigured, match="--until"):
        adopt(hub, "shopify")


class Keyless:
    """The ledger as an ERP that lets nobody write a key onto a document that stands."""

    def __init__(self, erp: Any) -> None:
        self._erp = erp

    def __getattr__(self, name: str) -> Any:
        if name in ("adopt", "documents"):
            raise AttributeError(name)
        return getattr(self._erp, name)


def test_an_erp_that_takes_no_key_is_linked_by_its_own_ids(hub: Hub, month: list[Json], tmp_path: Path) -> None:
    vars(hub)["erp"] = Keyless(hub.erp)

    found = adopt(hub, "shopify")
    again = adopt(hub, "shopify")

    assert (found.orders, len(found.links), found.unsure) == (20, 40, [])
    assert (again.orders, again.unsure, again.before) == (0, [], 40)
    assert told(closed(hub, tmp_path, "2026-10", month)) == []
