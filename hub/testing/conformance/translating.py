"""Records become facts: every sample its own, nothing raises but what names the fault, and twice is the same."""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from hub.errors import Untranslatable
from hub.model.order import Snapshot
from hub.model.records import Received, Translation
from hub.ports import Fetches, ReadsFiles, Translates
from hub.testing.conformance.bench import Bench, FarSide, Fault
from hub.testing.conformance.canonical import canonical
from hub.testing.conformance.wiring import SLUG, Connect, armed, needed, record, walked, written

AT: Final = datetime(2026, 10, 1, tzinfo=UTC)
FAULTS_SHOWN: Final = 5
MESSAGE_CHARS_MAX: Final = 300


class Literal:
    """JSON text that stands in a document as it is."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text[:40]


ABSURD: Final[tuple[Any, ...]] = (
    None, "", "N/A", "NaN", "Infinity", "-1", "1e400", "9" * 40, -1, 0, 10**30, True, False, 1.5, [], {}, [None],
    ["N/A"], [[]], {"id": None}, "x" * 5_000, "é\u202e\U0001f9fe", "2026-13-45T99:99:99Z", "0001-01-01T00:00:00+23:59",
    Literal("1e-30"), Literal("1E+999999"), Literal("NaN"), Literal("-Infinity"), Literal('"\\ud800"'),
    Literal('"\\u0000"'), Literal("[" * 3000 + "]" * 3000),
)  # fmt: skip
NO_DOCUMENTS: Final = (
    b"", b" ", b"null", b"[]", b"{}", b"17", b'"x"', b"{", b"\xff\xfe", b"NaN", b'{"a":1}x', b"[" * 100_000,
    b'{"id":' * 5_000, b"<html></html>", b"\x00",
)  # fmt: skip
EACH: Final = 7  # of the absurd values a field is tried with every seventh, each field beginning at the next

Place = tuple[str | int, ...]


class TestTranslating:
    abilities = (Translates, ReadsFiles)
    rules = (
        "samples_give_their_result",
        "absurd_fields_are_named",
        "unknown_words_park",
    )

    @pytest.fixture
    def connector(self, connect: Connect) -> Any:
        connector = connect()
        needed(connector, *self.abilities)
        return connector

    def test_every_sample_gives_its_canonical_result(self, connector: Any, bench: Bench) -> None:
        names = sorted(path.name.removesuffix(".in.json") for path in bench.samples.glob("*.in.json"))

        wrong = []
        for name in names:
            expected = json.loads((bench.samples / f"{name}.out.json").read_text())
            found = canonical(connector.translate(record(cut(connector, (bench.samples / f"{name}.in.json")))))
            if json.loads(json.dumps(found).replace(SLUG, "shop")) != expected:
                wrong.append(name)

        assert len(names) >= 3, "a connector has samples"
        assert wrong == []

    def test_every_sample_order_adds_up(self, connector: Any, bench: Bench) -> None:
        snapshots = [
            fact.body
            for path in bench.samples.glob("*.in.json")
            for fact in connector.translate(record(cut(connector, path))).facts
            if isinstance(fact.body, Snapshot)
        ]

        assert snapshots
        assert [one.computed_total_minor for one in snapshots] == [one.claimed_total_minor for one in snapshots]

    def test_a_file_read_twice_gives_the_same_keys(self, connector: Any, bench: Bench) -> None:
        for path in bench.samples.glob("*.in.json"):
            first, again = (
                [item.key for item in connector.read_file(path.read_bytes(), at) if isinstance(item, Received)]
                for at in (AT, AT + timedelta(days=1))
            )

            assert first == again

    def test_each_field_dropped_is_tolerated_or_named(self, connector: Any, bench: Bench) -> None:
        sweep = Sweep(connector)

        for whole, document in documents(connector, bench):
            for place in places(document):
                sweep.try_one(whole, changed(document, place, None, drop=True), place)

        sweep.passes(at_least=100)

    def test_each_field_made_absurd_is_tolerated_or_named(self, connector: Any, bench: Bench) -> None:
        sweep = Sweep(connector)

        for whole, document in documents(connector, bench):
            for number, place in enumerate(places(document)):
                for value in ABSURD[number % EACH :: EACH]:
                    sweep.try_one(whole, changed(document, place, value), place, value)

        sweep.passes(at_least=500)

    @pytest.mark.parametrize(
        "body",
        NO_DOCUMENTS,
        ids=lambda body: repr(body[:12]),
    )
    def test_what_is_no_document_is_named(self, connector: Any, body: bytes) -> None:
        with pytest.raises(Untranslatable) as caught:
            connector.translate(written(body, AT))

        assert caught.value.problems

    def test_an_unknown_word_and_a_field_that_fails_park_the_record(
        self, bench: Bench, connector: Any, far: FarSide
    ) -> None:
        """The system moved on while nobody looked: what still translates does, the rest is named."""
        needed(connector, Fetches)
        armed(bench, far.fail(Fault.DRIFT), Fault.DRIFT)
        parked = []

        for received in walked(connector.fetch(connector.streams[0].name, None)):
            try:
                connector.translate(record(received))
            except Untranslatable as error:
                parked.append(error)

        assert parked, "the far side's new words were taken for known ones"
        assert all(problem.path for error in parked for problem in error.problems)
        assert all(error.order for error in parked), "a parked order is counted by its id"


def documents(connector: Any, bench: Bench) -> Iterator[tuple[Received, Any]]:
    """The records of the samples, and each as JSON, its fractions as they are written."""
    for path in sorted(bench.samples.glob("*.in.json")):
        whole = cut(connector, path)
        yield whole, json.loads(whole.body, parse_float=Literal)


def cut(connector: Any, path: Any) -> Received:
    """The one record of a sample."""
    [item] = connector.read_file(path.read_bytes(), AT)
    assert isinstance(item, Received)
    return item


def places(document: Any, path: Place = ()) -> Iterator[Place]:
    """Where each field and each item is."""
    inside: Any = ()
    if isinstance(document, dict):
        inside = document.items()
    elif isinstance(document, list):
        inside = enumerate(document)
    for key, value in inside:
        yield (*path, key)
        yield from places(value, (*path, key))


def changed(document: Any, place: Place, value: object, *, drop: bool = False) -> bytes:
    """The document's text with one field dropped, or something else in its place."""
    document = copy.copy(document)
    at = document
    for part in place[:-1]:
        at[part] = copy.copy(at[part])
        at = at[part]
    if drop:
        del at[place[-1]]
    else:
        at[place[-1]] = value
    return text_of(document).encode()


