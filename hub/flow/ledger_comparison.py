"""The books compared, as types of the model: what both sides put on each account, what differs and why."""
# ruff: noqa: S608  the statements are put together from constants of this file

import datetime
import json
from typing import Final

from duckdb import DuckDBPyConnection

from hub.flow.ledger_causes import explain_ledgers
from hub.flow.ledgers import check_sums, lay_beside
from hub.model.causes import CauseCode
from hub.model.postings import (
    AccountTotal,
    BooksComparison,
    LeftOut,
    PostingCause,
    PostingDifference,
    PostingGroup,
    TrialBalanceLine,
)


def compare_ledgers(
    connection: DuckDBPyConnection, first: datetime.date, last: datetime.date
) -> tuple[BooksComparison, str]:
    """The books of the days from first to last compared, and the SHA-256 of what came out.

    Raises:
        DoesNotAddUp: the documents' differences are not the accounts'.
    """
    lay_beside(connection, first, last)
    explain_ledgers(connection)
    check_sums(connection)
    accounts = _accounts(connection)
    [(documents, matched)] = connection.execute(_COUNTS).fetchall()
    [(digest,)] = connection.execute(_DIGEST).fetchall()
    unexplained = {one.currency: 0 for one in accounts}
    worth = {one.functional: 0 for one in accounts}
    for one in accounts:
        unexplained[one.currency] += one.unexplained_minor
        worth[one.functional] += one.unexplained_functional_minor
    found = BooksComparison(
        accounts=accounts,
        differences=_differences(connection),
        groups=_groups(connection),
        left_out=tuple(LeftOut(*row) for row in connection.execute(_LEFT_OUT).fetchall()),
        documents=documents,
        matched=matched,
        unexplained_minor=dict(sorted(unexplained.items())),
        unexplained_functional_minor=dict(sorted(worth.items())),
        trial_balance=trial_balance(connection, last),
    )
    return found, digest


def trial_balance(connection: DuckDBPyConnection, until: datetime.date) -> tuple[TrialBalanceLine, ...]:
    """What the books should hold at the end of a day on each account, those of nothing left out.

    Args:
        connection: with the relations expected, opening and chart.
    """
    rows = connection.execute(_TRIAL_BALANCE, {"until": until}).fetchall()
    return tuple(TrialBalanceLine(*row) for row in rows)


_COUNTS: Final = """
SELECT count(*), count(*) FILTER (NOT differs)
FROM (
    SELECT name, bool_or(differs) AS differs FROM cell
    WHERE x_in <> 0 OR xf_in <> 0 OR e_in <> 0 OR ef_in <> 0 GROUP BY name
)
"""

_LEFT_OUT: Final = "SELECT DISTINCT compared, name, why FROM account_of WHERE why IS NOT NULL ORDER BY ALL"

_TOTALS: Final = """
WITH unexplained AS (
    SELECT entity, currency, account, sum(abs(residual_minor)) AS residual,
        sum(abs(residual_functional_minor)) AS worth
    FROM difference GROUP BY ALL
)
SELECT coalesce(total.entity, unexplained.entity) AS entity, coalesce(total.account, unexplained.account) AS account,
    named.name, coalesce(total.currency, unexplained.currency) AS currency,
    coalesce(functional, coalesce(total.currency, unexplained.currency)), coalesce(x, 0), coalesce(e, 0),
    coalesce(xf, 0), coalesce(ef, 0), coalesce(residual, 0)::BIGINT, coalesce(worth, 0)::BIGINT
FROM total FULL JOIN unexplained USING (entity, currency, account)
    JOIN (SELECT DISTINCT compared, name FROM account_of) AS named
        ON named.compared = coalesce(total.account, unexplained.account)
    LEFT JOIN entity ON slug = coalesce(total.entity, unexplained.entity)
ORDER BY ALL
"""

_SHOWN: Final = (
    "number, entity, account, currency, functional, key, e_ref, kind, channel, order_id, reference, delta_minor,"
    " delta_functional_minor, residual_minor, residual_functional_minor"
)

