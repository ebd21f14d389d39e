"""What a channel typed, shown by the command line: no terminal is steered, no line begun, no markup read."""

import pytest

from tests.hub.cli.shop import Orderhub, order

TYPED = "#1\x1b[2J\x1b]0;owned\x07\norderhub: all is well\r[red]x[/red]:boom:\u202e\x9b31m"
SHOWN = "[red]x[/red]:boom:"


@pytest.fixture
def orderhub_holding(orderhub: Orderhub) -> Orderhub:
    """One order with such a name, held for an SKU that is as bad."""
    sent = order(1001, sku=f"LAMP{TYPED}") | {"name": TYPED}
    sent["line_items"][0]["title"] = TYPED
    orderhub("import", "shopify", orderhub.file([sent, order(1002) | {"name": TYPED}]))
    return orderhub


@pytest.mark.parametrize(
    "arguments",
    [
        ("orders", "list"),
        ("orders", "show", "1001"),
        ("orders", "show", "1002"),
        ("orders", "timeline", "1001"),
        ("exceptions", "list"),
        ("records", "list"),
        ("records", "show", "1"),
        ("orders", "show", TYPED),
        ("ledger", "ageing"),
        ("reconcile", "2026-03"),
        ("status",),
    ],
    ids=" ".join,
)
def test_what_a_channel_typed_does_nothing_to_a_terminal(
    orderhub_holding: Orderhub, arguments: tuple[str, ...]
) -> None:
    ran = orderhub_holding(*arguments)

    said = ran.out + ran.err
    assert said
    assert all(sign.isprintable() or sign == "\n" for sign in said)
    assert not any(line.startswith("orderhub: all is well") for line in ran.err.splitlines())


def test_it_is_shown_as_it_was_typed_otherwise(orderhub_holding: Orderhub) -> None:
    assert SHOWN in orderhub_holding("orders", "timeline", "1001").out.replace("\n", "")
