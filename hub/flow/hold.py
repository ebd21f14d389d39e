"""hold: why an order may not go on, each reason with a fingerprint that groups, an amount, and a remedy."""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from hub.flow.terms import STOCKED, Item, Terms
from hub.model.decisions import Decision, Hold, HoldCode
from hub.model.money import exponent, format_minor
from hub.model.order import FinancialStatus, LineKind, Snapshot
from hub.model.state import Commercial, OrderState


@dataclass(frozen=True, slots=True)
class HoldRules:
    """Which holds are on, and their bounds. A broken identity holds whatever stands here."""

    unmapped_item: bool = True
    missing_rate: bool = True
    price: bool = False
    price_tolerance_minor: int = 0
    price_tolerance_percent: Decimal = Decimal(0)  # a price is off the list by more than both tolerances
    require_capture: bool = True
    require_capture_b2b: bool = False
    edit_window_minutes: int = 0
    hold_late: bool = False  # a fact for a closed period waits for a person


def late(decision: Decision, terms: Terms, rules: HoldRules) -> list[Hold]:
    """The hold of what would be booked later than it happened, because its period is closed."""
    if not rules.hold_late:
        return []
    moved = sorted(
        {x.document.original_date for x in decision.intents if x.document.original_date is not None and not x.in_place}
    )
    if not moved:
        return []
    return [
        Hold(
            HoldCode.CLOSED_PERIOD,
            f"closed_period:{moved[0]:%Y-%m}",
            f"dated {', '.join(f'{day}' for day in moved[:5])}; the books are closed until {terms.closed_until}",
            f"orderhub ledger open {moved[0]:%Y-%m}, or release it into the next open period",
        )
    ]


PAID = (FinancialStatus.PAID, FinancialStatus.PARTIALLY_REFUNDED, FinancialStatus.REFUNDED)


def holds(
    state: OrderState, terms: Terms, rules: HoldRules, items: Mapping[str, Item], now: datetime.datetime
) -> list[Hold]:
    """Every reason that holds the order now; empty: it may go on. A test order is never held: it goes nowhere."""
    snapshot = state.snapshot
    if snapshot is None or snapshot.test:
        return []
    return [
        *_broken(snapshot, state),
        *_unmapped(snapshot, terms, rules),
        *_off_list(snapshot, terms, rules, items),
        *_unread(snapshot, state),
        *_unpaid(snapshot, state, rules),
        *_too_fresh(snapshot, rules, now),
        *_rate(snapshot, terms, rules),
        *_deleted(state),
    ]


def _broken(snapshot: Snapshot, state: OrderState) -> Iterator[Hold]:
    if gap := state.identity_gap_minor:
        claimed = format_minor(snapshot.claimed_total_minor, snapshot.currency)
        computed = format_minor(snapshot.computed_total_minor, snapshot.currency)
        yield Hold(
            HoldCode.BROKEN_IDENTITY,
            f"broken_identity:{state.key.channel}",
            f"the channel claims {claimed}, its parts make {computed}",
            f"{format_minor(gap, snapshot.currency)} of this order is in no line, shipping, tax or charge: look at it "
            "in the channel, correct it there and import it again, or release it as it is",
        )
    for problem in state.problems:
        if problem.code == "line":
            yield Hold(
                HoldCode.UNKNOWN_LINE,
                f"unknown_line:{state.key.channel}",
                f"{problem.path} {problem.message}",
                "the order is older than what refers to it: import the order anew",
            )


def _unmapped(snapshot: Snapshot, terms: Terms, rules: HoldRules) -> Iterator[Hold]:
    if not rules.unmapped_item:
        return
    on = terms.day(snapshot.placed_at)
    seen: set[str] = set()
    for line in snapshot.lines:
        if line.kind not in STOCKED and line.kind is not LineKind.KIT:
            continue
        sku = line.sku or ""
        if sku in seen or terms.item(line, on) is not None:
            continue
        seen.add(sku)
        if sku:
            yield Hold(
                HoldCode.UNMAPPED_ITEM,
                f"unmapped_item:{sku}",
                f"SKU {sku} ({line.title}) has no item in the ERP",
                f"orderhub crosswalk set item {sku} ITEM",
            )
        else:
            yield Hold(
                HoldCode.UNMAPPED_ITEM,
                f"unmapped_item:{line.title}",
                f"{line.title} has no SKU",
                "give the product a SKU in the channel and import the order again, or release the order",
            )


