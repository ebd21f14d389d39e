"""Since the sign-off: each side's changes are found, order by order, each with why as its own rows tell it."""

import copy
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hub.model.reconciliation import ChangeCode, Reconciliation, Signed
from hub.steps.report import words
from tests.hub.flow.sides import IN_JUNE, MAY, Sides

SIGNED = Signed(MAY, MAY, "0" * 64, "Ann", datetime(2026, 6, 3, 9, tzinfo=UTC))
LATER = "2026-06-04T10:00:00Z"


@pytest.fixture
def sides() -> Sides:
    sides = Sides()
    for number in ("1001", "1002", "1003"):
        sides.order(number)
    sides.refund("r1", "1001")
    return sides


def since(before: Sides, now: Sides, folder: Path) -> Reconciliation:
    before.reconcile(folder / "before")
    return now.reconcile(folder / "now", signed=(SIGNED, folder / "before" / MAY))


def told(found: Reconciliation) -> list[tuple[str, str, str, int | None, int | None]]:
    assert found.since is not None
    return [(c.side, c.subject_id, c.code.value, c.before_minor, c.after_minor) for c in found.since.changes]


def test_the_same_sides_say_that_nothing_changed(sides: Sides, tmp_path: Path) -> None:
    found = since(sides, sides, tmp_path)

    assert told(found) == []
    assert "Nothing changed since." in (tmp_path / "now" / MAY / "report.html").read_text()


def test_each_change_is_told_with_its_reason(sides: Sides, tmp_path: Path) -> None:
    now = copy.deepcopy(sides)
    now.at_channel("1001", {"edited_minor": -1000}, modified_at=LATER)
    now.at_erp("1002", {"goods_minor": 9000}, by_hand=True, version=2)
    now.at_erp("1003", voided=True)
    now.order("1004")
    now.typed_in("L9", replace(now.erp["1001"].row, order="", subject_id="L9"))

    found = since(sides, now, tmp_path)

    assert told(found) == [
        ("channel", "1001", "changed_in_channel", 10825, 9825),
        ("channel", "1004", "new_in_channel", None, 10825),
        ("hub", "1004", "captured_since", None, 10825),
        ("erp", "L9", "typed_in", None, 10825),
        ("erp", "1002", "edited_by_hand", 10825, 9825),
        ("erp", "1003", "voided", 10825, None),
        ("erp", "1004", "posted_since", None, 10825),
    ]


def test_what_moved_into_another_month_is_gone_from_this_one(sides: Sides, tmp_path: Path) -> None:
    now = copy.deepcopy(sides)
    now.at_hub("r1", {"date": IN_JUNE})

    assert told(since(sides, now, tmp_path)) == [("hub", "r1", "moved_out", -2000, None)]


def test_a_late_fact_of_a_closed_month_is_named(sides: Sides, tmp_path: Path) -> None:
    now = copy.deepcopy(sides)
    now.refund("r2", "1002")
    now.at_hub("r2", original_date=date(2026, 4, 30))

    assert ("hub", "r2", "late_fact", None, -2000) in told(since(sides, now, tmp_path))


def test_another_figure_without_a_reason_is_said_to_be_one(sides: Sides, tmp_path: Path) -> None:
    now = copy.deepcopy(sides)
    now.at_erp("1002", {"goods_minor": 10001})

    assert told(since(sides, now, tmp_path)) == [("erp", "1002", "restated", 10825, 10826)]


def test_an_earlier_run_says_the_same_again(sides: Sides, tmp_path: Path) -> None:
    from hub.steps.reconcile import rerun

    now = copy.deepcopy(sides)
    now.at_erp("1002", {"goods_minor": 9000}, by_hand=True, version=2)
    found = since(sides, now, tmp_path)

    assert rerun(tmp_path / "now" / MAY) == found


def test_a_side_that_was_not_read_this_time_is_not_said_to_be_gone(sides: Sides, tmp_path: Path) -> None:
    sides.reconcile(tmp_path / "before")

    found = sides.reconcile(tmp_path / "now", channel_given=False, signed=(SIGNED, tmp_path / "before" / MAY))

    assert told(found) == []


def test_every_change_has_words() -> None:
    assert set(words.CHANGE) == set(ChangeCode)
