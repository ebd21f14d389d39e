"""Documents read back from NetSuite: many by query, and one by one what a query does not show yet."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from hub.model.documents import Document, DocumentKind, document_key
from hub.model.intents import Action
from hub.model.order import Party, PartyRef
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


def buyers(netsuite: Desk, count: int) -> list[Document]:
    """As many customers, told."""
    made = []
    for number in range(count):
        ref = PartyRef(f"customer-{number}", "v1")
        key = document_key(DocumentKind.CUSTOMER, "webshop", str(number))
        made.append(Document(key, DocumentKind.CUSTOMER, "main", "USD", date(2026, 3, 1), party=ref))
        netsuite.put(made[-1], parties=(Party(ref, name=f"Ann Example {number}"),))
    return made


def test_many_customers_are_read_by_one_query(netsuite: Desk) -> None:
    documents = buyers(netsuite, 5)
    one_by_one = [netsuite.read(document) for document in documents]
    before, asked = gets(netsuite), len(netsuite.app.calls)

    reads = netsuite.adapter.read_back(documents)

    assert None not in reads
    assert reads == one_by_one
    assert (gets(netsuite) - before, len(netsuite.app.calls) - asked) == (0, 1)


def test_a_customer_whose_change_a_query_does_not_show_yet_is_read_from_its_record(netsuite: Desk) -> None:
    documents = buyers(netsuite, 5)
    netsuite.clock.passes(60)
    netsuite.world.lag(600)
    moved = replace(documents[2], party=PartyRef("customer-2", "v2"))
    netsuite.put(moved, Action.AMEND, parties=(Party(PartyRef("customer-2", "v2"), name="Ann Other"),))
    before = gets(netsuite)

    reads = netsuite.adapter.read_back([*documents[:2], moved, *documents[3:]])

    assert gets(netsuite) - before == 1
    assert reads[2] == netsuite.read(moved)


def test_a_customer_whom_a_person_deleted_is_not_read(netsuite: Desk) -> None:
    documents = buyers(netsuite, 5)
    netsuite.world.drop(netsuite.rec(documents[4].key, "entity"))

    reads = netsuite.adapter.read_back(documents)

    assert [read is None for read in reads] == [False, False, False, False, True]
