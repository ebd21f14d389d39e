"""A company's hub: worker, scheduler and door as processes of their own, on a real PostgreSQL and a real Valkey."""

import signal
from pathlib import Path

import httpx
import pytest
from redis import Redis

from hub.rehearsal.processes import free_port
from tests.machines import Machines, machines, rehearsed_shop
from tests.valkey_server import running_valkey

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

ORDERS = 12
POSTED = (
    "SELECT count(DISTINCT intent.order_id) FROM hub.step JOIN hub.intent ON intent.id = step.intent_id"
    " WHERE kind = 'sales_order' AND state = 'done'"
)
OPEN = "SELECT count(*) FROM hub.step WHERE state NOT IN ('done', 'superseded')"
KNOWN = "SELECT count(*) FROM hub.orders"


def everything_is_posted(made: Machines, orders: int) -> bool:
    (known,), (posted,), (still_open,) = (made.ask(query)[0] for query in (KNOWN, POSTED, OPEN))
    return bool(known == orders and posted == orders and still_open == 0)


def test_a_sync_comes_to_the_ledger_by_scheduler_broker_and_worker(tmp_path: Path, postgres_url: str) -> None:
    with (
        running_valkey() as valkey,
        rehearsed_shop(tmp_path, ORDERS) as shop,
        machines(tmp_path / "home", postgres_url, valkey.url) as made,
    ):
        made.configure(shop.address)
        placed = len(shop.orders())

        made.start("scheduler", "scheduler")
        made.start("worker-1", "worker", "--threads", "4")
        made.start("worker-2", "worker", "--threads", "4")
        made.wait_for(lambda: everything_is_posted(made, placed), "every order posted")

        assert [made.end(name) for name in ("worker-1", "worker-2", "scheduler")] == [0, 0, 0]


def test_without_its_broker_the_hub_goes_on_and_says_so(tmp_path: Path, postgres_url: str) -> None:
    """It is away when all begin, and comes when all is done: only the delay is another."""
    with (
        running_valkey() as valkey,
        rehearsed_shop(tmp_path, ORDERS) as shop,
        machines(tmp_path / "home", postgres_url, valkey.url) as made,
    ):
        made.configure(shop.address)
        placed = len(shop.orders())
        valkey.stop()

        made.start("scheduler", "scheduler")
        made.start("worker", "worker")
        made.wait_for(lambda: everything_is_posted(made, placed), "every order posted")
        said = made.said("worker")
        valkey.start()
        made.wait_for(lambda: "broker.back" in made.said("worker"), "the broker being back")

        assert "broker.lost" in said
        assert made.end("worker") == 0


def test_a_broker_that_is_emptied_and_killed_in_mid_run_costs_nothing_but_time(
    tmp_path: Path, postgres_url: str
) -> None:
    with (
        running_valkey() as valkey,
        rehearsed_shop(tmp_path, ORDERS) as shop,
        machines(tmp_path / "home", postgres_url, valkey.url) as made,
    ):
        made.configure(shop.address)
        placed = len(shop.orders())
        made.start("scheduler", "scheduler")
        made.start("worker-1", "worker")
        made.start("worker-2", "worker")

        made.wait_for(lambda: made.ask("SELECT count(*) FROM inbox.record") != [(0,)], "the first records")
        with Redis.from_url(valkey.url) as broker:
            broker.flushall()
        valkey.stop()
        made.wait_for(lambda: "broker.lost" in made.said("worker-1"), "the loss being seen")
        valkey.start()
        made.wait_for(lambda: everything_is_posted(made, placed), "every order posted")

        twice = "SELECT document_key FROM hub.intent GROUP BY document_key, action HAVING count(*) > 1"
        assert made.ask(twice) == []


def test_serve_alone_does_all_the_jobs_on_postgresql_without_a_broker(tmp_path: Path, postgres_url: str) -> None:
    with (
        rehearsed_shop(tmp_path, ORDERS) as shop,
        machines(tmp_path / "home", postgres_url, "redis://127.0.0.1:1/0") as made,
    ):
        made.configure(shop.address)
        del made.environment["ORDERHUB_BROKER_URL_FILE"]
        placed = len(shop.orders())

        made.start("serve", "serve", "--port", str(free_port()))
        made.wait_for(lambda: everything_is_posted(made, placed), "every order posted")

        assert made.end("serve") == 0


def test_a_door_whose_broker_is_gone_names_it_and_stays_ready(tmp_path: Path, postgres_url: str) -> None:
    with running_valkey() as valkey, machines(tmp_path / "home", postgres_url, valkey.url) as made:
        made.configure(None)
        port = free_port()

        def broker() -> str | None:
            if "serving on" not in made.said("door"):
                return None
            answer = httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False)  # refused: it said so too early
            assert answer.status_code == 200
            told: str = answer.json()["broker"]
            return told

        made.start("door", "serve", "--no-jobs", "--port", str(port))
        made.wait_for(lambda: broker() == "ok", "the broker named well")
        valkey.stop()

        made.wait_for(lambda: (broker() or "").startswith("it does not answer"), "the broker named away")
        assert made.end("door") == 0


def test_when_the_scheduler_is_killed_another_one_takes_over(tmp_path: Path, postgres_url: str) -> None:
    with (
        running_valkey() as valkey,
        rehearsed_shop(tmp_path, 2) as shop,
        machines(tmp_path / "home", postgres_url, valkey.url) as made,
    ):
        made.configure(shop.address)
        holder = "SELECT holder FROM hub.job WHERE name = 'scheduler' AND holder IS NOT NULL"
        made.start("first", "scheduler")
        made.wait_for(lambda: bool(made.ask(holder)), "a scheduler's turn")
        (was,) = made.ask(holder)

        made.start("second", "scheduler")
        made.end("first", signal.SIGKILL)
        made.wait_for(lambda: made.ask(holder) not in ([], [was]), "the other's turn")

        assert str(made.children["second"].pid) in made.ask(holder)[0][0]
