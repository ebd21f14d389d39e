"""The account as its searches see it: an SQLite database in memory that follows the account record by record."""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from erp_adapters.netsuite.account import dates, dialect, statuses
from erp_adapters.netsuite.account.dialect import SEARCH_FAILED, QueryError
from erp_adapters.netsuite.account.lists import ITEM_TYPES
from erp_adapters.netsuite.account.records import KINDS
from erp_adapters.netsuite.account.rows import TYPES, Around, rows_of
from erp_adapters.netsuite.account.tables import Schema
from erp_adapters.netsuite.account.world import Rec, World, name_of

_STATUS: Final = {
    "SalesOrd": statuses.ORDER,
    "RtnAuth": statuses.RETURN,
    "CustInvc": {"A": "Open", "B": "Paid In Full"},
    "CustCred": {"A": "Open", "B": "Fully Applied"},
    "CustPymt": {"A": "Unapproved Payment", "B": "Not Deposited", "C": "Deposited"},
    "CustDep": {"A": "Not Deposited", "B": "Deposited", "C": "Fully Applied"},
    "CashSale": {"B": "Not Deposited", "C": "Deposited"},
    "Journal": {"A": "Pending Approval", "B": "Approved for Posting"},
    "ItemShip": {"A": "Picked", "B": "Packed", "C": "Shipped"},
}
_LABELS: Final = {code: KINDS[name].label for name, code in TYPES.items()}


def settings_of(world: World) -> tuple[object, ...]:
    """What the database is made for; another one is made when it changes."""
    return dict(world.custom_fields), world.switches.date_form, world.switches.time_zone


