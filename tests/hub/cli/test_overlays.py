"""Overlays in hub.yaml: previewed on stored records in money, applied when a record is read again."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from hub.settings import SHIPPED
from tests.hub.cli.shop import Orderhub, order

TERMS = "contains(note_attributes[?name=='terms'].value, 'net30')"


def on_terms() -> dict[str, Any]:
    """An order that nobody has paid, of a buyer who pays by invoice."""
    return order(1001, paid=False) | {"note_attributes": [{"name": "terms", "value": "net30"}]}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The shipped configuration, with an overlay."""
    folder = tmp_path / "config"
    shutil.copytree(SHIPPED.parent, folder)
    file = folder / SHIPPED.name
    text = file.read_text()
    assert text.count("  - slug: shopify ") == 1
    file.write_text(text.replace("  - slug: shopify ", f'  - overlays: {{business: "{TERMS}"}}\n    slug: shopify '))
    return file


def test_a_changed_overlay_changes_no_stored_order_until_its_record_is_read_again(
    orderhub: Orderhub, config: Path
) -> None:
    orderhub("import", "shopify", orderhub.file([on_terms()]))
    with_overlay = ("--config", str(config))
    orderhub("exceptions", "retry", "--all", *with_overlay)
    assert held(orderhub) == ["payment_not_captured"]

    preview = orderhub.json("replay", "--since", "2026-01-01", *with_overlay)

    assert (preview["orders"], preview["changed"], preview["released"]) == (1, 1, 1)
    assert preview["released_minor"] == {"USD": 24_900}
    assert held(orderhub) == ["payment_not_captured"]
    [row] = orderhub.json("records", "list")["records"]
    orderhub("records", "replay", str(row["id"]), *with_overlay)
    assert held(orderhub) == []
    documents = orderhub.json("orders", "show", "1001")["documents"]
    assert [(one["kind"], one["state"]) for one in documents] == [("sales_order", "done")]


def test_without_the_overlay_a_replay_changes_nothing(orderhub: Orderhub) -> None:
    orderhub("import", "shopify", orderhub.file([on_terms()]))

    assert orderhub.json("replay", "--since", "2026-01-01")["changed"] == 0


def test_a_value_that_does_not_fit_is_a_problem_of_its_row(orderhub: Orderhub, config: Path) -> None:
    config.write_text(config.read_text().replace(TERMS, "name"))

    answer = orderhub.json("import", "shopify", orderhub.file([order(1001)]), "--config", str(config))

    [row] = answer["files"]
    assert row["outcome"] == "order"
    assert row["problems"] == [
        {
            "path": "overlays.business[0]",
            "message": "name: expected true or false, found '#1001'; compare it, as in contains(tags, 'b2b')",
        }
    ]


def held(orderhub: Orderhub) -> list[str]:
    return [one["code"] for one in orderhub.json("exceptions", "list")["exceptions"]]
