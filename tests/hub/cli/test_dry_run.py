"""`orderhub sync … --dry-run` shows what the ERP would be told, and tells nobody anything."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.shopify.simulator import App as Shop
from connectors.shopify.simulator import Server, Setup
from tests.hub.cli.netsuite import account, configured
from tests.hub.cli.shop import Orderhub, order

SECRETS = ("Ada", "Lovelace", "ada@example.com", "Secret Street", "40202", "Louisville")


HIDES = ("addressee", "addr1", "city", "state", "zip", "email", "firstName", "lastName", "addrPhone", "orderLine")


def shipped() -> dict[str, Any]:
    """An order of a buyer with a name, paid and sent."""
    home = {"name": "Ada Lovelace", "address1": "1 Secret Street", "city": "Louisville", "zip": "40202"}
    home |= {"province_code": "KY", "country_code": "US"}
    sent = {
        "id": 77,
        "order_id": 1001,
        "status": "success",
        "created_at": "2026-03-03T10:00:00-05:00",
        "updated_at": "2026-03-03T10:00:00-05:00",
        "line_items": [{"id": 10011, "quantity": 1}],
    }
    return {
        **order(),
        "customer": {"id": 5, "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com"},
        "shipping_address": home,
        "billing_address": home,
        "fulfillments": [sent],
        "fulfillment_status": "fulfilled",
    }


def from_the_first_day(config: str) -> None:
    """The guide's channel without its go-live."""
    path = Path(config)
    lines = [line for line in path.read_text().splitlines() if "go_live" not in line]
    path.write_text("\n".join(lines))


@pytest.fixture
def waiting(orderhub: Orderhub) -> Orderhub:
    """An order that the ledger waits to be told of."""
    orderhub("import", "--no-send", "shopify", orderhub.file([shipped()]))
    return orderhub


