"""NetSuite's general ledger beside the expected books, before and after people worked in the account."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.shopify.simulator import Story
from erp_adapters.netsuite.account.world import Switches
from hub.books import Chart, Policy, post
from hub.model.documents import Document, DocumentKey, DocumentKind, Rate, document_key
from hub.model.postings import BooksComparison, ErpPosting
from hub.steps.closing import reconcile
from hub.testing.builders import (
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
)
from mappings.netsuite.postings import chart_map
from mappings.netsuite.words import part_key
from tests.conftest import Clock
from tests.erp_adapters.netsuite.desk import CHART, COSTS, MAPPED, POLICIES, Desk, desk
from tests.erp_adapters.netsuite.hubbed import Office, office
from tests.hub.steps.conftest import record, stories, take_in

MARCH = date(2026, 3, 1), date(2026, 3, 31)
Sums = dict[tuple[str, str, str], tuple[int, int]]
"""In the document's currency and in the entity's, by document, account and currency."""


def expected(documents: list[Document]) -> Sums:
    """What the hub's books say, by the accounts that NetSuite tells apart, but for costs."""
    sums: Sums = {}
    for document in documents:
        entry = post(document, Chart.parse(CHART), Policy.parse(POLICIES), "USD")
        for posting in entry.postings if entry is not None else ():
            number = posting.account.partition(":")[0]
            place = document.key, MAPPED.get(number, number), posting.currency
            amount, worth = sums.get(place, (0, 0))
            sums[place] = amount + posting.amount_minor, worth + posting.functional_minor
    return {place: pair for place, pair in sums.items() if any(pair) and place[1] not in COSTS}


def posted(rows: list[ErpPosting]) -> Sums:
    sums: Sums = {}
    for one in rows:
        place = one.document, one.account, one.currency
        amount, worth = sums.get(place, (0, 0))
        sums[place] = amount + one.amount_minor, worth + one.functional_minor
    return {place: pair for place, pair in sums.items() if any(pair) and place[1] not in COSTS}


def sold(netsuite: Desk, currency: str, **given: Any) -> list[Document]:
    """Two shipments, a return with its refund, all taxed."""
    goods = line("1", 3, 1250, discounts=(discount(250),), taxes=(tax(219), tax(53, "County Tax")))
    return netsuite.tell(
        fact(snapshot(goods, line("2", 1, 6995, sku="TEE"), shipping=(shipping(500, (tax(31),)),), currency=currency)),
        captured("t1", 1, 11298),
        shipped("f1", 60, l1=2),
        shipped("f2", 120, l1=1, l2=1),
        refunded("r1", 180, given_back("1", 1, 1167, 91)),
        paid_out("t2", 181, 1258, "r1"),
        **given,
    )


@pytest.mark.parametrize(("currency", "rate"), [("USD", None), ("EUR", Rate(Decimal("1.08"), MARCH[0], "ecb"))])
def test_a_whole_sale_is_posted_as_the_books_say(currency: str, rate: Rate | None) -> None:
    with desk() as netsuite:
        documents = sold(netsuite, currency, **({} if rate is None else {"rate": rate}))

        rows = list(netsuite.adapter.postings(*MARCH))

        told, held = expected(documents), posted(rows)
        assert {place: pair[0] for place, pair in held.items() if pair[0]} == {
            place: pair[0] for place, pair in told.items() if pair[0]
        }
        for place in {*told, *held}:  # NetSuite converts each line alone
            lines = sum(one.lines for one in rows if (one.document, one.account) == place[:2]) or 1
            off = held.get(place, (0, 0))[1] - told.get(place, (0, 0))[1]
            assert abs(off) <= (lines if currency != "USD" else 0), place
        assert {(one.channel, one.order, one.entity, one.by_hand) for one in rows} == {
            ("webshop", "1001", "main", False)
        }
        versions = {one.document: one.version for one in rows}
        assert versions == dict.fromkeys(versions, 1773144000)
        assert {one.kind for one in rows if one.document.startswith("depapp-")} == {"deposit_application"}


def test_every_part_of_a_document_carries_the_documents_key() -> None:
    with desk() as netsuite:
        (*_, application) = netsuite.tell(
            fact(snapshot(line("1", 3, 1250))),
            captured("t1", 1, 2000),
            captured("t2", 2, 1750),
            shipped("f1", 60, l1=3),
        )
        assert application.kind is DocumentKind.DEPOSIT_APPLICATION
        assert netsuite.rec(part_key(application.key, 1)).type == "depositApplication"

        rows = [one for one in netsuite.adapter.postings(*MARCH) if one.kind == DocumentKind.DEPOSIT_APPLICATION]

        assert {one.document for one in rows} == {application.key}
        assert len({one.ref for one in rows}) == 2
        assert sum(one.amount_minor for one in rows if one.account == "2100") == 3750


def test_what_is_posted_on_other_days_is_left_out() -> None:
    with desk() as netsuite:
        netsuite.tell(fact(snapshot(line("1", 1, 1250))), captured("t1", 1, 1250))

        assert list(netsuite.adapter.postings(date(2026, 3, 3), date(2026, 4, 30))) == []


