"""Why a document stands otherwise in the ERP's books: each cause by account, each amount from evidence of its own.

Works on what `ledgers.lay_beside` left behind and leaves the tables `cause` and `difference`. What is compared is, in
this order: what we expect (x), what of it the ERP confirmed to have taken (t), and what it has now (e). x and t differ
by what is not sent; t and e by what the ERP did with it, and by what people did to it since:

- What the ERP did is what the read-back after the write says: other tax, or the same amount on another account.
- What people did is what the ERP has now less what was read back, and is told only of a document that the ERP itself
  says was changed since.
- A document that counts here for one side and in another month, company or currency for the other is a *move*, as the
  other end states it, and the value causes besides.

What is then left is the residual.
"""
# ruff: noqa: S608  the statements are put together from constants of this file

from typing import Final

from duckdb import DuckDBPyConnection

from hub.books.chart import Role
from hub.flow.explain import ROUNDING_MINOR_MAX
from hub.model.causes import CauseCode
from hub.model.documents import BILLS, CREDITS, DocumentKind


def explain_ledgers(connection: DuckDBPyConnection) -> None:
    """The tables `cause` (a row a cause) and `difference` (a document on an account, with its residual) stand."""
    for statement in (_SEEN, _MOVED, _PLACED, _TAXED, _STRAY, _FOREIGN, _VALUE, _RETAXED, _CAUSE, _DIFFERENCE):
        connection.execute(statement)


_PENDING: Final = {
    CauseCode.HELD_ORDER: "state = 'rejected'",
    CauseCode.IN_DOUBT: "state = 'in_doubt'",
    CauseCode.NOT_SENT_YET: "state IN ('planned', 'sent')",
}
_TAXED_KINDS: Final = dict.fromkeys(sorted(BILLS), 1) | dict.fromkeys(sorted(CREDITS), -1)
"""Which documents have tax, and its sign as it adds to what the customer owes."""

_OWED_ROLES: Final = (Role.RECEIVABLE, Role.REFUNDS_PAYABLE, Role.DEPOSITS, Role.PAYMENT_CLEARING)
_OWED: Final = ", ".join(f"'{role}'" for role in _OWED_ROLES)

# Each document: whether a write that got no answer happened all the same, and whether somebody changed it since.
_SEEN = f"""
CREATE OR REPLACE TEMP TABLE seen AS
WITH present AS (
    SELECT name, bool_or(s_all <> 0 OR sf_all <> 0) AS s_here, bool_or(e_all <> 0 OR ef_all <> 0) AS e_here,
        bool_or(ours) AS ours
    FROM few GROUP BY name
), known AS (
    SELECT suspect.*, ours, s_here, e_here, coalesce(told.state, '') AS state, coalesce(told.code, '') AS code,
        coalesce(told.adopted, false) AS adopted, total_minor, tax_minor, readback_total_minor AS readback,
        readback_tax_minor AS readback_tax, readback_version,
        coalesce(e_version > readback_version, false) AS moved_on,
        coalesce(readback_total_minor - total_minor, 0) AS total_off,
        coalesce(readback_tax_minor - told.tax_minor, 0) AS tax_off
    FROM suspect JOIN present USING (name) LEFT JOIN told ON ours AND told.document = suspect.name
)
SELECT *, state NOT IN ('', 'rejected') AND e_here AND (NOT s_here OR (moved_on AND NOT by_hand)) AS landed,
    by_hand OR (moved_on AND state = '') AS changed, total_off = tax_off AS read_alike,
    CASE kind {" ".join(f"WHEN '{kind}' THEN {sign}" for kind, sign in _TAXED_KINDS.items())} ELSE 0 END
        * CASE WHEN adopted OR landed THEN 0 ELSE tax_off END AS taxed
FROM known
"""

