"""Explaining: each variance gets its causes, each cause an amount from its own evidence; the rest is its residual.

Works on what `match` left behind, set-wise, in SQL, and leaves the tables `cause`, `explained` and `cause_group`. No
amount here is taken from a delta. What a variance is worth and what its causes say meet only in the residual, which is
what is left and is never given a name.

A matched pair's right − left is explained by *value* causes. A variance that shows in one period, currency or entity
alone is the whole amount of one end; there the *move* (cut-off, foreign currency, wrong entity) accounts for the
amount as the other end states it, and the value causes for the difference between the two.
"""

from typing import Final

from duckdb import DuckDBPyConnection

from hub.model.adoption import ADOPTED
from hub.model.money import EXPONENTS

ROUNDING_MINOR_MAX: Final = 5
"""Up to so many minor units an ERP may round an order's tax lines otherwise than the channel."""


def explain(connection: DuckDBPyConnection) -> None:
    """The tables `cause` (one row a cause), `explained` (a variance with its residual) and `cause_group` stand."""
    connection.execute(_CAUSE)
    connection.execute(_EXPLAINED)
    connection.execute(_GROUP)


_PLACES: Final = (
    "CASE {currency} "
    + " ".join(f"WHEN '{code}' THEN {places}" for code, places in EXPONENTS.items() if places != 2)
    + " ELSE 2 END"
)


def _evidence(**facts: str) -> str:
    """SQL: a JSON object of the facts; absent ones are null."""
    return f"to_json(struct_pack({', '.join(f'{name} := {sql}' for name, sql in facts.items())}))::VARCHAR"


def _cause(code: str, amount: str, when: str, evidence: str) -> str:
    return f"""
    SELECT suspect_id, pair, side, '{code}' AS code, ({amount})::BIGINT AS amount_minor, {evidence} AS evidence
    FROM seen WHERE {when}"""


_PENDING = "h_state IN ('planned', 'sent', '')"
_REFUSED = "h_state IN ('held', 'rejected')"

# The hub's own amount is good evidence only where the channel does not contradict it: either no channel row is known,
# or it says the same, or it says something newer that the hub has not seen.
_CONFIRMED = "(NOT c_here OR c_total = h_total OR channel_is_newer)"

# Value causes describe right − left of a pair that has one currency, and are told where the right end is counted, or
# where both ends are alike but for the period.
_VALUED = "(kind NOT IN ('currency', 'entity') OR (kind = 'entity' AND side = 'right'))"
_MATCHED_BOOKS = f"pair = 'hub-erp' AND h_here AND e_here AND readback IS NOT NULL AND {_VALUED}"
_EDITED = f"{_MATCHED_BOOKS} AND (e_by_hand OR e_version > h_readback_version)"
# Its tax is another one than was read back, and nothing else of it.
_TAX_ALONE = (
    "coalesce(e_tax_minor <> h_readback_tax_minor AND e_tax_minor - h_readback_tax_minor = e_total - readback, false)"
)
_GONE = "pair = 'hub-erp' AND kind = 'missing_in_erp'"
_POSTED_OTHERWISE = (
    f"pair = 'hub-erp' AND h_here AND readback <> h_total AND {_CONFIRMED}"
    f" AND (kind = 'missing_in_erp' OR (e_here AND {_VALUED}))"
)
_NOT_ADOPTED = f"h_cause IS DISTINCT FROM '{ADOPTED}'"
_OURS_AS_READ = f"{_NOT_ADOPTED} AND h_state = 'done' AND NOT h_readback_by_hand"
_AS_PLACED = "h_subject = 'order' AND h_edited_minor = 0 AND h_cancelled_minor = 0"
_ROUNDED = f"""({_AS_PLACED} AND abs(readback - h_total) <= {ROUNDING_MINOR_MAX} AND (
        readback - h_total = h_readback_tax_minor - h_tax_minor
        OR (e_here AND readback - h_total = e_rounding_minor - h_rounding_minor)
        OR (e_here AND readback - h_total = e_tax_minor + e_rounding_minor - h_tax_minor - h_rounding_minor)))"""

