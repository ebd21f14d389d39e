"""The reconciliation of a period, as a run: a folder that holds its inputs and says again what it said.

    channel.parquet hub.parquet erp.parquet   what the sides stated, periods next to this one included
    books-….parquet                           what should be posted, what was told of it, and what the ERP posted
    manifest.json                             digests of the content, versions of code, policies and crosswalks
    timelines.json                            what happened to the orders at variance
    waiting.json                              what waits for a person, by cause
    cutoff.json                               what the month's end cuts in two
    since.json                                what changed since the period was signed, where it was
    report.json report.html report.xlsx

`run` writes a folder and reconciles it; `rerun` reconciles a folder as it lies there.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from duckdb import DuckDBPyConnection
from pydantic import TypeAdapter

from hub.errors import Misconfigured
from hub.flow.compare import compare
from hub.flow.ledger_comparison import compare_ledgers
from hub.flow.ledgers import BOOK_COLUMNS
from hub.flow.match import COLUMNS, SIDES, month_of, window
from hub.flow.since import changes
from hub.model.chain import DayRoot
from hub.model.cutoff import Cutoff
from hub.model.postings import BooksComparison, PostingDifference
from hub.model.reconciliation import Comparison, Reconciliation, Signed, Since, TimelineItem, Variance, Waiting
from hub.model.statement import ChannelRow, ErpRow, HubRow
from hub.steps import ledger_files, parquet, statement_files
from hub.steps.ledger_files import BooksRead, BooksSealed
from hub.steps.report import HTML_VARIANCES_MAX, render
from hub.steps.report.workbook import write_workbook

FORMAT: Final = 1
"""Of the folder; goes up when what is in it changes."""

MANIFEST: Final = "manifest.json"
TIMELINES: Final = "timelines.json"
SINCE: Final = "since.json"
CUTOFF: Final = "cutoff.json"
WAITING: Final = "waiting.json"
REPORT_HTML: Final = "report.html"
REPORT_JSON: Final = "report.json"
REPORT_XLSX: Final = "report.xlsx"

_TIMELINES: Final[TypeAdapter[dict[str, list[TimelineItem]]]] = TypeAdapter(dict[str, list[TimelineItem]])

_SINCE: Final = TypeAdapter(Since)
_WAITING: Final = TypeAdapter(tuple[Waiting, ...])

_CUTOFF: Final = TypeAdapter(Cutoff)

Timelines = Callable[[str], Sequence[TimelineItem]]
"""What happened to the order named `channel/order`, oldest first."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a run was made of."""

    format: int
    period: str
    versions: dict[str, str]
    complete: bool
    channel_given: bool
    content: dict[str, str]  # SHA-256 of each side's rows, whatever their order
    bytes: dict[str, str]  # SHA-256 of each side's file
    event_chain: DayRoot | None = None  # the newest daily root by then: evidence beside the run, no part of its digest
    books: BooksSealed | None = None  # None: the ERP states no postings


_MANIFEST: Final = TypeAdapter(Manifest)


