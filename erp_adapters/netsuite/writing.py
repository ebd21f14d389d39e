"""Documents written to NetSuite and looked for there: one record a request, each with a key of its own.

A document of several records is written in parts, one a call; so is one that is made anew because NetSuite cannot
change it: what stands is deleted first. A record that is there already is adopted if it is ours.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

from erp_adapters.netsuite.client import Client, eid
from erp_adapters.netsuite.directory import AccountDirectory
from erp_adapters.netsuite.options import Options
from hub.errors import Rejected
from hub.model.documents import BILLS, CREDITS, Document, DocumentKind
from hub.model.frozen import frozen
from hub.model.intents import REFS, Action, Found, Outcome, Probe, Verdict, Write
from hub.model.order import Party
from hub.ports import put_each
from mappings.netsuite import customer, goods, journal, money, order, sales
from mappings.netsuite.fields import Fields
from mappings.netsuite.order import StandingRow
from mappings.netsuite.reading import standing_rows
from mappings.netsuite.words import (
    CANCELLED,
    CHANNEL,
    ORDER,
    PARTY,
    RECORDS,
    REVISION,
    VOIDED,
    Body,
    order_key,
    part_key,
    return_key,
)

KEYLESS: Final = ("taxDetails", "package")
PARTS_MAX: Final = 50  # records of one document
GOODS_RECORDS: Final = ("itemFulfillment", "itemReceipt", "inventoryAdjustment")
"""Records that move goods: their amounts are costs, in the entity's own currency."""
CHANGED_IN_PLACE: Final = BILLS | CREDITS | {DocumentKind.DEPOSIT, DocumentKind.FULFILMENT}


@frozen
class Kept:
    """One record that a document is kept in."""

    record: str
    key: str


class Verb(StrEnum):
    MAKE = "make"
    DROP = "drop"
    CHANGE = "change"


@frozen
class Step:
    """One request of a write; a write's first has no name."""

    name: str
    verb: Verb
    number: int = 0  # of the record


def kept_in(document: Document) -> tuple[Kept, ...]:
    """The records that a document is kept in, in the order in which they are made.

    Raises:
        Rejected: NetSuite keeps no such document.
    """
    match document.kind:
        case DocumentKind.RETURN_RECEIPT:
            return Kept("returnAuthorization", return_key(document.key)), Kept("itemReceipt", document.key)
        case DocumentKind.DEPOSIT_APPLICATION:
            count = max(1, len(money.drawn(document)))
            return tuple(Kept("depositApplication", part_key(document.key, number)) for number in range(count))
        case DocumentKind.REFUND if money.unnamed(document):
            named = [line for line in document.lines if line.detail]
            first = (Kept("customerRefund", document.key),) if named else ()
            return *first, Kept("journalEntry", part_key(document.key, len(first)))
    if document.kind not in RECORDS:
        raise Rejected(
            f"{document.key}: NetSuite is told no {document.kind}",
            code="unsupported",
            field="kind",
            remedy="make it in NetSuite by hand",
        )
    return (Kept(RECORDS[document.kind], document.key),)


def may_be_kept_in(document: Document) -> tuple[Kept, ...]:
    """The records that the document as it was before may be kept in: it may have been in other ones than now."""
    match document.kind:
        case DocumentKind.DEPOSIT_APPLICATION:
            return tuple(Kept("depositApplication", part_key(document.key, number)) for number in range(PARTS_MAX))
        case DocumentKind.REFUND:
            journals = (Kept("journalEntry", part_key(document.key, number)) for number in range(2))
            return Kept("customerRefund", document.key), *journals
    return kept_in(document)


