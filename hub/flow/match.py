"""Matching: three statements become a table of variances, set-wise, in SQL.

Handed are a DuckDB connection with the relations `channel`, `hub` and `erp` in the columns below, each with a column
`line` that numbers its rows; rows of other periods among them, so that a document in the wrong one is found. Left
behind are the tables `side`, `suspect`, `alone` and `variance`. A match is by key, never by likeness: channel to hub by
(channel, order, subject, subject id), hub to ERP by the document's key; an ERP document without a key of ours is laid
to the order that it names.
"""

import datetime
from typing import Final

from duckdb import DuckDBPyConnection

from hub.errors import HubError, Misconfigured

AMOUNTS: Final = (
    "goods",
    "discount",
    "shipping",
    "tax",
    "charges",
    "rounding",
    "edited",
    "cancelled",
    "refund",
    "payment",
)
"""The components of a total, in the order of `StatementRow`; a column each, ending in `_minor`."""

_COMMON: Final = {
    "entity": "VARCHAR",
    "channel": "VARCHAR",
    "order_id": "VARCHAR",
    "subject": "VARCHAR",
    "subject_id": "VARCHAR",
    "currency": "VARCHAR",
    "date": "DATE",
    **{f"{amount}_minor": "BIGINT" for amount in AMOUNTS},
}

COLUMNS: Final[dict[str, dict[str, str]]] = {
    "channel": {**_COMMON, "modified_at": "VARCHAR", "name": "VARCHAR"},
    "hub": {
        **_COMMON,
        "modified_at": "VARCHAR",
        "document": "VARCHAR",
        "state": "VARCHAR",
        "cause": "VARCHAR",
        "original_date": "DATE",
        "readback_minor": "BIGINT",
        "readback_tax_minor": "BIGINT",
        "readback_date": "DATE",
        "readback_version": "BIGINT",
        "readback_by_hand": "BOOLEAN",
        "name": "VARCHAR",
    },
    "erp": {
        **_COMMON,
        "key": "VARCHAR",
        "ref": "VARCHAR",
        "reference": "VARCHAR",
        "version": "BIGINT",
        "voided": "BOOLEAN",
        "by_hand": "BOOLEAN",
    },
}
"""The columns of each relation, by name."""

SIDES: Final = tuple(COLUMNS)

TOTAL: Final = " + ".join(f"{amount}_minor" for amount in AMOUNTS)

STRANGE_STATES: Final = ("in_doubt", "rejected", "held")
"""States that a person should see even where the amounts tie."""


class DoesNotAddUp(HubError):
    """The variances found are not the difference of the sides: a fault of this program or two rows of one key."""


def month_of(period: str) -> tuple[datetime.date, datetime.date]:
    """The first and the last day of a period written `2026-05`.

    Raises:
        Misconfigured: it is not written so.
    """
    try:
        first = datetime.date.fromisoformat(f"{period}-01")
    except ValueError:
        first = datetime.date.min
    if not datetime.MINYEAR < first.year < datetime.MAXYEAR:  # the months beside it are of no calendar
        raise Misconfigured(f"{period!r} is not a month; write it like 2026-10")
    return first, _next_month(first) - datetime.timedelta(days=1)


def window(period: str) -> tuple[datetime.date, datetime.date]:
    """The days whose rows a reconciliation of the period needs: the month, the one before and the one after."""
    first, last = month_of(period)
    before = (first - datetime.timedelta(days=1)).replace(day=1)
    return before, _next_month(last + datetime.timedelta(days=1)) - datetime.timedelta(days=1)


def _next_month(first: datetime.date) -> datetime.date:
    return (first.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)


def match(connection: DuckDBPyConnection, first: datetime.date, last: datetime.date, *, channel_given: bool) -> None:
    """The tables `side`, `suspect` and `variance` stand, and the variances of each cell sum to its difference.

    Args:
        channel_given: False where the channel's statement is unknown: then only hub and ERP are compared.

    Raises:
        DoesNotAddUp: they do not.
    """
    days = {"first": first, "last": last}
    given = {"given": channel_given}
    connection.execute(_SIDE, days)
    connection.execute(_DOUBLE)
    connection.execute(_CANDIDATE, days | given)
    for side in SIDES:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE few_{side} AS SELECT {side}.* FROM {side}"
            f" SEMI JOIN candidate ON {side}.line = candidate.{side[0]}_line"
        )
    connection.execute(_SUSPECT, days | given)
    connection.execute(_ALONE)
    connection.execute(_VARIANCE)
    if off := connection.execute(_OFF, given).fetchall():
        raise DoesNotAddUp(
            "reconcile: the variances are not the difference of the sides in "
            + "; ".join(
                f"{pair} {measure} {entity} {currency}: {by} minor units" for pair, measure, entity, currency, by in off
            )
            + ". Most likely a statement has two rows of one key; nothing was reported."
        )


