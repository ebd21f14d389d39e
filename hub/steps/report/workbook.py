"""The workbook: typed cells and filters, a sheet a side and one a cause, and a summary that ties by formulas.

Each difference of two sides is, by formula, the sum of the cause sheets and of what is unexplained.

Amounts are numbers in the currency's own units; what a channel or a person typed is text, never a formula.
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from duckdb import DuckDBPyConnection
from openpyxl import Workbook
from openpyxl.cell.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from hub.flow.match import AMOUNTS, SIDES, TOTAL
from hub.model.causes import CauseCode
from hub.model.cutoff import Cutoff
from hub.model.money import EXPONENTS
from hub.model.postings import BooksComparison
from hub.model.reconciliation import Comparison, Measure, Pair, Reconciliation, Variance, Waiting
from hub.steps.report import words

SIDE_ROWS_MAX: Final = 20_000
"""Rows of one side's sheet; the others stand in it as one row for each measure, entity and currency."""

VARIANCES: Final = "Variances"
SUMMARY: Final = "Summary"
WAITING: Final = "Waiting"
CUTOFF: Final = "Cut-off"
BOOKS: Final = "Books"
BOOK_DIFFERENCES: Final = "Book differences"

_SIDE_HEADS: Final = (
    *("Measure", "Entity", "Currency", "Channel", "Order", "Name", "Subject", "Subject id", "Document", "Date"),
    *(amount.capitalize() for amount in AMOUNTS),
    "Total",
)
_NAMED: Final = {"channel": ("name", "''"), "hub": ("name", "document"), "erp": ("reference", "key")}
_TOTAL_COLUMN: Final = get_column_letter(len(_SIDE_HEADS))
_WIDTHS: Final = {"Name": 14, "Document": 28, "Subject id": 18, "Order": 16, "Evidence": 90, "Why": 60}

_BOLD: Final = Font(bold=True)
_HEAD: Final = PatternFill("solid", fgColor="E8E8E8")


def write_workbook(
    reconciliation: Reconciliation,
    connection: DuckDBPyConnection,
    first: datetime.date,
    last: datetime.date,
    path: Path,
) -> None:
    """The workbook stands at `path`.

    Args:
        connection: with the relations channel, hub and erp, as `hub.flow.match` wants them.
    """
    book = Workbook(write_only=True)
    summary = _sheet(book, SUMMARY, [30, 14, 10, *[16] * 11])
    shown = [side for side in SIDES if side != "channel" or reconciliation.channel_given]
    for side in shown:
        _side(book, connection, side, first, last)
    told = [
        (measure, variance)
        for measure, comparison in ((Measure.SALES, reconciliation.sales), (Measure.PAYMENTS, reconciliation.payments))
        for variance in comparison.variances
    ]
    _variances(book, told)
    codes = _causes(book, told)
    if reconciliation.books is not None:
        _books(book, reconciliation.books)
    if reconciliation.cutoff is not None:
        _cutoff(book, reconciliation.cutoff)
    if reconciliation.waiting:
        _waiting(book, reconciliation.waiting)
    for row in _summary(summary, reconciliation, shown, codes):
        summary.append(row)
    book.save(path)


# --- the summary --------------------------------------------------------------------------------------------------


def _summary(
    sheet: Worksheet, reconciliation: Reconciliation, shown: Sequence[str], codes: Sequence[CauseCode]
) -> Iterator[list[Any]]:
    yield [_bold(sheet, f"Reconciliation {reconciliation.period}")]
    yield ["Run", reconciliation.run]
    yield ["Digest", reconciliation.digest]
    yield ["Complete", "yes" if reconciliation.complete else "no: see the report"]
    yield []
    pairs = [pair for pair in Pair if pair is Pair.HUB_ERP or reconciliation.channel_given]
    heads = ["Measure", "Entity", "Currency", *(words.SIDE[side] for side in shown)]
    for pair in pairs:
        left, right = _ends(pair)
        heads += [f"{words.SIDE[right]} − {words.SIDE[left]}", "explained", "unexplained", "check"]
    yield _heads(sheet, heads)
    line = 6
    for measure, comparison in ((Measure.SALES, reconciliation.sales), (Measure.PAYMENTS, reconciliation.payments)):
        for entity, currency in _cells_of(comparison):
            line += 1
            yield _summary_line(sheet, line, measure, entity, currency, shown, pairs, codes)
    yield []
    yield _heads(sheet, ["Cause", "Variances", "What it means", "What to do"])
    for code in codes:
        name = _cause_sheet(code)
        counted = f"=COUNTA('{name}'!A:A)-1"
        yield [words.CAUSE[code], counted, words.MEANING[code], words.TO_DO[code]]