def steps_of(write: Write) -> tuple[Step, ...]:
    """The requests of a write, one after another."""
    document, action = write.document, write.action
    if document.kind is DocumentKind.SALES_ORDER and action is not Action.CREATE:
        return (Step("", Verb.CHANGE),)
    if document.kind is DocumentKind.CUSTOMER and action is not Action.VOID:
        return (Step("", Verb.CHANGE),)
    if action is Action.VOID:
        return (Step("", Verb.DROP),)
    makes = [Step(f"{Verb.MAKE}-{number}", Verb.MAKE, number) for number in range(len(kept_in(document)))]
    if action is Action.CREATE:
        return Step("", Verb.MAKE), *makes[1:]
    return Step("", Verb.DROP), *makes


class Writes:
    """Writes to one account."""

    def __init__(self, client: Client, directory: AccountDirectory, options: Options) -> None:
        self._client = client
        self._directory = directory
        self._options = options

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        """Each write is so in NetSuite; an outcome a write, in their order. Safe to repeat.

        Raises:
            Retryable, AuthExpired: none of the writes happened.
        """
        return put_each(self._put, writes)

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        """Whether each write has happened, by its records' own keys, or by what stands in them.

        Raises:
            Retryable, AuthExpired: nobody could look.
        """
        return [self._probe(write) for write in writes]

    # --- one write ----------------------------------------------------------------------------------------------------

    def _put(self, write: Write) -> Outcome:
        document = write.document
        if document.kind is DocumentKind.ITEM:  # never made: it has accounts, costs and tax that a person sets
            return Outcome(Verdict.DONE, self._directory.item(code_of(document)))
        if document.kind is DocumentKind.CUSTOMER and (one := self._one_customer(document)) is not None:
            return Outcome(Verdict.DONE, one)
        step, then = _current(write)
        match step.verb:
            case Verb.MAKE:
                ref = self._make(write, step.number)
            case Verb.CHANGE:
                ref = self._change(write)
            case Verb.DROP:
                if write.action is Action.AMEND and (changed := self._change_in_place(write)) is not None:
                    return Outcome(Verdict.DONE, changed)
                gone = self._drop(document)
                return Outcome(Verdict.DONE, None if then else REFS.join(gone) or None, then=then)
        before = write.held if step.number and write.action is Action.CREATE else ()
        refs = [*before, ref]
        return Outcome(Verdict.DONE, REFS.join(dict.fromkeys(refs)), then=then)

    def _probe(self, write: Write) -> Probe:
        document = write.document
        if document.kind is DocumentKind.ITEM or (
            document.kind is DocumentKind.CUSTOMER and self._one_customer(document) is not None
        ):
            return Probe(Found.ABSENT)  # nothing is written: looking for it anew costs nothing
        step, then = _current(write)
        if step.verb is Verb.DROP:
            return self._probe_drop(write, then)
        kept = kept_in(document)[step.number]
        held = self._client.get(kept.record, eid(kept.key), expand=step.verb is Verb.CHANGE)
        if held is None:
            return Probe(Found.ABSENT)
        done = True
        if step.verb is Verb.CHANGE:
            done = self._stands(write, held)
        elif write.action is Action.AMEND:
            done = held.text(REVISION) == write.revision
        return Probe(Found.DONE, held.needed("id"), then) if done else Probe(Found.ABSENT)

    def _probe_drop(self, write: Write, then: str | None) -> Probe:
        """What stood is gone; or it was changed in place."""
        standing = self._standing(write.document)
        if not standing:
            return Probe(Found.DONE, None, then)
        told = all(held.text(REVISION) == write.revision for _, held in standing)
        if told and write.action is Action.AMEND and tuple(kept for kept, _ in standing) == kept_in(write.document):
            return Probe(Found.DONE, REFS.join(held.needed("id") for _, held in standing))
        return Probe(Found.ABSENT)

    def _stands(self, write: Write, held: Fields) -> bool:
        """Whether a change of an order or a customer has happened."""
        document = write.document
        if document.kind is DocumentKind.CUSTOMER:
            who = write.party(document.party)
            return write.action is Action.CREATE or who is None or held.text(PARTY) == customer.version_of(who.ref)
        if write.action is Action.VOID:
            rows = standing_rows(held, self._directory.line_field, document.currency)
            return held.text(REVISION) == VOIDED and all(row.closed for row in rows)
        return held.text(REVISION) == write.revision

    # --- making -------------------------------------------------------------------------------------------------------

    def _make(self, write: Write, number: int) -> str:
        document = write.document
        kept = kept_in(document)[number]
        request = self._request(write, kept, number)
        try:
            return request()
        except Rejected as refusal:
            # It may stand there from an attempt before, which can read like any refusal: nothing is left to be billed.
            return self._adopted(document, kept, refusal)

    def _adopted(self, document: Document, kept: Kept, refusal: Rejected) -> str:
        held = self._client.get(kept.record, eid(kept.key))
        if held is None:
            raise refusal
        if document.order is not None:
            told = (held.text(CHANNEL), held.text(ORDER))
            if told != (document.order.channel, document.order.external_id):
                raise Rejected(
                    f"{document.key}: {kept.record} {held.needed('id')} has its external id, and is of {told}",
                    code="key_taken",
                    field="externalId",
                    remedy=f"give {kept.record} {held.needed('id')} another external id in NetSuite, or none",
                )
        return held.needed("id")

    def _request(self, write: Write, kept: Kept, number: int) -> Callable[[], str]:
        """The request that makes the record, ready to be sent: what it needs to know was read."""
        document, revision, names, client = write.document, write.revision, self._directory, self._client
        match kept.record:
            case "salesOrder":
                self._allow_currency(document)
                body = order.sales_order(document, revision, names, _parties(write))
            case "itemFulfillment":
                id, standing = self._order(document)
                if (moved := goods.moves(document, standing, names)) is not None:
                    client.patch("salesOrder", id, moved)
                body = goods.fulfilment(document, revision, names, standing)
                return lambda: client.transform("salesOrder", id, kept.record, body)
            case "invoice" | "cashSale":
                id, standing = self._order(document)
                return lambda: self._bill(id, kept.record, document, revision, standing)
            case "returnAuthorization":
                id, standing = self._order(document)
                body = goods.return_authorization(document, revision, names, standing)
                return lambda: client.transform("salesOrder", id, kept.record, body)
            case "itemReceipt":
                id, standing = self._rows("returnAuthorization", return_key(document.key), document)
                body = goods.item_receipt(document, revision, names, standing)
                return lambda: client.transform("returnAuthorization", id, kept.record, body)
            case "creditMemo" | "cashRefund" if document.applies_to is not None:
                id, standing = self._rows("returnAuthorization", return_key(document.applies_to), document)
                body = sales.credit_of_return(document, revision, names, standing)
                return lambda: client.transform("returnAuthorization", id, kept.record, body)
            case "cashRefund":
                sale = next((line.detail for line in document.settles), "")
                id, standing = self._rows("cashSale", sale, document)
                body = sales.cash_refund(document, revision, names, standing)
                return lambda: client.transform("cashSale", id, kept.record, body)
            case "creditMemo":
                body = sales.credit_memo(document, revision, names)
            case "depositApplication":
                deposit = money.drawn(document)[number].deposit
                body = money.deposit_application(document, revision, names, number)
                return lambda: client.transform("customerDeposit", eid(deposit), kept.record, body)
            case "customerDeposit":
                self._allow_currency(document)  # it may be told before any order
                body = money.deposit(document, revision, names)
                return lambda: self._deposit(body)
            case "customerPayment":
                body = money.payment(document, revision, names)
            case "customerRefund":
                body = money.refund(document, revision, names)
            case "inventoryAdjustment":
                body = goods.inventory_adjustment(document, revision, names)
            case _:
                body = self._journal(document, revision, kept)
        return lambda: client.post(kept.record, body)

    def _bill(
        self, order_id: str, record: str, document: Document, revision: str, standing: Sequence[StandingRow]
    ) -> str:
        """A bill; where it is refused with its discounts on the order's rows, with rows of their own."""
        body = sales.invoice(document, revision, self._directory, standing)
        try:
            return self._client.transform("salesOrder", order_id, record, body)
        except Rejected as refusal:
            if refusal.code != "user_error" or not sales.has_discounts(document):
                raise
        body = sales.invoice(document, revision, self._directory, standing, apart=True)
        return self._client.transform("salesOrder", order_id, record, body)

    def _deposit(self, body: Body) -> str:
        """A deposit on its order; one of a closed order is the customer's alone."""
        try:
            return self._client.post("customerDeposit", body)
        except Rejected as refusal:
            if refusal.field != "salesOrder":
                raise
        return self._client.post("customerDeposit", {name: body[name] for name in body if name != "salesOrder"})

    def _journal(self, document: Document, revision: str, kept: Kept) -> Body:
        match document.kind:
            case DocumentKind.PAYOUT:
                return journal.payout(document, revision, self._directory)
            case DocumentKind.REFUND:
                minor = sum(line.amount_minor for line in money.unnamed(document))
                return journal.refund_of_nothing(document, revision, self._directory, minor, kept.key)
        return journal.journal_entry(document, revision, self._directory)

    def _order(self, document: Document) -> tuple[str, list[StandingRow]]:
        return self._rows("salesOrder", order_key(document), document)

    def _rows(self, record: str, key: str, document: Document) -> tuple[str, list[StandingRow]]:
        """The internal id and the rows of the record that another is made of.

        Raises:
            Rejected: it is not there.
        """
        held = self._client.get(record, eid(key), expand=True)
        if held is None:
            raise Rejected(
                f"{document.key}: NetSuite has no {record} {key}",
                code="not_found",
                field="order",
                remedy=f"look whether {key} was deleted in NetSuite; tell it again, then this",
            )
        return held.needed("id"), standing_rows(held, self._directory.line_field, document.currency)

    # --- changing -----------------------------------------------------------------------------------------------------

    def _change(self, write: Write) -> str:
        document = write.document
        if document.kind is DocumentKind.CUSTOMER:
            body = customer.customer(document, self._directory, write.party(document.party))
            return self._client.put_eid("customer", document.key, body)
        held = self._client.get("salesOrder", eid(document.key), expand=True)
        if held is None:
            if write.action is Action.VOID:
                return ""
            if write.held:
                raise Rejected(
                    f"{document.key}: its sales order {', '.join(write.held)} is gone: somebody deleted it in NetSuite",
                    code="deleted_in_erp",
                    field="externalId",
                    remedy=f"cancel it in the channel, or enter it in NetSuite again with external id {document.key}"
                    " and the lines' ids, then retry",
                )
            return self._make(write, 0)
        id = held.needed("id")
        standing = standing_rows(held, self._directory.line_field, document.currency)
        if write.action is Action.VOID:
            self._client.patch("salesOrder", id, order.closed_order(standing))
            return id
        whole = order.whole_order(document, write.revision, self._directory, standing, _parties(write))
        if whole is not None and self._replaced(id, whole):
            return id
        if whole is not None:  # refused: something was shipped since
            held = self._client.get("salesOrder", id, expand=True) or held
            standing = standing_rows(held, self._directory.line_field, document.currency)
        voided = held.text(REVISION) == VOIDED
        body = order.order_changes(
            document, write.revision, self._directory, standing, held.text(CANCELLED), voided=voided
        )
        self._patch("salesOrder", id, body)
        return id

    def _replaced(self, id: str, whole: Body) -> bool:
        """The order's rows are those of the body; False: NetSuite keeps what was shipped since they were read."""
        try:
            self._patch("salesOrder", id, whole, ("item",))
        except Rejected as refusal:
            if refusal.code != "user_error":
                raise
            return False
        return True

    def _change_in_place(self, write: Write) -> str | None:
        """The internal id of the record that was changed; None: it must be made anew."""
        document = write.document
        (kept, *more) = kept_in(document)
        if more or document.kind not in CHANGED_IN_PLACE:
            return None
        held = self._client.get(kept.record, eid(kept.key), expand=True)
        if held is None:
            return None
        if held.text(REVISION) == write.revision:
            return held.needed("id")
        if document.kind is DocumentKind.DEPOSIT:
            body: Body | None = money.deposit(document, write.revision, self._directory)
        elif document.kind is DocumentKind.FULFILMENT:
            _, standing = self._order(document)
            body = goods.fulfilment_changes(document, write.revision, self._directory, held, standing)
            if body is not None and held.day("tranDate") == document.date:
                del body["tranDate"]  # of a period that is closed by now nothing else may be told
        else:
            standing = standing_rows(held, self._directory.line_field, document.currency)
            body = sales.changes(document, write.revision, self._directory, standing)
        if body is None:
            return None
        for name in ("externalId", "currency", "customForm"):
            body.pop(name, None)
        self._patch(kept.record, held.needed("id"), body)
        return held.needed("id")

    def _patch(self, record: str, id: str, body: Body, replace: tuple[str, ...] = ()) -> None:
        """Rows without a key are replaced: told again they would be there twice.

        Args:
            replace: lists besides, of which nothing stays that the body does not have.
        """
        keyless = [name for name in KEYLESS if name in body]
        self._client.patch(record, id, body, replace=[*replace, *keyless])

    def _drop(self, document: Document) -> list[str]:
        """The document's records are gone; their ids."""
        gone: list[str] = []
        for kept, held in reversed(self._standing(document)):
            id = held.needed("id")
            try:
                if self._client.delete(kept.record, id):
                    gone.append(id)
            except Rejected as refusal:
                raise Rejected(
                    str(refusal),
                    code="has_successors" if refusal.code == "user_error" else refusal.code,
                    field=refusal.field or "externalId",
                    remedy=f"undo in NetSuite what was made of {kept.key}, then retry ({refusal.remedy})",
                ) from None
        return gone[::-1]

    def _standing(self, document: Document) -> list[tuple[Kept, Fields]]:
        """The document's records that are there; of many, up to the first two missing."""
        found: list[tuple[Kept, Fields]] = []
        missing = 0
        for kept in may_be_kept_in(document):
            held = self._client.get(kept.record, eid(kept.key))
            if held is not None:
                found.append((kept, held))
                continue
            missing += 1
            if document.kind is DocumentKind.DEPOSIT_APPLICATION and missing > 1:
                break
        return found

    # --- customers ----------------------------------------------------------------------------------------------------

    def _one_customer(self, document: Document) -> str | None:
        """The internal id of the customer that every buyer is; None: each is one."""
        if self._options.guests == "each":
            return None
        ids = set(self._options.customers.values())
        return next(iter(ids)) if len(ids) == 1 else ",".join(sorted(ids)) or None

    def _allow_currency(self, document: Document) -> None:
        """The customer may be billed in the order's currency: a keyed row, merged however often it is told."""
        if self._options.guests == "each" and document.rate is not None and document.customer is not None:
            self._client.patch("customer", eid(document.customer), customer.currencies(document, self._directory))


def _parties(write: Write) -> dict[str, Party]:
    """By "party" and "bill_to", those that are still known."""
    parties = {"party": write.party(write.document.party), "bill_to": write.party(write.document.bill_to)}
    return {name: who for name, who in parties.items() if who is not None}


def code_of(document: Document) -> str:
    """The code of the item that a document of an item is of."""
    return next((line.item for line in document.lines if line.item), "")


def _current(write: Write) -> tuple[Step, str | None]:
    """The step that comes now, and the name of the one after it."""
    steps = steps_of(write)
    names = [step.name for step in steps]
    if write.part not in names:
        raise Rejected(
            f"{write.document.key} has no part {write.part!r}",
            code="unknown_part",
            field="part",
            remedy="a fault of the hub: report it",
        )
    at = names.index(write.part)
    return steps[at], names[at + 1] if at + 1 < len(names) else None
