"""docs/licences.md of the locked packages, by their own metadata: `python -m tests.licences` writes it anew."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "licences.md"
COPYLEFT: Final = re.compile(r"GPL|MPL|EUPL|EPL|CDDL|General Public|Mozilla")
NAMED_CHARS_MAX: Final = 60  # a longer licence field is the licence's own text: its first line names it

_ELSEWHERE: Final = "not installed where this was written"
_HEAD: Final = """# Licences of what is installed

Written by `.venv/bin/python -m tests.licences` from the metadata of the locked packages; a test holds it to them.
orderhub imports these packages as they are and ships none of them. "running" is what the project itself needs, "tests"
what only its development does. Copyleft is bold: who hands on an image or a bundle with such a package hands on its
licence and source with it; using it unchanged asks nothing of the hub's own code.
"""


def page() -> str:
    """The page as it should be.

    Raises:
        LookupError: a package that is installed names no licence.
    """
    running = _running()
    rows = [(name, version, _licence(name, marker)) for name, version, marker in locked()]
    copyleft = [f"{name} ({licence})" for name, _, licence in rows if COPYLEFT.search(licence) and name in running]
    lines = [
        _HEAD,
        f"Copyleft among what runs: {', '.join(copyleft) or 'none'}.",
        "",
        "| package | version | licence | for |",
        "|---|---|---|---|",
    ]
    for name, version, licence in rows:
        told = f"**{licence}**" if COPYLEFT.search(licence) else licence
        lines.append(f"| {name} | {version} | {told} | {_for(name, licence, running)} |")
    return "\n".join(lines) + "\n"


def locked() -> Iterator[tuple[str, str, str]]:
    """Name, version and the condition under which it is installed; "" where it always is."""
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if found := re.match(r"([A-Za-z0-9_.-]+)==(\S+)(?: ; (.*?))? \\", line):
            yield canonicalize_name(found[1]), found[2], found[3] or ""


def _for(name: str, licence: str, running: set[str]) -> str:
    if licence.startswith(_ELSEWHERE):
        return "elsewhere"
    return "running" if name in running else "tests"


def _licence(name: str, marker: str) -> str:
    try:
        metadata = distribution(name).metadata
    except PackageNotFoundError:
        if not marker:
            raise
        return f"{_ELSEWHERE}: only where `{marker}`"
    if expression := metadata["License-Expression"]:
        return expression
    classified = [one.split(" :: ")[-1] for one in metadata.get_all("Classifier") or [] if one.startswith("License ::")]
    named = (metadata["License"] or "").strip().splitlines()[:1]
    if named and len(named[0]) <= NAMED_CHARS_MAX:
        return named[0]
    if specific := [one for one in classified if one != "OSI Approved"]:
        return ", ".join(specific)
    raise LookupError(f"{name} names no licence: read its files")


def _running() -> set[str]:
    """What the project's own dependencies bring, without those of its tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = [one for many in project.get("optional-dependencies", {}).values() for one in many]
    waiting = [Requirement(one) for one in (*project["dependencies"], *optional)]
    found: set[tuple[str, str]] = set()
    while waiting:
        one = waiting.pop()
        for extra in ("", *one.extras):
            at = (canonicalize_name(one.name), extra)
            if at in found:
                continue
            found.add(at)
            try:
                needs = [Requirement(need) for need in distribution(one.name).requires or ()]
            except PackageNotFoundError:
                continue  # of another platform
            waiting += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})]
    return {name for name, _ in found}


if __name__ == "__main__":
    PAGE.write_text(page())