def _off_list(snapshot: Snapshot, terms: Terms, rules: HoldRules, items: Mapping[str, Item]) -> Iterator[Hold]:
    """List prices are in the functional currency and without tax; orders in another currency are not judged."""
    if not rules.price or snapshot.currency != terms.functional:
        return
    on = terms.day(snapshot.placed_at)
    for line in snapshot.lines:
        code = terms.item(line, on)
        item = items.get(code) if code is not None else None
        if item is None or not item.list_price_minor or line.kind is LineKind.COMPONENT:
            continue
        price = line.unit_price.scaleb(exponent(snapshot.currency))
        if price == item.list_price_minor or any(tax.included for tax in line.taxes):
            continue
        off = abs(price - item.list_price_minor)
        bound = max(Decimal(rules.price_tolerance_minor), item.list_price_minor * rules.price_tolerance_percent / 100)
        if off > bound:
            yield Hold(
                HoldCode.PRICE_OFF_LIST,
                f"price_off_list:{line.sku}",
                f"SKU {line.sku} sold at {line.unit_price}, list price "
                f"{format_minor(item.list_price_minor, snapshot.currency)}",
                "correct the list price in config/items.yaml, or release the orders",
            )


def _unread(snapshot: Snapshot, state: OrderState) -> Iterator[Hold]:
    if snapshot.unread_money:
        yield Hold(
            HoldCode.MONEY_UNREAD,
            f"money_unread:{state.key.channel}",
            f"{', '.join(snapshot.unread_money[:5])}: money whose amount in {snapshot.currency} nothing says",
            f"import the order with its transactions' amounts in {snapshot.currency} (GraphQL states them); "
            "or release it without that money",
        )


def _unpaid(snapshot: Snapshot, state: OrderState, rules: HoldRules) -> Iterator[Hold]:
    if not rules.require_capture or snapshot.cancelled_at is not None:
        return
    if snapshot.business and not rules.require_capture_b2b:
        return
    if state.financial not in PAID and snapshot.computed_total_minor > 0:
        yield Hold(
            HoldCode.PAYMENT_NOT_CAPTURED,
            f"payment_not_captured:{state.financial}",
            f"payment is {state.financial}: {format_minor(state.captured_minor, snapshot.currency)} of "
            f"{format_minor(snapshot.claimed_total_minor, snapshot.currency)} captured",
            "capture the payment in the channel: the order goes on by itself; or release it unpaid",
        )


def _too_fresh(snapshot: Snapshot, rules: HoldRules, now: datetime.datetime) -> Iterator[Hold]:
    if not rules.edit_window_minutes:
        return
    until = snapshot.placed_at + datetime.timedelta(minutes=rules.edit_window_minutes)
    if now < until:
        yield Hold(
            HoldCode.EDIT_WINDOW,
            "edit_window",
            f"may still be edited until {until.isoformat()}",
            "wait: it goes on by itself; or release it",
            until,
        )


def _rate(snapshot: Snapshot, terms: Terms, rules: HoldRules) -> Iterator[Hold]:
    currency = snapshot.currency
    if rules.missing_rate and currency != terms.functional and terms.rate is None:
        on = terms.day(snapshot.placed_at)
        yield Hold(
            HoldCode.MISSING_RATE,
            f"missing_rate:{currency}:{on:%Y-%m}",
            f"no rate from {currency} to {terms.functional} on {on}",
            f"add the rate of {on} to config/rates.yaml",
        )


def _deleted(state: OrderState) -> Iterator[Hold]:
    if state.commercial is Commercial.DELETED:
        yield Hold(
            HoldCode.DELETED_IN_CHANNEL,
            f"deleted_in_channel:{state.key.channel}",
            "the channel has deleted this order",
            "decide what becomes of what was booked; release it to go on as if it were there",
        )
