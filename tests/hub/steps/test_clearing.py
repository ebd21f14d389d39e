"""The clearing tie-out: captures less refunds less payouts is what is left, piece by piece, and what the ledger has."""

from dataclasses import replace
from datetime import date
from typing import Any

from hub.model.money import decimal_of
from hub.steps.clearing import Clearing, Left, clearing
from hub.steps.expected import expected_rows
from hub.steps.hub import Hub
from hub.store.views import clearing as views
from hub.store.views.clearing import Money
from tests.hub.steps.conftest import record, stories
from tests.hub.steps.settled import line, payout, take_in

METHOD = "shopify_payments"


def with_orders(hub: Hub, count: int = 40) -> list[Money]:
    """Orders taken in and posted; the payments and refunds of the one provider among them."""
    told = [record(story.final, f"o{number}") for number, story in enumerate(stories(count))]
    take_in(hub, *told)
    with hub.store.connect() as connection:
        found = [one for one in views.money(connection) if one.method == METHOD and one.currency == "USD"]
    assert len(found) > 10
    return found


def settled(one: Money, number: int, **more: Any) -> Any:
    amount = str(decimal_of(one.amount_minor, "USD"))
    kind = "CHARGE" if one.amount_minor > 0 else "REFUND"
    given = {"order": int(one.order), "transaction": int(one.tender)} | more
    return line(number, kind, amount, **given)


def paying(*minor: int) -> Any:
    return payout(str(decimal_of(sum(minor), "USD")))


def cell(found: Clearing) -> Any:
    return next(one for one in found.totals if one.method == METHOD and one.currency == "USD")


def pieces(found: Clearing) -> list[tuple[Left, int]]:
    return [(one.why, one.amount_minor) for one in found.pieces if one.method == METHOD and one.currency == "USD"]


def test_what_no_payout_settled_is_listed_and_sums_to_the_balance_that_the_ledger_has(hub: Hub) -> None:
    money = with_orders(hub)
    paid, left = money[: len(money) // 2], money[len(money) // 2 :]
    take_in(hub, *(settled(one, number) for number, one in enumerate(paid)), paying(*(x.amount_minor for x in paid)))

    found = clearing(hub)

    assert sorted(pieces(found)) == sorted((Left.NOT_SETTLED, one.amount_minor) for one in left)
    assert sum(minor for _, minor in pieces(found)) == cell(found).balance_minor == cell(found).erp_minor


def test_a_channel_that_is_gone_leaves_its_clearing_as_it_was(hub: Hub) -> None:
    money = with_orders(hub)
    paid = money[: len(money) // 2]
    take_in(hub, *(settled(one, number) for number, one in enumerate(paid)), paying(*(x.amount_minor for x in paid)))
    other = hub.settings.channels[0].model_copy(update={"slug": "other"})
    gone = replace(hub, settings=hub.settings.model_copy(update={"channels": (other,)}), connect_erp=lambda _: hub.erp)

    found = clearing(gone)

    assert found == clearing(hub)
    with hub.store.connect() as connection:
        assert list(expected_rows(gone, connection, date(2026, 1, 1), date(2026, 12, 31))) == []


def test_all_settled_is_nothing_left(hub: Hub) -> None:
    money = with_orders(hub)
    take_in(hub, *(settled(one, number) for number, one in enumerate(money)), paying(*(x.amount_minor for x in money)))

    found = clearing(hub)

    assert pieces(found) == []
    assert cell(found).balance_minor == 0
    assert cell(found).erp_minor == 0


def test_settled_otherwise_and_settled_without_a_sale_are_named(hub: Hub) -> None:
    money = with_orders(hub)
    first = next(one for one in money if one.amount_minor > 0)
    take_in(
        hub,
        line(1, "CHARGE", "1.00", order=int(first.order), transaction=int(first.tender)),
        line(2, "CHARGE", "5.00", order=77, transaction=88),
        payout("6.00"),
    )

    found = clearing(hub)

    told = {one.subject: (one.why, one.amount_minor) for one in found.pieces}
    assert told[first.tender] == (Left.OTHERWISE, first.amount_minor - 100)
    assert told["88"] == (Left.NOT_IN_BOOKS, -500)
    assert sum(minor for _, minor in pieces(found)) == cell(found).balance_minor == cell(found).erp_minor


def test_a_line_without_a_transaction_is_laid_to_the_only_payment_of_its_order_and_amount(hub: Hub) -> None:
    money = with_orders(hub)
    first = next(one for one in money if one.amount_minor > 0)
    take_in(hub, settled(first, 1, transaction=None), paying(first.amount_minor))

    found = clearing(hub)

    assert (Left.NOT_SETTLED, first.amount_minor) not in [
        (one.why, one.amount_minor) for one in found.pieces if one.order == first.order
    ]
    assert sum(minor for _, minor in pieces(found)) == cell(found).balance_minor


def test_an_earlier_day_knows_nothing_of_what_came_after(hub: Hub) -> None:
    money = with_orders(hub)
    take_in(hub, *(settled(one, number) for number, one in enumerate(money)), paying(*(x.amount_minor for x in money)))

    found = clearing(hub, date(2026, 10, 15))

    before = [one.amount_minor for one in money if one.on <= date(2026, 10, 15)]
    assert 0 < len(before) < len(money)
    assert sorted(minor for _, minor in pieces(found)) == sorted(before)
    assert cell(found).balance_minor == sum(before) == cell(found).erp_minor
    assert min(one.age_days for one in found.pieces) >= 0
