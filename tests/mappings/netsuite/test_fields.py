"""Reading what NetSuite says: any case, any release's shape, and a fault with its path for anything else."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from hub.errors import Untranslatable
from mappings.netsuite.fields import Fields, Ref


@pytest.mark.parametrize("name", ["billingaddress", "billingAddress", "BILLINGADDRESS"])
def test_a_name_is_read_in_any_case(name: str) -> None:
    said = Fields({name: "x"})

    assert said.text("billingAddress") == "x"
    assert "billingAddress" in said
    assert said.names() == {name}


@pytest.mark.parametrize("said", [{}, {"a": None}, {"a": ""}])
def test_what_is_empty_is_absent(said: dict[str, object]) -> None:
    row = Fields(said)

    assert "a" not in row
    assert [row.text("a"), row.amount("a"), row.flag("a"), row.ref("a"), row.day("a"), row.part("a")] == [None] * 6
    assert row.rows("a") == []


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("43.10", Decimal("43.10")),
        ("-.5", Decimal("-0.5")),
        ("1.5E+3", Decimal("1500")),
        (7, Decimal(7)),
        (Decimal("39.95"), Decimal("39.95")),
    ],
)
def test_a_number_may_be_text(value: object, number: Decimal) -> None:
    assert Fields({"a": value}).amount("a") == number


@pytest.mark.parametrize(("value", "flag"), [(True, True), ("T", True), ("true", True), (False, False), ("F", False)])
def test_a_flag_has_three_spellings(value: object, flag: bool) -> None:
    assert Fields({"a": value}).flag("a") is flag


@pytest.mark.parametrize(
    ("value", "ref"),
    [
        ("A", Ref("A")),
        ({"id": "A", "refName": "Pending Approval"}, Ref("A", "Pending Approval")),
        ({"id": 68, "links": []}, Ref("68")),
        (68, Ref("68")),
    ],
)
def test_an_enum_is_a_word_or_an_object(value: object, ref: Ref) -> None:
    assert Fields({"status": value}).ref("status") == ref
    assert Fields({"status": value}).code("status") == ref.id


def test_days_and_moments_are_read_as_they_are() -> None:
    said = Fields({"day": "2026-03-02", "at": "2026-03-02T10:08:00Z", "bare": "2026-03-02T10:08:00"})

    assert said.day("day") == date(2026, 3, 2)
    assert said.moment("at") == said.moment("bare") == datetime(2026, 3, 2, 10, 8, tzinfo=UTC)


def test_the_rows_of_a_sublist_know_where_they_stand() -> None:
    said = Fields({"item": {"items": [{"line": 1}, {"line": 4, "rate": "x"}], "totalResults": 2}})

    first, second = said.rows("Item")

    assert first.whole("line") == 1
    with pytest.raises(Untranslatable, match=r"\$\.Item\.items\[1\]\.rate: not a number: 'x'"):
        second.amount("rate")


@pytest.mark.parametrize(
    ("value", "read", "message"),
    [
        ("many", Fields.amount, "not a number: 'many'"),
        ("NaN", Fields.amount, "not a number: 'NaN'"),
        ("1,000.00", Fields.amount, "not a number"),
        (True, Fields.amount, "not a number"),
        ([], Fields.amount, "not a number"),
        ("1.5", Fields.whole, "not a whole number: 1.5"),
        ("yes", Fields.flag, "neither true nor false"),
        (1, Fields.flag, "neither true nor false"),
        ([], Fields.text, "not a text"),
        ({}, Fields.text, "missing"),
        (True, Fields.ref, "not a reference"),
        ({"refName": "x"}, Fields.ref, "missing"),
        ("3/2/2026", Fields.day, "not a date"),
        ("2026-03-02T23:30:00Z", Fields.day, "not a date"),
        ("noon", Fields.moment, "not a moment"),
        ("x", Fields.part, "not a subrecord"),
        ({"links": []}, Fields.part, "without expandSubResources"),
        ({"links": []}, Fields.rows, "without expandSubResources"),
        ({"items": [{}], "totalResults": 2}, Fields.rows, "1 of 2 rows: not whole"),
        ({"items": "x"}, Fields.rows, "not a list of rows"),
        ([1], Fields.rows, "not a list of rows"),
    ],
)
def test_another_shape_is_a_fault_with_its_path(
    value: object, read: Callable[[Fields, str], object], message: str
) -> None:
    with pytest.raises(Untranslatable) as raised:
        read(Fields({"a": value}, "salesOrder(7)"), "a")

    assert str(raised.value).startswith("salesOrder(7).a")
    assert message in str(raised.value)


def test_what_must_be_there_is_missed_by_name() -> None:
    with pytest.raises(Untranslatable, match=r"^\$\.externalId: missing$"):
        Fields({}).needed("externalId")


def test_a_repr_holds_names_alone() -> None:
    assert repr(Fields({"email": "jane@example.com"})) == "Fields($: email)"
