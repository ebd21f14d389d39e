"""When all is delivered and paid, the books come to what the order, its money and its refunds say."""

from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.books.chart import Role
from hub.flow.terms import Terms
from hub.model.documents import Component, Document, DocumentKind, Rate
from hub.model.entries import Entry
from hub.model.facts import Adjustment, AdjustmentKind, Fact, Restock, TenderStatus
from hub.model.money import decimal_of, rounded_minor
from hub.model.order import Collector
from hub.testing.builders import (
    PLACED_AT,
    History,
    at,
    called_off,
    captured,
    fact,
    given_back,
    histories,
    line,
    paid_out,
    refunded,
    shipped,
    shipping,
    snapshot,
    tax,
    terms,
)
from tests.hub.flow.bookkeeping import CHART, Balances, balances, expected, on, planned


@dataclass(frozen=True, repr=False)
class Books:
    """A history with the books that it makes."""

    history: History
    documents: list[Document]
    entries: list[Entry]
    balances: Balances

    def __repr__(self) -> str:
        told = "\n".join(f"  {one.kind} {one.external_id}: {one.body}" for one in self.history.facts)
        return f"Books of\n{told}\nwith {self.balances}"


@st.composite
def books(draw: st.DrawFn, *, collector: Collector | None = None, currency: str | None = None) -> Books:
    """The books of a finished order, recognised on shipment or delivery, in the entity's currency or a foreign one."""
    on_delivery = draw(st.booleans())
    told = histories(collector=collector, currency=currency, delivered=on_delivery)
    history = draw(st.one_of(told, told, told, called_off(collector=collector, currency=currency)))
    conditions = _terms(history, draw(st.sampled_from(["1.0831", "0.0067", "3.2502"])), on_delivery=on_delivery)
    documents = planned(history.facts, conditions)
    entries = expected(documents, conditions)
    return Books(history, documents, entries, balances(entries))


def _terms(history: History, rate: str, *, on_delivery: bool) -> Terms:
    made = terms(recognise_on_delivery=on_delivery)
    if history.snapshot.currency == made.functional:
        return made
    return replace(made, rate=Rate(Decimal(rate), PLACED_AT.date(), "by hand"))


@given(books())
def test_no_balance_with_the_customer_is_left(made: Books) -> None:
    left = {role: on(role, made.balances) for role in (Role.RECEIVABLE, Role.DEPOSITS, Role.REFUNDS_PAYABLE)}

    assert left == {Role.RECEIVABLE: 0, Role.DEPOSITS: 0, Role.REFUNDS_PAYABLE: 0}


@given(books())
def test_no_revenue_is_left_deferred(made: Books) -> None:
    assert on(Role.DEFERRED_REVENUE, made.balances) == 0


@given(books())
def test_clearing_is_captures_less_refunds_by_method(made: Books) -> None:
    currency = made.history.snapshot.currency
    came, went = made.history.captured_minor, made.history.paid_out_minor

    for method in ("card", "paypal", "gift_card"):
        account = CHART.account(Role.PAYMENT_CLEARING, method)
        due = came.get(method, 0) - went.get(method, 0)
        if method == "gift_card":  # a liability that gift card lines also stand on
            due -= sum(
                x.amount_minor * (1 if document.kind is DocumentKind.INVOICE else -1)
                for document in made.documents
                for x in document.lines
                if x.component is Component.GIFT_CARD and document.kind is not DocumentKind.SALES_ORDER
            )
        assert made.balances.get((account, currency), (0, 0))[0] == due


@given(books(collector=Collector.SELLER))
def test_sales_tax_payable_is_the_sellers_tax_less_what_was_refunded(made: Books) -> None:
    told = made.history
    due = told.tax_minor - told.removed_tax_minor - told.refunded_tax_minor

    assert on(Role.SALES_TAX_PAYABLE, made.balances) == -due


