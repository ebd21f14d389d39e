"""The account walked through as by one who sets it up: what is missing, and where in NetSuite it is set.

Nothing is written. A permission is tried on a record that nobody has: its key is drawn for this one question.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from erp_adapters.netsuite.auth import Nonce
from erp_adapters.netsuite.checking_lists import Finding, Lists, Look
from erp_adapters.netsuite.client import Client, eid
from erp_adapters.netsuite.errors import LOGIN_REMEDY, NotFound
from erp_adapters.netsuite.needs import (
    BODY,
    FEATURES,
    FIELDS,
    LINE,
    PERMISSIONS,
    ROLES,
    UNSEEN,
    CustomField,
    Level,
    Permission,
)
from erp_adapters.netsuite.options import ANY, Items, Options
from hub.errors import AuthExpired, HubError, InDoubt, Rejected, Retryable
from hub.model.problems import Problem
from hub.ports import ErpConfig, InUse, Looked

FIELDS_AT: Final = "Customization > Lists, Records, & Fields"
OVERLOAD: Final = (
    "NetSuite answers INVALID_LOGIN both to credentials that are wrong and, with tokens, when the account is "
    "overloaded: where the Login Audit Trail shows no failed login, wait and check again. Look at options.account "
    "(the realm), the four secrets, and this machine's clock"
)


class Walk:
    """One walk through an account."""

    def __init__(self, client: Client, options: Options, config: ErpConfig, used: InUse, nonce: Nonce) -> None:
        self._client = client
        self._options = options
        self._config = config
        self._used = used
        self._nonce = nonce
        self._forbidden: set[str] = set()
        self._numbers = {str(one["number"]) for one in config.chart.get("accounts") or ()}
        self._lists = Lists(client, options, config, used)

    def looks(self) -> Iterator[Looked]:
        """Thing by thing; where nobody is let in, nothing more."""
        way_in = self._looked("way in", self._way_in)
        yield way_in
        if way_in.problems:
            return
        for need in PERMISSIONS:
            yield self._looked(f"permission {need.name} ({need.record})", partial(self._permission, need))
        searches = self._looked("permission SuiteAnalytics Workbook", self._searches)
        yield searches
        yield self._looked("feature SuiteTax", self._suite_tax)
        yield self._looked("custom fields", self._fields)
        yield self._looked("policies", self._policies)
        yield self._looked("set-up in options", self._set_up)
        if not searches.problems:
            for what, look in self._lists.looks():
                yield self._looked(what, look)
        used = self._used
        yield self._looked("ship methods", partial(self._by_id, "shipItem", "ship_methods", used.ship_methods))
        classes = partial(self._by_id, "customerCategory", "customer_classes", used.customer_classes)
        yield self._looked("customer classes", classes)
        yield self._looked("customers of guests", self._guests)
        yield self._looked("forms", self._forms)
        for one in UNSEEN:
            yield Looked(one.what, note=f"not seen from outside: {one.where}")

    def _looked(self, what: str, look: Look) -> Looked:
        """What a look found; one that is refused is a problem of its own, and the walk goes on.

        Raises:
            AuthExpired: after having been let in.
        """
        problems: list[Problem] = []
        notes: list[str] = []
        try:
            for finding in look():
                if isinstance(finding, Problem):
                    problems.append(finding)
                else:
                    notes.append(finding)
        except Rejected as refusal:
            problems.append(Problem("refused", f"{refusal}; {refusal.remedy}"))
        except AuthExpired:
            raise
        except (Retryable, InDoubt) as error:
            problems.append(Problem("no_answer", f"{error}; check again"))
        return Looked(what, tuple(problems), "; ".join(notes) or None)

    # --- who we are ---------------------------------------------------------------------------------------------------

    def _way_in(self) -> Iterator[Finding]:
        try:
            self._client.get("customer", self._nobody())
        except Rejected as refusal:
            if refusal.code == "insufficient_permission" and "REST" in str(refusal):
                yield Problem(
                    "permissions.rest",
                    f"the role lacks REST Web Services (Full): set it at {ROLES} > Setup, and enable the feature at "
                    f"{FEATURES} > SuiteCloud; NetSuite says: {refusal}",
                )
        except HubError as error:
            more = f"; {OVERLOAD}" if self._options.auth == "token" and ": 401:" in str(error) else ""
            remedy = f"; {LOGIN_REMEDY}" if isinstance(error, AuthExpired) and LOGIN_REMEDY not in str(error) else ""
            yield Problem("credentials", f"{error}{remedy}{more}")

    def _permission(self, need: Permission) -> Iterator[Finding]:
        try:
            self._client.get(need.record, self._nobody())  # loads the record as for editing, so it wants Edit (vendor)
            if need.level is Level.FULL:
                self._client.delete(need.record, self._nobody())
        except NotFound:
            return
        except Rejected as refusal:
            where = f"{need.name} ({need.level})"
            if refusal.code == "insufficient_permission":
                message = f"the role lacks {where}: set it at {ROLES} > {need.tab}; NetSuite says: {refusal}"
            elif refusal.code == "unknown_record_type":
                message = f"{refusal}; {refusal.remedy}, or grant {where} at {ROLES} > {need.tab}"
            else:
                message = f"{refusal}; {refusal.remedy}"
            self._forbidden.add(need.record)
            if need.only_for:
                yield f"only needed for {need.only_for}: {message}"
            else:
                yield Problem(f"permissions.{need.record}", message)

    def _searches(self) -> Iterator[Finding]:
        try:
            list(self._client.suiteql("SELECT id FROM currency ORDER BY id FETCH FIRST 1 ROWS ONLY"))
        except Rejected as refusal:
            yield Problem(
                "permissions.suiteql",
                f"the role may not ask SuiteQL, so the rest is not seen: set SuiteAnalytics Workbook (Edit) at {ROLES} "
                f"> Reports, and enable the feature at {FEATURES} > Analytics; NetSuite says: {refusal}",
            )

    def _nobody(self) -> str:
        return eid(f"orderhub-check-{self._nonce()}")

    # --- what records there are ---------------------------------------------------------------------------------------

    def _suite_tax(self) -> Iterator[Finding]:
        if "salesOrder" in self._forbidden:
            yield "not seen: the role may not read sales orders"
        elif "taxdetailsoverride" not in self._client.properties("salesOrder").get("salesorder", ()):
            yield Problem(
                "features.suitetax",
                "a sales order has no taxDetailsOverride, so the channel's tax cannot be told: enable SuiteTax at "
                f"{FEATURES} > Tax (it cannot be disabled again), or show the tax fields on the form",
            )

    def _fields(self) -> Iterator[Finding]:
        fields = [self._named(one) for one in FIELDS] + list(self._own_fields())
        for need in PERMISSIONS:
            mine = [one for one in fields if need.record in one.records]
            if not mine or need.record in self._forbidden:
                continue
            known = self._client.properties(need.record)
            of_record = known.get(need.record.lower(), frozenset())
            of_rows = known.get(f"{need.record.lower()}-itemelement", frozenset())
            for one in mine:
                there = of_rows if one.name.startswith("custcol_") else of_record
                if one.name not in there:
                    yield Problem(
                        f"fields.{one.name}",
                        f"{need.record} has no field {one.name}: make it at {FIELDS_AT} > {one.kind} (type Free-Form "
                        f"Text), apply it to {need.record}, show it on the form and let the role edit it",
                    )

    def _own_fields(self) -> Iterator[CustomField]:
        """Those that the configuration fills."""
        for record, filled in self._options.fields.items():
            for name in filled:
                yield CustomField(name, BODY, (record,), f"options.fields.{record}")

    def _named(self, field: CustomField) -> CustomField:
        if field.name != LINE:
            return field
        return CustomField(self._options.line_field, field.kind, field.records, field.why)

    # --- what the configuration asks of NetSuite ----------------------------------------------------------------------

    def _policies(self) -> Iterator[Finding]:
        for channel in self._used.on_delivery:
            yield Problem(
                "policies.recognise",
                f"channel {channel}: NetSuite recognises revenue by its own schedules, so recognise: delivery cannot "
                "be told: set recognise: shipment in the policies of the entity and of the channel",
            )
        if self._config.policies.get("returned_goods") != "revenue":
            yield Problem(
                "policies.returned_goods",
                "NetSuite credits goods to the account that their item was sold to: set returned_goods: revenue in "
                "the entity's policies, else every return differs between the books and NetSuite",
            )

    def _set_up(self) -> Iterator[Finding]:
        unknown = sorted(number for number in self._options.accounts if number.partition(":")[0] not in self._numbers)
        for number in unknown:
            yield Problem(f"options.accounts.{number}", "the hub's chart has no such account: correct it in hub.yaml")
        unset = [name for name in Items.model_fields if getattr(self._options.items, name) is None]
        if unset:
            yield f"options.items names none for {', '.join(unset)}: what has one is refused"
        if ANY not in self._options.tax_codes:
            if not self._options.tax_codes:
                yield Problem(
                    "options.tax_codes",
                    "none is set, so nothing with a tax can be told: name the tax code and type of each jurisdiction, "
                    f"or of {ANY}, as NetSuite does (Setup > Tax)",
                )
            else:
                yield f"options.tax_codes has no {ANY}: a jurisdiction that it does not list is refused"
        for word in sorted(self._used.tax_codes):
            if ANY not in self._options.tax_codes and word not in self._options.tax_codes:
                yield Problem(
                    f"options.tax_codes.{word}", f"a crosswalk gives {word!r}: name its tax code and type in hub.yaml"
                )

    def _guests(self) -> Iterator[Finding]:
        if self._options.guests == "each":
            return
        for channel in self._used.channels:
            id = self._options.customers.get(channel)
            if id is None:
                yield Problem(
                    f"options.customers.{channel}",
                    "guests are one, and this channel has no customer: set the internal id of the customer that its "
                    "buyers are (Lists > Relationships > Customers)",
                )
            elif self._client.get("customer", id) is None:
                yield Problem(
                    f"options.customers.{channel}",
                    f"there is no customer with the internal id {id}: correct it (Lists > Relationships > Customers)",
                )

    def _forms(self) -> Iterator[Finding]:
        for record, id in sorted(self._options.forms.items()):
            yield f"not seen from outside: {record}: {id}: look at Customization > Forms > Transaction Forms"

    def _by_id(self, record: str, option: str, words: frozenset[str]) -> Iterator[Finding]:
        """Words that stand for an internal id in an option."""
        ids: Mapping[str, str] = getattr(self._options, option)
        if not ids:
            return
        for word in sorted(words - ids.keys()):
            yield Problem(f"options.{option}.{word}", f"a crosswalk gives {word!r}: set its internal id in hub.yaml")
        for word, id in sorted(ids.items()):
            try:
                found = self._client.get(record, id)
            except Rejected as refusal:
                if refusal.code != "unknown_record_type":
                    raise
                yield f"not seen: {refusal}"
                return
            if found is None:
                yield Problem(f"options.{option}.{word}", f"NetSuite has no {record} with the internal id {id}")