_TOLD: Final = """
SELECT number, code, amount_minor, functional_minor, evidence
FROM cause JOIN difference USING (name, entity, currency, account)
"""

_DIGEST: Final = f"""
SELECT sha256(concat(
    (SELECT string_agg(line, chr(10) ORDER BY line) FROM (SELECT json_array(*COLUMNS(*))::VARCHAR AS line FROM total)),
    (SELECT string_agg(json_array({_SHOWN})::VARCHAR, chr(10) ORDER BY number) FROM difference),
    (SELECT string_agg(json_array(number, code, amount_minor, functional_minor, evidence)::VARCHAR, chr(10)
        ORDER BY number, code) FROM ({_TOLD}))
))"""

_GROUPS: Final = """
SELECT entity, currency, code, count(DISTINCT name), sum(abs(amount))::BIGINT, sum(abs(worth))::BIGINT
FROM (
    SELECT name, entity, currency, code, amount_minor AS amount, functional_minor AS worth
    FROM cause SEMI JOIN difference USING (name, entity, currency, account)
    UNION ALL
    SELECT name, entity, currency, NULL, residual_minor, residual_functional_minor FROM difference
    WHERE residual_minor <> 0 OR residual_functional_minor <> 0
) GROUP BY ALL ORDER BY entity, currency, code NULLS FIRST
"""

_TRIAL_BALANCE: Final = """
WITH posting AS (
    SELECT entity, account, currency, functional, amount_minor, functional_minor FROM opening
    UNION ALL
    SELECT entity, account, currency, functional, amount_minor, functional_minor FROM expected WHERE date <= $until
), summed AS (
    SELECT entity, account, currency, functional, sum(amount_minor)::BIGINT AS balance,
        sum(functional_minor)::BIGINT AS worth
    FROM posting GROUP BY ALL
)
SELECT entity, account, coalesce(chart.name || CASE WHEN contains(account, ':')
        THEN ': ' || substr(account, length(number) + 2) ELSE '' END, account), coalesce(chart.type, ''),
    currency, balance, functional, worth
FROM summed LEFT JOIN chart ON number = split_part(account, ':', 1)
WHERE balance <> 0 OR worth <> 0
ORDER BY entity, account, currency
"""


def _accounts(connection: DuckDBPyConnection) -> tuple[AccountTotal, ...]:
    return tuple(AccountTotal(*row) for row in connection.execute(_TOTALS).fetchall())


def _differences(connection: DuckDBPyConnection) -> tuple[PostingDifference, ...]:
    told = connection.execute(f"{_TOLD} ORDER BY number, code").fetchall()
    evidence = json.loads(f"[{','.join(row[4] for row in told)}]")
    causes: dict[int, list[PostingCause]] = {}
    for (number, code, amount, worth, _), seen in zip(told, evidence, strict=True):
        facts = {name: fact for name, fact in seen.items() if fact is not None}
        causes.setdefault(number, []).append(PostingCause(CauseCode(code), amount, worth, facts))
    rows = connection.execute(f"SELECT {_SHOWN} FROM difference ORDER BY number").fetchall()
    return tuple(_difference(row, causes.get(row[0], [])) for row in rows)


def _difference(row: tuple[object, ...], causes: list[PostingCause]) -> PostingDifference:
    _, entity, account, currency, functional, key, ref, kind, channel, order, reference = map(str, row[:11])
    delta, worth, residual, residual_worth = (int(str(minor)) for minor in row[11:])
    return PostingDifference(
        entity=entity,
        account=account,
        currency=currency,
        functional=functional,
        document=key or ref,
        ref=ref,
        kind=kind,
        channel=channel,
        order=order,
        reference=reference,
        delta_minor=delta,
        delta_functional_minor=worth,
        causes=tuple(causes),
        residual_minor=residual,
        residual_functional_minor=residual_worth,
    )


def _groups(connection: DuckDBPyConnection) -> tuple[PostingGroup, ...]:
    return tuple(
        PostingGroup(entity, currency, CauseCode(code) if code else None, documents, gross, worth)
        for entity, currency, code, documents, gross, worth in connection.execute(_GROUPS).fetchall()
    )
