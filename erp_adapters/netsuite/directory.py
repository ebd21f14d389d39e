"""What names stand for in this account: internal ids, looked up once each and kept."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

from erp_adapters.netsuite import suiteql
from erp_adapters.netsuite.client import Client
from erp_adapters.netsuite.errors import CLASS_REMEDY, DEPARTMENT_REMEDY
from erp_adapters.netsuite.options import Options
from erp_adapters.netsuite.suiteql import Named
from hub.errors import Misconfigured, Rejected
from hub.model.documents import Component, Document
from hub.ports import ErpConfig
from mappings.netsuite.own_fields import own_fields
from mappings.netsuite.words import CLASS, DEPARTMENT, Body, Segments, by_key

PAYMENT_CLEARING: Final = "payment_clearing"
UNTAXED: Final = "none"
"""The jurisdiction of `tax_codes` that stands on what bears no tax."""

Find = Callable[[Client, Iterable[str]], dict[str, Named]]


class AccountDirectory:
    """The ids of one account; what was found is kept, what was not is looked for again."""

    def __init__(self, client: Client, options: Options, config: ErpConfig) -> None:
        """
        Raises:
            Misconfigured: the chart is none.
        """
        self._client = client
        self._options = options
        self.line_field = options.line_field
        self._found: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()
        try:
            accounts = config.chart.get("accounts") or ()
            self.numbers = tuple(str(one["number"]) for one in accounts)
            self._roles = {
                str(one["role"]): (str(one["number"]), bool(one.get("by")))
                for one in accounts
                if not one.get("alternative")
            }
            self._methods = {str(word): str(role) for word, role in (config.chart.get("methods") or {}).items()}
        except (KeyError, TypeError, AttributeError):
            raise Misconfigured(f"{config.slug}: its chart is none: each account has a number and a role") from None

    # --- what documents name -----------------------------------------------------------------------------------------

    def item(self, code: str) -> str:
        remedy = "make the item in NetSuite, or map the SKU to one in crosswalks.yaml"
        return self._id("item", code, suiteql.items, "unknown_item", "lines.item", remedy)

    def charge(self, component: Component, *, kept: bool = False, custom: bool = False) -> str:
        return self.item(self._options.item(component, kept=kept, custom=custom))

    def tax(self, jurisdiction: str) -> tuple[str, str]:
        named = self._options.tax_code(jurisdiction)
        remedy = "name the tax code and type in options.tax_codes as NetSuite does (Setup > Tax)"
        code = self._id("tax code", named.code, suiteql.tax_codes, "unknown_tax_code", "lines.detail", remedy)
        kind = self._id("tax type", named.type, suiteql.tax_types, "unknown_tax_code", "lines.detail", remedy)
        return code, kind

    def untaxed(self) -> tuple[str, str] | None:
        try:
            self._options.tax_code(UNTAXED)
        except Rejected:
            return None
        return self.tax(UNTAXED)

    def location(self, name: str) -> str:
        remedy = "name the location in options.locations as NetSuite does (Setup > Company > Locations)"
        named = self._options.location(name)
        return self._id("location", named, suiteql.locations, "unknown_location", "location", remedy)

    def order_location(self) -> str | None:
        name = self._options.order_location
        return None if name is None else self.location(name)

    def segments(self, document: Document, sold_as: str | None = None) -> Segments:
        channel = None if document.order is None else document.order.channel
        found: list[tuple[str, str]] = []
        if (department := self._options.department(channel)) is not None:
            find = suiteql.departments
            id = self._id("department", department, find, "unknown_department", DEPARTMENT, DEPARTMENT_REMEDY)
            found.append((DEPARTMENT, id))
        if (named := self._options.class_of(channel, sold_as)) is not None:
            found.append((CLASS, self._id("class", named, suiteql.classes, "unknown_class", CLASS, CLASS_REMEDY)))
        return tuple(found)

    def currency(self, code: str) -> str:
        remedy = "make the currency in NetSuite (Lists > Accounting > Currencies)"
        return self._id("currency", code, suiteql.currencies, "unknown_currency", "currency", remedy)

    def account(self, document: Document, role: str, detail: str = "") -> str:
        chosen = dict(document.accounts).get(role)
        number, divided = (chosen, False) if chosen is not None else self._role(role)
        return self._account(number, detail if divided else "")

    def clearing(self, document: Document) -> str:
        if not document.method:
            raise Rejected(
                f"{document.key} names no payment method",
                code="unknown_method",
                field="method",
                remedy="map the channel's payment method: orderhub crosswalk set payment_method",
            )
        number, divided = self._role(self._methods.get(document.method, PAYMENT_CLEARING))
        return self._account(number, document.method if divided else "")

    def subsidiary(self, entity: str) -> str | None:
        return self._options.subsidiary(entity)

    def customer(self, document: Document) -> Body:
        if document.order is not None and (one := self._options.customer(document.order.channel)) is not None:
            return {"id": one}
        if document.customer is None:
            raise Rejected(
                f"{document.key} names no customer",
                code="unknown_customer",
                field="customer",
                remedy="a fault of the hub: report it",
            )
        return by_key(document.customer)

    def ship_method(self, word: str) -> str | None:
        return self._options.ship_method(word)

    def customer_class(self, word: str) -> str | None:
        return self._options.customer_class(word)

    def form(self, record: str) -> str | None:
        return self._options.form(record)

    def own_fields(self, record: str, document: Document) -> Body:
        return own_fields(self._options.fields.get(record, {}), document)

    # --- looking up --------------------------------------------------------------------------------------------------

    def _account(self, number: str, detail: str) -> str:
        divided = f"{number}:{detail}"
        named = self._options.account_number(divided)
        if named == divided:  # not told apart in NetSuite
            named = self._options.account_number(number)
        remedy = "name the account in options.accounts by NetSuite's number (Lists > Accounting > Accounts)"
        return self._id("account", named, suiteql.accounts, "unknown_account", "accounts", remedy)

    def _role(self, role: str) -> tuple[str, bool]:
        if role not in self._roles:
            raise Rejected(
                f"the chart has no account with the role {role!r}",
                code="unknown_account",
                field="lines.detail",
                remedy="add an account of that role to the chart",
            )
        return self._roles[role]

    def _id(self, kind: str, name: str, find: Find, code: str, field: str, remedy: str) -> str:
        known = self._found.get((kind, name))
        if known is not None:
            return known
        found: Any = find(self._client, (name,)).get(name)
        if found is None or found.inactive:
            what = "is inactive" if found is not None else "is not there"
            raise Rejected(f"NetSuite: {kind} {name!r} {what}", code=code, field=field, remedy=f"{name!r}: {remedy}")
        with self._lock:
            self._found[kind, name] = found.id
        return str(found.id)
