"""A bank's statement as lines: CAMT.053 of any version, and CSV by configured columns. Nothing in it is obeyed."""

import csv
import datetime
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any, Final

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from hub.errors import HubError
from hub.model.bank import BankLine
from hub.model.money import minor_of
from hub.settings import BankColumns

FILE_BYTES_MAX: Final = 50_000_000
LINES_MAX: Final = 200_000
TEXT_CHARS_MAX: Final = 500
FAULTS_MAX: Final = 100  # that are named
BOOKED: Final = "BOOK"


class BadStatement(HubError):
    """A bank's statement that was not taken; every fault is named, and nothing was kept."""


def camt053(name: str, content: bytes, account: str | None) -> list[BankLine]:
    """The booked entries of every statement in a CAMT.053 file; a batch by its parts where they make up its amount.

    Args:
        account: under which the lines are kept; None: as the statement names it, its IBAN or other id.

    Raises:
        BadStatement: with every fault.
    """
    try:
        root = fromstring(content, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as fault:
        raise BadStatement(f"{name}: refused, it defines entities or a document type: {type(fault).__name__}") from None
    except (ParseError, ValueError, LookupError, RecursionError) as fault:
        raise BadStatement(f"{name}: not XML: {str(fault)[:200]}") from None
    statements = list(_all(root, "BkToCstmrStmt", "Stmt"))
    if not statements:
        raise BadStatement(f"{name}: no statement of CAMT.053 (BkToCstmrStmt/Stmt) is in it")
    faults: list[str] = []
    lines: list[BankLine] = []
    for number, statement in enumerate(statements, start=1):
        of = account or _text(statement, "Acct", "Id", "IBAN") or _text(statement, "Acct", "Id", "Othr", "Id")
        if not of:
            faults.append(f"{name}: statement {number} names no account: give one with --account")
            continue
        lines += _entries(f"{name}: statement {number}", statement, of[:60], faults)
    return _checked(name, lines, faults)


def by_columns(name: str, content: bytes, account: str, columns: BankColumns) -> list[BankLine]:
    """The rows of a bank's CSV.

    Raises:
        BadStatement: with every fault.
    """
    faults: list[str] = []
    lines: list[BankLine] = []
    seen: Counter[str] = Counter()
    wanted = (columns.date, columns.amount, columns.paid_in, columns.paid_out, columns.currency_column)
    for at, row in rows(name, content, columns.encoding, columns.delimiter, wanted):
        try:
            currency = columns.currency or row.get(columns.currency_column or "", "")
            amount = _amount(row, columns, currency)
            on = day_of(row[columns.date], columns.date_format)
        except (ValueError, InvalidOperation) as fault:
            faults.append(f"{at}: {str(fault)[:150]}")
            continue
        reference, text = row.get(columns.reference or "", ""), row.get(columns.text or "", "")
        lines.append(_line(account, on, amount, currency, reference, text, seen, by=f"{reference}\x1f{text}"))
    return _checked(name, lines, faults)


def rows(
    name: str, content: bytes, encoding: str, delimiter: str, wanted: tuple[str | None, ...]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The rows of a CSV file with a header, each with where it stands; values without the space around them.

    Raises:
        BadStatement: it is no such file, or lacks a wanted column.
    """
    try:
        text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as fault:
        raise BadStatement(f"{name}: not {encoding} at byte {fault.start}") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [one.strip() for one in reader.fieldnames or ()]
        reader.fieldnames = names
        if missing := [one for one in wanted if one is not None and one not in names]:
            raise BadStatement(
                f"{name}: no column {', '.join(missing)}; there is {', '.join(names)[:200] or 'nothing'}"
            )
        for number, row in enumerate(reader, start=1):
            if number > LINES_MAX:
                raise BadStatement(f"{name}: more than {LINES_MAX} rows: split it")
            yield f"{name}:{reader.line_num}", {key: (row[key] or "").strip() for key in names}
    except csv.Error as fault:
        raise BadStatement(f"{name}:{reader.line_num}: {fault}") from None


def day_of(text: str, form: str) -> datetime.date:
    """The day that a text is in a form like %d.%m.%Y; what stands behind it, a time of day, is not looked at.

    Raises:
        ValueError: it is none.
    """
    length = len(datetime.date(2000, 12, 31).strftime(form))
    try:
        return datetime.datetime.strptime(text[:length].strip(), form).replace(tzinfo=datetime.UTC).date()
    except ValueError:
        raise ValueError(f"not a day like {form}: {text[:40]!r}") from None


def number_of(text: str, decimal: str) -> Decimal:
    """A number as a spreadsheet writes it: 1,234.50 or 1.234,50, a minus before or behind, or brackets.

    Raises:
        ValueError: it is none.
    """
    plain = text.replace(" ", "").replace("\u00a0", "").replace("," if decimal == "." else ".", "")
    plain = plain.replace(decimal, ".")
    if plain.startswith("(") and plain.endswith(")"):
        plain = f"-{plain[1:-1]}"
    elif plain.endswith("-"):
        plain = f"-{plain[:-1]}"
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise ValueError(f"not an amount: {text[:40]!r}") from None
    if not value.is_finite() or abs(value.adjusted()) > 18:
        raise ValueError(f"not an amount: {text[:40]!r}")
    return value


def _amount(row: Mapping[str, str], columns: BankColumns, currency: str) -> int:
    if columns.amount is not None:
        return minor_of(number_of(row[columns.amount], columns.decimal), currency)
    paid_in, paid_out = row.get(columns.paid_in or "", ""), row.get(columns.paid_out or "", "")
    came = minor_of(number_of(paid_in, columns.decimal), currency) if paid_in else 0
    return came - abs(minor_of(number_of(paid_out, columns.decimal), currency) if paid_out else 0)


def _entries(at: str, statement: Any, account: str, faults: list[str]) -> Iterator[BankLine]:
    seen: Counter[str] = Counter()
    for number, entry in enumerate(_all(statement, "Ntry"), start=1):
        if (_text(entry, "Sts", "Cd") or _text(entry, "Sts")) != BOOKED:
            continue
        where = f"{at}, entry {number}"
        try:
            amount, currency = _signed(entry)
            on = _day(_text(entry, "BookgDt", "Dt") or _text(entry, "BookgDt", "DtTm") or "")
            parts = list(_parts(entry, amount, currency))
        except (ValueError, InvalidOperation) as fault:
            faults.append(f"{where}: {str(fault)[:150]}")
            continue
        own = _text(entry, "AcctSvcrRef") or ""
        for part, minor in parts:
            refs = [own, *_references(part)]
            reference = " ".join(dict.fromkeys(ref for ref in refs if ref and ref != "NOTPROVIDED"))
            text = " ".join(filter(None, (_words(part, "RmtInf", "Ustrd"), _text(entry, "AddtlNtryInf"))))
            named = (_text(part, "Refs", "AcctSvcrRef") if part is not entry else None) or own
            yield _line(account, on, minor, currency, reference, text, seen, by=named or f"{reference}\x1f{text}")


def _parts(entry: Any, amount: int, currency: str) -> Iterator[tuple[Any, int]]:
    """The transactions of a batch, where they are in its currency and make up its amount; else the entry as one."""
    found = list(_all(entry, "NtryDtls", "TxDtls"))
    split: list[tuple[Any, int]] = []
    for one in found if len(found) > 1 else ():
        given = _first(one, "Amt")
        if given is None:
            given = _first(one, "AmtDtls", "TxAmt", "Amt")
        if given is None or given.get("Ccy") != currency:
            break
        sign = _text(one, "CdtDbtInd") or _text(entry, "CdtDbtInd")
        minor = minor_of(number_of(given.text or "", "."), currency)
        split.append((one, minor if sign == "CRDT" else -minor))
    if len(split) == len(found) and sum(minor for _, minor in split) == amount and split:
        yield from split
    else:
        yield (found[0] if len(found) == 1 else entry), amount


def _signed(entry: Any) -> tuple[int, str]:
    """An entry's amount; a reversal's direction is its own, not that of what it reverses (ISO 20022, RvslInd)."""
    given = _first(entry, "Amt")
    sign = _text(entry, "CdtDbtInd")
    if given is None or sign not in ("CRDT", "DBIT"):
        raise ValueError("no amount, or not whether it is a credit")
    currency = given.get("Ccy") or ""
    minor = minor_of(number_of(given.text or "", "."), currency)
    return (minor if sign == "CRDT" else -minor), currency


def _references(part: Any) -> Iterator[str]:
    refs = _first(part, "Refs")
    for name in ("AcctSvcrRef", "EndToEndId", "InstrId", "TxId", "PmtInfId", "MsgId"):
        if refs is not None and (found := _text(refs, name)):
            yield found


def _line(
    account: str,
    on: datetime.date,
    minor: int,
    currency: str,
    reference: str,
    text: str,
    seen: Counter[str],
    *,
    by: str,
) -> BankLine:
    """A line whose key is of what the bank says of it; of lines alike, of how many stood before it in the statement."""
    said = "\x1f".join((account, on.isoformat(), str(minor), currency, by))
    seen[said] += 1
    key = sha256(f"{said}\x1f{seen[said]}".encode(errors="replace")).hexdigest()[:32]
    return BankLine(account, key, on, minor, currency, _plain(reference), _plain(text))


def _checked(name: str, lines: list[BankLine], faults: list[str]) -> list[BankLine]:
    if len(lines) > LINES_MAX:
        faults.append(f"{name}: more than {LINES_MAX} lines: split it")
    if faults:
        more = [f"and {len(faults) - FAULTS_MAX} more"] if len(faults) > FAULTS_MAX else []
        raise BadStatement("\n".join([*faults[:FAULTS_MAX], *more, "nothing was kept"]))
    return lines


def _plain(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:TEXT_CHARS_MAX]


def _day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text[:10])


def _all(node: Any, *path: str) -> Iterator[Any]:
    """The elements at a path, whatever namespace and version they are of."""
    if not path:
        yield node
        return
    for child in node:
        if isinstance(child.tag, str) and child.tag.rpartition("}")[2] == path[0]:
            yield from _all(child, *path[1:])


def _first(node: Any, *path: str) -> Any:
    return next(_all(node, *path), None)


def _text(node: Any, *path: str) -> str | None:
    found = _first(node, *path)
    return (found.text or "").strip() or None if found is not None else None


def _words(node: Any, *path: str) -> str:
    return " ".join((one.text or "").strip() for one in _all(node, *path))
