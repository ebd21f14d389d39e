"""Tokens, without their secrets; one is made at the command line alone, where the store is."""

from fastapi import APIRouter
from pydantic import BaseModel

from hub.api.guard import CallerOf, Guarded
from hub.model.access import Token
from hub.steps import access
from hub.steps.hub import Hub


class Tokens(BaseModel):
    tokens: list[Token]


class Revoked(BaseModel):
    id: str
    revoked: bool


def router(hub: Hub) -> APIRouter:
    made = APIRouter(prefix="/api/tokens", tags=["tokens"], route_class=Guarded)

    @made.get("")
    def listed() -> Tokens:
        """Every token that was ever made, the newest first."""
        return Tokens(tokens=access.listed(hub))

    @made.post("/{id}/revoke")
    def revoke(caller: CallerOf, id: str) -> Revoked:
        """Takes a token back: it is good no more, from the next request on."""
        access.revoke(hub, id, caller.name)
        return Revoked(id=id, revoked=True)

    return made
