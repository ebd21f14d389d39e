"""What a clean clone needs to come to life elsewhere as it does here."""

import re
import subprocess
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).parents[1]

LEAKS = {
    "an address of a package index": re.compile(r"index[-_]url|find[-_]links|://[^\s/]*pypi|://\S*/simple\b"),
    "a path of one machine": re.compile(r"(?<![\w.])/(?:work|farm|opt|root)/|(?<![\w.])/home/\w"),
}
# Where the patterns above stand themselves, and where a wire format may have such words.
NOT_READ = {"tests/test_setup.py"}


def files_of_the_project() -> list[Path]:
    """What git tracks or would track."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and name not in NOT_READ and (ROOT / name).is_file()]


@pytest.mark.parametrize("leak", LEAKS)
def test_no_file_of_the_project_holds(leak: str) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is no list of the project's files")

    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for file in files_of_the_project()
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), start=1)
        if LEAKS[leak].search(line)
    ]

    assert found == []


@pytest.mark.parametrize(
    ("leak", "line"),
    [
        ("an address of a package index", "--extra-index-" + "url https://example.com/simple"),
        ("an address of a package index", "--find-" + "links file:///wheels"),
        ("a path of one machine", "# via /" + "work/main/pyproject.toml"),
        ("a path of one machine", "file:///" + "opt/wheels"),
        ("a path of one machine", "executable = /" + "root/bin/python"),
    ],
)
def test_a_leak_would_be_seen(leak: str, line: str) -> None:
    assert LEAKS[leak].search(line)


def locked() -> dict[str, str]:
    """Each requirement of the lock and the block that belongs to it."""
    blocks = re.split(r"^(?=[a-z0-9])", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE)[1:]
    return {re.split(r"[=\[ ]", block, maxsplit=1)[0]: block for block in blocks}


def test_every_locked_requirement_is_one_version_with_hashes() -> None:
    loose = [
        name
        for name, block in locked().items()
        if not re.match(r"\S+==\S+( ; .+)? \\\n( +--hash=sha256:[0-9a-f]{64}( \\)?\n)+", block)
    ]

    assert loose == []


def test_the_lock_names_every_dependency_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    of_tests = [one for one in groups["dev"] if isinstance(one, str)]
    asked = [*project["project"]["dependencies"], *groups["build"], *of_tests]

    names = {re.split(r"[\[<>=]", requirement, maxsplit=1)[0].lower() for requirement in asked}

    assert names - set(locked()) == set()


def test_the_command_and_the_plugins_are_installed() -> None:
    installed = {
        (group, point.name, point.value)
        for group in ("console_scripts", "orderhub.connectors", "orderhub.erp_adapters", "orderhub.simulators")
        for point in entry_points(group=group)
    }

    assert installed >= {
        ("console_scripts", "orderhub", "hub.cli:main"),
        ("orderhub.connectors", "shopify", "connectors.shopify:PLUGIN"),
        ("orderhub.erp_adapters", "ledger", "erp_adapters.ledger:PLUGIN"),
        ("orderhub.simulators", "shopify", "connectors.shopify.simulator"),
        ("orderhub.simulators", "ledger", "erp_adapters.ledger.simulator"),
    }


@pytest.mark.postgres
@pytest.mark.slow
def test_a_real_postgresql_answers(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT current_setting('server_encoding'), current_database()").fetchone()

    assert row is not None
    assert row[0] == "UTF8"
    assert row[1].startswith("test_")
