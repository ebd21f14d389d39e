"""A payment provider's settlement report, a CSV by configured columns: one record of the inbox, read by `advance`.

A row is a line of the provider's balance, or the payout itself. Which payout a row is in a column says; where there is
none, the file is of one payout.
"""

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from hub.errors import Misconfigured, Untranslatable
from hub.model.facts import Source
from hub.model.money import minor_of
from hub.model.payouts import Payout, PayoutStatus, SettlementKind, SettlementLine
from hub.model.problems import Problem
from hub.model.records import Received, Record, Translation
from hub.settings import SettlementColumns
from hub.steps.bank_files import BadStatement, day_of, number_of, rows
from hub.steps.capture import capture
from hub.steps.files import content_of_file
from hub.steps.hub import Hub

TOPIC: Final = "settlement/"
REPORT_BYTES_MAX: Final = 20_000_000
PROBLEMS_MAX: Final = 100
ID_CHARS_MAX: Final = 90


def capture_report(hub: Hub, channel: str, file: Path, mapping: str) -> bool:
    """The report is in the inbox, to be read by `advance`; False: it was there before.

    Raises:
        Misconfigured: no such channel or mapping, or the file cannot be read.
    """
    hub.settings.channel(channel)
    _columns(hub, mapping)  # named before the file is looked at
    return capture_content(hub, channel, content_of_file(file, REPORT_BYTES_MAX), mapping)


def capture_content(hub: Hub, channel: str, content: bytes, mapping: str) -> bool:
    """As `capture_report`, of a report's content."""
    hub.settings.channel(channel)
    _columns(hub, mapping)
    key = f"{TOPIC}{mapping[:40]}:{sha256(content).hexdigest()[:32]}"
    report = Received(channel, key, f"{TOPIC}{mapping}", Source.FILE, content, hub.clock())
    return bool(capture(hub, [report]))


def translate_report(hub: Hub, record: Record) -> Translation:
    """The report's lines and payouts.

    Raises:
        Untranslatable: with every fault found; nothing of it is taken.
    """
    mapping = record.topic.removeprefix(TOPIC)
    timezone = ZoneInfo(hub.settings.channel(record.channel).timezone)
    try:
        return _Report(_columns(hub, mapping), timezone).read(record.body)
    except (Misconfigured, BadStatement) as fault:
        raise Untranslatable((Problem("$", str(fault)[:300], "untranslatable"),)) from None


class _Report:
    def __init__(self, columns: SettlementColumns, timezone: ZoneInfo) -> None:
        self.columns = columns
        self.timezone = timezone
        self.seen: Counter[str] = Counter()
        self.lines: list[SettlementLine] = []
        self.payouts: list[Payout] = []
        self.problems: list[Problem] = []

    def read(self, content: bytes) -> Translation:
        of = self.columns
        wanted = (of.id, of.date, of.kind, of.amount, of.fee, of.currency_column, of.payout, of.order, of.transaction)
        for at, row in rows("rows", content, of.encoding, of.delimiter, wanted):
            try:
                self._row(row)
            except ValueError as fault:
                self.problems.append(Problem(at, str(fault)[:200], "untranslatable"))
        if of.payout is None and not self.problems:
            self._of_one_payout()
        if self.problems:
            raise Untranslatable(tuple(self.problems[:PROBLEMS_MAX]))
        return Translation(payouts=tuple(self.payouts), settlement_lines=tuple(self.lines))

    def _row(self, row: Mapping[str, str]) -> None:
        of = self.columns
        on = day_of(row[of.date], of.date_format)
        currency = of.currency or row.get(of.currency_column or "", "")
        amount = minor_of(number_of(row[of.amount], of.decimal), currency)
        word = row[of.kind].lower()[:40] or "nothing"
        kind = {said.lower(): meant for said, meant in of.kinds.items()}.get(word, SettlementKind.UNKNOWN)
        named = row.get(of.payout or "", "")
        payout = f"{of.method}:{named}"[:ID_CHARS_MAX] if named else None
        if kind is SettlementKind.PAYOUT:
            self.payouts.append(Payout(payout or self._id(row), PayoutStatus.PAID, on, -amount, currency, of.method))
            return
        fee_text = row.get(of.fee or "", "")
        fee = of.fee_sign * minor_of(number_of(fee_text, of.decimal), currency) if fee_text else 0
        self.lines.append(
            SettlementLine(
                external_id=self._id(row),
                kind=kind,
                word=word,
                amount_minor=amount,
                fee_minor=fee,
                net_minor=amount - fee,
                currency=currency,
                method=of.method,
                processed_at=datetime.datetime.combine(on, datetime.time(), self.timezone),
                payout=payout,
                order=row.get(of.order or "", "")[:ID_CHARS_MAX] or None,
                transaction=row.get(of.transaction or "", "")[:ID_CHARS_MAX] or None,
            )
        )

    def _id(self, row: Mapping[str, str]) -> str:
        """The row's id, marked as this provider's; of several rows with one id, with its number among them."""
        given = row[self.columns.id]
        if not given:
            raise ValueError(f"no {self.columns.id}")
        self.seen[given] += 1
        number = f":{self.seen[given]}" if self.seen[given] > 1 else ""
        return f"{self.columns.method}:{given}{number}"[:ID_CHARS_MAX]

    def _of_one_payout(self) -> None:
        if len(self.payouts) > 1:
            message = f"{len(self.payouts)} payouts, and no column says which row is in which"
            self.problems.append(Problem("$", message, "untranslatable"))
        elif self.payouts:
            id = self.payouts[0].external_id
            self.lines = [replace(line, payout=id) for line in self.lines]


def _columns(hub: Hub, mapping: str) -> SettlementColumns:
    found = hub.settings.settlements.get(mapping)
    if found is None:
        there = ", ".join(hub.settings.settlements) or "none"
        raise Misconfigured(f"no settlement {mapping!r} in hub.yaml: there is {there}")
    return found
