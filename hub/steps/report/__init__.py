"""The report for people: one HTML file that needs nothing else, no script and no network."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from hub.model.causes import CauseCode
from hub.model.cutoff import BUCKETS, CutoffList
from hub.model.postings import BooksComparison, PostingDifference
from hub.model.reconciliation import (
    CauseGroup,
    Comparison,
    Measure,
    Pair,
    Reconciliation,
    SideTotal,
    TimelineItem,
    Variance,
)
from hub.steps.report import words
from hub.steps.report.waterfall import Step, Waterfall, waterfall

HTML_VARIANCES_MAX: Final = 500
"""Variances shown one by one, of each measure; the JSON report has them all."""

HTML_CUTOFF_ROWS_MAX: Final = 100
"""Rows shown of each list of the cut-off; cutoff.json has more."""

_MONTHS: Final = "January February March April May June July August September October November December".split()


@dataclass(frozen=True, slots=True)
class SideLine:
    """One side of a cell, as a row of its table."""

    name: str
    orders: int
    total_minor: int
    delta_minor: int | None  # to the side before; None for the first


@dataclass(frozen=True, slots=True)
class Cell:
    """One company and one currency."""

    entity: str
    currency: str
    sides: tuple[SideLine, ...]
    groups: tuple[CauseGroup, ...]  # unexplained first, then the largest
    steps: Waterfall
    variances: tuple[Variance, ...]  # those shown one by one, in the order of what to do first
    variances_count: int
    unexplained_minor: int
    delta_minor: int  # last side − first side

    @property
    def state(self) -> str:
        """good: ties; warn: does not, and is explained; bad: is not explained."""
        return "bad" if self.unexplained_minor else "warn" if self.variances_count else "good"

    @property
    def held_minor(self) -> int:
        return sum(abs(group.amount_minor) for group in self.groups if group.code is CauseCode.HELD_ORDER)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The headline."""

    state: str  # as Cell.state
    head: str
    sentences: tuple[str, ...]


def render(reconciliation: Reconciliation, timelines: Mapping[str, Sequence[TimelineItem]]) -> str:
    """The report as HTML.

    Args:
        timelines: what happened to the orders at variance, by `channel/order`.
    """
    sales, payments = _cells(reconciliation.sales), _cells(reconciliation.payments)
    rows = [("Sales", cell) for cell in sales] + [("Payments", cell) for cell in payments]
    return _TEMPLATE.render(
        run=reconciliation,
        title=_title(reconciliation.period),
        verdict=_verdict(sales, payments, reconciliation.books),
        book_documents=_book_documents(reconciliation.books),
        rows=rows,
        measures=[
            (Measure.SALES, "Sales", sales, reconciliation.sales),
            (Measure.PAYMENTS, "Payments", payments, reconciliation.payments),
        ],
        words=words,
        timelines=timelines,
        variances_max=HTML_VARIANCES_MAX,
        cutoff=[(one, reconciliation.cutoff.shown(one)) for one in CutoffList] if reconciliation.cutoff else None,
        cutoff_buckets=tuple(BUCKETS),
        cutoff_rows_max=HTML_CUTOFF_ROWS_MAX,
    )


@dataclass(frozen=True, slots=True)
class BookDocument:
    """A document that does not tie in the books, with the accounts on which it does not."""

    lines: tuple[PostingDifference, ...]

    @property
    def unexplained(self) -> bool:
        return any(line.residual_minor or line.residual_functional_minor for line in self.lines)

    @property
    def largest_minor(self) -> int:
        return max(abs(line.delta_functional_minor) for line in self.lines)

    @property
    def codes(self) -> tuple[CauseCode, ...]:
        return tuple(dict.fromkeys(cause.code for line in self.lines for cause in line.causes))


def _book_documents(books: BooksComparison | None) -> list[BookDocument]:
    """By document, what is unexplained first, then the largest."""
    lines: dict[tuple[str, str, str], list[PostingDifference]] = {}
    for one in books.differences if books is not None else ():
        lines.setdefault((one.entity, one.document, one.ref), []).append(one)
    documents = [BookDocument(tuple(found)) for found in lines.values()]
    return sorted(documents, key=lambda one: (not one.unexplained, -one.largest_minor))


