"""`/_control/*`: the clock, the faults, people in the account, what it holds. Not the vendor's; where it listens.

GET  state                 now, counts, faults met, requests that nobody waits for any more and
                           changes that no search has heard of
GET  documents             every document that stands: its type, its external id and the order that it names
POST find       {"keys": [external id, …]}               which of them stand, with type, id, status and lines
POST advance    {"by_s": seconds}                        time passes; what was to happen by then has
POST faults     {"preset", "rates", "next", "next_write", "late_s", "search_lag_s", "heal"}
POST hands      {"do": …}                                as `Hands` has it; documents by external or internal id:
                fulfil {order, lines: {line key: units}, carrier, tracking, date}   edit_amount {document, delta, key}
                delete | copy | recompute_tax | apply_twice | cancel {document}     move {document, date}
                close | reopen {document, keys}
                type_in {kind, body}   adjust_stock {item, by}                      close_period | open_period {date}
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from erp_adapters.netsuite.account.errors import Refused
from erp_adapters.netsuite.account.hands import Hands
from erp_adapters.netsuite.account.http import App
from erp_adapters.netsuite.account.statuses import to_ship
from erp_adapters.netsuite.account.stock import FULFILLED
from erp_adapters.netsuite.account.world import Clock, Rec
from hub.testing.conformance.bench import Fault

ORDER: Final = "custbody_orderhub_order"
"""The transaction field by which a document names its order."""
LINE_KEY: Final = "custcol_orderhub_line"
"""The transaction column by which people and rehearsals name a line."""

Answered = tuple[int, dict[str, Any]]


class MovedClock:
    """A clock that runs with another and can be moved on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return self._clock() + self.ahead


