"""The ERP's books beside the expected ones: by document and account, set-wise, in SQL.

Handed is a DuckDB connection with the relations below; rows of the months beside the period among them, so that a
document in the wrong one is found. Left behind are the tables `cell` (a document on an account: what either side has
of it), `total` (an account), and of the documents that do not tie `few` and `suspect`, which `ledger_causes` explains.

A match is by key. An ERP document without a key of ours, or a second one under it, is a document of its own.
"""
# ruff: noqa: S608  the statements are put together from constants of this file

import datetime
from typing import Final

from duckdb import DuckDBPyConnection

from hub.books.chart import Role
from hub.flow.match import DoesNotAddUp

BOOK_COLUMNS: Final[dict[str, dict[str, str]]] = {
    "expected": {
        "document": "VARCHAR",
        "kind": "VARCHAR",
        "channel": "VARCHAR",
        "order_id": "VARCHAR",
        "reference": "VARCHAR",
        "entity": "VARCHAR",
        "functional": "VARCHAR",
        "date": "DATE",
        "account": "VARCHAR",
        "currency": "VARCHAR",
        "amount_minor": "BIGINT",
        "functional_minor": "BIGINT",
        "done_minor": "BIGINT",  # of that, what the ERP confirmed to have taken
        "done_functional_minor": "BIGINT",
    },
    "told": {  # of a document, what the ERP was told last, and what stands to be told
        "document": "VARCHAR",
        "state": "VARCHAR",  # of the first step that is not done; "" where all are
        "code": "VARCHAR",  # rejected: why
        "adopted": "BOOLEAN",
        "ref": "VARCHAR",
        "total_minor": "BIGINT",
        "tax_minor": "BIGINT",
        "readback_total_minor": "BIGINT",
        "readback_tax_minor": "BIGINT",
        "readback_version": "BIGINT",
    },
    "posted": {
        "key": "VARCHAR",
        "ref": "VARCHAR",
        "kind": "VARCHAR",
        "entity": "VARCHAR",
        "date": "DATE",
        "channel": "VARCHAR",
        "order_id": "VARCHAR",
        "account": "VARCHAR",
        "currency": "VARCHAR",
        "amount_minor": "BIGINT",
        "functional_minor": "BIGINT",
        "by_hand": "BOOLEAN",
        "version": "BIGINT",
        "lines": "BIGINT",
    },
    "opening": {  # expected, of all days before those
        "entity": "VARCHAR",
        "account": "VARCHAR",
        "currency": "VARCHAR",
        "functional": "VARCHAR",
        "amount_minor": "BIGINT",
        "functional_minor": "BIGINT",
    },
}
"""The columns of each relation, by name."""

BOOK_SIDES: Final = tuple(BOOK_COLUMNS)

RULES: Final[dict[str, dict[str, str]]] = {
    "chart": {"number": "VARCHAR", "name": "VARCHAR", "type": "VARCHAR", "role": "VARCHAR"},
    "together": {"account": "VARCHAR", "kept_on": "VARCHAR"},
    "entity": {"slug": "VARCHAR", "functional": "VARCHAR"},
}
"""Small relations beside them: what the accounts are."""

COST_ROLES: Final = (
    Role.INVENTORY,
    Role.INVENTORY_IN_TRANSIT,
    Role.COST_OF_GOODS_SOLD,
    Role.WRITE_OFF,
    Role.OPENING_EQUITY,
)
"""Where the ERP's own valuation of stock decides, with what stands against it when stock comes or is lost."""


def lay_beside(connection: DuckDBPyConnection, first: datetime.date, last: datetime.date) -> None:
    """The tables `account_of`, `cell`, `total`, `few` and `suspect` stand."""
    days = {"first": first, "last": last}
    connection.execute(_ACCOUNT_OF)
    connection.execute(_HELD)
    connection.execute(_CELL, days)
    connection.execute(_TOTAL)
    connection.execute(_FEW)
    connection.execute(_SUSPECT)