def _verdict(sales: Sequence[Cell], payments: Sequence[Cell], books: BooksComparison | None) -> Verdict:
    """What is held is told by its sales: the payments of a held order are the same money again."""
    cells = [*sales, *payments]
    variances = sum(cell.variances_count for cell in cells)
    if books is not None and books.is_unexplained and not any(cell.unexplained_minor for cell in cells):
        said = (
            "Nobody recorded why the ERP has other amounts on some accounts; look at them before you close the month."
        )
        return Verdict("bad", "The books do not tie: amounts are unexplained.", (said,))
    if not variances and books is not None and books.differences:
        said = (
            f"{books.documents - books.matched:,} documents stand otherwise in the ERP's general ledger; see below why."
        )
        return Verdict("warn", "The books do not tie yet, and every cent is explained.", (said,))
    if not variances:
        return Verdict("good", "Everything ties.", ("Every order, refund and payment is the same on every side.",))
    counted = f"{variances:,} variance{'' if variances == 1 else 's'}"
    sentences = [f"{counted} between the sides; the causes and what to do about each are below."]
    if held := _sums(sales, "held_minor"):
        sentences.append(f"Waiting in held orders: {held}.")
    measured = [("sales", _sums(sales, "unexplained_minor")), ("payments", _sums(payments, "unexplained_minor"))]
    if unexplained := " and ".join(f"{amounts} of {measure}" for measure, amounts in measured if amounts):
        sentences.insert(0, "Nobody recorded why these amounts differ; look at them before you close the month.")
        return Verdict("bad", f"It does not tie: unexplained {unexplained}.", tuple(sentences))
    return Verdict("warn", "It does not tie yet, and every cent is explained.", tuple(sentences))


def _sums(cells: Sequence[Cell], name: str) -> str:
    """The amounts of that name, summed by currency, for people; empty where all are zero."""
    sums: dict[str, int] = {}
    for cell in cells:
        sums[cell.currency] = sums.get(cell.currency, 0) + getattr(cell, name)
    return " and ".join(words.money(minor, currency) for currency, minor in sums.items() if minor)


def _title(period: str) -> str:
    year, month = period.split("-")
    return f"{_MONTHS[int(month) - 1]} {year}"


def _cells(comparison: Comparison) -> list[Cell]:
    names = {(total.entity, total.currency) for total in (*comparison.channel, *comparison.hub, *comparison.erp)}
    names |= {(variance.entity, variance.currency) for variance in comparison.variances}
    shown = _first_things_first(comparison.variances)[:HTML_VARIANCES_MAX]
    return [_cell(comparison, entity, currency, shown) for entity, currency in sorted(names)]


def _cell(comparison: Comparison, entity: str, currency: str, shown: Iterable[Variance]) -> Cell:
    def of(totals: Iterable[SideTotal]) -> SideTotal:
        found = [total for total in totals if (total.entity, total.currency) == (entity, currency)]
        return found[0] if found else SideTotal(entity, currency, 0, 0)

    totals = [("Hub", of(comparison.hub)), ("ERP", of(comparison.erp))]
    if Pair.CHANNEL_HUB in comparison.matched_pairs:
        totals.insert(0, ("Channel", of(comparison.channel)))
    sides = tuple(
        SideLine(
            name,
            total.orders,
            total.total_minor,
            total.total_minor - totals[index - 1][1].total_minor if index else None,
        )
        for index, (name, total) in enumerate(totals)
    )
    groups = tuple(
        sorted(
            (group for group in comparison.groups if (group.entity, group.currency) == (entity, currency)),
            key=lambda group: (group.code is not None, -group.gross_minor, group.pair, str(group.code)),
        )
    )
    own = [variance for variance in comparison.variances if (variance.entity, variance.currency) == (entity, currency)]
    return Cell(
        entity,
        currency,
        sides,
        groups,
        waterfall(_steps(sides, groups)),
        tuple(variance for variance in shown if (variance.entity, variance.currency) == (entity, currency)),
        len(own),
        sum(abs(variance.residual_minor) for variance in own),
        sides[-1].total_minor - sides[0].total_minor,
    )


def _steps(sides: Sequence[SideLine], groups: Sequence[CauseGroup]) -> tuple[Step, ...]:
    pairs = (Pair.CHANNEL_HUB, Pair.HUB_ERP)[-(len(sides) - 1) :]
    steps = [Step(sides[0].name, sides[0].total_minor, is_side=True)]
    for pair, side in zip(pairs, sides[1:], strict=True):
        for group in groups:
            if group.pair is pair and group.amount_minor:
                name = words.CAUSE[group.code] if group.code else words.UNEXPLAINED
                steps.append(Step(name, group.amount_minor, is_side=False, unexplained=group.code is None))
        steps.append(Step(side.name, side.total_minor, is_side=True))
    return tuple(steps)


def _first_things_first(variances: Iterable[Variance]) -> list[Variance]:
    """What nobody can explain, then what is held, then the largest."""

    def urgency(variance: Variance) -> tuple[bool, bool, int]:
        held = any(cause.code is CauseCode.HELD_ORDER for cause in variance.causes)
        return (not variance.residual_minor, not held, -abs(variance.delta_minor))

    return sorted(variances, key=urgency)


_TEMPLATE: Final = Environment(
    loader=PackageLoader("hub.steps.report", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("report.html.j2")
