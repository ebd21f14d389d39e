"""The ERP's books beside the expected ones: every difference found, each cause from its own evidence."""

import random
from dataclasses import replace

import pytest

from hub.model.postings import BooksComparison
from tests.hub.flow.ledger_sides import IN_JUNE, IN_MAY, JUNE, MAY, SALE, LedgerSides, told

FOREIGN = {"1100": 1090, "4000": -1000, "2200:CA": -90}


@pytest.fixture
def sides() -> LedgerSides:
    sides = LedgerSides()
    for number in ("1001", "1002", "1003"):
        sides.invoice(number)
    return sides


def causes_of(found: BooksComparison, account: str) -> list[tuple[str, int]]:
    return [cause for (_, on), causes in told(found).items() if on == account for cause in causes]


def test_books_that_are_alike_tie_on_every_account(sides: LedgerSides) -> None:
    found = sides.compare()

    assert [(one.account, one.expected_minor, one.erp_minor) for one in found.accounts] == [
        ("1100", 32700, 32700),
        ("2200:CA", -2700, -2700),
        ("4000", -30000, -30000),
    ]
    assert (found.differences, found.documents, found.matched) == ((), 3, 3)
    assert (found.unexplained_minor, found.unexplained_functional_minor) == ({"USD": 0}, {"USD": 0})


def test_a_hand_edit_is_what_the_erp_has_now_less_what_was_read_back(sides: LedgerSides) -> None:
    sides.at_erp("1002", {"1100": 1250, "4000": -1250}, by_hand=True, version=2)

    found = sides.compare()

    assert told(found) == {
        ("inv-shopify-1002", "1100"): [("hand_edit", 1250)],
        ("inv-shopify-1002", "4000"): [("hand_edit", -1250)],
    }
    assert found.differences[0].causes[0].evidence == {
        "ref": "L-inv-shopify-1002",
        "readback_minor": 10900,
        "erp_minor": 12150,
        "readback_version": 1,
        "version": 2,
        "by_hand": True,
    }
    assert (found.documents, found.matched, found.unexplained_minor) == (3, 2, {"USD": 0})


def test_a_minor_unit_that_nobody_changed_is_unexplained(sides: LedgerSides) -> None:
    sides.at_erp("1002", {"1100": 1, "4000": -1})

    found = sides.compare()

    assert told(found) == {
        ("inv-shopify-1002", "1100"): [("unexplained", 1)],
        ("inv-shopify-1002", "4000"): [("unexplained", -1)],
    }
    assert found.unexplained_minor == {"USD": 2}


def test_a_document_that_was_taken_and_is_gone_was_deleted(sides: LedgerSides) -> None:
    sides.postings = [one for one in sides.postings if one.document != "inv-shopify-1002"]

    assert causes_of(sides.compare(), "1100") == [("erp_deleted", -10900)]


def test_what_was_typed_in_is_the_erps_alone(sides: LedgerSides) -> None:
    sides.post("", {"1100": 500, "4000": -500}, ref="T-1", channel="")

    found = sides.compare()

    assert told(found)["T-1", "4000"] == [("entered_in_erp_alone", -500)]
    assert found.unexplained_minor == {"USD": 0}


def test_a_second_document_of_an_orders_kind_was_entered_twice(sides: LedgerSides) -> None:
    sides.post("", SALE, ref="T-1", order="1002")

    found = sides.compare()

    assert told(found)["T-1", "1100"] == [("entered_twice", 10900)]
    assert found.differences[0].causes[0].evidence["own_document"] == "inv-shopify-1002"


def test_a_second_document_under_our_key_was_entered_twice(sides: LedgerSides) -> None:
    sides.post("inv-shopify-1002", SALE, ref="L-9", order="1002")

    found = sides.compare()

    assert [(one.ref, one.document) for one in found.differences] == [("L-9", "inv-shopify-1002")] * 3
    assert causes_of(found, "1100") == [("entered_twice", 10900)]


def test_a_document_in_parts_is_one_document(sides: LedgerSides) -> None:
    sides.invoice("1004", post=False, ref="A,B")
    sides.post("inv-shopify-1004", {"1100": 10900, "4000": -10900}, ref="A")
    sides.post("inv-shopify-1004", {"4000": 900, "2200:CA": -900}, ref="B")

    assert sides.compare().differences == ()


