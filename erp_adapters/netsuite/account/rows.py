"""A record as the rows that SuiteQL shows of it: table -> rows, each column -> value.

Signs: lines carry the ledger's (what is sold is negative, in quantity and amount), headers are positive (ERPS.md 1.10);
a header's row in the line table (`mainline`) carries the ledger's sign too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from erp_adapters.netsuite.account import dates, lists
from erp_adapters.netsuite.account.cells import Rows, custom, flag, number
from erp_adapters.netsuite.account.lists import ITEM_TYPES
from erp_adapters.netsuite.account.records import ITEMS, kind_of
from erp_adapters.netsuite.account.world import GlLine, Rec, Row, name_of

TYPES: Final = {
    "salesOrder": "SalesOrd",
    "itemFulfillment": "ItemShip",
    "invoice": "CustInvc",
    "creditMemo": "CustCred",
    "returnAuthorization": "RtnAuth",
    "customerPayment": "CustPymt",
    "customerDeposit": "CustDep",
    "itemReceipt": "ItemRcpt",
    "cashSale": "CashSale",
    "cashRefund": "CashRfnd",
    "depositApplication": "DepAppl",
    "customerRefund": "CustRfnd",
    "journalEntry": "Journal",
    "inventoryAdjustment": "InvAdjst",
}
TAX_LINES: Final = 100_000  # posting lines from here on are tax (world.GlLine)
COST_LINES: Final = 200_000  # from here on cost
OTHER_LINES: Final = 300_000  # and from here on what else the system adds; the first is the money of a payment

_NOT_POSTING: Final = frozenset({"salesOrder", "returnAuthorization"})
# What goes out to the customer is negative.
_OUTWARD: Final = frozenset({"salesOrder", "itemFulfillment", "invoice", "cashSale"})
_GOODS_ONLY: Final = frozenset({"itemFulfillment", "itemReceipt", "inventoryAdjustment"})
# How one transaction comes from another; the first two and Payment, DepAppl are [T], the rest [G].
_LINK_TYPES: Final = {
    "itemFulfillment": "ShipRcpt",
    "itemReceipt": "ShipRcpt",
    "invoice": "OrdBill",
    "cashSale": "OrdBill",
    "creditMemo": "OrdBill",
    "cashRefund": "OrdBill",
    "returnAuthorization": "SaleRet",
    "depositApplication": "DepAppl",
}
_SYSTEM_STATUS: Final = {"itemReceipt": "Y", "depositApplication": "Y", "journalEntry": "B"}  # [G]
_BY_HAND, _BY_SERVICE = 3, 1098  # who typed it in: a person, the integration's user


@dataclass(frozen=True, slots=True)
class Around:
    """What a record's rows need of others: accounts by their number, item types by item, the time zone of moments."""

    accounts: Mapping[str, int]
    item_types: Mapping[int, str]
    zone: str


def rows_of(rec: Rec, around: Around) -> Rows:
    """What the searches see of this record; a deleted one is a row of `deletedrecord`."""
    if rec.deleted:
        if rec.type in TYPES or rec.type in ITEM_TYPES or rec.type == "customer":
            yield (
                "deletedrecord",
                {
                    "recordid": rec.id,
                    "type": TYPES.get(rec.type, rec.type.lower()),
                    "name": name_of(rec),
                    "deleteddate": dates.moment(rec.modified_at, around.zone),
                    "deletedby": _BY_HAND if rec.by_hand else _BY_SERVICE,
                },
            )
        return
    if rec.type in TYPES:
        yield from _transaction(rec, around)
    elif rec.type in ITEMS:
        yield from lists.item(rec, around.zone)
    else:
        yield from lists.listed(rec, around.zone)


# --- transactions -----------------------------------------------------------------------------------------------------


def _transaction(rec: Rec, around: Around) -> Rows:
    lines = list(_lines(rec, around))
    posting = rec.type not in _NOT_POSTING and (rec.type != "itemFulfillment" or bool(rec.gl))
    yield "transaction", _header(rec, around.zone, posting)
    for line in lines:
        yield "transactionline", line
    yield from _accounting(rec, around, lines, posting)
    yield from _links(rec)


