"""Accounting periods: every posting lies in one, and a closed one takes none."""

from __future__ import annotations

from datetime import date

from erp_adapters.netsuite.account.errors import user_error
from erp_adapters.netsuite.account.world import Rec, World


def period_of(world: World, day: date) -> Rec | None:
    """The period that the day lies in."""
    text = day.isoformat()
    for period in world.every("accountingPeriod"):
        if period.fields["startDate"] <= text <= period.fields["endDate"]:
            return period
    return None


def check_open(world: World, period: Rec | None) -> Rec:
    """The period, which takes postings.

    Raises:
        Refused: there is none, or it is closed.
    """
    if period is None:
        raise user_error("The transaction date you specified is not within the date range of your accounting period.")
    if period.fields.get("closed") or period.fields.get("allLocked") or period.fields.get("arLocked"):
        raise user_error(
            "You cannot post, edit or delete a transaction in a closed period."
            f" The period {period.fields['periodName']} is closed."
        )
    return period