# Each cell with what the ERP took of it (t).
_MOVED = """
CREATE OR REPLACE TEMP TABLE moved AS
WITH taken AS (
    SELECT few.*, seen.* EXCLUDE (name, ours),
        CASE WHEN landed THEN x_in ELSE s_in END AS t_in, CASE WHEN landed THEN xf_in ELSE sf_in END AS tf_in,
        CASE WHEN landed THEN x_all ELSE s_all END AS t_all, CASE WHEN landed THEN xf_all ELSE sf_all END AS tf_all
    FROM few JOIN seen USING (name)
)
SELECT *, bool_or(t_in <> 0 OR tf_in <> 0) OVER document AS t_inside, bool_or(t_in <> t_all) OVER document AS t_outside,
    bool_or(e_in <> 0 OR ef_in <> 0) OVER document AS e_inside, bool_or(e_in <> e_all) OVER document AS e_outside,
    bool_or(t_all <> 0 OR tf_all <> 0) OVER place AS t_placed, bool_or(e_all <> 0 OR ef_all <> 0) OVER place AS e_placed
FROM taken WINDOW document AS (PARTITION BY name), place AS (PARTITION BY name, entity, currency)
"""

# Each cell with where it stands to the other side (stands), what the ERP has of it (now) and took of it (was).
_PLACED = """
CREATE OR REPLACE TEMP TABLE placed AS
WITH elsewhere AS (
    SELECT name, entity, currency, account, t_in, tf_in FROM moved WHERE t_placed AND NOT e_placed AND e_here
), ends AS (
    SELECT name, string_agg(DISTINCT seat, ', ' ORDER BY seat) FILTER (t_placed) AS left_end,
        string_agg(DISTINCT seat, ', ' ORDER BY seat) FILTER (e_placed) AS right_end,
        count(DISTINCT entity) = 1 AS one_entity
    FROM (SELECT *, entity || ' ' || currency AS seat FROM moved) GROUP BY name
), met AS (
    SELECT moved.*, left_end, right_end, one_entity,
        coalesce(there.t_in, 0) AS there_in, coalesce(there.tf_in, 0) AS theref_in,
        CASE
            WHEN NOT moved.ours THEN 'stray'
            WHEN NOT e_here THEN 'gone'
            WHEN t_placed AND NOT e_placed THEN 'away'
            WHEN e_placed AND NOT t_placed AND lone.name IS NOT NULL THEN 'arrived'
            WHEN t_inside AND NOT t_outside AND e_outside AND NOT e_inside THEN 'left'
            WHEN t_outside AND NOT t_inside AND e_inside AND NOT e_outside THEN 'right'
            ELSE 'here' END AS stands
    FROM moved LEFT JOIN elsewhere AS there ON there.name = moved.name AND there.account = moved.account
            AND e_placed AND NOT t_placed
        LEFT JOIN (SELECT name FROM elsewhere GROUP BY name HAVING count(DISTINCT (entity, currency)) = 1) AS lone
            ON lone.name = moved.name
        JOIN ends ON ends.name = moved.name
)
SELECT *,
    CASE stands WHEN 'left' THEN e_all WHEN 'right' THEN e_all WHEN 'here' THEN e_in WHEN 'arrived' THEN e_in END
        AS now,
    CASE stands WHEN 'left' THEN ef_all WHEN 'right' THEN ef_all WHEN 'here' THEN ef_in WHEN 'arrived' THEN ef_in END
        AS nowf,
    CASE stands WHEN 'left' THEN t_all WHEN 'right' THEN t_all WHEN 'here' THEN t_in WHEN 'arrived' THEN there_in END
        AS was,
    CASE stands WHEN 'left' THEN tf_all WHEN 'right' THEN tf_all WHEN 'here' THEN tf_in
        WHEN 'arrived' THEN theref_in END
        AS wasf
FROM met
"""


def _worth(minor: str) -> str:
    """SQL: an amount of a cell in the functional currency, at the rate of what the ERP took of the cell."""
    return f"CASE WHEN was = 0 THEN ({minor}) ELSE round(({minor})::DECIMAL(38, 6) * wasf / was) END::BIGINT"