def test_a_document_in_another_month_shows_in_both_as_the_other_has_it(sides: LedgerSides) -> None:
    sides.at_erp("1002", date=IN_JUNE, by_hand=True, version=2)

    assert causes_of(sides.compare(), "1100") == [("cut_off", -10900)]
    assert causes_of(sides.compare(JUNE), "1100") == [("cut_off", 10900)]


def test_a_hand_edit_in_the_wrong_month_is_two_causes(sides: LedgerSides) -> None:
    sides.at_erp("1002", {"1100": 10, "4000": -10}, date=IN_JUNE, by_hand=True, version=2)

    assert causes_of(sides.compare(), "1100") == [("cut_off", -10910), ("hand_edit", 10)]
    assert causes_of(sides.compare(JUNE), "1100") == [("cut_off", 10900), ("hand_edit", 10)]


def test_an_unexplained_unit_in_the_wrong_month_is_still_seen(sides: LedgerSides) -> None:
    sides.at_erp("1002", {"1100": 1, "4000": -1}, date=IN_JUNE)

    assert causes_of(sides.compare(), "1100") == [("cut_off", -10901), ("unexplained", 1)]


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ("planned", "not_sent_yet"),
        ("sent", "not_sent_yet"),
        ("in_doubt", "in_doubt"),
        ("rejected", "held_order"),
    ],
)
def test_what_the_erp_has_not_taken_is_named_by_its_state(sides: LedgerSides, state: str, cause: str) -> None:
    sides.invoice("1004", post=False, state=state, code="closed_period")

    assert causes_of(sides.compare(), "1100") == [(cause, -10900)]


def test_a_write_in_doubt_that_happened_is_no_difference(sides: LedgerSides) -> None:
    sides.invoice("1004", state="in_doubt")

    assert sides.compare().differences == ()


def test_a_write_in_doubt_that_happened_otherwise_is_unexplained(sides: LedgerSides) -> None:
    sides.invoice("1004", state="in_doubt")
    sides.at_erp("1004", {"1100": 3, "4000": -3})

    assert causes_of(sides.compare(), "1100") == [("unexplained", 3)]


def test_an_amendment_not_sent_is_worth_what_it_changes(sides: LedgerSides) -> None:
    less = {"1100": 5450, "4000": -5000, "2200:CA": -450}
    sides.decide("inv-shopify-1002", less, before=SALE, state="planned")

    found = sides.compare()

    assert told(found)["inv-shopify-1002", "4000"] == [("not_sent_yet", -5000)]
    assert found.unexplained_minor == {"USD": 0}


def test_an_amendment_that_was_taken_ties(sides: LedgerSides) -> None:
    less = {"1100": 5450, "4000": -5000, "2200:CA": -450}
    sides.decide("inv-shopify-1002", less, before=SALE)
    sides.at_erp("1002", {"1100": -5450, "4000": 5000, "2200:CA": 450}, version=2)

    assert sides.compare().differences == ()


def test_tax_that_was_read_back_otherwise_falls_on_tax_and_on_what_is_owed(sides: LedgerSides) -> None:
    sides.at_erp("1002", {"1100": 90, "2200:CA": -90})
    sides.read_back("1002", readback_total_minor=10990, readback_tax_minor=990)

    found = sides.compare()

    assert told(found) == {
        ("inv-shopify-1002", "1100"): [("tax_base", 90)],
        ("inv-shopify-1002", "2200:CA"): [("tax_base", -90)],
    }


def test_other_tax_than_was_read_back_stays_unexplained(sides: LedgerSides) -> None:
    sides.at_erp("1002", {"1100": 91, "2200:CA": -91})
    sides.read_back("1002", readback_total_minor=10990, readback_tax_minor=990)

    assert causes_of(sides.compare(), "2200:CA") == [("tax_base", -90), ("unexplained", -1)]


def test_tax_recomputed_and_then_edited_by_hand_is_two_causes(sides: LedgerSides) -> None:
    sides.at_erp("1002", {"1100": 102, "2200:CA": -2, "4000": -100}, by_hand=True, version=2)
    sides.read_back("1002", readback_total_minor=10902, readback_tax_minor=902)

    found = sides.compare()

    assert causes_of(found, "1100") == [("hand_edit", 100), ("rounding", 2)]
    assert causes_of(found, "2200:CA") == [("rounding", -2)]
    assert causes_of(found, "4000") == [("hand_edit", -100)]