def _summary_line(
    sheet: Worksheet,
    line: int,
    measure: Measure,
    entity: str,
    currency: str,
    shown: Sequence[str],
    pairs: Sequence[Pair],
    codes: Sequence[CauseCode],
) -> list[Any]:
    places = EXPONENTS.get(currency, 0)

    def amount(formula: str) -> Cell:
        return _formatted(sheet, f"={formula}", currency)

    row: list[Any] = [_text(sheet, text) for text in (measure.value, entity, currency)]
    column_of = {}
    for side in shown:
        column_of[side] = get_column_letter(len(row) + 1)
        row.append(amount(_sum_ifs(words.SIDE[side], _TOTAL_COLUMN, "ABC", line)))
    for pair in pairs:
        left, right = _ends(pair)
        delta, explained, rest = (get_column_letter(len(row) + place) for place in (1, 2, 3))
        row.append(amount(f"{column_of[right]}{line}-{column_of[left]}{line}"))
        row.append(amount("+".join(_sum_ifs(_cause_sheet(code), "K", "ABC", line, pair) for code in codes) or "0"))
        row.append(amount(_sum_ifs(VARIANCES, "M", "ABC", line, pair)))
        row.append(f'=IF(ROUND({delta}{line}-{explained}{line}-{rest}{line},{places})=0,"ties","does not tie")')
    return row


def _sum_ifs(sheet: str, summed: str, columns: str, line: int, pair: Pair | None = None) -> str:
    """The sum of a sheet's column over the rows of this line's measure, entity and currency, and of the pair."""
    conditions = "".join(f",'{sheet}'!{column}:{column},${column}{line}" for column in columns)
    if pair is not None:
        conditions += f",'{sheet}'!D:D,\"{pair.value}\""
    return f"SUMIFS('{sheet}'!{summed}:{summed}{conditions})"


def _ends(pair: Pair) -> tuple[str, str]:
    return ("channel", "hub") if pair is Pair.CHANNEL_HUB else ("hub", "erp")


def _cells_of(comparison: Comparison) -> list[tuple[str, str]]:
    totals = (*comparison.channel, *comparison.hub, *comparison.erp)
    return sorted({(x.entity, x.currency) for x in totals} | {(x.entity, x.currency) for x in comparison.variances})


# --- the sheets behind it -----------------------------------------------------------------------------------------


def _side(book: Workbook, connection: DuckDBPyConnection, side: str, first: datetime.date, last: datetime.date) -> None:
    sheet = _sheet(book, words.SIDE[side], [_WIDTHS.get(head, 12) for head in _SIDE_HEADS])
    sheet.append(_heads(sheet, _SIDE_HEADS))
    name, document = _NAMED[side]
    stands = "AND NOT voided" if side == "erp" else ""
    rows = connection.execute(
        f"""
        WITH counted AS (
            SELECT *, CASE subject WHEN 'payment' THEN 'payments' ELSE 'sales' END AS measure, {TOTAL} AS total,
                row_number() OVER (ORDER BY subject, channel, order_id, subject_id, line) AS place
            FROM {side} WHERE date BETWEEN ? AND ? {stands}
        )
        SELECT measure, entity, currency, channel, order_id, {name}, subject, subject_id, {document}, date,
            {", ".join(f"{amount}_minor" for amount in AMOUNTS)}, total
        FROM counted WHERE place <= {SIDE_ROWS_MAX}
        UNION ALL
        SELECT measure, entity, currency, '', '', count(*) || ' more', '', '', '', NULL,
            {", ".join(f"sum({amount}_minor)" for amount in AMOUNTS)}, sum(total)
        FROM counted WHERE place > {SIDE_ROWS_MAX} GROUP BY ALL
        ORDER BY ALL
        """,  # noqa: S608  put together from constants
        [first, last],
    ).fetchall()
    for row in rows:
        texts = [_text(sheet, text) for text in row[:9]]
        sheet.append([*texts, row[9], *(_money(sheet, minor, row[2]) for minor in row[10:])])
    _filtered(sheet, len(_SIDE_HEADS), len(rows))