def check_sums(connection: DuckDBPyConnection) -> None:
    """The differences of each account's documents, in the table `difference`, sum to the account's.

    Raises:
        DoesNotAddUp: they do not.
    """
    if off := connection.execute(_OFF).fetchall():
        raise DoesNotAddUp(
            "reconcile: the documents' differences are not the accounts': " + "; ".join(str(row) for row in off[:5])
        )


_COSTS: Final = ", ".join(f"'{role}'" for role in COST_ROLES)

# Each account as it is compared: on the one that the ERP keeps it on, and without its sub-accounts where only one of
# the sides has any. `why` is null for those that are compared.
_ACCOUNT_OF = f"""
CREATE OR REPLACE TEMP TABLE account_of AS
WITH used AS (
    SELECT account, true AS ours FROM expected GROUP BY ALL
    UNION ALL SELECT account, true FROM opening GROUP BY ALL
    UNION ALL SELECT account, false FROM posted GROUP BY ALL
), kept AS (
    SELECT used.account, ours, coalesce(whole.kept_on, base.kept_on, used.account) AS kept,
        split_part(kept, ':', 1) AS number, contains(kept, ':') AS divided
    FROM used LEFT JOIN together AS whole ON whole.account = used.account
        LEFT JOIN together AS base ON base.account = split_part(used.account, ':', 1)
), level AS (
    SELECT number, coalesce(bool_or(divided) FILTER (ours) <> bool_or(divided) FILTER (NOT ours), false) AS as_one,
        bool_or(ours) AS expected
    FROM kept GROUP BY number
)
SELECT DISTINCT kept.account, number, CASE WHEN as_one THEN number ELSE kept END AS compared,
    CASE WHEN chart.role IN ({_COSTS}) THEN 'cost' WHEN chart.number IS NULL AND NOT expected THEN 'foreign' END AS why,
    coalesce(chart.name || CASE WHEN contains(compared, ':') THEN ': ' || substr(compared, length(number) + 2)
        ELSE '' END, compared) AS name,
    coalesce(chart.type, '') AS type, coalesce(chart.role, '') AS role
FROM kept JOIN level USING (number) LEFT JOIN chart USING (number)
"""

# Each document of the ERP under the name by which it is compared: our key, else " " and its own id, which no key is.
# Of several under one key those are ours that the ERP named when it took the document, if any of them is there.
_HELD = """
CREATE OR REPLACE TEMP TABLE held AS
WITH several AS (
    SELECT key FROM posted WHERE key <> '' GROUP BY key HAVING count(DISTINCT ref) > 1
), named AS (
    SELECT DISTINCT posted.key, posted.ref, list_contains(str_split(told.ref, ','), posted.ref) AS ours
    FROM posted SEMI JOIN several USING (key) JOIN told ON told.document = posted.key
), stray AS (
    SELECT key, ref FROM named WHERE NOT ours AND key IN (SELECT key FROM named WHERE ours)
)
SELECT posted.*, told.document IS NOT NULL AND stray.ref IS NULL AS ours,
    CASE WHEN told.document IS NOT NULL AND stray.ref IS NULL THEN posted.key ELSE ' ' || posted.ref END AS name
FROM posted LEFT JOIN told ON told.document = posted.key
    LEFT JOIN stray ON stray.key = posted.key AND stray.ref = posted.ref
"""

_IN = "FILTER (date BETWEEN $first AND $last)"


def _sums(**columns: str) -> str:
    """SQL: of each column its sum in the period, and in all days read."""
    return ", ".join(
        f"coalesce(sum({column}) {_IN}, 0)::BIGINT AS {name}_in, sum({column})::BIGINT AS {name}_all"
        for name, column in columns.items()
    )


SUMS: Final = ("x", "xf", "s", "sf", "e", "ef")
"""Expected, of that what the ERP confirmed, and what the ERP has; each also in the functional currency."""

