"""Completeness, months, payouts, the bank, records, replay and adoption over the API, beside the command line."""

import json
from pathlib import Path
from threading import Lock
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from hub.api.app import create_app
from hub.api.rest import records
from hub.api.rest.parts import alone
from hub.cli.door import now
from hub.errors import Retryable
from hub.model.access import Role
from hub.settings import load_settings
from hub.steps import access
from hub.steps.hub import Hub
from hub.steps.opening import opened
from hub.store.schema import audit
from hub.testing.serving import served
from hub.worker.jobs import Jobs
from tests.hub.api.conftest import Shown, entropy
from tests.hub.api.test_nothing_leaks import _Quiet
from tests.hub.api.test_rest import said
from tests.hub.cli.shop import order
from tests.hub.cli.test_bank import CHECKING, KLARNA, REPORT, STATEMENT, configured
from tests.hub.cli.test_payouts import PAYOUT, TOLD


@pytest.fixture
def with_payout(client: httpx.Client) -> None:
    """A payout with three of four lines of the provider's balance."""
    for content in ({"transactions": TOLD}, PAYOUT):
        assert client.post("/api/channels/shopify/import", json=content).status_code == 200


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/cutoff/2026-10?limit=500", ["cutoff", "2026-10"]),
        ("/api/metrics/2026-10?limit=500", ["metrics", "2026-10"]),
        ("/api/payouts", ["payouts", "list"]),
        ("/api/payouts/shopify/3", ["payouts", "show", "3"]),
        ("/api/payouts/clearing?until=2026-10-31", ["payouts", "clearing", "--until", "2026-10-31"]),
        ("/api/bank/lines?whole=true", ["bank", "list", "--all"]),
        ("/api/records?limit=500", ["records", "list", "--limit", "500"]),
        ("/api/records/1", ["records", "show", "1"]),
        ("/api/ledger/ageing?on=2026-11-30&limit=500", ["ledger", "ageing", "--on", "2026-11-30"]),
        ("/api/ledger/journal?limit=500", ["ledger", "journal"]),
    ],
)
@pytest.mark.usefixtures("with_payout")
def test_it_says_what_the_command_line_says(
    client: httpx.Client, with_orders: Hub, path: str, words: list[str]
) -> None:
    answer = client.get(path).json()

    assert answer.pop("next", None) is None
    assert answer == said(with_orders, *words)


def test_the_status_is_the_command_lines_and_names_the_jobs(client: httpx.Client, with_orders: Hub) -> None:
    answer = client.get("/api/status").json()

    assert answer.pop("jobs").keys() == {"idle", "runs", "broker", "ended"}
    assert answer.pop("to_be_read_anew")["shopify"] == 0
    assert answer.keys() == said(with_orders, "status").keys() - {"exceptions"}  # type: ignore[attr-defined]
    assert answer["orders"] == said(with_orders, "status")["orders"]  # type: ignore[index]


def test_a_completeness_check_is_begun_and_its_answer_kept(client: httpx.Client, hub: Hub) -> None:
    client.post("/api/channels/shopify/import", json=[order(1001), order(1002)])

    before = client.get("/api/completeness").json()
    checked = client.post("/api/completeness", json={"period": "2026-03", "prove": True})

    assert before == {"channels": []}
    [one] = checked.json()["channels"]
    assert (one["orders"], one["missing"], one["proven"], one["complete"]) == (2, 0, {"erp": 2}, True)
    assert client.get("/api/completeness").json() == checked.json()


@pytest.mark.parametrize(
    "period", ["March", "2026-13", "2026-03-31..2026-03-01", "1000-01-01..2026-01-01", "2026-02-30"]
)
def test_days_that_are_none_are_refused(client: httpx.Client, period: str) -> None:
    assert client.post("/api/completeness", json={"period": period}).status_code in (409, 422)


def test_what_is_done_one_at_a_time_is_refused_while_it_is_done_and_let_in_after() -> None:
    lock = Lock()

    with alone(lock, "check"), pytest.raises(Retryable, match="another check runs") as refused, alone(lock, "check"):
        pass

    assert refused.value.after_s == 30
    with alone(lock, "check"):
        assert lock.locked()


def test_records_come_in_as_a_body_and_each_says_what_it_came_to(client: httpx.Client) -> None:
    lines = "\n".join(json.dumps(one) for one in (order(1001), order(1002), order(1001)))

    answer = client.post("/api/channels/shopify/import?send=false", content=f"{lines}\nnot json\n").json()

    assert answer["outcomes"] == {"duplicate": 1, "held": 1, "order": 2}
    assert [row["order"] for row in answer["rows"]] == ["1001", "1002", "1001", None]
    assert (answer["records"], answer["bad"], answer["sent"]) == (4, 1, None)