@given(books(collector=Collector.MARKETPLACE))
def test_a_marketplaces_tax_is_never_a_payable(made: Books) -> None:
    assert on(Role.SALES_TAX_PAYABLE, made.balances) == 0


@given(books())
def test_income_and_liabilities_are_what_the_customer_finally_paid(made: Books) -> None:
    told = made.history
    earned = sum(
        on(role, made.balances)
        for role in (
            Role.REVENUE, Role.DISCOUNTS, Role.SALES_RETURNS, Role.SHIPPING_INCOME, Role.SALES_TAX_PAYABLE,
            Role.TIPS_PAYABLE, Role.DUTIES_PAYABLE, Role.FEES, Role.CASH_ROUNDING, Role.TAX_ROUNDING,
            Role.MARKETPLACE_CLEARING, Role.GIFT_CARD_LIABILITY,
        )
    )  # fmt: skip
    gift_cards = told.captured_minor.get("gift_card", 0) - told.paid_out_minor.get("gift_card", 0)

    assert earned - gift_cards == -(told.total_minor - told.refunded_minor)


@given(books())
def test_every_entry_balances_in_both_currencies(made: Books) -> None:
    assert [entry.imbalance() for entry in made.entries if entry.imbalance()] == []


@given(books())
def test_what_is_settled_is_worth_nothing_in_the_functional_currency_either(made: Books) -> None:
    for role in (Role.RECEIVABLE, Role.DEPOSITS, Role.REFUNDS_PAYABLE, Role.DEFERRED_REVENUE):
        account = CHART.account(role)
        postings = [x for entry in made.entries for x in entry.postings if x.account == account]

        assert sum(x.functional_minor for x in postings) == 0


@given(books(), st.data())
def test_a_balance_under_way_is_worth_what_the_whole_of_it_converts_to(made: Books, data: st.DataObject) -> None:
    """After any number of documents, not only when all is settled."""
    rates = {x.rate.value for x in made.documents if x.rate is not None}
    currency = made.history.snapshot.currency
    told = made.entries[: data.draw(st.integers(0, len(made.entries)))]

    for role in (Role.RECEIVABLE, Role.DEPOSITS, Role.REFUNDS_PAYABLE, Role.DEFERRED_REVENUE):
        minor, worth = balances(told).get((CHART.account(role), currency), (0, 0))
        for rate in rates or {Decimal(1)}:
            assert worth == rounded_minor(decimal_of(minor, currency) * rate, "USD")


@given(histories(delivered=True))
def test_what_went_into_transit_arrives_or_comes_back(history: History) -> None:
    """By shipment and item, whenever units came back: before their shipment arrived, or after."""
    went: Counter[tuple[str | None, str | None]] = Counter()
    left: Counter[tuple[str | None, str | None]] = Counter()

    for document in planned(history.facts, _terms(history, "1.0831", on_delivery=True)):
        for one in document.lines:
            if document.kind is DocumentKind.FULFILMENT:
                went[(document.key, one.item)] += one.quantity
            elif one.component is Component.STOCK and (
                document.deferred or document.kind is DocumentKind.JOURNAL_ENTRY
            ):
                left[(document.applies_to, one.item)] += one.quantity

    assert left == went


@given(histories(delivered=False))
def test_while_nothing_has_arrived_nothing_is_revenue(history: History) -> None:
    """Nor is what was given back meanwhile a return of revenue, but for the channel's own cents and its allowances."""
    conditions = _terms(history, "1.0831", on_delivery=True)

    assert on(Role.REVENUE, balances(expected(planned(history.facts, conditions), conditions))) == 0


@given(books())
def test_invoices_and_what_was_lowered_before_them_make_the_sales_order(made: Books) -> None:
    """An order never billed is lowered by its refunds alone."""
    told = made.history
    of = {kind: sum(x.total_minor for x in made.documents if x.kind is kind) for kind in DocumentKind}
    lowered = told.refunded_minor - of[DocumentKind.CREDIT_MEMO]  # given back before it was billed
    order = of[DocumentKind.SALES_ORDER]

    assert of[DocumentKind.INVOICE] + lowered == order
    assert order == told.total_minor


