"""The README and the guides promise only what is there: every command, option, file and picture that they name."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.main import get_command

from hub.cli import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
PLUGIN_PAGES = sorted(page for folder in ("connectors", "erp_adapters") for page in (ROOT / folder).rglob("README.md"))

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
INLINE = re.compile(r"`(orderhub [^`]+)`")
FENCE = re.compile(r"^```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def commands(text: str) -> Iterator[str]:
    """What the page asks a person to type: lines of fenced blocks, and words in code marks."""
    for block in FENCE.findall(text):
        for line in block.splitlines():
            typed = line.strip().removeprefix("$ ").partition("  #")[0].strip()
            if re.match(r"(\.venv/bin/)?orderhub( |$)|make ", typed):
                yield typed.removeprefix(".venv/bin/")
    for typed in INLINE.findall(text):
        yield " ".join(typed.split())


def fault(typed: str) -> str | None:
    """Why the command line would be refused as such; None: each of its words is known."""
    words = shlex.split(re.split(r" [|>] ", typed)[0])
    if words[0] == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        missing = [word for word in words[1:] if "=" not in word and word not in targets]
        return f"no target {missing}" if missing else None
    command = get_command(app)
    rest = words[1:]
    while rest and hasattr(command, "commands"):
        if rest[0].startswith("-"):
            rest = rest[2:]
        elif rest[0] not in command.commands:
            return f"no command {rest[0]!r}"
        else:
            command = command.commands[rest[0]]
            rest = rest[1:]
    options = {option for parameter in command.params for option in parameter.opts}
    unknown = [word for word in rest if re.match(r"--[a-z]", word) and word.partition("=")[0] not in options]
    return f"no option {unknown}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_on_the_page_exists(page: Path) -> None:
    faults = {typed: found for typed in commands(page.read_text()) if (found := fault(typed))}

    assert faults == {}


def test_the_readme_shows_the_two_commands_and_a_tour() -> None:
    shown = set(commands((ROOT / "README.md").read_text()))

    assert {"make demo", "make test"} <= shown
    assert {line.split()[1] for line in shown if line.startswith("orderhub ")} >= {
        "import", "orders", "exceptions", "crosswalk", "reconcile", "ledger", "check", "status", "bench",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("orderhub ledger trial-balance --format json", None),
        ("orderhub --home h status", None),
        ("orderhub ledger export --format beancount > books.beancount", None),
        ("orderhub teleport", "no command 'teleport'"),
        ("orderhub ledger balance", "no command 'balance'"),
        ("orderhub import shopify a.json --dry-run", "no option ['--dry-run']"),
        ("make coffee", "no target ['coffee']"),
    ],
)
def test_a_command_that_is_not_there_is_named(typed: str, found: str | None) -> None:
    assert fault(typed) == found


@pytest.mark.parametrize("page", [*PAGES, *PLUGIN_PAGES], ids=name)
def test_every_file_that_the_page_links_to_exists(page: Path) -> None:
    targets = [target.partition("#")[0] for target in LINK.findall(page.read_text()) if "://" not in target]

    assert [target for target in targets if target and not (page.parent / target).exists()] == []


def test_every_decision_is_linked_from_the_list() -> None:
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text()

    numbers = [page.name for page in (ROOT / "docs" / "decisions").glob("[0-9]*.md")]
    assert [page for page in numbers if f"({page})" not in listed] == []
    assert len({page[:4] for page in numbers}) == len(numbers)


def test_decisions_that_the_code_names_exist() -> None:
    named = {
        target
        for folder in ("hub", "mappings", "connectors", "erp_adapters", "tests")
        for source in (ROOT / folder).rglob("*.py")
        for target in re.findall(r"docs/decisions/[0-9a-z-]+\.md", source.read_text())
    }

    assert named
    assert sorted(target for target in named if not (ROOT / target).is_file()) == []


def test_the_picture_is_one_that_a_code_host_shows() -> None:
    """No script, no style from elsewhere, and a size of its own."""
    picture = ElementTree.parse(ROOT / "docs" / "flow.svg").getroot()

    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert picture.get("viewBox")
    tags = {element.tag.partition("}")[2] for element in picture.iter()}
    assert tags.isdisjoint({"script", "foreignObject", "image", "use"})