def test_the_same_amount_on_an_account_that_was_not_meant_is_named_on_both(sides: LedgerSides) -> None:
    sides.at_erp("1002", {"4000": 4000, "4100": -4000})

    found = sides.compare()

    assert told(found) == {
        ("inv-shopify-1002", "4000"): [("wrong_account", 4000)],
        ("inv-shopify-1002", "4100"): [("wrong_account", -4000)],
    }
    assert found.differences[0].causes[0].evidence["other_account"] == "4100"


def test_another_amount_on_a_wrong_account_leaves_the_rest_unexplained(sides: LedgerSides) -> None:
    sides.at_erp("1002", {"4000": 4000, "4100": -4001, "1100": 1})

    found = sides.compare()

    assert causes_of(found, "4000") == [("wrong_account", 4001), ("unexplained", -1)]
    assert causes_of(found, "1100") == [("unexplained", 1)]


def test_a_conversion_may_be_off_by_a_unit_a_line(sides: LedgerSides) -> None:
    sides.invoice("1004", FOREIGN, currency="EUR", rate=1.1)
    sides.postings[-3:] = [
        replace(one, functional_minor=one.functional_minor + {"1100": 1, "4000": -1}.get(one.account, 0))
        for one in sides.postings[-3:]
    ]

    found = sides.compare()

    assert [
        (x.account, [(c.code, c.amount_minor, c.functional_minor) for c in x.causes]) for x in found.differences
    ] == [
        ("1100", [("conversion", 0, 1)]),
        ("4000", [("conversion", 0, -1)]),
    ]
    assert found.unexplained_functional_minor == {"USD": 0}


def test_a_conversion_that_is_off_by_more_is_unexplained(sides: LedgerSides) -> None:
    sides.invoice("1004", FOREIGN, currency="EUR", rate=1.1)
    sides.postings[-3:] = [
        replace(one, functional_minor=one.functional_minor + {"1100": 2, "4000": -2}.get(one.account, 0))
        for one in sides.postings[-3:]
    ]

    found = sides.compare()

    assert (found.unexplained_minor, found.unexplained_functional_minor) == ({"EUR": 0, "USD": 0}, {"USD": 4})


def test_a_document_in_another_company_is_named_in_both(sides: LedgerSides) -> None:
    sides.at_erp("1002", entity="uk")

    found = sides.compare()

    assert [(one.entity, one.causes[0].code, one.causes[0].amount_minor) for one in found.differences] == [
        ("uk", "wrong_entity", 10900),
        ("uk", "wrong_entity", -900),
        ("uk", "wrong_entity", -10000),
        ("us", "wrong_entity", -10900),
        ("us", "wrong_entity", 900),
        ("us", "wrong_entity", 10000),
    ]
    assert found.unexplained_minor == {"USD": 0}


def test_a_document_in_another_currency_is_named_in_both(sides: LedgerSides) -> None:
    sides.at_erp("1002", currency="CAD")

    found = sides.compare()

    assert {(one.currency, one.causes[0].code) for one in found.differences} == {("CAD", "fx"), ("USD", "fx")}
    assert found.unexplained_minor == {"CAD": 0, "USD": 0}


def test_a_document_in_several_currencies_is_named_by_them_in_their_order(sides: LedgerSides) -> None:
    """The evidence is part of the run's digest: what is read again must say the same."""
    currencies = {"1100": "MXN", "4000": "CAD", "2200:CA": "EUR"}
    sides.postings = [
        replace(one, currency=currencies[one.account]) if one.document == "inv-shopify-1002" else one
        for one in sides.postings
    ]

    found = sides.compare()

    ends = {(cause.evidence["left"], cause.evidence["right"]) for one in found.differences for cause in one.causes}
    assert ends == {("us USD", "us CAD, us EUR, us MXN")}


def test_what_stock_costs_is_left_out_and_said(sides: LedgerSides) -> None:
    sides.post("ful-shopify-1001", {"5000": 4000, "1300": -4000}, kind="fulfilment")

    found = sides.compare()

    assert found.differences == ()
    assert [(one.account, one.name, one.why) for one in found.left_out] == [
        ("1300", "Inventory", "cost"),
        ("5000", "Cost of goods sold", "cost"),
    ]


