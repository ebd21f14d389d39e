"""The rule sheet of a plugin, quality.toml: what the suite shows is not claimed, and what it cannot show is said."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol


class Group(Protocol):
    """A class of tests: all abilities without which it is skipped, and the rules that hold where it passes."""

    @property
    def abilities(self) -> tuple[type, ...]: ...

    @property
    def rules(self) -> tuple[str, ...]: ...


def faults_of_sheet(home: Path, lacks: Mapping[str, str], plugin: object, groups: Iterable[Group]) -> list[str]:
    """What the sheet in a plugin's folder says otherwise than the suite finds; empty: nothing.

    Args:
        lacks: by the name of an ability, why the simulator does not serve it.
    """
    sheet: dict[str, Any] = tomllib.loads((home / "quality.toml").read_text())
    faults = []
    for rule, said in sheet.items():
        exempt = isinstance(said, dict) and set(said) == {"exempt"} and said["exempt"]
        if said not in ("done", "todo") and not exempt:
            faults.append(f'{rule}: neither "done" nor "todo" nor exempt = "reason"')
    for group in groups:
        missing = [ability.__name__ for ability in group.abilities if not isinstance(plugin, ability)]
        shown = not missing and not any(ability.__name__ in lacks for ability in group.abilities)
        for rule in group.rules:
            said = sheet.get(rule)
            if shown and said != "done":
                faults.append(f'{rule}: shown by the suite, so "done"')
            elif not missing and not shown and said != "todo":
                faults.append(f'{rule}: the simulator cannot show it, so "todo"')
            elif missing and not isinstance(said, dict):
                faults.append(f'{rule}: no {", ".join(missing)}, so exempt = "reason"')
    return faults
