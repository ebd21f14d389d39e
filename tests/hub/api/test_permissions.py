"""The table of permissions, cell by cell: every route, every role, no token, expired, revoked, of another channel."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from hub.api.app import create_app
from hub.api.guard import Guarded, NoRow, agree
from hub.api.permissions import MATRIX
from hub.cli.door import now
from hub.model.access import Role
from hub.settings import load_settings
from hub.steps import access
from hub.steps.opening import opened
from hub.testing.serving import served
from hub.worker.jobs import Jobs
from tests.hub.api.conftest import entropy

# v viewer, o operator, f finance, a admin; what a token of one channel gets: its own (channel, own), or nothing (all).
EXPECTED = """
POST /webhooks/{channel}                    open
GET  /healthz                               open
GET  /readyz                                open
GET  /api/openapi.json                      open
GET  /metrics                               vofa all
GET  /                                      vofa all
GET  /runs/{run}                            vofa all
GET  /api/status                            vofa all
POST /api/channels/{channel}/sync           -o-a channel
POST /api/channels/{channel}/dry-run        -o-a channel
POST /api/channels/{channel}/import         -o-a channel
POST /api/channels/{channel}/settlements    --fa channel
POST /api/channels/{channel}/adopt          ---a channel
GET  /api/orders                            vofa own
GET  /api/orders/{channel}/{order:path}/timeline vofa channel
GET  /api/orders/{channel}/{order:path}     vofa channel
GET  /api/records                           vofa own
GET  /api/records/{id}                      -o-a own
POST /api/records/{id}/edit                 -o-a all
POST /api/records/replay                    -o-a all
POST /api/replay                            -o-a all
GET  /api/exceptions                        vofa own
GET  /api/exceptions/orders                 vofa own
POST /api/exceptions/resolve                -o-a all
POST /api/exceptions/retry                  -o-a all
POST /api/exceptions/assign                 -o-a all
GET  /api/crosswalks                        vofa own
GET  /api/crosswalks/history                vofa own
POST /api/crosswalks/{kind}                 -o-a all
POST /api/crosswalks/{kind}/import          -o-a all
GET  /api/completeness                      vofa own
POST /api/completeness                      -o-a all
GET  /api/cutoff/{period}                   vofa own
GET  /api/metrics/{period}                  vofa all
GET  /api/payouts                           vofa own
GET  /api/payouts/clearing                  vofa all
GET  /api/payouts/{channel}/{payout:path}   vofa channel
GET  /api/bank/lines                        vofa all
POST /api/bank/statements                   --fa all
POST /api/bank/match                        --fa all
GET  /api/reconciliations                   vofa all
POST /api/reconciliations                   --fa all
GET  /api/reconciliations/{run}             vofa all
POST /api/reconciliations/{run}/sign        --fa all
POST /api/reconciliations/{run}/heal        -o-a all
GET  /api/ledger/trial-balance              vofa all
GET  /api/ledger/expected                   vofa all
GET  /api/ledger/accounts                   vofa all
GET  /api/ledger/ageing                     vofa all
GET  /api/ledger/journal                    vofa all
GET  /api/ledger/export                     vofa all
POST /api/ledger/close                      --fa all
POST /api/ledger/open                       --fa all
GET  /api/tokens                            ---a all
POST /api/tokens/{id}/revoke                ---a all
"""
CELLS = [line.split() for line in EXPECTED.strip().splitlines()]
GUARDED = [(method, path, roles, cell[0]) for method, path, roles, *cell in CELLS if roles != "open"]
FILLED = {
    "channel": "shopify", "order": "7", "run": "2026-10-20261101T000000Z", "kind": "item", "id": "abababababab",
    "payout": "3", "period": "2026-09",
}  # fmt: skip


class Door:
    def __init__(self, address: str) -> None:
        self.address = address
        self.clients = {"": httpx.Client(base_url=address)}

    def asked(self, who: str, method: str, path: str) -> int:
        filled = re.sub(r"{(\w+)(:path)?}", lambda found: FILLED[found[1]], path)
        return self.clients[who].request(method, filled, json={} if method == "POST" else None).status_code


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with opened(load_settings(None, tmp_path_factory.mktemp("home"), {}), now) as hub:
        before = replace(hub, clock=lambda: now() - timedelta(days=10))
        texts = {role.value: access.create(hub, role.value, role, "test", entropy).text for role in Role}
        texts |= {
            f"{role.value} of shopify": access.create(hub, "one", role, "test", entropy, channel="shopify").text
            for role in Role
        }
        texts["expired"] = access.create(before, "expired", Role.ADMIN, "test", entropy, days=9).text
        revoked = access.create(hub, "revoked", Role.ADMIN, "test", entropy)
        access.revoke(hub, revoked.token.id, "test")
        texts["revoked"] = revoked.text
        other = access.create(hub, "other", Role.ADMIN, "test", entropy, channel="shopify")
        with hub.writing() as connection, connection.begin():  # of a channel that is no longer configured
            connection.exec_driver_sql(f"UPDATE api_token SET channel = 'other' WHERE id = '{other.token.id}'")
        texts["of another channel"] = other.text
        with served(create_app(hub, Jobs(hub))) as address:
            door = Door(address)
            for who, text in texts.items():
                door.clients[who] = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {text}"})
            yield door
            for client in door.clients.values():
                client.close()


@pytest.fixture(autouse=True)
def forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells with bad tokens are more than the guard bears of one address."""
    monkeypatch.setattr("hub.api.guard.FAILURES_MAX", 1_000_000)


