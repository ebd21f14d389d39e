"""Each command of the command line is an operation of the API, or has a reason why it is none."""

from collections.abc import Iterator

import httpx
from typer.main import get_command

from hub.api.commands import LOCAL, OPERATIONS
from hub.api.permissions import MATRIX
from hub.cli import app
from tests.conftest import ROOT

PAGES = {("GET", "/"), ("GET", "/runs/{run}")}
FOR_MACHINES = {
    ("POST", "/webhooks/{channel}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/api/openapi.json"),
}


def commands() -> list[str]:
    return sorted(_leaves(get_command(app), ""))


def _leaves(one: object, name: str) -> Iterator[str]:
    subcommands = getattr(one, "commands", None)
    if subcommands is None:
        yield name
        return
    for word, below in subcommands.items():
        if not below.hidden:  # of a process for itself
            yield from _leaves(below, f"{name} {word}".strip())


def test_every_command_is_an_operation_or_has_a_reason_why_not() -> None:
    assert sorted([*OPERATIONS, *LOCAL]) == commands()


def test_every_operation_is_some_commands_a_page_or_for_machines() -> None:
    of_commands = {operation for some in OPERATIONS.values() for operation in some}

    assert of_commands | PAGES | FOR_MACHINES == set(MATRIX)


def test_the_description_names_the_command(stranger: httpx.Client) -> None:
    paths = stranger.get("/api/openapi.json").json()["paths"]

    assert paths["/api/payouts/clearing"]["get"]["x-command"] == "orderhub payouts clearing"
    assert paths["/api/channels/{channel}/dry-run"]["post"]["x-command"] == "orderhub sync"


def test_the_document_has_the_table() -> None:
    told = (ROOT / "docs/api.md").read_text()

    for command, operations in OPERATIONS.items():
        spoken = ", ".join(f"`{method} {path.replace(':path', '')}`" for method, path in operations)
        assert f"| `{command}` | {spoken} |" in told
    for command, reason in LOCAL.items():
        assert f"| `{command}` | {reason} |" in told
