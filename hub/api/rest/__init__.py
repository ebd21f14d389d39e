"""The REST API: what the command line reads and does, through the same steps and views."""

from fastapi import APIRouter

from hub.api.rest import crosswalks, exceptions, ledger, orders, reconciliations, tokens
from hub.steps.hub import Hub


def routers(hub: Hub) -> list[APIRouter]:
    return [part.router(hub) for part in (orders, exceptions, crosswalks, reconciliations, ledger, tokens)]
