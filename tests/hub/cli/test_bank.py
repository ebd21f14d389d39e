"""orderhub bank and payouts import: files from the door, by columns that hub.yaml names."""

import shutil
from pathlib import Path

import yaml

from hub.settings import SHIPPED
from tests.hub.cli.shop import Orderhub

REPORT = b"id,day,what,gross,fee\nT1,2026-10-20,sale,100.00,-3.00\nW1,2026-10-21,withdrawal,-97.00,0\n"
STATEMENT = b"booked,amount,words\n2026-10-22,97.00,PAYOUT\n2026-10-23,-900.00,=RENT()\n"
KLARNA = {
    "method": "klarna",
    "id": "id",
    "date": "day",
    "kind": "what",
    "amount": "gross",
    "fee": "fee",
    "currency": "USD",
    "kinds": {"sale": "charge", "withdrawal": "payout"},
}
CHECKING = {"date": "booked", "amount": "amount", "currency": "USD", "text": "words"}


def configured(folder: Path, **more: object) -> str:
    """The shipped configuration with more at its end."""
    copied = Path(shutil.copytree(SHIPPED.parent, folder / "config")) / SHIPPED.name
    copied.write_text(f"{copied.read_text()}\n{yaml.safe_dump(more)}")
    return str(copied)


def test_a_report_and_a_statement_meet_in_the_bank(orderhub: Orderhub, tmp_path: Path) -> None:
    config = configured(tmp_path, settlements={"klarna": KLARNA}, bank={"checking": CHECKING})

    taken = orderhub.json(
        "payouts", "import", "shopify", orderhub.file(REPORT, "report.csv"), "--mapping", "klarna", "--config", config
    )
    ran = orderhub("bank", "import", orderhub.file(STATEMENT, "bank.csv"), "--format", "csv", "--config", config)
    listed = orderhub.json("bank", "list", "--all", "--config", config)

    assert (taken["new"], taken["sent"]["done"]) == (True, 1)
    assert (ran.status, ran.err) == (
        0,
        "orderhub: lines read: 2, new: 2; of all lines payouts: 1, ambiguous: 0, no payout: 1\n",
    )
    assert [(x["amount_minor"], x["match"], x["payouts"]) for x in listed["lines"]] == [
        (9700, "payout", ["shopify/klarna:W1"]),
        (-90000, "none", []),
    ]
    assert listed["unseen"] == []


def test_a_statement_that_is_none_is_refused_in_one_line(orderhub: Orderhub) -> None:
    evil = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>'

    ran = orderhub("bank", "import", orderhub.file(evil, "camt.xml"))

    assert ran.status == 1
    assert ran.err.startswith("orderhub: camt.xml: refused, it defines entities or a document type")
