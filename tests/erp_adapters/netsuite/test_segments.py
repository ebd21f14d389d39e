"""Departments and classes: told on every record and row, refused by name, read back, wanted by the account or not."""

from datetime import timedelta
from typing import Any

import pytest

from erp_adapters.netsuite.account.hands import Hands
from erp_adapters.netsuite.account.world import Rec, Row, Switches, World, reference
from hub.model.documents import Component, Document, DocumentKey, DocumentKind, DocumentLine
from hub.model.facts import Restock
from hub.model.intents import Action, Verdict
from hub.steps.calling import differs
from hub.testing.builders import (
    PLACED_AT,
    captured,
    discount,
    fact,
    given_back,
    line,
    paid_out,
    refunded,
    shipped,
    shipping,
    snapshot,
    tax,
    terms,
)
from tests.erp_adapters.netsuite.desk import ITEMS, Desk, desk
from tests.hub.flow.bookkeeping import planned

K = DocumentKind
GOODS = line("1", 3, 1250, discounts=(discount(250),), taxes=(tax(300),)), line("2", 1, 6995, sku="TEE")
ORDER = fact(snapshot(*GOODS, shipping=(shipping(500),)))
PAID = captured("t1", 1, 11295)
SENT = shipped("f1", 60, l1=3, l2=1)
BACK = refunded("r1", 90, given_back("1", 1, 1166, 100)), paid_out("t2", 91, 1266, "r1")
KEPT = refunded("r1", 90, given_back("1", 1, 1166, 100, Restock.NO_RESTOCK)), paid_out("t2", 91, 1266, "r1")
NAMED: dict[str, Any] = {
    "departments": {"*": "Sales"},
    "classes": {"webshop": "Web", "*": "Marketplace"},
    "item_classes": {"SHIRT-MERINO-M": "Apparel", "shipping": "Freight"},
}
MANDATORY = Switches(mandatory_segments=("department", "class"))
BY_LINE = {"1": "Web", "1/discount": "Web", "2": "Apparel", "shipping": "Freight"}


def listed(world: World) -> None:
    """The account has two classes more."""
    for name in ("Apparel", "Freight"):
        world.keep(world.new("classification", {"name": name, "isInactive": False}))


def name_of(held: Rec | Row, field: str) -> str | None:
    found = held.get(field)
    return None if found is None else str(found["refName"])


def by_row(rec: Rec) -> dict[str, str | None]:
    return {str(row.get("custcol_orderhub_line")): name_of(row, "class") for row in rec.rows("item")}


# --- told -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cash_sales", [False, True])
@pytest.mark.parametrize("back", [BACK, KEPT])
def test_an_account_that_wants_both_takes_every_record(back: tuple[Any, ...], cash_sales: bool) -> None:
    with desk(MANDATORY, **NAMED) as netsuite:
        listed(netsuite.world)

        netsuite.tell(ORDER, PAID, SENT, *back, cash_sales=cash_sales)

        told = [rec for rec in netsuite.world.records.values() if rec.external_id and "tranDate" in rec.fields]
        assert {(name_of(rec, "department"), name_of(rec, "class")) for rec in told} == {("Sales", "Web")}
        assert {"salesOrder", "itemFulfillment"} <= {rec.type for rec in told}


def test_a_row_has_the_class_of_its_item_and_a_discount_that_of_its_goods() -> None:
    with desk(**NAMED) as netsuite:
        listed(netsuite.world)

        documents = netsuite.tell(ORDER, PAID, SENT)

        invoice = next(one for one in documents if one.kind is K.INVOICE)
        for rec in (netsuite.rec("so-webshop-1001"), netsuite.rec(invoice.key)):
            assert {key.replace("/seller", ""): name for key, name in by_row(rec).items()} == BY_LINE
            assert {name_of(row, "department") for row in rec.rows("item")} == {"Sales"}


def test_what_is_of_no_order_has_those_of_any_channel() -> None:
    with desk(MANDATORY, **NAMED) as netsuite:
        lines = tuple(
            DocumentLine(Component.ACCOUNT, minor, detail=role) for role, minor in (("bank", 700), ("fees", -700))
        )
        entry = Document(DocumentKey("je-webshop-x"), K.JOURNAL_ENTRY, "main", "USD", netsuite.clock.at.date(), lines)

        netsuite.done(entry)

        rec = netsuite.rec("je-webshop-x")
        assert name_of(rec, "class") == "Marketplace"
        assert [name_of(row, "class") for row in rec.rows("line")] == ["Marketplace", "Marketplace"]


def test_where_none_is_named_none_is_told() -> None:
    with desk() as netsuite:
        netsuite.tell(ORDER, PAID, SENT, *BACK)

        assert {name_of(rec, "class") for rec in netsuite.world.every("salesOrder", "invoice", "creditMemo")} == {None}
        assert not [body for _, _, _, body in netsuite.requests if b'"class"' in body or b'"department"' in body]


