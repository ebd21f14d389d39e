"""orderhub import: a row a record, nothing good lost beside what is bad, exit status 1 for bad input alone."""

import json
from pathlib import Path

from tests.hub.cli.shop import Orderhub, order

CONFIG = Path(__file__).parents[3] / "config"


def test_each_record_is_a_row_with_exactly_these_fields(orderhub: Orderhub) -> None:
    file = orderhub.file(order())

    answer = orderhub.json("import", "shopify", file)

    assert answer["files"] == [
        {
            "file": file,
            "outcome": "order",
            "order": "1001",
            "currency": "USD",
            "claimed_minor": 24900,
            "computed_minor": 24900,
            "problems": [],
        }
    ]


def test_what_follows_is_posted(orderhub: Orderhub) -> None:
    ran = orderhub("import", "shopify", orderhub.file(order()), "--format", "json")

    documents = {row["document"]: row["state"] for row in orderhub.json("orders", "show", "1001")["documents"]}

    assert documents["so-shopify-1001"] == "done"
    assert ran.json["sent"]["done"] == 4  # customer, item, sales order, deposit
    assert "documents posted: 4, rejected: 0; orders held: 0" in ran.err


def test_nothing_is_posted_where_that_is_asked(orderhub: Orderhub) -> None:
    answer = orderhub.json("import", "shopify", orderhub.file(order()), "--no-send")

    assert answer["sent"] is None
    assert orderhub.json("status")["steps"] == {"planned": 4}


def test_a_record_met_before_is_a_duplicate_with_its_order_and_totals(orderhub: Orderhub) -> None:
    file = orderhub.file(order())
    orderhub.json("import", "shopify", file)

    (row,) = orderhub.json("import", "shopify", file)["files"]

    assert (row["outcome"], row["order"], row["claimed_minor"]) == ("duplicate", "1001", 24900)


def test_the_second_of_two_equal_records_in_one_file_is_the_duplicate(orderhub: Orderhub) -> None:
    rows = orderhub.json("import", "shopify", orderhub.file([order(), order(), order(1002)]))["files"]

    assert [(row["outcome"], row["order"]) for row in rows] == [
        ("order", "1001"),
        ("duplicate", "1001"),
        ("order", "1002"),
    ]


def test_bad_input_loses_nothing_that_is_good_beside_it(orderhub: Orderhub) -> None:
    bad = orderhub.file(b'{"id": 1, ', "bad.json")
    good = orderhub.file(order(), "good.json")
    missing = str(orderhub.folder / "missing.json")

    ran = orderhub("import", "shopify", bad, missing, str(orderhub.folder), good, "--format", "json")

    assert ran.status == 1
    assert [(Path(row["file"]).name, row["outcome"]) for row in ran.json["files"]][:2] == [
        ("bad.json", "held"),
        ("missing.json", "held"),
    ]
    assert ran.json["files"][1]["problems"] == [{"path": "", "message": "cannot be read: No such file or directory"}]
    assert ran.json["files"][2]["problems"] == [{"path": "", "message": "cannot be read: Is a directory"}]
    assert ran.json["files"][3]["outcome"] == "order"
    assert orderhub.json("orders", "show", "1001")["row"]["claimed_minor"] == 24900


def test_a_record_that_does_not_translate_is_held_with_path_and_reason(orderhub: Orderhub) -> None:
    broken = order()
    broken["line_items"][0]["price"] = "N/A"

    ran = orderhub("import", "shopify", orderhub.file([broken, order(1002)]), "--format", "json")

    held, good = ran.json["files"]
    assert ran.status == 1
    assert (held["outcome"], held["order"], held["claimed_minor"], held["computed_minor"]) == (
        "held",
        "1001",
        24900,
        None,
    )
    assert held["problems"][0]["path"] == "line_items[0].price"
    assert good["outcome"] == "order"


def test_a_bad_record_is_bad_again_when_it_comes_again(orderhub: Orderhub) -> None:
    broken = order()
    broken["line_items"][0]["price"] = "N/A"
    file = orderhub.file(broken)
    orderhub("import", "shopify", file)

    again = orderhub("import", "shopify", file, "--format", "json")

    assert again.status == 1
    assert again.json["files"][0]["outcome"] == "duplicate"


def test_a_broken_identity_is_held_and_no_bad_input(orderhub: Orderhub) -> None:
    file = orderhub.file(order(total="250.00"))

    (row,) = orderhub.json("import", "shopify", file)["files"]

    assert (row["outcome"], row["claimed_minor"], row["computed_minor"]) == ("held", 25000, 24900)
    assert row["problems"][-1] == {
        "path": "$",
        "message": "the channel claims 250.00 USD, its parts make 249.00 USD",
    }


def test_a_dash_is_standard_input(orderhub: Orderhub) -> None:
    (row,) = orderhub.json("import", "shopify", "-", stdin=json.dumps(order()).encode())["files"]

    assert (row["file"], row["outcome"]) == ("-", "order")


def test_an_unknown_channel_is_one_line_that_names_those_there_are(orderhub: Orderhub) -> None:
    ran = orderhub("import", "amazon", orderhub.file(order()))

    assert ran.status == 1
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("orderhub: no 'amazon' among the channels of ")
    assert ran.err.endswith(": shopify\n")


def test_a_table_neither_obeys_markup_nor_lets_a_file_steer_the_terminal(orderhub: Orderhub) -> None:
    hostile = order()
    hostile["line_items"][0]["price"] = "[bold]N/A\x1b[2J"

    ran = orderhub("import", "shopify", orderhub.file(hostile))

    assert "\x1b" not in ran.out
    assert "[bold]N/A" in ran.out


def test_json_is_whole_where_the_work_breaks_off(orderhub: Orderhub, tmp_path: Path) -> None:
    config = tmp_path / "hub.yaml"
    shipped = (CONFIG / "hub.yaml").read_text().replace("chart.yaml", "empty.yaml")
    config.write_text(shipped)
    for name in ("policies.yaml", "rates.yaml", "crosswalks.yaml", "items.yaml"):
        (tmp_path / name).write_text((CONFIG / name).read_text())
    (tmp_path / "empty.yaml").write_text("{}\n")

    ran = orderhub("import", "shopify", orderhub.file(order()), "--format", "json", "--config", str(config))

    assert ran.status == 1
    assert ran.json == {"files": [], "sent": None}
    assert ran.err.startswith("orderhub: chart or policies: ")


def test_a_home_that_holds_a_demo_is_warned_of(orderhub: Orderhub) -> None:
    (orderhub.home / "demo.json").write_text("{}")

    ran = orderhub("import", "shopify", orderhub.file(order()))

    assert ran.status == 0
    assert ran.err.splitlines()[0] == (
        f"orderhub: {orderhub.home} holds a demo: the next demo deletes what is imported here; --home names another"
    )


def test_a_home_of_ones_own_is_not_warned_of(orderhub: Orderhub) -> None:
    assert "demo" not in orderhub("import", "shopify", orderhub.file(order())).err
