"""Comparing: three statements in, what ties, what does not and why out, as types of the model."""
# ruff: noqa: S608  the statements are put together from constants of this file

import datetime
import json
from dataclasses import dataclass
from typing import Final

from duckdb import DuckDBPyConnection

from hub.flow.explain import explain
from hub.flow.match import AMOUNTS, SIDES, match
from hub.model.causes import CauseCode
from hub.model.reconciliation import Cause, CauseGroup, Comparison, Kind, Measure, Pair, SideTotal, Variance


@dataclass(frozen=True, slots=True)
class Compared:
    sales: Comparison
    payments: Comparison
    digest: str  # SHA-256 of sides, variances and causes


def compare(
    connection: DuckDBPyConnection, first: datetime.date, last: datetime.date, *, channel_given: bool
) -> Compared:
    """Both measures of the days from first to last; see `match` for the relations wanted and what is raised."""
    match(connection, first, last, channel_given=channel_given)
    explain(connection)
    connection.execute(_NUMBERED)
    [(digest,)] = connection.execute(_RESULT_DIGEST).fetchall()
    sales, payments = (_comparison(connection, measure, channel_given) for measure in Measure)
    return Compared(sales, payments, digest)


_NUMBERED = """
CREATE OR REPLACE TEMP TABLE numbered AS
SELECT row_number() OVER (
    ORDER BY measure, pair, entity, currency, kind, channel, order_id, subject, subject_id, document, side, delta_minor
) AS number, * FROM explained;
CREATE OR REPLACE TEMP TABLE told AS
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
    (SELECT string_agg(json_array(number, code, amount_minor, evidence)::VARCHAR, chr(10) ORDER BY number, code)
        FROM told)
))"""


def _comparison(connection: DuckDBPyConnection, measure: Measure, channel_given: bool) -> Comparison:
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


_PAIRS: Final = {pair.value: pair for pair in Pair}
_KINDS: Final = {kind.value: kind for kind in Kind}
_CODES: Final = {code.value: code for code in CauseCode}

# The hub's subjects of the period that do not tie: with a side, with the channel, with the ERP.
_DIFFERING = """
SELECT count(*), count(*) FILTER (channel_hub), count(*) FILTER (hub_erp) FROM suspect
WHERE h_in AND CASE h_subject WHEN 'payment' THEN 'payments' ELSE 'sales' END = ?
"""


def _variances(connection: DuckDBPyConnection, measure: Measure) -> tuple[Variance, ...]:
    told = connection.execute(
        "SELECT number, code, amount_minor, evidence FROM told WHERE measure = ? ORDER BY number, code", [measure.value]
    ).fetchall()
    causes: dict[int, list[Cause]] = {}
    evidence = json.loads(f"[{','.join(row[3] for row in told)}]")
    for (number, code, amount, _), seen in zip(told, evidence, strict=True):
        facts = {name: fact for name, fact in seen.items() if fact is not None}
        causes.setdefault(number, []).append(Cause(_CODES[code], amount, facts))
    rows = connection.execute(
        f"SELECT {_SHOWN}, {_COMPONENTS} FROM numbered WHERE measure = ? ORDER BY number", [measure.value]
    ).fetchall()
    return tuple(
        Variance(
            pair=_PAIRS[row[1]],
            entity=row[2],
            channel=row[3],
            order=row[4],
            subject=row[5],
            subject_id=row[6],
            document=row[7],
            reference=row[8],
            kind=_KINDS[row[9]],
            currency=row[10],
            delta_minor=row[11],
            components={name: minor for name, minor in zip(AMOUNTS, row[13:], strict=True) if minor},
            causes=tuple(causes.get(row[0], ())),
            residual_minor=row[12],
        )
        for row in rows
    )


def _groups(connection: DuckDBPyConnection, measure: Measure) -> tuple[CauseGroup, ...]:
    return tuple(
        CauseGroup(Pair(pair), entity, currency, CauseCode(code) if code else None, count, amount, gross)
        for pair, entity, currency, code, count, amount, gross in connection.execute(
            "SELECT pair, entity, currency, code, variances, amount_minor, gross_minor FROM cause_group"
            " WHERE measure = ? ORDER BY entity, currency, pair, code NULLS FIRST",
            [measure.value],
        ).fetchall()
    )