class Database:
    """The account as a search sees it, kept in step with it."""

    def __init__(self, world: World) -> None:
        self.settings = settings_of(world)
        self._schema = Schema(world.custom_fields)
        self._lock = threading.Lock()
        self._loaded: dict[int, tuple[Rec, int]] = {}
        self._names: dict[int, str] = {}
        self._version = -1
        self._behind = False  # something is still to be heard of what this version has
        self._answer: tuple[object, list[dict[str, Any]]] | None = None
        self._trouble: list[str] = []
        self._form = world.switches.date_form
        self._zone = world.switches.time_zone
        self._today = ""
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.create_collation("suitedate", self._compare)
        for statement in self._schema.statements():
            self._db.execute(statement)
        self._db.execute("PRAGMA case_sensitive_like = ON")
        self._serve_functions()

    def ask(self, world: World, q: str, params: Sequence[Any]) -> list[dict[str, Any]]:
        """Every row that the query finds.

        Raises:
            QueryError: it cannot be read.
        """
        statement = dialect.translate(q, self._schema.columns, self._schema.displays, self._schema.dates)
        if len(params) != statement.parameters:
            raise QueryError(f"The query has {statement.parameters} parameters, {len(params)} were given.")
        with self._lock:
            changed = self._follow(world)
            asked = (q, tuple(map(str, params)))
            if not changed and self._answer is not None and self._answer[0] == asked:
                return self._answer[1]
            self._today = dates.moment(world.now(), self._zone)
            found = self._execute(statement.sql, params)
            # A question about today is asked anew.
            self._answer = None if "sysdate" in q.lower() or "current_date" in q.lower() else (asked, found)
            return found

    # --- in step --------------------------------------------------------------------------------------------------

    def _follow(self, world: World) -> bool:
        """The tables hold what is visible now; True when that was news."""
        if world.version == self._version and not self._behind:
            return False
        self._version, self._behind = world.version, bool(world.lagging)
        seen = {rec.id: (rec, world.stamps.get(rec.id, 0)) for rec in world.visible()}
        seen |= {rec.id: (rec, world.stamps.get(rec.id, 0)) for rec in world.visible(deleted=True)}
        news = [id for id, (rec, stamp) in seen.items() if not self._same(id, rec, stamp)]
        gone = [id for id in self._loaded if id not in seen]
        if not news and not gone:
            return False
        recs = [rec for rec, _ in seen.values()]
        around = Around(
            {str(rec.get("acctNumber")): rec.id for rec in recs if rec.type == "account"},
            {rec.id: ITEM_TYPES[rec.type] for rec in recs if rec.type in ITEM_TYPES},
            self._zone,
        )
        self._db.execute("BEGIN")
        moved = {*news, *gone}
        moved |= self._linked(moved)
        self._forget([id for id in (*news, *gone) if id in self._loaded])
        for id in news:
            self._names[id] = name_of(seen[id][0])
            for table, row in rows_of(seen[id][0], around):
                self._insert(table, row)
        self._use(moved | self._linked(news))
        self._db.execute("COMMIT")
        self._loaded = seen
        return True

    def _same(self, id: int, rec: Rec, stamp: int) -> bool:
        known = self._loaded.get(id)
        return known is not None and known[0] is rec and known[1] == stamp

    def _forget(self, ids: Iterable[int]) -> None:
        keys = [(id,) for id in ids]
        for table, kinds in self._schema.kinds.items():
            for key in ("transaction", "owner", "recordid", "id", "item"):
                if key in kinds:
                    self._db.executemany(f"DELETE FROM [{table}] WHERE [{key}] = ?", keys)
                    break

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        kinds = self._schema.kinds.get(table)
        if kinds is None:  # a list that no search of this account reads
            return
        names = [name for name in row if name in kinds and row[name] not in (None, "")]
        columns, marks = ", ".join(f"[{name}]" for name in names), ", ".join("?" * len(names))
        self._db.execute(f"INSERT INTO [{table}] ({columns}) VALUES ({marks})", [row[name] for name in names])

    def _linked(self, ids: Iterable[int]) -> set[int]:
        """What these records come from or are applied to."""
        return {
            found for id in ids for (found,) in self._db.execute("SELECT previousdoc FROM link WHERE owner = ?", (id,))
        }

    def _use(self, ids: Iterable[int]) -> None:
        """A deposit, a payment and a credit memo say how much of them is used, by what was made of them."""
        self._db.executemany(
            "UPDATE [transaction] SET foreignpaymentamountused = (SELECT coalesce(sum(l.foreignamount), 0) FROM link l"
            " JOIN [transaction] n ON n.id = l.nextdoc"
            " WHERE l.linktype IN ('DepAppl', 'DepRfnd', 'Payment') AND (l.previousdoc = [transaction].id"
            " OR (l.nextdoc = [transaction].id AND l.linktype = 'Payment')))"
            " WHERE id = ? AND type IN ('CustDep', 'CustPymt', 'CustCred')",
            [(id,) for id in ids],
        )
        self._db.executemany(
            "UPDATE [transaction] SET foreignpaymentamountunused = round(foreigntotal - foreignpaymentamountused, 8)"
            " WHERE id = ? AND type IN ('CustDep', 'CustPymt', 'CustCred')",
            [(id,) for id in ids],
        )

    # --- asking ---------------------------------------------------------------------------------------------------

    def _execute(self, sql: str, params: Sequence[Any]) -> list[dict[str, Any]]:
        self._trouble.clear()
        self._db.set_authorizer(_reading_only)
        try:
            cursor = self._db.execute(sql, [_bound(value) for value in params])
            names = _names_of([column[0] for column in cursor.description])
            rows = cursor.fetchall()
        except sqlite3.Error as error:
            raise self._refusal(str(error)) from None
        finally:
            self._db.set_authorizer(None)
        if self._trouble:
            raise QueryError(SEARCH_FAILED + self._trouble[0])
        return [self._shown(names, row) for row in rows]

    def _refusal(self, said: str) -> QueryError:
        if self._trouble:
            return QueryError(SEARCH_FAILED + self._trouble[0])
        before, _, name = said.partition("no such column: ")
        if name and not before:
            field = name.replace("[", "").replace("]", "").rsplit(".", 1)[-1]
            return QueryError(
                f"{SEARCH_FAILED}Field '{field}' was not found. Reason: NOT_EXISTS - Field doesn't exist."
            )
        return dialect.unsupported()

    def _shown(self, names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
        shown: dict[str, Any] = {"links": []}
        for name, value in zip(names, row, strict=True):
            if value is None or value == "":
                continue
            if isinstance(value, float):
                shown[name] = plain(value)
            elif dates.is_date(value):
                shown[name] = dates.in_account(value, self._form)
            else:
                shown[name] = str(value)
        return shown

    # --- what the dialect calls -----------------------------------------------------------------------------------

    def _compare(self, one: str, other: str) -> int:
        """Dates as dates: a plain text beside one is read as the account writes dates, and is an error otherwise."""
        if dates.is_date(one) is not dates.is_date(other):
            try:
                one = one if dates.is_date(one) else dates.from_account(one, self._form)
                other = other if dates.is_date(other) else dates.from_account(other, self._form)
            except ValueError:
                self._trouble.append("Invalid date")
                return 0
        return (one > other) - (one < other)

    def _serve_functions(self) -> None:
        served: dict[str, tuple[int, Callable[..., Any]]] = {
            "to_char": (-1, self._to_char),
            "to_date": (-1, self._to_date),
            "to_timestamp": (-1, self._to_date),
            "to_number": (1, lambda value: None if value is None else float(value)),
            "nvl": (2, lambda value, other: other if value is None else value),
            "nvl2": (3, lambda value, some, none: none if value is None else some),
            "decode": (-1, _decode),
            "concat": (2, lambda one, other: f"{_text(one)}{_text(other)}"),
            "trunc": (-1, self._trunc),
            "sysdate_": (0, self._sysdate),
            "current_date_": (0, lambda: self._trunc(self._today)),
            "display": (2, self._display),
            "display_status": (2, _status),
        }
        for name, (arguments, function) in served.items():
            self._db.create_function(name, arguments, self._noting(function))

    def _noting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """SQLite keeps no word of what goes wrong within a function; this does."""

        def called(*values: Any) -> Any:
            try:
                return function(*values)
            except ValueError as error:
                self._trouble.append(str(error))
                raise

        return called

    def _sysdate(self) -> str:
        return self._today

    def _to_char(self, value: Any, form: str | None = None) -> str | None:
        if value is None:
            return None
        if dates.is_date(value):
            return dates.show(value, form) if form else dates.in_account(value, self._form)
        if form is not None:
            raise ValueError("TO_CHAR of a number with a format is not served")
        return _text(value)

    def _to_date(self, value: Any, form: str | None = None) -> str | None:
        if value is None or dates.is_date(value):
            return value  # type: ignore[no-any-return]  # SQLite hands in what it holds
        return dates.parse(str(value), form) if form else dates.from_account(str(value), self._form)

    def _trunc(self, value: Any, unit: str | None = None) -> Any:
        if dates.is_date(value):
            if unit not in (None, "DD", "MM", "YYYY", "MONTH", "YEAR"):
                raise ValueError(f"TRUNC to {unit} is not served")
            kept = {None: 11, "DD": 11, "MM": 8, "MONTH": 8}.get(unit, 5)
            return value[:kept] + "-01-01"[kept - 5 : 6] * (kept < 11) + " 00:00:00"
        return None if value is None else float(int(value))

    def _display(self, kind: str, value: Any) -> str | None:
        if value is None:
            return None
        if kind == "type":
            return _LABELS.get(str(value), str(value))
        return self._names.get(int(value), str(value))


def plain(value: float) -> str:
    """A number as an answer writes it: no exponent, no trailing zeros, to eight places."""
    text = f"{round(value, 8):.8f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _text(value: Any) -> str:
    return "" if value is None else plain(value) if isinstance(value, float) else str(value)


def _bound(value: Any) -> Any:
    """A parameter as SQLite takes it.

    Raises:
        QueryError: an object or a list.
    """
    if isinstance(value, bool):
        return "T" if value else "F"
    if value is None or isinstance(value, int | str):
        return value
    if isinstance(value, float):
        return value
    raise QueryError("A parameter is a text or a number.")


def _decode(value: Any, *cases: Any) -> Any:
    for at in range(0, len(cases) - 1, 2):
        if value == cases[at]:
            return cases[at + 1]
    return cases[-1] if len(cases) % 2 else None


def _status(kind: str | None, letter: str | None) -> str | None:
    if kind is None or letter is None:
        return letter
    label = _LABELS.get(kind, kind)
    return f"{label} : {_STATUS.get(kind, {}).get(letter, letter)}"


def _names_of(described: Sequence[str]) -> list[str]:
    """The keys of the answer's rows: what has no name is expr1, expr2 … [G]."""
    found, unnamed = [], 0
    for name in described:
        bare = name.strip("[]").lower()
        if any(sign in bare for sign in "(|+*/'?.[") or bare.startswith("case ") or bare[:1].isdigit():
            unnamed += 1
            bare = f"expr{unnamed}"
        found.append(bare)
    return found


def _reading_only(action: int, *_: Any) -> int:
    allowed = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
    return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY
