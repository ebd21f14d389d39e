"""What each record does to the general ledger: balanced, in the transaction's currency and in the base currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from erp_adapters.netsuite.account.seed import UNDEPOSITED
from erp_adapters.netsuite.account.settling import booked_share
from erp_adapters.netsuite.account.stock import Move
from erp_adapters.netsuite.account.world import GlLine, Rec, Row, World, cents

RECEIVABLE: Final = "1100"
DEPOSITS: Final = "2100"
TAX: Final = "2200"
SHIPPING: Final = "4100"
DISCOUNTS: Final = "4200"
FX_GAIN_LOSS: Final = "4900"
INVENTORY: Final = "1300"
COST: Final = "5000"
WRITE_OFF: Final = "5100"
TAX_LINES: Final = 100_000
COST_LINES: Final = 200_000
OTHER_LINES: Final = 300_000
BASE_PLACES: Final = 2


def post(world: World, rec: Rec) -> list[GlLine]:
    """The record's posting, none for what does not post."""
    match rec.type:
        case "invoice" | "cashSale":
            lines = _sale(world, rec, 1)
        case "creditMemo" | "cashRefund":
            lines = _sale(world, rec, -1)
            if rec.type == "creditMemo":
                lines += _matched(world, rec)
        case "customerDeposit":
            lines = [_line(rec, 0, money(world, rec), rec.amount("payment"))]
            lines.append(_line(rec, OTHER_LINES, DEPOSITS, -rec.amount("payment")))
        case "depositApplication":
            lines = _settled(world, rec, _application(world, rec))
        case "customerPayment":
            lines = _settled(world, rec, _payment(world, rec))
        case "customerRefund":
            lines = _settled(world, rec, _refund(world, rec))
        case "journalEntry":
            lines = [
                _line(rec, row.line, _number(world, row), row.amount("debit") - row.amount("credit"), row)
                for row in rec.rows("line")
            ]
        case "itemFulfillment" | "itemReceipt" | "inventoryAdjustment":
            lines = []
        case _:
            return []
    return _balanced(rec, [*lines, *_goods(world, rec)])


def money(world: World, rec: Rec) -> str:
    """The account that the money lies in: the record's own, else its payment method's, else undeposited funds."""
    if (account := rec.ref("account")) is not None and not rec.get("undepFunds"):
        return world.account_number(account)
    method = world.get(rec.ref("paymentMethod") or rec.ref("paymentOption"), "paymentMethod")
    if method is not None and not rec.get("undepFunds"):
        return world.account_number(method.ref("account"))
    return UNDEPOSITED


def receivable(world: World, rec: Rec) -> str:
    account = rec.ref("arAcct") or (rec.ref("account") if rec.type in ("invoice", "creditMemo") else None)
    return world.account_number(account) if account is not None else RECEIVABLE


def _sale(world: World, rec: Rec, sign: int) -> list[GlLine]:
    """`sign` 1: sold; -1: taken back."""
    main = receivable(world, rec) if rec.type in ("invoice", "creditMemo") else money(world, rec)
    lines = [_line(rec, 0, main, sign * rec.amount("total"))]
    for row in rec.rows("item"):
        amount = -sign * row.amount("amount")
        lines.append(_line(rec, row.line, item_account(world, row), amount, row))
    for index, detail in enumerate(rec.rows("taxDetails")):
        code = world.get(detail.ref("taxCode"), "salesTaxItem")
        account = world.account_number(code.ref("taxAccount")) if code is not None else TAX
        line = _line(rec, TAX_LINES + index, account, -sign * detail.amount("taxAmount"))
        line.tax_code = detail.ref("taxCode")
        line.memo = str(code.fields["itemId"]) if code is not None else None
        lines.append(line)
    if rec.amount("discountTotal"):
        discount = world.get(rec.ref("discountItem"), "discountItem")
        account = world.account_number(discount.ref("account")) if discount is not None else DISCOUNTS
        lines.append(_line(rec, OTHER_LINES, account, -sign * rec.amount("discountTotal")))
    for index, name in enumerate(("shippingCost", "handlingCost")):
        if rec.amount(name):
            lines.append(_line(rec, OTHER_LINES + 1 + index, SHIPPING, -sign * rec.amount(name)))
    return lines


def item_account(world: World, row: Row) -> str:
    """The account that a row is sold to."""
    item = world.must(row.ref("item"))
    for name in ("incomeAccount", "account", "liabilityAccount"):
        if (account := item.ref(name)) is not None:
            return world.account_number(account)
    raise LookupError(f"{item.fields.get('itemId')} has no income account")


