"""Signing off: only what the run wrote, by somebody, with a reason where it does not tie; later runs tell of it."""

import json
import shutil
from pathlib import Path

import pytest

from hub.errors import Misconfigured
from hub.steps.closing import reconcile
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.steps.signing import sign
from hub.store import audit
from tests.hub.steps.conftest import plain_story, record, take_in

PERIOD = "2026-10"


@pytest.fixture
def statement(tmp_path: Path) -> Path:
    path = tmp_path / "statement.json"
    path.write_text(json.dumps({"orders": [plain_story().final]}))
    return path


def booked(hub: Hub) -> None:
    take_in(hub, record(plain_story().final, "one"))
    send_all(hub)


def test_a_signed_month_is_told_by_the_next_run(hub: Hub, statement: Path) -> None:
    booked(hub)
    first = reconcile(hub, PERIOD, [statement])

    signed = sign(hub, Path(first.run), "Ann")
    second = reconcile(hub, PERIOD, [statement])

    assert (signed.period, signed.run, signed.by) == (PERIOD, first.run, "Ann")
    assert second.since is not None
    assert (second.since.signed, second.since.changes) == (signed, ())
    assert [row.action for row in audit.listed(hub.store)] == ["reconcile.sign"]


def test_a_signed_run_that_is_gone_is_said_so_and_stops_nothing(hub: Hub, statement: Path) -> None:
    booked(hub)
    run = reconcile(hub, PERIOD, [statement]).run
    sign(hub, Path(run), "Ann")
    shutil.rmtree(hub.settings.home / "runs" / run)
    said: list[str] = []

    found = reconcile(hub, PERIOD, [statement], tell=said.append)

    assert found.since is None
    assert said == [f"{run}, which Ann signed, is gone: what changed since cannot be told"]


def test_a_run_tells_what_waits_for_a_person_with_the_money_and_the_remedy(hub: Hub, statement: Path) -> None:
    final = plain_story().final
    for line in final["line_items"]:
        line["sku"] = "LAMP-X"
    take_in(hub, record(final, "one"))

    found = reconcile(hub, PERIOD, [statement])

    assert found.waiting is not None
    [one] = [one for one in found.waiting if one.cause == "unmapped_item:LAMP-X"]
    assert (one.orders, one.remedy) == (1, "orderhub crosswalk set item LAMP-X ITEM")
    assert one.held_minor["USD"] > 0
    report = (hub.settings.home / "runs" / found.run / "report.html").read_text()
    assert "What waits for a person" in report
    assert "unmapped_item:LAMP-X" in report


def test_a_run_is_signed_once(hub: Hub, statement: Path) -> None:
    booked(hub)
    run = Path(reconcile(hub, PERIOD, [statement]).run)
    sign(hub, run, "Ann")

    with pytest.raises(Misconfigured, match="stands signed by Ann"):
        sign(hub, run, "Bob")


def test_a_run_that_was_touched_is_not_signed(hub: Hub, statement: Path) -> None:
    booked(hub)
    run = reconcile(hub, PERIOD, [statement]).run
    report = hub.settings.home / "runs" / run / "report.json"
    report.write_text(report.read_text().replace('"digest": "', '"digest": "0'))

    with pytest.raises(Misconfigured, match="not what the run wrote"):
        sign(hub, Path(run), "Ann")


def test_a_run_that_is_not_complete_needs_a_reason(hub: Hub) -> None:
    booked(hub)
    run = reconcile(hub, PERIOD, []).run

    with pytest.raises(Misconfigured, match="not complete; say with --note why"):
        sign(hub, Path(run), "Ann")
    assert sign(hub, Path(run), "Ann", "the channel was shut down").note == "the channel was shut down"


def test_a_folder_that_is_no_run_of_this_home_is_not_signed(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no run of this home"):
        sign(hub, tmp_path, "Ann")
