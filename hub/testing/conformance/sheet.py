"""The rule sheet of a plugin, quality.toml: what the suite shows is not claimed, and what it cannot show is said."""

import tomllib
from collections.abc import Iterable
from typing import Any, Protocol

from hub.testing.conformance.bench import Bench


class Group(Protocol):
    """A class of tests: the ability that it is about, and the rules that hold where it passes."""

    @property
    def ability(self) -> type: ...

    @property
    def rules(self) -> tuple[str, ...]: ...


def faults_of_sheet(bench: Bench, connector: object, groups: Iterable[Group]) -> list[str]:
    """What the sheet says otherwise than the suite finds; empty: nothing."""
    sheet: dict[str, Any] = tomllib.loads((bench.samples.parent / "quality.toml").read_text())
    faults = []
    for rule, said in sheet.items():
        exempt = isinstance(said, dict) and set(said) == {"exempt"} and said["exempt"]
        if said not in ("done", "todo") and not exempt:
            faults.append(f'{rule}: neither "done" nor "todo" nor exempt = "reason"')
    for group in groups:
        able = isinstance(connector, group.ability)
        shown = able and group.ability.__name__ not in bench.lacks
        for rule in group.rules:
            said = sheet.get(rule)
            if shown and said != "done":
                faults.append(f'{rule}: shown by the suite, so "done"')
            elif able and not shown and said != "todo":
                faults.append(f'{rule}: the simulator cannot show it, so "todo"')
            elif not able and not isinstance(said, dict):
                faults.append(f'{rule}: no {group.ability.__name__}, so exempt = "reason"')
    return faults
