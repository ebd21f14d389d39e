"""A run is a folder: what is in it, that it says the same again, and that it notices when it was touched."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from hub.cli import app
from hub.errors import Misconfigured
from hub.model.causes import OF_ACCOUNTS, CauseCode
from hub.model.reconciliation import Kind, Pair, TimelineItem
from hub.rehearsal.bench_reconcile import ACCIDENTS, EXPECTED, bench
from hub.steps.reconcile import as_json, rerun
from hub.steps.report import words
from tests.hub.flow.sides import Sides


@pytest.fixture
def sides() -> Sides:
    sides = Sides()
    for number in ("1001", "1002", "1003"):
        sides.order(number)
    sides.payment("p1", "1001")
    return sides


def test_a_run_leaves_its_inputs_its_manifest_and_its_reports(sides: Sides, tmp_path: Path) -> None:
    sides.reconcile(tmp_path)

    assert sorted(path.name for path in (tmp_path / "2026-05").iterdir()) == [
        "channel.parquet",
        "erp.parquet",
        "hub.parquet",
        "manifest.json",
        "report.html",
        "report.json",
        "report.xlsx",
        "timelines.json",
    ]


def test_the_json_is_the_one_promised(sides: Sides, tmp_path: Path) -> None:
    sides.at_erp("1002", {"goods_minor": 9000}, by_hand=True, version=2)

    told = as_json(sides.reconcile(tmp_path))

    assert told["period"] == "2026-05"
    assert told["run"] == "2026-05"
    assert told["sides"]["erp"] == [{"entity": "us", "currency": "USD", "orders": 3, "total_minor": 31475}]
    assert told["matched"] == 2
    assert told["variances"] == [
        {
            "pair": "hub-erp",
            "entity": "us",
            "channel": "shopify",
            "order": "1002",
            "subject": "order",
            "subject_id": "1002",
            "document": "so-shopify-1002",
            "reference": "#1002",
            "kind": "amount",
            "currency": "USD",
            "delta_minor": -1000,
            "components": {"goods": -1000},
            "causes": [
                {
                    "code": "hand_edit",
                    "amount_minor": -1000,
                    "evidence": {
                        "ref": "L1002",
                        "readback_minor": 10825,
                        "erp_minor": 9825,
                        "readback_version": 1,
                        "version": 2,
                        "by_hand": True,
                    },
                }
            ],
            "residual_minor": 0,
        }
    ]
    assert told["unexplained_minor"] == {"USD": 0}
    assert told["complete"] is True
    assert told["payments"]["sides"]["hub"] == [
        {"entity": "us", "currency": "USD", "payments": 1, "total_minor": 10825}
    ]
    assert json.loads((tmp_path / "2026-05" / "report.json").read_text()) == told


def test_a_rerun_from_the_files_is_the_same_reconciliation(sides: Sides, tmp_path: Path) -> None:
    del sides.erp["1002"]
    first = sides.reconcile(tmp_path)

    assert rerun(tmp_path / "2026-05") == first


def test_the_order_of_the_rows_plays_no_part_in_the_digest(sides: Sides, tmp_path: Path) -> None:
    del sides.erp["1002"]
    backwards = Sides(
        dict(reversed(sides.channel.items())), dict(reversed(sides.hub.items())), dict(reversed(sides.erp.items()))
    )

    assert sides.reconcile(tmp_path / "a").digest == backwards.reconcile(tmp_path / "b").digest


def test_one_unit_more_is_another_digest(sides: Sides, tmp_path: Path) -> None:
    before = sides.reconcile(tmp_path / "a").digest
    for change in (sides.at_channel, sides.at_hub, sides.at_erp):
        change("1002", {"goods_minor": 10001})
    sides.at_hub("1002", readback_minor=10826)

    assert sides.reconcile(tmp_path / "b").digest != before


def test_a_file_that_was_touched_is_named_and_counted_as_it_is(sides: Sides, tmp_path: Path) -> None:
    before = sides.reconcile(tmp_path)
    path = tmp_path / "2026-05" / "erp.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE erp AS FROM '{path}'")
        connection.execute("UPDATE erp SET goods_minor = goods_minor + 1 WHERE key = 'so-shopify-1002'")
        connection.execute(f"COPY erp TO '{path}'")

    after = rerun(tmp_path / "2026-05")

    assert after.altered == ("erp.parquet",)
    assert after.complete is False
    assert after.digest != before.digest
    assert after.sales.unexplained_minor == {"USD": 1}


def test_a_file_that_was_only_written_anew_is_the_same(sides: Sides, tmp_path: Path) -> None:
    before = sides.reconcile(tmp_path)
    path = tmp_path / "2026-05" / "erp.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE erp AS FROM '{path}' ORDER BY key DESC")
        connection.execute(f"COPY erp TO '{path}' (COMPRESSION zstd)")

    assert rerun(tmp_path / "2026-05") == before


def test_of_two_versions_of_an_order_the_newest_counts(sides: Sides, tmp_path: Path) -> None:
    stale = sides.channel["1002"]
    sides.channel["stale"] = replace(
        stale, row=replace(stale.row, goods_minor=1), modified_at="2026-05-20T11:59:59+02:00"
    )

    found = sides.reconcile(tmp_path).sales

    assert found.variances == ()
    assert found.channel[0].orders == 3


def test_what_a_side_could_not_say_whole_is_not_complete(sides: Sides, tmp_path: Path) -> None:
    assert sides.reconcile(tmp_path, complete=False).complete is False


def test_without_the_channels_statement_it_is_not_complete(sides: Sides, tmp_path: Path) -> None:
    found = sides.reconcile(tmp_path, channel_given=False)

    assert found.complete is False
    assert "No statement of the channel was given" in (tmp_path / "2026-05" / "report.html").read_text()


def test_nothing_on_any_side_is_a_reconciliation_too(tmp_path: Path) -> None:
    found = Sides().reconcile(tmp_path)

    assert found.sales.hub == ()
    assert found.sales.unexplained_minor == {}
    assert "Everything ties" in (tmp_path / "2026-05" / "report.html").read_text()


@pytest.mark.parametrize("period", ["2026-13", "may", "2026-05-01", "'; DROP"])
def test_a_period_that_is_none_is_refused(sides: Sides, tmp_path: Path, period: str) -> None:
    with pytest.raises(Misconfigured, match="is not a month; write it like 2026-10"):
        sides.reconcile(tmp_path / "run", period)


def test_a_folder_that_holds_a_run_is_not_written_over(sides: Sides, tmp_path: Path) -> None:
    sides.reconcile(tmp_path)

    with pytest.raises(Misconfigured, match="holds a run already"):
        sides.reconcile(tmp_path)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="is not the folder of a run"):
        rerun(tmp_path)


def test_a_run_whose_file_is_gone_is_refused(sides: Sides, tmp_path: Path) -> None:
    sides.reconcile(tmp_path)
    (tmp_path / "2026-05" / "hub.parquet").unlink()

    with pytest.raises(Misconfigured, match=r"hub\.parquet cannot be read"):
        rerun(tmp_path / "2026-05")


HOSTILE = "<script>alert('x')</script>\"'\x00\n';DROP TABLE erp;--\ud800{{7*7}}"


def test_hostile_words_are_kept_as_words(sides: Sides, tmp_path: Path) -> None:
    row = sides.hub["1002"].row
    sides.typed_in(HOSTILE, replace(row, channel="", order=HOSTILE, subject_id=HOSTILE), reference=HOSTILE)

    [variance] = sides.reconcile(tmp_path, timelines=lambda _: []).sales.variances

    assert variance.kind is Kind.UNKNOWN_TO_CHANNEL
    page = (tmp_path / "2026-05" / "report.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "{{7*7}}" in page


# --- the report -----------------------------------------------------------------------------------------------------


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]


def test_the_report_needs_nothing_but_itself(sides: Sides, tmp_path: Path) -> None:
    sides.not_posted("1002", "held", "unmapped_item")
    sides.reconcile(tmp_path)
    page = (tmp_path / "2026-05" / "report.html").read_text()

    tags = _Tags()
    tags.feed(page)

    assert not {"script", "link", "img", "iframe"} & set(tags.tags)
    assert tags.addresses == []
    assert "url(" not in page
    assert "@import" not in page


def test_the_report_names_each_order_with_its_cause_and_timeline(sides: Sides, tmp_path: Path) -> None:
    sides.not_posted("1002", "held", "unmapped_item")
    at = datetime(2026, 5, 20, 10, tzinfo=UTC)

    sides.reconcile(tmp_path, timelines=lambda order: [TimelineItem(at, "Order held", f"{order}: unmapped item MUG")])

    page = (tmp_path / "2026-05" / "report.html").read_text()
    assert "It does not tie yet, and every cent is explained." in page
    assert "Waiting in held orders: 108.25 USD." in page
    assert "Order held" in page
    assert "shopify/1002: unmapped item MUG" in page


def test_what_waits_in_held_orders_is_their_sales_and_not_their_payments_again(sides: Sides, tmp_path: Path) -> None:
    sides.not_posted("1001", "held", "unmapped_item")
    sides.not_posted("p1", "held", "unmapped_item")

    sides.reconcile(tmp_path)

    page = (tmp_path / "2026-05" / "report.html").read_text()
    assert "Waiting in held orders: 108.25 USD." in page


def test_what_is_unexplained_comes_first(sides: Sides, tmp_path: Path) -> None:
    sides.not_posted("1002", "held", "unmapped_item")
    sides.at_erp("1003", {"goods_minor": 9999})

    sides.reconcile(tmp_path)

    page = (tmp_path / "2026-05" / "report.html").read_text()
    assert "It does not tie: unexplained 0.01 USD of sales." in page
    assert page.index('class="order">#1003') < page.index('class="order">1002')


def test_no_advice_names_a_command_that_does_not_exist() -> None:
    commands = {command.name for command in app.registered_commands}
    named = [name for advice in words.TO_DO.values() for name in re.findall(r"orderhub ([a-z]+)", advice)]

    assert named
    assert set(named) <= commands


def test_every_code_has_words() -> None:
    assert set(words.CAUSE) == set(words.MEANING) == set(words.TO_DO) == set(CauseCode)
    assert set(words.KIND) == set(Kind)
    assert set(words.PAIR) == set(Pair)


# --- the benchmark --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_benchmark_finds_what_it_put_in() -> None:
    told = bench(orders=3000, seed=7)

    assert told["variances"] == 72
    assert told["unexplained_minor"]["USD"] > 0


def test_the_benchmark_puts_in_every_kind_and_cause() -> None:
    kinds = {kind for name in ACCIDENTS for kind, _ in EXPECTED[name]}
    causes = {cause for name in ACCIDENTS for _, cause in EXPECTED[name]}

    assert kinds == {kind.value for kind in Kind}
    assert causes == {code.value for code in CauseCode if code not in OF_ACCOUNTS} | {None}