def _variances(book: Workbook, told: Sequence[tuple[Measure, Variance]]) -> None:
    heads = (
        *("Measure", "Entity", "Currency", "Pair", "Channel", "Order", "Name", "Subject", "Subject id", "Document"),
        *("Difference", "Explained", "Unexplained", "Kind", "Why"),
    )
    sheet = _sheet(book, VARIANCES, [_WIDTHS.get(head, 13) for head in heads])
    sheet.append(_heads(sheet, heads))
    for measure, one in told:
        explained = sum(cause.amount_minor for cause in one.causes)
        why = "; ".join(words.CAUSE[cause.code] for cause in one.causes)
        sheet.append(
            [
                *_place(sheet, measure, one),
                _money(sheet, one.delta_minor, one.currency),
                _money(sheet, explained, one.currency),
                _money(sheet, one.residual_minor, one.currency),
                _text(sheet, one.kind.value.replace("_", " ")),
                _text(sheet, why),
            ]
        )
    _filtered(sheet, len(heads), len(told))


def _causes(book: Workbook, told: Sequence[tuple[Measure, Variance]]) -> list[CauseCode]:
    """A sheet for each cause that was found; the causes, in the order of their sheets."""
    found = {cause.code for _, variance in told for cause in variance.causes}
    codes = [code for code in CauseCode if code in found]
    heads = (
        *("Measure", "Entity", "Currency", "Pair", "Channel", "Order", "Name", "Subject", "Subject id", "Document"),
        *("Amount", "Evidence"),
    )
    for code in codes:
        sheet = _sheet(book, _cause_sheet(code), [_WIDTHS.get(head, 13) for head in heads])
        sheet.append(_heads(sheet, heads))
        count = 0
        for measure, one in told:
            for cause in one.causes:
                if cause.code is not code:
                    continue
                evidence = words.because(cause, one.currency)
                amount = _money(sheet, cause.amount_minor, one.currency)
                sheet.append([*_place(sheet, measure, one), amount, _text(sheet, evidence)])
                count += 1
        _filtered(sheet, len(heads), count)
    return codes


def _books(book: Workbook, books: BooksComparison) -> None:
    """A row an account, and on another sheet a row for each cause of a document on an account, and for what is left."""
    heads = ("Entity", "Account", "Name", "Currency", "Expected", "ERP", "Difference", "Unexplained", "Worth", "Note")
    sheet = _sheet(book, BOOKS, [30 if head in ("Name", "Note") else 13 for head in heads])
    sheet.append(_heads(sheet, heads))
    for line, one in enumerate(books.accounts, 2):
        texts = (one.entity, one.account, one.name, one.currency)
        amounts = (one.expected_minor, one.erp_minor)
        sheet.append(
            [
                *(_text(sheet, text) for text in texts),
                *(_money(sheet, minor, one.currency) for minor in amounts),
                _formatted(sheet, f"=F{line}-E{line}", one.currency),
                _money(sheet, one.unexplained_minor, one.currency),
                _money(sheet, one.delta_functional_minor, one.functional),
            ]
        )
    for left in books.left_out:
        note = f"not compared: {words.LEFT_OUT[left.why]}"
        named = (_text(sheet, text) for text in ("", left.account, left.name, ""))
        sheet.append([*named, *[None] * 5, _text(sheet, note)])
    _filtered(sheet, len(heads), len(books.accounts) + len(books.left_out))
    _book_differences(book, books)


def _book_differences(book: Workbook, books: BooksComparison) -> None:
    heads = (
        *("Entity", "Account", "Currency", "Document", "In the ERP", "Kind", "Channel", "Order", "Name"),
        *("Cause", "Amount", "Worth", "Evidence"),
    )
    sheet = _sheet(book, BOOK_DIFFERENCES, [_WIDTHS.get(head, 13) for head in heads])
    sheet.append(_heads(sheet, heads))
    count = 0
    for one_of in books.differences:
        place = (
            *(one_of.entity, one_of.account, one_of.currency, one_of.document, one_of.ref),
            *(one_of.kind.replace("_", " "), one_of.channel, one_of.order, one_of.reference),
        )
        found = [
            (words.CAUSE[x.code], x.amount_minor, x.functional_minor, words.because_posted(x, one_of.currency))
            for x in one_of.causes
        ]
        if one_of.residual_minor or one_of.residual_functional_minor:
            found.append((words.UNEXPLAINED, one_of.residual_minor, one_of.residual_functional_minor, ""))
        for name, minor, worth, evidence in found:
            texts_of = (_text(sheet, text) for text in (*place, name))
            amount, worth_cell = _money(sheet, minor, one_of.currency), _money(sheet, worth, one_of.functional)
            sheet.append([*texts_of, amount, worth_cell, _text(sheet, evidence)])
            count += 1
    _filtered(sheet, len(heads), count)


