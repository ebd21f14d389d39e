"""Any history of an order in the simulated account: read back as it was told, and posted as the books say."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from erp_adapters.netsuite.account import seed
from hub.model.documents import Document, DocumentKind, Rate
from hub.model.facts import Fact
from hub.model.intents import Action
from hub.model.order import Line, LineKind, Snapshot
from hub.steps.calling import differs
from hub.testing.builders import History, called_off, histories
from tests.erp_adapters.netsuite.desk import Desk, Sums, booked, desk

ITEMS = {"MUG": "MUG-ENAMEL-BLU", "TEE": "SHIRT-MERINO-M", "GIFT": "GIFT-50", "WORK": "ENGRAVING"}
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking takes minutes: an account is opened each time
SKUS = {LineKind.GIFT_CARD: "GIFT", LineKind.CUSTOM: "WORK"}


def sold(history: History) -> list[Fact]:
    """The facts, with gift cards and work sold as the items that they are in NetSuite."""

    def named(one: Line) -> Line:
        return replace(one, sku=SKUS.get(one.kind, one.sku))

    return [
        replace(one, body=replace(one.body, lines=tuple(named(x) for x in one.body.lines)))
        if isinstance(one.body, Snapshot)
        else one
        for one in history.facts
    ]


def check(netsuite: Desk, history: History, **given: Any) -> None:
    documents = netsuite.tell(*sold(history), items=ITEMS, **given)
    searched = netsuite.adapter.read_back(documents)
    assert searched == [netsuite.read(document) for document in documents]
    for document, read in zip(documents, searched, strict=True):
        assert read is not None, document.key
        assert not differs(document, read, Action.CREATE), (document, read)
        if document.kind is not DocumentKind.SALES_ORDER:
            assert_booked(netsuite, document)


def assert_booked(netsuite: Desk, document: Document) -> None:
    """Each account moves by what the books say; in the base currency, where each side rounds by itself, by about that.

    The books round the parts of an order together, NetSuite each line alone: a cent a line at most.
    """
    posted, wanted = netsuite.posted(document), booked(document)
    if document.currency == "USD":
        assert posted == wanted, document
        return
    assert amounts(posted) == amounts(wanted), document
    cents = Decimal("0.01") * (len(document.lines) + 2)
    for account in set(posted) & set(wanted):
        assert abs(posted[account][1] - wanted[account][1]) <= cents, (account, document)


def amounts(sums: Sums) -> dict[str, Decimal]:
    return {account: amount for account, (amount, _) in sums.items() if amount}


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(st.one_of(histories(currency="USD"), called_off(currency="USD")))
def test_any_history_is_told_and_booked(history: History) -> None:
    with desk() as netsuite:
        seed.charge_item(netsuite.world, "ENGRAVING", "4000")
        check(netsuite, history)


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(histories(currency="USD"))
def test_a_history_told_bit_by_bit_ends_the_same(history: History) -> None:
    """The order is told before its edits, then each thing that happens; what changed is amended, what is gone void."""
    (order, *rest) = sold(history)
    assert isinstance(order.body, Snapshot)
    lines = tuple(replace(one, removed_quantity=0) for one in order.body.lines)
    with desk() as netsuite:
        seed.charge_item(netsuite.world, "ENGRAVING", "4000")
        netsuite.tell(replace(order, body=replace(order.body, lines=lines)), items=ITEMS)
        for count in range(len(rest)):
            netsuite.tell(order, *sorted(rest, key=lambda one: one.occurred_at)[:count], items=ITEMS)
        check(netsuite, history)


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(st.one_of(histories(currency="EUR"), called_off(currency="EUR")))
def test_any_history_in_another_currency_is_told_and_booked(history: History) -> None:
    with desk() as netsuite:
        seed.charge_item(netsuite.world, "ENGRAVING", "4000")
        check(netsuite, history, rate=Rate(Decimal("1.0845"), date(2026, 3, 2), "ecb"))


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(st.one_of(histories(currency="JPY"), called_off(currency="JPY")))
def test_any_history_in_a_currency_without_cents_is_told_and_booked(history: History) -> None:
    with desk() as netsuite:
        seed.charge_item(netsuite.world, "ENGRAVING", "4000")
        check(netsuite, history, rate=Rate(Decimal("0.0067"), date(2026, 3, 2), "ecb"))
