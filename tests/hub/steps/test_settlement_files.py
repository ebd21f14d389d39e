"""Settlement reports of other payment providers: a CSV by its columns, booked like a channel's own payouts."""

from pathlib import Path

import pytest

from hub.errors import Misconfigured
from hub.model.payouts import SettlementKind
from hub.settings import SettlementColumns
from hub.steps.advance import advance_all
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.steps.settlement_files import capture_report
from hub.store.views import exceptions as views
from tests.hub.steps.settled import balances

REPORT = """\
Transaction ID,Date,Type,Gross,Fee,Currency,Invoice
T1,10/20/2026,Express Checkout Payment,"1,100.00",-32.20,USD,1001
T2,10/20/2026,Payment Refund,-100.00,0.00,USD,1001
T3,10/21/2026,Hold on Balance,-50.00,,USD,
W1,10/21/2026,General Withdrawal,-917.80,0.00,USD,
"""
PAYPAL = SettlementColumns(
    method="paypal",
    id="Transaction ID",
    date="Date",
    date_format="%m/%d/%Y",
    kind="Type",
    amount="Gross",
    fee="Fee",
    currency_column="Currency",
    order="Invoice",
    kinds={
        "Express Checkout Payment": SettlementKind.CHARGE,
        "Payment Refund": SettlementKind.REFUND,
        "Hold on Balance": SettlementKind.RESERVE,
        "General Withdrawal": SettlementKind.PAYOUT,
    },
)


def take(hub: Hub, folder: Path, text: str, columns: SettlementColumns = PAYPAL) -> Hub:
    """The report taken in by a hub that has these columns configured."""
    hub.__dict__["settings"] = hub.settings.model_copy(update={"settlements": {"paypal": columns}})
    file = folder / "report.csv"
    file.write_text(text)
    capture_report(hub, "shopify", file, "paypal")
    advance_all(hub)
    send_all(hub)
    return hub


def test_a_report_of_one_payout_is_booked_out_of_the_providers_own_clearing(hub: Hub, tmp_path: Path) -> None:
    take(hub, tmp_path, REPORT)

    assert balances(hub) == {
        "1000": 91780,
        "1200:paypal": -100000,
        "1270:paypal": 5000,
        "5200": 3220,
    }


def test_a_report_taken_twice_is_booked_once(hub: Hub, tmp_path: Path) -> None:
    take(hub, tmp_path, REPORT)
    take(hub, tmp_path, REPORT)
    take(hub, tmp_path, REPORT + "\n")  # other bytes, the same rows

    assert balances(hub)["1000"] == 91780


def test_a_column_may_say_which_row_is_in_which_payout(hub: Hub, tmp_path: Path) -> None:
    columns = PAYPAL.model_copy(update={"payout": "Payout", "order": None})
    text = """\
Transaction ID,Date,Type,Gross,Fee,Currency,Payout
T1,10/20/2026,Express Checkout Payment,10.00,0,USD,P1
T2,10/20/2026,Express Checkout Payment,7.00,0,USD,P2
T3,10/20/2026,Express Checkout Payment,5.00,0,USD,
T4,10/21/2026,General Withdrawal,-10.00,0,USD,P1
T5,10/22/2026,General Withdrawal,-7.00,0,USD,P2
"""

    take(hub, tmp_path, text, columns)

    assert balances(hub) == {"1000": 1700, "1200:paypal": -1700}


def test_a_word_that_nobody_configured_is_in_quarantine(hub: Hub, tmp_path: Path) -> None:
    take(hub, tmp_path, REPORT.replace("Payment Refund", "=cmd|calc"))

    assert balances(hub)["1285:=cmd|calc"] == 10000
    assert [one.fingerprint for one in views.opened(hub.store)] == ["unknown_settlement:=cmd|calc"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (REPORT.replace("-100.00", "lots"), "not an amount: 'lots'"),
        (REPORT.replace("10/20/2026,Payment", "20.10.2026,Payment"), "not a day like %m/%d/%Y"),
        (REPORT.replace("T2,", ","), "no Transaction ID"),
        (REPORT + "W2,10/22/2026,General Withdrawal,-1.00,0,USD,\n", "no column says which row is in which"),
        ("a,b\n1,2\n", "no column Transaction ID"),
    ],
)
def test_a_report_with_a_fault_waits_whole_and_names_it(hub: Hub, tmp_path: Path, text: str, said: str) -> None:
    take(hub, tmp_path, text)

    assert balances(hub) == {}
    (task,) = views.opened(hub.store)
    assert said in task.message


def test_a_mapping_that_is_not_configured_is_named(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no settlement 'stripe'"):
        capture_report(hub, "shopify", tmp_path / "x.csv", "stripe")
