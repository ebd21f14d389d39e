"""The adapter before a simulated account on a socket of this machine, told the documents that the hub plans."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from erp_adapters.netsuite.account import seed
from erp_adapters.netsuite.account.http import App
from erp_adapters.netsuite.account.service import Response
from erp_adapters.netsuite.account.world import Rec, Switches
from erp_adapters.netsuite.adapter import NetSuiteAdapter
from erp_adapters.netsuite.simulator import CERTIFICATE_ID, opened, private_key, served
from erp_adapters.netsuite.writing import kept_in
from hub.books import Chart, Policy, post
from hub.model.documents import Document, DocumentKind, content_of, revision_of
from hub.model.facts import Fact
from hub.model.intents import REFS, Action, Outcome, ReadBack, Verdict, Write
from hub.model.money import decimal_of
from hub.model.order import Party
from hub.ports import EntityConfig, ErpConfig
from hub.testing.builders import terms
from tests.erp_adapters.netsuite.spec import Spec
from tests.hub.flow.bookkeeping import planned

CONTRACTS = Path(__file__).resolve().parents[4] / "shared" / "contracts" / "netsuite"
SPEC = Spec(CONTRACTS) if CONTRACTS.exists() else None
"""None: the vendor's files are not here, and requests are not held to them."""
CONFIG = Path(__file__).resolve().parents[3] / "config"
CHART = yaml.safe_load((CONFIG / "chart.yaml").read_text())
POLICIES = {"returned_goods": "revenue"}  # NetSuite credits the account of the item
MAPPED = seed.OPTIONS["accounts"]
COSTS = ("1300", "5000")  # NetSuite's own matter
Sums = dict[str, tuple[Decimal, Decimal]]
"""In the document's currency and in the base, by account."""

ITEMS = {"MUG": "MUG-ENAMEL-BLU", "TEE": "SHIRT-MERINO-M"}


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 10, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Desk:
    """One account, one adapter, and what the hub would do between them."""

    def __init__(self, app: App, clock: Clock, address: str, options: dict[str, Any]) -> None:
        self.app, self.world, self.clock = app, app.world, clock
        secrets = {
            "client_id": app.auth.credentials.client_id,
            "certificate_id": CERTIFICATE_ID,
            "private_key": private_key(),
        }
        numbers = count(1)
        config = ErpConfig(
            slug="books",
            database_url="sqlite://",
            entities=(EntityConfig("main", "USD", "UTC"),),
            chart=CHART,
            policies=POLICIES,
            address=address,
            options=seed.OPTIONS | options,
            secrets=lambda name: SecretStr(secrets[name]),
            clock=clock.now,
            sleep=clock.passes,
        )
        self.adapter = NetSuiteAdapter(config, nonce=lambda: f"nonce{next(numbers)}")
        self.told: list[Document] = []
        self.requests: Sequence[tuple[str, str, str, bytes]] = ()  # method, path, query, body: all that came so far

    # --- telling ------------------------------------------------------------------------------------------------------

    def put(self, document: Document, action: Action = Action.CREATE, parties: tuple[Party, ...] = ()) -> Outcome:
        """The outcome of the write's last part that was told."""
        part = ""
        held: tuple[str, ...] = ()
        while True:
            (outcome,) = self.adapter.put([self.write(document, action, part, held, parties)])
            if outcome.verdict is not Verdict.DONE or outcome.then is None:
                return outcome
            part, held = outcome.then, tuple((outcome.ref or "").split(REFS))

    def write(
        self,
        document: Document,
        action: Action = Action.CREATE,
        part: str = "",
        held: tuple[str, ...] = (),
        parties: tuple[Party, ...] = (),
    ) -> Write:
        return Write(action, document, revision_of(content_of(document)), parties=parties, held=held, part=part)

    def tell(self, *facts: Fact, **given: Any) -> list[Document]:
        """All that the facts call for is so in NetSuite; the documents, in order."""
        given.setdefault("items", ITEMS)
        documents = planned(facts, terms(**given))
        before = {document.key: document for document in self.told}
        customer = documents[0].customer
        if customer is not None and not self.told:
            self.done(Document(customer, DocumentKind.CUSTOMER, "main", "USD", documents[0].date, memo="Guest"))
        for document in documents:
            if document.key not in before:
                self.done(document)
            elif before[document.key] != document:
                self.done(document, Action.AMEND)
        keys = {document.key for document in documents}
        for gone in [one for one in reversed(self.told) if one.key not in keys]:
            self.done(gone, Action.VOID)
        self.told = documents
        return documents

    def done(self, document: Document, action: Action = Action.CREATE) -> None:
        outcome = self.put(document, action)
        assert outcome.verdict is Verdict.DONE, (document.key, action, outcome, document.lines)
        if action is not Action.VOID:
            read = self.read(document)
            assert read is not None, document.key
            assert read.revision in (revision_of(content_of(document)), None), document.key

    def read(self, document: Document) -> ReadBack | None:
        (read,) = self.adapter.read_back([document])
        return read

    # --- looking ------------------------------------------------------------------------------------------------------

    def rec(self, key: str, group: str = "transaction") -> Rec:
        found = self.world.external(group, key)
        assert found is not None, key
        return found

    def posted(self, document: Document) -> Sums:
        """What all records of a document put on each account."""
        return self.gl(*(kept.key for kept in kept_in(document)))

    def gl(self, *keys: str) -> Sums:
        """What the records put on each account, in their currency and in the base, but for costs."""
        sums: Sums = {}
        for key in keys:
            for line in self.rec(key).gl:
                if line.account not in COSTS:
                    amount, base = sums.get(line.account, (Decimal(0), Decimal(0)))
                    sums[line.account] = amount + line.amount, base + line.base
        return {account: pair for account, pair in sums.items() if any(pair)}