def test_of_many_records_the_first_are_told_one_by_one_and_all_are_counted(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "ROWS_MAX", 2)

    answer = client.post("/api/channels/shopify/import", json=[order(1000 + n) for n in range(5)]).json()

    assert (len(answer["rows"]), answer["records"], answer["outcomes"]) == (2, 5, {"order": 5})
    assert answer["sent"]["done"] > 0


def test_a_body_that_is_too_long_brings_nothing_in(client: httpx.Client) -> None:
    answer = client.post("/api/channels/shopify/import", content=b" " * (1024 * 1024 + 1))

    assert answer.status_code == 413
    assert client.get("/api/records").json()["records"] == []


def test_records_come_page_by_page_the_newest_first(client: httpx.Client) -> None:
    client.post("/api/channels/shopify/import", json=[order(1000 + n) for n in range(5)])

    first = client.get("/api/records?limit=3").json()
    rest = client.get("/api/records", params={"limit": 3, "cursor": first["next"]}).json()

    assert [row["order"] for row in first["records"]] == ["1004", "1003", "1002"]
    assert [row["order"] for row in rest["records"]] == ["1001", "1000"]
    assert rest["next"] is None


def test_a_record_is_edited_in_the_name_of_the_token_and_its_original_kept(client: httpx.Client, hub: Hub) -> None:
    client.post("/api/channels/shopify/import", json=[order(1001)])

    edit = {"reason": "the shop named it wrongly", "values": {"name": "#X1001"}}
    answer = client.post("/api/records/1/edit", json=edit).json()

    assert (answer["result"]["outcome"], answer["record"]["order"]) == ("order", "1001")
    assert client.get("/api/orders?name=%23X1001").json()["orders"][0]["order"] == "1001"
    assert '"#X1001"' not in client.get("/api/records/1").json()["body"]
    with hub.store.connect() as connection:
        query = select(audit.c.actor, audit.c.detail).where(audit.c.action == "records.edit")
        [(by, detail)] = connection.execute(query).all()
    assert (by, json.loads(detail)["reason"]) == ("admin", "the shop named it wrongly")


@pytest.mark.parametrize(
    "body", [{"reason": "x"}, {"reason": "x", "values": {"a": "1"}, "body": "{}"}, {"values": {"a": "1"}}]
)
def test_an_edit_that_does_not_say_what_or_why_is_refused(client: httpx.Client, body: dict[str, Any]) -> None:
    assert client.post("/api/records/1/edit", json=body).status_code == 422


def test_records_are_read_again(client: httpx.Client) -> None:
    client.post("/api/channels/shopify/import", json=[order(1001), order(1002)])

    assert client.post("/api/records/replay", json={"ids": [1, 2, 2]}).json()["records"] == 2
    assert client.post("/api/records/replay", json={"ids": [99]}).status_code == 404


def test_the_bodies_of_records_are_not_for_viewers_and_those_of_a_channel_for_that_channel(
    client: httpx.Client, hub: Hub, shown: Shown
) -> None:
    client.post("/api/channels/shopify/import", json=[order(1001)])
    own = {"Authorization": shown(Role.OPERATOR, "shopify")}

    of_its_channel = client.get("/api/records/1", headers=own).status_code
    of_a_viewer = client.get("/api/records/1", headers={"Authorization": shown(Role.VIEWER)}).status_code
    with hub.writing() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE api_token SET channel = 'other' WHERE channel = 'shopify'")

    assert (of_its_channel, of_a_viewer) == (200, 403)
    assert client.get("/api/records/1", headers=own).status_code == 404


@pytest.mark.parametrize("path", ["/api/records", "/api/payouts", "/api/completeness", "/api/cutoff/2026-10"])
@pytest.mark.usefixtures("with_payout")
def test_a_token_of_another_channel_sees_nothing_of_this_one(
    client: httpx.Client, with_orders: Hub, shown: Shown, path: str
) -> None:
    client.post("/api/completeness", json={"period": "2026-10"})
    own = {"Authorization": shown(Role.VIEWER, "shopify")}
    with with_orders.writing() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE api_token SET channel = 'other' WHERE channel = 'shopify'")

    answer = client.get(path, headers=own)

    assert '"shopify"' not in answer.text


