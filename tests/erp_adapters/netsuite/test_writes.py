"""Writing to NetSuite: once though answers are lost, changed though something stands, refused in words."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from erp_adapters.netsuite.account.hands import Hands
from erp_adapters.netsuite.account.service import Response
from hub.errors import Misconfigured
from hub.model.documents import Component, Document, DocumentKind, DocumentLine
from hub.model.intents import Action, Found, Verdict
from hub.model.order import Party, PartyRef
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
    snapshot,
    tax,
    terms,
)
from hub.testing.conformance.bench import Fault
from tests.erp_adapters.netsuite.desk import ITEMS, Desk, desk
from tests.hub.flow.bookkeeping import planned

K = DocumentKind
LINES = line("1", 3, 1250, taxes=(tax(300),)), line("2", 1, 6995, sku="TEE")
ORDER = fact(snapshot(*LINES))
PAID = captured("t1", 1, 11045)
SENT = shipped("f1", 60, l1=2)


@pytest.fixture
def netsuite() -> Iterator[Desk]:
    with desk() as made:
        yield made


def of(documents: list[Document], kind: DocumentKind) -> Document:
    return next(document for document in documents if document.kind is kind)


# --- once ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [K.SALES_ORDER, K.DEPOSIT, K.FULFILMENT, K.INVOICE, K.DEPOSIT_APPLICATION])
def test_a_write_whose_answer_was_lost_is_found_by_its_key(kind: DocumentKind) -> None:
    facts = (ORDER, PAID, SENT)
    with desk() as netsuite:
        documents = planned(facts, terms(items=ITEMS))
        at_ = next(i for i, document in enumerate(documents) if document.kind is kind)
        netsuite.done(customer(documents[0]))
        for document in documents[:at_]:
            netsuite.done(document)

        netsuite.app.faults.fail_write(Fault.LOST_AFTER)
        outcome = netsuite.put(documents[at_])
        (probe,) = netsuite.adapter.probe([netsuite.write(documents[at_])])

        assert outcome.verdict is Verdict.IN_DOUBT
        assert (probe.found, probe.ref) == (Found.DONE, str(netsuite.rec(documents[at_].key).id))


def test_what_is_put_again_is_adopted(netsuite: Desk) -> None:
    documents = netsuite.tell(ORDER, PAID, SENT)
    before = len(netsuite.world.records)

    outcomes = [netsuite.put(document) for document in documents]

    assert [outcome.ref for outcome in outcomes] == [str(netsuite.rec(document.key).id) for document in documents]
    assert len(netsuite.world.records) == before


def test_a_return_is_two_records_written_in_two_parts(netsuite: Desk) -> None:
    documents = netsuite.tell(ORDER, PAID, SENT)
    back = of(planned((ORDER, PAID, SENT, refunded("r1", 90, given_back("1", 1, 1250, 100))), terms(items=ITEMS)),
              K.RETURN_RECEIPT)  # fmt: skip

    (first,) = netsuite.adapter.put([netsuite.write(back)])
    (probe,) = netsuite.adapter.probe([netsuite.write(back)])
    (second,) = netsuite.adapter.put([netsuite.write(back, part="make-1", held=(first.ref or "",))])

    assert documents
    assert (first.then, probe.then, second.then) == ("make-1", "make-1", None)
    assert second.ref == f"{netsuite.rec('rma-webshop-1001-r1').id},{netsuite.rec('ret-webshop-1001-r1').id}"


def test_a_key_that_is_taken_by_another_order_is_refused(netsuite: Desk) -> None:
    (document,) = netsuite.tell(ORDER)
    netsuite.rec(document.key).fields["custbody_orderhub_order"] = "9999"

    outcome = netsuite.put(document)

    assert (outcome.verdict, outcome.code, outcome.field) == (Verdict.REJECTED, "key_taken", "externalId")


# --- changed ---------------------------------------------------------------------------------------------------------


def test_an_edit_lowers_the_row_and_keeps_what_was_shipped(netsuite: Desk) -> None:
    netsuite.tell(ORDER, SENT)
    edited = fact(snapshot(line("1", 3, 1250, taxes=(tax(300),), removed=1), line("2", 1, 6995, sku="TEE", removed=1)))

    documents = netsuite.tell(edited, SENT)

    rows = netsuite.rec("so-webshop-1001").rows()
    assert [(int(row.amount("quantity")), row.amount("amount"), row.get("isClosed")) for row in rows] == [
        (2, 25, False),
        (1, Decimal("69.95"), True),
    ]
    read = netsuite.read(documents[0])
    assert read is not None
    assert (read.total_minor, documents[0].total_minor) == (2700, 2700)


def test_a_change_told_twice_appends_no_row(netsuite: Desk) -> None:
    netsuite.tell(ORDER)
    more = fact(snapshot(*LINES, line("3", 2, 500)))

    (document,) = netsuite.tell(more)
    netsuite.done(document, Action.AMEND)

    assert len(netsuite.rec("so-webshop-1001").rows()) == 3


MORE = fact(snapshot(*LINES, line("3", 2, 500)))


def patches(netsuite: Desk) -> list[str]:
    """The queries of the changes to orders, in order; the request bodies' rows count nothing here."""
    return [query for method, path, query, _ in netsuite.requests if method == "PATCH" and "/salesOrder/" in path]


