"""Money in and out: deposits and their applications, payments, refunds."""

from hub.errors import Rejected
from hub.model.documents import Component, Document, DocumentLine
from hub.model.frozen import frozen
from mappings.netsuite.words import Body, Directory, amount, by_key, given, header, order_key, own, part_key, rate


@frozen
class Drawn:
    """What one deposit pays: one record of its own."""

    deposit: str  # its key
    invoices: tuple[tuple[str, int], ...]  # minor units by the invoice's key

    @property
    def total_minor(self) -> int:
        return sum(minor for _, minor in self.invoices)


def deposit(document: Document, revision: str, directory: Directory) -> Body:
    """Money of the customer's before the invoice, on the order that it is for."""
    body = header(document, revision, directory, "customerDeposit") | own(document, directory)
    if document.order is not None:
        body["salesOrder"] = by_key(order_key(document))
    return body | {
        "customer": directory.customer(document),
        "payment": amount(document.total_minor, document),
        "undepFunds": False,
        "account": {"id": directory.clearing(document)},
    }


def drawn(document: Document) -> tuple[Drawn, ...]:
    """The deposits that an application draws on, each with the invoices that it pays.

    Raises:
        Rejected: a deposit or an invoice is not named.
    """
    owed = {_named(document, line): line.amount_minor for line in document.settles if line.amount_minor}
    made = []
    for line in document.lines:
        left = line.amount_minor
        paid: list[tuple[str, int]] = []
        for key, minor in owed.items():
            taken = min(left, minor)
            if taken:
                paid.append((key, taken))
                left -= taken
                owed[key] -= taken
        if left:
            raise _nameless(document, "settles", "an invoice")
        made.append(Drawn(_named(document, line), tuple(paid)))
    return tuple(made)


def deposit_application(document: Document, revision: str, directory: Directory, number: int) -> Body:
    """One deposit's part in paying invoices."""
    one = drawn(document)[number]
    body = header(document, revision, directory, "depositApplication") | given({"exchangeRate": rate(document)})
    body["externalId"] = part_key(document.key, number)
    return body | {"apply": {"items": [_apply(key, minor, document) for key, minor in one.invoices]}}


def payment(document: Document, revision: str, directory: Directory) -> Body:
    """Money for open invoices; what is for none of them stays the customer's."""
    body = header(document, revision, directory, "customerPayment") | own(document, directory)
    body |= {
        "customer": directory.customer(document),
        "payment": amount(document.total_minor, document),
        "undepFunds": False,
        "account": {"id": directory.clearing(document)},
        "autoApply": False,
    }
    applied = [_apply(line.detail, line.amount_minor, document) for line in document.lines if line.detail]
    return body | ({"apply": {"items": applied}} if applied else {})


def refund(document: Document, revision: str, directory: Directory) -> Body:
    """Money back: of credit memos and of deposits; what none of them holds is `unnamed`."""
    body = header(document, revision, directory, "customerRefund") | own(document, directory)
    body |= {"customer": directory.customer(document), "account": {"id": directory.clearing(document)}}
    credits_ = [line for line in document.lines if line.component is Component.REFUNDS_PAYABLE]
    deposits = [line for line in document.lines if line.component is Component.DEPOSITS]
    for name, lines in (("apply", credits_), ("deposit", deposits)):
        rows = [_apply(line.detail, line.amount_minor, document) for line in lines if line.detail and line.amount_minor]
        if rows:
            body[name] = {"items": rows}
    return body


def unnamed(document: Document) -> tuple[DocumentLine, ...]:
    """Of a refund what no document of the order holds: NetSuite refunds credits and deposits, nothing else."""
    return tuple(line for line in document.lines if not line.detail and line.amount_minor)


def _apply(key: str, minor: int, document: Document) -> Body:
    return {"doc": by_key(key), "apply": True, "amount": amount(minor, document)}


def _named(document: Document, line: DocumentLine) -> str:
    if not line.detail:
        field = "settles" if line in document.settles else "lines"
        raise _nameless(document, field, f"the document that holds {line.component}")
    return line.detail


def _nameless(document: Document, field: str, what: str) -> Rejected:
    return Rejected(
        f"{document.key} does not name {what}",
        code="unknown_document",
        field=f"{field}.detail",
        remedy="look at the order's documents: money was taken that none of them holds; enter it by hand in NetSuite",
    )
