"""import_files: rows in the file's order, in batches, and nothing good lost beside what is bad."""

import json
from pathlib import Path

import pytest

from hub.errors import Misconfigured
from hub.steps import importing
from hub.steps.hub import Hub
from hub.steps.importing import import_files
from tests.hub.cli.shop import order


def written(folder: Path, content: object, name: str = "orders.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def test_rows_come_in_the_order_of_the_file_across_batches(hub: Hub, tmp_path: Path) -> None:
    lines = [json.dumps(order(1000 + number)) for number in range(505)]
    lines[502] = "not a record"

    rows = list(import_files(hub, "shopify", [written(tmp_path, "\n".join(lines).encode())]))

    assert len(rows) == 505
    assert [row.order for row in rows[:3]] == ["1000", "1001", "1002"]
    assert [row.outcome for row in rows[501:504]] == ["order", "held", "order"]
    assert rows[502].problems[0].path == "line 503"
    assert sum(row.bad for row in rows) == 1


def test_no_more_records_are_under_way_than_a_batch(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was captured of the first batch is decided before the second is read."""
    monkeypatch.setattr(importing, "BATCH_RECORDS", 2)
    rows = import_files(hub, "shopify", [written(tmp_path, [order(1001), order(1002), order(1003)])])

    first = next(rows)
    with hub.inbox.connect() as connection:
        captured = connection.exec_driver_sql("SELECT count(*) FROM record").scalar()

    assert (first.order, captured) == ("1001", 2)
    assert [row.order for row in rows] == ["1002", "1003"]


def test_a_file_larger_than_is_read_at_once_is_named_and_the_next_goes_on(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "FILE_BYTES_MAX", 2000)
    large = written(tmp_path, [order(1001), order(1002), order(1003)], "large.json")

    rows = list(import_files(hub, "shopify", [large, written(tmp_path, order(1004))]))

    assert [(row.outcome, row.order, row.bad) for row in rows] == [("held", None, True), ("order", "1004", False)]
    assert rows[0].problems[0].message == "larger than 2000 bytes: split it"


def test_a_record_in_two_files_is_a_duplicate_in_the_second(hub: Hub, tmp_path: Path) -> None:
    files = [written(tmp_path, order(), "one.json"), written(tmp_path, order(), "two.json")]

    rows = list(import_files(hub, "shopify", files))

    assert [(Path(row.file).name, row.outcome, row.claimed_minor) for row in rows] == [
        ("one.json", "order", 24900),
        ("two.json", "duplicate", 24900),
    ]


def test_a_channel_that_does_not_exist_stops_before_anything_is_read(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no 'amazon' among the channels"):
        list(import_files(hub, "amazon", [written(tmp_path, order())]))


@pytest.mark.parametrize("content", ["[]", '{"orders": []}'])
def test_a_file_without_records_says_so(hub: Hub, tmp_path: Path, content: str) -> None:
    path = tmp_path / "none.json"
    path.write_text(content)

    (row,) = import_files(hub, "shopify", [path])

    assert (row.outcome, row.problems[0].message, row.bad) == ("not_an_order", "no record in it", False)
