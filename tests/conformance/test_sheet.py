"""A rule sheet that claims what the suite would only skip is found out."""

from pathlib import Path

import pytest

from hub.ports import ProbesDocuments, PutsDocuments
from hub.testing.conformance.sheet import faults_of_sheet


class Group:
    abilities = (PutsDocuments, ProbesDocuments)
    rules = ("told_once",)


class Puts:
    def put(self, writes: object) -> None: ...


class PutsAndProbes(Puts):
    settle_s = 0

    def probe(self, writes: object) -> None: ...


@pytest.mark.parametrize(
    ("plugin", "lacks", "said", "fault"),
    [
        (PutsAndProbes(), {}, '"done"', []),
        (PutsAndProbes(), {}, '"todo"', ['told_once: shown by the suite, so "done"']),
        (PutsAndProbes(), {"ProbesDocuments": "why"}, '"done"', ['told_once: the simulator cannot show it, so "todo"']),
        (Puts(), {}, '"done"', ['told_once: no ProbesDocuments, so exempt = "reason"']),
        (Puts(), {}, '{ exempt = "why" }', []),
        (object(), {}, '"done"', ['told_once: no PutsDocuments, ProbesDocuments, so exempt = "reason"']),
    ],
)
def test_a_sheet_says_what_the_suite_shows(
    tmp_path: Path, plugin: object, lacks: dict[str, str], said: str, fault: list[str]
) -> None:
    """All that a group needs counts: a plugin that has lost the least of it would skip the whole group."""
    (tmp_path / "quality.toml").write_text(f"told_once = {said}")

    assert faults_of_sheet(tmp_path, lacks, plugin, [Group]) == fault
