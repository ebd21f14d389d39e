"""The warehouse of the rehearsals: no unit leaves twice, however late the shop hears of it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hub.model.documents import DocumentKey
from hub.rehearsal.warehouse import Warehouse

NOW = datetime(2026, 3, 2, 18, tzinfo=UTC)


@dataclass
class Staff:
    """An ERP that knows every order; it keeps what left."""

    left: list[dict[str, int]] = field(default_factory=list)

    def standing(self, keys: Sequence[DocumentKey]) -> set[DocumentKey]:
        return set(keys)

    def fulfil(self, key: DocumentKey, units: Mapping[str, int], **said: Any) -> bool:
        self.left.append(dict(units))
        return True


def order(to_ship: Mapping[str, int], shipped: Mapping[str, int]) -> dict[str, Any]:
    return {"id": "1047", "to_ship": dict(to_ship), "shipped": dict(shipped)}


def shipped_of(*days: dict[str, Any]) -> list[dict[str, int]]:
    staff = Staff()
    warehouse = Warehouse(staff, "webshop", random.Random(1))  # type: ignore[arg-type]
    for day in days:
        warehouse.ship([day], NOW)
    return staff.left


def test_a_parcel_that_the_shop_was_not_told_of_does_not_leave_again() -> None:
    assert shipped_of(order({"1": 1, "2": 2}, {}), order({"1": 1, "2": 2}, {})) == [{"1": 1, "2": 2}]


def test_what_is_left_of_a_push_that_broke_off_does_not_leave_again() -> None:
    """The shop was told of line 1 and waits for line 2, which left with it."""
    assert shipped_of(order({"1": 1, "2": 2}, {}), order({"2": 2}, {"1": 1})) == [{"1": 1, "2": 2}]


def test_a_second_parcel_like_the_first_leaves_too() -> None:
    assert shipped_of(order({"1": 1}, {}), order({"1": 1}, {"1": 1})) == [{"1": 1}, {"1": 1}]
