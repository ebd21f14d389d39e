"""Each sample: a document, with the rows that stand where it is made of another record, and the body it becomes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from erp_adapters.netsuite.client import encoded
from hub.model.documents import DOCUMENT, Component, Document, content_of, revision_of
from hub.model.order import PARTY
from mappings.netsuite import customer, goods, journal, money, order, sales
from mappings.netsuite.order import StandingRow
from mappings.netsuite.words import Body, Segments, by_key

SAMPLES: Final = Path(__file__).resolve().parents[3] / "erp_adapters" / "netsuite" / "samples"


class Names:
    """Ids that show what they were looked up by."""

    line_field = "custcol_orderhub_line"

    def item(self, code: str) -> str:
        return f"item {code}"

    def charge(self, component: Component, *, kept: bool = False, custom: bool = False) -> str:
        return f"item for {component}{' kept' * kept}{' custom' * custom}"

    def tax(self, jurisdiction: str) -> tuple[str, str]:
        return f"code {jurisdiction}", f"type of {jurisdiction}"

    def untaxed(self) -> tuple[str, str] | None:
        return "code none", "type of none"

    def location(self, name: str) -> str:
        return f"location {name}"

    def order_location(self) -> str | None:
        return "location main"

    def segments(self, document: Document, sold_as: str | None = None) -> Segments:
        if document.order is None or document.order.channel != "outlet":
            return ()
        return ("department", "department outlet"), ("class", f"class of {sold_as or 'outlet'}")

    def currency(self, code: str) -> str:
        return f"currency {code}"

    def account(self, document: Document, role: str, detail: str = "") -> str:
        return f"account {role} {detail}".strip()

    def clearing(self, document: Document) -> str:
        return f"account of {document.method}"

    def subsidiary(self, entity: str) -> str | None:
        return f"subsidiary {entity}"

    def customer(self, document: Document) -> Body:
        return by_key(document.customer or "")

    def ship_method(self, word: str) -> str | None:
        return f"ship item {word}"

    def customer_class(self, word: str) -> str | None:
        return f"category {word}"

    def form(self, record: str) -> str | None:
        return None

    def own_fields(self, record: str, document: Document) -> dict[str, Any]:
        return {}


def body_of(sample: dict[str, Any]) -> Body:
    """What the sample's document becomes; `as` names the record."""
    document: Document = DOCUMENT.validate_python(sample["document"])
    standing = [StandingRow(**row) for row in sample.get("standing", ())]
    parties = {name: PARTY.validate_python(party) for name, party in sample.get("parties", {}).items()}
    revision, names = revision_of(content_of(document)), Names()
    records: dict[str, Callable[[], Body]] = {
        "customer": lambda: customer.customer(document, names, parties.get("party")),
        "salesOrder": lambda: order.sales_order(document, revision, names, parties),
        "salesOrder changed": lambda: order.order_changes(document, revision, names, standing),
        "salesOrder closed": lambda: order.closed_order(standing),
        "itemFulfillment": lambda: goods.fulfilment(document, revision, names, standing),
        "invoice": lambda: sales.invoice(document, revision, names, standing),
        "returnAuthorization": lambda: goods.return_authorization(document, revision, names, standing),
        "itemReceipt": lambda: goods.item_receipt(document, revision, names, standing),
        "creditMemo": lambda: sales.credit_memo(document, revision, names),
        "creditMemo of a return": lambda: sales.credit_of_return(document, revision, names, standing),
        "customerDeposit": lambda: money.deposit(document, revision, names),
        "depositApplication": lambda: money.deposit_application(document, revision, names, 0),
        "customerPayment": lambda: money.payment(document, revision, names),
        "customerRefund": lambda: money.refund(document, revision, names),
        "journalEntry": lambda: journal.journal_entry(document, revision, names),
        "payout": lambda: journal.payout(document, revision, names),
        "inventoryAdjustment": lambda: goods.inventory_adjustment(document, revision, names),
    }
    return records[sample["as"]]()


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.in.json")), ids=lambda path: path.name.removesuffix(".in.json"))
def test_a_document_becomes_the_body_of_its_sample(path: Path) -> None:
    expected = json.loads(path.with_name(path.name.replace(".in.", ".out.")).read_text())

    body = body_of(json.loads(path.read_text()))

    assert json.loads(encoded(body)) == expected


def test_every_record_has_a_sample() -> None:
    told = {json.loads(path.read_text())["as"].partition(" ")[0] for path in SAMPLES.glob("*.in.json")}

    assert told == {
        "creditMemo",
        "customer",
        "customerDeposit",
        "customerPayment",
        "customerRefund",
        "depositApplication",
        "inventoryAdjustment",
        "invoice",
        "itemFulfillment",
        "itemReceipt",
        "journalEntry",
        "payout",
        "returnAuthorization",
        "salesOrder",
    }