def _cutoff(book: Workbook, cutoff: Cutoff) -> None:
    heads = (
        *("List", "Entity", "Currency", "Channel", "Order", "Name", "Document", "Kind"),
        *("Amount", "Since", "Days", "Why"),
    )
    sheet = _sheet(book, CUTOFF, [30 if head == "List" else _WIDTHS.get(head, 13) for head in heads])
    sheet.append(_heads(sheet, heads))
    for row in cutoff.rows:
        texts = (
            *(words.CUTOFF[row.list], row.entity, row.currency, row.channel, row.order, row.name),
            *(row.document, row.kind.replace("_", " ")),
        )
        amount = None if row.amount_minor is None else _money(sheet, row.amount_minor, row.currency)
        why = _text(sheet, words.cut_because(row))
        sheet.append([*(_text(sheet, text) for text in texts), amount, row.since, row.age_days, why])
    _filtered(sheet, len(heads), len(cutoff.rows))


def _waiting(book: Workbook, waiting: Sequence[Waiting]) -> None:
    """A row a cause and currency."""
    heads = ("Cause", "Orders", "Currency", "Money held", "Oldest", "What to do", "Whose")
    sheet = _sheet(book, WAITING, [46, 10, 10, 16, 12, 70, 16])
    sheet.append(_heads(sheet, heads))
    count = 0
    for one in waiting:
        for currency, minor in one.held_minor.items() or [("", None)]:
            held = None if minor is None else _money(sheet, minor, currency)
            texts = (_text(sheet, one.remedy), _text(sheet, one.assignee))
            sheet.append([_text(sheet, one.cause), one.orders, _text(sheet, currency), held, one.oldest.date(), *texts])
            count += 1
    _filtered(sheet, len(heads), count)


def _place(sheet: Worksheet, measure: Measure, one: Variance) -> list[Any]:
    texts = (measure.value, one.entity, one.currency, one.pair.value, one.channel, one.order or "", one.reference)
    return [_text(sheet, text) for text in (*texts, one.subject, one.subject_id, one.document)]


def _cause_sheet(code: CauseCode) -> str:
    return words.CAUSE[code][:31].replace("/", " ")


# --- cells --------------------------------------------------------------------------------------------------------


def _sheet(book: Workbook, title: str, widths: Iterable[int]) -> Worksheet:
    sheet: Worksheet = book.create_sheet(title)
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    if title != SUMMARY:
        sheet.freeze_panes = "A2"
    return sheet


def _filtered(sheet: Worksheet, columns: int, rows: int) -> None:
    sheet.auto_filter.ref = f"A1:{get_column_letter(columns)}{rows + 1}"


def _heads(sheet: Worksheet, heads: Iterable[str]) -> list[Any]:
    row = []
    for head in heads:
        cell = _bold(sheet, head)
        cell.fill = _HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        row.append(cell)
    return row


def _bold(sheet: Worksheet, text: str) -> Cell:
    cell = _text(sheet, text)
    cell.font = _BOLD
    return cell


def _text(sheet: Worksheet, text: object) -> Cell:
    """Text as text: what begins like a formula is none."""
    cell = WriteOnlyCell(sheet, value="")
    cell.value = _printable(str(text or ""))
    cell.data_type = "s"
    return cell


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _money(sheet: Worksheet, minor: int, currency: str) -> Cell:
    return _formatted(sheet, Decimal(int(minor)).scaleb(-EXPONENTS.get(currency, 0)), currency)


def _formatted(sheet: Worksheet, value: str | Decimal, currency: str) -> Cell:
    cell = WriteOnlyCell(sheet, value=value)  # type: ignore[arg-type]  # the stubs do not know that it takes a Decimal
    places = EXPONENTS.get(currency, 0)
    plain = "#,##0" + (f".{'0' * places}" if places else "")
    cell.number_format = f"{plain};[Red]-{plain}"
    return cell