def _header(rec: Rec, zone: str, posting: bool) -> dict[str, Any]:
    total = _total(rec)
    row: dict[str, Any] = {
        "id": rec.id,
        "externalid": rec.external_id,
        "type": TYPES[rec.type],
        "abbrevtype": kind_of(rec.type).prefix,
        "recordtype": rec.type.lower(),
        "tranid": rec.get("tranId"),
        "transactionnumber": rec.get("tranId"),
        "trandisplayname": name_of(rec),
        "trandate": dates.day(rec.get("tranDate")),
        "status": rec.letter() or _SYSTEM_STATUS.get(rec.type),
        "entity": _entity(rec),
        "currency": rec.ref("currency"),
        "exchangerate": number(_rate(rec)),
        "foreigntotal": None if rec.type in _GOODS_ONLY else number(total),
        "postingperiod": rec.ref("postingPeriod"),
        "posting": flag(posting),
        "void": "F",
        "voided": flag(rec.get("voided")),
        "memo": rec.get("memo"),
        "otherrefnum": rec.get("otherRefNum"),
        "createddate": dates.moment(rec.created_at, zone),
        "lastmodifieddate": dates.moment(rec.modified_at, zone),
        "createdby": _BY_HAND if rec.by_hand and rec.external_id is None else _BY_SERVICE,
        "lastmodifiedby": _BY_HAND if rec.by_hand else _BY_SERVICE,
        "duedate": dates.day(rec.get("dueDate")),
        "shipdate": dates.day(rec.get("shippedDate") or rec.get("shipDate")),
        "email": rec.get("email"),
        "terms": rec.ref("terms"),
    }
    if rec.type == "invoice":
        row["foreignamountpaid"] = number(rec.amount("amountPaid"))
        row["foreignamountunpaid"] = number(rec.get("amountRemaining", total - rec.amount("amountPaid")))
    elif rec.type == "depositApplication":
        row["foreignpaymentamountused"], row["foreignpaymentamountunused"] = number(rec.amount("applied")), 0.0
    return row | custom(rec.fields)


def _entity(rec: Rec) -> int | None:
    return rec.ref("entity") or rec.ref("customer")


def _total(rec: Rec) -> Decimal:
    """What the header shows, always positive; nothing for a movement of goods."""
    if rec.type == "journalEntry":
        return sum((row.amount("debit") for row in rec.rows("line")), Decimal(0))
    for name in ("total", "payment", "applied"):
        if rec.get(name) is not None:
            return abs(rec.amount(name))
    return Decimal(0)


def _lines(rec: Rec, around: Around) -> Iterator[dict[str, Any]]:
    """The main line, the rows as people see them, and the lines that the system adds for tax and cost."""
    posting = _posting(rec)
    posted: dict[int, Decimal] = {}
    based: dict[int, Decimal] = {}
    for entry in posting:
        posted[entry.line] = posted.get(entry.line, Decimal(0)) + entry.amount
        based[entry.line] = based.get(entry.line, Decimal(0)) + entry.base
    sign = -1 if rec.type in _OUTWARD else 1
    main = Decimal(0) if rec.type in ("journalEntry", "inventoryAdjustment") else _total(rec) * -sign
    found: dict[int, dict[str, Any]] = {0: {"mainline": "T", "memo": rec.get("memo")}}
    found[0] |= {name: rec.ref(name) for name in ("location", "department", "class")}
    found[0]["foreignamount"] = posted.get(0, main)
    for row in rec.rows("item") + rec.rows("inventory") + rec.rows("line"):
        if row.get("itemReceive") is not False:
            found[row.line] = _row(rec, around, row, sign, posted)
    if not posting:
        for index, tax in enumerate(rec.rows("taxDetails")):
            found[TAX_LINES + index] = {"taxline": "T", "foreignamount": sign * tax.amount("taxAmount")}
    for entry in posting:
        if entry.line not in found:
            found[entry.line] = {
                "taxline": flag(TAX_LINES <= entry.line < COST_LINES),
                "iscogs": flag(COST_LINES <= entry.line < OTHER_LINES),
                "item": entry.item,
                "memo": entry.memo,
                "foreignamount": posted[entry.line],
            }
    rate = _rate(rec)
    accounts = {entry.line: entry.account for entry in posting}
    for order, (line, shown) in enumerate(found.items()):
        amount = Decimal(shown.pop("foreignamount"))
        account = around.accounts.get(accounts[line]) if line in accounts else None
        yield {
            "uniquekey": rec.id * 1_000_000 + line,
            "transaction": rec.id,
            "id": line,
            "linesequencenumber": order,
            "mainline": "F",
            "taxline": "F",
            "iscogs": "F",
            "isclosed": "F",
            "donotdisplayline": flag(line >= TAX_LINES),
            "isinventoryaffecting": flag(rec.type in _GOODS_ONLY),
            "foreignamount": number(amount),
            "netamount": number(based.get(line, amount * rate)),
            "debitforeignamount": number(amount) if amount > 0 else None,
            "creditforeignamount": number(-amount) if amount < 0 else None,
            "entity": _entity(rec),
            "subsidiary": rec.ref("subsidiary"),
            "createdfrom": rec.created_from or rec.ref("createdFrom") or rec.ref("salesOrder"),
            "account": account,
            "expenseaccount": account,
            "linelastmodifieddate": dates.moment(rec.modified_at, around.zone),
        } | {name: value for name, value in shown.items() if value is not None}


