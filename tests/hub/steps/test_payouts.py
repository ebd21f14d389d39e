"""Payouts: one document once paid and whole, in whatever order and how often it is told; everything else is a task."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from hub.model.crosswalk import CrosswalkKind
from hub.steps import crosswalks, exceptions
from hub.steps.advance import advance
from hub.steps.capture import capture
from hub.steps.crosswalks import Wanted
from hub.steps.hub import Hub
from hub.steps.importing import import_files
from hub.steps.payouts import decide_due
from hub.steps.send import send_all
from hub.store import payouts as stored
from hub.store.orders import Overtaken
from hub.store.views import exceptions as views
from tests.hub.steps.settled import balances, line, payout, take_in

WHOLE = (
    line(1, "CHARGE", "100.00", "96.80", fee="3.20", order=11, transaction=21),
    line(2, "CHARGE", "50.00", "48.25", fee="1.75", order=12, transaction=22),
    line(3, "REFUND", "-20.00", order=11, transaction=23),
    line(4, "DISPUTE_WITHDRAWAL", "-11.50", "-26.50", fee="15.00", order=9),
    line(5, "RESERVED_FUNDS", "-42.00"),
    line(6, "ADJUSTMENT", "1.50"),
    line(7, "TRANSFER", "-58.05"),
)
PAID = payout("58.05")
POSTED = {
    "1000": 5805,
    "1200:shopify_payments": -13000,
    "1270:shopify_payments": 4200,
    "5200": 1995,
    "5300": 1150,
    "5310": -150,
}


def open_tasks(hub: Hub) -> dict[str, int | None]:
    return {one.fingerprint: one.amount_minor for one in views.opened(hub.store)}


def test_a_payout_goes_from_clearing_to_the_bank_each_kind_to_its_own_account(hub: Hub) -> None:
    take_in(hub, *WHOLE, PAID)

    assert balances(hub) == POSTED
    assert open_tasks(hub) == {}


@pytest.mark.parametrize("seed", range(6))
def test_any_order_and_any_repetition_give_the_same_books(hub: Hub, seed: int) -> None:
    """Pending lines, payouts announced before they are paid, and each of them twice, among the rest."""
    random = Random(seed)
    pending = [line(n, "CHARGE", "100.00", "96.80", fee="3.20", payout=None, minutes=-60) for n in (1,)]
    told = [*WHOLE, PAID, *pending, payout("58.05", "SCHEDULED", minutes=-60), *WHOLE[2:5]]
    random.shuffle(told)

    for one in told:
        take_in(hub, one)

    assert balances(hub) == POSTED
    assert open_tasks(hub) == {}


def test_a_payout_that_is_not_paid_yet_is_in_no_books(hub: Hub) -> None:
    take_in(hub, *WHOLE, payout("58.05", "SCHEDULED"))

    assert balances(hub) == {}


def test_a_payout_whose_lines_do_not_make_its_amount_stands_with_what_is_missing_until_they_do(hub: Hub) -> None:
    take_in(hub, *WHOLE[1:], PAID)

    assert balances(hub) == {}
    assert open_tasks(hub) == {"payout_incomplete:shopify": 9680}

    take_in(hub, WHOLE[0])

    assert balances(hub) == POSTED
    assert open_tasks(hub) == {}


def test_a_released_payout_has_what_is_missing_in_quarantine(hub: Hub) -> None:
    take_in(hub, line(1, "CHARGE", "90.00"), payout("100.00"))

    exceptions.resolve(hub, "payout_incomplete:shopify", "ann")

    assert balances(hub) == {"1000": 10000, "1200:shopify_payments": -9000, "1285:missing": -1000}
    assert open_tasks(hub) == {}


def test_an_unknown_word_is_in_quarantine_with_a_task_until_a_row_says_what_it_is(hub: Hub) -> None:
    take_in(hub, line(1, "CHARGE", "100.00"), line(2, "MOON_CREDIT", "7.00"), payout("107.00"))

    assert balances(hub) == {"1000": 10700, "1200:shopify_payments": -10000, "1285:moon_credit": -700}
    assert open_tasks(hub) == {"unknown_settlement:moon_credit": 700}

    crosswalks.set_row(hub, CrosswalkKind.SETTLEMENT, Wanted("moon_credit", "adjustment"), "ann")

    assert balances(hub) == {"1000": 10700, "1200:shopify_payments": -10000, "5310": -700}
    assert open_tasks(hub) == {}


def test_a_line_whose_fee_does_not_add_up_is_in_quarantine(hub: Hub) -> None:
    take_in(hub, line(1, "CHARGE", "100.00", "97.00", fee="2.00"), payout("97.00"))

    assert balances(hub) == {"1000": 9700, "1285:charge": -9700}
    assert open_tasks(hub) == {"settlement_identity:charge": 9700}


def test_a_record_that_does_not_translate_stops_neither_the_sync_nor_the_rest(hub: Hub) -> None:
    take_in(hub, line(1, "CHARGE", "100.00"), line(2, "CHARGE", "a lot", payout=None), payout("100.00"))

    assert balances(hub) == {"1000": 10000, "1200:shopify_payments": -10000}
    assert list(open_tasks(hub)) == ["untranslatable:amount: not a decimal: 'a lot'"]


def test_a_reserve_is_held_and_released(hub: Hub) -> None:
    take_in(hub, line(1, "CHARGE", "100.00"), line(2, "RESERVED_FUNDS", "-30.00"), payout("70.00"))
    assert balances(hub)["1270:shopify_payments"] == 3000

    take_in(hub, line(3, "RESERVED_FUNDS_REVERSAL", "30.00", payout=4), payout("30.00", number=4, on="2026-10-28"))

    assert balances(hub) == {"1000": 10000, "1200:shopify_payments": -10000}


def test_a_dispute_won_leaves_nothing_and_one_lost_its_cost(hub: Hub) -> None:
    take_in(
        hub,
        line(1, "CHARGE", "100.00"),
        line(2, "DISPUTE_WITHDRAWAL", "-40.00", "-55.00", fee="15.00"),
        line(3, "DISPUTE_WITHDRAWAL", "-10.00", "-25.00", fee="15.00"),
        payout("20.00"),
    )
    take_in(hub, line(4, "DISPUTE_REVERSAL", "40.00", "55.00", fee="-15.00", payout=4), payout("55.00", number=4))

    assert balances(hub) == {"1000": 7500, "1200:shopify_payments": -10000, "5200": 1500, "5300": 1000}


def test_a_payout_taken_from_the_bank_is_negative_whichever_sign_it_comes_with(hub: Hub) -> None:
    take_in(hub, line(1, "REFUND", "-30.00"), payout("30.00", transactionType="WITHDRAWAL"))

    assert balances(hub) == {"1000": -3000, "1200:shopify_payments": 3000}


def test_a_payout_that_the_bank_sends_back_waits_apart_until_the_next_one_brings_it(hub: Hub) -> None:
    take_in(hub, line(1, "CHARGE", "100.00", "97.00", fee="3.00"), payout("97.00"))
    assert balances(hub)["1000"] == 9700

    take_in(hub, payout("97.00", "FAILED", minutes=60))
    assert balances(hub) == {"1200:shopify_payments": -10000, "1280:shopify_payments": 9700, "5200": 300}

    take_in(hub, line(2, "TRANSFER_FAILURE", "97.00", payout=4), payout("97.00", number=4, on="2026-10-24"))

    assert balances(hub) == {"1000": 9700, "1200:shopify_payments": -10000, "5200": 300}


def test_lines_of_a_payout_called_off_that_went_into_the_next_are_booked_once(hub: Hub) -> None:
    take_in(hub, line(1, "CHARGE", "100.00"), payout("100.00", "CANCELED"))
    take_in(hub, line(1, "CHARGE", "100.00", payout=4, minutes=60), payout("100.00", number=4))

    assert balances(hub) == {"1000": 10000, "1200:shopify_payments": -10000}
    assert open_tasks(hub) == {}


def test_yen_have_no_decimals_and_go_by_the_rate_of_the_payouts_day(hub: Hub) -> None:
    take_in(
        hub,
        line(1, "CHARGE", "23600", "22750", fee="850", currency="JPY"),
        payout("22750", currency="JPY"),
    )

    assert balances(hub) == {"1000 JPY": 22750, "1200:shopify_payments JPY": -23600, "5200 JPY": 850}


def test_a_payout_without_a_rate_is_held_by_that(hub: Hub) -> None:
    take_in(hub, line(1, "CHARGE", "100.00", currency="CHF"), payout("100.00", currency="CHF"))

    assert balances(hub) == {}
    assert open_tasks(hub) == {"missing_rate:CHF:2026-10": 10000}


def test_a_payout_in_a_closed_period_is_booked_on_the_first_open_day(hub: Hub) -> None:
    hub.erp.close("main", "2026-10")

    take_in(hub, *WHOLE, PAID)

    assert balances(hub) == POSTED
    dates = {(entry["date"], entry["original_date"]) for entry in hub.erp.journal()}
    assert dates == {("2026-11-01", "2026-10-21")}


def test_a_killed_worker_leaves_the_payout_to_the_next(open_one: Callable[[], Hub]) -> None:
    first = open_one()
    capture(first, [*WHOLE, PAID])
    advance(first, limit=8)  # a full batch: whoever advances next finds nothing but payouts to decide

    take_in(open_one())

    assert balances(open_one()) == POSTED


def test_a_payout_that_another_worker_decided_meanwhile_is_to_be_decided_anew(hub: Hub) -> None:
    take_in(hub, *WHOLE, PAID)
    with hub.writing() as connection, connection.begin():
        stored.touch(connection, [("shopify", "3")])
    with hub.store.connect() as connection:
        [read] = stored.due(connection, 10)

    decide_due(hub)

    with pytest.raises(Overtaken), hub.writing() as connection, connection.begin():
        stored.decided(connection, [(read, "held")])


def test_an_authentic_list_of_balance_transactions_is_taken_whole(hub: Hub, shared_contracts: Path) -> None:
    samples = shared_contracts / "shopify" / "samples" / "rest-fixtures"
    files = [samples / "py-payouts_transactions.json", samples / "py-payout.json"]

    outcomes = [row.outcome for row in import_files(hub, "shopify", files)]
    send_all(hub)

    assert outcomes == ["payout"] * 26
    assert open_tasks(hub) == {"payout_incomplete:shopify": -3948, "settlement_identity:adjustment": -175}
