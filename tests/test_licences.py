"""The page of licences is that of the locked packages, and what runs has no copyleft that nobody decided on."""

import re

from tests.licences import PAGE, locked, page

DECIDED = {"certifi", "dramatiq", "psycopg", "psycopg-binary"}
"""Copyleft that asks nothing of who imports it unchanged: LGPL and MPL."""


def test_the_page_is_that_of_the_lock() -> None:
    """Packages of one platform alone are not compared: elsewhere their licence cannot be read."""
    conditional = {name for name, _, condition in locked() if condition}

    def rows(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.startswith("| ") and line.split()[1] not in conditional]

    assert rows(PAGE.read_text()) == rows(page()), "the lock has changed: .venv/bin/python -m tests.licences"


def test_every_locked_package_is_on_the_page() -> None:
    listed = re.findall(r"^\| (\S+) \| (\d\S*) \|", PAGE.read_text(), re.MULTILINE)

    assert listed == [(name, version) for name, version, _ in locked()]
    assert len(listed) > 80


def test_what_runs_has_no_copyleft_that_nobody_decided_on() -> None:
    bold = re.findall(r"^\| (\S+) \| \S+ \| \*\*.+\*\* \| running \|$", PAGE.read_text(), re.MULTILINE)

    assert set(bold) == DECIDED
