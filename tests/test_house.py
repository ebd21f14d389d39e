"""The import table in pyproject.toml, tried on imports that it must refuse and on ones that it must let pass."""

import ast
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from grimp import ImportGraph

from tests.house import Table, room_of, trespasses_of

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def table() -> Table:
    with (ROOT / "pyproject.toml").open("rb") as file:
        [contract] = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    rooms: Table = contract["rooms"]
    return rooms


def trespasses(table: Table, importer: str, imported: str, *, external: bool = False) -> list[str]:
    graph = ImportGraph()
    graph.add_module(importer)
    graph.add_module(imported, is_squashed=external)
    graph.add_import(importer=importer, imported=imported, line_number=7, line_contents="import it")
    return list(trespasses_of(graph, table))


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("hub.model.order", "hub.errors"),
        ("hub.books.post", "hub.errors"),
        ("hub.flow.fold", "hub.store.tables"),
        ("hub.store.tables", "hub.flow.fold"),
        ("hub.steps.advance", "connectors.shopify"),
        ("hub.steps.send", "erp_adapters.ledger.adapter"),
        ("hub.steps.advance", "mappings.shopify.order"),
        ("hub.cli", "hub.flow.fold"),
        ("hub.cli", "hub.books.post"),
        ("hub.cli", "hub.store.tables"),
        ("hub.cli", "connectors.shopify"),
        ("hub.api.webhooks", "hub.worker.actors"),
        ("hub.rehearsal.demo", "connectors.shopify.simulator"),
        ("hub.rehearsal.demo", "hub.testing.clock"),
        ("hub.registry", "connectors.shopify"),
        ("hub.errors", "hub.registry"),
        ("hub.settings", "hub.registry"),
        ("connectors.shopify.client", "hub.store.tables"),
        ("connectors.shopify.client", "hub.books.post"),
        ("connectors.shopify.client", "connectors.amazon.client"),
        ("connectors.shopify.client", "mappings.amazon.order"),
        ("connectors.shopify.client", "connectors.shopify.simulator"),
        ("connectors.shopify.client", "connectors.shopify.rehearsal.basket"),
        ("connectors.shopify.client", "hub.testing.builders"),
        ("erp_adapters.netsuite.adapter", "hub.books.post"),
        ("erp_adapters.netsuite.adapter", "erp_adapters.ledger.adapter"),
        ("mappings.shopify.order", "mappings.amazon.order"),
        ("mappings.shopify.order", "hub.ports"),
    ],
)
def test_an_import_that_no_row_allows_is_named_with_its_line(table: Table, importer: str, imported: str) -> None:
    assert trespasses(table, importer, imported) == [f"{importer} may not import {imported} (line 7)"]


@pytest.mark.parametrize(
    ("importer", "library"),
    [
        ("hub.model.order", "sqlalchemy"),
        ("hub.steps.capture", "httpx"),
        ("hub.steps.capture", "rich"),
        ("hub.flow.fold", "sqlalchemy"),
        ("hub.store.tables", "typer"),
        ("hub.api.webhooks", "sqlalchemy"),
        ("connectors.shopify.client", "fastapi"),
        ("mappings.shopify.order", "httpx"),
    ],
)
def test_a_library_that_no_row_allows_is_named(table: Table, importer: str, library: str) -> None:
    expected = [f"{importer} may not import {library} (line 7)"]

    assert trespasses(table, importer, library, external=True) == expected


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("hub.model.order", "hub.model.money"),
        ("hub.flow.fold", "hub.books.post"),
        ("hub.steps.advance", "hub.flow.fold"),
        ("hub.steps.advance", "hub.store.views"),
        ("hub.cli", "hub.store.views.orders"),
        ("hub.cli", "hub.rehearsal.demo"),
        ("hub.registry", "hub.http"),
        ("connectors.shopify.client", "mappings.shopify.order"),
        ("connectors.shopify.simulator", "hub.testing.clock"),
        ("connectors.shopify.simulator", "connectors.shopify.rehearsal.basket"),
        ("erp_adapters.ledger.adapter", "hub.books.post"),
        ("erp_adapters.ledger.simulator", "erp_adapters.ledger.adapter"),
    ],
)
def test_an_import_that_its_row_names_passes(table: Table, importer: str, imported: str) -> None:
    assert trespasses(table, importer, imported) == []


def test_the_standard_library_is_open_to_every_room(table: Table) -> None:
    assert trespasses(table, "hub.model.order", "decimal", external=True) == []


def test_a_module_without_a_room_is_a_fault(table: Table) -> None:
    assert room_of("hub.utils", table) is None


def test_the_more_specific_row_decides(table: Table) -> None:
    room = room_of("erp_adapters.ledger.post", table)

    assert room is not None
    assert room[0] == "erp_adapters.ledger"
    assert "hub.books" in room[1]


def test_nothing_in_the_hub_names_a_channel_system() -> None:
    """A plugin is met through the registry; a name spelled out in the hub would be a second way."""
    systems = {point.name for point in entry_points(group="orderhub.connectors")}

    named = [
        f"{file.relative_to(ROOT)}:{node.lineno}: {node.value!r}"
        for file in sorted((ROOT / "hub").rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in systems
    ]

    assert systems != set()
    assert named == []
