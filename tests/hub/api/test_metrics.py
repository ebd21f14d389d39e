"""GET /metrics over a real socket: read by Prometheus's own parser."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.api.app import create_app
from hub.api.metrics import Figures
from hub.cli.door import now
from hub.model.access import Role
from hub.settings import load_settings
from hub.steps.hub import Hub
from hub.steps.opening import opened
from hub.testing.serving import served
from hub.worker.jobs import Jobs
from tests.hub.api.conftest import Shown


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with opened(load_settings(None, tmp_path, {"SHOPIFY_WEBHOOK_SECRET": "hush"}), now) as hub:
        yield hub


@pytest.fixture
def client(hub: Hub, shown: Shown) -> Iterator[httpx.Client]:
    logged_in = {"Authorization": shown(Role.VIEWER)}
    with (
        served(create_app(hub, Jobs(hub))) as address,
        httpx.Client(base_url=address, headers=logged_in) as client,
    ):
        yield client


def sample(text: str, name: str, **labels: str) -> float | None:
    """The value of that sample; None: there is none."""
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            if one.name == name and one.labels == labels:
                return float(one.value)
    return None


def test_an_empty_hub_has_nothing_waiting_and_both_stores_up(client: httpx.Client) -> None:
    answer = client.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert sample(answer.text, "orderhub_up", dependency="hub store") == 1
    assert sample(answer.text, "orderhub_up", dependency="inbox") == 1
    assert sample(answer.text, "orderhub_records_waiting") == 0
    assert sample(answer.text, "orderhub_steps", target="erp", state="in_doubt") == 0


def test_a_forged_delivery_is_counted_and_nothing_of_it_is_shown(client: httpx.Client) -> None:
    client.post("/webhooks/shopify", content=b"{}", headers={"X-Shopify-Hmac-Sha256": "planted"})
    client.post("/webhooks/nobody-planted", content=b"{}")

    text = client.get("/metrics").text

    assert sample(text, "orderhub_webhook_deliveries_total", channel="shopify", outcome="forged") == 1
    assert sample(text, "orderhub_webhook_deliveries_total", channel="unknown", outcome="no_channel") == 1
    assert "planted" not in text


def test_requests_are_timed_by_route_never_by_what_was_asked_for(client: httpx.Client) -> None:
    client.get("/runs/2026-10-planted")
    client.get("/planted")

    text = client.get("/metrics").text

    count = "orderhub_http_request_seconds_count"
    assert sample(text, count, method="GET", route="/runs/{run}", status="404") == 1
    assert sample(text, count, method="GET", route="unknown", status="404") == 1
    assert "planted" not in text


def test_it_answers_while_a_store_is_down_and_says_so(client: httpx.Client, hub: Hub) -> None:
    with hub.store.connect() as connection:
        connection.exec_driver_sql("DROP TABLE step")
        connection.commit()

    answer = client.get("/metrics")

    assert answer.status_code == 200
    assert sample(answer.text, "orderhub_up", dependency="hub store") == 0
    assert sample(answer.text, "orderhub_up", dependency="inbox") == 1
    assert sample(answer.text, "orderhub_records_waiting") == 0
    assert sample(answer.text, "orderhub_steps", target="erp", state="planned") is None


def test_many_watchers_at_once_read_the_stores_once(hub: Hub) -> None:
    stands = [0.0]
    figures = Figures(hub, lambda: stands[0])
    first = figures.text()
    with hub.store.connect() as connection:
        connection.exec_driver_sql("DROP TABLE step")
        connection.commit()

    again = figures.text()
    stands[0] = 2.0
    later = figures.text()

    assert sample(first.decode(), "orderhub_up", dependency="hub store") == 1
    assert sample(again.decode(), "orderhub_up", dependency="hub store") == 1
    assert sample(later.decode(), "orderhub_up", dependency="hub store") == 0
