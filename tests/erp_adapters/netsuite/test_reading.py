"""Documents read back from NetSuite: many by query, and one by one what a query does not show yet."""

from collections.abc import Iterator

import pytest

from hub.model.documents import Document
from hub.testing.builders import captured, fact, given_back, line, paid_out, refunded, shipped, snapshot, tax
from tests.erp_adapters.netsuite.desk import Desk, desk


@pytest.fixture
def netsuite() -> Iterator[Desk]:
    with desk() as made:
        yield made


def told(netsuite: Desk) -> list[Document]:
    return netsuite.tell(
        fact(snapshot(line("1", 3, 1250, taxes=(tax(300),)))),
        captured("t1", 1, 4050),
        shipped("f1", 60, l1=2),
        refunded("r1", 90, given_back("1", 1, 1250, 100)),
        paid_out("t2", 91, 1350, "r1"),
    )


def gets(netsuite: Desk) -> int:
    return sum(method == "GET" for method, _ in netsuite.app.calls)


def test_many_documents_are_read_by_two_queries(netsuite: Desk) -> None:
    documents = told(netsuite)
    one_by_one = [netsuite.read(document) for document in documents]
    before, asked = gets(netsuite), len(netsuite.app.calls)

    reads = netsuite.adapter.read_back(documents)

    assert reads == one_by_one
    assert (gets(netsuite) - before, len(netsuite.app.calls) - asked) == (0, 2)


def test_what_a_query_does_not_show_yet_is_read_from_its_record(netsuite: Desk) -> None:
    netsuite.world.lag(600)
    documents = told(netsuite)

    reads = netsuite.adapter.read_back(documents)

    assert [read.total_minor for read in reads if read is not None] == [x.total_minor for x in documents]


def test_what_a_person_deleted_is_not_read(netsuite: Desk) -> None:
    documents = told(netsuite)
    netsuite.put(documents[-1])
    netsuite.world.drop(netsuite.rec(documents[-1].key))

    assert netsuite.adapter.read_back(documents)[-1] is None
