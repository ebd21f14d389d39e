"""The back door of the account, and the account as a process of its own."""

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from erp_adapters.netsuite.account.control import Control, MovedClock
from erp_adapters.netsuite.account.faults import ConnectionLost
from tests.erp_adapters.netsuite.account.conftest import Caller

ROOT = Path(__file__).parents[4]


@pytest.fixture
def control(caller: Caller) -> Control:
    clock = MovedClock(caller.world.clock)
    caller.world.clock = clock
    return Control(caller.app, clock)


def done(control: Control, name: str, **asked: Any) -> Any:
    status, answer = control.answer("POST", name, json.dumps(asked).encode())
    assert status == 200, answer
    return answer


def test_the_warehouse_ships_lines_by_our_keys_and_the_order_shows_it(
    caller: Caller, control: Control, order: str
) -> None:
    keys = [{"line": 1, "custcol_orderhub_line": "L-tent"}, {"line": 4, "custcol_orderhub_line": "L-sock"}]
    caller.call("PATCH", f"/record/v1/salesOrder/{order}", {"item": {"items": keys}})

    parcel = {"carrier": "UPS", "tracking": "1Z9", "date": "2026-03-10"}
    shipped = done(control, "hands", do="fulfil", order="so-1", lines={"L-sock": 2}, **parcel)

    seen = caller.seen(f"itemFulfillment/{shipped['id']}")
    assert [(row["orderLine"], row["quantity"]) for row in seen["item"]["items"]] == [(4, 2)]
    assert seen["tranDate"] == "2026-03-10"
    (package,) = seen["package"]["items"]
    assert (package["packageTrackingNumber"], package["packageDescr"]) == ("1Z9", "UPS")
    assert done(control, "find", keys=["so-1", "so-2"])["so-2"] is None
    assert done(control, "find", keys=["so-1"])["so-1"]["status"] == "Pending Billing/Partially Fulfilled"


def test_nothing_is_shipped_of_lines_that_the_order_has_not(control: Control, order: str) -> None:
    asked = {"do": "fulfil", "order": "so-1", "lines": {"nobody": 1}}

    status, answer = control.answer("POST", "hands", json.dumps(asked).encode())

    assert (status, answer) == (404, {"error": "LookupError: so-1: nothing of this is to be shipped"})


def test_time_moved_on_does_what_was_late(caller: Caller, control: Control) -> None:
    done(control, "faults", next_write=["late_commit"], late_s=[30, 30])
    with pytest.raises(ConnectionLost):
        caller.call("POST", "/record/v1/customer", {"externalId": "c-9", "companyName": "Late Ltd"})
    before = done(control, "advance", by_s=29)

    after = done(control, "advance", by_s=1)

    assert (before["late"], after["late"]) == (1, 0)
    assert caller.world.external("entity", "c-9") is not None
    moved = datetime.fromisoformat(after["now"]) - datetime.fromisoformat(before["now"])
    assert moved == timedelta(seconds=1)


def test_what_the_account_refuses_its_people_is_said(control: Control, order: str) -> None:
    done(control, "hands", do="close_period", date="2026-03-09")
    asked = {"do": "type_in", "kind": "invoice", "body": {"tranDate": "2026-03-09"}}

    status, answer = control.answer("POST", "hands", json.dumps(asked).encode())

    assert status == 409
    assert answer["error"]


@pytest.mark.parametrize(
    ("method", "name", "body", "status"),
    [
        ("GET", "nothing", b"", 404),
        ("POST", "hands", b'{"do": "burn"}', 400),
        ("POST", "hands", b"{", 400),
        ("POST", "faults", b'{"rates": {"boredom": 3}}', 400),
        ("POST", "hands", b'{"do": "delete", "document": "so-404"}', 404),
    ],
)
def test_what_nobody_can_do_is_told_so(control: Control, method: str, name: str, body: bytes, status: int) -> None:
    assert control.answer(method, name, body)[0] == status


def test_the_account_runs_as_a_process_of_its_own_and_says_where() -> None:
    arguments = "--port 0 --seed 3 --faults mild --late-s 1 2".split()
    with subprocess.Popen(
        [sys.executable, "-m", "erp_adapters.netsuite.simulator", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            httpx.post(f"{url}/_control/faults", json={"heal": True}).raise_for_status()
            outside = httpx.get(f"{url}/services/rest/record/v1/customer/1")
            state = httpx.get(f"{url}/_control/state").json()
        finally:
            process.terminate()

    assert outside.status_code == 401
    assert state["requests"] == 1
    assert state["records"]["inventoryItem"] == 20
