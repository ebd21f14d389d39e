"""The house's import table as an import-linter contract: a whitelist, so that a new room or library is a decision.

The table itself stands in pyproject.toml under tool.importlinter; tests/test_house.py shows that it bites.
"""

import re
import sys
from collections.abc import Iterator
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

PLACE = re.compile(r"\\\{(\w+)\\\}")

Table = dict[str, list[str]]


class TableField(fields.Field[Table]):
    """A table of room to list of names."""

    def parse(self, raw_data: Any) -> Table:
        if not isinstance(raw_data, dict) or not all(isinstance(names, list) for names in raw_data.values()):
            raise fields.ValidationError("a table of room = [what it may import]")
        return {str(room): [str(name) for name in names] for room, names in raw_data.items()}


class HouseContract(Contract):
    """Every module has a room, and imports only what the room's row names."""

    type_name = "house"

    rooms = TableField()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        assert isinstance(self.rooms, dict)
        trespasses = list(trespasses_of(graph, self.rooms))
        return ContractCheck(kept=not trespasses, metadata={"trespasses": trespasses})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for trespass in check.metadata["trespasses"]:
            output.print_error(f"- {trespass}", bold=False)
        output.new_line()


def trespasses_of(graph: ImportGraph, table: Table) -> Iterator[str]:
    """A sentence for each import that no row allows and for each module without a room."""
    ours = {module for module in graph.modules if not graph.is_module_squashed(module)}
    for importer in sorted(ours):
        home = room_of(importer, table)
        if home is None:
            yield f"{importer} is in no room: give it a row in the table"
            continue
        name, row = home
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            if imported in ours:
                target = room_of(imported, table)
                allowed = target is not None and (
                    target[0] == name or any(within(imported, entry) and within(entry, target[0]) for entry in row)
                )
            else:
                allowed = "*" in row or imported in row or imported in sys.stdlib_module_names
            if not allowed:
                details = graph.get_import_details(importer=importer, imported=imported)
                lines = ", ".join(str(line) for line in sorted({detail["line_number"] for detail in details}))
                yield f"{importer} may not import {imported} (line {lines})"


def room_of(module: str, table: Table) -> tuple[str, list[str]] | None:
    """The most specific room the module lies in and its row, placeholders filled in."""
    best: tuple[tuple[int, int], str, list[str]] | None = None
    for room, row in table.items():
        pattern = PLACE.sub(r"(?P<\1>[^.]+)", re.escape(room))
        if found := re.match(rf"{pattern}(?=\.|$)", module):
            rank = (room.count("."), -room.count("{"))
            if best is None or rank > best[0]:
                best = rank, found[0], [entry.format(**found.groupdict()) for entry in row]
    # A top-level room is its __init__ alone: what lies below needs a row of its own.
    if best is None or ("." not in best[1] and best[1] != module):
        return None
    return best[1], best[2]


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")