# The tax that was read back otherwise than it was sent, on the tax accounts, and on what the customer owes where the
# total was read back otherwise by as much. On which of several accounts it falls is where the ERP has them otherwise.
_TAXED = f"""
CREATE OR REPLACE TEMP TABLE taxed AS
WITH wanted AS (
    SELECT name, entity, currency, account, now - was AS off, was, wasf,
        CASE WHEN role = '{Role.SALES_TAX_PAYABLE}' THEN 'tax' ELSE 'owed' END AS side,
        CASE side WHEN 'tax' THEN -taxed ELSE taxed END AS shift
    FROM placed JOIN (SELECT DISTINCT compared AS account, role FROM account_of) USING (account)
    WHERE taxed <> 0 AND now IS NOT NULL AND (role = '{Role.SALES_TAX_PAYABLE}' OR (role IN ({_OWED}) AND read_alike))
), ranked AS (
    SELECT *, sum(off) OVER document = shift AS adds_up,
        row_number() OVER (document ORDER BY abs(off) DESC, account) AS place
    FROM wanted WINDOW document AS (PARTITION BY name, entity, currency, side)
), shifted AS (
    SELECT *, (CASE WHEN adds_up THEN off WHEN place = 1 THEN shift ELSE 0 END)::BIGINT AS tax FROM ranked
)
SELECT name, entity, currency, account, tax, {_worth("tax")} AS taxf FROM shifted WHERE tax <> 0
"""

_MONEY_IN: Final = (
    DocumentKind.PAYMENT,
    DocumentKind.DEPOSIT,
    DocumentKind.DEPOSIT_APPLICATION,
    DocumentKind.CASH_SALE,
)
"""Ways to enter the same money: one is entered again as another."""


def _entered_as(kind: str) -> str:
    """SQL: the kind of a document, alike for what may stand for the same thing."""
    alike = ", ".join(f"'{one}'" for one in _MONEY_IN)
    return f"CASE WHEN {kind} IN ({alike}) THEN 'money' ELSE {kind} END"


# Of documents that are not ours, whether one of ours of the same kind and order stands in the ERP beside them.
_STRAY = f"""
CREATE OR REPLACE TEMP TABLE stray AS
WITH wanted AS (
    SELECT name, key, kind, channel, order_id FROM seen WHERE NOT ours
), own AS (
    SELECT DISTINCT document, kind, channel, order_id
    FROM expected SEMI JOIN (SELECT key FROM posted WHERE key <> '') AS standing ON standing.key = document
)
SELECT name, min(document) AS own_document
FROM wanted JOIN own ON own.document = wanted.key OR (own.order_id = wanted.order_id AND own.order_id <> ''
    AND {_entered_as("own.kind")} = {_entered_as("wanted.kind")}
    AND (wanted.channel = '' OR own.channel = wanted.channel))
GROUP BY name
"""

# What the ERP posted on an account that our entry has nothing on, and the one account of its type that is short.
_FOREIGN = """
CREATE OR REPLACE TEMP TABLE foreign_account AS
WITH off AS (
    SELECT placed.*, type, now - was - coalesce(tax, 0) AS left_over
    FROM placed LEFT JOIN taxed USING (name, entity, currency, account)
        JOIN (SELECT DISTINCT compared AS account, type FROM account_of) USING (account)
    WHERE now IS NOT NULL AND ours AND (s_here OR landed) AND NOT changed AND NOT adopted
), beyond AS (
    SELECT name, entity, currency, type, account, now, nowf FROM off WHERE was = 0 AND wasf = 0 AND now <> 0
), short AS (
    SELECT name, entity, currency, type, min(account) AS account FROM off WHERE was <> 0 AND left_over <> 0
    GROUP BY ALL HAVING count(*) = 1
)
SELECT name, entity, currency, beyond.account, short.account AS instead_of, beyond.now AS amount, beyond.nowf AS worth
FROM beyond JOIN short USING (name, entity, currency, type)
"""


def _evidence(**facts: str) -> str:
    """SQL: a JSON object of the facts; absent ones are null."""
    return f"to_json(struct_pack({', '.join(f'{name} := {sql}' for name, sql in facts.items())}))::VARCHAR"


def _cause(code: str, amount: str, worth: str, when: str, evidence: str) -> str:
    return f"""
    SELECT name, entity, currency, account, '{code}' AS code, ({amount})::BIGINT AS amount_minor,
        ({worth})::BIGINT AS functional_minor, {evidence} AS evidence
    FROM value WHERE {when}"""