_CAUSES: Final = (
    # --- channel and hub ---
    _cause(
        "unbooked_refund",
        "-c_total",
        "kind = 'missing_in_hub' AND c_subject = 'refund' AND order_known",
        _evidence(refund="c_subject_id", channel_minor="c_total", date="c_date", modified_at="c_modified_at"),
    ),
    _cause(
        "never_captured",
        "-c_total",
        "kind = 'missing_in_hub' AND NOT (c_subject = 'refund' AND order_known)",
        _evidence(channel_minor="c_total", date="c_date", modified_at="c_modified_at", order_known="order_known"),
    ),
    _cause(
        "channel_edit",
        "(h_edited_minor + h_cancelled_minor) - (c_edited_minor + c_cancelled_minor)",
        "pair = 'channel-hub' AND c_here AND h_here AND channel_is_newer AND " + _VALUED,
        _evidence(
            channel_modified_at="c_modified_at",
            hub_modified_at="h_modified_at",
            channel_taken_out_minor="c_edited_minor + c_cancelled_minor",
            hub_taken_out_minor="h_edited_minor + h_cancelled_minor",
        ),
    ),
    # --- what the ERP did with what we wrote, and what became of it ---
    _cause(
        "tax_recomputed",
        "e_tax_minor - h_readback_tax_minor",
        f"{_EDITED} AND {_TAX_ALONE}",
        _evidence(
            ref="e_ref",
            readback_tax_minor="h_readback_tax_minor",
            erp_tax_minor="e_tax_minor",
            readback_version="h_readback_version",
            version="e_version",
            by_hand="e_by_hand",
        ),
    ),
    _cause(
        "hand_edit",
        "e_total - readback",
        f"{_EDITED} AND NOT {_TAX_ALONE}",
        _evidence(
            ref="e_ref",
            readback_minor="readback",
            erp_minor="e_total",
            readback_version="h_readback_version",
            version="e_version",
            by_hand="e_by_hand",
        ),
    ),
    _cause(
        "hand_edit",  # between our write and its read-back
        "readback - h_total",
        f"{_POSTED_OTHERWISE} AND {_NOT_ADOPTED} AND h_state = 'done' AND h_readback_by_hand",
        _evidence(ref="e_ref", hub_minor="h_total", readback_minor="readback", readback_version="h_readback_version"),
    ),
    _cause(
        "erp_deleted",
        "-readback",
        f"{_GONE} AND readback IS NOT NULL",
        _evidence(readback_minor="readback", readback_date="h_readback_date", voided_ref="voided_ref"),
    ),
    _cause(
        "adopted",  # what an older integration made was not what the hub would have: worth nothing where only in parts
        "readback - h_total",
        f"h_cause = '{ADOPTED}' AND (({_POSTED_OTHERWISE}) OR ({_MATCHED_BOOKS} AND readback = h_total"
        " AND kind = 'amount'))",
        _evidence(ref="e_ref", hub_minor="h_total", readback_minor="readback"),
    ),
    _cause(
        "rounding",
        "readback - h_total",
        f"{_POSTED_OTHERWISE} AND {_OURS_AS_READ} AND {_ROUNDED}",
        _evidence(hub_minor="h_total", readback_minor="readback", tolerance_minor=str(ROUNDING_MINOR_MAX)),
    ),
    _cause(
        "tax_base",
        "h_readback_tax_minor - h_tax_minor",
        f"{_POSTED_OTHERWISE} AND {_OURS_AS_READ} AND {_AS_PLACED} AND NOT coalesce({_ROUNDED}, false)",
        _evidence(hub_tax_minor="h_tax_minor", readback_tax_minor="h_readback_tax_minor"),
    ),
    # --- what we have not told the ERP: all of it, or what changed since we last did ---
    *(
        _cause(
            code,
            amount,
            f"{when} AND {states}",
            _evidence(state="h_state", exception="h_cause", hub_minor="h_total", readback_minor="readback"),
        )
        for code, states in (
            ("held_order", _REFUSED),
            ("in_doubt", "h_state = 'in_doubt'"),
            ("unbooked_refund", "h_state = '' AND h_subject = 'refund'"),
            ("not_sent_yet", f"{_PENDING} AND NOT (h_state = '' AND h_subject = 'refund')"),
        )
        for amount, when in (
            ("-h_total", f"{_GONE} AND readback IS NULL"),
            ("readback - h_total", _POSTED_OTHERWISE),
        )
    ),
    # The amounts tie, the state does not: named, and worth nothing.
    *(
        _cause(
            code,
            "0",
            f"kind = 'status' AND pair = 'hub-erp' AND {states}",
            _evidence(state="h_state", exception="h_cause"),
        )
        for code, states in (("held_order", _REFUSED), ("in_doubt", "h_state = 'in_doubt'"))
    ),
    # --- in the ERP alone ---
    _cause(
        "entered_twice",
        "e_total",
        "kind = 'duplicate_in_erp' AND own_document IS NOT NULL",
        _evidence(ref="e_ref", own_document="own_document", erp_minor="e_total", by_hand="e_by_hand"),
    ),
    _cause(
        "entered_in_erp_alone",
        "e_total",
        "pair = 'hub-erp' AND NOT h_here AND own_document IS NULL",
        _evidence(ref="e_ref", reference="e_reference", key="e_key", erp_minor="e_total", by_hand="e_by_hand"),
    ),
    # --- moves: counted here by one end and elsewhere by the other ---
    _cause(
        "cut_off",
        "CASE side WHEN 'left' THEN -r_total ELSE l_total END",
        "kind = 'period'",
        _evidence(
            left_date="l_date",
            right_date="r_date",
            original_date="h_original_date",
            readback_date="h_readback_date",
            elsewhere_minor="CASE side WHEN 'left' THEN r_total ELSE l_total END",
        ),
    ),
    _cause(
        "fx",
        "CASE side WHEN 'left' THEN -l_total ELSE l_rescaled END",
        "kind = 'currency'",
        _evidence(
            left_currency="l_currency", right_currency="r_currency", left_figure="l_total", right_figure="r_total"
        ),
    ),
    _cause(
        "wrong_entity",
        "CASE side WHEN 'left' THEN -l_total ELSE l_total END",
        "kind = 'entity'",
        _evidence(left_entity="l_entity", right_entity="r_entity"),
    ),
)


