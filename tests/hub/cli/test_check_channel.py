"""`orderhub check CHANNEL` asks the channel itself, over a real socket."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.shopify.simulator import App, Server, Setup
from tests.hub.cli.shop import Orderhub

ROOT = Path(__file__).parents[3]


def configured(orderhub: Orderhub, more: str) -> str:
    """The shipped configuration beside its files, the channel with more settings."""
    for file in (ROOT / "config").glob("*.yaml"):
        orderhub.file(file.read_bytes(), file.name)
    config = orderhub.folder / "hub.yaml"
    text = config.read_text()
    secrets = "    secrets:\n"
    assert secrets in text
    config.write_text(text.replace(secrets, f"{more}{secrets}      token: SHOP_ACCESS_TOKEN\n", 1))
    return str(config)


def live(url: str, domain: str = "rehearsal.myshopify.com") -> str:
    return f"    address: {url}\n    options:\n      domain: {domain}\n"


def test_a_channel_of_files_has_nothing_to_ask(orderhub: Orderhub) -> None:
    ran = orderhub("check", "shopify", "--config", configured(orderhub, ""))

    assert ran.status == 1
    assert "channel shopify: access: nothing to ask: set its address in hub.yaml" in ran.err


def test_a_live_channel_says_what_is_wrong_or_that_all_is_well(
    orderhub: Orderhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = App(Setup(seed=7, orders=1, start=datetime(2026, 9, 1, tzinfo=UTC), days=1, token="shpat_x", wide=False))
    app.shop.move_to(datetime(2026, 10, 1, tzinfo=UTC))
    monkeypatch.setenv("SHOP_ACCESS_TOKEN", "shpat_x")
    with Server(app) as server:
        well = orderhub("check", "shopify", "--config", configured(orderhub, live(server.url)))
        app.gateway.denied.add("Order")
        wrong = configured(orderhub, live(server.url, "other.myshopify.com"))
        ill = orderhub("check", "shopify", "--config", wrong)
        monkeypatch.setenv("SHOP_ACCESS_TOKEN", "shpat_planted")
        out = orderhub("check", "shopify", "--config", wrong)

    assert (well.status, well.err) == (0, "")
    assert ill.status == 1
    assert "channel shopify: options.domain: this is rehearsal.myshopify.com" in ill.err
    assert "channel shopify: access: shopify: OneOrder:" in ill.err
    assert "a granted scope alone is not enough" in ill.err
    assert "channel shopify: credentials: shopify: POST /admin/api/2026-10/graphql.json: 401" in out.err
    assert "shpat_planted" not in out.err + out.out


def test_an_option_that_the_connector_does_not_know_is_named(orderhub: Orderhub) -> None:
    config = configured(orderhub, "    address: https://x.example\n    options:\n      tokens: static\n")

    ran = orderhub("check", "--config", config)

    assert ran.status == 1
    assert "channel shopify: options.tokens: no such option" in ran.err