def test_a_row_more_before_anything_is_shipped_replaces_all_rows(netsuite: Desk) -> None:
    netsuite.tell(ORDER)

    netsuite.tell(MORE)

    rows = netsuite.rec("so-webshop-1001").rows()
    assert patches(netsuite) == ["replace=item%2CtaxDetails"]
    assert [(row.get("custcol_orderhub_line"), int(row.amount("quantity"))) for row in rows] == [
        ("1", 3),
        ("2", 1),
        ("3", 2),
    ]


def test_the_very_same_replacement_told_twice_doubles_nothing(netsuite: Desk) -> None:
    """Its answer was lost, it ran all the same, and somebody sends it again without looking."""
    netsuite.tell(ORDER)
    netsuite.app.faults.fail_write(Fault.LOST_AFTER)
    (document,) = planned((MORE,), terms(items=ITEMS))

    outcome = netsuite.put(document, Action.AMEND)
    (body,) = [body for method, path, _, body in netsuite.requests if method == "PATCH" and "/salesOrder/" in path]
    id = str(netsuite.rec("so-webshop-1001").id)
    netsuite.adapter.client.patch(
        "salesOrder", id, json.loads(body, parse_float=Decimal), replace=("item", "taxDetails")
    )

    assert outcome.verdict is Verdict.IN_DOUBT
    assert [row.get("custcol_orderhub_line") for row in netsuite.rec("so-webshop-1001").rows()] == ["1", "2", "3"]
    read = netsuite.read(document)
    assert read is not None
    assert (read.total_minor, read.tax_minor, read.lines) == (12045, 300, len(document.lines))


def test_a_row_more_after_a_shipment_is_added_beside_rows_told_by_their_line(netsuite: Desk) -> None:
    netsuite.tell(ORDER, SENT)
    before = [row.line for row in netsuite.rec("so-webshop-1001").rows()]

    netsuite.tell(MORE, SENT)

    assert patches(netsuite) == ["replace=taxDetails"]
    assert [row.line for row in netsuite.rec("so-webshop-1001").rows()][:2] == before
    assert [row.amount("quantityFulfilled") for row in netsuite.rec("so-webshop-1001").rows()] == [2, 0, 0]


def test_a_row_that_a_person_added_is_not_replaced(netsuite: Desk) -> None:
    (document,) = netsuite.tell(ORDER)
    item = netsuite.world.named("inventoryItem", "itemId", "BOTTLE-1L")
    assert item is not None
    order = str(netsuite.rec(document.key).id)
    netsuite.adapter.client.patch("salesOrder", order, {"item": {"items": [{"item": {"id": str(item.id)}}]}})

    netsuite.tell(MORE)

    rows = netsuite.rec("so-webshop-1001").rows()
    assert [row.get("custcol_orderhub_line") for row in rows] == ["1", "2", None, "3"]