def test_netsuite_would_be_sent_these_very_bodies_and_is_sent_nothing(
    orderhub: Orderhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is then sent in earnest is what was shown, but for the ids that NetSuite gives."""
    with account() as (app, address):
        config = configured(orderhub, address, app, monkeypatch)
        from_the_first_day(config)
        orderhub("import", "--no-send", "--config", config, "shopify", orderhub.file([shipped()]))
        before = app.world.version

        shown = orderhub.json("sync", "netsuite", "--dry-run", "--config", config)

        assert app.world.version == before
        assert {method for method, path in app.calls if "/record/" in path} == {"GET"}
        answers = orderhub.json("status", "--config", config)["steps"]
        assert answers == {"planned": 7}
        bodies: list[tuple[str, Any]] = []
        answer_of = app.handle

        def heard(method: str, path: str, query: str, headers: Any, body: bytes = b"") -> Any:
            if method != "GET" and "/record/" in path:
                bodies.append((method, json.loads(body)))
            return answer_of(method, path, query, headers, body)

        app.handle = heard  # type: ignore[method-assign]  # listens, and changes nothing
        orderhub("import", "--config", config, "shopify", orderhub.file([shipped()]))
        after = orderhub.json("status", "--config", config)["steps"]

    told = [(request["method"], request["body"]) for one in shown["documents"] for request in one["requests"]]
    assert [one["document"] for one in shown["documents"]] == [
        "cust-shopify-5",
        "item-tent-2p-grn-c44373666c36",
        "so-shopify-1001",
        "dep-shopify-1001-10012",
        "ful-shopify-1001-77",
        "inv-shopify-1001-77",
        "depapp-shopify-1001-77",
    ]
    assert after == {"done": 7}
    assert len(bodies) == len(told) == 6
    for (method, body), (shown_method, shown_body) in zip(bodies, told, strict=True):
        assert method == shown_method
        assert unnamed(body) == unnamed(shown_body)


def unnamed(value: Any) -> Any:
    """A body without what is hidden in a dry run, and the numbers of rows."""
    if isinstance(value, dict):
        hides = (
            "addressee",
            "addr1",
            "city",
            "state",
            "zip",
            "email",
            "firstName",
            "lastName",
            "addrPhone",
            "orderLine",
        )
        return {name: unnamed(one) for name, one in value.items() if name not in hides}
    return [unnamed(one) for one in value] if isinstance(value, list) else value


def test_no_name_and_no_address_is_shown_as_text_or_as_json(
    orderhub: Orderhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with account() as (app, address):
        config = configured(orderhub, address, app, monkeypatch)
        from_the_first_day(config)
        orderhub("import", "--no-send", "--config", config, "shopify", orderhub.file([shipped()]))

        as_text = orderhub("sync", "netsuite", "--dry-run", "--config", config)
        as_json = orderhub("sync", "netsuite", "--dry-run", "--config", config, "--format", "json")

    assert (as_text.status, as_json.status) == (0, 0)
    for secret in SECRETS:
        assert secret not in as_text.out + as_text.err + as_json.out + as_json.err
    assert '"lastName": "…"' in as_text.out
    assert "POST /services/rest/record/v1/salesOrder\n" in as_text.out
    assert '"amount": 249.00' in as_text.out
    assert "note: salesOrder so-shopify-1001 is not in NetSuite yet" in as_text.out
    assert "249.00 USD  1100 Accounts receivable" in as_text.out
    assert "names and addresses are shown as …" in as_text.err


def test_what_could_not_be_told_is_named_and_the_status_is_1(
    orderhub: Orderhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with account() as (app, address):
        config = configured(orderhub, address, app, monkeypatch)
        from_the_first_day(config)
        item = app.world.named("inventoryItem", "itemId", "TENT-2P-GRN")
        assert item is not None
        app.world.drop(item)
        orderhub("import", "--no-send", "--config", config, "shopify", orderhub.file([shipped()]))

        ran = orderhub("sync", "netsuite", "--dry-run", "--config", config, "--format", "json")

    refused = [one for one in ran.json["documents"] if one["problem"]]
    assert ran.status == 1
    assert refused[0]["document"] == "item-tent-2p-grn-c44373666c36"
    assert refused[0]["problem"]["code"] == "unknown_item"
    assert "make the item in NetSuite" in refused[0]["problem"]["remedy"]


def test_the_ledger_shows_its_documents_with_their_entries(waiting: Orderhub) -> None:
    shown = waiting.json("sync", "ledger", "--dry-run")

    invoice = next(one for one in shown["documents"] if one["kind"] == "invoice")
    (request,) = invoice["requests"]
    assert (request["method"], request["path"]) == ("create", "invoice/inv-shopify-1001-77")
    assert request["body"]["key"] == "inv-shopify-1001-77"
    assert [(one["account"], one["amount_minor"]) for one in invoice["entries"][0]["postings"]] == [
        ("4000", -24900),
        ("1100", 24900),
    ]
    assert waiting.json("status")["steps"] == {"planned": 7}


def test_a_dry_run_shows_so_many_documents_and_says_how_many_more(waiting: Orderhub) -> None:
    ran = waiting("sync", "ledger", "--dry-run", "--limit", "3", "--format", "json")

    assert (len(ran.json["documents"]), ran.json["more"]) == (3, 4)
    assert "4 more; --limit shows more of them" in ran.err


def test_what_a_pull_would_bring_is_decided_and_drafted_and_nothing_of_it_is_kept(
    orderhub: Orderhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(Setup(seed=7, orders=5, start=datetime(2026, 9, 1, tzinfo=UTC), days=2, token="shpat_x", wide=True))
    shop.shop.move_to(datetime(2026, 10, 1, tzinfo=UTC))
    monkeypatch.setenv("SHOP_ACCESS_TOKEN", "shpat_x")
    with Server(shop) as server:
        for file in (Path(__file__).parents[3] / "config").glob("*.yaml"):
            orderhub.file(file.read_bytes(), file.name)
        config = orderhub.folder / "hub.yaml"
        more = f"    address: {server.url}\n    options:\n      domain: rehearsal.myshopify.com\n    secrets:\n"
        secrets = "    secrets:\n"
        text = config.read_text().replace(secrets, f"{more}      token: SHOP_ACCESS_TOKEN\n", 1)
        config.write_text(text)

        shown = orderhub.json("sync", "shopify", "--dry-run", "--limit", "500", "--config", str(config))
        after = orderhub.json("status", "--config", str(config))
        done = orderhub.json("sync", "shopify", "--no-send", "--config", str(config))
        waits = orderhub.json("sync", "ledger", "--dry-run", "--limit", "500", "--config", str(config))

    assert after["records"]["records"] == 0
    assert done["new"] == shown["new"] > 0
    drafted = {one["document"]: one["entries"] for one in shown["documents"]}
    assert len(drafted) > 20
    # Payouts are told of what was captured alone.
    assert drafted == {one["document"]: one["entries"] for one in waits["documents"] if one["kind"] != "payout"}
