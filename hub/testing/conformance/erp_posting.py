"""Postings: what an ERP's general ledger holds of a document is what the books say it should, account by account."""

from collections import defaultdict
from datetime import date
from typing import Any, Final

import pytest

from hub.books import Chart, Role
from hub.model.documents import DocumentKind
from hub.model.postings import ErpPosting
from hub.ports import ProbesDocuments, PutsDocuments, ReadsBack, StatesPostings
from hub.testing.conformance.erp_bench import ErpFarSide
from hub.testing.conformance.erp_stating import keys_of
from hub.testing.conformance.erp_stories import STORIES, Clerk, Story
from hub.testing.conformance.erp_wiring import told
from hub.testing.conformance.wiring import Connect, needed

SPAN: Final = (date(2026, 3, 1), date(2026, 4, 30))
COSTS: Final = (Role.INVENTORY, Role.INVENTORY_IN_TRANSIT, Role.COST_OF_GOODS_SOLD)
"""What goods cost is the ERP's own matter."""
Sums = dict[tuple[str, str], int]
"""Minor units by account, sub-accounts added up, and currency."""


class TestPostings:
    abilities = (PutsDocuments, ProbesDocuments, ReadsBack, StatesPostings)
    rules = ("postings_are_the_books",)

    @pytest.fixture
    def adapter(self, connect: Connect) -> Any:
        adapter = connect()
        needed(adapter, *self.abilities)
        return adapter

    def test_all_documents_of_an_order_balance_and_are_posted_as_the_books_say(
        self, adapter: Any, far: ErpFarSide, story: Story
    ) -> None:
        clerk = told(story, adapter, far)

        postings = list(adapter.postings(*SPAN))

        for document in {one.document for one in postings}:
            of = [one for one in postings if one.document == document]
            assert sum(one.functional_minor for one in of) == 0, document
        found = posted(postings, clerk, adapter)
        expected = booked(clerk, adapter)
        assert {key: sums for key, sums in found.items() if sums} == expected

    def test_what_the_entity_s_currency_is_worth_is_off_by_no_more_than_the_lines_round(
        self, adapter: Any, far: ErpFarSide, story: Story
    ) -> None:
        clerk = told(story, adapter, far)
        worth: dict[str, int] = defaultdict(int)
        lines: dict[str, int] = defaultdict(int)
        for one in adapter.postings(*SPAN):
            account = one.account.partition(":")[0]
            worth[account] += one.functional_minor
            lines[account] += one.lines
        for entry in clerk.entries.values():
            for posting in entry.postings if entry else ():
                account = _account(posting.account, adapter)
                worth[account] -= posting.functional_minor
                lines[account] += 1
        left_out = {*_costs(clerk), *_roundings(clerk)}

        off = {account: minor for account, minor in worth.items() if minor and account not in left_out}

        assert not [account for account, minor in off.items() if abs(minor) > lines[account]], off
        if not story.currency:
            assert off == {}

    def test_an_edit_a_copy_and_a_deletion_by_hand_show(self, adapter: Any, far: ErpFarSide) -> None:
        clerk = told(STORIES["on_account"], adapter, far)
        first, second = keys_of(clerk, DocumentKind.PAYMENT)
        (read,) = adapter.read_back([clerk.documents[first]])
        before = posted(list(adapter.postings(*SPAN)), clerk, adapter)
        far.pass_time(3600)
        far.edit(first, 250)
        ref = far.copy(first)
        far.delete(second)

        postings = list(adapter.postings(*SPAN))

        after = posted(postings, clerk, adapter)
        receivable = _account(clerk_chart(clerk).account(Role.RECEIVABLE), adapter)
        assert after[first][receivable, "USD"] == before[first][receivable, "USD"] - 250
        assert not after.get(second)
        assert all(one.by_hand or one.version > read.version for one in postings if one.document == first)
        typed = [one for one in postings if not one.document]
        assert {(one.ref, one.by_hand) for one in typed} == {(ref, True)}
        assert sum(one.functional_minor for one in typed) == 0

    def test_days_bound_them(self, adapter: Any, far: ErpFarSide) -> None:
        clerk = told(STORIES["on_account"], adapter, far)
        assert list(adapter.postings(date(2026, 4, 1), date(2026, 4, 30))) == []
        far.move(keys_of(clerk, DocumentKind.PAYMENT)[0], date(2026, 4, 2))

        moved = list(adapter.postings(date(2026, 4, 1), date(2026, 4, 30)))

        assert {one.document for one in moved if one.amount_minor} == {keys_of(clerk, DocumentKind.PAYMENT)[0]}


def posted(postings: list[ErpPosting], clerk: Clerk, adapter: Any) -> dict[str, Sums]:
    """What the ERP has of each document on each account but cost."""
    found: dict[str, Sums] = {}
    for one in postings:
        account = one.account.partition(":")[0]
        if account not in _costs(clerk):
            sums = found.setdefault(one.document, {})
            sums[account, one.currency] = sums.get((account, one.currency), 0) + one.amount_minor
    return {document: _nonzero(sums) for document, sums in found.items()}


def booked(clerk: Clerk, adapter: Any) -> dict[str, Sums]:
    """What the books say of each document that stands, on the ERP's accounts."""
    found: dict[str, Sums] = {}
    for key, entry in clerk.entries.items():
        if entry is None or key not in clerk.documents:
            continue
        sums: Sums = {}
        for posting in entry.postings:
            account = _account(posting.account, adapter)
            if account not in _costs(clerk):
                sums[account, posting.currency] = sums.get((account, posting.currency), 0) + posting.amount_minor
        if left := _nonzero(sums):
            found[key] = left
    return found


def clerk_chart(clerk: Clerk) -> Chart:
    return Chart.parse(clerk.company.chart)


def _account(account: str, adapter: Any) -> str:
    number = account.partition(":")[0]
    together: str = adapter.together.get(number, number)
    return together


def _costs(clerk: Clerk) -> set[str]:
    return {clerk_chart(clerk).account(role) for role in COSTS}


def _roundings(clerk: Clerk) -> set[str]:
    return {clerk_chart(clerk).account(Role.FX_GAIN_LOSS)}


def _nonzero(sums: Sums) -> Sums:
    return {at: minor for at, minor in sums.items() if minor}
