"""Each hold has a cause that groups, and a remedy that a person can act on."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from hub.flow.decide import decide
from hub.flow.fold import fold, winners
from hub.flow.hold import HoldRules, holds, late
from hub.flow.plan import plan
from hub.flow.terms import Item, Terms
from hub.model.decisions import Hold, HoldCode
from hub.model.documents import Rate
from hub.model.facts import Deletion, Fact, TenderStatus
from hub.model.order import Line, LineKind, Snapshot
from hub.testing.builders import KEY, at, captured, fact, given_back, line, refunded, shipped, snapshot, tax, terms
from tests.hub.flow.bookkeeping import CHART, POLICY

LATER = at(60)
PRICED = HoldRules(price=True, price_tolerance_minor=50, price_tolerance_percent=Decimal(10))
ITEMS = {"mug": Item("mug", "Mug", 1000, 400), "tee": Item("tee", "Tee", None, 700)}


def held(*facts: Fact, rules: HoldRules | None = None, under: Terms | None = None, now: datetime = LATER) -> list[Hold]:
    return holds(fold(KEY, winners(facts)), under or terms(), rules or HoldRules(), ITEMS, now)


def codes(found: list[Hold]) -> list[HoldCode]:
    return [hold.code for hold in found]


GOOD = (fact(snapshot(line("1", 2))), captured("t1", 5, 2000))


def test_a_paid_order_of_known_items_is_not_held() -> None:
    assert held(*GOOD) == []


def test_an_order_not_yet_known_is_not_held() -> None:
    assert held(captured("t1", 5, 2000)) == []


def test_a_test_order_is_never_held() -> None:
    """Nothing about it is right; it goes nowhere all the same."""
    wrong = snapshot(line("1", sku="NONE"), claimed_minor=1, test=True, currency="EUR")

    assert held(fact(wrong), fact(Deletion(), "1001"), shipped("f1", 5, l9=1), rules=PRICED) == []


# --- the identity --------------------------------------------------------------------------------------------------


def test_a_broken_identity_holds_with_the_amount_that_is_in_no_part() -> None:
    (hold,) = held(fact(snapshot(line("1", 2), claimed_minor=2005)), captured("t1", 5, 2005))

    assert (hold.code, hold.fingerprint) == (HoldCode.BROKEN_IDENTITY, "broken_identity:webshop")
    assert hold.message == "the channel claims 20.05 USD, its parts make 20.00 USD"
    assert hold.remedy.startswith("0.05 USD of this order is in no line, shipping, tax or charge")


def test_a_fact_about_a_line_that_the_order_lacks_holds() -> None:
    (hold,) = held(*GOOD, shipped("f1", 5, l9=1))

    assert (hold.code, hold.fingerprint) == (HoldCode.UNKNOWN_LINE, "unknown_line:webshop")
    assert hold.message == "fulfilments[f1] ships line 9, unknown to the order"
    assert hold.remedy == "the order is older than what refers to it: import the order anew"


# --- items and prices ----------------------------------------------------------------------------------------------


def test_an_unmapped_sku_holds_once_an_order_and_names_the_command_that_maps_it() -> None:
    (hold,) = held(fact(snapshot(line("1", sku="CUP"), line("2", sku="CUP"))), captured("t1", 5, 2000))

    assert (hold.code, hold.fingerprint) == (HoldCode.UNMAPPED_ITEM, "unmapped_item:CUP")
    assert hold.message == "SKU CUP (Article 1) has no item in the ERP"
    assert hold.remedy == "orderhub crosswalk set item CUP ITEM"


def test_a_product_without_a_sku_holds_by_its_title() -> None:
    (hold,) = held(fact(snapshot(line("1", sku=None))), captured("t1", 5, 1000))

    assert (hold.code, hold.fingerprint) == (HoldCode.UNMAPPED_ITEM, "unmapped_item:Article 1")
    assert hold.remedy.startswith("give the product a SKU in the channel")


@pytest.mark.parametrize("kind", [LineKind.CUSTOM, LineKind.GIFT_CARD])
def test_a_line_that_is_no_stock_needs_no_item(kind: LineKind) -> None:
    assert held(fact(snapshot(line("1", sku=None, kind=kind))), captured("t1", 5, 1000)) == []


def test_a_kit_and_its_components_need_items() -> None:
    kit, part = line("1", sku="KIT", kind=LineKind.KIT), line("2", 1, 0, sku="PART", kind=LineKind.COMPONENT)

    found = held(fact(snapshot(kit, part)), captured("t1", 5, 1000))

    assert [hold.fingerprint for hold in found] == ["unmapped_item:KIT", "unmapped_item:PART"]


@pytest.mark.parametrize(("unit_minor", "off"), [(1000, False), (900, False), (1100, False), (899, True), (1101, True)])
def test_a_price_holds_beyond_the_larger_tolerance(unit_minor: int, off: bool) -> None:
    found = held(fact(snapshot(line("1", 1, unit_minor))), captured("t1", 5, unit_minor), rules=PRICED)

    assert codes(found) == ([HoldCode.PRICE_OFF_LIST] if off else [])


def test_a_price_off_the_list_names_both_prices() -> None:
    (hold,) = held(fact(snapshot(line("1", 1, 500))), captured("t1", 5, 500), rules=PRICED)

    assert hold.fingerprint == "price_off_list:MUG"
    assert hold.message == "SKU MUG sold at 5.00, list price 10.00 USD"
    assert hold.remedy == "correct the list price in config/items.yaml, or release the orders"


def test_a_unit_price_finer_than_the_currency_is_judged_as_it_is() -> None:
    """The tolerance ends at 9.00; 8.9999 is beyond it by a hundredth of a cent."""
    fine = replace(line("1", 100, 900), unit_price=Decimal("8.9999"), gross_minor=89999)

    found = held(fact(snapshot(fine)), captured("t1", 5, 89999), rules=PRICED)

    assert codes(found) == [HoldCode.PRICE_OFF_LIST]


@pytest.mark.parametrize(
    "sold",
    [
        line("1", 1, 5, sku="TEE"),
        line("1", 1, 5, taxes=(tax(1, included=True),)),
        line("1", 1, 5, kind=LineKind.COMPONENT),
    ],
    ids=["no list price", "tax in the price", "component of a kit"],
)
def test_a_price_that_cannot_be_compared_is_not_judged(sold: Line) -> None:
    order = snapshot(sold)

    assert held(fact(order), captured("t1", 5, order.claimed_total_minor), rules=PRICED) == []


# --- money ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("money", "cause"),
    [
        ([], "payment_not_captured:pending"),
        ([captured("t1", 5, 1999)], "payment_not_captured:partially_paid"),
        ([captured("t1", 5, 2000, status=TenderStatus.FAILED)], "payment_not_captured:pending"),
    ],
)
def test_an_order_not_paid_in_full_holds(money: list[Fact], cause: str) -> None:
    (hold,) = held(fact(snapshot(line("1", 2))), *money)

    assert (hold.code, hold.fingerprint) == (HoldCode.PAYMENT_NOT_CAPTURED, cause)
    assert hold.remedy == "capture the payment in the channel: the order goes on by itself; or release it unpaid"


def test_what_is_missing_of_a_payment_is_told() -> None:
    (hold,) = held(fact(snapshot(line("1", 2))), captured("t1", 5, 1999))

    assert hold.message == "payment is partially_paid: 19.99 USD of 20.00 USD captured"


@pytest.mark.parametrize(
    "order",
    [
        snapshot(line("1", 2), business=True),
        snapshot(line("1", 2), cancelled_at=at(9)),
        snapshot(line("1", 2, 0)),
    ],
    ids=["on terms", "cancelled", "free"],
)
def test_an_order_from_which_no_money_is_due_is_not_held_for_it(order: Snapshot) -> None:
    assert held(fact(order)) == []


def test_a_business_order_holds_for_its_money_where_the_rules_say_so() -> None:
    found = held(fact(snapshot(line("1", 2), business=True)), rules=HoldRules(require_capture_b2b=True))

    assert codes(found) == [HoldCode.PAYMENT_NOT_CAPTURED]


def test_an_order_refunded_in_part_before_it_was_captured_is_not_held() -> None:
    back = given_back("1", 1, 1000)

    assert held(fact(snapshot(line("1", 2))), refunded("r1", 4, back), captured("t1", 5, 1000)) == []


# --- time, rates, periods, deletion --------------------------------------------------------------------------------


def test_an_order_waits_for_the_end_of_its_edit_window_and_no_longer() -> None:
    rules = HoldRules(edit_window_minutes=30)

    (hold,) = held(*GOOD, rules=rules, now=at(29))

    assert (hold.code, hold.fingerprint, hold.until) == (HoldCode.EDIT_WINDOW, "edit_window", at(30))
    assert hold.remedy == "wait: it goes on by itself; or release it"
    assert held(*GOOD, rules=rules, now=at(30)) == []


def test_a_foreign_order_without_a_rate_holds_and_names_the_day() -> None:
    order = fact(snapshot(line("1", 2, currency="EUR"), currency="EUR"))

    (hold,) = held(order, captured("t1", 5, 2000))

    assert (hold.code, hold.fingerprint) == (HoldCode.MISSING_RATE, "missing_rate:EUR:2026-03")
    assert hold.message == "no rate from EUR to USD on 2026-03-02"
    assert hold.remedy == "add the rate of 2026-03-02 to config/rates.yaml"
    rated = terms(rate=Rate(Decimal("1.08"), date(2026, 3, 2), "by hand"))
    assert held(order, captured("t1", 5, 2000), under=rated) == []


def late_holds(*facts: Fact, closed_until: date, rules: HoldRules) -> list[Hold]:
    """What holds of everything that these facts call for, nothing being decided yet."""
    under = terms(closed_until=closed_until)
    decision = decide(plan(fold(KEY, winners(facts)), under), {}, under, CHART, POLICY)
    return late(decision, under, rules)


def test_what_would_be_booked_late_holds_where_the_policy_wants_a_person() -> None:
    (hold,) = late_holds(*GOOD, closed_until=date(2026, 3, 31), rules=HoldRules(hold_late=True))

    assert (hold.code, hold.fingerprint) == (HoldCode.CLOSED_PERIOD, "closed_period:2026-03")
    assert hold.message == "dated 2026-03-02; the books are closed until 2026-03-31"
    assert hold.remedy == "orderhub ledger open 2026-03, or release it into the next open period"


def test_what_falls_into_an_open_period_or_may_move_is_not_held_as_late() -> None:
    assert late_holds(*GOOD, closed_until=date(2026, 2, 28), rules=HoldRules(hold_late=True)) == []
    assert late_holds(*GOOD, closed_until=date(2026, 3, 31), rules=HoldRules()) == []


def test_money_that_nothing_says_in_the_orders_currency_holds() -> None:
    order = replace(snapshot(line("1", 2)), unread_money=("transactions[0].currency",))

    (hold,) = held(fact(order), captured("t1", 5, 2000))

    assert (hold.code, hold.fingerprint) == (HoldCode.MONEY_UNREAD, "money_unread:webshop")
    assert hold.message == "transactions[0].currency: money whose amount in USD nothing says"


def test_an_order_that_the_channel_deleted_holds() -> None:
    (hold,) = held(*GOOD, fact(Deletion(), "1001"))

    assert (hold.code, hold.fingerprint) == (HoldCode.DELETED_IN_CHANNEL, "deleted_in_channel:webshop")
    assert hold.remedy == "decide what becomes of what was booked; release it to go on as if it were there"


# --- which are on --------------------------------------------------------------------------------------------------


def test_holds_that_are_off_do_not_hold() -> None:
    off = HoldRules(unmapped_item=False, missing_rate=False, require_capture=False)

    assert held(fact(snapshot(line("1", sku="CUP", currency="EUR"), currency="EUR")), rules=off) == []


def test_a_broken_identity_holds_whatever_the_rules_say() -> None:
    off = HoldRules(unmapped_item=False, missing_rate=False, require_capture=False)

    assert codes(held(fact(snapshot(line("1"), claimed_minor=1)), rules=off)) == [HoldCode.BROKEN_IDENTITY]


def test_every_reason_is_told_at_once() -> None:
    found = held(fact(snapshot(line("1", sku="CUP"), claimed_minor=999)))

    assert codes(found) == [HoldCode.BROKEN_IDENTITY, HoldCode.UNMAPPED_ITEM, HoldCode.PAYMENT_NOT_CAPTURED]
