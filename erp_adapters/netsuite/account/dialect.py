"""SuiteQL as SQLite reads it: the vendor's dialect is taken apart into tokens, and put together again.

What NetSuite refuses is refused here, and what SQLite knows and NetSuite does not (`LIMIT`, a text in double quotes) is
not let through. Facts: ERPS.md 1.10 and 1.13; [G] marks common knowledge that no source of ours confirms.
"""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

SEARCH_FAILED = "Invalid search query. Detailed unprocessed description follows. Search error occurred: "


class QueryError(Exception):
    """The account refuses this query; the fields are those of a REST error body."""

    def __init__(self, detail: str, *, status: int = 400, code: str = "INVALID_PARAMETER") -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


def unsupported() -> QueryError:
    """What NetSuite says about most of what it cannot read: no word of where or why."""
    return QueryError(SEARCH_FAILED + "Invalid or unsupported search")


@dataclass(frozen=True)
class Token:
    """One word of a query; `text` as written, `kind` one of text, quoted, number, name, mark, sign."""

    kind: str
    text: str

    @property
    def word(self) -> str:
        """The lower-case name, or an empty string for anything but a bare name."""
        return self.text.lower() if self.kind == "name" else ""


_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
      | (?P<text>'(?:[^']|'')*')
      | (?P<quoted>"[^"]+")
      | (?P<number>\d+(?:\.\d+)?|\.\d+)
      | (?P<name>[A-Za-z_][A-Za-z0-9_$]*)
      | (?P<mark>\?)
      | (?P<sign><>|!=|<=|>=|\|\||[-+*/%(),.=<>])""",
    re.VERBOSE | re.DOTALL,
)

# Words of the language: they stay bare, every other name is bracketed, so that no name falls on a word of SQLite's
# (`transaction` is one) and an unknown one is an error, never a text.
_WORDS = frozenset(
    "select distinct all from where group by having order asc desc nulls first last and or not in is null like between"
    " exists case when then else end as on join inner left right full outer cross union intersect except minus with"
    " escape cast over partition count sum min max avg".split()
)
_TYPES = frozenset("varchar varchar2 number integer date timestamp float char decimal".split())
# SQLite's own words and functions that SuiteQL does not have.
_FOREIGN = frozenset(
    "limit offset pragma attach insert update delete create drop alter replace merge into values begin commit glob"
    " regexp match indexed collate window returning strftime datetime julianday ifnull iif printf".split()
)
# Functions served: the account's own (tables.py gives the code), and SQLite's where both mean the same.
FUNCTIONS = frozenset(
    "to_char to_date to_timestamp to_number nvl nvl2 trunc decode substr instr concat"
    " abs round upper lower length coalesce nullif trim ltrim rtrim replace sign".split()
)
BARE_FUNCTIONS = frozenset("sysdate current_date".split())
_DATE_WORDS = BARE_FUNCTIONS | {"to_date", "to_timestamp"}


def tokens(q: str) -> tuple[Token, ...]:
    """The words of a query, comments and spaces left out.

    Raises:
        QueryError: a character that no query has, a semicolon among them.
    """
    found = list(_scan(q))
    if not found or found[0].word not in ("select", "with"):
        raise unsupported()
    return tuple(found)


def _scan(q: str) -> Iterator[Token]:
    at = 0
    while at < len(q):
        match = _TOKEN.match(q, at)
        if match is None:
            raise unsupported()
        at = match.end()
        kind = str(match.lastgroup)
        if kind != "space":
            yield Token(kind, match.group())


def is_ordered(q: str) -> bool:
    """The query says in which order its rows come."""
    depth = 0
    for word in tokens(q):
        depth += (word.text == "(") - (word.text == ")")
        if depth == 0 and word.word == "order":
            return True
    return False


@dataclass(frozen=True)
class Statement:
    """A query ready for SQLite, and how many parameters it takes."""

    sql: str
    parameters: int


def translate(
    q: str,
    columns: Mapping[str, Sequence[str]],
    displays: Mapping[tuple[str, str], str],
    dates: Container[str] = (),
) -> Statement:
    """The same question in SQLite's words.

    Args:
        columns: the columns of each table, both in lower case.
        displays: how `BUILTIN.DF` shows a column: the kind of what (table, column) refers to.
        dates: the names of columns that hold dates.

    Raises:
        QueryError: not a SELECT, an unknown record, or a word that SuiteQL does not have.
    """
    words = tokens(q)
    aliases = _aliases(words, columns)
    _no_sums_of_dates(words, dates)
    out = "".join(_rewritten(words, aliases, columns, displays))
    return Statement(out, sum(word.kind == "mark" for word in words))


def _no_sums_of_dates(words: Sequence[Token], dates: Container[str]) -> None:
    """SQLite would add to a date's text and say nothing; the account's own words stand in for the vendor's here."""
    for before, sign, after in zip(words, words[1:], words[2:], strict=False):
        near = {before.word, after.word}
        if sign.text in ("+", "-") and any(word in dates or word in _DATE_WORDS for word in near):
            raise QueryError("This simulated account does not reckon with dates in a query: bind the date instead.")


