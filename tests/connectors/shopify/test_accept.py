"""Webhooks are let in by their seal alone, and kept out without one."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.shopify import PLUGIN
from connectors.shopify.connector import ShopifyConnector
from hub.errors import Forged, Misconfigured
from hub.model.facts import Source
from hub.model.records import Notice, NoticeKind, Received, Record
from hub.ports import Accepts, ChannelConfig, Delivery

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
BODY = b'{"id": 1, "total_price": "1.0"}'


def secrets(**given: str) -> Mapping[str, str]:
    return given


def connector(held: Mapping[str, str] | None = None, **options: str) -> ShopifyConnector:
    held = {"webhook": "hush"} if held is None else held

    def secret(name: str) -> SecretStr:
        if name not in held:
            raise Misconfigured(f"no {name}")
        return SecretStr(held[name])

    config = ChannelConfig(
        "shopify-us",
        "main",
        "USD",
        "America/New_York",
        address="https://main-street.myshopify.com",
        options=options,
        secrets=secret,
    )
    opened = PLUGIN.connect(config)
    assert isinstance(opened, Accepts)
    assert isinstance(opened, ShopifyConnector)
    return opened


def seal(body: bytes, secret: str = "hush") -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def delivery(body: bytes = BODY, **headers: str) -> Delivery:
    given = {
        "content-type": "application/json",
        "x-shopify-hmac-sha256": seal(body),
        "x-shopify-shop-domain": "main-street.myshopify.com",
        "x-shopify-topic": "orders/create",
        "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    }
    given |= {name.replace("_", "-"): text for name, text in headers.items()}
    return Delivery(given, body, AT)


def test_a_sealed_delivery_is_a_record_keyed_by_its_webhook_id() -> None:
    received = connector().accept(delivery())

    assert received == Received(
        channel="shopify-us",
        key="b54557e4-bdd9-4b37-8a5f-bf7d70bcd043:bd6a7ac5806577f0",
        topic="orders/create",
        source=Source.WEBHOOK,
        body=BODY,
        received_at=AT,
        headers={
            "x-shopify-topic": "orders/create",
            "x-shopify-shop-domain": "main-street.myshopify.com",
            "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        },
    )


def test_a_retry_has_the_key_of_the_first_try_and_another_topic_of_the_same_event_has_not() -> None:
    first = connector().accept(delivery(x_shopify_triggered_at="2026-11-01T11:00:00Z", x_shopify_event_id="e1"))
    again = connector().accept(delivery(x_shopify_triggered_at="2026-11-01T12:00:00Z", x_shopify_event_id="e1"))
    other = connector().accept(delivery(x_shopify_webhook_id="another", x_shopify_event_id="e1"))

    assert first.key == again.key
    assert other.key != first.key


@pytest.mark.parametrize(
    "changed",
    [
        {"x_shopify_hmac_sha256": seal(BODY + b" ")},
        {"x_shopify_hmac_sha256": seal(BODY, "revoked")},
        {"x_shopify_hmac_sha256": ""},
        {"x_shopify_hmac_sha256": "ü"},
        {"x_shopify_shop_domain": "other.myshopify.com"},
        {"x_shopify_shop_domain": ""},
    ],
)
def test_a_delivery_without_a_good_seal_or_of_another_shop_is_forged(changed: dict[str, str]) -> None:
    with pytest.raises(Forged) as caught:
        connector().accept(delivery(BODY, **changed))

    assert "hush" not in str(caught.value)
    assert "total_price" not in str(caught.value)


def test_one_byte_of_the_body_changed_is_forged() -> None:
    good = delivery()

    for place in range(len(BODY)):
        body = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        with pytest.raises(Forged):
            connector().accept(Delivery(good.headers, body, AT))


def test_both_secrets_are_good_during_a_rotation_and_only_the_new_one_after_it() -> None:
    rotating = secrets(webhook="new", webhook_previous="hush")

    connector(rotating).accept(delivery())
    connector(rotating).accept(delivery(x_shopify_hmac_sha256=seal(BODY, "new")))
    with pytest.raises(Forged):
        connector(secrets(webhook="new")).accept(delivery())


def test_nothing_is_parsed_at_the_door() -> None:
    body = b"\xff{not json"

    assert connector().accept(delivery(body, x_shopify_hmac_sha256=seal(body))).body == body


def test_the_shops_domain_may_differ_from_the_address() -> None:
    received = connector(domain="elsewhere.myshopify.com").accept(
        delivery(x_shopify_shop_domain="Elsewhere.myshopify.com")
    )

    assert received.headers["x-shopify-shop-domain"] == "Elsewhere.myshopify.com"


def test_a_delivery_without_a_secret_to_check_it_by_says_what_to_set() -> None:
    with pytest.raises(Misconfigured):
        connector({}).accept(delivery())


def test_a_key_fits_the_inbox_however_long_the_header() -> None:
    received = connector().accept(
        delivery(x_shopify_webhook_id="x" * 5000, x_shopify_topic="y" * 5000, x_shopify_event_id="z" * 5000)
    )

    assert len(received.key) <= 200
    assert len(received.topic) <= 100
    assert all(len(text) <= 200 for text in received.headers.values())


def test_an_unknown_option_is_named_and_its_value_is_not() -> None:
    with pytest.raises(Misconfigured) as caught:
        connector(tokn="shpat_pasted_by_mistake")

    assert str(caught.value) == "channel shopify-us: options.tokn: no such option"


# --- what a webhook record says besides facts -----------------------------------------------------------------------


def record(topic: str, body: bytes, source: Source = Source.WEBHOOK) -> Record:
    return Record(1, "shopify-us", topic, source, body, AT)


def test_a_webhook_names_the_order_that_is_to_be_read_anew() -> None:
    deletion = connector().translate(record("orders/delete", b'{"id": 820982911946154508}'))
    returned = connector().translate(
        record("returns/update", b'{"admin_graphql_api_id": "gid://shopify/Return/5", "order": {"id": 77}}')
    )
    pulled = connector().translate(record("orders/delete", b'{"id": 820982911946154508}', Source.PULL))

    assert deletion.refetch == ("820982911946154508",)
    assert returned.refetch == ("77",)
    assert pulled.refetch == ()


@pytest.mark.parametrize(
    ("topic", "body", "notice"),
    [
        ("app/uninstalled", b'{"id": 548380009, "name": "Shop"}', Notice(NoticeKind.UNINSTALLED)),
        ("shop/redact", b'{"shop_id": 954889, "shop_domain": "x"}', Notice(NoticeKind.REDACT_SHOP)),
        (
            "customers/redact",
            b'{"shop_id": 954889, "customer": {"id": 191167, "email": "a@b.c"}, "orders_to_redact": [299938, 280263]}',
            Notice(NoticeKind.REDACT_CUSTOMER, "191167", ("299938", "280263")),
        ),
        (
            "customers/data_request",
            b'{"customer": {"id": 191167}, "orders_requested": [299938], "data_request": {"id": 9999}}',
            Notice(NoticeKind.DATA_REQUEST, "191167", ("299938",)),
        ),
    ],
)
def test_a_notice_is_told_with_whom_it_is_about(topic: str, body: bytes, notice: Notice) -> None:
    translation = connector().translate(record(topic, body))

    assert translation.notices == (notice,)
    assert translation.facts == ()


def test_a_notice_from_a_file_has_no_force() -> None:
    assert connector().translate(record("shop/redact", b'{"shop_id": 1}', Source.FILE)).notices == ()


def test_every_authentic_webhook_is_let_in(shared_contracts: Path) -> None:
    """The recorded seals cannot be checked (the bodies were printed anew), so each is sealed here."""
    folder = shared_contracts / "shopify" / "samples" / "webhooks-2024-10"
    files = sorted(folder.glob("*.json"))

    for file in files:
        body = file.read_bytes()
        received = connector().accept(delivery(body, x_shopify_webhook_id=file.stem))
        assert received.body == body

    assert len(files) == 30