def _prefixed(side: str, letter: str) -> str:
    return ", ".join(f"{letter}.{column} AS {letter}_{column}" for column in COLUMNS[side])


def _measure(subject: str) -> str:
    return f"CASE {subject} WHEN 'payment' THEN 'payments' ELSE 'sales' END"


def _inside(letter: str) -> str:
    return f"coalesce({letter}.date BETWEEN $first AND $last, false)"


def _alike(left: str, right: str) -> str:
    """SQL: two rows say the same money, in total and by component.

    What an edit or a cancellation took out is a component of its own for one side and less goods for another, so there
    only totals are compared; tax and its rounding are one, because an export may have them in one figure.
    """
    totals = f"{left}.total = {right}.total"
    parts = [f"{left}.{part}_minor = {right}.{part}_minor" for part in ("goods", "discount", "shipping", "charges")]
    parts += [f"{left}.tax_minor + {left}.rounding_minor = {right}.tax_minor + {right}.rounding_minor"]
    taken_out = " OR ".join(f"{x}.{part}_minor <> 0" for x in (left, right) for part in ("edited", "cancelled"))
    return f"({totals} AND (({' AND '.join(parts)}) OR {taken_out}))"


def _ties(left: str, right: str) -> str:
    """SQL: two rows of a full join are the same as far as the period goes; false or null where one is absent."""
    return (
        f"{left}.entity = {right}.entity AND {left}.currency = {right}.currency"
        f" AND {_inside(left)} = {_inside(right)} AND {_alike(left, right)}"
    )


_SIDE = f"""
CREATE OR REPLACE TEMP TABLE side AS
{
    " UNION ALL ".join(
        f'''SELECT '{side}' AS side, {_measure("subject")} AS measure, entity, currency,
        count(*) FILTER (subject <> 'refund') AS orders, count(*) AS subjects, sum({TOTAL})::BIGINT AS total_minor
    FROM {side} WHERE date BETWEEN $first AND $last {"AND NOT voided" if side == "erp" else ""} GROUP BY ALL'''
        for side in SIDES
    )
}"""

_ODD = ", ".join(f"'{state}'" for state in STRANGE_STATES)

# What one row says, in one number: equal prints tie. A print of 64 bits that lies is one pair in 10^19, and then the
# sums of `_OFF` do not agree.
_PRINT = (
    "hash(entity, currency, date BETWEEN $first AND $last, tax_minor + rounding_minor, "
    + ", ".join(f"{amount}_minor" for amount in AMOUNTS if amount not in ("tax", "rounding"))
    + ")"
)

_SAME_SUBJECT = (
    "c.order_id = h.order_id AND c.subject_id = h.subject_id AND c.subject = h.subject AND c.channel = h.channel"
)

# Keys under which the ERP has two documents.
_DOUBLE = """
CREATE OR REPLACE TEMP TABLE double AS
SELECT key FROM erp WHERE NOT voided AND key <> '' GROUP BY key HAVING count(*) > 1
"""

# The one pass over everything is narrow: keys and prints. The rest of the work is on the few rows it leaves.
_CANDIDATE = f"""
CREATE OR REPLACE TEMP TABLE candidate AS
WITH c AS (SELECT channel, order_id, subject, subject_id, {_PRINT} AS print, line FROM channel),
    h AS (SELECT channel, order_id, subject, subject_id, {_PRINT} AS print, line,
        nullif(document, '') AS document_key, state IN ({_ODD}) AS odd FROM hub),
    e AS (SELECT nullif(key, '') AS document_key, {_PRINT} AS print, line FROM erp WHERE NOT voided)
SELECT c.line AS c_line, h.line AS h_line, e.line AS e_line
FROM h FULL JOIN c ON {_SAME_SUBJECT} FULL JOIN e ON e.document_key = h.document_key
WHERE ($given AND c.print IS DISTINCT FROM h.print) OR h.print IS DISTINCT FROM e.print OR h.odd
    OR e.document_key IN (FROM double)
"""

