"""The client against the simulated account over a socket: the ways in, the limits, the faults, the refusals."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import pytest

from erp_adapters.netsuite.account.auth import Credentials
from erp_adapters.netsuite.account.http import App
from erp_adapters.netsuite.account.world import Switches
from erp_adapters.netsuite.client import Client, eid
from erp_adapters.netsuite.errors import AlreadyExists, NotFound
from erp_adapters.netsuite.simulator import CERTIFICATE_ID, opened, private_key, served
from erp_adapters.netsuite.suiteql import items
from hub.errors import AuthExpired, InDoubt, RateLimited, Rejected, Retryable
from hub.testing.conformance.bench import Fault
from mappings.netsuite.fields import Fields
from tests.erp_adapters.netsuite.wired import Time, client_of, configured

CREDENTIALS = Credentials()
(TOKEN_ID, TOKEN_SECRET), *_ = CREDENTIALS.tokens.items()
SECRETS = {
    "client_id": CREDENTIALS.client_id,
    "certificate_id": CERTIFICATE_ID,
    "private_key": private_key(),
    "consumer_key": CREDENTIALS.consumer_key,
    "consumer_secret": CREDENTIALS.consumer_secret,
    "token_id": TOKEN_ID,
    "token_secret": TOKEN_SECRET,
}
TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"


class Opened(Protocol):
    def __call__(self, *, auth: str = "certificate", **switches: Any) -> tuple[Client, App]: ...


@pytest.fixture
def time() -> Time:
    time = Time()
    time.now = datetime.fromisoformat("2026-03-10T12:00:00Z")
    return time


@pytest.fixture
def account(time: Time) -> Iterator[Opened]:
    """An account on a socket, and a client of it."""
    with ExitStack() as stack:

        def open_one(*, auth: str = "certificate", **switches: Any) -> tuple[Client, App]:
            app = opened(time.clock, switches=Switches(**switches), on_hand=100)
            address = stack.enter_context(served(app))
            client = client_of(configured(time, given=SECRETS, address=address, auth=auth))
            stack.callback(client.close)
            return client, app

        yield open_one


def customer(client: Client, key: str = "cust-shopify-1") -> str:
    return client.put_eid("customer", key, {"companyName": "Ann's", "isPerson": False})


def order_of(client: Client, code: str = "TENT-2P-GRN", key: str = "so-shopify-1", **fields: Any) -> dict[str, Any]:
    return {
        "externalId": key,
        "entity": {"id": eid("cust-shopify-1")},
        "tranDate": "2026-03-09",
        "orderStatus": "B",
        "item": {
            "items": [
                {
                    "item": {"id": items(client, [code])[code].id},
                    "quantity": 2,
                    "amount": Decimal("398.00"),
                    "location": _location(client),
                    "custcol_orderhub_line": "1",
                }
            ]
        },
        **fields,
    }


def tokens(app: App) -> int:
    return sum(path == TOKEN_PATH for _, path in app.calls)


# --- a sale ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["certificate", "token"])
@pytest.mark.parametrize("enum_form", ["2020", "2026"])
def test_an_order_is_written_read_shipped_and_found(account: Opened, auth: str, enum_form: str) -> None:
    client, _ = account(auth=auth, enum_form=enum_form)
    customer(client)

    id = client.post("salesOrder", order_of(client))

    order = client.get("salesOrder", eid("so-shopify-1"), expand=True)
    assert order is not None
    assert (order.text("id"), order.code("orderStatus")) == (id, "B")
    (row,) = order.rows("item")
    assert (row.text("custcol_orderhub_line"), row.whole("quantity"), row.whole("amount")) == ("1", 2, 398)

    shipment = client.transform(
        "salesOrder",
        id,
        "itemFulfillment",
        {
            "externalId": "ful-shopify-1",
            "shipStatus": "C",
            "item": {"items": [{"orderLine": row.whole("line"), "quantity": 1, "location": _location(client)}]},
        },
    )
    assert _brief(client.get("itemFulfillment", eid("ful-shopify-1"))) == shipment

    client.patch(
        "salesOrder", id, {"memo": "two parcels", "item": {"items": [{"line": row.whole("line"), "quantity": 1}]}}
    )
    changed = client.get("salesOrder", id, expand=True)
    assert changed is not None
    assert (changed.text("memo"), len(changed.rows("item"))) == ("two parcels", 1)


def _location(client: Client) -> dict[str, str]:
    (row,) = client.suiteql("SELECT id FROM location WHERE name = ? ORDER BY id", ("main",))
    return {"id": row.needed("id")}


def _brief(found: Fields | None) -> str | None:
    return None if found is None else found.text("id")


def test_a_repeated_put_is_the_same_customer(account: Opened) -> None:
    client, _ = account()

    assert customer(client) == customer(client)


def test_a_deleted_record_is_gone_for_good(account: Opened) -> None:
    client, _ = account()
    id = customer(client)

    assert client.delete("customer", id) is True
    assert client.get("customer", id) is None
    assert client.delete("customer", id) is False


@pytest.mark.parametrize("record", ["salesOrder", "invoice", "customer"])
def test_what_is_not_there_is_none(account: Opened, record: str) -> None:
    client, _ = account()

    assert client.get(record, "999999") is None
    assert client.get(record, eid("no-such-key")) is None


# --- refusals --------------------------------------------------------------------------------------------------------


def refusal(client: Client, body: dict[str, Any]) -> Rejected:
    with pytest.raises(Rejected) as raised:
        client.post("salesOrder", body)
    return raised.value


def test_a_second_order_of_one_key_is_told_apart(account: Opened) -> None:
    client, _ = account()
    customer(client)
    client.post("salesOrder", order_of(client))

    assert isinstance(refusal(client, order_of(client)), AlreadyExists)


def test_an_unknown_item_is_named(account: Opened) -> None:
    client, _ = account()
    customer(client)
    body = order_of(client)
    body["item"]["items"][0]["item"] = {"id": "999999"}

    error = refusal(client, body)

    assert (error.code, error.field) == ("unknown_item", "item.items[0].item")


def test_an_unknown_customer_is_named(account: Opened) -> None:
    client, _ = account()

    error = refusal(client, order_of(client))

    assert (error.code, error.field) == ("unknown_customer", "entity")


def test_an_unknown_property_is_named_and_nothing_is_written(account: Opened) -> None:
    client, _ = account()
    customer(client)

    error = refusal(client, order_of(client, custbody_nobody_made="x"))

    assert (error.code, error.field) == ("unknown_field", "custbody_nobody_made")
    assert client.get("salesOrder", eid("so-shopify-1")) is None


def test_a_closed_period_is_named(account: Opened) -> None:
    client, app = account()
    customer(client)
    id = client.post("salesOrder", order_of(client))
    period = app.world.named("accountingPeriod", "periodName", "Mar 2026")
    assert period is not None
    period.fields["closed"] = True
    period.fields["allLocked"] = True

    with pytest.raises(Rejected) as raised:
        client.transform("salesOrder", id, "invoice", {"externalId": "inv-shopify-1", "tranDate": "2026-03-09"})

    assert (raised.value.code, raised.value.field) == ("closed_period", "tranDate")
    assert "Manage Accounting Periods" in raised.value.remedy


def test_a_field_that_a_form_wants_is_named(account: Opened) -> None:
    client, _ = account(required_fields={"salesOrder": ("memo",)})
    customer(client)

    error = refusal(client, order_of(client))

    assert error.code == "missing_field"
    assert "memo" in f"{error.field} {error.remedy}".lower()


def test_a_source_that_is_not_there_is_told_apart(account: Opened) -> None:
    client, _ = account()

    with pytest.raises(NotFound):
        client.transform("salesOrder", "999999", "invoice", {})


def test_an_access_that_is_not_granted_is_told_with_the_role_to_change(account: Opened) -> None:
    client, app = account()
    app.faults.fail(Fault.ACCESS_DENIED)

    with pytest.raises(Rejected) as raised:
        customer(client)

    assert raised.value.code == "insufficient_permission"
    assert "Manage Roles" in raised.value.remedy


# --- ways in ---------------------------------------------------------------------------------------------------------


def test_a_token_is_bought_anew_before_it_ends(account: Opened, time: Time) -> None:
    client, app = account()

    for _ in range(5):
        customer(client)
        time.now += timedelta(seconds=1400)

    assert tokens(app) == 2  # at 0 s and, past 2880 s, at 4200 s


def test_a_token_that_ended_early_is_bought_anew_within_the_call(account: Opened) -> None:
    client, app = account()
    customer(client)
    app.faults.fail_write(Fault.TOKEN_EXPIRED)

    customer(client)

    assert tokens(app) == 2


def test_a_revoked_certificate_halts(account: Opened) -> None:
    client, app = account()
    customer(client)
    app.faults.fail(Fault.REVOKED)

    with pytest.raises(AuthExpired, match="Client Credentials Setup"):
        customer(client)

    app.faults.heal()
    assert customer(client)


def test_a_revoked_token_halts_when_it_has_lasted(account: Opened, time: Time) -> None:
    client, app = account(auth="token")
    customer(client)
    app.faults.fail(Fault.REVOKED)

    with pytest.raises(Retryable):
        customer(client)
    time.now += timedelta(seconds=120)
    with pytest.raises(AuthExpired):
        customer(client)


def test_an_account_that_knows_another_key_gives_no_token(time: Time) -> None:
    app = opened(time.clock, seed=2)
    with served(app) as address:
        client = client_of(configured(time, given=SECRETS, address=address))

        with closing(client), pytest.raises(AuthExpired, match="Client Credentials Setup"):
            customer(client)


def test_an_account_of_another_number_lets_no_signature_in(account: Opened, time: Time) -> None:
    _, app = account(auth="token")
    client = client_of(configured(time, given=SECRETS, address=app.base_url, auth="token", account="7654321"))

    with closing(client), pytest.raises(Retryable, match="Invalid login attempt"):
        customer(client)


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["certificate", "token"])
@pytest.mark.parametrize("fault", [Fault.RATE_LIMITED, Fault.THROTTLED])
def test_a_write_over_the_limit_is_sent_again_and_is_one(account: Opened, auth: str, fault: Fault) -> None:
    client, app = account(auth=auth)
    customer(client)
    body = order_of(client)
    app.faults.fail_write(fault)

    id = client.post("salesOrder", body)

    assert _brief(client.get("salesOrder", eid("so-shopify-1"))) == id
    assert [found.id for found in app.world.every("salesOrder")] == [int(id)]


@pytest.mark.parametrize(
    ("fault", "written"),
    [
        (Fault.SERVER_ERROR, False),
        (Fault.FAILED_AFTER, True),
        (Fault.LOST_BEFORE, False),
        (Fault.LOST_AFTER, True),
        (Fault.BROKEN_ANSWER, True),
        (Fault.CUT_SHORT, True),
        (Fault.LATE_COMMIT, False),
    ],
)
@pytest.mark.parametrize("auth", ["certificate", "token"])
def test_a_write_without_a_good_answer_is_in_doubt_and_its_key_tells(
    account: Opened, auth: str, fault: Fault, written: bool
) -> None:
    client, app = account(auth=auth)
    customer(client)
    body = order_of(client)
    app.faults.fail_write(fault)

    with pytest.raises(InDoubt):
        client.post("salesOrder", body)

    assert (client.get("salesOrder", eid("so-shopify-1")) is not None) is written


def test_a_late_commit_is_found_when_it_has_happened(account: Opened, time: Time) -> None:
    client, app = account()
    customer(client)
    body = order_of(client)
    app.faults.fail_write(Fault.LATE_COMMIT)
    with pytest.raises(InDoubt):
        client.post("salesOrder", body)

    time.now += timedelta(seconds=900)

    assert client.get("salesOrder", eid("so-shopify-1")) is not None


@pytest.mark.parametrize(
    "fault",
    [
        Fault.RATE_LIMITED,
        Fault.THROTTLED,
        Fault.SERVER_ERROR,
        Fault.FAILED_AFTER,
        Fault.LOST_BEFORE,
        Fault.LOST_AFTER,
        Fault.BROKEN_ANSWER,
        Fault.CUT_SHORT,
        Fault.TOKEN_EXPIRED,
    ],
)
@pytest.mark.parametrize("auth", ["certificate", "token"])
def test_a_read_and_a_query_get_past_a_fault(account: Opened, auth: str, fault: Fault) -> None:
    client, app = account(auth=auth)
    id = customer(client)

    app.faults.fail(fault)
    assert _brief(client.get("customer", id)) == id

    app.faults.fail(fault)
    assert list(items(client, ["TIP"])) == ["TIP"]


@pytest.mark.parametrize(("auth", "form"), [("certificate", "429"), ("certificate", "400"), ("token", "429")])
def test_an_account_that_others_use_up_is_left_alone_for_now(account: Opened, auth: str, form: str) -> None:
    client, app = account(auth=auth, concurrency_limit=2, concurrency_form=form)
    customer(client)
    app.governance.others = 2

    with pytest.raises(RateLimited):
        client.delete("customer", eid("cust-shopify-1"))

    app.governance.others = 1
    assert client.get("customer", eid("cust-shopify-1")) is not None


def test_an_overloaded_account_that_says_invalid_login_does_not_halt_a_token(account: Opened) -> None:
    client, app = account(auth="token", concurrency_limit=2, concurrency_form="401")
    customer(client)
    app.governance.others = 2

    with pytest.raises(Retryable):
        customer(client)

    app.governance.others = 0
    assert customer(client)


@pytest.mark.parametrize("auth", ["certificate", "token"])
def test_an_echo_tells_no_secret(account: Opened, auth: str) -> None:
    client, app = account(auth=auth)
    customer(client)
    app.faults.fail_write(Fault.ECHO)

    with pytest.raises(Rejected) as raised:
        customer(client)

    told = f"{raised.value} {raised.value.remedy}"
    used = [*app.auth.tokens, *(SECRETS.values() if auth == "token" else [SECRETS["private_key"]])]
    assert "authorization" in told
    assert [secret for secret in used if secret in told] == []