def test_a_shipment_between_the_look_and_the_replacement_keeps_its_rows(netsuite: Desk) -> None:
    """NetSuite refuses to replace what was shipped meanwhile: the rows are read again and told by their line."""
    netsuite.tell(ORDER)
    lines = [row.line for row in netsuite.rec("so-webshop-1001").rows()]
    handle = netsuite.app.handle

    def shipping(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes = b"") -> Response:
        if "replace=item" in query and not netsuite.rec("so-webshop-1001").rows()[1].amount("quantityFulfilled"):
            Hands(netsuite.world).fulfil("so-webshop-1001", {lines[1]: 1})
        return handle(method, path, query, headers, body)

    setattr(netsuite.app, "handle", shipping)  # noqa: B010 - a person is quicker
    netsuite.tell(MORE)

    rows = netsuite.rec("so-webshop-1001").rows()
    assert [(row.line in lines, int(row.amount("quantityFulfilled"))) for row in rows] == [
        (True, 0),
        (True, 1),
        (False, 0),
    ]


def test_a_deposit_is_changed_where_it_stands(netsuite: Desk) -> None:
    documents = netsuite.tell(ORDER, PAID)
    id = netsuite.rec("dep-webshop-1001-t1").id
    lower = replace(documents[1], lines=(DocumentLine(Component.DEPOSITS, 9000),))

    netsuite.done(lower, Action.AMEND)

    assert netsuite.rec("dep-webshop-1001-t1").id == id
    read = netsuite.read(lower)
    assert read is not None
    assert read.total_minor == 9000


def test_a_change_whose_answer_was_lost_is_found_by_one_look(netsuite: Desk) -> None:
    documents = netsuite.tell(ORDER, PAID)
    lower = replace(documents[1], lines=(DocumentLine(Component.DEPOSITS, 9000),))
    (before,) = netsuite.adapter.probe([netsuite.write(lower, Action.AMEND)])
    netsuite.app.faults.fail_write(Fault.LOST_AFTER)
    outcome = netsuite.put(lower, Action.AMEND)
    asked = len(netsuite.app.calls)

    (probe,) = netsuite.adapter.probe([netsuite.write(lower, Action.AMEND)])

    assert (before.found, outcome.verdict) == (Found.ABSENT, Verdict.IN_DOUBT)
    assert (probe.found, probe.ref) == (Found.DONE, str(netsuite.rec(lower.key).id))
    assert [method for method, _ in netsuite.app.calls[asked:]] == ["GET"]


def test_an_order_that_is_void_is_closed(netsuite: Desk) -> None:
    (document,) = netsuite.tell(ORDER)

    netsuite.done(document, Action.VOID)

    read = netsuite.read(document)
    assert read is not None
    assert read.voided
    assert netsuite.rec(document.key).letter() == "H"
    (probe,) = netsuite.adapter.probe([netsuite.write(document, Action.VOID)])
    assert probe.found is Found.DONE


def test_a_void_document_is_deleted(netsuite: Desk) -> None:
    documents = netsuite.tell(ORDER, PAID)

    netsuite.done(documents[1], Action.VOID)

    assert netsuite.read(documents[1]) is None


def test_what_something_was_made_of_is_not_deleted(netsuite: Desk) -> None:
    documents = netsuite.tell(ORDER, PAID, SENT)

    outcome = netsuite.put(of(documents, K.DEPOSIT), Action.VOID)

    assert (outcome.verdict, outcome.code) == (Verdict.REJECTED, "has_successors")


# --- refused in words ------------------------------------------------------------------------------------------------


def test_an_unknown_item_is_named(netsuite: Desk) -> None:
    documents = planned((ORDER,), terms(items={"MUG": "NO-SUCH", "TEE": "SHIRT-MERINO-M"}))
    netsuite.done(customer(documents[0]))

    outcome = netsuite.put(documents[0])

    assert (outcome.code, outcome.field) == ("unknown_item", "lines.item")
    assert outcome.remedy.startswith("'NO-SUCH'")


def test_a_customer_that_is_not_there_is_named(netsuite: Desk) -> None:
    outcome = netsuite.put(planned((ORDER,), terms(items=ITEMS))[0])

    assert (outcome.code, outcome.field) == ("unknown_customer", "entity")


def test_a_closed_period_is_named(netsuite: Desk) -> None:
    netsuite.tell(ORDER)
    Hands(netsuite.world).close_period(PLACED_AT.date())
    deposit = planned((ORDER, PAID), terms(items=ITEMS))[1]

    outcome = netsuite.put(deposit)

    assert outcome.code == "closed_period"


def test_deferred_revenue_is_refused_with_what_to_set(netsuite: Desk) -> None:
    documents = netsuite.tell(ORDER)
    invoice = of(planned((ORDER, SENT), terms(items=ITEMS, recognise_on_delivery=True)), K.INVOICE)

    outcome = netsuite.put(invoice)

    assert documents
    assert (outcome.code, outcome.field) == ("deferred_revenue", "deferred")
    assert "recognise: shipment" in outcome.remedy