def _posting(rec: Rec) -> list[GlLine]:
    """What the record posts, with a main line: that of a payment or a refund is where the money moves."""
    if any(entry.line == 0 for entry in rec.gl):
        return rec.gl
    return [replace(entry, line=0) if entry.line == OTHER_LINES else entry for entry in rec.gl]


def _rate(rec: Rec) -> Decimal:
    return rec.amount("exchangeRate") or Decimal(1)


def _row(rec: Rec, around: Around, row: Row, sign: int, posted: dict[int, Decimal]) -> dict[str, Any]:
    quantity = row.get("adjustQtyBy") if rec.type == "inventoryAdjustment" else row.get("quantity")
    if rec.type == "journalEntry":
        amount = row.amount("debit") - row.amount("credit")
    else:
        amount = posted.get(row.line, sign * row.amount("amount"))
    return {
        "item": row.ref("item"),
        "itemtype": around.item_types.get(row.ref("item") or 0),
        "quantity": None if quantity is None else number(Decimal(str(quantity)) * sign),
        "quantitybilled": number(row.get("quantityBilled")),
        "quantityshiprecv": number(row.get("quantityReceived", row.get("quantityFulfilled"))),
        "quantitycommitted": number(row.get("quantityCommitted")),
        "quantitybackordered": number(row.get("quantityBackOrdered")),
        "rate": number(row.get("rate")),
        "foreignamount": amount,
        "isclosed": flag(row.get("isClosed")),
        "memo": row.get("memo") or row.get("description"),
        "location": row.ref("location"),
        "department": row.ref("department"),
        "class": row.ref("class"),
        "entity": row.ref("entity"),
    } | custom(row.fields)


def _accounting(rec: Rec, around: Around, lines: list[dict[str, Any]], posting: bool) -> Rows:
    """The ledger's view, in the base currency; what does not post shows its amounts all the same, marked 'F'."""
    rate = _rate(rec)
    shown = [(entry.line, entry.base, around.accounts.get(entry.account)) for entry in _posting(rec)] or [
        (line["id"], Decimal(str(line["netamount"] or 0)), line["account"]) for line in lines
    ]
    for line, base, account in shown:
        yield (
            "transactionaccountingline",
            {
                "transaction": rec.id,
                "transactionline": line,
                "accountingbook": 1,
                "account": account,
                "debit": number(base) if base > 0 else None,
                "credit": number(-base) if base < 0 else None,
                "amount": number(base),
                "netamount": number(base),
                "posting": flag(posting),
                "exchangerate": number(rate),
            },
        )


def _links(rec: Rec) -> Rows:
    """Where it comes from, line by line, and what it is applied to, header to header."""
    source = rec.created_from or rec.ref("createdFrom") or rec.ref("deposit")
    if source and rec.type in _LINK_TYPES:
        taken = [row for row in rec.rows("item") if row.get("orderLine") and row.get("itemReceive") is not False]
        pairs = [(int(row.fields["orderLine"]), row.line, row.get("amount")) for row in taken] or [(0, 0, _total(rec))]
        for previous, line, amount in pairs:
            yield _link(rec, source, previous, line, _LINK_TYPES[rec.type], amount)
    for sublist, kind in (("apply", "Payment"), ("deposit", "DepRfnd")):
        for row in rec.rows(sublist) if sublist == "apply" or rec.type == "customerRefund" else ():
            document = row.ref("doc")
            if document and row.get("apply") and row.amount("amount"):
                yield _link(rec, document, 0, 0, kind, row.get("amount"))


def _link(rec: Rec, previous: int, previous_line: int, line: int, kind: str, amount: Any) -> tuple[str, dict[str, Any]]:
    return "link", {
        "previousdoc": previous,
        "previousline": previous_line,
        "nextdoc": rec.id,
        "nextline": line,
        "linktype": kind,
        "foreignamount": number(amount),
        "owner": rec.id,
    }
