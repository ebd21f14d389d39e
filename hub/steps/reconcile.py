"""The reconciliation of a period, as a run: a folder that holds its inputs and says again what it said.

    channel.parquet hub.parquet erp.parquet   what the sides stated, periods next to this one included
    manifest.json                             digests of the content, versions of code, policies and crosswalks
    timelines.json                            what happened to the orders at variance
    report.json report.html

`run` writes a folder and reconciles it; `rerun` reconciles a folder as it lies there.
"""

import datetime
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Final

import duckdb
from pydantic import TypeAdapter

from hub.errors import Misconfigured
from hub.flow.explain import explain
from hub.flow.match import AMOUNTS, COLUMNS, SIDES, match, month_of
from hub.model.reconciliation import (
    Cause,
    CauseCode,
    CauseGroup,
    Comparison,
    Kind,
    Measure,
    Pair,
    Reconciliation,
    SideTotal,
    TimelineItem,
    Variance,
)
from hub.model.statement import ChannelRow, ErpRow, HubRow, StatementRow
from hub.steps.report import HTML_VARIANCES_MAX, render

FORMAT: Final = 1
"""Of the folder; goes up when what is in it changes."""

THREADS: Final = 2
MANIFEST: Final = "manifest.json"
TIMELINES: Final = "timelines.json"
REPORT_HTML: Final = "report.html"
REPORT_JSON: Final = "report.json"

_PLAIN: Final = tuple(field.name for field in fields(StatementRow) if field.name != "order")
_TIMELINES: Final[TypeAdapter[dict[str, list[TimelineItem]]]] = TypeAdapter(dict[str, list[TimelineItem]])

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
    files: dict[str, str]  # SHA-256 of each file


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
) -> Reconciliation:
    """The folder holds the run and both its reports.

    Rows are wanted for `hub.flow.match.window(period)` at the least; those beyond the period serve to find what was
    booked into the wrong one. Of a subject that a statement has twice, the newest version counts; an ERP document
    that stands twice is a finding, not a fault.

    Args:
        channel: None where no statement was given: then only hub and ERP are compared.
        versions: of code, policies, crosswalks; part of the digest.
        complete: every side was read whole.

    Raises:
        Misconfigured: the period is not written `2026-05`, or the folder holds a run already.
    """
    _month(period)
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / MANIFEST).exists():
        raise Misconfigured(f"reconcile: {folder} holds a run already; name another folder, or reconcile --from it")
    with _connect() as connection:
        _load(connection, folder, "channel", (_channel_line(row) for row in channel or ()))
        _load(connection, folder, "hub", (_hub_line(row) for row in hub))
        _load(connection, folder, "erp", (_erp_line(row) for row in erp))
        _settle_doubles(connection)
        for side, order in _ORDER.items():
            connection.execute(f"COPY (FROM {side} ORDER BY {order}) TO '{_sql_path(folder, side)}' (FORMAT parquet)")
    seal(folder, period, versions=versions, complete=complete, channel_given=channel is not None)
    reconciliation = rerun(folder)
    told = _timelines(reconciliation, timelines) if timelines else {}
    (folder / TIMELINES).write_bytes(_TIMELINES.dump_json(told, indent=1))
    (folder / REPORT_JSON).write_text(json.dumps(as_json(reconciliation), indent=1))
    render_html(reconciliation, folder)
    return reconciliation


def seal(folder: Path, period: str, *, versions: dict[str, str], complete: bool, channel_given: bool) -> None:
    """The manifest stands beside the parquet files and vouches for them."""
    with _connect() as connection:
        _see(connection, folder)
        manifest = Manifest(
            FORMAT,
            period,
            dict(sorted(versions.items())),
            complete,
            channel_given,
            {side: _content_digest(connection, side) for side in SIDES},
            {_file(side): _file_digest(folder / _file(side)) for side in SIDES},
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
    try:
        manifest = _MANIFEST.validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise Misconfigured(f"reconcile: {folder} is not the folder of a run: {MANIFEST}: {error}") from error
    first, last = _month(manifest.period)
    with _connect() as connection:
        _see(connection, folder)
        content = {}
        for side in SIDES:
            untouched = manifest.files.get(_file(side)) == _file_digest(folder / _file(side))
            content[side] = manifest.content[side] if untouched else _content_digest(connection, side)
        altered = tuple(_file(side) for side in SIDES if content[side] != manifest.content[side])
        match(connection, first, last, channel_given=manifest.channel_given)
        explain(connection)
        connection.execute(_NUMBERED)
        result = _one_text(connection, _RESULT_DIGEST)
        stated = [FORMAT, manifest.period, manifest.versions, manifest.complete, manifest.channel_given, content, result]
        return Reconciliation(
            period=manifest.period,
            run=folder.resolve().name,
            digest=sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest(),
            complete=manifest.complete and manifest.channel_given and not altered,
            altered=altered,
            channel_given=manifest.channel_given,
            versions=manifest.versions,
            sales=_comparison(connection, Measure.SALES, manifest.channel_given),
            payments=_comparison(connection, Measure.PAYMENTS, manifest.channel_given),
        )


def render_html(reconciliation: Reconciliation, folder: Path) -> Path:
    """The report for people stands in the folder; its path."""
    kept = folder / TIMELINES
    told = _TIMELINES.validate_json(kept.read_bytes()) if kept.exists() else {}
    report = folder / REPORT_HTML
    report.write_text(render(reconciliation, told), encoding="utf-8")
    return report


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
    }


