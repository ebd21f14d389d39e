"""exceptions: one fix releases all orders that share a cause; they are decided anew, then sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from sqlalchemy import Connection, bindparam, update

from hub.errors import Misconfigured, Missing
from hub.model.decisions import HoldCode
from hub.model.order import OrderKey
from hub.model.payouts import payout_of
from hub.steps import payouts
from hub.steps.advance import pass_on_stock, reconsider
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.steps.settling import Sent
from hub.store import sending, targets
from hub.store.bulk import add_new
from hub.store.schema import exception, release, stamp
from hub.store.sending import NO_ORDER
from hub.store.views import exceptions as views
from hub.store.views import payouts as payout_views
from hub.store.views.exceptions import HeldState, OpenException

NOT_HOLDS: Final = {
    HoldCode.UNTRANSLATABLE.value: "correct the record in the channel and import it again",
    HoldCode.FAULT.value: "report it, then run: orderhub exceptions retry",
    sending.REJECTED: "correct what the ERP refused, then run: orderhub exceptions retry",
    sending.IN_DOUBT: "void one of the two in the ERP, then run: orderhub exceptions retry",
    sending.NOT_TOLD: "correct what the channel refused, then run: orderhub exceptions retry",
    sending.TOLD_TWICE: "cancel one of the two in the channel; the next probe adopts the other",
    sending.PAUSED: "put right what it names, then run: orderhub exceptions retry",
}
"""Codes that no person can release, and what heals them instead."""

READ_BACK: Final = sending.READ_BACK
"""What the ERP holds differs from what it was sent: a person looks at it and lets it stand."""

DONE_BY_HAND: Final = frozenset(
    {READ_BACK, "data_request", "redaction", "uninstalled", "channel_failing", "auth_expired"}
)
"""Codes that hold no order: a person says that it is dealt with."""

STUB: Final = "stub"


@dataclass(slots=True)
class Healing:
    """What became of held orders that were decided anew."""

    orders: int = 0  # decided anew
    healed: int = 0  # held before and no longer
    healed_minor: dict[str, int] = field(default_factory=dict)  # by currency
    still_held: int = 0
    causes: dict[str, int] = field(default_factory=dict)  # what still holds them: orders by fingerprint
    steps_again: int = 0  # refused steps that were planned again
    sent: Sent | None = None


def resolve(hub: Hub, fingerprint: str, by: str, order: str | None = None, *, then_send: bool = True) -> Healing:
    """The orders are no longer held for this cause: the person takes it as it is.

    Args:
        order: only this one, as `channel/id` or the channel's id; None: all that share the cause.

    Raises:
        Misconfigured: there is no such open exception, or it is none that a person can release.
    """
    found = releasable(hub, fingerprint, order)
    code = found[0].code
    now = stamp(hub.clock())
    with hub.writing() as connection, connection.begin():
        if code in DONE_BY_HAND:
            _close(connection, found, now, "accepted", by)
        else:
            _release(connection, found, now, by)
    if code in DONE_BY_HAND:
        return Healing(orders=len(found))
    return heal(hub, [one.key for one in found], then_send=then_send)


def releasable(hub: Hub, fingerprint: str, order: str | None = None) -> list[OpenException]:
    """The open exceptions that `resolve` would end.

    Raises:
        Misconfigured: there is no such open exception, or it is none that a person can release.
    """
    found = _open(hub, fingerprint, order)
    if (code := found[0].code) in NOT_HOLDS:
        raise Misconfigured(f"{fingerprint} is not a hold that can be released: {NOT_HOLDS[code]}")
    return found


def retry(hub: Hub, fingerprint: str | None = None, *, then_send: bool = True) -> Healing:
    """Held orders are decided anew under today's terms, refused steps sent again, pauses over; None: of every cause.

    Raises:
        Misconfigured: no exception of this cause is open.
    """
    found = _open(hub, fingerprint, None) if fingerprint is not None else views.opened(hub.store)
    refused = [one for one in found if one.code in (sending.REJECTED, sending.NOT_TOLD)]
    again = 0
    if refused:
        known = views.states(hub.store, [one.key for one in refused])
        keys = {
            (
                one.channel,
                one.order if one.key in known or payout_of(one.key) or one.code == sending.NOT_TOLD else NO_ORDER,
            )
            for one in refused
        }
        with hub.writing() as connection, connection.begin():
            again = sending.retry_rejected(connection, sorted(keys))
    for name in sorted({one.channel for one in found if one.code == sending.PAUSED}):
        with hub.writing() as connection, connection.begin():
            targets.resume(connection, name)
    healing = heal(hub, [one.key for one in found], then_send=then_send)
    healing.steps_again = again
    return healing


def retry_due(hub: Hub, *, then_send: bool = True) -> Healing:
    """Orders whose hold has run out by itself are decided anew; backordered ones where stock is free after all."""
    pass_on_stock(hub)
    return heal(hub, views.due(hub.store, hub.clock()), then_send=then_send)


def reconsider_due(hub: Hub) -> Healing:
    """As `retry_due`, without sending."""
    return retry_due(hub, then_send=False)


def reconsider_held(hub: Hub) -> Healing:
    """What is held, orders and payouts, is decided anew under the rules of now; nothing is sent.

    The rules may have changed while nobody ran. Those of channels that are no longer configured stay as they are.
    """
    slugs = {channel.slug for channel in hub.settings.channels}
    held = [*views.held(hub.store), *payout_views.held(hub.store)]
    return heal(hub, [key for key in held if key.channel in slugs], then_send=False)


def redecide(hub: Hub, channel: str, since: date, *, then_send: bool = True) -> Healing:
    """Every order of a channel placed since that day is decided anew, those that stand too: what differs is amended.

    Raises:
        Misconfigured: there is no such channel.
    """
    hub.settings.channel(channel)
    return heal(hub, views.placed_since(hub.store, channel, since), then_send=then_send)


def assign(hub: Hub, fingerprint: str, assignee: str) -> int:
    """The open exceptions of this cause are this person's; how many they are.

    Raises:
        Misconfigured: there are none.
    """
    _open(hub, fingerprint, None)
    with hub.writing() as connection, connection.begin():
        statement = update(exception).where(exception.c.fingerprint == fingerprint, exception.c.resolved_at.is_(None))
        return connection.execute(statement.values(assignee=assignee)).rowcount


def heal(hub: Hub, keys: Iterable[OrderKey], *, then_send: bool = True) -> Healing:
    """These orders are decided anew and what follows is sent; payouts too; other keys, and stubs, are left alone."""
    keys = sorted(set(keys))
    payouts.reconsider(hub, keys)
    before = views.states(hub.store, keys)
    known = [key for key in sorted(before) if before[key].posting != STUB]
    reconsider(hub, known)
    after = views.states(hub.store, known)
    healing = _compared(known, before, after)
    healing.causes = views.causes(hub.store, [key for key in known if after[key].holds])
    if then_send:
        healing.sent = send_all(hub)
    return healing


def _compared(keys: Sequence[OrderKey], before: dict[OrderKey, HeldState], after: dict[OrderKey, HeldState]) -> Healing:
    healing = Healing(orders=len(keys))
    for key in keys:
        then, now = before[key], after[key]
        if now.holds:
            healing.still_held += 1
        elif then.holds:
            healing.healed += 1
            if now.currency is not None and now.claimed_minor is not None:
                total = healing.healed_minor.get(now.currency, 0)
                healing.healed_minor[now.currency] = total + now.claimed_minor
    return healing


def _open(hub: Hub, fingerprint: str, order: str | None) -> list[OpenException]:
    found = views.opened(hub.store, fingerprint=fingerprint)
    if not found:
        raise Missing(f"no exception {fingerprint!r} is open: see orderhub exceptions list")
    if order is None:
        return found
    one = [open_ for open_ in found if order in (open_.order, f"{open_.channel}/{open_.order}", open_.name)]
    if not one:
        raise Missing(f"no order {order!r} is held by {fingerprint}: see orderhub exceptions show {fingerprint}")
    if len({open_.key for open_ in one}) > 1:
        raise Misconfigured(f"{order!r} is several orders: name one of {', '.join(str(x.key) for x in one)}")
    return one


def _release(connection: Connection, found: Sequence[OpenException], now: str, by: str) -> None:
    rows = {
        (one.channel, one.order, one.code): {
            "channel": one.channel,
            "order_id": one.order,
            "code": one.code,
            "released_at": now,
            "released_by": by,
        }
        for one in found
    }
    add_new(connection, release, list(rows.values()))


def _close(connection: Connection, found: Sequence[OpenException], now: str, resolution: str, by: str) -> None:
    statement = (
        update(exception)
        .where(
            exception.c.channel == bindparam("of_channel"),
            exception.c.order_id == bindparam("of_order"),
            exception.c.fingerprint == bindparam("of_fingerprint"),
        )
        .values(resolved_at=now, resolution=resolution, assignee=by)
    )
    connection.execute(
        statement,
        [{"of_channel": x.channel, "of_order": x.order, "of_fingerprint": x.fingerprint} for x in found],
    )