# Each cell with all that is known of it: what its tax and its accounts do, and what is left after those.
_VALUE = """
CREATE OR REPLACE TEMP TABLE value AS
WITH misplaced AS (
    SELECT name, entity, currency, account, instead_of AS other, amount, worth FROM foreign_account
    UNION ALL
    SELECT name, entity, currency, instead_of, string_agg(account, ', ' ORDER BY account), -sum(amount), -sum(worth)
    FROM foreign_account GROUP BY ALL
)
SELECT placed.*, role, coalesce(tax, 0) AS tax, coalesce(taxf, 0) AS taxf, coalesce(amount, 0) AS misplaced,
    coalesce(worth, 0) AS misplacedf, other AS other_account, own_document, functional,
    now - was - coalesce(tax, 0) - coalesce(amount, 0) AS rest,
    nowf - wasf - coalesce(taxf, 0) - coalesce(worth, 0) AS restf
FROM placed
    JOIN (SELECT DISTINCT compared AS account, role FROM account_of) USING (account)
    LEFT JOIN taxed USING (name, entity, currency, account)
    LEFT JOIN misplaced USING (name, entity, currency, account)
    LEFT JOIN stray USING (name)
    LEFT JOIN (SELECT slug AS entity, functional FROM entity) USING (entity)
"""

_UNSENT = "x_in <> t_in OR xf_in <> tf_in"
# A document that the ERP itself touched again (it was applied, paid) is no more than converted otherwise.
_ALIKE_BUT_WORTH = f"""now IS NOT NULL AND NOT by_hand AND NOT adopted AND ours AND currency <> functional
    AND rest = 0 AND restf <> 0
    AND abs(restf) <= CASE role WHEN '{Role.FX_GAIN_LOSS}' THEN greatest(e_lines, 1) ELSE greatest(lines, 1) END"""
_CHANGED: Final = "(now - was <> tax OR nowf - wasf <> taxf)"
_EDITED = f"""now IS NOT NULL AND changed AND read_alike AND ours AND NOT (adopted AND total_off <> 0)
    AND NOT coalesce({_ALIKE_BUT_WORTH}, false)"""
_ADOPTED = "now IS NOT NULL AND NOT changed AND adopted"

