"""What people do in the account by hand: each leaves its mark, `by_hand` and a new time of change, and posts."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from erp_adapters.netsuite.account import periods, saving, settling, transforms
from erp_adapters.netsuite.account.bodies import Draft, Reader
from erp_adapters.netsuite.account.records import kind_of
from erp_adapters.netsuite.account.world import Rec, World, reference

NOT_COPIED: Final = (
    "tranId postingPeriod createdFrom status orderStatus amountPaid amountRemaining subtotal taxTotal total applied"
    " unapplied discountTotal _moves"
).split()


class Hands:
    """People in the account. Records are named by internal id or by external id."""

    def __init__(self, world: World) -> None:
        self.world = world

    # --- documents ------------------------------------------------------------------------------------------------

    def edit_amount(self, ref: int | str, delta: Decimal, *, line: int | None = None, sublist: str = "item") -> Rec:
        """A line's amount is changed by so much, the first line's when none is named; of a deposit or payment, its own.

        A document in a closed period is changed too: people with the right to can.
        """
        rec = self.rec(ref)
        if rec.type in ("customerDeposit", "customerPayment"):
            draft = Draft({"payment": rec.amount("payment") + delta})
        elif rec.type == "journalEntry":
            return self._edit_journal(rec, delta)
        else:
            row = rec.rows(sublist)[0] if line is None else rec.row(sublist, line)
            if row is None:
                raise LookupError(f"{rec.type} {rec.id} has no line {line}")
            draft = Draft(sublists={sublist: [{"line": row.line, "amount": row.amount("amount") + delta}]})
        saving.update(self.world, rec, draft, by_hand=True, force=True)
        return rec

    def edit(self, ref: int | str, **fields: Any) -> Rec:
        """Header fields are changed, in the account's own types."""
        rec = self.rec(ref)
        saving.update(self.world, rec, Draft(dict(fields)), by_hand=True, force=True)
        return rec

    def delete(self, ref: int | str, *, anyway: bool = False) -> None:
        """The document is gone; what settled it is unapplied first, as the user interface makes people do.

        Args:
            anyway: its period may be closed.
        """
        rec = self.rec(ref)
        for other, row, sublist in list(self.world.applications(rec.id)):
            if other.type == "depositApplication" and len(other.rows("apply")) == 1:
                self.delete(other.id, anyway=anyway)
                continue
            draft = Draft(sublists={sublist: [{"doc": row.get("doc"), "apply": False}]})
            saving.update(self.world, other, draft, by_hand=True, force=anyway)
        rec.by_hand = True
        saving.delete(self.world, rec, force=anyway)

    def type_in(self, kind: str, body: Mapping[str, Any]) -> Rec:
        """A document that has no key of ours, from a body such as the service takes."""
        draft = Reader(self.world, kind_of(kind), strict_names=True, strict_values=True).read(dict(body))
        draft.external_id, draft.names_external_id = None, False
        return saving.create(self.world, kind, draft, by_hand=True)

    def copy(self, ref: int | str, day: date | None = None) -> Rec:
        """The document is entered a second time, without our key, standing alone."""
        rec = self.rec(ref)
        fields = {name: copy.deepcopy(value) for name, value in rec.fields.items() if name not in NOT_COPIED}
        if day is not None:
            fields["tranDate"] = day.isoformat()
        rows = {
            name: [
                {key: value for key, value in row.fields.items() if key != "orderLine" and not key.startswith("_")}
                for row in rows
            ]
            for name, rows in rec.sublists.items()
            if name != "apply"
        }
        return saving.create(self.world, rec.type, Draft(fields, rows), by_hand=True)

    def transform(self, ref: int | str, to: str, body: Mapping[str, Any] | None = None) -> Rec:
        """A person makes one document from another."""
        draft = Reader(self.world, kind_of(to)).read(dict(body or {}))
        draft.external_id, draft.names_external_id = None, False
        return transforms.transform(self.world, self.rec(ref), to, draft, by_hand=True)

    def apply_twice(self, ref: int | str) -> Rec:
        """A payment or a deposit's application is entered again: for its invoice or, when that is paid, for none."""
        rec = self.rec(ref)
        rows = rec.rows("apply")
        amount = sum((row.amount("amount") for row in rows), Decimal(0)) or rec.amount("payment")
        apply = []
        for row in rows:
            doc = self.world.get(row.ref("doc"))
            still = settling.remaining(self.world, doc) if doc is not None else Decimal(0)
            if doc is not None and still > 0:
                apply.append({"doc": reference(doc), "apply": True, "amount": min(still, row.amount("amount"))})
        fields = {
            name: rec.fields[name]
            for name in ("customer", "currency", "exchangeRate", "tranDate", "account", "paymentMethod", "memo")
            if rec.get(name) is not None
        }
        if rec.type != "customerPayment":
            deposit = self.world.get(rec.ref("deposit"))
            if deposit is not None and deposit.get("account") is not None:
                fields["account"] = deposit.fields["account"]
        draft = Draft(fields | {"payment": amount}, {"apply": apply})
        return saving.create(self.world, "customerPayment", draft, by_hand=True)

    def move(self, ref: int | str, day: date) -> Rec:
        """The document is dated otherwise, and so lies in that day's period."""
        return self.edit(ref, tranDate=day.isoformat())

    def recompute_tax(self, ref: int | str) -> Rec:
        """The account's own tax replaces the channel's."""
        return self.edit(ref, taxDetailsOverride=False)

    def cancel(self, ref: int | str) -> Rec:
        """Every line of the order is closed."""
        order = self.rec(ref)
        rows = [{"line": row.line, "isClosed": True} for row in order.rows("item")]
        saving.update(self.world, order, Draft(sublists={"item": rows}), by_hand=True)
        return order

    def close_rows(self, ref: int | str, lines: Collection[int | None], *, closed: bool) -> Rec:
        """These rows of the order are closed, or opened again."""
        order = self.rec(ref)
        rows = [{"line": row.line, "isClosed": closed} for row in order.rows("item") if row.line in lines]
        saving.update(self.world, order, Draft(sublists={"item": rows}), by_hand=True)
        return order

    # --- goods ----------------------------------------------------------------------------------------------------

    def fulfil(
        self,
        ref: int | str,
        quantities: Mapping[int, int] | None = None,
        *,
        tracking: str | None = None,
        carrier: str | None = None,
        day: date | None = None,
    ) -> Rec:
        """Goods of an order were shipped: all that can be, or so many of the lines named."""
        order = self.rec(ref)
        body: dict[str, Any] = {"shipStatus": "C"}
        if quantities is not None:
            body["item"] = {
                "items": [
                    {"orderLine": row.line, "quantity": quantities[row.line]}
                    if row.line in quantities
                    else {"orderLine": row.line, "itemReceive": False}
                    for row in order.rows("item")
                ]
            }
        if day is not None:
            body["tranDate"] = day.isoformat()
        if tracking is not None:
            package = {"packageTrackingNumber": tracking}
            if carrier is not None:
                package["packageDescr"] = carrier
            body["package"] = {"items": [package]}
        return self.transform(order.id, "itemFulfillment", body)

    def adjust_stock(
        self, item: str, by: int, *, location: str = "main", account: str = "5100", cost: Decimal | None = None
    ) -> Rec:
        """So many units more or less of the item of this name, against the account of this number."""
        row = {"item": self._named("inventoryItem", "itemId", item), "adjustQtyBy": by}
        row["location"] = self._named("location", "name", location)
        if cost is not None:
            row["unitCost"] = str(cost)
        body = {"account": self.world.account_ref(account), "inventory": {"items": [row]}}
        return self.type_in("inventoryAdjustment", body)

    # --- periods --------------------------------------------------------------------------------------------------

    def close_period(self, day: date) -> Rec:
        """The period that the day lies in takes nothing any more."""
        return self._period(day, closed=True)

    def open_period(self, day: date) -> Rec:
        """The period that the day lies in takes postings again."""
        return self._period(day, closed=False)

    # --- parts ----------------------------------------------------------------------------------------------------

    def rec(self, ref: int | str) -> Rec:
        """The record of an internal id, or of a transaction's, an entity's or an item's external id.

        Raises:
            LookupError: there is none.
        """
        if isinstance(ref, int) or ref.isdigit():
            return self.world.must(ref)
        for group in ("transaction", "entity", "item", "other"):
            if (found := self.world.external(group, ref)) is not None:
                return found
        raise LookupError(f"no record {ref}")

    def _edit_journal(self, rec: Rec, delta: Decimal) -> Rec:
        """The first debit and the first credit, so that it still balances."""
        rows = []
        for side in ("debit", "credit"):
            row = next(row for row in rec.rows("line") if row.amount(side))
            rows.append({"line": row.line, side: row.amount(side) + delta})
        saving.update(self.world, rec, Draft(sublists={"line": rows}), by_hand=True, force=True)
        return rec

    def _named(self, kind: str, name: str, value: str) -> dict[str, str]:
        found = self.world.named(kind, name, value)
        if found is None:
            raise LookupError(f"no {kind} {value}")
        return reference(found)

    def _period(self, day: date, *, closed: bool) -> Rec:
        period = periods.period_of(self.world, day)
        if period is None:
            raise LookupError(f"no period for {day}")
        period.fields["closed"] = closed
        period.by_hand = True
        self.world.touch(period)
        return period