def run(
    folder: Path,
    period: str,
    *,
    channel: Iterable[ChannelRow] | None,
    hub: Iterable[HubRow],
    erp: Iterable[ErpRow],
    versions: dict[str, str],
    complete: bool,
    timelines: Timelines | None = None,
    signed: tuple[Signed, Path] | None = None,
    cutoff: Cutoff | None = None,
    waiting: Sequence[Waiting] | None = None,
    event_chain: DayRoot | None = None,
    books: BooksRead | None = None,
) -> Reconciliation:
    """The folder holds the run and both its reports.

    Rows are wanted for `hub.flow.match.window(period)` at the least; those beyond the period serve to find what was
    booked into the wrong one. Of a subject that a statement has twice, the newest version counts; an ERP document
    that stands twice is a finding, not a fault.

    Args:
        channel: None where no statement was given: then only hub and ERP are compared.
        versions: of code, policies, crosswalks; part of the digest.
        complete: every side was read whole.
        signed: the sign-off that stands for the period, and the folder of the run that was signed.
        cutoff: what the month's end cuts in two; kept beside the run, no part of its digest.
        waiting: what waits for a person now; kept in the same way.
        event_chain: the newest daily root, printed as evidence; None: no day is complete yet.
        books: the ERP's postings and all decisions, to be compared too; None: the ERP states no postings.

    Raises:
        Misconfigured: the period is not written `2026-05`, or the folder holds a run already.
    """
    month_of(period)
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / MANIFEST).exists():
        raise Misconfigured(f"reconcile: {folder} holds a run already; name another folder, or reconcile --from it")
    with parquet.connect() as connection:
        statement_files.write(connection, folder, channel=channel or (), hub=hub, erp=erp)
        given = channel is not None
        sealed = ledger_files.write(folder, books, window(period)[0].isoformat()) if books is not None else None
        _seal(
            connection, folder, period, versions, complete=complete, channel_given=given, root=event_chain, books=sealed
        )
    if signed is not None:
        (folder / SINCE).write_bytes(_SINCE.dump_json(_since(folder, period, *signed), indent=1))
    if waiting is not None:
        (folder / WAITING).write_bytes(_WAITING.dump_json(tuple(waiting), indent=1))
    if cutoff is not None:
        (folder / CUTOFF).write_bytes(_CUTOFF.dump_json(cutoff, indent=1))
    reconciliation = rerun(folder)
    told = _timelines(reconciliation, timelines) if timelines else {}
    (folder / TIMELINES).write_bytes(_TIMELINES.dump_json(told, indent=1))
    (folder / REPORT_JSON).write_text(json.dumps(as_json(reconciliation), indent=1))
    render_html(reconciliation, folder)
    render_workbook(reconciliation, folder)
    return reconciliation


def seal(folder: Path, period: str, *, versions: dict[str, str], complete: bool, channel_given: bool) -> None:
    """The manifest stands beside the parquet files and vouches for them."""
    with parquet.connect() as connection:
        statement_files.see(connection, folder)
        _seal(connection, folder, period, versions, complete=complete, channel_given=channel_given)


def _seal(
    connection: DuckDBPyConnection,
    folder: Path,
    period: str,
    versions: dict[str, str],
    *,
    complete: bool,
    channel_given: bool,
    root: DayRoot | None = None,
    books: BooksSealed | None = None,
) -> None:
    manifest = Manifest(
        FORMAT,
        period,
        dict(sorted(versions.items())),
        complete,
        channel_given,
        {side: parquet.content_digest(connection, side, COLUMNS[side]) for side in SIDES},
        {side: parquet.bytes_digest(folder / statement_files.file_of(side)) for side in SIDES},
        root,
        books,
    )
    (folder / MANIFEST).write_bytes(_MANIFEST.dump_json(manifest, indent=1))


def rerun(folder: Path) -> Reconciliation:
    """The reconciliation that the folder's files give; the same files give the same digest.

    Files that are not what the manifest vouches for are reconciled as they are, named in `altered`, and the digest is
    another.

    Raises:
        Misconfigured: the folder is no run.
        DoesNotAddUp: see `match`.
    """
    manifest = _manifest(folder)
    first, last = month_of(manifest.period)
    with parquet.connect() as connection, ThreadPoolExecutor(1) as beside:
        statement_files.see(connection, folder)
        found = beside.submit(
            lambda: {side: parquet.bytes_digest(folder / statement_files.file_of(side)) for side in SIDES}
        )
        compared = compare(connection, first, last, channel_given=manifest.channel_given)
        content = dict(manifest.content)
        for side, digest in found.result().items():
            if digest != manifest.bytes[side]:
                content[side] = parquet.content_digest(connection, side, COLUMNS[side])
    altered = [statement_files.file_of(side) for side in SIDES if content[side] != manifest.content[side]]
    books = _books(folder, manifest.books, first, last) if manifest.books is not None else None
    stated: tuple[Any, ...] = (
        FORMAT,
        manifest.period,
        manifest.versions,
        manifest.complete,
        manifest.channel_given,
        content,
        compared.digest,
    )
    if books is not None:
        stated = (*stated, books.digest)
        altered += books.altered
    return Reconciliation(
        period=manifest.period,
        run=folder.resolve().name,
        digest=sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest(),
        complete=manifest.complete and manifest.channel_given and not altered,
        altered=tuple(altered),
        channel_given=manifest.channel_given,
        versions=manifest.versions,
        sales=compared.sales,
        payments=compared.payments,
        since=_SINCE.validate_json((folder / SINCE).read_bytes()) if (folder / SINCE).exists() else None,
        waiting=_WAITING.validate_json((folder / WAITING).read_bytes()) if (folder / WAITING).exists() else None,
        cutoff=_CUTOFF.validate_json((folder / CUTOFF).read_bytes()) if (folder / CUTOFF).exists() else None,
        books=books.comparison if books is not None else None,
        event_chain=manifest.event_chain,
    )


