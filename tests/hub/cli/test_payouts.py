"""orderhub payouts: what a payout is made of in one look, and what is still with the provider."""

from typing import Any

from tests.hub.cli.shop import Orderhub


def balance(number: int, word: str, amount: str, fee: str, net: str, payout: int | None = 3) -> dict[str, Any]:
    """A balance transaction as REST gives it."""
    return {
        "id": number,
        "type": word,
        "test": False,
        "payout_id": payout,
        "payout_status": "paid" if payout else "pending",
        "currency": "USD",
        "amount": amount,
        "fee": fee,
        "net": net,
        "source_order_id": 1001,
        "source_order_transaction_id": 5001,
        "processed_at": "2026-10-20T19:52:08-05:00",
    }


TOLD = [
    balance(1, "charge", "100.00", "3.20", "96.80"),
    balance(2, "moonbeam", "1.00", "0.00", "1.00"),
    balance(3, "payout", "-97.80", "0.00", "-97.80"),
    balance(4, "charge", "20.00", "0.90", "19.10", None),
]
PAYOUT = {"payout": {"id": 3, "status": "paid", "date": "2026-10-21", "currency": "USD", "amount": "97.80"}}


def test_a_payout_shows_its_lines_by_kind_its_document_and_its_tasks(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file({"transactions": TOLD}), orderhub.file(PAYOUT, "payout.json"))

    shown = orderhub.json("payouts", "show", "3")

    assert [(line["word"], line["net_minor"]) for line in shown["lines"]] == [("charge", 9680), ("moonbeam", 100)]
    assert (shown["state"], shown["amount_minor"], shown["net_minor"], shown["missing_minor"]) == (
        "posted",
        9780,
        9780,
        0,
    )
    assert [(one["document"], one["state"], one["matches"]) for one in shown["documents"]] == [
        ("po-shopify-3", "done", True)
    ]
    assert [one["fingerprint"] for one in shown["tasks"]] == ["unknown_settlement:moonbeam"]


def test_the_list_has_the_payouts_and_what_is_in_none_yet(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file({"transactions": TOLD}), orderhub.file(PAYOUT, "payout.json"))

    listed = orderhub.json("payouts", "list")

    assert [(one["payout"], one["state"]) for one in listed["payouts"]] == [("3", "posted")]
    assert listed["pending"] == [
        {"channel": "shopify", "method": "shopify_payments", "currency": "USD", "lines": 1, "net_minor": 1910}
    ]


def test_clearing_names_what_was_settled_and_never_sold_here(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file({"transactions": TOLD}), orderhub.file(PAYOUT, "payout.json"))

    found = orderhub.json("payouts", "clearing", "--until", "2026-10-31")

    assert [(x["method"], x["balance_minor"], x["erp_minor"]) for x in found["totals"]] == [
        ("shopify_payments", -10000, -10000)
    ]
    assert [(x["subject"], x["why"], x["amount_minor"], x["age_days"]) for x in found["pieces"]] == [
        ("5001", "not_in_books", -10000, 10)
    ]


def test_the_tables_are_for_people(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file({"transactions": TOLD}), orderhub.file(PAYOUT, "payout.json"))

    shown, cleared = orderhub("payouts", "show", "3"), orderhub("payouts", "clearing")

    assert "unknown (moonbeam)" in shown.out
    assert "97.80 USD" in shown.out
    assert "not in books" in cleared.out


def test_a_payout_that_is_not_there_says_where_to_look(orderhub: Orderhub) -> None:
    ran = orderhub("payouts", "show", "9")

    assert (ran.status, ran.err) == (1, "orderhub: no payout '9': see orderhub payouts list\n")