def text_of(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{text_of(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text_of, value)) + "]"
    return value.text if isinstance(value, Literal) else json.dumps(value)


class Sweep:
    """Tries records that are wrong in one place, and keeps what the connector makes wrong of them."""

    def __init__(self, connector: Any) -> None:
        self._connector = connector
        self._tried = 0
        self._named_elsewhere = 0
        self._wrong: list[str] = []

    def try_one(self, whole: Received, body: bytes, place: Place, value: object = "dropped") -> None:
        self._tried += 1
        try:
            found = self._connector.translate(record(replace(whole, body=body)))
            fault = unfit(found) if isinstance(value, Literal) else None
        except Untranslatable as error:
            fault = self._fault_of(error, place)
        except Exception as error:  # noqa: BLE001 - whatever it is, that is the finding
            fault = f"{type(error).__name__}: {error!s:.100}"
        if fault is not None:
            self._wrong.append(f"{'.'.join(map(str, place))} = {value!r:.40}: {fault}")

    def passes(self, *, at_least: int) -> None:
        """Nothing but the record's own fault was raised, and it was named where it is.

        What is missing here may be felt elsewhere (an amount that nothing converts any more): that is rare.
        """
        assert self._tried >= at_least
        assert (len(self._wrong), self._wrong[:FAULTS_SHOWN]) == (0, [])
        assert self._named_elsewhere <= self._tried / 200

    def _fault_of(self, error: Untranslatable, place: Place) -> str | None:
        if not error.problems:
            return "no problem says what is wrong"
        for problem in error.problems:
            if not problem.path or not problem.message or len(problem.message) > MESSAGE_CHARS_MAX:
                return f"a problem without a path, or not to be read: {problem!s:.200}"
        here = words_of(" ".join(part for part in place if isinstance(part, str)))
        if not any(problem.path == "$" or words_of(problem.path) & here for problem in error.problems):
            self._named_elsewhere += 1
        return None


def unfit(found: Translation) -> str | None:
    """Why no store could keep it; None: it can."""
    try:
        text = json.dumps(canonical(found), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "half of a character is in a fact"
    return "a NUL is in a fact" if rb"\u0000" in text else None


def words_of(path: str) -> set[str]:
    """The words of a path, however the system joins them."""
    return set(re.findall(r"[a-z]+", re.sub(r"([A-Z])", r"_\1", path).lower()))
