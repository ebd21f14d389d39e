"""The account as a rehearsal in the same process has it: its requests, the people in it, and what stands there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from erp_adapters.netsuite.account.control import ORDER, Control, MovedClock
from erp_adapters.netsuite.account.faults import OTHERS, SEARCH_LAG_S, ConnectionLost
from erp_adapters.netsuite.account.http import App
from erp_adapters.netsuite.account.service import Response

KINDS: Final = {
    "salesOrder": "sales_order",
    "invoice": "invoice",
    "customerDeposit": "deposit",
    "depositApplication": "deposit_application",
    "customerPayment": "payment",
    "returnAuthorization": "return_authorization",
    "itemReceipt": "return_receipt",
    "creditMemo": "credit_memo",
    "customerRefund": "refund",
    "cashRefund": "refund",
    "journalEntry": "journal_entry",
    "itemFulfillment": "fulfilment",
    "customer": "customer",
}
"""What records are in the words of documents."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A record that stands in the account."""

    ref: str
    order: str  # "": it names none
    kind: str
    key: str  # its external id; "": it has none


class Backstage:
    def __init__(self, app: App) -> None:
        self.app = app
        self._control = Control(app, MovedClock(app.world.clock))
        self._others = 0

    @property
    def address(self) -> str:
        return self.app.base_url

    @property
    def changes(self) -> int:
        """Moves with every change of anything."""
        return self.app.world.version

    def handle(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, under_way: int
    ) -> Response | None:
        """The answer to a request; None: there is none.

        Args:
            under_way: how many others of the rehearsal's own are not answered yet.
        """
        path, _, query = target.partition("?")
        self.app.governance.others = self._others + under_way
        try:
            return self.app.handle(method, path, query, headers, body)
        except ConnectionLost:
            return None

    def tick(self) -> None:
        """What was late and is due has happened."""
        self.app.tick()

    def go_wrong(self, preset: str) -> None:
        """Requests fail, searches lag and others are busy as that preset has it: none, mild or hostile."""
        self.app.faults.heal()
        self.app.faults.preset(preset)
        self.app.world.lag(SEARCH_LAG_S[preset])
        self._others = OTHERS[preset]

    def met(self) -> dict[str, int]:
        """How often each fault came, and how often too many requests were under way at once."""
        full = {"pool_full": self.app.governance.refused} if self.app.governance.refused else {}
        return {str(fault): count for fault, count in self.app.faults.met.items()} | full

    def told(self, name: str, **asked: Any) -> dict[str, Any]:
        """What comes of a call of the back door.

        Raises:
            LookupError: people in the account cannot do that.
        """
        status, said = self._control.answer("POST", name, json.dumps(asked).encode())
        if status != 200:
            raise LookupError(str(said["error"]))
        return said

    def documents(self) -> Iterator[Standing]:
        """Every record that is a document, by internal id."""
        for id, rec in sorted(self.app.world.records.items()):
            if rec.type in KINDS and not rec.deleted:
                yield Standing(str(id), str(rec.get(ORDER) or ""), KINDS[rec.type], rec.external_id or "")

    def levels(self) -> Iterator[tuple[str, int]]:
        """How much of each item is at each place."""
        for id, rec in sorted(self.app.world.records.items()):
            if rec.type == "inventoryItem":
                for row in rec.rows("locations"):
                    yield f"{rec.get('itemId')} ({id}) at {row.ref('location')}", int(row.amount("quantityOnHand"))

    def unbalanced(self) -> Iterator[str]:
        """Postings that do not sum to zero."""
        for id, rec in sorted(self.app.world.records.items()):
            if not rec.deleted and (sum((one.amount for one in rec.gl), Decimal(0)) or sum(one.base for one in rec.gl)):
                yield f"{rec.type} {id}"
