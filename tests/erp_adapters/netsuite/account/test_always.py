"""Whatever is done to the account, by integrations and by people, its books agree with its documents."""

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from erp_adapters.netsuite.account.errors import Refused
from erp_adapters.netsuite.account.hands import Hands
from erp_adapters.netsuite.account.settling import remaining
from erp_adapters.netsuite.account.world import Rec, World
from tests.erp_adapters.netsuite.account.conftest import sales_order

STEPS = 250


class Monkey:
    """Does what can be done, in a drawn order; refusals are no matter."""

    def __init__(self, caller: Any, customer: str, seed: int) -> None:
        self.caller, self.customer = caller, customer
        self.world: World = caller.world
        self.hands = Hands(self.world)
        self.chance = random.Random(seed)
        self.made = 0
        self.done: dict[str, int] = {}

    def step(self) -> None:
        does: tuple[Callable[[], object], ...] = (
            self.order,
            self.order,
            self.ship,
            self.ship,
            self.bill,
            self.bill,
            self.deposit,
            self.apply,
            self.pay,
            self.give_back,
            self.receive,
            self.credit,
            self.refund,
            self.patch,
            self.delete,
            self.edit,
            self.count,
        )
        chosen = self.chance.choice(does)
        try:
            worked = chosen()
        except (Refused, LookupError):
            worked = False
        if worked is not False:
            name = chosen.__name__
            self.done[name] = self.done.get(name, 0) + 1

    def one(self, *kinds: str) -> Rec:
        found = list(self.world.every(*kinds))
        if not found:
            raise LookupError(kinds)
        return self.chance.choice(found)

    def call(self, method: str, path: str, body: Any) -> bool:
        return bool(self.caller.call(method, f"/record/v1/{path}", body).status < 300)

    def order(self) -> bool:
        self.made += 1
        return self.call("POST", "salesOrder", sales_order(self.caller, self.customer, f"so-{self.made}"))

    def lines(self, rec: Rec) -> dict[str, Any]:
        rows = [{"orderLine": row.line, "quantity": self.chance.randint(0, 2)} for row in rec.rows("item")]
        return {"item": {"items": self.chance.sample(rows, self.chance.randint(0, len(rows)))}}

    def ship(self) -> bool:
        order = self.one("salesOrder")
        body = {"shipStatus": self.chance.choice("ABC"), **self.lines(order)}
        return self.call("POST", f"salesOrder/{order.id}/!transform/itemFulfillment", body)

    def bill(self) -> bool:
        order = self.one("salesOrder")
        to = self.chance.choice(("invoice", "invoice", "cashSale"))
        return self.call("POST", f"salesOrder/{order.id}/!transform/{to}", self.lines(order))

    def deposit(self) -> bool:
        order = {"id": str(self.one("salesOrder").id)}
        body = {"customer": {"id": self.customer}, "salesOrder": order, "payment": self.chance.randint(1, 60000) / 100}
        return self.call("POST", "customerDeposit", body)

    def apply(self) -> bool:
        deposit, invoice = self.one("customerDeposit"), self.one("invoice")
        rows = {"items": [{"doc": {"id": str(invoice.id)}, "apply": True}]}
        return self.call("POST", f"customerDeposit/{deposit.id}/!transform/depositApplication", {"apply": rows})

    def pay(self) -> bool:
        invoice = self.one("invoice")
        body = {"payment": self.chance.randint(1, 70000) / 100}
        return self.call("POST", f"invoice/{invoice.id}/!transform/customerPayment", body)

    def give_back(self) -> bool:
        source = self.one("salesOrder", "invoice", "cashSale")
        body = {"orderStatus": "B", **self.lines(source)}
        return self.call("POST", f"{source.type}/{source.id}/!transform/returnAuthorization", body)

    def receive(self) -> bool:
        rma = self.one("returnAuthorization")
        body = self.lines(rma)
        for row in body["item"]["items"]:
            row["restock"] = self.chance.random() < 0.7
        return self.call("POST", f"returnAuthorization/{rma.id}/!transform/itemReceipt", body)

    def credit(self) -> bool:
        source = self.one("returnAuthorization", "invoice")
        body = self.lines(source)
        if source.type == "invoice":
            body["apply"] = {"items": [{"doc": {"id": str(source.id)}, "apply": True, "amount": 1}]}
        return self.call("POST", f"{source.type}/{source.id}/!transform/creditMemo", body)

    def refund(self) -> bool:
        source = self.one("creditMemo", "customerDeposit", "customerPayment")
        body = {"account": self.caller.account("1200")}
        return self.call("POST", f"{source.type}/{source.id}/!transform/customerRefund", body)

    def patch(self) -> bool:
        rec = self.one("salesOrder", "invoice", "itemFulfillment", "returnAuthorization", "creditMemo")
        row = self.chance.choice(rec.rows("item"))
        change = self.chance.choice(({"quantity": self.chance.randint(0, 4)}, {"isClosed": True}, {"amount": 77.77}))
        return self.call("PATCH", f"{rec.type}/{rec.id}", {"item": {"items": [{"line": row.line, **change}]}})

    def delete(self) -> bool:
        kinds = [kind for kind in KINDS if kind != "salesOrder" or self.chance.random() < 0.3]
        rec = self.one(*kinds)
        if self.chance.random() < 0.2:
            self.hands.delete(rec.id)
            return True
        return bool(self.caller.call("DELETE", f"/record/v1/{rec.type}/{rec.id}").status == 204)

    def edit(self) -> None:
        self.hands.edit_amount(
            self.one("invoice", "customerDeposit", "creditMemo").id, Decimal(self.chance.randint(-500, 500)) / 100
        )

    def count(self) -> None:
        self.hands.adjust_stock("TENT-2P-GRN", self.chance.randint(-5, 20))


