"""Who is let in at the web door, how often one may be wrong, and what every answer says to browsers."""

from collections.abc import Iterator

import httpx
import pytest

from hub.api.app import create_app
from hub.api.guard import ADDRESSES_MAX, Failures
from hub.model.access import Role
from hub.steps import access
from hub.steps.hub import Hub
from hub.testing.serving import served
from hub.worker.jobs import Jobs
from tests.conftest import Clock
from tests.hub.api.conftest import Shown, entropy

BAD = {"Authorization": "Bearer orderhub_000000000000_" + "0" * 64}


def test_a_browser_shows_the_token_as_a_password_and_may_only_read_so(stranger: httpx.Client, hub: Hub) -> None:
    text = access.create(hub, "ann", Role.ADMIN, "test", entropy).text

    asked = stranger.get("/")

    assert asked.status_code == 401
    assert asked.headers["www-authenticate"] == 'Basic realm="orderhub"'
    assert stranger.get("/", auth=("whoever", text)).status_code == 200
    assert stranger.post("/api/channels/shopify/sync", auth=("whoever", text)).status_code == 401


def test_bad_tokens_end_in_a_pause_for_the_address_and_for_good_ones_too(stranger: httpx.Client, shown: Shown) -> None:
    answers = [stranger.get("/api/status", headers=BAD).status_code for _ in range(11)]

    last = stranger.get("/api/status", headers={"Authorization": shown()})

    assert answers == [401] * 10 + [429]
    assert last.status_code == 429
    assert 0 < int(last.headers["retry-after"]) <= 60


def test_who_shows_nothing_is_not_counted(stranger: httpx.Client, shown: Shown) -> None:
    for _ in range(20):
        stranger.get("/api/status")

    assert stranger.get("/api/status", headers={"Authorization": shown()}).status_code == 200


def test_a_pause_ends_and_the_table_of_addresses_is_bounded(utc: Clock) -> None:
    failures = Failures()
    for _ in range(10):
        failures.add("192.0.2.1", utc.now)

    waits = [failures.wait_s("192.0.2.1", utc.now), failures.wait_s("192.0.2.1", utc.pass_time(seconds=60))]
    for number in range(ADDRESSES_MAX + 5):
        failures.add(f"host-{number}", utc.now)

    assert waits == [60, 0]
    assert len(failures) == ADDRESSES_MAX


@pytest.mark.parametrize("path", ["/", "/api/status", "/api/nothing", "/healthz", "/webhooks/nobody", "/%00"])
def test_every_answer_says_to_browsers_what_they_must_not_do(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "strict-transport-security" not in headers


def test_behind_https_browsers_are_told_to_stay_there(client: httpx.Client) -> None:
    headers = client.get("/healthz", headers={"X-Forwarded-Proto": "https"}).headers

    assert headers["strict-transport-security"] == "max-age=31536000"


def test_a_refusal_is_a_problem_with_what_to_do(client: httpx.Client) -> None:
    answer = client.post("/api/channels/nobody/sync")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404
    assert answer.json()["title"] == "Not Found"


def test_a_body_that_is_too_long_is_not_read(client: httpx.Client) -> None:
    declared = client.post("/api/channels/shopify/sync", content=b"x" * (1024 * 1024 + 1))

    assert declared.status_code == 413
    assert declared.headers["content-type"] == "application/problem+json"


@pytest.fixture
def at_this_machine(hub: Hub) -> Iterator[httpx.Client]:
    with served(create_app(hub, Jobs(hub), no_login=True)) as address, httpx.Client(base_url=address) as client:
        yield client


def test_without_a_log_in_one_reads_from_this_machine_and_does_nothing(at_this_machine: httpx.Client) -> None:
    assert at_this_machine.get("/").status_code == 200
    assert at_this_machine.get("/api/status").status_code == 200
    assert at_this_machine.post("/api/channels/shopify/sync").status_code == 403


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}, BAD]
)
def test_without_a_log_in_nothing_is_read_by_another_name_or_through_a_proxy(
    at_this_machine: httpx.Client, headers: dict[str, str]
) -> None:
    assert at_this_machine.get("/", headers=headers).status_code == 401


def test_no_token_and_no_secret_stands_in_the_log(stranger: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    stranger.get("/api/status", headers=BAD)

    told = [record for record in caplog.records if record.getMessage() == "access.refused"]

    assert len(told) == 1
    assert "0" * 64 not in str(vars(told[0]))


def test_a_token_used_lately_reads_the_figures_while_the_store_is_down(client: httpx.Client, hub: Hub) -> None:
    client.get("/metrics")
    with hub.store.connect() as connection:
        connection.exec_driver_sql("DROP TABLE api_token")
        connection.commit()

    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers=BAD).status_code == 503
