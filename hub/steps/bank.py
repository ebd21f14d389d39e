"""The bank's statements: each line kept once, matched with the payouts, and what is left on either side listed."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from hub.errors import Misconfigured
from hub.flow.banking import Matched, Matching, match
from hub.model.bank import BankLine, Match, PaidPayout
from hub.model.payouts import payout_key
from hub.steps.bank_files import FILE_BYTES_MAX, by_columns, camt053
from hub.steps.files import content_of_file
from hub.steps.hub import Hub
from hub.store import audit, bank, orders
from hub.store.schema import stamp
from hub.store.views import bank as views

CAMT053: Final = "camt053"
CSV: Final = "csv"
AMBIGUOUS: Final = "bank_ambiguous"
"""The code of a task: a bank line that may be several payouts."""


@dataclass(frozen=True, slots=True)
class BankImport:
    read: int
    new: int
    matched: int  # of all lines that are kept
    ambiguous: int
    unmatched: int  # lines that are no payout


def import_statement(hub: Hub, file: Path, form: str | None, account: str | None, mapping: str | None) -> BankImport:
    """The booked lines of a statement are kept, those that were there before not again.

    Args:
        form: camt053 or csv; None: as the file looks.
        account: under which name; None: the IBAN of a CAMT.053 statement, the mapping's name of a CSV.
        mapping: the name under `bank` in hub.yaml by which a CSV is read; None: the only one.

    Raises:
        Misconfigured: the file cannot be read, or there is no such mapping.
        BadStatement: something in it is not understood; nothing was kept.
    """
    return import_content(hub, file.name, content_of_file(file, FILE_BYTES_MAX), form, account, mapping)


def import_content(
    hub: Hub, name: str, content: bytes, form: str | None, account: str | None, mapping: str | None
) -> BankImport:
    """As `import_statement`, of a file's content; its name stands before each fault."""
    form = form or (CAMT053 if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else CSV)
    if form == CAMT053:
        lines = camt053(name, content, account)
    else:
        named = mapping or _only(hub)
        columns = hub.settings.bank.get(named)
        if columns is None:
            there = ", ".join(hub.settings.bank) or "none"
            raise Misconfigured(f"no bank {named!r} in hub.yaml: there is {there}")
        lines = by_columns(name, content, account or named, columns)
    with hub.writing() as connection, connection.begin():
        new = bank.record(connection, lines, hub.clock())
    found = settle_tasks(hub)
    counts = Counter(one.match for one in found.lines)
    return BankImport(len(lines), new, counts[Match.PAYOUT], counts[Match.AMBIGUOUS], counts[Match.NONE])


def matching(hub: Hub) -> Matching:
    """Every line with the payout that it is, and the payouts that no line is, as of now."""
    with hub.store.connect() as connection:
        return match(bank.lines(connection), views.paid(connection))


def settle_tasks(hub: Hub) -> Matching:
    """A line that may be several payouts is a task on them; one that is settled is none any more."""
    now = stamp(hub.clock())
    with hub.writing() as connection, connection.begin():
        found = match(bank.lines(connection), views.paid(connection))
        wanted = {
            (one.channel, payout_key(one.channel, one.payout).external_id): _task(one, matched, now)
            for matched in found.lines
            if matched.match is Match.AMBIGUOUS
            for one in matched.payouts
        }
        for channel, order_id, fingerprint in views.tasks(connection, AMBIGUOUS):
            if (channel, order_id) not in wanted:
                orders.cure(connection, channel, order_id, [fingerprint], now)
        if wanted:
            orders.open_exceptions(connection, list(wanted.values()))
    return found


def say_match(hub: Hub, key: str, payout: str | None, by: str) -> None:
    """The line of this key is that payout, `channel/id`, by a person's word; None: the word is taken back.

    Raises:
        Misconfigured: there is no such line or payout, or its amount is another.
    """
    with hub.writing() as connection, connection.begin():
        lines = [line for line in bank.lines(connection) if line.key.startswith(key)]
        if len(lines) != 1:
            raise Misconfigured(f"{len(lines)} bank lines have the key {key!r}: see orderhub bank list")
        named = _payout(connection, payout, lines[0]) if payout is not None else None
        bank.say(connection, lines[0], named)
        audit.note(connection, hub.clock(), by, "bank.match", lines[0].key, {"payout": payout})
    settle_tasks(hub)


def _payout(connection: Connection, name: str, line: BankLine) -> tuple[str, str]:
    channel, _, payout_id = name.rpartition("/")
    found = [
        one for one in views.paid(connection) if one.payout == payout_id and (not channel or one.channel == channel)
    ]
    if len(found) != 1:
        raise Misconfigured(f"{len(found)} payouts that are paid and booked are {name!r}: see orderhub payouts list")
    if (found[0].currency, found[0].amount_minor) != (line.currency, line.amount_minor):
        raise Misconfigured(f"{name} is of another amount than the bank's line: only what is equal is matched")
    return found[0].channel, found[0].payout


def _task(one: PaidPayout, matched: Matched, now: str) -> dict[str, Any]:
    line = matched.line
    return {
        "channel": one.channel,
        "order_id": payout_key(one.channel, one.payout).external_id,
        "fingerprint": f"{AMBIGUOUS}:{line.account}"[:200],
        "code": AMBIGUOUS,
        "message": f"payout {one.payout}: the bank's line {line.key[:8]} of {line.on} may be this one or another",
        "remedy": f"orderhub bank match {line.key[:8]} CHANNEL/PAYOUT",
        "currency": one.currency,
        "amount_minor": one.amount_minor,
        "opened_at": now,
    }


def _only(hub: Hub) -> str:
    if len(hub.settings.bank) != 1:
        there = ", ".join(hub.settings.bank) or "none: write one under `bank`"
        raise Misconfigured(f"by which columns is it to be read? name it with --mapping; hub.yaml has {there}")
    return next(iter(hub.settings.bank))