# The exact comparison of what is left. Of two documents of one key the first is the match, the other stands alone.
_SUSPECT = f"""
CREATE OR REPLACE TEMP TABLE suspect AS
WITH c AS (SELECT *, {TOTAL} AS total FROM few_channel),
    h AS (SELECT *, {TOTAL} AS total, nullif(document, '') AS document_key FROM few_hub),
    e AS (SELECT *, {TOTAL} AS total,
        CASE row_number() OVER (PARTITION BY key ORDER BY ref, line) WHEN 1 THEN nullif(key, '') END AS document_key
        FROM few_erp)
SELECT row_number() OVER () AS suspect_id,
    {_prefixed("channel", "c")}, {_prefixed("hub", "h")}, {_prefixed("erp", "e")},
    c.total AS c_total, h.total AS h_total, e.total AS e_total,
    c.entity IS NOT NULL AS c_here, h.entity IS NOT NULL AS h_here, e.entity IS NOT NULL AS e_here,
    {_inside("c")} AS c_in, {_inside("h")} AS h_in, {_inside("e")} AS e_in,
    $given AND (c_in OR h_in) AND NOT coalesce({_ties("c", "h")}, false) AS channel_hub,
    (h_in OR e_in) AND NOT coalesce({_ties("h", "e")} AND h.state NOT IN ({_ODD}), false) AS hub_erp
FROM h FULL JOIN c ON {_SAME_SUBJECT} FULL JOIN e ON e.document_key = h.document_key
WHERE channel_hub OR hub_erp
"""

# ERP documents that no document of the hub's matches by key: the order that each names, and whether the hub's own
# document of it stands beside. An order is named by its id, else by the reference of a document that has our key, and
# only where that reference means one order in the entity.
_ALONE = """
CREATE OR REPLACE TEMP TABLE alone AS
WITH stray AS (
    SELECT suspect_id, e_entity, e_channel, e_order_id, e_subject, e_reference FROM suspect WHERE e_here AND NOT h_here
), said AS (
    SELECT suspect_id, e_entity AS entity, e_reference AS reference FROM stray WHERE e_reference <> ''
    UNION SELECT suspect_id, e_entity, e_order_id FROM stray WHERE e_order_id <> ''
), reference AS (
    SELECT erp.entity, erp.reference, min(erp.channel) AS channel, min(erp.order_id) AS order_id
    FROM erp SEMI JOIN said ON erp.entity = said.entity AND erp.reference = said.reference
    WHERE erp.key <> '' AND erp.order_id <> ''
    GROUP BY ALL HAVING count(DISTINCT (erp.channel, erp.order_id)) = 1
), theirs AS (
    SELECT DISTINCT channel, order_id, subject, document FROM hub SEMI JOIN (
        SELECT e_order_id AS wanted FROM stray WHERE e_order_id <> '' UNION SELECT order_id FROM reference
    ) ON order_id = wanted
), named AS (
    SELECT suspect_id, channel, order_id FROM stray
        JOIN theirs ON order_id = e_order_id AND (e_channel = '' OR channel = e_channel)
    UNION
    SELECT suspect_id, reference.channel, reference.order_id FROM said JOIN reference USING (entity, reference)
), one AS (
    SELECT suspect_id, min(channel) AS channel, min(order_id) AS order_id FROM named
    GROUP BY suspect_id HAVING count(DISTINCT (channel, order_id)) = 1
), standing AS (
    SELECT channel, order_id, subject, min(document) AS document
    FROM theirs
    WHERE document <> '' AND document IN (SELECT key FROM erp SEMI JOIN theirs ON key = document WHERE NOT voided)
    GROUP BY ALL
)
SELECT one.*, standing.document AS own_document
FROM one JOIN suspect USING (suspect_id) LEFT JOIN standing
    ON standing.channel = one.channel AND standing.order_id = one.order_id AND standing.subject = e_subject
"""


def _chosen(column: str) -> str:
    """SQL: the column of the row that the variance is about: the left one on the left side, else the right one."""
    return f"CASE side WHEN 'left' THEN l_{column} ELSE r_{column} END"


