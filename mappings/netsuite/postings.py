"""Lines of the general ledger as postings: accounts by the hub's chart, parts of a document under its key."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from hub.model.documents import KEY_WORDS, DocumentKey, DocumentKind
from hub.model.frozen import frozen
from hub.model.money import rounded_minor
from hub.model.postings import ErpPosting
from mappings.netsuite.fields import Fields
from mappings.netsuite.statement import version_of
from mappings.netsuite.words import CHANNEL, ORDER, part_key

KINDS: Final = {
    "SalesOrd": DocumentKind.SALES_ORDER,
    "ItemShip": DocumentKind.FULFILMENT,
    "CustInvc": DocumentKind.INVOICE,
    "CashSale": DocumentKind.CASH_SALE,
    "CashRfnd": DocumentKind.CASH_REFUND,
    "CustCred": DocumentKind.CREDIT_MEMO,
    "CustPymt": DocumentKind.PAYMENT,
    "CustDep": DocumentKind.DEPOSIT,
    "DepAppl": DocumentKind.DEPOSIT_APPLICATION,
    "CustRfnd": DocumentKind.REFUND,
    "ItemRcpt": DocumentKind.RETURN_RECEIPT,
    "Journal": DocumentKind.JOURNAL_ENTRY,
    "InvAdjst": DocumentKind.STOCK_ADJUSTMENT,
}
"""SuiteQL's word for a record -> what it is."""
JOURNALS: Final = (DocumentKind.REFUND, DocumentKind.PAYOUT)
"""Documents that may be kept in a journal entry; their keys say which they are."""


@frozen
class ChartMap:
    """NetSuite's account numbers in the hub's chart."""

    by_number: Mapping[str, str]  # NetSuite's -> the hub's
    together: Mapping[str, str]  # accounts of the hub's that NetSuite keeps on another one of them
    numbers: frozenset[str]  # of the hub's chart

    def account(self, number: str) -> str:
        """The hub's account; a number that it gives to something else is none of its chart."""
        found = self.by_number.get(number)
        if found is not None:
            return found
        return f"NetSuite {number}" if number in self.numbers else number


@frozen
class Named:
    """The order that a transaction is of."""

    channel: str
    order: str


def chart_map(numbers: Sequence[str], accounts: Mapping[str, str]) -> ChartMap:
    """What the hub's accounts are in NetSuite, turned around.

    Sub-accounts of one account stay one: those that are not named in `accounts` share what is left.

    Args:
        numbers: of the hub's chart, in its order.
        accounts: the hub's number, or `1200:card`, -> NetSuite's, where they differ.
    """
    held: dict[str, list[str]] = {}
    for name in dict.fromkeys((*numbers, *accounts)):
        held.setdefault(accounts.get(name, name), []).append(name)
    by_number: dict[str, str] = {}
    together: dict[str, str] = {}
    for theirs, names in held.items():
        keeper = (theirs if theirs in names else names[0]).partition(":")[0]
        by_number[theirs] = keeper
        together |= {name: keeper for name in names if name.partition(":")[0] != keeper}
    return ChartMap(by_number, together, frozenset(numbers))


def kind_of(line: Fields) -> str:
    """The DocumentKind of a transaction with type and externalid, else NetSuite's word."""
    word = line.needed("type")
    kind = KINDS.get(word)
    if kind is DocumentKind.JOURNAL_ENTRY:
        prefix = (line.text("externalid") or "").partition("-")[0]
        kind = next((one for one in JOURNALS if KEY_WORDS[one] == prefix), kind)
    return word if kind is None else kind.value


def order_of(line: Fields) -> Named | None:
    """The order that a transaction names itself."""
    channel, order = line.text(CHANNEL), line.text(ORDER)
    return Named(channel, order) if channel is not None and order is not None else None


def whole_keys(keys: Iterable[str], most: int) -> dict[str, str]:
    """The document's key by the key of each further part that it might be kept in."""
    return {part_key(DocumentKey(key), number): key for key in keys for number in range(1, most)}


def postings(
    lines: Sequence[Fields],
    chart: ChartMap,
    entity: str,
    functional: str,
    zone: ZoneInfo,
    key: str,
    named: Named | None,
) -> list[ErpPosting]:
    """What one transaction stands for, by account.

    Args:
        lines: with id, externalid, type, day, begins, ends, modified, symbol, acctnumber, foreignamount, amount.
        functional: the entity's currency.
        zone: of the moments that searches show.
        key: of the document; "" where it was typed in.
        named: the order that it is of.
    """
    first = lines[0]
    currency = first.text("symbol") or functional
    sums: dict[str, tuple[Decimal, Decimal, int]] = {}
    for line in lines:
        account = chart.account(line.text("acctnumber") or f"account {line.needed('account')}")
        amount, worth, count = sums.get(account, (Decimal(0), Decimal(0), 0))
        sums[account] = amount + _number(line, "foreignamount"), worth + _number(line, "amount"), count + 1
    return [
        ErpPosting(
            document=key,
            ref=first.needed("id"),
            kind=kind_of(first),
            entity=entity,
            date=posted_on(first),
            channel=named.channel if named is not None else "",
            order=named.order if named is not None else "",
            account=account,
            currency=currency,
            amount_minor=rounded_minor(amount, currency),
            functional_minor=rounded_minor(worth, functional),
            by_hand=not key,
            version=version_of(first.moment("modified"), zone),
            lines=count,
        )
        for account, (amount, worth, count) in sums.items()
        if amount or worth
    ]


def posted_on(line: Fields) -> date:
    """The transaction's day if it is in its posting period, which people may choose; else the period's nearest."""
    day = line.day("day")
    if day is None:
        line.fault("day", "missing")
    begins, ends = line.day("begins"), line.day("ends")
    if begins is not None and day < begins:
        return begins
    return ends if ends is not None and day > ends else day


def _number(line: Fields, name: str) -> Decimal:
    return line.amount(name) or Decimal(0)
