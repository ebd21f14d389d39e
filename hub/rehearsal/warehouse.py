"""The warehouse ships what the shop waits for; its fulfilments in the ERP are what the shop is then told."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from hub.model.order import OrderKey
from hub.rehearsal.staff import Staff, sales_order

CARRIERS: Final = ("UPS", "FedEx", "USPS")
SHIPS_BEFORE: Final = timedelta(hours=2)  # before the day's end, when the clock of the rehearsal stands


@dataclass(slots=True)
class Warehouse:
    """Ships what the shop waits for, each unit once, whenever the shop hears of it."""

    staff: Staff
    slug: str
    chance: random.Random
    _gone: dict[str, Counter[str]] = field(default_factory=dict)  # order -> units by line

    def ship(self, orders: Sequence[Mapping[str, Any]], now: datetime) -> int:
        """What should have left by now has, as far as the ERP knows the order; how many parcels.

        An order that is held, or was called off, the ERP has not.
        """
        waiting = sorted((order for order in orders if order["to_ship"]), key=lambda one: str(one["id"]))
        keys = {str(order["id"]): sales_order(OrderKey(self.slug, str(order["id"]))) for order in waiting}
        stand = self.staff.standing(list(keys.values())) if keys else set()
        return sum(self._ship(order, now) for order in waiting if keys[str(order["id"])] in stand)

    def _ship(self, order: Mapping[str, Any], now: datetime) -> bool:
        """What the shop waits for, but for units that left already and that it was not told of.

        A push may be made in several shipments, and end after the first: the shop then waits for the rest alone.
        """
        gone = self._gone.setdefault(str(order["id"]), Counter())
        untold = gone - Counter(order["shipped"])
        units = dict(Counter(order["to_ship"]) - untold)
        if not units:
            return False
        left = self.staff.fulfil(
            sales_order(OrderKey(self.slug, str(order["id"]))),
            units,
            carrier=self.chance.choice(CARRIERS),
            tracking_number=f"1Z{self.chance.getrandbits(48):012X}",
            shipped_at=now - SHIPS_BEFORE,
        )
        if left:
            gone.update(units)
        return left
