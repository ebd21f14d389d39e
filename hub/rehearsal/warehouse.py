"""The warehouse ships what the shop waits for; its fulfilments in the ERP are what the shop is then told."""

import json
import random
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
    """Ships what the shop waits for, each parcel once, whenever the shop hears of it."""

    staff: Staff
    slug: str
    chance: random.Random
    _gone: set[tuple[str, str]] = field(default_factory=set)  # order, and what of it

    def ship(self, orders: Sequence[Mapping[str, Any]], now: datetime) -> int:
        """What should have left by now has, as far as the ERP knows the order; how many parcels.

        An order that is held, or was called off, the ERP has not.
        """
        waiting = sorted((order for order in orders if order["to_ship"]), key=lambda one: str(one["id"]))
        keys = {str(order["id"]): sales_order(OrderKey(self.slug, str(order["id"]))) for order in waiting}
        stand = self.staff.standing(list(keys.values())) if keys else set()
        return sum(self._ship(order, now) for order in waiting if keys[str(order["id"])] in stand)

    def _ship(self, order: Mapping[str, Any], now: datetime) -> bool:
        parcel = (str(order["id"]), json.dumps(order["to_ship"], sort_keys=True))
        if parcel in self._gone:
            return False
        self._gone.add(parcel)
        return self.staff.fulfil(
            sales_order(OrderKey(self.slug, str(order["id"]))),
            order["to_ship"],
            carrier=self.chance.choice(CARRIERS),
            tracking_number=f"1Z{self.chance.getrandbits(48):012X}",
            shipped_at=now - SHIPS_BEFORE,
        )