KINDS = (
    *("salesOrder", "invoice", "cashSale", "itemFulfillment", "itemReceipt", "returnAuthorization", "creditMemo"),
    *("customerDeposit", "depositApplication", "customerPayment", "customerRefund"),
)


def check(world: World, opening: Decimal) -> None:
    """Every posting balances, and each control account is what its documents leave open."""
    books: dict[str, Decimal] = {}
    for rec in world.every():
        assert sum((line.base for line in rec.gl), Decimal(0)) == 0, rec
        assert sum((line.amount for line in rec.gl), Decimal(0)) == 0, rec
        for line in rec.gl:
            books[line.account] = books.get(line.account, Decimal(0)) + line.base
    open_ = {kind: Decimal(0) for kind in KINDS}
    for rec in world.every("invoice", "creditMemo", "customerPayment", "customerDeposit"):
        still = remaining(world, rec)
        assert still >= 0, (rec.type, rec.fields)
        open_[rec.type] += still
    receivable = open_["invoice"] - open_["creditMemo"] - open_["customerPayment"]
    assert books.get("1100", Decimal(0)) == receivable
    assert books.get("2100", Decimal(0)) == -open_["customerDeposit"]
    held = Decimal(0)
    for item in world.every("inventoryItem"):
        committed: dict[int, Decimal] = {}
        for order in world.every("salesOrder"):
            for row in order.rows("item"):
                for part, place, quantity in row.get("_held") or ():
                    assert order.letter() in ("B", "D", "E"), order.fields
                    if part == item.id:
                        committed[place] = committed.get(place, Decimal(0)) + quantity
        for row in item.rows("locations"):
            assert row.amount("quantityCommitted") == committed.get(row.ref("location") or 0, Decimal(0))
            held += row.amount("quantityOnHand") * row.amount("averageCost")
    assert abs(held - opening - books.get("1300", Decimal(0))) < 1  # the average's own rounding
    for order in world.every("salesOrder"):
        for row in order.rows("item"):
            assert row.amount("quantityFulfilled") <= row.amount("quantityPicked") <= row.amount("quantity")
            assert row.amount("quantityBilled") <= row.amount("quantity")


@pytest.mark.parametrize("seed", range(4))
def test_books_and_documents_agree_after_every_step(caller: Any, customer: str, seed: int) -> None:
    monkey = Monkey(caller, customer, seed)
    opening = sum(
        row.amount("quantityOnHand") * row.amount("averageCost")
        for item in caller.world.every("inventoryItem")
        for row in item.rows("locations")
    )

    for _ in range(STEPS):
        monkey.step()
        check(caller.world, opening)

    assert len(monkey.done) >= 13, monkey.done  # of the fourteen things that it can do
