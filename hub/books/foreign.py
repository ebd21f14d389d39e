"""Foreign money: what a customer's balance is worth is what the whole of it converts to, so a settled one is worth 0.

Each document converted for itself, 10.06 and 10.06 EUR at 1.08 are 10.86 USD each, and the 20.12 that pay both are
21.73: a cent would stay on deposits for ever. So a document carries, for each balance that it moves, by how much its
own conversion misses the step of that balance's worth.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from hub.books.chart import AccountType, Chart, Role
from hub.books.policy import Policy
from hub.books.post import RULES, Sums, converted
from hub.model.documents import Component, Document, DocumentLine

BALANCES: Final = (Role.RECEIVABLE, Role.DEPOSITS, Role.REFUNDS_PAYABLE, Role.DEFERRED_REVENUE)

_POLICY: Final = Policy()
_CHART: Final = Chart.parse(
    {
        "accounts": [
            {"number": str(number), "name": role, "type": AccountType.ASSET, "role": role}
            for number, role in enumerate(Role)
        ]
    }
)
"""A chart of one account a role: which roles a document moves does not depend on anybody's chart or policy."""
_ACCOUNTS: Final = {role: _CHART.account(role) for role in BALANCES}


def rounded_together(documents: Iterable[Document], functional: str) -> list[Document]:
    """The documents of one order, each with the `rounding` that keeps every balance worth what the whole converts to.

    A document whose own conversion does that already is left as it is.
    """
    balances = dict.fromkeys(BALANCES, 0)
    made: list[Document] = []
    for document in documents:
        rounding: list[DocumentLine] = []
        rule = RULES.get(document.kind)
        if rule is not None and document.rate is not None and document.currency != functional:
            currency, rate = document.currency, document.rate.value
            moved: Sums = {}
            rule(document, _CHART, _POLICY, moved)
            for role, account in _ACCOUNTS.items():
                if minor := moved.get(account, 0):
                    before, after = balances[role], balances[role] + minor
                    balances[role] = after
                    step = converted(after, currency, rate, functional) - converted(before, currency, rate, functional)
                    if off := step - converted(minor, currency, rate, functional):
                        rounding.append(DocumentLine(Component.ACCOUNT, off, detail=role))
        made.append(replace(document, rounding=tuple(rounding)) if rounding else document)
    return made
