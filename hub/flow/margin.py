"""Gross margin: income as the hub expects it in the books, less what the ERP says the goods cost, and how it ties.

Amounts are of the accounts that make a gross margin, in the entity's currency; on an account debits are positive, and
in a margin what it adds to is. An entry's income is split over product lines by posting each line's share of the
document by itself, so that the shares are what the books would say of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from hub.books.chart import Chart, Role
from hub.books.policy import Policy
from hub.books.post import post
from hub.model.documents import Component, Document, DocumentKind, DocumentLine
from hub.model.entries import Entry
from hub.model.money import spread

MARGIN_ROLES: Final = frozenset(
    {Role.REVENUE, Role.SHIPPING_INCOME, Role.DISCOUNTS, Role.SALES_RETURNS, Role.COST_OF_GOODS_SOLD}
)

SHIPPING: Final = "shipping"
NO_LINE: Final = "none"
"""What no product line is said of."""

ProductLine = Callable[[str | None], str]
"""The product line of an ERP's item; NO_LINE where it is of none."""

Sums = dict[str, int]
"""By account, in the functional currency; debits are positive."""


def margin_sums(entry: Entry, chart: Chart) -> Sums:
    """What the entry puts on the accounts of the margin."""
    sums: Sums = {}
    for posting in entry.postings:
        account = chart.find(posting.account)
        if account is not None and account.role in MARGIN_ROLES:
            sums[posting.account] = sums.get(posting.account, 0) + posting.functional_minor
    return sums


def by_product_line(
    document: Document,
    entry: Entry,
    product_line: ProductLine,
    chart: Chart,
    policy: Policy,
    invoices: Sequence[Document] = (),
) -> dict[str, Sums]:
    """The entry's sums by product line; by account they add up to the entry's.

    Args:
        document: what the entry posts.
        invoices: of a recognition, the invoices whose revenue it recognises.
    """
    whole = margin_sums(entry, chart)
    if document.kind is DocumentKind.JOURNAL_ENTRY:
        return _recognised(whole, _groups(invoices, product_line), chart)
    groups = _groups([document], product_line)
    if len(groups) <= 1:
        return {next(iter(groups), NO_LINE): whole}
    found = {name: _posted(document, lines, chart, policy, entry.functional) for name, lines in groups.items()}
    for account, minor in whole.items():  # what the rounding of a conversion leaves goes to the largest
        left = minor - sum(sums.get(account, 0) for sums in found.values())
        if left:
            largest = max(found, key=lambda name: abs(found[name].get(account, 0)))
            found[largest][account] = found[largest].get(account, 0) + left
    return found


def _groups(documents: Iterable[Document], product_line: ProductLine) -> dict[str, list[DocumentLine]]:
    """The lines by product line: those of goods by their item, a discount by its goods, tax with its own line."""
    groups: dict[str, list[DocumentLine]] = {}
    for document in documents:
        items = {line.line: line.item for line in document.lines if line.item is not None}
        for line in document.lines:
            name = SHIPPING if line.component is Component.SHIPPING else product_line(line.item or items.get(line.line))
            groups.setdefault(name, []).append(line)
    return groups


def _posted(document: Document, lines: list[DocumentLine], chart: Chart, policy: Policy, functional: str) -> Sums:
    total = sum(line.amount_minor for line in lines)
    settles = (DocumentLine(Component.RECEIVABLE, total),) if document.kind is DocumentKind.CREDIT_MEMO else ()
    part_of = replace(document, lines=tuple(lines), settles=settles, rounding=())
    entry = post(part_of, chart, policy, functional)
    return margin_sums(entry, chart) if entry is not None else {}


def _recognised(whole: Sums, groups: Mapping[str, Sequence[DocumentLine]], chart: Chart) -> dict[str, Sums]:
    """A recognition names accounts alone: its revenue and discounts are shared as the invoices' goods and discounts."""
    found: dict[str, Sums] = {}
    for account, minor in whole.items():
        known = chart.find(account)
        if known is not None and known.role is Role.SHIPPING_INCOME:
            shares = {SHIPPING: minor}
        else:
            of_discounts = known is not None and known.role is Role.DISCOUNTS
            weights = _weights(groups, Component.DISCOUNT) if of_discounts else {}
            weights = weights or _weights(groups, Component.GOODS)
            shares = dict(zip(weights, spread(minor, list(weights.values())), strict=True)) if weights else {}
        for name, share in (shares or {NO_LINE: minor}).items():
            if share:
                found.setdefault(name, {})[account] = share
    return found


def _weights(groups: Mapping[str, Sequence[DocumentLine]], component: Component) -> dict[str, int]:
    """What each group has of a component; empty where none has any."""
    sums = {
        name: abs(sum(line.amount_minor for line in lines if line.component is component))
        for name, lines in groups.items()
    }
    return {name: minor for name, minor in sums.items() if minor}


# --- how it ties ---------------------------------------------------------------------------------------------------


class GapWhy(StrEnum):
    """Why the ledger's account is not what the orders make."""

    TYPED_IN = "typed_in"  # a document of the ERP without a key of ours
    NOT_EXPECTED = "not_expected"  # one of ours, in this period in the ERP alone: moved, or posted for nothing
    DIFFERS = "differs"  # one of ours, with another amount in the ERP: edited there
    GONE = "gone"  # the ERP had answered for it, and has it in this period no more: voided, deleted or moved
    NOT_SENT = "not_sent"
    IN_DOUBT = "in_doubt"
    REJECTED = "rejected"
    OF_NO_ORDER = "of_no_order"  # a cost that no order caused: stock received, counted or revalued, a journal entry


@dataclass(frozen=True, slots=True)
class Booked:
    """What one document puts on one account, on one side."""

    entity: str
    account: str
    document: str  # its key, else the ERP's own id
    kind: str
    reference: str  # the order's name, for people
    minor: int
    why: GapWhy  # why it would be this side's alone


@dataclass(frozen=True, slots=True)
class Gap:
    """A document that the two sides have otherwise."""

    entity: str
    account: str
    document: str
    kind: str
    reference: str
    orders_minor: int
    ledger_minor: int
    why: GapWhy


@dataclass(frozen=True, slots=True)
class AccountTie:
    """One account of the margin. Invariant: ledger − orders = Σ its gaps + residual."""

    entity: str
    account: str
    name: str
    role: str
    currency: str
    orders_minor: int
    ledger_minor: int  # what the account moved in the period, by the trial balance
    residual_minor: int  # moved, and in no document of the journal


def gaps(orders: Iterable[Booked], ledger: Iterable[Booked]) -> list[Gap]:
    """The documents that the two sides have otherwise, by entity, account and document."""
    ours, theirs = _by_document(orders), _by_document(ledger)
    found = []
    for of in sorted(ours.keys() | theirs.keys()):
        mine, its = ours.get(of), theirs.get(of)
        left, right = mine.minor if mine else 0, its.minor if its else 0
        if left == right:
            continue
        told = its if its is not None and (mine is None or right) else mine
        assert told is not None  # noqa: S101  of one of the two
        why = GapWhy.DIFFERS if mine is not None and its is not None and right else told.why
        found.append(Gap(told.entity, told.account, told.document, told.kind, told.reference, left, right, why))
    return found


def _by_document(rows: Iterable[Booked]) -> dict[tuple[str, str, str], Booked]:
    found: dict[tuple[str, str, str], Booked] = {}
    for row in rows:
        of = (row.entity, row.account, row.document)
        known = found.get(of)
        found[of] = row if known is None else replace(row, minor=row.minor + known.minor)
    return found
