"""What a channel tells of itself and of its customers: erased, or a task; the same once told again."""

import json
from collections.abc import Sequence
from dataclasses import replace

from erp_adapters.ledger.simulator import LedgerSimulator
from hub.errors import Retryable
from hub.model.documents import DocumentKey
from hub.model.facts import Source
from hub.steps.exceptions import resolve
from hub.steps.hub import Hub
from hub.store.views import exceptions
from tests.hub.steps.conftest import plain_story, record, take_in

CUSTOMER = {"id": 4711, "email": "lost@example.com"}


def told(hub: Hub, topic: str, body: dict[str, object], key: str = "notice") -> None:
    take_in(hub, record(json.dumps(body).encode(), key, topic, Source.WEBHOOK))


def test_a_customer_who_is_to_be_forgotten_is_forgotten(hub: Hub) -> None:
    final = plain_story().final
    take_in(hub, record(final, "order"))
    customer = final["customer"]["id"]

    told(hub, "customers/redact", {"customer": {"id": customer}, "orders_to_redact": [final["id"]]})

    with hub.store.connect() as connection:
        bodies = connection.exec_driver_sql("SELECT body FROM party").scalars().all()
    assert bodies
    assert set(bodies) == {None}


class Away(LedgerSimulator):
    """A ledger that cannot be reached when something is to be erased."""

    def erase(self, customers: Sequence[DocumentKey]) -> int:
        raise Retryable("the ERP is away")


def test_an_erp_that_cannot_erase_now_stops_nothing_and_is_a_task(hub: Hub) -> None:
    final = plain_story().final
    take_in(hub, record(final, "order"))

    hub.erp.close_connections()
    hub = replace(hub, connect_erp=lambda config: Away(config, hub.clock))
    told(hub, "customers/redact", {"customer": {"id": final["customer"]["id"]}, "orders_to_redact": [final["id"]]})

    hub.erp.close_connections()
    assert [one.code for one in exceptions.opened(hub.store)] == ["redaction"]


def test_a_body_of_another_topic_erases_no_shop(hub: Hub) -> None:
    take_in(hub, record(plain_story().final, "order"))

    told(hub, "shop/redact", plain_story().final, "replayed")

    with hub.store.connect() as connection:
        assert None not in connection.exec_driver_sql("SELECT body FROM party").scalars().all()


def test_a_request_for_data_is_a_task_that_a_person_ends(hub: Hub) -> None:
    told(hub, "customers/data_request", {"customer": CUSTOMER, "orders_requested": []})
    told(hub, "customers/data_request", {"customer": CUSTOMER, "orders_requested": []}, "again")

    [task] = exceptions.opened(hub.store)
    assert (task.code, task.order) == ("data_request", "customer-4711")
    assert task.remedy.startswith("orderhub personal-data shopify 4711")
    resolve(hub, task.fingerprint, "ann")
    assert exceptions.opened(hub.store) == []


def test_an_app_that_was_removed_is_told_to_a_person(hub: Hub) -> None:
    told(hub, "app/uninstalled", {"id": 1, "domain": "shop.myshopify.com"})

    assert [one.code for one in exceptions.opened(hub.store)] == ["uninstalled"]
