"""The REST API: what the command line reads and does, through the same steps and views."""

from fastapi import APIRouter

from hub.api.rest import (
    adopting,
    bank,
    completeness,
    crosswalks,
    exceptions,
    ledger,
    orders,
    payouts,
    periods,
    previews,
    reconciliations,
    records,
    tokens,
)
from hub.steps.hub import Hub

_PARTS = (
    orders, records, exceptions, crosswalks, reconciliations, completeness, periods, payouts, bank, ledger,
    previews, adopting, tokens,
)  # fmt: skip


def routers(hub: Hub) -> list[APIRouter]:
    return [part.router(hub) for part in _PARTS]