class Control:
    """What a test or a rehearsal does to the account from behind."""

    def __init__(self, app: App, clock: MovedClock) -> None:
        self.app, self.clock = app, clock
        self.hands = Hands(app.world)

    def answer(self, method: str, name: str, body: bytes) -> Answered:
        """The status and body of one call."""
        try:
            asked = json.loads(body or b"{}", parse_float=Decimal)
            with self.app.lock:
                self.app.tick()
                match method, name:
                    case "GET", "state":
                        return 200, self.state()
                    case "GET", "documents":
                        return 200, {"documents": list(self.documents())}
                    case "POST", "find":
                        return 200, {key: self._found(key) for key in asked["keys"]}
                    case "POST", "advance":
                        self.clock.ahead += timedelta(seconds=float(asked["by_s"]))
                        self.app.tick()
                        return 200, self.state()
                    case "POST", "faults":
                        return 200, self.faults(asked)
                    case "POST", "hands":
                        return 200, self.do(asked)
        except LookupError as error:
            return 404, {"error": f"{type(error).__name__}: {error}"}
        except Refused as refused:
            return 409, {"error": refused.detail}
        except (ValueError, KeyError, TypeError) as error:
            return 400, {"error": f"{type(error).__name__}: {error}"}
        return 404, {"error": f"no such control: {method} {name}"}

    def state(self) -> dict[str, Any]:
        app = self.app
        return {
            "now": app.world.now().isoformat(),
            "requests": app.requests,
            "most_at_once": app.governance.most,
            "late": app.late + app.world.lagging,
            "faults": {str(fault): count for fault, count in app.faults.met.items()},
            "records": dict(Counter(rec.type for rec in app.world.records.values() if not rec.deleted)),
        }

    def documents(self) -> Iterator[dict[str, str]]:
        """Every transaction of an order, by internal id; key "": it has no external id."""
        for id, rec in sorted(self.app.world.records.items()):
            if not rec.deleted and rec.get(ORDER):
                yield {"id": str(id), "type": rec.type, "order": str(rec.get(ORDER)), "key": rec.external_id or ""}

    def faults(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What goes wrong from now on."""
        faults = self.app.faults
        if asked.get("heal"):
            faults.heal()
            self.app.world.lag(0)
        if "search_lag_s" in asked:
            self.app.world.lag(int(asked["search_lag_s"]))
        if "preset" in asked:
            faults.preset(asked["preset"])
        if "late_s" in asked:
            first, last = asked["late_s"]
            faults.late_s = (int(first), int(last))
        for name, rate in asked.get("rates", {}).items():
            faults.fail_in(Fault(name), int(rate))
        for name in asked.get("next", ()):
            faults.fail(Fault(name))
        for name in asked.get("next_write", ()):
            faults.fail_write(Fault(name))
        return {"rates": {str(fault): rate for fault, rate in faults.rates.items()}}

    def do(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What a person did, and the document that it was done to or that came of it.

        Raises:
            LookupError: there is no such document or line.
            Refused: the account does not let them.
        """
        hands, what = self.hands, asked["do"]
        match what:
            case "fulfil":
                rec = self._fulfil(asked)
            case "edit_amount":
                rec = hands.edit_amount(
                    asked["document"], Decimal(str(asked["delta"])), line=self._line(asked["document"], asked)
                )
            case "delete":
                rec = hands.rec(asked["document"])
                hands.delete(asked["document"], anyway=bool(asked.get("anyway")))
            case "copy" | "recompute_tax" | "apply_twice" | "cancel":
                rec = getattr(hands, what)(asked["document"])
            case "close" | "reopen":
                lines = [self._line(asked["document"], {"key": key}) for key in asked["keys"]]
                rec = hands.close_rows(asked["document"], lines, closed=what == "close")
            case "move":
                rec = hands.move(asked["document"], date.fromisoformat(asked["date"]))
            case "type_in":
                rec = hands.type_in(asked["kind"], asked["body"])
            case "adjust_stock":
                rec = hands.adjust_stock(asked["item"], int(asked["by"]))
            case "close_period" | "open_period":
                rec = getattr(hands, what)(date.fromisoformat(asked["date"]))
            case other:
                raise ValueError(f"nobody does so: {other}")
        return self._told(rec)

    def _fulfil(self, asked: dict[str, Any]) -> Rec:
        """A parcel left: of the lines named what the account can ship; gift certificates and charges are no goods."""
        order = self.hands.rec(asked["order"])
        wanted: dict[str, int] = asked["lines"]
        quantities = {
            row.line: int(min(Decimal(wanted[row.get(LINE_KEY)]), to_ship(self.app.world, row)))
            for row in order.rows("item")
            if row.get(LINE_KEY) in wanted
        }
        quantities = {line: quantity for line, quantity in quantities.items() if quantity}
        if not quantities:
            raise LookupError(f"{asked['order']}: nothing of this is to be shipped")
        day = date.fromisoformat(asked["date"]) if "date" in asked else None
        carrier, tracking = asked.get("carrier"), asked.get("tracking")
        return self.hands.fulfil(order.id, quantities, tracking=tracking, carrier=carrier, day=day)

    def _line(self, document: str, asked: dict[str, Any]) -> int | None:
        if "key" not in asked:
            return None
        for row in self.hands.rec(document).rows("item"):
            if row.get(LINE_KEY) == asked["key"]:
                return row.line
        raise LookupError(f"{document} has no line {asked['key']}")

    def _found(self, key: str) -> dict[str, Any] | None:
        try:
            return self._told(self.hands.rec(key))
        except LookupError:
            return None

    def _told(self, rec: Rec) -> dict[str, Any]:
        status = rec.get("status")
        return {
            "type": rec.type,
            "id": str(rec.id),
            "key": rec.external_id,
            "status": status.get("refName") if isinstance(status, dict) else status,
            "entity": rec.ref("entity"),
            "lines": [
                {
                    "line": row.line,
                    "key": row.get(LINE_KEY),
                    "item": row.ref("item"),
                    "goods": self.app.world.must(row.ref("item")).type in FULFILLED,
                    "closed": bool(row.get("isClosed")),
                }
                for row in rec.rows("item")
            ],
        }