def test_accounts_are_turned_around() -> None:
    chart = chart_map(["1100", "1200", "2400", "5300"], {"2400": "1100", "1200:card": "1210", "5300": "6100"})

    assert chart.together == {"2400": "1100"}
    assert [chart.account(number) for number in ("1100", "1200", "1210", "6100", "7000")] == [
        "1100",
        "1200",
        "1200",
        "5300",
        "7000",
    ]
    assert chart.account("5300") == "NetSuite 5300"  # what the hub calls 5300 is NetSuite's 6100


# --- through the hub's own comparison ---------------------------------------------------------------------------------


@pytest.fixture
def books(tmp_path: Path, utc: Clock) -> Iterator[Office]:
    """Six paid and shipped orders of October, told to an account whose searches show New York's time."""
    utc.now = utc.now.replace(month=11, hour=20)
    with office(tmp_path / "office", utc, Switches(time_zone="America/New_York"), time_zone="America/New_York") as made:
        take_in(made.hub, *(record(one.final, str(one.final["id"])) for one in plain()))
        made.settle()
        utc.pass_time(hours=1)
        yield made


def plain() -> list[Story]:
    return [one for one in stories(60) if "plain" in one.traits and one.final["fulfillments"]][:6]


def key(kind: DocumentKind, number: int) -> DocumentKey:
    final = plain()[number].final
    cause = final["fulfillments"][0]["id"]
    return document_key(kind, "shopify", str(final["id"]), str(cause))


def compared(books: Office, period: str = "2026-10") -> BooksComparison:
    found = reconcile(books.hub, period, []).books
    assert found is not None
    assert set(found.unexplained_minor.values()) <= {0}, found.differences
    assert set(found.unexplained_functional_minor.values()) <= {0}, found.differences
    return found


def causes(found: BooksComparison, account: str = "1100") -> dict[str, list[str]]:
    """Of each document that differs on an account, the causes."""
    return {
        one.document: [cause.code.value for cause in one.causes] for one in found.differences if one.account == account
    }


def test_what_the_hub_told_ties_document_by_document(books: Office) -> None:
    found = compared(books)

    assert (found.documents, found.matched, found.differences) == (18, 18, ())
    assert {one.account for one in found.accounts} >= {"1100", "1200", "2100", "2200", "4000"}
    assert {one.why for one in found.left_out} == {"cost"}


def test_an_amount_that_was_edited_is_a_hand_edit(books: Office) -> None:
    books.hands.edit_amount(key(DocumentKind.INVOICE, 0), Decimal("12.50"))

    found = compared(books)

    assert causes(found) == {key(DocumentKind.INVOICE, 0): ["hand_edit"]}
    assert [one.delta_minor for one in found.differences] == [1250, -1250]


def test_tax_that_was_computed_anew_has_a_name_of_its_own(books: Office) -> None:
    """What was applied to the invoice follows it, and is named for itself."""
    books.hands.recompute_tax(key(DocumentKind.INVOICE, 0))

    found = compared(books)

    assert causes(found, "2200") == {key(DocumentKind.INVOICE, 0): ["tax_recomputed"]}
    assert causes(found, "1100")[key(DocumentKind.INVOICE, 0)] == ["tax_recomputed"]


def test_an_invoice_that_was_deleted_is_named_with_what_it_settled(books: Office) -> None:
    books.hands.delete(key(DocumentKind.INVOICE, 0))

    found = compared(books)

    gone = {key(DocumentKind.INVOICE, 0): ["erp_deleted"], key(DocumentKind.DEPOSIT_APPLICATION, 0): ["erp_deleted"]}
    assert causes(found) == gone


def test_money_that_was_entered_again_was_entered_twice(books: Office) -> None:
    again = books.hands.apply_twice(key(DocumentKind.DEPOSIT_APPLICATION, 0))

    found = compared(books)

    assert causes(found) == {str(again.id): ["entered_twice"]}
    (one,) = [one for one in found.differences if one.account == "1100"]
    assert one.order == str(plain()[0].final["id"])


def test_a_second_invoice_of_an_order_was_entered_twice(books: Office) -> None:
    again = books.hands.copy(key(DocumentKind.INVOICE, 0))
    for name in ("custbody_orderhub_channel", "custbody_orderhub_order"):
        again.fields.pop(name, None)
    books.world.touch(again)

    assert causes(compared(books)) == {str(again.id): ["entered_twice"]}


def test_a_document_of_another_month_is_cut_off_in_both(books: Office) -> None:
    books.hands.move(key(DocumentKind.INVOICE, 0), date(2026, 11, 1))

    assert causes(compared(books)) == {key(DocumentKind.INVOICE, 0): ["cut_off"]}
    assert causes(compared(books, "2026-11"))[key(DocumentKind.INVOICE, 0)] == ["cut_off"]


def test_what_was_typed_in_is_the_accounts_alone(books: Office) -> None:
    who = books.hands.type_in("customer", {"companyName": "By Telephone"})
    item = books.world.named("otherChargeSaleItem", "itemId", "SHIPPING")
    assert item is not None
    rows = [{"item": {"id": str(item.id)}, "quantity": 1, "amount": 189}]
    typed = books.hands.type_in(
        "invoice", {"entity": {"id": str(who.id)}, "tranDate": "2026-10-20", "item": {"items": rows}}
    )

    assert causes(compared(books)) == {str(typed.id): ["entered_in_erp_alone"]}