# --- the folder ----------------------------------------------------------------------------------------------------

_ORDER: Final = {
    "channel": "channel, order_id, subject, subject_id",
    "hub": "channel, order_id, subject, subject_id",
    "erp": "key, ref, voided",
}


def _month(period: str) -> tuple[datetime.date, datetime.date]:
    try:
        return month_of(period)
    except ValueError:
        raise Misconfigured(f"reconcile: {period!r} is not a period; write the year and the month: 2026-05") from None


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"SET threads = {THREADS}; SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
    return connection


def _file(side: str) -> str:
    return f"{side}.parquet"


def _sql_path(folder: Path, side: str) -> str:
    return str(folder / _file(side)).replace("'", "''")


def _see(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    for side, columns in COLUMNS.items():
        try:
            connection.execute(
                f"CREATE VIEW {side} AS SELECT {', '.join(columns)}, file_row_number AS line"
                f" FROM read_parquet('{_sql_path(folder, side)}', file_row_number = true)"
            )
        except duckdb.Error as error:
            raise Misconfigured(f"reconcile: {folder / _file(side)} cannot be read: {error}") from error


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _one_text(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    row = connection.execute(query).fetchone()
    return str(row[0]) if row else ""


def _content_digest(connection: duckdb.DuckDBPyConnection, side: str) -> str:
    """SHA-256 over the sorted SHA-256 of the rows: the same for the same rows in any order."""
    row = ", ".join(COLUMNS[side])
    return _one_text(
        connection,
        f"SELECT sha256(coalesce(string_agg(digest, '' ORDER BY digest), '')) FROM "
        f"(SELECT sha256(json_array({row})::VARCHAR) AS digest FROM {side})",
    )


def _load(connection: duckdb.DuckDBPyConnection, folder: Path, side: str, lines: Iterator[str]) -> None:
    """The side's rows are a table; they pass through a file, so that memory stays flat."""
    passing = folder / f"{side}.jsonl"
    try:
        with passing.open("w", encoding="utf-8", errors="replace") as file:
            file.writelines(lines)
        columns = "{" + ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS[side].items()) + "}"
        path = str(passing).replace("'", "''")
        connection.execute(
            f"CREATE TABLE {side} AS FROM read_json('{path}', format = 'newline_delimited', columns = {columns})"
        )
    finally:
        passing.unlink(missing_ok=True)


def _settle_doubles(connection: duckdb.DuckDBPyConnection) -> None:
    """A subject stands once on the channel's side and the hub's.

    Of several rows of one subject the newest version counts; of equals, either is the same row.
    """
    for side in ("channel", "hub"):
        connection.execute(
            f"CREATE OR REPLACE TABLE {side} AS FROM {side} QUALIFY row_number() OVER ("
            f"PARTITION BY channel, order_id, subject, subject_id"
            f" ORDER BY try_cast(modified_at AS TIMESTAMPTZ) DESC NULLS LAST, {', '.join(COLUMNS[side])}) = 1"
        )


def _plain(row: StatementRow) -> dict[str, Any]:
    plain: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
    plain["order_id"] = row.order
    return plain


def _line(plain: dict[str, Any]) -> str:
    return json.dumps(plain, ensure_ascii=False, default=str) + "\n"


def _channel_line(stated: ChannelRow) -> str:
    return _line(_plain(stated.row) | {"modified_at": stated.modified_at})


def _hub_line(stated: HubRow) -> str:
    return _line(_plain(stated.row) | {name: getattr(stated, name) for name in _HUB_EXTRA})


def _erp_line(stated: ErpRow) -> str:
    return _line(_plain(stated.row) | {name: getattr(stated, name) for name in _ERP_EXTRA})


_HUB_EXTRA: Final = tuple(field.name for field in fields(HubRow) if field.name != "row")
_ERP_EXTRA: Final = tuple(field.name for field in fields(ErpRow) if field.name != "row")


# --- the result ----------------------------------------------------------------------------------------------------

_NUMBERED = f"""
CREATE TEMP TABLE numbered AS
SELECT row_number() OVER (
    ORDER BY measure, pair, entity, currency, kind, channel, order_id, subject, subject_id, document, side, delta_minor
) AS number, * FROM explained;
CREATE TEMP TABLE told AS
SELECT number, measure, code, amount_minor, evidence FROM cause JOIN numbered USING (suspect_id, pair, side)
"""

_COMPONENTS: Final = ", ".join(f"{amount}_minor" for amount in AMOUNTS)

_SHOWN: Final = (
    "number, pair, entity, coalesce(channel, ''), order_id, subject, subject_id, document, reference, kind, currency,"
    " delta_minor, residual_minor"
)

_RESULT_DIGEST = f"""
SELECT sha256(concat(
    (SELECT string_agg(line, chr(10) ORDER BY line) FROM (SELECT json_array(*COLUMNS(*))::VARCHAR AS line FROM side)),
    (SELECT string_agg(json_array({_SHOWN}, {_COMPONENTS})::VARCHAR, chr(10) ORDER BY number) FROM numbered),
    (SELECT string_agg(json_array(number, code, amount_minor, evidence)::VARCHAR, chr(10) ORDER BY number, code) FROM told)
))"""


def _comparison(connection: duckdb.DuckDBPyConnection, measure: Measure, channel_given: bool) -> Comparison:
    sides: dict[str, list[SideTotal]] = {side: [] for side in SIDES}
    subjects = 0
    for side, entity, currency, orders, count, total in connection.execute(
        "SELECT side, entity, currency, orders, subjects, total_minor FROM side WHERE measure = ? ORDER BY ALL",
        [measure.value],
    ).fetchall():
        subjects += count if side == "hub" else 0
        if side != "channel" or channel_given:
            sides[side].append(SideTotal(entity, currency, orders, total))
    variances = _variances(connection, measure)
    unexplained = {total.currency: 0 for totals in sides.values() for total in totals}
    for variance in variances:
        unexplained[variance.currency] = unexplained.get(variance.currency, 0) + abs(variance.residual_minor)
    differing = connection.execute(_DIFFERING, [measure.value]).fetchone() or (0, 0, 0)
    pairs = [Pair.CHANNEL_HUB, Pair.HUB_ERP] if channel_given else [Pair.HUB_ERP]
    return Comparison(
        channel=tuple(sides["channel"]),
        hub=tuple(sides["hub"]),
        erp=tuple(sides["erp"]),
        matched=subjects - differing[0],
        matched_pairs={pair: subjects - differing[1 if pair is Pair.CHANNEL_HUB else 2] for pair in pairs},
        variances=variances,
        groups=_groups(connection, measure),
        unexplained_minor=dict(sorted(unexplained.items())),
    )


# The hub's subjects of the period that do not tie: with a side, with the channel, with the ERP.
_DIFFERING = """
SELECT count(*), count(*) FILTER (channel_hub), count(*) FILTER (hub_erp) FROM suspect
WHERE h_in AND CASE h_subject WHEN 'payment' THEN 'payments' ELSE 'sales' END = ?
"""


def _variances(connection: duckdb.DuckDBPyConnection, measure: Measure) -> tuple[Variance, ...]:
    causes: dict[int, list[Cause]] = {}
    for number, code, amount, evidence in connection.execute(
        "SELECT number, code, amount_minor, evidence FROM told WHERE measure = ? ORDER BY number, code", [measure.value]
    ).fetchall():
        facts = {name: fact for name, fact in json.loads(evidence).items() if fact is not None}
        causes.setdefault(number, []).append(Cause(CauseCode(code), amount, facts))
    rows = connection.execute(
        f"SELECT {_SHOWN}, {_COMPONENTS} FROM numbered WHERE measure = ? ORDER BY number", [measure.value]
    ).fetchall()
    return tuple(
        Variance(
            pair=Pair(row[1]),
            entity=row[2],
            channel=row[3],
            order=row[4],
            subject=row[5],
            subject_id=row[6],
            document=row[7],
            reference=row[8],
            kind=Kind(row[9]),
            currency=row[10],
            delta_minor=row[11],
            components={name: minor for name, minor in zip(AMOUNTS, row[13:], strict=True) if minor},
            causes=tuple(causes.get(row[0], ())),
            residual_minor=row[12],
        )
        for row in rows
    )


def _groups(connection: duckdb.DuckDBPyConnection, measure: Measure) -> tuple[CauseGroup, ...]:
    return tuple(
        CauseGroup(Pair(pair), entity, currency, CauseCode(code) if code else None, count, amount, gross)
        for pair, entity, currency, code, count, amount, gross in connection.execute(
            "SELECT pair, entity, currency, code, variances, amount_minor, gross_minor FROM cause_group"
            " WHERE measure = ? ORDER BY entity, currency, pair, code NULLS FIRST",
            [measure.value],
        ).fetchall()
    )


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