@given(books())
def test_each_document_has_a_key_of_its_own(made: Books) -> None:
    keys = [document.key for document in made.documents]

    assert len(set(keys)) == len(keys)


@given(books())
def test_a_document_stands_after_those_that_it_applies_to(made: Books) -> None:
    before: set[str] = set()
    for document in made.documents:
        assert document.applies_to is None or document.applies_to in before
        before.add(document.key)


# --- where the law cannot hold, and which account keeps the difference ------------------------------------------------

ORDER = fact(snapshot(line("1", 2)))
PAID = captured("t1", 1, 2000)
SENT = shipped("f1", 60, l1=2)


def of(*facts: Fact, under: Terms | None = None) -> dict[str, int]:
    """The balances of accounts that are owed or held, by number; zero ones are left out."""
    conditions = under or terms()
    sums = balances(expected(planned(facts, conditions), conditions))
    return {account: minor for (account, _), (minor, _) in sums.items() if account in ("1100", "2100", "2150", "2400")}


def test_money_paid_out_beyond_its_refunds_parts_stays_in_refunds_payable() -> None:
    """A debit: the customer has 5.00 that nothing explains."""
    back = refunded("r1", 90, given_back("1", 1, 1000))

    assert of(ORDER, PAID, SENT, back, paid_out("t2", 91, 1500, "r1")) == {"2400": 500}


def test_money_paid_out_beyond_its_refunds_parts_before_all_has_shipped_is_missing_from_the_deposit() -> None:
    """What ships later is then not covered: the receivable shows it."""
    half, rest = shipped("f1", 60, l1=1), shipped("f2", 120, l1=1)
    back = refunded("r1", 90, given_back("1", 1, 1000))

    assert of(ORDER, PAID, half, back, paid_out("t2", 91, 1500, "r1"), rest) == {"1100": 500}


def test_money_paid_out_for_no_refund_stays_in_refunds_payable() -> None:
    assert of(ORDER, PAID, SENT, paid_out("t2", 91, 300, None)) == {"2400": 300}


def test_a_refund_paid_out_in_part_leaves_the_rest_to_the_customers_credit() -> None:
    back = refunded("r1", 90, given_back("1", 1, 1000))

    assert of(ORDER, PAID, SENT, back, paid_out("t2", 91, 400, "r1")) == {"1100": -600}


def test_a_pending_refund_is_payable_until_it_succeeds() -> None:
    back = refunded("r1", 90, given_back("1", 1, 1000))
    pending = paid_out("t2", 91, 1000, "r1", TenderStatus.PENDING)
    done = replace(paid_out("t2", 91, 1000, "r1"), modified_at=at(200))

    assert of(ORDER, PAID, SENT, back, pending) == {"2400": -1000}
    assert of(ORDER, PAID, SENT, back, pending, done) == {}


def test_a_refund_that_failed_is_the_customers_credit() -> None:
    back = refunded("r1", 90, given_back("1", 1, 1000))

    assert of(ORDER, PAID, SENT, back, paid_out("t2", 91, 1000, "r1", TenderStatus.FAILED)) == {"1100": -1000}


def test_money_kept_of_an_order_that_never_ships_stays_a_deposit() -> None:
    """A fee is billed with the first shipment; an order called off has none."""
    off = refunded(
        "r1", 10, given_back("1", 2, 2000, restock=Restock.CANCEL),
        adjustments=(Adjustment(AdjustmentKind.FEE, -500),),
    )  # fmt: skip

    assert of(fact(snapshot(line("1", 2), cancelled_at=at(10))), PAID, off, paid_out("t2", 10, 1500, "r1")) == {
        "2100": -500
    }


