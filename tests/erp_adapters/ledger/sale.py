"""Documents of a small sale, for the ledger's tests."""

import datetime
from typing import Any

from hub.model.documents import DOCUMENT, Document, DocumentKey, DocumentKind, document_key, revision_of
from hub.model.intents import Action, Write
from hub.model.order import OrderKey, PartyRef
from tests.hub.books.documents import DAY, document, line

CUSTOMER = document_key(DocumentKind.CUSTOMER, "shopify", "7")
MUG = "MUG"


def write(document: Document, action: Action = Action.CREATE) -> Write:
    return Write(action, document, revision_of(DOCUMENT.dump_json(document)))


def masters(standard_cost_minor: int = 400) -> list[Write]:
    """A customer and a mug."""
    return [
        write(document("customer", key=CUSTOMER, party=PartyRef("customer-7", "v1"))),
        write(document("item", line("stock", standard_cost_minor, item=MUG), key="item-mug", memo="Mug")),
    ]


def of_order(kind: str, *lines: Any, order: str = "1001", fact: str = "", **rest: Any) -> Document:
    parts = ("shopify", order, fact) if fact else ("shopify", order)
    return document(
        kind,
        *lines,
        key=document_key(DocumentKind(kind), *parts),
        order=OrderKey("shopify", order),
        reference=f"#{order}",
        customer=CUSTOMER,
        **rest,
    )


def sales_order(order: str = "1001", **rest: Any) -> Document:
    """Two mugs: 100.00 − 10.00 + 5.00 shipping + 7.60 tax = 102.60."""
    return of_order("sales_order", *SALE, order=order, **rest)


def invoice(order: str = "1001", **rest: Any) -> Document:
    return of_order("invoice", *SALE, order=order, fact="f1", **rest)


def deposit(order: str = "1001", **rest: Any) -> Document:
    return of_order(
        "deposit", line("deposits", 10260), order=order, fact="t1", method="shopify_payments", memo="t1", **rest
    )


def application(order: str = "1001") -> Document:
    return of_order("deposit_application", line("deposits", 10260), order=order, fact="f1")


def receipt(quantity: int, cost_minor: int, key: str = "rcpt-1", date: datetime.date = DAY) -> Document:
    return document("stock_receipt", line("stock", cost_minor, "", MUG, quantity), key=key, location="main", date=date)


def fulfilment(quantity: int = 2, fact: str = "f1", order: str = "1001", **rest: Any) -> Document:
    return of_order("fulfilment", line("stock", 0, "", MUG, quantity), order=order, fact=fact, location="main", **rest)


def return_receipt(quantity: int = 1, fact: str = "r1", order: str = "1001", **rest: Any) -> Document:
    return of_order(
        "return_receipt", line("stock", 0, "", MUG, quantity), order=order, fact=fact, location="main", **rest
    )


def key(document: Document) -> DocumentKey:
    return document.key


SALE = (
    line("goods", 10000, "", MUG, 2),
    line("discount", -1000, "seller"),
    line("shipping", 500, "Standard"),
    line("tax", 760, "State Tax"),
)