def test_rows_of_a_crosswalk_hold_all_or_none_and_a_dry_run_sets_none(client: httpx.Client, with_orders: Hub) -> None:
    good = "source,target\nA-1,LAMP-HEAD-350\nA-2,LAMP-HEAD-350\n"

    dry = client.post("/api/crosswalks/item/import?unlisted=true&dry_run=true", content=good)
    bad = client.post("/api/crosswalks/item/import?unlisted=true", content="source,target\nA-1,X\nA-2\n")
    unset = client.get("/api/crosswalks/history").json()["history"]
    done = client.post("/api/crosswalks/item/import?unlisted=true", content=good)

    assert (dry.status_code, dry.json()["changed"], unset) == (200, 0, [])
    assert (bad.status_code, "body:3" in bad.json()["detail"]) == (422, True)
    assert [row["source"] for row in done.json()["set"]] == ["A-1", "A-2"]


def test_a_replay_says_in_money_what_rows_would_change_and_sets_nothing(client: httpx.Client, with_orders: Hub) -> None:
    asked = {"since": "2020-01-01T00:00:00Z", "rows": [{"source": "A-1", "target": "LAMP-HEAD-350"}]}

    answer = client.post("/api/replay", json=asked)

    assert answer.status_code == 200
    assert answer.json()["orders"] > 0
    assert client.get("/api/crosswalks/history").json()["history"] == []


def test_a_report_and_a_statement_meet_in_the_bank(tmp_path: Path) -> None:
    config = Path(configured(tmp_path, settlements={"klarna": KLARNA}, bank={"checking": CHECKING}))
    with opened(load_settings(config, tmp_path / "home", {}), now) as hub:
        finance = {"Authorization": f"Bearer {access.create(hub, 'finance', Role.FINANCE, 'test', entropy).text}"}
        with (
            served(create_app(hub, Jobs(hub))) as address,
            httpx.Client(base_url=address, headers=finance) as client,
        ):
            taken = client.post("/api/channels/shopify/settlements?mapping=klarna", content=REPORT).json()
            again = client.post("/api/channels/shopify/settlements?mapping=klarna", content=REPORT).json()
            booked = client.post("/api/bank/statements?form=csv", content=STATEMENT).json()
            lines = client.get("/api/bank/lines?whole=true").json()["lines"]
            said = client.post("/api/bank/match", json={"line": lines[1]["key"], "payout": "shopify/klarna:W1"})
            bad = client.post("/api/bank/statements", content=b"<Document/>")

    assert (taken["new"], taken["sent"]["done"], again["new"]) == (True, 1, False)
    assert (booked["read"], booked["new"], booked["matched"], booked["unmatched"]) == (2, 2, 1, 1)
    assert [(x["amount_minor"], x["match"], x["payouts"]) for x in lines] == [
        (9700, "payout", ["shopify/klarna:W1"]),
        (-90000, "none", []),
    ]
    assert (said.status_code, bad.status_code) == (409, 422)


def test_adopting_without_a_last_day_is_refused_and_with_one_says_what_it_linked(
    client: httpx.Client, with_orders: Hub
) -> None:
    refused = client.post("/api/channels/shopify/adopt", json={})
    done = client.post("/api/channels/shopify/adopt", json={"until": "2026-10-31", "dry_run": True})

    assert (refused.status_code, "go_live" in refused.json()["detail"]) == (409, True)
    assert (done.json()["until"], done.json()["linked"], done.json()["dry_run"]) == ("2026-10-31", [], True)


def test_a_dry_run_of_a_channel_that_nobody_can_pull_says_so(client: httpx.Client) -> None:
    answer = client.post("/api/channels/shopify/dry-run", json={})

    assert answer.status_code == 409
    assert "pull" in answer.json()["detail"]


def test_what_would_heal_a_run_is_told_and_done_when_it_is_asked_for(hub: Hub, shown: Shown) -> None:
    """An order that was decided and not sent: the run finds it, healing sends it, the next run ties."""
    with (
        served(create_app(hub, _Quiet(hub))) as address,
        httpx.Client(base_url=address, headers={"Authorization": shown()}) as client,
    ):
        client.post("/api/channels/shopify/import?send=false", json=[order(1001)])
        found = client.post("/api/reconciliations", json={"period": "2026-03"}).json()
        told = client.post(f"/api/reconciliations/{found['run']}/heal", json={}).json()
        kept = client.get("/api/orders/shopify/1001").json()["documents"][0]["state"]
        done = client.post(f"/api/reconciliations/{found['run']}/heal", json={"do": True}).json()
        after = client.post("/api/reconciliations", json={"period": "2026-03"}).json()

    assert {cause["code"] for one in found["variances"] for cause in one["causes"]} == {"not_sent_yet"}
    assert (told["send"] > 0, told["done"], kept) == (True, None, "planned")
    assert done["done"]["sent"]["done"] > 0
    assert (after["variances"], after["payments"]["variances"]) == ([], [])