def test_shipping_not_given_back_with_an_order_called_off_stays_a_deposit() -> None:
    order = fact(snapshot(line("1", 2), shipping=(shipping(500),), cancelled_at=at(10)))
    off = refunded("r1", 10, given_back("1", 2, 2000, restock=Restock.CANCEL))

    assert of(order, captured("t1", 1, 2500), off, paid_out("t2", 10, 2000, "r1")) == {"2100": -500}


def test_an_order_not_paid_is_receivable() -> None:
    assert of(ORDER, SENT) == {"1100": 2000}


@pytest.mark.parametrize("prepaid", [True, False])
@pytest.mark.parametrize("off", [-2, -1, 0, 1])
def test_an_order_lowered_by_an_edit_is_settled_by_what_the_channel_makes_of_the_rest(
    off: int, *, prepaid: bool
) -> None:
    """Two of three units stay, with 0.64 of 0.95 of tax; they ship one by one."""
    sold = line("1", 3, taxes=(tax(95),), removed=1)
    order = replace(snapshot(sold), claimed_current_minor=2064 + off)
    money = captured("t1", 1 if prepaid else 140, 2064 + off)

    assert of(fact(order), money, shipped("f1", 60, l1=1), shipped("f2", 90, l1=1)) == {}


def test_an_order_paid_too_much_keeps_the_rest_as_a_deposit() -> None:
    assert of(ORDER, captured("t1", 1, 2100), SENT) == {"2100": -100}


def test_what_shipped_and_has_not_arrived_is_deferred() -> None:
    assert of(ORDER, PAID, SENT, under=terms(recognise_on_delivery=True)) == {"2150": -2000}


ON_DELIVERY = terms(recognise_on_delivery=True)


def test_what_comes_back_before_it_arrived_leaves_nothing_deferred() -> None:
    back = refunded("r1", 90, given_back("1", 2, 1999))

    assert of(ORDER, PAID, SENT, back, paid_out("t2", 91, 1999, "r1"), under=ON_DELIVERY) == {}


def test_shipping_kept_of_a_shipment_given_back_whole_is_not_deferred_for_ever() -> None:
    order = fact(snapshot(line("1", 2), shipping=(shipping(500),)))
    back = refunded("r1", 90, given_back("1", 2, 2000))

    assert of(order, captured("t1", 1, 2500), SENT, back, paid_out("t2", 91, 2000, "r1"), under=ON_DELIVERY) == {}


def test_shipping_given_back_with_all_that_was_under_way_leaves_nothing_deferred() -> None:
    order = fact(snapshot(line("1", 2), shipping=(shipping(500),)))
    back = refunded("r1", 90, given_back("1", 2, 2000), adjustments=(Adjustment(AdjustmentKind.SHIPPING, 500),))

    sums = balances(
        expected(
            planned([order, captured("t1", 1, 2500), SENT, back, paid_out("t2", 91, 2500, "r1")], ON_DELIVERY),
            ON_DELIVERY,
        )
    )

    assert sums == {}


def test_units_shipped_beyond_the_order_are_not_billed() -> None:
    assert of(ORDER, PAID, shipped("f1", 60, l1=3)) == {}


def test_a_foreign_deposit_applied_in_parts_leaves_its_rounding_in_fx_gain_or_loss() -> None:
    """3.33 EUR at 1.5 are 5.00 USD (4.995) each time, and 10.00 EUR are 15.00: 3.33 + 3.33 + 3.34 come to 15.01."""
    rate = Rate(Decimal("1.5"), PLACED_AT.date(), "by hand")
    sold = replace(line("1", 3, 333, currency="EUR"), gross_minor=1000, unit_price=Decimal("3.3333"))
    facts = [fact(snapshot(sold, currency="EUR")), captured("t1", 1, 1000)]
    facts += [shipped(f"f{number}", 60 * number, l1=1) for number in (1, 2, 3)]

    sums = balances(expected(planned(facts, terms(rate=rate)), terms(rate=rate)))

    assert sums == {("1200:card", "EUR"): (1000, 1500), ("4000", "EUR"): (-1000, -1501), ("4900", "EUR"): (0, 1)}