@dataclass(frozen=True, slots=True)
class _Books:
    comparison: BooksComparison
    digest: str  # over the inputs, the rules and the result
    altered: list[str]


def _books(folder: Path, sealed: BooksSealed, first: date, last: date) -> _Books:
    content = dict(sealed.content)
    with parquet.connect() as connection:
        ledger_files.see(connection, folder)
        ledger_files.set_rules(connection, sealed.rules)
        comparison, digest = compare_ledgers(connection, first, last)
        for side, sum_of_bytes in sealed.bytes.items():
            if parquet.bytes_digest(folder / ledger_files.file_of(side)) != sum_of_bytes:
                content[side] = parquet.content_digest(connection, side, BOOK_COLUMNS[side])
    altered = [ledger_files.file_of(side) for side in content if content[side] != sealed.content[side]]
    return _Books(comparison, json.dumps((asdict(sealed.rules), content, digest), sort_keys=True), altered)


def render_html(reconciliation: Reconciliation, folder: Path) -> Path:
    """The report for people stands in the folder; its path."""
    kept = folder / TIMELINES
    told = _TIMELINES.validate_json(kept.read_bytes()) if kept.exists() else {}
    report = folder / REPORT_HTML
    report.write_text(render(reconciliation, told), encoding="utf-8")
    return report


def render_workbook(reconciliation: Reconciliation, folder: Path) -> Path:
    """The workbook for people who go on calculating stands in the folder; its path."""
    first, last = month_of(reconciliation.period)
    workbook = folder / REPORT_XLSX
    with parquet.connect() as connection:
        statement_files.see(connection, folder)
        write_workbook(reconciliation, connection, first, last, workbook)
    return workbook


def as_json(reconciliation: Reconciliation) -> dict[str, Any]:
    """The reconciliation with JSON-ready values; sales at the top, payments under a name of their own."""
    return {
        "period": reconciliation.period,
        "run": reconciliation.run,
        "digest": reconciliation.digest,
        **_comparison_json(reconciliation.sales, "orders"),
        "payments": _comparison_json(reconciliation.payments, "payments"),
        "complete": reconciliation.complete,
        "altered": list(reconciliation.altered),
        "versions": reconciliation.versions,
        "event_chain": _chain_json(reconciliation.event_chain),
        "since_signoff": _since_json(reconciliation.since),
        "cutoff": _cutoff_json(reconciliation.cutoff),
        **({"books": _books_json(reconciliation.books)} if reconciliation.books is not None else {}),
        "waiting": [asdict(one) | {"oldest": one.oldest.isoformat()} for one in reconciliation.waiting or ()],
    }


def _since(folder: Path, period: str, signed: Signed, before: Path) -> Since:
    """A side that one of the two runs did not read is not compared: it changed in nothing that anybody saw."""
    first, last = month_of(period)
    given = all(_manifest(run).channel_given for run in (folder, before))
    with parquet.connect() as connection:
        statement_files.see(connection, folder)
        statement_files.see(connection, before, prefix="was_")
        return Since(signed, changes(connection, first, last, SIDES if given else ("hub", "erp")))