def _pair(pair: str, left: str, right: str, flag: str) -> str:
    ends = ", ".join(
        f"{letter}_{column} AS {end}_{column}"
        for end, letter in (("l", left), ("r", right))
        for column in ("here", "in", "total", *COLUMNS["channel"])
        if column not in ("modified_at", "name", "channel", "order_id", "subject", "subject_id")
    )
    return f"SELECT suspect_id, '{pair}' AS pair, {ends} FROM suspect WHERE {flag}"


# How much of each end falls into the cell of the variance.
_WEIGHTS = "CASE side WHEN 'right' THEN 0 ELSE -1 END AS l_weight, CASE side WHEN 'left' THEN 0 ELSE 1 END AS r_weight"

_VARIANCE = f"""
CREATE OR REPLACE TEMP TABLE variance AS
WITH pairs AS (
    {_pair("channel-hub", "c", "h", "channel_hub")} UNION ALL BY NAME {_pair("hub-erp", "h", "e", "hub_erp")}
), sided AS (
    SELECT *, coalesce(l_entity = r_entity AND l_currency = r_currency, false) AS one_cell, {_WEIGHTS}
    FROM pairs CROSS JOIN (VALUES ('left'), ('right'), ('both')) AS sides(side)
    WHERE CASE side
        WHEN 'both' THEN one_cell AND l_in AND r_in
        WHEN 'left' THEN l_in AND NOT (one_cell AND r_in)
        ELSE r_in AND NOT (one_cell AND l_in) END
)
SELECT suspect_id, pair, side,
    {_measure("coalesce(h_subject, c_subject, e_subject)")} AS measure,
    {_chosen("entity")} AS entity,
    coalesce(nullif(c_channel, ''), nullif(h_channel, ''), alone.channel, e_channel) AS channel,
    coalesce(nullif(c_order_id, ''), nullif(h_order_id, ''), alone.order_id, nullif(e_order_id, '')) AS order_id,
    coalesce(h_subject, c_subject, e_subject) AS subject,
    coalesce(h_subject_id, c_subject_id, e_subject_id) AS subject_id,
    coalesce(nullif(e_key, ''), nullif(h_document, ''), e_ref, '') AS document,
    coalesce(nullif(e_reference, ''), nullif(h_name, ''), nullif(c_name, ''), '') AS reference,
    CASE
        WHEN NOT r_here THEN CASE pair WHEN 'channel-hub' THEN 'missing_in_hub' ELSE 'missing_in_erp' END
        WHEN NOT l_here AND pair = 'hub-erp' AND alone.order_id IS NOT NULL THEN 'duplicate_in_erp'
        WHEN NOT l_here THEN 'unknown_to_channel'
        WHEN l_currency <> r_currency THEN 'currency'
        WHEN l_entity <> r_entity THEN 'entity'
        WHEN side <> 'both' THEN 'period'
        WHEN {" AND ".join(f"l_{amount}_minor = r_{amount}_minor" for amount in AMOUNTS)} THEN 'status'
        WHEN l_total = r_total AND h_state IN ({_ODD}) AND pair = 'hub-erp' THEN 'status'
        ELSE 'amount' END AS kind,
    {_chosen("currency")} AS currency,
    (l_weight * coalesce(l_total, 0) + r_weight * coalesce(r_total, 0))::BIGINT AS delta_minor,
    {
    ", ".join(
        f"(l_weight * coalesce(l_{amount}_minor, 0) + r_weight * coalesce(r_{amount}_minor, 0))::BIGINT"
        f" AS {amount}_minor"
        for amount in AMOUNTS
    )
}
FROM sided JOIN suspect USING (suspect_id) LEFT JOIN alone USING (suspect_id)
"""

_OFF = """
WITH ends AS (
    SELECT 'channel-hub' AS pair, measure, entity, currency,
        sum(CASE side WHEN 'hub' THEN total_minor ELSE -total_minor END) AS difference
    FROM side WHERE side <> 'erp' AND $given GROUP BY ALL
    UNION ALL
    SELECT 'hub-erp', measure, entity, currency, sum(CASE side WHEN 'erp' THEN total_minor ELSE -total_minor END)
    FROM side WHERE side <> 'channel' GROUP BY ALL
), found AS (SELECT pair, measure, entity, currency, sum(delta_minor) AS found FROM variance GROUP BY ALL)
SELECT pair, measure, entity, currency, (coalesce(found, 0) - coalesce(difference, 0))::BIGINT AS off_minor
FROM ends FULL JOIN found USING (pair, measure, entity, currency)
WHERE off_minor <> 0 ORDER BY ALL
"""
