"""Expected books and an ERP's that tie, and hands that make them differ."""

import datetime
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from hub.books import Chart
from hub.flow.ledger_comparison import compare_ledgers
from hub.model.postings import BooksComparison, ErpPosting
from hub.steps import ledger_files, parquet

MAY = (datetime.date(2026, 5, 1), datetime.date(2026, 5, 31))
JUNE = (datetime.date(2026, 6, 1), datetime.date(2026, 6, 30))
IN_MAY = datetime.date(2026, 5, 20)
IN_JUNE = datetime.date(2026, 6, 2)
BEFORE = "2026-04-01"
CHART = Chart.parse(yaml.safe_load((Path(__file__).parents[3] / "config" / "chart.yaml").read_text()))

Accounts = Mapping[str, int]
SALE: Accounts = {"1100": 10900, "4000": -10000, "2200:CA": -900}
"""An invoice of 100.00 and 9.00 tax."""


@dataclass
class LedgerSides:
    """Decisions and postings; a test takes out, adds or replaces what it is about."""

    intents: list[dict[str, Any]] = field(default_factory=list)
    postings: list[ErpPosting] = field(default_factory=list)
    together: dict[str, str] = field(default_factory=dict)

    def invoice(self, number: str, accounts: Accounts = SALE, *, post: bool = True, **changed: Any) -> None:
        """An invoice that both sides have alike, each amount worth itself times `rate`."""
        of = {"currency": "USD", "rate": 1, "date": IN_MAY, "kind": "invoice", "state": "done"} | changed
        key = f"inv-shopify-{number}"
        self.decide(key, accounts, **of)
        if post:
            self.post(key, accounts, order=number, **{name: of[name] for name in ("currency", "rate", "date", "kind")})

    def decide(self, key: str, accounts: Accounts, **of: Any) -> None:
        """One more decision on a document; of `before`, what it takes back."""
        on, currency, rate = of.pop("date", IN_MAY), of.pop("currency", "USD"), of.pop("rate", 1)
        before = of.pop("before", None)
        tax = -sum(minor for account, minor in accounts.items() if account.startswith("2200"))
        total = accounts.get("1100", 0)
        done = of.get("state", "done") == "done"
        plain: dict[str, Any] = {
            "id": len(self.intents) + 1,
            "document": key,
            "kind": "invoice",
            "channel": "shopify",
            "order_id": key.rpartition("-")[2],
            "state": "done",
            "code": None,
            "adopted": False,
            "ref": f"L-{key}" if done else None,
            "total_minor": total,
            "tax_minor": tax,
            "readback_total_minor": total if done else None,
            "readback_tax_minor": tax if done else None,
            "readback_version": 1 if done else None,
            "entry": _entry(key, accounts, on, currency, rate),
            "reversal": _entry(key, {a: -m for a, m in before.items()}, on, currency, rate) if before else None,
        }
        self.intents.append(plain | of)

    def post(self, key: str, accounts: Accounts, **of: Any) -> None:
        """The ERP posted a document; without a key, it was typed in."""
        rate = of.pop("rate", 1)
        plain: dict[str, Any] = {
            "ref": f"L-{key}",
            "kind": "invoice",
            "entity": "us",
            "date": IN_MAY,
            "channel": "shopify",
            "order": "",
            "currency": "USD",
            "by_hand": not key,
            "version": 1,
        }
        for account, minor in accounts.items():
            one = {"account": account, "amount_minor": minor, "functional_minor": round(minor * rate)}
            self.postings.append(ErpPosting(document=key, **(plain | of | one)))

    def at_erp(self, number: str, accounts: Accounts | None = None, **changed: Any) -> None:
        """The ERP has the invoice otherwise: on these accounts so much more, and what else is changed."""
        key = f"inv-shopify-{number}"
        more = dict(accounts or {})
        held = [one for one in self.postings if one.document == key]
        self.postings = [one for one in self.postings if one.document != key]
        for one in held:
            off = more.pop(one.account, 0)
            amounts = {
                "amount_minor": one.amount_minor + off,
                "functional_minor": one.functional_minor + off,
            }
            self.postings.append(replace(one, **(amounts | changed)))
        for account, off in more.items():
            new = replace(held[0], account=account, amount_minor=off, functional_minor=off)
            self.postings.append(replace(new, **changed))
        self.postings = [one for one in self.postings if one.amount_minor or one.functional_minor]

    def worth(self, number: str, accounts: Accounts) -> None:
        """The ERP's invoice is worth so much more on these accounts, in the company's currency."""
        key = f"inv-shopify-{number}"
        self.postings = [
            replace(one, functional_minor=one.functional_minor + accounts.get(one.account, 0))
            if one.document == key
            else one
            for one in self.postings
        ]

    def read_back(self, number: str, **changed: Any) -> None:
        """What was read back right after the write."""
        for intent in self.intents:
            if intent["document"] == f"inv-shopify-{number}":
                intent.update(changed)

    def compare(self, period: tuple[datetime.date, datetime.date] = MAY) -> BooksComparison:
        return self.compared(period)[0]

    def compared(self, period: tuple[datetime.date, datetime.date] = MAY) -> tuple[BooksComparison, str]:
        rules = ledger_files.rules_of(CHART, self.together, {"us": "USD", "uk": "GBP"})
        with parquet.connect() as connection, tempfile.TemporaryDirectory() as folder:
            ledger_files.set_rules(connection, rules)
            ledger_files.load_posted(connection, Path(folder), self.postings)
            ledger_files.load_expected(connection, Path(folder), self.intents, BEFORE)
            return compare_ledgers(connection, *period)


def _entry(key: str, accounts: Accounts, on: datetime.date, currency: str, rate: float) -> str:
    postings = [
        {"account": account, "amount_minor": minor, "currency": currency, "functional_minor": round(minor * rate)}
        for account, minor in accounts.items()
    ]
    number = key.rpartition("-")[2]
    return json.dumps(
        {
            "document": key,
            "entity": "us",
            "date": on.isoformat(),
            "memo": f"invoice #{number}",
            "functional": "USD",
            "postings": postings,
        }
    )


def told(found: BooksComparison) -> dict[tuple[str, str], list[tuple[str, int]]]:
    """The causes of each document on each account, with their amounts; an unexplained rest is named so."""
    return {
        (one.document, one.account): [
            *((cause.code.value, cause.amount_minor) for cause in one.causes),
            *([("unexplained", one.residual_minor)] if one.residual_minor else []),
        ]
        for one in found.differences
    }
