"""What edits took out, by the shares of lines and by what the channel claims."""

from dataclasses import replace

import pytest

from hub.model.edits import edit_rounding_minor, left_minor, removed_minor
from hub.model.facts import Adjustment, AdjustmentKind, Refund
from hub.model.order import Snapshot, TaxLine
from hub.testing.builders import at, given_back, line, refunded, shipping, snapshot

# Two units for 20.00, 0.95 of tax: the first carries 0.48, the second 0.47.
EDITED = snapshot(line("1", 2, 1000, taxes=(TaxLine("VAT", 95, None),), removed=1))


def claiming(minor: int | None, order: Snapshot = EDITED) -> Snapshot:
    return replace(order, claimed_current_minor=minor)


def test_a_removed_unit_is_worth_its_share_of_the_line_and_of_each_tax() -> None:
    assert removed_minor(EDITED) == 1047
    assert left_minor(EDITED, []) == 1048


@pytest.mark.parametrize(("claimed", "off"), [(1048, 0), (1047, -1), (1049, 1), (1046, -2), (1050, 2)])
def test_a_claim_within_a_unit_each_amount_that_was_split_is_a_rounding(claimed: int, off: int) -> None:
    assert edit_rounding_minor(claiming(claimed), []) == off


@pytest.mark.parametrize("claimed", [None, 1045, 1051, 2095, 0])
def test_a_claim_beyond_that_is_none(claimed: int | None) -> None:
    assert edit_rounding_minor(claiming(claimed), []) == 0


def test_nothing_is_rounded_of_an_order_that_nothing_was_taken_out_of() -> None:
    whole = snapshot(line("1", 2, 1000))

    assert edit_rounding_minor(claiming(1999, whole), []) == 0


def test_nor_of_one_that_is_cancelled() -> None:
    assert edit_rounding_minor(replace(claiming(1047), cancelled_at=at(10)), []) == 0


def test_refunded_lines_and_shipping_are_out_of_the_claim_and_an_allowance_is_not() -> None:
    order = claiming(1000, replace(EDITED, shipping=(shipping(500),)))
    back = refunded("r1", 90, given_back("1", 1, 548), adjustments=(Adjustment(AdjustmentKind.DISCREPANCY, 100),))
    assert isinstance(back.body, Refund)

    assert left_minor(order, [back.body]) == 1000
    assert edit_rounding_minor(claiming(999, order), [back.body]) == -1


def test_tax_in_the_price_and_a_currency_without_decimals() -> None:
    """Three for 1000 yen, 91 of it tax: 303 and 31, 303 and 30, 303 and 30; one is taken out."""
    sold = replace(line("1", 3, currency="JPY", taxes=(TaxLine("VAT", 91, None, included=True),), removed=1))
    order = snapshot(replace(sold, gross_minor=1000), currency="JPY")

    assert left_minor(order, []) == 667
    assert edit_rounding_minor(claiming(666, order), []) == -1
