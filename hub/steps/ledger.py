"""ledger: what the configured ERP says of its books, by the abilities that it has."""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, Final

from hub.errors import Misconfigured
from hub.model.postings import TrialBalanceLine
from hub.ports import KeepsBooks, KeepsPeriods
from hub.steps.hub import Hub

FORMS: Final = ("beancount", "csv", "json")


def trial_balance(hub: Hub, until: datetime.date | None = None) -> list[dict[str, Any]]:
    """Each account's balance by entity and currency."""
    return _books(hub).trial_balance(until)


def accounts(hub: Hub) -> list[dict[str, Any]]:
    """The chart's accounts and their sub-accounts."""
    return _books(hub).accounts()


def journal(hub: Hub, first: datetime.date | None, last: datetime.date | None) -> Iterator[dict[str, Any]]:
    """The posted entries of the days from first to last."""
    return _books(hub).journal(first, last)


def ageing(hub: Hub, on: datetime.date) -> list[dict[str, Any]]:
    """What customers owe on a day."""
    return _books(hub).ageing(on)


def export(hub: Hub, form: str) -> Iterable[str]:
    """The journal for other tools, as text in pieces.

    Raises:
        Misconfigured: the form is not one of FORMS.
    """
    if form not in FORMS:
        raise Misconfigured(f"no export as {form!r}: name one of {', '.join(FORMS)}")
    return _books(hub).export(form)


def close(hub: Hub, entity: str | None, period: str) -> str:
    """The period is closed: nothing is posted into it any more; the entity's slug.

    Raises:
        Misconfigured: no such entity, or not a period.
    """
    return _set(hub, entity, period, closed=True)


def reopen(hub: Hub, entity: str | None, period: str) -> str:
    """The period is open again; the entity's slug.

    Raises:
        Misconfigured: no such entity, or not a period.
    """
    return _set(hub, entity, period, closed=False)


def both_sides(balances: Iterable[TrialBalanceLine]) -> list[dict[str, Any]]:
    """Balances as a trial balance has them: a debit or a credit."""
    return [
        asdict(one) | {"debit_minor": max(one.balance_minor, 0), "credit_minor": max(-one.balance_minor, 0)}
        for one in balances
    ]


def totals(rows: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """The sums of both sides by currency."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        total = found.setdefault(row["currency"], {"debit_minor": 0, "credit_minor": 0})
        total["debit_minor"] += row["debit_minor"]
        total["credit_minor"] += row["credit_minor"]
    return dict(sorted(found.items()))


def closed_until(hub: Hub) -> dict[str, datetime.date | None]:
    """The last closed day of each entity."""
    periods = _periods(hub)
    return {entity.slug: periods.closed_until(entity.slug) for entity in hub.settings.entities}


def _set(hub: Hub, entity: str | None, period: str, *, closed: bool) -> str:
    periods = _periods(hub)
    if entity is None:
        slugs = [one.slug for one in hub.settings.entities]
        if len(slugs) > 1:
            raise Misconfigured(f"there are several entities: name one with --entity: {', '.join(slugs)}")
        entity = slugs[0]
    hub.settings.entity(entity)
    try:
        (periods.close if closed else periods.open)(entity, period)
    except ValueError as fault:
        raise Misconfigured(str(fault)) from None
    return entity


def _books(hub: Hub) -> KeepsBooks:
    erp = hub.erp
    if not isinstance(erp, KeepsBooks):
        raise Misconfigured(f"erp {hub.settings.erp.slug}: its books cannot be read through the hub; look there")
    return erp


def _periods(hub: Hub) -> KeepsPeriods:
    erp = hub.erp
    if not isinstance(erp, KeepsPeriods):
        raise Misconfigured(f"erp {hub.settings.erp.slug}: its periods are closed and opened there")
    return erp
