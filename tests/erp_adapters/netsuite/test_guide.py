"""The guide says what the adapter needs: its tables are the adapter's own lists."""

from pathlib import Path

from erp_adapters.netsuite.needs import FIELDS, GENERAL, PERMISSIONS, TRANSACTIONS

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "netsuite.md").read_text()


def rows_under(header: str) -> list[str]:
    """The rows of the table that begins so."""
    lines = GUIDE.splitlines()
    at = lines.index(header) + 2
    found = []
    while lines[at].startswith("|"):
        found.append(lines[at])
        at += 1
    return found


def test_the_roles_table_is_the_adapters_list_of_permissions() -> None:
    wanted = [f"| {one.name} | {one.tab} | {one.level} | {one.why} |" for one in GENERAL]
    for need in PERMISSIONS:
        name = need.name if need.sure else f"{need.name} [G]"
        why = f"only for {need.only_for}" if need.only_for else need.why
        wanted.append(f"| {name} | {need.tab} | {need.level} | {why} |")

    assert rows_under("| permission | tab | level | for |") == list(dict.fromkeys(wanted))


def test_the_table_of_custom_fields_is_the_adapters() -> None:
    wanted = []
    for field in FIELDS:
        records = "all transactions" if field.records == TRANSACTIONS else ", ".join(field.records)
        wanted.append(f"| `{field.name}` | {field.kind} | {records} | {field.why} |")

    assert rows_under("| field | kind | records | for |") == wanted