def _manifest(folder: Path) -> Manifest:
    try:
        return _MANIFEST.validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise Misconfigured(f"reconcile: {folder} is not the folder of a run: there is no {MANIFEST} in it") from error
    except (OSError, ValueError) as error:
        raise Misconfigured(f"reconcile: {folder} is not the folder of a run: {MANIFEST}: {error}") from error


def _since_json(since: Since | None) -> dict[str, Any] | None:
    if since is None:
        return None
    signed = since.signed
    return {
        "run": signed.run,
        "digest": signed.digest,
        "signed_by": signed.by,
        "signed_at": signed.at.isoformat(),
        "changes": [asdict(change) | {"delta_minor": change.delta_minor} for change in since.changes],
    }


def _cutoff_json(cutoff: Cutoff | None) -> dict[str, Any] | None:
    """Its totals; the rows are beside it."""
    if cutoff is None:
        return None
    return {"on": cutoff.on.isoformat(), "totals": [asdict(total) for total in cutoff.totals]}


def _books_json(books: BooksComparison) -> dict[str, Any]:
    """A delta is ERP − expected; amounts in an account's currency, and what they are worth in the entity's."""
    return {
        "accounts": [
            asdict(one) | {"delta_minor": one.delta_minor, "delta_functional_minor": one.delta_functional_minor}
            for one in books.accounts
        ],
        "differences": [_difference_json(one) for one in books.differences],
        "causes": [asdict(one) | {"code": one.code and one.code.value} for one in books.groups],
        "left_out": [asdict(one) for one in books.left_out],
        "documents": books.documents,
        "matched": books.matched,
        "unexplained_minor": books.unexplained_minor,
        "unexplained_functional_minor": books.unexplained_functional_minor,
        "expected_trial_balance": [asdict(one) for one in books.trial_balance],
    }


def _difference_json(one: PostingDifference) -> dict[str, Any]:
    causes = [asdict(cause) | {"code": cause.code.value} for cause in one.causes]
    return asdict(one) | {"causes": causes}


def _chain_json(root: DayRoot | None) -> dict[str, Any] | None:
    return None if root is None else {**asdict(root), "day": root.day.isoformat()}


def _timelines(reconciliation: Reconciliation, timelines: Timelines) -> dict[str, list[TimelineItem]]:
    """Of the orders that the report for people shows, by `channel/order`."""
    told: dict[str, list[TimelineItem]] = {}
    for variance in (*reconciliation.sales.variances, *reconciliation.payments.variances):
        if variance.order is not None and len(told) < HTML_VARIANCES_MAX:
            name = f"{variance.channel}/{variance.order}"
            if name not in told:
                told[name] = list(timelines(name))
    return told


def _comparison_json(comparison: Comparison, counted: str) -> dict[str, Any]:
    return {
        "sides": {
            side: [
                {
                    "entity": total.entity,
                    "currency": total.currency,
                    counted: total.orders,
                    "total_minor": total.total_minor,
                }
                for total in totals
            ]
            for side, totals in (("channel", comparison.channel), ("hub", comparison.hub), ("erp", comparison.erp))
        },
        "matched": comparison.matched,
        "matched_pairs": {pair.value: count for pair, count in comparison.matched_pairs.items()},
        "variances": [_variance_json(variance) for variance in comparison.variances],
        "unexplained_minor": comparison.unexplained_minor,
    }


def _variance_json(variance: Variance) -> dict[str, Any]:
    return {
        "pair": variance.pair.value,
        "entity": variance.entity,
        "channel": variance.channel,
        "order": variance.order,
        "subject": variance.subject,
        "subject_id": variance.subject_id,
        "document": variance.document,
        "reference": variance.reference,
        "kind": variance.kind.value,
        "currency": variance.currency,
        "delta_minor": variance.delta_minor,
        "components": variance.components,
        "causes": [
            {"code": cause.code.value, "amount_minor": cause.amount_minor, "evidence": cause.evidence}
            for cause in variance.causes
        ],
        "residual_minor": variance.residual_minor,
    }
