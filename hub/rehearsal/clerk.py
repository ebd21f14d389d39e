"""A clerk in the ERP: closes rows of orders that stand, cancels whole ones, thinks better of it, corrects an amount."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hub.model.documents import DocumentKey
from hub.model.order import OrderKey
from hub.rehearsal.staff import Staff, sales_order

OFF_BY: Final = ("-0.01", "2.50", "-1.00")
ACTS: Final = ("close a row of", "cancel", "edit", "edit", "open again")


@dataclass(slots=True)
class Clerk:
    """What they did is theirs to know: what tells the channel of it knows nothing of this."""

    staff: Staff
    slug: str
    chance: random.Random
    closed: dict[str, set[str]] = field(default_factory=dict)  # order -> lines that they closed, and that are so
    edited: set[str] = field(default_factory=set)
    wavered: set[str] = field(default_factory=set)  # orders of which they opened rows again

    def act(self, orders: Sequence[Mapping[str, Any]]) -> str | None:
        """One thing is done to one order, as drawn, as far as the ERP lets them; None: nothing."""
        what = self.chance.choice(ACTS)
        places = sorted(str(one["id"]) for one in orders if what == "edit" or any(one["left"].values()))
        if what == "open again":
            places = sorted(order for order, lines in self.closed.items() if lines)
        stand = self.staff.standing([self._key(order) for order in places]) if what != "open again" else set()
        places = [order for order in places if what == "open again" or self._key(order) in stand]
        if not places:
            return None
        order = self.chance.choice(places)
        return f"{what} {order}" if self._do(what, order) else None

    def unheard(self, orders: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """Units that they called off and that the shop still waits for."""
        for one in orders:
            order = str(one["id"])
            for line in sorted(self.closed.get(order, ())):
                if not one["deleted"] and (left := one["left"].get(line, 0)):
                    yield f"order {order}, line {line}: closed in the ERP, and the shop still has {left} to ship"

    def _do(self, what: str, order: str) -> bool:
        key = self._key(order)
        mine = self.closed.setdefault(order, set())
        if what == "open again":
            lines = sorted(mine)
        else:
            lines = sorted(line for line, closed in self.staff.rows(key).items() if not closed)
        if not lines:
            return False
        if what == "edit":
            self.edited.add(order)
            return self.staff.edit_amount(key, self.chance.choice(lines), self.chance.choice(OFF_BY))
        if what == "close a row of":
            lines = [self.chance.choice(lines)]
        closes = what != "open again"
        if not self.staff.close_rows(key, lines, closed=closes):
            return False
        if closes:
            mine.update(lines)
        else:
            mine.clear()
            self.wavered.add(order)
        return True

    def _key(self, order: str) -> DocumentKey:
        return sales_order(OrderKey(self.slug, order))