def test_an_account_that_the_hub_does_not_know_is_left_out_and_said(sides: LedgerSides) -> None:
    sides.post("", {"6000": 100000, "1000": -100000}, ref="PAYROLL", kind="journal", channel="")

    found = sides.compare()

    assert [(one.account, one.why) for one in found.left_out] == [("6000", "foreign")]
    assert causes_of(found, "1000") == [("entered_in_erp_alone", -100000)]


def test_an_erp_without_sub_accounts_is_compared_by_the_number(sides: LedgerSides) -> None:
    sides.postings = [replace(one, account="2200") if one.account == "2200:CA" else one for one in sides.postings]

    found = sides.compare()

    assert found.differences == ()
    assert [(one.account, one.name) for one in found.accounts][1] == ("2200", "Sales tax payable")


def test_accounts_that_the_erp_keeps_together_are_compared_as_one(sides: LedgerSides) -> None:
    sides.invoice("1004", {"2400": -500, "4300": 500}, post=False)
    sides.post("inv-shopify-1004", {"1100": -500, "4300": 500})
    sides.together = {"2400": "1100"}

    assert sides.compare().differences == ()


def test_what_is_of_earlier_months_is_in_the_trial_balance_alone(sides: LedgerSides) -> None:
    sides.invoice("0900", post=False, date=IN_MAY.replace(year=2025))
    sides.invoice("1009", date=IN_JUNE)

    found = sides.compare()

    assert found.differences == ()
    assert [(one.account, one.balance_minor) for one in found.trial_balance] == [
        ("1100", 43600),
        ("2200:CA", -3600),
        ("4000", -40000),
    ]


def test_an_old_document_that_was_moved_into_the_month_is_known(sides: LedgerSides) -> None:
    sides.invoice("0900", post=False, date=IN_MAY.replace(year=2025))
    sides.post("inv-shopify-0900", SALE)

    assert causes_of(sides.compare(), "1100") == [("cut_off", 10900)]


def test_the_same_rows_in_any_order_give_the_same_digest(sides: LedgerSides) -> None:
    sides.at_erp("1002", {"1100": 1, "4000": -1})
    first = sides.compared()[1]
    sides.intents.reverse()
    sides.postings.reverse()

    assert sides.compared()[1] == first


@pytest.mark.parametrize("seed", range(12))
def test_the_documents_differences_sum_to_their_accounts_and_nothing_is_explained_without_evidence(seed: int) -> None:
    """Whatever happens to whichever documents; of what happens without a trace all is unexplained, to the unit."""
    chance = random.Random(seed)
    sides = LedgerSides()
    untold = 0
    for number in range(40):
        name = str(1000 + number)
        sides.invoice(name, date=chance.choice((IN_MAY, IN_JUNE)))
        untold += meddle(sides, name, chance)

    found = sides.compare((MAY[0], JUNE[1]))

    sums: dict[str, int] = {}
    for one in found.differences:
        sums[one.account] = sums.get(one.account, 0) + one.delta_minor
        assert sum(cause.amount_minor for cause in one.causes) + one.residual_minor == one.delta_minor
    assert {one.account: one.delta_minor for one in found.accounts if one.delta_minor} == {
        account: minor for account, minor in sums.items() if minor
    }
    assert sum(found.unexplained_minor.values()) == untold


def meddle(sides: LedgerSides, name: str, chance: random.Random) -> int:
    """Perhaps something happens to an invoice; how much of it nobody can explain, over all accounts."""
    off = chance.randrange(1, 500)
    match chance.randrange(9):
        case 0:
            sides.at_erp(name, {"1100": off, "4000": -off}, by_hand=True, version=2)
        case 1:
            sides.postings = [one for one in sides.postings if one.document != f"inv-shopify-{name}"]
        case 2:
            sides.post("", {"1100": off, "4000": -off}, ref=f"T-{name}", order=chance.choice(("", name)))
        case 3:
            sides.at_erp(name, date=chance.choice((IN_MAY, IN_JUNE)), by_hand=True, version=2)
        case 4:
            sides.at_erp(name, {"1100": off, "2200:CA": -off})
            sides.read_back(name, readback_total_minor=10900 + off, readback_tax_minor=900 + off)
        case 5:
            sides.at_erp(name, {"4000": off, "4100": -off})
        case 6:
            sides.at_erp(name, {"1100": off, "4000": -off})
            return 2 * off
        case _:
            pass
    return 0