_CAUSES: Final = (
    *(
        _cause(
            code,
            "t_in - x_in",
            "tf_in - xf_in",
            f"({_UNSENT}) AND {states}",
            _evidence(state="state", exception="nullif(code, '')", expected_minor="x_in", taken_minor="t_in"),
        )
        for code, states in _PENDING.items()
    ),
    _cause(
        CauseCode.ENTERED_TWICE,
        "e_in",
        "ef_in",
        "stands = 'stray' AND own_document IS NOT NULL",
        _evidence(ref="e_ref", own_document="own_document", date="e_days", erp_minor="e_in", by_hand="by_hand"),
    ),
    _cause(
        CauseCode.ENTERED_IN_ERP_ALONE,
        "e_in",
        "ef_in",
        "stands = 'stray' AND own_document IS NULL",
        _evidence(ref="e_ref", key="nullif(key, '')", date="e_days", erp_minor="e_in", by_hand="by_hand"),
    ),
    _cause(
        CauseCode.ERP_DELETED,
        "-t_in",
        "-tf_in",
        "stands = 'gone' AND (t_in <> 0 OR tf_in <> 0)",
        _evidence(taken_minor="t_in", readback_minor="readback", date="x_days"),
    ),
    _cause(
        CauseCode.CUT_OFF,
        "CASE stands WHEN 'left' THEN -e_all ELSE t_all END",
        "CASE stands WHEN 'left' THEN -ef_all ELSE tf_all END",
        "stands IN ('left', 'right')",
        _evidence(
            left_date="x_days",
            right_date="e_days",
            elsewhere_minor="CASE stands WHEN 'left' THEN e_all ELSE t_all END",
        ),
    ),
    *(
        _cause(
            code,
            "CASE stands WHEN 'away' THEN -t_in ELSE there_in END",
            "CASE stands WHEN 'away' THEN -tf_in ELSE theref_in END",
            f"stands IN ('away', 'arrived') AND {states} AND (t_in, tf_in, there_in, theref_in) <> (0, 0, 0, 0)",
            _evidence(ref="e_ref", left="left_end", right="right_end"),
        )
        for code, states in ((CauseCode.FX, "one_entity"), (CauseCode.WRONG_ENTITY, "NOT one_entity"))
    ),
    *(
        _cause(
            code,
            "tax",
            "taxf",
            f"tax <> 0 AND {size}",
            _evidence(hub_tax_minor="tax_minor", readback_tax_minor="readback_tax"),
        )
        for code, size in (
            (CauseCode.ROUNDING, f"abs(taxed) <= {ROUNDING_MINOR_MAX}"),
            (CauseCode.TAX_BASE, f"abs(taxed) > {ROUNDING_MINOR_MAX}"),
        )
    ),
    *(
        _cause(
            code,
            "now - was - tax",
            "nowf - wasf - taxf",
            f"{_EDITED} AND {_CHANGED} AND name {which} (FROM retaxed)",
            _evidence(
                ref="e_ref",
                readback_minor="was + tax",
                erp_minor="now",
                readback_version="readback_version",
                version="e_version",
                by_hand="by_hand",
            ),
        )
        for code, which in ((CauseCode.TAX_RECOMPUTED, "IN"), (CauseCode.HAND_EDIT, "NOT IN"))
    ),
    _cause(
        CauseCode.ADOPTED,
        "now - was",
        "nowf - wasf",
        f"{_ADOPTED} AND (now <> was OR nowf <> wasf)",
        _evidence(ref="e_ref", hub_minor="was", readback_minor="now"),
    ),
    _cause(
        CauseCode.WRONG_ACCOUNT,
        "misplaced",
        "misplacedf",
        "misplaced <> 0 OR misplacedf <> 0",
        _evidence(ref="e_ref", other_account="other_account", erp_minor="now", taken_minor="was"),
    ),
    _cause(
        CauseCode.CONVERSION,
        "0",
        "restf",
        _ALIKE_BUT_WORTH,
        _evidence(ref="e_ref", lines="lines", erp_minor="now", taken_minor="was"),
    ),
)

# Documents of which somebody changed the tax and what is owed by it, and nothing else.
_RETAXED = f"""
CREATE OR REPLACE TEMP TABLE retaxed AS
WITH may AS (
    SELECT compared AS account, bool_or(role = '{Role.SALES_TAX_PAYABLE}') AS is_tax FROM account_of
    WHERE role IN ('{Role.SALES_TAX_PAYABLE}', {_OWED}) GROUP BY ALL
)
SELECT name FROM value LEFT JOIN may USING (account) WHERE {_EDITED} AND {_CHANGED}
GROUP BY name HAVING bool_and(is_tax IS NOT NULL) AND bool_or(is_tax)
"""

_CAUSE = f"CREATE OR REPLACE TEMP TABLE cause AS {' UNION ALL '.join(_CAUSES)}"

_DIFFERENCE = """
CREATE OR REPLACE TEMP TABLE difference AS
WITH summed AS (
    SELECT name, entity, currency, account, sum(amount_minor) AS amount, sum(functional_minor) AS worth
    FROM cause GROUP BY ALL
), told_of AS (
    SELECT value.*, coalesce(amount, 0) AS amount, coalesce(worth, 0) AS worth
    FROM value LEFT JOIN summed USING (name, entity, currency, account)
)
SELECT row_number() OVER (ORDER BY entity, currency, account, name) AS number, name, entity, account, currency,
    coalesce(functional, currency) AS functional, key, e_ref, kind, channel, order_id, reference,
    (e_in - x_in)::BIGINT AS delta_minor, (ef_in - xf_in)::BIGINT AS delta_functional_minor,
    (e_in - x_in - amount)::BIGINT AS residual_minor, (ef_in - xf_in - worth)::BIGINT AS residual_functional_minor
FROM told_of WHERE differs OR amount <> 0 OR worth <> 0
"""
