"""The bank against the payouts: lines once, exactly matched, the rest listed and a task."""

from pathlib import Path

import pytest

from hub.errors import Misconfigured
from hub.model.bank import Match
from hub.steps.bank import import_statement, matching, say_match
from hub.steps.hub import Hub
from hub.store.views import exceptions as views
from tests.hub.steps.settled import line, payout, take_in
from tests.hub.steps.test_bank_files import entry, statement


def two_payouts(hub: Hub) -> None:
    """Two payouts of the same amount, a day apart."""
    take_in(hub, line(1, "CHARGE", "58.05"), payout("58.05"))
    take_in(hub, line(2, "CHARGE", "58.05", payout=4), payout("58.05", number=4, on="2026-10-22"))


def test_a_statement_read_twice_is_kept_once_and_its_line_is_the_payout(hub: Hub, tmp_path: Path) -> None:
    take_in(hub, line(1, "CHARGE", "58.05"), payout("58.05"))
    file = tmp_path / "camt.xml"
    file.write_bytes(statement(entry(), entry("900.00", "DBIT", "R2")))

    first = import_statement(hub, file, None, None, None)
    again = import_statement(hub, file, "camt053", None, None)

    assert (first.read, first.new, first.matched, first.unmatched) == (2, 2, 1, 1)
    assert (again.read, again.new, again.matched, again.unmatched) == (2, 0, 1, 1)
    assert matching(hub).unseen == ()


def test_what_may_be_two_payouts_is_a_task_until_a_person_says_which(hub: Hub, tmp_path: Path) -> None:
    two_payouts(hub)
    file = tmp_path / "camt.xml"
    file.write_bytes(statement(entry()))

    import_statement(hub, file, None, None, None)

    (matched,) = matching(hub).lines
    assert (matched.match, [one.payout for one in matched.payouts]) == (Match.AMBIGUOUS, ["3", "4"])
    assert [(one.order, one.amount_minor) for one in views.opened(hub.store)] == [
        ("payout-3", 5805),
        ("payout-4", 5805),
    ]

    say_match(hub, matched.line.key[:8], "shopify/4", "ann")

    assert [(one.match, one.payouts[0].payout) for one in matching(hub).lines] == [(Match.PAYOUT, "4")]
    assert [one.payout for one in matching(hub).unseen] == ["3"]
    assert views.opened(hub.store) == []


def test_a_match_of_another_amount_is_refused(hub: Hub, tmp_path: Path) -> None:
    two_payouts(hub)
    file = tmp_path / "camt.xml"
    file.write_bytes(statement(entry("60.00")))
    import_statement(hub, file, None, None, None)

    with pytest.raises(Misconfigured, match="another amount"):
        say_match(hub, matching(hub).lines[0].line.key, "shopify/4", "ann")


def test_a_csv_without_configured_columns_says_what_is_missing(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "bank.csv"
    file.write_text("Date,Amount\n")

    with pytest.raises(Misconfigured, match="write one under `bank`"):
        import_statement(hub, file, None, None, None)