# --- who it is for ---------------------------------------------------------------------------------------------------


def test_a_name_and_an_address_go_to_the_customer_and_the_order_alone(netsuite: Desk) -> None:
    ref = PartyRef("customer-7", "v1")
    ann = Party(ref, name="Ann Example", email="ann@example.com", address=("1 Main St",), city="Troy", country="US")
    (document,) = planned((ORDER,), terms(items=ITEMS))
    buyer = replace(customer(document), party=ref)

    netsuite.put(buyer, parties=(ann,))
    outcome = netsuite.put(replace(document, party=ref), parties=(ann,))

    assert outcome.verdict is Verdict.DONE
    held = netsuite.rec(buyer.key, "entity")
    assert (held.get("firstName"), held.get("lastName"), held.get("email")) == ("Ann", "Example", "ann@example.com")
    assert netsuite.rec(document.key).get("shippingAddress")["addr1"] == "1 Main St"


def test_money_that_no_document_holds_is_a_journal_entry(netsuite: Desk) -> None:
    documents = netsuite.tell(ORDER, paid_out("t9", 5, 700, None))

    assert [kept.type for kept in (netsuite.rec("ref-webshop-1001-t9"),)] == ["journalEntry"]
    read = netsuite.read(of(documents, K.REFUND))
    assert read is not None
    assert read.total_minor == 700


def customer(document: Document) -> Document:
    assert document.customer is not None
    return Document(document.customer, K.CUSTOMER, "main", "USD", document.date, memo="Guest")


def test_a_discount_that_the_order_has_billed_whole_is_billed_as_a_row_of_its_own(netsuite: Desk) -> None:
    goods = line("1", 2, 1000, discounts=(discount(100),))
    documents = planned((fact(snapshot(goods)), shipped("f1", 60, l1=1), shipped("f2", 90, l1=1)), terms(items=ITEMS))
    first, second = [document for document in documents if document.kind is K.INVOICE]
    whole = replace(first, lines=(first.lines[0], replace(first.lines[1], amount_minor=-100)))
    netsuite.done(customer(documents[0]))
    netsuite.done(documents[0])
    netsuite.done(whole)

    netsuite.done(second)

    read = netsuite.read(second)
    assert read is not None
    assert (read.total_minor, read.lines) == (950, 2)


def test_a_line_without_a_product_is_the_item_for_custom_lines(netsuite: Desk) -> None:
    netsuite.tell(fact(snapshot(line("1", 1, 1000, sku=None))))

    (row,) = netsuite.rec("so-webshop-1001").rows()

    assert netsuite.world.must(row.ref("item")).get("itemId") == "GOODS-CREDITED"


# --- the account's own fields ----------------------------------------------------------------------------------------


def test_the_accounts_own_fields_are_filled_from_the_document() -> None:
    fields = {"salesOrder": {"custbody_shop": "order.channel", "custbody_lines": "length(lines)", "custbody_po": "po"}}
    with desk(fields=fields) as netsuite:
        netsuite.world.custom_fields.update(dict.fromkeys(fields["salesOrder"], "body"))

        netsuite.tell(ORDER)

        told = netsuite.rec("so-webshop-1001").fields
        assert (told["custbody_shop"], str(told["custbody_lines"])) == ("webshop", "3")
        assert "custbody_po" not in told  # which the document does not have


def test_what_no_field_can_hold_is_refused_with_its_expression_named() -> None:
    with desk(fields={"salesOrder": {"custbody_shop": "lines"}}) as netsuite:
        documents = planned([ORDER], terms(items=ITEMS))
        netsuite.done(customer(documents[0]))

        outcome = netsuite.put(documents[0])

        assert (outcome.verdict, outcome.code, outcome.field) == (Verdict.REJECTED, "invalid_value", "custbody_shop")
        assert "options.fields" in outcome.remedy


@pytest.mark.parametrize("field", ["custbody_orderhub_order", "memo"])
def test_only_the_accounts_own_fields_can_be_filled(field: str) -> None:
    with pytest.raises(Misconfigured, match=r"options\.fields"), desk(fields={"salesOrder": {field: "reference"}}):
        pass
