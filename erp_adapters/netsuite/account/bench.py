"""The account as the suite for ERP adapters wants it: a company on a socket of this machine, ready for any fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import yaml

from erp_adapters.netsuite.account import seed
from erp_adapters.netsuite.account.faults import SERVED, STANDING
from erp_adapters.netsuite.account.hands import Hands
from erp_adapters.netsuite.account.http import App
from erp_adapters.netsuite.account.records import kind_of
from erp_adapters.netsuite.account.world import Rec
from hub.model.money import exponent
from hub.testing.conformance.bench import Fault, Login
from hub.testing.conformance.erp_bench import Company, Held, Need

START: Final = datetime(2026, 3, 10, 15, tzinfo=UTC)
ON_HAND: Final = 1000
STOCK_ACCOUNTS: Final = ("1300", "5000")
LINE: Final = "custcol_orderhub_line"

COMPANY: Final = Company(
    entity="main",
    currency="USD",
    timezone="America/New_York",
    items={"MUG-ENAMEL-BLU": 377, "SOCK-HIKE-2": 506},
    gift_card="GIFT-50",
    location="main",
    elsewhere="east",
    method="shopify_payments",
    jurisdictions=("State Tax", "County Tax"),
    rates={"EUR": "1.0931", "JPY": "0.00671", "KWD": "3.2517"},  # none is the account's own
    chart=yaml.safe_load((seed.CONFIG / "chart.yaml").read_text()),
    policies={"returned_goods": "revenue"},  # a credit memo credits the account of its item
)


class Rig:
    """One account; hub.testing.conformance.erp_bench says what is asked of it."""

    company = COMPANY
    database_url = "sqlite://"

    def __init__(
        self, open_app: Callable[..., App], serve: Callable[[App], AbstractContextManager[str]], private_key: str
    ) -> None:
        self._now = START
        self.app = open_app(self.now, on_hand=ON_HAND)
        self.world = self.app.world
        self.hands = Hands(self.world)
        seed.charge_item(self.world, "GOODS-CREDITED", "4000")
        self._service = ExitStack()
        self.address = self._service.enter_context(serve(self.app))
        self._private_key = private_key

    # --- the adapter's side -------------------------------------------------------------------------------------------

    def connect(self, plugin: Callable[[Any], Any], config: Any) -> Any:
        return plugin(config)

    def tokens(self) -> Sequence[str]:
        return list(self.app.auth.tokens)

    def logins(self) -> Mapping[str, Login]:
        known = self.app.auth.credentials
        (certificate, _), *_ = known.certificates.items()
        (token, secret), *_ = known.tokens.items()
        certified = Login(
            seed.OPTIONS, {"private_key": self._private_key},
            {"client_id": known.client_id, "certificate_id": certificate},
        )  # fmt: skip
        signed = Login(
            {**seed.OPTIONS, "auth": "token"}, {"consumer_secret": known.consumer_secret, "token_secret": secret},
            {"consumer_key": known.consumer_key, "token_id": token},
        )  # fmt: skip
        return {"certificate": certified, "token": signed}

    def leave(self) -> None:
        self.app.faults.fail(Fault.LOST_BEFORE, None)  # nor is anybody answered who is connected already
        self._service.close()

    def now(self) -> datetime:
        return self._now

    def pass_time(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self.app.tick()

    # --- faults -------------------------------------------------------------------------------------------------------

    def fail(self, fault: Fault, times: int | None = 1, *, after: int = 0) -> bool:
        return fault in SERVED and self.app.faults.fail(fault, times, after=after)

    def fail_write(self, fault: Fault) -> bool:
        return fault in SERVED and self.app.faults.fail_write(fault)

    def fail_in(self, fault: Fault, per_mille: int) -> bool:
        return fault in SERVED - set(STANDING) and self.app.faults.fail_in(fault, per_mille)

    def heal(self) -> None:
        self.app.faults.heal()
        self.app.auth.revoked = False

    def lag(self, seconds: int) -> None:
        self.world.lag(seconds)

    # --- the truth ----------------------------------------------------------------------------------------------------

    def held(self) -> Sequence[Held]:
        kinds = (rec for rec in self.world.every() if kind_of(rec.type).transaction)
        return [self._held(rec) for rec in kinds if rec.type != "inventoryAdjustment"]

    def _held(self, rec: Rec) -> Held:
        currency = str(self.world.must(rec.ref("currency")).fields["symbol"]) if rec.ref("currency") else "USD"
        sums: dict[str, Decimal] = {}
        for line in rec.gl:
            if line.account not in STOCK_ACCOUNTS:
                sums[line.account] = sums.get(line.account, Decimal(0)) + line.amount
        postings = tuple(sorted((account, _minor(amount, currency)) for account, amount in sums.items() if amount))
        return Held(
            rec.external_id or "", str(rec.id), rec.type, currency, rec.day(), len(rec.rows("item")), postings,
            tracking=tuple(str(row.get("packageTrackingNumber")) for row in rec.rows("package")),
        )  # fmt: skip

    # --- people -------------------------------------------------------------------------------------------------------

    def edit(self, key: str, delta_minor: int) -> None:
        self.hands.edit_amount(key, Decimal(delta_minor).scaleb(-2))

    def delete(self, key: str) -> None:
        self.hands.delete(key)

    def copy(self, key: str) -> str:
        return str(self.hands.copy(key).id)

    def move(self, key: str, on: date) -> None:
        self.hands.move(key, on)

    def ship(self, order: str, units: Mapping[str, int], *, carrier: str, tracking_number: str) -> str:
        rows = {str(row.get(LINE)): row.line for row in self.hands.rec(order).rows()}
        quantities = {rows[line]: count for line, count in units.items()}
        return str(self.hands.fulfil(order, quantities, tracking=tracking_number).id)

    def unship(self, ref: str) -> None:
        self.hands.delete(ref)

    def count(self, item: str, delta: int) -> int:
        self.hands.adjust_stock(item, delta, location=COMPANY.location)
        found, place = self._named("inventoryItem", "itemId", item), self._named("location", "name", COMPANY.location)
        return next(
            int(row.amount("quantityOnHand")) for row in found.rows("locations") if row.ref("location") == place.id
        )

    def close_period(self, on: date) -> None:
        self.hands.close_period(on)

    def open_period(self, on: date) -> None:
        self.hands.open_period(on)

    def take_key(self, key: str) -> None:
        if not key.startswith("so-"):
            raise NotImplementedError(f"no other record is made for {key}")
        other = self.hands.type_in("customer", {"companyName": "Another Shop"})
        item = self._named("inventoryItem", "itemId", "PATCH-KIT")
        rows = [{"item": {"id": str(item.id)}, "quantity": 1, "amount": 5}]
        rec = self.hands.type_in("salesOrder", {"entity": {"id": str(other.id)}, "item": {"items": rows}})
        rec.external_id = key
        self.world.keep(rec)

    def _named(self, kind: str, name: str, value: str) -> Rec:
        return next(rec for rec in self.world.every(kind) if rec.fields.get(name) == value)

    def double(self, key: str) -> None:
        raise NotImplementedError(LACKS[Need.DOUBLE_KEYS])


LACKS: Final[Mapping[str, str]] = {
    Need.DOUBLE_KEYS: "an external id is unique in an account",
    Need.AMENDS_AT_ONCE: "a row has no key that is kept unique, so that two requests at one moment both append it; the"
    " hub lets one worker at a time change a document, and waits out what may still be under way",
    Need.DELIVERY: "it recognises revenue by schedules of its own, so a document that defers revenue is refused",
}


class NetSuiteBench:
    home = Path(__file__).parents[1]
    lacks = LACKS
    too_long = 100_000

    def __init__(
        self,
        open_app: Callable[..., App],
        serve: Callable[[App], AbstractContextManager[str]],
        private_key: Callable[[], str],
    ) -> None:
        """
        Args:
            open_app: an account with a company in it, by its clock.
            serve: its address, for the time of a block.
            private_key: of the integration that the account knows.
        """
        self._open_app, self._serve, self._private_key = open_app, serve, private_key

    @contextmanager
    def open(self) -> Iterator[Rig]:
        rig = Rig(self._open_app, self._serve, self._private_key())
        try:
            yield rig
        finally:
            rig.leave()


def _minor(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(exponent(currency)))