def test_the_table_is_the_one_that_is_tested() -> None:
    rows = {
        (method, path): (
            "open"
            if rule is None
            else "".join(role.value[0] if role in rule.roles else "-" for role in Role) + f" {rule.reach.value}"
        )
        for (method, path), rule in MATRIX.items()
    }

    assert rows == {(method, path): " ".join(rest) for method, path, *rest in CELLS}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("method", "path", "roles", "reach"), GUARDED)
def test_a_role_may_do_what_its_cell_says(
    door: Door, method: str, path: str, roles: str, reach: str, role: Role
) -> None:
    status = door.asked(role.value, method, path)

    assert (status not in (401, 403)) is (role.value[0] in roles)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("method", "path", "roles", "reach"), GUARDED)
def test_a_token_of_one_channel_may_do_what_is_of_that_channel(
    door: Door, method: str, path: str, roles: str, reach: str, role: Role
) -> None:
    status = door.asked(f"{role.value} of shopify", method, path)

    assert (status not in (401, 403)) is (role.value[0] in roles and reach != "all")


@pytest.mark.parametrize(("method", "path", "roles", "reach"), GUARDED)
def test_a_token_of_another_channel_gets_nothing_of_this_one(
    door: Door, method: str, path: str, roles: str, reach: str
) -> None:
    asked = f"{path}?channel=shopify" if reach == "own" else path

    assert door.asked("of another channel", method, asked) == 403


@pytest.mark.parametrize("who", ["", "expired", "revoked"])
@pytest.mark.parametrize(("method", "path", "roles", "reach"), GUARDED)
def test_who_has_no_good_token_gets_nothing(
    door: Door, method: str, path: str, roles: str, reach: str, who: str
) -> None:
    assert door.asked(who, method, path) == 401


@pytest.mark.parametrize(("method", "path"), [(cell[0], cell[1]) for cell in CELLS if cell[2] == "open"])
def test_what_is_open_asks_for_no_token(door: Door, method: str, path: str) -> None:
    """A delivery without a seal is refused by the channel's own check, whatever token comes with it."""
    status = door.asked("", method, path)

    assert status == door.asked("admin", method, path)


async def nothing() -> dict[str, str]:
    return {}


def test_a_route_without_a_row_does_not_start() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    router = APIRouter(route_class=Guarded)
    router.add_api_route("/api/secrets", nothing, methods=["GET"])
    app.include_router(router)

    with pytest.raises(NoRow, match="GET /api/secrets has no row"):
        agree(app.routes)


def test_a_route_without_the_guard_does_not_start() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_api_route("/api/status", nothing, methods=["GET"])

    with pytest.raises(NoRow, match="GET /api/status has no guard"):
        agree(app.routes)


def test_a_row_without_a_route_does_not_start() -> None:
    with pytest.raises(NoRow, match="rows without a route"):
        agree([])
