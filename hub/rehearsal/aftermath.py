"""What must be so once the faults are over: nothing lost, nothing twice, nothing unexplained, seen from outside."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import text

from hub import verifier
from hub.model.decisions import HoldCode
from hub.model.documents import DocumentKind, document_key
from hub.rehearsal.processes import ErpProcess
from hub.steps.closing import reconcile
from hub.steps.expected_books import expected_trial_balance
from hub.steps.hub import Hub
from hub.steps.reconcile import as_json
from hub.steps.syncing import waiting
from hub.store.views import exceptions
from hub.store.views.backlog import backlog, steps_by_state, told

SETTLING: Final = ("planned", "sent", "in_doubt")
SHOWN: Final = 40
HARMLESS: Final = frozenset({"conversion"})
"""Causes that need nobody's mistake; whatever else explains a difference should not have happened here."""
HELD: Final = "held_order"
ORDER_TYPE: Final = "salesOrder"


@dataclass(slots=True)
class Aftermath:
    """What was found; `violations` in words, the first of them."""

    orders: int = 0
    posted: int = 0
    not_posted: dict[str, str] = field(default_factory=dict)  # by order, why: by what the shop says of it
    acknowledged: int = 0
    documents: int = 0
    lost: int = 0
    twice: int = 0
    in_doubt: int = 0
    unexplained_minor: int = 0
    explained: Counter[str] = field(default_factory=Counter)  # variances by cause
    violations: list[str] = field(default_factory=list)

    def broken(self, what: str) -> None:
        self.violations.append(what)

    def figures(self) -> dict[str, Any]:
        """JSON-ready, the violations cut to the first."""
        return {
            "orders": self.orders,
            "posted": self.posted,
            "not_posted": dict(Counter(self.not_posted.values())),
            "acknowledged": self.acknowledged,
            "documents": self.documents,
            "lost": self.lost,
            "twice": self.twice,
            "in_doubt": self.in_doubt,
            "unexplained_minor": self.unexplained_minor,
            "explained": dict(self.explained),
            "violations": self.violations[:SHOWN],
            "violations_count": len(self.violations),
        }


def left(hub: Hub, orders: Iterable[Mapping[str, Any]], slug: str) -> dict[str, int]:
    """What is still to be done, by its name; empty: nothing."""
    found: Counter[str] = Counter()
    for name, states in ({"erp": steps_by_state(hub.store)} | told(hub.store)).items():
        found.update({f"{name} {state}": count for state, count in states.items() if state in SETTLING})
    found["records"] = backlog(hub.inbox).waiting
    found["to be read anew"] = sum(waiting(hub).values())
    known = _postings(hub, slug)
    found["orders unknown"] = sum(1 for one in orders if not one["deleted"] and one["id"] not in known)
    return {name: count for name, count in found.items() if count}


def looked_at(
    hub: Hub,
    slug: str,
    orders: Sequence[Mapping[str, Any]],
    erp: ErpProcess | None,
    acknowledged: Iterable[str],
    database: tuple[str, str | None],
    periods: Sequence[str],
) -> Aftermath:
    """Everything.

    Args:
        orders: every order as the shop has it.
        erp: None: an ERP that is opened here, which is asked for its documents.
        acknowledged: the SHA-256 of each delivery's body that was answered with 200.
        database: the hub's store and its schema, for the verifier.
        periods: the months to be reconciled.
    """
    found = Aftermath(orders=len(orders))
    _acknowledged(found, hub, slug, set(acknowledged))
    _orders(found, hub, slug, orders, list(_documents(hub, erp, slug)))
    _steps(found, hub)
    _records(found, database)
    for period in periods:
        _money(found, hub, period)
    return found


def _acknowledged(found: Aftermath, hub: Hub, slug: str, digests: set[str]) -> None:
    found.acknowledged = len(digests)
    with hub.inbox.connect() as connection:
        kept = set(
            connection.execute(text("SELECT digest FROM record WHERE channel = :channel"), {"channel": slug}).scalars()
        )
    for digest in sorted(digests - kept):
        found.lost += 1
        found.broken(f"a delivery was acknowledged and is not in the inbox: {digest}")