def _aliases(words: Sequence[Token], columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Each name that stands for a table in this query; a subquery's or a CTE's stands for itself."""
    own = {words[at].word for at in range(len(words) - 2) if words[at + 1].word == "as" and words[at + 2].text == "("}
    found: dict[str, str] = {}
    depth, listing = 0, set[int]()
    for at, word in enumerate(words):
        depth += (word.text == "(") - (word.text == ")")
        if word.word == "from":
            listing.add(depth)
        elif word.word in ("where", "group", "order", "having", "on", "union", "fetch", "select"):
            listing.discard(depth)
        if not (word.word in ("from", "join") or (word.text == "," and depth in listing)):
            continue
        if at + 1 >= len(words):
            raise unsupported()
        name = words[at + 1]
        if name.kind not in ("name", "quoted"):
            continue
        table = name.text.strip('"').lower()
        if table not in columns and table not in own:
            raise QueryError(f"{SEARCH_FAILED}Record '{name.text}' was not found.")
        found[table] = table
        alias = at + 2 + (at + 2 < len(words) and words[at + 2].word == "as")
        if alias < len(words) and words[alias].word and words[alias].word not in _WORDS | {"fetch"}:
            found[words[alias].word] = table
    return found


def _rewritten(
    words: Sequence[Token],
    aliases: Mapping[str, str],
    columns: Mapping[str, Sequence[str]],
    displays: Mapping[tuple[str, str], str],
) -> Iterator[str]:
    at = 0
    while at < len(words):
        word = words[at]
        after = words[at + 1].text if at + 1 < len(words) else ""
        if word.word == "builtin" and after == ".":
            piece, at = _display(words, at, aliases, columns, displays)
            yield piece
            continue
        if word.word == "fetch":
            piece, at = _fetch(words, at)
            yield piece
            continue
        at += 1
        if word.kind == "quoted":
            yield f" [{word.text[1:-1].lower()}]"
        elif word.kind != "name":
            yield word.text if word.text in (".", "(") else f" {word.text}"
        elif word.word in _FOREIGN and not (word.word == "replace" and after == "("):
            raise unsupported()
        elif word.word == "minus":
            yield " except"
        elif word.word in _WORDS or (word.word in _TYPES and words[at - 2].word == "as"):
            yield f" {word.word}"
        elif word.word in BARE_FUNCTIONS:
            yield f" {word.word}_()"
        elif after == "(" and words[at - 2].text != ".":
            if word.word not in FUNCTIONS:
                raise unsupported()
            yield f" {word.word}"
        else:
            yield f" [{word.word}]" if words[at - 2].text != "." else f"[{word.word}]"


def _fetch(words: Sequence[Token], at: int) -> tuple[str, int]:
    """`FETCH FIRST n ROWS ONLY` becomes a LIMIT."""
    clause = words[at : at + 5]
    said = [word.word for word in clause]
    right = (
        len(clause) == 5
        and said[1] in ("first", "next")
        and clause[2].text.isdigit()
        and said[3] in ("row", "rows")
        and said[4] == "only"
    )
    if not right:
        raise unsupported()
    return f" limit {clause[2].text}", at + 5


def _display(
    words: Sequence[Token],
    at: int,
    aliases: Mapping[str, str],
    columns: Mapping[str, Sequence[str]],
    displays: Mapping[tuple[str, str], str],
) -> tuple[str, int]:
    """`BUILTIN.DF(col)`: the text that people see in place of an id or a code; a plain column shows itself."""
    inner = words[at + 4 : at + 7]
    if len(words) < at + 6 or words[at + 2].word != "df" or words[at + 3].text != "(":
        raise unsupported()
    if len(inner) == 3 and inner[1].text == ".":
        owner, column, end = inner[0].text.strip('"').lower(), inner[2].text.strip('"').lower(), at + 7
        table = aliases.get(owner, "")
        prefix = f"[{owner}]."
    else:
        column, end = inner[0].text.strip('"').lower(), at + 5
        table = next((name for name in aliases.values() if column in columns.get(name, ())), "")
        prefix = ""
    if end >= len(words) or words[end].text != ")":
        raise unsupported()
    kind = displays.get((table, column))
    if kind is None:
        return f" {prefix}[{column}]", end + 1
    if kind == "status":
        return f" display_status({prefix}[type], {prefix}[{column}])", end + 1
    return f" display('{kind}', {prefix}[{column}])", end + 1
