"""The store's bookkeeping of one order, kept in memory: what was decided, what was sent, what is expected."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from hub.books import Chart, Policy, post
from hub.books.chart import Role
from hub.flow.decide import decide
from hub.flow.fold import fold, winners
from hub.flow.plan import plan
from hub.flow.terms import Terms
from hub.model.decisions import Decided, Decision, Intent
from hub.model.documents import Document, DocumentKey
from hub.model.entries import ENTRY, Entry
from hub.model.facts import Fact
from hub.testing.builders import KEY

CHART = Chart.parse(yaml.safe_load((Path(__file__).parents[3] / "config" / "chart.yaml").read_text()))
POLICY = Policy()

Balances = dict[tuple[str, str], tuple[int, int]]
"""(account, currency) → (minor units, functional minor units); accounts at zero are left out."""


def planned(facts: Iterable[Fact], terms: Terms) -> list[Document]:
    return plan(fold(KEY, winners(facts)), terms)


def expected(documents: Iterable[Document], terms: Terms) -> list[Entry]:
    """The entries of documents as they would stand were they all decided at once."""
    entries = (post(document, CHART, POLICY, terms.functional) for document in documents)
    return [entry for entry in entries if entry is not None]


def balances(entries: Iterable[Entry]) -> Balances:
    sums: Balances = {}
    for entry in entries:
        for posting in entry.postings:
            at = (posting.account, posting.currency)
            minor, functional = sums.get(at, (0, 0))
            sums[at] = (minor + posting.amount_minor, functional + posting.functional_minor)
    return {at: both for at, both in sums.items() if both != (0, 0)}


def on(role: Role, sums: Balances) -> int:
    """The balance of a role's account with all its sub-accounts, in minor units of whatever currency it is in."""
    account = CHART.account(role)
    return sum(minor for (name, _), (minor, _) in sums.items() if name.partition(":")[0] == account)


@dataclass(slots=True)
class _Kept:
    intent: Intent
    sent: bool = False


class Bookkeeping:
    """One order's intents as hub.store.orders keeps them: superseded ones are gone with their entries."""

    def __init__(self) -> None:
        self._kept: list[_Kept] = []
        self.facts: list[Fact] = []

    def learn(self, facts: Sequence[Fact], terms: Terms) -> Decision:
        """The order decided anew with these facts added."""
        self.facts.extend(facts)
        return self.decide(planned(self.facts, terms), terms)

    def decide(self, documents: list[Document], terms: Terms) -> Decision:
        made = decide(documents, self.decided(), terms, CHART, POLICY)
        self.record(made)
        return made

    def record(self, made: Decision) -> None:
        for key in made.superseded:
            unsent = [kept for kept in self._kept if kept.intent.document.key == key and not kept.sent]
            assert len(unsent) == 1, "the store finds one unsent intent for each key that is superseded"
            self._kept.remove(unsent[0])
        self._kept.extend(_Kept(intent) for intent in made.intents)

    def send(self, count: int | None = None) -> None:
        """The first so many unsent intents are sent, in order; all where no number is given."""
        for kept in [kept for kept in self._kept if not kept.sent][:count]:
            kept.sent = True

    def decided(self) -> dict[DocumentKey, Decided]:
        found: dict[DocumentKey, Decided] = {}
        for kept in self._kept:
            intent = kept.intent
            key = intent.document.key
            before = found.pop(key, None)  # a later intent takes the earlier one's place, at the end
            found[key] = Decided(
                key=key,
                revision=intent.revision,
                plan_digest=intent.plan_digest,
                action=intent.action,
                sent=kept.sent,
                content=intent.content,
                entry=ENTRY.dump_json(intent.entry, exclude_defaults=True) if intent.entry else None,
                standing=None if kept.sent else before,
            )
        return found

    def entries(self) -> list[Entry]:
        """The expected books: each standing intent's entry, with the reversals that amendments and voids made."""
        both = [entry for kept in self._kept for entry in (kept.intent.reversal, kept.intent.entry)]
        return [entry for entry in both if entry is not None]