def _orders(
    found: Aftermath,
    hub: Hub,
    slug: str,
    orders: Sequence[Mapping[str, Any]],
    documents: Sequence[Mapping[str, str]],
) -> None:
    """Every order of the shop is known, and stands in the ERP once, under its key, as does every document."""
    known = _postings(hub, slug)
    unpaid = {one.order for one in exceptions.opened(hub.store) if one.code == HoldCode.PAYMENT_NOT_CAPTURED}
    sales: dict[str, list[Mapping[str, str]]] = {}
    keys: Counter[str] = Counter()
    found.documents = len(documents)
    for one in documents:
        if one["key"]:
            keys[one["key"]] += 1
        else:
            found.twice += 1
            found.broken(f"{one['type']} {one['id']} of order {one['order']} has no key of ours")
        if one["type"] == ORDER_TYPE:
            sales.setdefault(one["order"].rpartition("/")[2], []).append(one)
    for key, count in sorted(keys.items()):
        if count > 1:
            found.twice += count - 1
            found.broken(f"{count} documents have the key {key}")
    for order in orders:
        id = str(order["id"])
        stands = sales.pop(id, [])
        if len(stands) > 1 and len({one["key"] for one in stands}) > 1:
            found.twice += len(stands) - 1
            found.broken(f"order {id} has {len(stands)} sales orders: {', '.join(one['key'] for one in stands)}")
        key = document_key(DocumentKind.SALES_ORDER, slug, id)
        if any(one["key"] == key for one in stands):
            found.posted += 1
        elif (why := _why_not(order, known.get(id), unpaid=id in unpaid)) is not None:
            found.not_posted[id] = why
        else:
            found.lost += 1
            found.broken(f"order {id} is not in the ERP; the hub has it as {known.get(id, 'unknown')}: {dict(order)}")
    for id in sorted(sales):
        found.broken(f"the ERP has an order {id} that the shop has not")


def _why_not(order: Mapping[str, Any], known: tuple[str, int] | None, *, unpaid: bool) -> str | None:
    """Why an order need not stand in the ERP, by what the shop says of it; None: it must.

    Args:
        unpaid: the hub waits for its payment. It may if the buyer owes something, and that not since the order stands:
            an order that grew before the hub heard of it was never paid in full.
    """
    if order["deleted"]:
        return "deleted"
    if known is None:
        return None
    if order["test"]:
        return "test"
    if not order["received_minor"] and order["total_minor"]:
        return "not paid"
    if unpaid and order["outstanding_minor"] > 0:
        return "not paid in full"
    return None


def _steps(found: Aftermath, hub: Hub) -> None:
    states = steps_by_state(hub.store)
    found.in_doubt = states.get("in_doubt", 0)
    for state in (*SETTLING, "rejected"):
        if states.get(state):
            found.broken(f"{states[state]} steps are {state}")
    for one in exceptions.opened(hub.store):
        if one.code in ("rejected", "in_doubt", "read_back", "paused"):
            found.broken(f"{one.channel} {one.order}: {one.message}; {one.remedy}")


def _records(found: Aftermath, database: tuple[str, str | None]) -> None:
    for fault in verifier.verify(*database).faults:
        found.broken(f"{fault.code}: {fault.where}: {fault.what}")


def _money(found: Aftermath, hub: Hub, period: str) -> None:
    compared = as_json(reconcile(hub, period, []))
    parts = {"sales": compared, "payments": compared["payments"], "books": compared.get("books", {})}
    for name, part in parts.items():
        for kind in ("unexplained_minor", "unexplained_functional_minor"):
            for currency, minor in part.get(kind, {}).items():
                found.unexplained_minor += abs(minor)
                if minor:
                    found.broken(f"{period} {name}: {minor} {currency} are unexplained")
        for one in (*part.get("variances", ()), *part.get("differences", ())):
            for cause in one["causes"]:
                found.explained[f"{name}: {cause['code']}"] += 1
                if cause["code"] not in HARMLESS and not (cause["code"] == HELD and one["order"] in found.not_posted):
                    found.broken(f"{period} {name}: {one['order'] or one['document']}: {cause['code']}")
            if one.get("residual_minor"):
                found.broken(
                    f"{period} {name}: {one['residual_minor']} of {one['order'] or one['document']} unexplained"
                )
    if not compared["complete"]:
        found.broken(f"{period}: the reconciliation is not complete")
    balance: Counter[str] = Counter()
    for line in expected_trial_balance(hub):
        balance[line.currency] += line.balance_minor
    for currency, minor in balance.items():
        if minor:
            found.broken(f"the trial balance is off by {minor} {currency}")


def _documents(hub: Hub, erp: ErpProcess | None, slug: str) -> Iterator[Mapping[str, str]]:
    if erp is not None:
        yield from erp.documents()


def _postings(hub: Hub, slug: str) -> dict[str, tuple[str, int]]:
    """By order: whether it goes to the ERP, and how many holds it has."""
    query = text("SELECT order_id, posting, holds FROM orders WHERE channel = :channel")
    with hub.store.connect() as connection:
        return {id: (posting, holds) for id, posting, holds in connection.execute(query, {"channel": slug})}
