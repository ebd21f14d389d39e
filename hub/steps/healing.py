"""heal: what a reconciliation found missing is pulled or posted, after a preview of what and how much.

What a person did by hand in the ERP is left alone, and what is held waits for its own fix.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from hub.model.causes import CauseCode
from hub.model.reconciliation import Reconciliation
from hub.ports import FetchesOrders
from hub.steps import syncing
from hub.steps.advance import advance_all
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.steps.settling import Sent
from hub.store import refetching

PULLED: Final = frozenset({CauseCode.NEVER_CAPTURED, CauseCode.CHANNEL_EDIT, CauseCode.UNBOOKED_REFUND})
"""Causes that reading the order anew from its channel heals."""
SENT: Final = frozenset({CauseCode.NOT_SENT_YET, CauseCode.IN_DOUBT})


@dataclass(slots=True)
class Plan:
    """What would be done."""

    pull: dict[str, list[str]] = field(default_factory=dict)  # orders to be read anew, by channel
    pull_minor: dict[str, int] = field(default_factory=dict)  # what they differ by, by currency
    send: int = 0  # variances of documents that are still to be sent or looked for
    send_minor: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)  # variances that need a person, by cause
    cannot_ask: list[str] = field(default_factory=list)  # channels that give no order by its id

    @property
    def is_empty(self) -> bool:
        return not self.pull and not self.send

    def as_json(self) -> dict[str, Any]:
        return {
            "pull": self.pull,
            "pull_minor": self.pull_minor,
            "send": self.send,
            "send_minor": self.send_minor,
            "left": self.left,
            "cannot_ask": self.cannot_ask,
        }


@dataclass(frozen=True, slots=True)
class Healed:
    read_anew: int  # orders
    sent: Sent


def plan(hub: Hub, found: Reconciliation) -> Plan:
    """What would heal these variances; nothing is done."""
    made = Plan()
    orders: dict[str, set[str]] = {}
    for variance in (*found.sales.variances, *found.payments.variances):
        codes = {cause.code for cause in variance.causes}
        if codes & PULLED and variance.order is not None:
            if not isinstance(hub.connector(variance.channel), FetchesOrders):
                if variance.channel not in made.cannot_ask:
                    made.cannot_ask.append(variance.channel)
                continue
            orders.setdefault(variance.channel, set()).add(variance.order)
            _plus(made.pull_minor, variance.currency, variance.delta_minor)
        elif codes & SENT:
            made.send += 1
            _plus(made.send_minor, variance.currency, variance.delta_minor)
        else:
            for code in sorted(code.value for code in codes) or ["unexplained"]:
                made.left[code] = made.left.get(code, 0) + 1
    made.pull = {channel: sorted(ids) for channel, ids in sorted(orders.items())}
    return made


def heal(hub: Hub, planned: Plan) -> Healed:
    """The orders were read anew, decided, and all that is due was sent or looked for."""
    wanted = [(channel, order) for channel, orders in planned.pull.items() for order in orders]
    with hub.inbox.connect().execution_options(writes=True) as connection, connection.begin():
        refetching.ask(connection, wanted)
    read = sum(syncing.refetch(hub, channel) for channel in planned.pull)
    advance_all(hub)
    return Healed(read, send_all(hub))


def _plus(sums: dict[str, int], currency: str, minor: int) -> None:
    sums[currency] = sums.get(currency, 0) + minor