def _goods(world: World, rec: Rec) -> list[GlLine]:
    """Cost against stock, for the goods that this record moved."""
    lines = []
    moves: list[Move] = rec.get("_moves") or []
    for index, one in enumerate(moves):
        item = world.must(one.item)
        worth = cents(one.quantity * one.cost, BASE_PLACES)
        asset, against = item.ref("assetAccount"), item.ref("cogsAccount")
        other = world.account_number(against) if against is not None else COST
        if rec.type == "inventoryAdjustment":
            other = world.account_number(rec.ref("account"))
        number = COST_LINES + 2 * index
        stock = world.account_number(asset) if asset is not None else INVENTORY
        if one.location < 0:
            stock = WRITE_OFF
        lines.append(GlLine(number, stock, _foreign(rec, worth), worth, item=one.item))
        lines.append(GlLine(number + 1, other, -_foreign(rec, worth), -worth, item=one.item))
    return lines


def _application(world: World, rec: Rec) -> list[GlLine]:
    deposit = world.must(rec.ref("deposit"), "customerDeposit")
    applied = rec.amount("applied")
    taken = _line(rec, OTHER_LINES, DEPOSITS, applied)
    taken.base = booked_share(world, deposit, applied, rec)
    return [taken, *_receivables(world, rec, -1)]


def _payment(world: World, rec: Rec) -> list[GlLine]:
    lines = [_line(rec, OTHER_LINES, money(world, rec), rec.amount("payment")), *_receivables(world, rec, -1)]
    if rec.amount("unapplied"):
        lines.append(_line(rec, OTHER_LINES + 1, receivable(world, rec), -rec.amount("unapplied")))
    return lines


def _refund(world: World, rec: Rec) -> list[GlLine]:
    lines = [_line(rec, OTHER_LINES, money(world, rec), -rec.amount("total")), *_receivables(world, rec, 1)]
    for row in rec.rows("deposit"):
        deposit = world.must(row.ref("doc"))
        line = _line(rec, row.line + OTHER_LINES + 1, DEPOSITS, row.amount("amount"))
        line.base = booked_share(world, deposit, row.amount("amount"), rec)
        lines.append(line)
    return lines


def _receivables(world: World, rec: Rec, sign: int) -> list[GlLine]:
    """The receivable of each settled document, at the rate that it was booked with."""
    lines = []
    for row in rec.rows("apply"):
        doc = world.must(row.ref("doc"))
        line = _line(rec, row.line, receivable(world, doc), sign * row.amount("amount"))
        line.base = sign * booked_share(world, doc, row.amount("amount"), rec)
        lines.append(line)
    return lines


def _matched(world: World, memo: Rec) -> list[GlLine]:
    """What the rates of a credit memo and of the invoices that it is applied to differ by, as gain or loss."""
    lines = []
    before, rate = Decimal(0), memo.amount("exchangeRate") or Decimal(1)
    for row in memo.rows("apply"):
        own = cents((before + row.amount("amount")) * rate) - cents(before * rate)
        before += row.amount("amount")
        gap = own - booked_share(world, world.must(row.ref("doc")), row.amount("amount"), memo)
        if gap:
            lines.append(GlLine(OTHER_LINES + 90, receivable(world, memo), Decimal(0), gap, entity=_party(memo)))
            lines.append(GlLine(OTHER_LINES + 99, FX_GAIN_LOSS, Decimal(0), -gap, entity=_party(memo)))
    return lines


def _settled(world: World, rec: Rec, lines: list[GlLine]) -> list[GlLine]:
    """The lines with what two rates differ by, as realized gain or loss."""
    gap = sum((line.base for line in lines), Decimal(0))
    if gap and sum((line.amount for line in lines), Decimal(0)) == 0:
        lines.append(GlLine(OTHER_LINES + 99, FX_GAIN_LOSS, Decimal(0), -gap, entity=_party(rec)))
    return lines


def _balanced(rec: Rec, lines: list[GlLine]) -> list[GlLine]:
    """The lines that are not zero; a remainder of conversion lies with the largest line but the main one."""
    lines = [line for line in lines if line.amount or line.base]
    gap = sum((line.base for line in lines), Decimal(0))
    if gap and lines:
        others = [line for line in lines if line.line != 0 and line.amount] or lines
        max(others, key=lambda line: abs(line.base)).base -= gap
    if sum((line.amount for line in lines), Decimal(0)):
        raise AssertionError(f"{rec.type} {rec.id} does not balance")
    return lines


def _line(rec: Rec, number: int, account: str, amount: Decimal, row: Row | None = None) -> GlLine:
    rate = rec.amount("exchangeRate") or Decimal(1)
    line = GlLine(number, account, amount, cents(amount * rate, BASE_PLACES), entity=_party(rec))
    if row is not None:
        line.item, line.memo = row.ref("item"), row.get("memo") or row.get("description")
    return line


def _foreign(rec: Rec, base: Decimal) -> Decimal:
    rate = rec.amount("exchangeRate") or Decimal(1)
    return cents(base / rate, 6) if rate != 1 else base


def _party(rec: Rec) -> int | None:
    return rec.ref("entity") or rec.ref("customer")


def _number(world: World, row: Row) -> str:
    return world.account_number(row.ref("account"))