def _end(column: str) -> str:
    """SQL: the column at the left and at the right end of the variance's pair."""
    return (
        f"CASE pair WHEN 'channel-hub' THEN c_{column} ELSE h_{column} END AS l_{column}, "
        f"CASE pair WHEN 'channel-hub' THEN h_{column} ELSE e_{column} END AS r_{column}"
    )


# The same figure under another currency: 100.00 USD becomes 100 JPY.
_RESCALED = (
    "CAST(round(l_total::DECIMAL(38, 4) * CAST(10 ** greatest(places, 0) AS BIGINT)"
    " / CAST(10 ** greatest(-places, 0) AS BIGINT)) AS BIGINT)"
)

_CAUSE = f"""
CREATE OR REPLACE TEMP TABLE cause AS
WITH ends AS (
    SELECT variance.suspect_id, pair, side, kind, suspect.* EXCLUDE (suspect_id),
        h_readback_minor AS readback, own_document,
        coalesce(try_cast(c_modified_at AS TIMESTAMPTZ) > try_cast(h_modified_at AS TIMESTAMPTZ), false)
            AS channel_is_newer,
        {", ".join(_end(column) for column in ("entity", "currency", "date", "total"))}
    FROM variance JOIN suspect USING (suspect_id) LEFT JOIN alone USING (suspect_id)
), voided AS (
    SELECT key, min(ref) AS voided_ref
    FROM erp SEMI JOIN (SELECT h_document FROM ends WHERE kind = 'missing_in_erp') AS gone ON key = gone.h_document
    WHERE voided GROUP BY key
), known AS (
    SELECT DISTINCT channel, order_id FROM hub SEMI JOIN
        (SELECT c_channel, c_order_id FROM ends WHERE kind = 'missing_in_hub' AND c_subject <> 'order') AS absent
        ON channel = c_channel AND order_id = c_order_id
), placed AS (
    SELECT ends.*, voided_ref, known.order_id IS NOT NULL AS order_known,
        {_PLACES.format(currency="r_currency")} - {_PLACES.format(currency="l_currency")} AS places
    FROM ends LEFT JOIN voided ON voided.key = h_document AND h_document <> '' AND kind = 'missing_in_erp'
        LEFT JOIN known ON known.channel = c_channel AND known.order_id = c_order_id AND kind = 'missing_in_hub'
), seen AS MATERIALIZED (SELECT *, CASE kind WHEN 'currency' THEN {_RESCALED} END AS l_rescaled FROM placed)
SELECT * FROM ({" UNION ALL ".join(_CAUSES)})
WHERE amount_minor <> 0 OR code NOT IN ('channel_edit', 'hand_edit', 'tax_recomputed', 'rounding', 'tax_base')
"""

_EXPLAINED = """
CREATE OR REPLACE TEMP TABLE explained AS
SELECT variance.*, (delta_minor - coalesce(causes, 0))::BIGINT AS residual_minor
FROM variance LEFT JOIN (
    SELECT suspect_id, pair, side, sum(amount_minor) AS causes FROM cause GROUP BY ALL
) AS summed USING (suspect_id, pair, side)
"""

_GROUP = """
CREATE OR REPLACE TEMP TABLE cause_group AS
SELECT measure, pair, entity, currency, code, count(DISTINCT suspect_id) AS variances,
    sum(amount)::BIGINT AS amount_minor, sum(abs(amount))::BIGINT AS gross_minor
FROM (
    SELECT measure, pair, entity, currency, code, suspect_id, amount_minor AS amount
    FROM cause JOIN explained USING (suspect_id, pair, side)
    UNION ALL
    SELECT measure, pair, entity, currency, NULL, suspect_id, residual_minor FROM explained WHERE residual_minor <> 0
) GROUP BY ALL
"""
