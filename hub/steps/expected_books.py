"""The expected books: what every decision on a document says that the ERP should hold, beside what it posted."""

import datetime
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from hub.flow.ledger_comparison import trial_balance
from hub.flow.match import window
from hub.model.documents import DocumentKey
from hub.model.postings import ErpPosting, TrialBalanceLine
from hub.ports import StatesPostings
from hub.steps import ledger_files, parquet
from hub.steps.hub import Hub
from hub.store.postings import intents

ALL_DAYS: Final = datetime.date.max


def books_of(
    hub: Hub, connection: Connection, period: str, links: Mapping[str, DocumentKey]
) -> ledger_files.BooksRead | None:
    """What the books of a period are compared from, of all channels; None: the ERP states no postings.

    Args:
        links: by the ERP's own ids, the keys of adopted documents that do not carry them.
    """
    erp = hub.erp
    if not isinstance(erp, StatesPostings):
        return None
    first, last = window(period)
    decided = intents(connection, last)
    return ledger_files.BooksRead(_rules(hub, erp.together), _with_links(erp, links, first, last), decided)


def expected_trial_balance(hub: Hub, until: datetime.date | None = None) -> tuple[TrialBalanceLine, ...]:
    """What the books should hold on each account at the end of a day, whatever the ERP has; None: of all days."""
    with (
        hub.store.connect() as connection,
        parquet.connect() as beside,
        tempfile.TemporaryDirectory(prefix="orderhub-books-") as folder,
    ):
        ledger_files.set_rules(beside, _rules(hub, {}))
        ledger_files.load_posted(beside, Path(folder), ())
        after = until + datetime.timedelta(days=1) if until is not None else ALL_DAYS
        ledger_files.load_expected(beside, Path(folder), intents(connection, until), after.isoformat())
        return trial_balance(beside, until or ALL_DAYS)


def _rules(hub: Hub, together: Mapping[str, str]) -> ledger_files.BookRules:
    functional = {entity.slug: entity.currency for entity in hub.settings.entities}
    return ledger_files.rules_of(hub.chart, together, functional)


def _with_links(
    erp: StatesPostings, links: Mapping[str, DocumentKey], first: datetime.date, last: datetime.date
) -> Iterator[ErpPosting]:
    for posting in erp.postings(first, last):
        yield replace(posting, document=links[posting.ref]) if posting.ref in links else posting