def booked(document: Document) -> Sums:
    """What the hub's books say of a document, by NetSuite's accounts."""
    entry = post(document, Chart.parse(CHART), Policy.parse(POLICIES), "USD")
    sums: Sums = {}
    for posting in entry.postings if entry is not None else ():
        number = posting.account.partition(":")[0]
        account = MAPPED.get(number, number)
        if account not in COSTS:
            amount, base = sums.get(account, (Decimal(0), Decimal(0)))
            added = decimal_of(posting.amount_minor, posting.currency), decimal_of(posting.functional_minor, "USD")
            sums[account] = amount + added[0], base + added[1]
    return {account: pair for account, pair in sums.items() if any(pair)}


@contextmanager
def desk(switches: Switches | None = None, **options: Any) -> Iterator[Desk]:
    clock = Clock()
    app = opened(clock.now, switches=switches)
    requests = watched(app)
    seed.charge_item(app.world, "GOODS-CREDITED", "4000")
    with served(app) as address:
        made = Desk(app, clock, address, options)
        made.requests = requests
        try:
            yield made
        finally:
            made.adapter.close_connections()
    if SPEC is not None:
        faults = {(one[0], one[1], fault) for one in requests for fault in faults_of(SPEC, *one)}
        assert not faults, sorted(faults)


def watched(app: App) -> list[tuple[str, str, str, bytes]]:
    """Every request that will come to the account: method, path, query and body."""
    seen: list[tuple[str, str, str, bytes]] = []
    handle = app.handle

    def watching(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes = b"") -> Response:
        seen.append((method, path, query, body))
        return handle(method, path, query, headers, body)

    setattr(app, "handle", watching)  # noqa: B010 - the account is unchanged, but for somebody who listens
    return seen


def faults_of(spec: Spec, method: str, path: str, query: str, body: bytes) -> list[str]:
    """What the vendor's specs say against a request; nothing of one that they do not cover."""
    if "/record/v1/" not in path:
        return []
    return spec.check(method, f"{path}?{query}", json.loads(body) if body else None).faults


def keys_of(documents: Sequence[Document], kind: DocumentKind) -> list[str]:
    return [document.key for document in documents if document.kind is kind]
