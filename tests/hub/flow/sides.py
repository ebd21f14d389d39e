"""Three statements of one month that tie, and hands that make them differ."""

import datetime
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hub.flow.compare import Compared, compare
from hub.flow.match import COLUMNS, month_of
from hub.model.reconciliation import Reconciliation, Signed, Variance
from hub.model.statement import ChannelRow, ErpRow, HubRow, StatementRow, Subject
from hub.steps import parquet
from hub.steps.reconcile import Timelines, run

MAY = "2026-05"
IN_MAY = datetime.date(2026, 5, 20)
IN_JUNE = datetime.date(2026, 6, 2)


@dataclass
class Sides:
    """Rows by order (or refund, payment) number; a test takes out, adds or replaces what it is about."""

    channel: dict[str, ChannelRow] = field(default_factory=dict)
    hub: dict[str, HubRow] = field(default_factory=dict)
    erp: dict[str, ErpRow] = field(default_factory=dict)

    def order(self, number: str, **changed: Any) -> None:
        """An order of 108.25 that all sides have alike: goods 100, discount 5, shipping 4.25, tax 9."""
        plain = {
            "entity": "us",
            "channel": "shopify",
            "order": number,
            "subject": Subject.ORDER,
            "subject_id": number,
            "currency": "USD",
            "date": IN_MAY,
            "goods_minor": 10000,
            "discount_minor": -500,
            "shipping_minor": 425,
            "tax_minor": 900,
        }
        self._add(number, f"so-shopify-{number}", StatementRow(**{**plain, **changed}))

    def refund(self, number: str, order: str, **changed: Any) -> None:
        """A refund of 20.00 that all sides have alike."""
        self._money(number, order, Subject.REFUND, f"cm-shopify-{order}-{number}", {"refund_minor": -2000} | changed)

    def payment(self, number: str, order: str, **changed: Any) -> None:
        """A payment of 108.25 that all sides have alike."""
        self._money(number, order, Subject.PAYMENT, f"dep-shopify-{order}-{number}", {"payment_minor": 10825} | changed)

    def _money(self, number: str, order: str, subject: Subject, key: str, changed: dict[str, Any]) -> None:
        plain = {
            "entity": "us",
            "channel": "shopify",
            "order": order,
            "subject": subject,
            "subject_id": number,
            "currency": "USD",
            "date": IN_MAY,
        }
        self._add(number, key, StatementRow(**{**plain, **changed}))

    def _add(self, number: str, key: str, row: StatementRow) -> None:
        self.channel[number] = ChannelRow(row, "2026-05-20T10:00:00Z")
        self.hub[number] = HubRow(
            row=row,
            modified_at="2026-05-20T10:00:00Z",
            document=key,
            state="done",
            cause="",
            original_date=None,
            readback_minor=row.total_minor,
            readback_tax_minor=row.tax_minor,
            readback_date=row.date,
            readback_version=1,
        )
        self.erp[number] = ErpRow(
            row=row, key=key, ref=f"L{number}", reference=f"#{row.order}", version=1, voided=False, by_hand=False
        )

    def at_channel(self, number: str, row: dict[str, Any] | None = None, *, modified_at: str | None = None) -> None:
        stated = self.channel[number]
        self.channel[number] = ChannelRow(replace(stated.row, **(row or {})), modified_at or stated.modified_at)

    def at_hub(self, number: str, row: dict[str, Any] | None = None, **changed: Any) -> None:
        stated = self.hub[number]
        self.hub[number] = replace(stated, row=replace(stated.row, **(row or {})), **changed)

    def at_erp(self, number: str, row: dict[str, Any] | None = None, **changed: Any) -> None:
        stated = self.erp[number]
        self.erp[number] = replace(stated, row=replace(stated.row, **(row or {})), **changed)

    def not_posted(self, number: str, state: str, cause: str = "") -> None:
        """The hub has it in this state and never read it back; the ERP has nothing."""
        del self.erp[number]
        self.at_hub(
            number,
            state=state,
            cause=cause,
            readback_minor=None,
            readback_tax_minor=None,
            readback_date=None,
            readback_version=None,
        )

    def typed_in(self, ref: str, row: StatementRow, **changed: Any) -> None:
        """A person types a document into the ERP: it has no key of ours."""
        typed = ErpRow(row=row, key="", ref=ref, reference="", version=1, voided=False, by_hand=True)
        self.erp[ref] = replace(typed, **changed)

    def compared(self, period: str = MAY, *, channel_given: bool = True) -> Compared:
        """What the comparison alone says, without a folder."""
        with parquet.connect() as connection:
            for side, columns in COLUMNS.items():
                declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
                connection.execute(f"CREATE TABLE {side} ({declared}, line BIGINT)")
                rows = [[*_flat(x, columns), line] for line, x in enumerate(getattr(self, side).values())]
                lines = json.dumps([dict(zip([*columns, "line"], row, strict=True)) for row in rows], default=str)
                kinds = json.dumps([{**columns, "line": "BIGINT"}])
                connection.execute(
                    f"INSERT INTO {side} SELECT unnest(from_json(?, ?), recursive := true)", [lines, kinds]
                )
            return compare(connection, *month_of(period), channel_given=channel_given)

    def reconcile(
        self,
        folder: Path,
        period: str = MAY,
        *,
        channel_given: bool = True,
        complete: bool = True,
        timelines: Timelines | None = None,
        signed: tuple[Signed, Path] | None = None,
    ) -> Reconciliation:
        return run(
            folder / period,
            period,
            channel=self.channel.values() if channel_given else None,
            hub=self.hub.values(),
            erp=self.erp.values(),
            versions={"orderhub": "0.1.0", "policies": "2026-01"},
            complete=complete,
            timelines=timelines,
            signed=signed,
        )


_ABSENT = object()


def _flat(stated: ChannelRow | HubRow | ErpRow, columns: Iterable[str]) -> list[Any]:
    values = []
    for name in columns:
        own = getattr(stated.row, "order" if name == "order_id" else name, _ABSENT)
        values.append(getattr(stated, name) if own is _ABSENT else own)
    return values


def told(variance: Variance) -> tuple[str, str, int, list[tuple[str, int]], int]:
    """A variance in short: pair, kind, delta, causes, residual."""
    causes = [(cause.code.value, cause.amount_minor) for cause in variance.causes]
    return variance.pair.value, variance.kind.value, variance.delta_minor, causes, variance.residual_minor