def test_an_edit_moves_the_rows_to_the_class_that_is_named_now() -> None:
    with desk(classes={"*": "Web"}) as netsuite:
        netsuite.tell(ORDER)
        later = Desk(
            netsuite.app, netsuite.clock, netsuite.adapter._config.address or "", {"classes": {"*": "Marketplace"}}
        )
        later.told = netsuite.told
        edited = fact(snapshot(line("1", 2, 1250, discounts=(discount(250),), taxes=(tax(300),)), GOODS[1],
                               shipping=(shipping(500),), modified_at=PLACED_AT + timedelta(hours=1)))  # fmt: skip

        later.tell(edited)
        later.adapter.close_connections()

        order = netsuite.rec("so-webshop-1001")
        assert name_of(order, "class") == "Marketplace"
        assert set(by_row(order).values()) == {"Marketplace"}


# --- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code", "field", "remedy"),
    [
        ({"classes": {"*": "Wbe"}}, "unknown_class", "class", "options.classes"),
        ({"item_classes": {"shipping": "Freigth"}}, "unknown_class", "class", "options.item_classes"),
        ({"departments": {"*": "Sails"}}, "unknown_department", "department", "options.departments"),
        ({"classes": {"outlet": "Web"}}, "unknown_class", "classes.webshop", "options.classes.webshop"),
    ],
)
def test_a_name_that_is_not_there_is_refused_before_anything_is_sent(
    options: dict[str, Any], code: str, field: str, remedy: str
) -> None:
    with desk(**options) as netsuite:
        order = _order(netsuite)

        outcome = netsuite.put(order)

        assert (outcome.verdict, outcome.code, outcome.field) == (
            Verdict.REJECTED,
            code,
            field,
        )
        assert remedy in outcome.remedy
        assert list(netsuite.world.every("salesOrder")) == []


def test_one_that_became_inactive_after_it_was_looked_up_is_refused_by_netsuite() -> None:
    with desk(classes={"*": "Web"}) as netsuite:
        netsuite.tell(ORDER)
        listed_ = netsuite.world.named("classification", "name", "Web")
        assert listed_ is not None
        listed_.fields["isInactive"] = True

        outcome = netsuite.put(next(one for one in _planned(ORDER, PAID) if one.kind is K.DEPOSIT))

        assert (outcome.verdict, outcome.code, outcome.field) == (Verdict.REJECTED, "unknown_class", "class")


@pytest.mark.parametrize(("name", "option"), [("class", "options.classes"), ("department", "options.departments")])
def test_an_account_that_wants_one_refuses_a_document_without(name: str, option: str) -> None:
    with desk(Switches(mandatory_segments=(name,))) as netsuite:
        outcome = netsuite.put(_order(netsuite))

        assert (outcome.verdict, outcome.code, outcome.field) == (Verdict.REJECTED, "missing_segment", name)
        assert option in outcome.remedy
        assert list(netsuite.world.every("salesOrder")) == []


# --- read back --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [1, 5])
def test_a_class_that_a_person_changed_is_seen_one_by_one_and_in_a_search(at_once: int) -> None:
    with desk(**NAMED) as netsuite:
        listed(netsuite.world)
        documents = netsuite.tell(ORDER, PAID, SENT)
        netsuite.clock.passes(3600)
        web = netsuite.world.named("classification", "name", "Marketplace")
        assert web is not None
        assert not any(_differ(netsuite, documents, at_once))

        Hands(netsuite.world).edit("so-webshop-1001", **{"class": reference(web)})

        first, *others = _differ(netsuite, documents, at_once)
        assert (documents[0].kind, first) == (K.SALES_ORDER, True)
        assert not any(others)


def test_rows_that_the_account_keeps_no_class_of_are_a_difference() -> None:
    with desk(Switches(segments_by_line=False), **NAMED) as netsuite:
        listed(netsuite.world)
        order = _order(netsuite)

        netsuite.put(order)

        read = netsuite.read(order)
        assert read is not None
        assert read.lines == len(order.lines) - 2  # that of the shirt and that of the shipping
        assert differs(order, read, Action.CREATE)


def _differ(netsuite: Desk, documents: list[Document], at_once: int) -> list[bool]:
    """Of each document, whether its read-back differs; so many are read together."""
    found = []
    for document in documents:
        read = netsuite.adapter.read_back([document, *documents[: at_once - 1]])[0]
        assert read is not None
        found.append(differs(document, read, Action.CREATE))
    return found


def _planned(*facts: Any) -> list[Document]:
    return planned(facts, terms(items=ITEMS))


def _order(netsuite: Desk) -> Document:
    """The order, whose customer is there."""
    order = _planned(ORDER)[0]
    assert order.customer is not None
    netsuite.done(Document(order.customer, K.CUSTOMER, "main", "USD", order.date, memo="Guest"))
    return order
