"""Many rows at once: none is lost or altered, however many go into one statement."""

from typing import Any

import pytest
from sqlalchemy import select

from hub.steps.hub import Hub
from hub.store.bulk import add, add_new
from hub.store.schema import release


def rows(count: int) -> list[dict[str, Any]]:
    """Whole, none and some statements' worth of rows, each told from the others."""
    at = {"released_at": "2026-11-01T12:00:00.000000Z", "released_by": "ann"}
    return [{"channel": "shop", "order_id": f"{number:03}", "code": f"code-{number}", **at} for number in range(count)]


@pytest.mark.parametrize("count", [1, 49, 50, 51, 100, 103])
def test_every_row_is_there_with_its_own_values(hub: Hub, count: int) -> None:
    with hub.writing() as writing, writing.begin():
        add(writing, release, rows(count))

    with hub.store.connect() as reading:
        found = reading.execute(select(release).order_by(release.c.order_id)).mappings().all()
    assert list(map(dict, found)) == rows(count)


def test_a_row_that_was_there_changes_nothing_and_those_beside_it_are_added(hub: Hub) -> None:
    with hub.writing() as writing, writing.begin():
        add(writing, release, [{**rows(61)[60], "released_by": "bob"}])
        add(writing, release, [{**rows(8)[7], "released_by": "bob"}])
        add_new(writing, release, rows(103))

    with hub.store.connect() as reading:
        by = list(reading.execute(select(release.c.released_by).order_by(release.c.order_id)).scalars())
    assert len(by) == 103
    assert [number for number, name in enumerate(by) if name == "bob"] == [7, 60]
