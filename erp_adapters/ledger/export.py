"""The journal for tools that nobody here wrote: Beancount, CSV, JSON lines."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from hub.model.money import decimal_of

ROOTS: Final = {
    "asset": "Assets",
    "liability": "Liabilities",
    "equity": "Equity",
    "income": "Income",
    "expense": "Expenses",
}
OPENED_ON: Final = "1970-01-01"  # before any entry

_NOT_ACCOUNT = re.compile(r"[^A-Za-z0-9]+")
_FORMULA = re.compile(r"(^|;)(?=\s*[=+\-@＝＋－＠])")
_CSV_COLUMNS: Final = (
    "entry", "cause", "reverses", "date", "original_date", "entity", "memo", "document", "ref", "kind", "channel",
    "order", "reference", "account", "amount", "currency", "functional_amount", "functional",
)  # fmt: skip


def export_lines(
    form: str, journal: Iterable[dict[str, Any]], accounts: list[dict[str, Any]], entities: Mapping[str, str]
) -> Iterator[str]:
    """The journal, line by line, each ending in a newline.

    Raises:
        ValueError: a form other than beancount, csv, json.
    """
    match form:
        case "beancount":
            return _beancount(journal, accounts, entities)
        case "csv":
            return _csv(journal)
        case "json":
            return (json.dumps(entry, ensure_ascii=False) + "\n" for entry in journal)
    raise ValueError(f"no export as {form!r}: beancount, csv or json")


def beancount_names(entities: Iterable[str], accounts: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """Each entity's accounts in Beancount's grammar: Assets:Main:1200-Payment-clearing-paypal.

    Names that would be the same after losing the letters that Beancount does not know end in hex digits of their
    SHA-256, so that two accounts never share one.
    """
    plain = {
        (entity, account["id"]): f"{ROOTS[account['type']]}:{_part(entity)}:{_part(account['number'], account['name'])}"
        for entity in entities
        for account in accounts
    }
    shared = Counter(plain.values())
    return {
        place: name if shared[name] == 1 else f"{name}-{sha256(repr(place).encode()).hexdigest()[:8]}"
        for place, name in plain.items()
    }


def _part(*names: str) -> str:
    part = _NOT_ACCOUNT.sub("-", "-".join(names)).strip("-") or "X"
    return part[0].upper() + part[1:]


def _beancount(
    journal: Iterable[dict[str, Any]], accounts: list[dict[str, Any]], entities: Mapping[str, str]
) -> Iterator[str]:
    yield 'option "title" "orderhub reference ledger"\n'
    for currency in sorted(set(entities.values())):
        yield f'option "operating_currency" "{currency}"\n'
    # A price that does not divide evenly leaves a digit far behind the last; the entries themselves balance exactly.
    yield 'option "inferred_tolerance_default" "*:0.000001"\n\n'
    names = beancount_names(entities, accounts)
    for name in sorted(names.values()):
        yield f"{OPENED_ON} open {name}\n"
    for entry in journal:
        functional = entry["functional"]
        yield f"\n{entry['date']} * {_quoted(entry['memo'])}\n"
        yield f'  entry: "{entry["entry"]}"\n'
        yield f"  document: {_quoted(entry['document'] or entry['ref'])}\n"
        if entry["original_date"]:
            yield f"  original-date: {entry['original_date']}\n"
        for posting in entry["postings"]:
            name = names[(entry["entity"], posting["account"])]
            yield f"  {name}  {_amount(posting, functional)}\n"


def _amount(posting: Mapping[str, Any], functional: str) -> str:
    amount, currency, worth = posting["amount_minor"], posting["currency"], posting["functional_minor"]
    if currency == functional:
        return f"{decimal_of(amount, currency)} {currency}"
    if amount == 0:  # a rounding of the conversion: no foreign amount, only a worth
        return f"{decimal_of(worth, functional)} {functional}"
    return f"{decimal_of(amount, currency)} {currency} @@ {decimal_of(abs(worth), functional)} {functional}"


def _quoted(words: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in words)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _csv(journal: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield _csv_line(_CSV_COLUMNS)
    for entry in journal:
        for posting in entry["postings"]:
            row = entry | {
                "account": posting["account"],
                "currency": posting["currency"],
                "amount": decimal_of(posting["amount_minor"], posting["currency"]),
                "functional_amount": decimal_of(posting["functional_minor"], entry["functional"]),
            }
            yield _csv_line(row[name] for name in _CSV_COLUMNS)


def _csv_line(values: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(
        [_inert(value) if isinstance(value, str) else value for value in values]
    )
    return out.getvalue()


def _inert(words: str) -> str:
    """Text for any spreadsheet: an apostrophe stands before what would begin a formula (OWASP, CSV injection).

    Also behind a semicolon, which divides cells where the comma is the decimal sign.
    """
    return _FORMULA.sub(r"\1'", "".join(letter if letter.isprintable() else " " for letter in words))
