"""The workbook: its formulas, worked out cell by cell here, give the report's own figures; text is never a formula."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from hub.model.reconciliation import TimelineItem
from hub.steps.reconcile import as_json
from tests.hub.flow.sides import Sides


@pytest.fixture
def sides() -> Sides:
    sides = Sides()
    for number in ("1001", "1002", "1003"):
        sides.order(number)
    sides.payment("p1", "1001")
    return sides


class Sheets:
    """Works out the few forms of formulas that the workbook has: sums by conditions, + and −, the check."""

    def __init__(self, book: Workbook) -> None:
        self._rows = {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}
        self._book = book

    def at(self, cell: str) -> Any:
        value = self._book["Summary"][cell].value
        if not isinstance(value, str) or not value.startswith("="):
            return value
        formula = value[1:]
        if check := re.fullmatch(r'IF\(ROUND\((\w+)-(\w+)-(\w+),(\d)\)=0,"ties","does not tie"\)', formula):
            left, middle, right, _ = check.groups()
            return "ties" if self.at(left) - self.at(middle) - self.at(right) == 0 else "does not tie"
        if difference := re.fullmatch(r"([A-Z]+\d+)-([A-Z]+\d+)", formula):
            return self.at(difference[1]) - self.at(difference[2])
        if formula == "0":
            return 0
        sums = re.findall(r"SUMIFS\(([^()]*)\)", formula)
        assert "+".join(f"SUMIFS({one})" for one in sums) == formula
        return sum((self._sum(one.split(",")) for one in sums), Decimal(0))

    def _sum(self, parts: list[str]) -> Decimal:
        sheet, column = self._column(parts[0])
        wanted = []
        for place, value in zip(parts[1::2], parts[2::2], strict=True):
            literal = value.strip('"') if value.startswith('"') else self.at(value.replace("$", ""))
            wanted.append((self._column(place)[1], literal))
        rows = [row for row in self._rows[sheet][1:] if all(row[at] == value for at, value in wanted)]
        return sum((Decimal(str(row[column])) for row in rows), Decimal(0))

    @staticmethod
    def _column(reference: str) -> tuple[str, int]:
        sheet, columns = reference.rsplit("!", 1)
        return sheet.strip("'"), ord(columns[0]) - ord("A")


def test_the_summary_ties_by_its_formulas_and_says_what_the_report_says(sides: Sides, tmp_path: Path) -> None:
    sides.at_erp("1002", {"goods_minor": 9000}, by_hand=True, version=2)
    sides.at_erp("1003", {"goods_minor": 10001})

    told = as_json(sides.reconcile(tmp_path))
    sheets = Sheets(load_workbook(tmp_path / "2026-05" / "report.xlsx"))

    assert [sheets.at(f"{column}7") for column in "ABC"] == ["sales", "us", "USD"]
    for column, side in zip("DEF", ("channel", "hub", "erp"), strict=True):
        assert sheets.at(f"{column}7") == Decimal(told["sides"][side][0]["total_minor"]) / 100
    assert [sheets.at(f"{column}7") for column in "GHIJ"] == [0, 0, 0, "ties"]
    assert [sheets.at(f"{column}7") for column in "KLMN"] == [
        Decimal("-9.99"),
        Decimal("-10.00"),
        Decimal("0.01"),
        "ties",
    ]


@pytest.mark.parametrize("typed", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "#REF!"])
def test_text_that_looks_like_a_formula_stays_text_on_every_sheet(sides: Sides, tmp_path: Path, typed: str) -> None:
    hostile = f"{typed}Zqxv"
    sides.order(hostile)
    sides.channel[hostile] = replace(sides.channel[hostile], name=hostile)
    sides.at_hub(hostile, name=hostile, document=hostile)
    sides.at_erp(hostile, {"goods_minor": 9000}, by_hand=True, version=2, reference=hostile, key=hostile, ref=hostile)
    sides.order("o", entity=hostile)

    sides.reconcile(tmp_path)

    book = load_workbook(tmp_path / "2026-05" / "report.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if "Zqxv" in str(cell.value)]
    assert {cell.parent.title for cell in cells} >= {"Summary", "Channel", "Hub", "ERP", "Variances"}
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(str(cell.value).isprintable() for cell in cells)


def test_what_a_channel_typed_is_text_in_the_report_for_browsers(sides: Sides, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>\"'{{ 7*191 }}"
    sides.order(hostile)
    sides.channel[hostile] = replace(sides.channel[hostile], name=hostile)
    sides.at_hub(hostile, name=hostile)
    sides.at_erp(hostile, {"goods_minor": 9001}, reference=hostile)
    happened = TimelineItem(datetime(2026, 5, 20, tzinfo=UTC), hostile, hostile)

    sides.reconcile(tmp_path, timelines=lambda _order: [happened])

    page = (tmp_path / "2026-05" / "report.html").read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "1337" not in page


def test_days_are_days_and_every_sheet_has_its_filter(sides: Sides, tmp_path: Path) -> None:
    sides.at_erp("1002", {"goods_minor": 9000}, by_hand=True, version=2)

    sides.reconcile(tmp_path)

    book = load_workbook(tmp_path / "2026-05" / "report.xlsx")
    assert book["Hub"]["J2"].is_date
    assert book["Hub"]["U2"].number_format == "#,##0.00;[Red]-#,##0.00"
    filtered = {sheet.title for sheet in book if sheet.auto_filter.ref}
    assert filtered == {"Channel", "Hub", "ERP", "Variances", "Edited by hand in the ERP"}