_CELL = f"""
CREATE OR REPLACE TEMP TABLE cell AS
WITH x AS (
    SELECT document AS name, entity, currency, compared AS account,
        {_sums(x="amount_minor", xf="functional_minor", s="done_minor", sf="done_functional_minor")}
    FROM expected JOIN account_of USING (account) WHERE why IS NULL GROUP BY ALL
), e AS (
    SELECT held.name, entity, currency, compared AS account, ours, sum(lines)::BIGINT AS lines,
        {_sums(e="amount_minor", ef="functional_minor")}
    FROM held JOIN account_of USING (account) WHERE why IS NULL GROUP BY ALL
)
SELECT name, entity, currency, account, coalesce(ours, true) AS ours, coalesce(lines, 0) AS lines,
    {", ".join(f"coalesce({name}_{part}, 0) AS {name}_{part}" for name in SUMS for part in ("in", "all"))},
    coalesce(e_in, 0) <> coalesce(x_in, 0) OR coalesce(ef_in, 0) <> coalesce(xf_in, 0) AS differs
FROM x FULL JOIN e USING (name, entity, currency, account)
"""

_TOTAL = """
CREATE OR REPLACE TEMP TABLE total AS
SELECT entity, currency, account, sum(x_in)::BIGINT AS x, sum(e_in)::BIGINT AS e, sum(xf_in)::BIGINT AS xf,
    sum(ef_in)::BIGINT AS ef
FROM cell WHERE x_in <> 0 OR xf_in <> 0 OR e_in <> 0 OR ef_in <> 0 GROUP BY ALL
"""

_FEW = """
CREATE OR REPLACE TEMP TABLE few AS
SELECT cell.* FROM cell SEMI JOIN (SELECT name FROM cell WHERE differs) AS differing USING (name)
"""

# Of each document that does not tie, what is known of it as a whole.
_SUSPECT = """
CREATE OR REPLACE TEMP TABLE suspect AS
WITH wanted AS (SELECT DISTINCT name FROM few),
ours AS (
    SELECT document AS name, any_value(kind) AS kind, any_value(channel) AS channel, any_value(order_id) AS order_id,
        max(reference) AS reference, string_agg(DISTINCT date::VARCHAR, ', ' ORDER BY date::VARCHAR) AS days
    FROM expected SEMI JOIN wanted ON wanted.name = document GROUP BY document
), theirs AS (
    SELECT name, min(key) AS key, string_agg(DISTINCT ref, ',' ORDER BY ref) AS ref, min(kind) AS kind,
        max(channel) AS channel, max(order_id) AS order_id, bool_or(by_hand) AS by_hand, max(version) AS version,
        sum(lines)::BIGINT AS lines, string_agg(DISTINCT date::VARCHAR, ', ' ORDER BY date::VARCHAR) AS days
    FROM held SEMI JOIN wanted USING (name) GROUP BY name
)
SELECT name, ours.kind AS x_kind, ours.days AS x_days, theirs.days AS e_days, coalesce(theirs.key, name) AS key,
    coalesce(theirs.ref, '') AS e_ref, coalesce(ours.kind, theirs.kind) AS kind,
    coalesce(nullif(ours.channel, ''), theirs.channel, '') AS channel,
    coalesce(nullif(ours.order_id, ''), theirs.order_id, '') AS order_id, coalesce(ours.reference, '') AS reference,
    coalesce(theirs.by_hand, false) AS by_hand, theirs.version AS e_version, coalesce(theirs.lines, 0) AS e_lines
FROM wanted LEFT JOIN ours USING (name) LEFT JOIN theirs USING (name)
"""

_OFF = """
WITH found AS (
    SELECT entity, currency, account, sum(delta_minor) AS delta, sum(delta_functional_minor) AS worth
    FROM difference GROUP BY ALL
)
SELECT entity, currency, account, coalesce(delta, 0) - coalesce(e - x, 0), coalesce(worth, 0) - coalesce(ef - xf, 0)
FROM total FULL JOIN found USING (entity, currency, account)
WHERE coalesce(delta, 0) <> coalesce(e - x, 0) OR coalesce(worth, 0) <> coalesce(ef - xf, 0)
ORDER BY ALL
"""
