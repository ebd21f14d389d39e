"""What the ERP may be told under `options` in hub.yaml, where its system is netsuite."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from hub.errors import Misconfigured, Rejected
from hub.http import checked_address
from hub.model.documents import Component
from hub.ports import ErpConfig
from mappings.netsuite.own_fields import expression

HUBS_OWN: Final = "custbody_orderhub_"
ANY: Final = "*"
"""Of tax codes: whatever jurisdiction is not listed; of departments and classes: whatever channel."""
NAMES_OF: Final = {"departments": "department", "classes": "class"}

Words = Annotated[str, Field(min_length=1, max_length=200)]
InternalId = Annotated[str, Field(pattern=r"^-?\d{1,15}$")]
Record = Annotated[str, Field(pattern=r"^[a-z][A-Za-z]+$")]


def _own(field: str) -> str:
    if field.startswith(HUBS_OWN):
        raise ValueError(f"{HUBS_OWN}* are the hub's own fields")
    return field


CustomField = Annotated[str, Field(pattern=r"^custbody_[a-z0-9_]+$"), AfterValidator(_own)]
Expression = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(expression)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, coerce_numbers_to_str=True)


class Items(Part):
    """The item codes (Item Name/Number) that stand for what is no goods; None: none is set up for it."""

    shipping: Words | None = None
    tip: Words | None = None
    duty: Words | None = None
    fee: Words | None = None
    cash_rounding: Words | None = None
    tax_rounding: Words | None = None
    allowance: Words | None = None
    fee_kept: Words | None = None
    marketplace_tax: Words | None = None
    discount: Words | None = None
    gift_card: Words | None = None
    """Of a gift card whose order line names no item."""
    custom: Words | None = None
    """Of an order line that names no item: one without a product."""
    credited_goods: Words | None = None
    """Credits goods that do not come back into stock: no inventory item, sold to the account of returned goods."""


class TaxCode(Part):
    """A tax code and its type, by their names in NetSuite."""

    code: Words
    type: Words


class Options(Part):
    account: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+([_-][A-Za-z0-9]+)*$")]
    """The account's id, 1234567 or 1234567_SB1: the realm that a token's signature names."""
    auth: Literal["certificate", "token"] = "certificate"
    scopes: Annotated[tuple[Literal["rest_webservices", "restlets", "suite_analytics"], ...], Field(min_length=1)] = (
        "rest_webservices",
    )
    scope_form: Literal["list", "text"] = "list"
    """How the assertion names the scopes: as JSON list, or as one text with commas. The vendor's page says both."""
    token_url: str | None = None
    """Where tokens are asked for, and the assertion's audience; None: below the address."""
    requests: Annotated[int, Field(ge=1, le=100)] = 4
    """At once, from this process. The account's limit is shared by all its integrations."""

    subsidiaries: dict[str, InternalId] = {}
    """Entity -> the internal id of its subsidiary; nothing in an account without subsidiaries."""
    accounts: dict[Words, Words] = {}
    """The hub's account number -> NetSuite's, where they differ."""
    items: Items = Items()
    tax_codes: dict[Words, TaxCode] = {}
    """The channel's word for a jurisdiction -> the tax code that carries its tax; `*` for any other."""
    locations: dict[Words, Words] = {}
    """The hub's location -> NetSuite's name of it, where they differ."""
    order_location: Words | None = None
    """The hub's location that orders commit stock at until they are shipped; None: none is set on an order."""
    departments: dict[Words, Words] = {}
    """Channel -> the department of its documents, by NetSuite's full name of it; `*` for any other, and for what is of
    no channel's order. Where none is set NetSuite is told none."""
    classes: dict[Words, Words] = {}
    """As `departments`: the class."""
    item_classes: dict[Words, Words] = {}
    """Item code, or the word of a charge as in `items` -> the class of its rows, in place of the channel's."""
    ship_methods: dict[Words, InternalId] = {}
    """Ship method -> the internal id of its shipping item; where none is set, NetSuite is told no ship method."""
    customer_classes: dict[Words, InternalId] = {}
    """Class of a customer -> the internal id of its category; where none is set, NetSuite is told none."""
    guests: Literal["each", "one"] = "each"
    """Whether each buyer is a customer, or all of a channel are one."""
    customers: dict[Words, InternalId] = {}
    """Channel -> the internal id of the customer that all its buyers are, where guests are one."""
    time_zone: str = "UTC"
    """In which searches show moments: the time zone in the preferences of the integration's user."""
    line_field: Annotated[str, Field(pattern=r"^custcol_[a-z0-9_]+$")] = "custcol_orderhub_line"
    """The transaction column that holds the hub's own id of an order line."""
    fields: dict[Record, dict[CustomField, Expression]] = {}
    """Record, such as salesOrder, -> the account's own fields of it, each filled by a JMESPath over the document."""
    forms: dict[Record, InternalId] = {}
    """Record, such as salesOrder, -> the internal id of the form to use; None: the role's preferred one."""

    @field_validator("time_zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError):
            raise ValueError("expected a time zone like America/New_York") from None
        return zone

    @field_validator("token_url")
    @classmethod
    def _callable(cls, url: str | None) -> str | None:
        try:
            return None if url is None else checked_address(url, "token_url")
        except Misconfigured:
            raise ValueError("expected https://HOST/PATH without a name or password in it") from None

    @property
    def realm(self) -> str:
        """The account as a signature spells it."""
        return self.account.upper().replace("-", "_")

    # --- what a document needs; a remedy where it is not set up ------------------------------------------------------

    def subsidiary(self, entity: str) -> str | None:
        """The internal id of the entity's subsidiary; None: the account has none.

        Raises:
            Rejected: others are set, this one is not.
        """
        if not self.subsidiaries:
            return None
        if entity not in self.subsidiaries:
            raise _unset("unknown_entity", f"subsidiaries.{entity}", f"the subsidiary of entity {entity}")
        return self.subsidiaries[entity]

    def account_number(self, number: str) -> str:
        """NetSuite's number of an account of the hub's chart."""
        return self.accounts.get(number, number)

    def item(self, component: Component, *, kept: bool = False, custom: bool = False) -> str:
        """The item code of a line that is no goods, or of goods credited without any coming back.

        Args:
            kept: of an adjustment: a fee that was kept, not an allowance.
            custom: of goods: a line that names no item.

        Raises:
            Rejected: none is set.
        """
        name = component.value
        if component is Component.ADJUSTMENT:
            name = "fee_kept" if kept else "allowance"
        if component is Component.GOODS:
            name = "custom" if custom else "credited_goods"
        code: str | None = getattr(self.items, name, None)
        if code is None:
            raise _unset("unknown_item", f"items.{name}", f"the item for {name.replace('_', ' ')}")
        return code

    def tax_code(self, jurisdiction: str) -> TaxCode:
        """The tax code of a jurisdiction.

        Raises:
            Rejected: neither it nor `*` is set.
        """
        found = self.tax_codes.get(jurisdiction) or self.tax_codes.get(ANY)
        if found is None:
            raise _unset(
                "unknown_tax_code", f"tax_codes.{jurisdiction}", f"the tax code for {jurisdiction!r}, or {ANY}"
            )
        return found

    def location(self, name: str) -> str:
        """NetSuite's name of a location of the hub's."""
        return self.locations.get(name, name)

    def department(self, channel: str | None) -> str | None:
        """NetSuite's name of a channel's department; None: none is told.

        Args:
            channel: None: of what is of no order.

        Raises:
            Rejected: others are set, this one is not.
        """
        return _of_channel("departments", self.departments, channel)

    def class_of(self, channel: str | None, sold_as: str | None = None) -> str | None:
        """NetSuite's name of the class of a document, or of a row; as `department`."""
        if sold_as in self.item_classes:
            return self.item_classes[sold_as]
        return _of_channel("classes", self.classes, channel)

    def ship_method(self, word: str) -> str | None:
        """The internal id of a ship method's item; None: none is set up at all.

        Raises:
            Rejected: others are, this one is not.
        """
        if self.ship_methods and word not in self.ship_methods:
            raise _unset("unknown_ship_method", f"ship_methods.{word}", f"the shipping item of {word!r}")
        return self.ship_methods.get(word)

    def customer_class(self, word: str) -> str | None:
        """The internal id of a class's category; as `ship_method`."""
        if self.customer_classes and word not in self.customer_classes:
            raise _unset("unknown_customer_class", f"customer_classes.{word}", f"the category of {word!r}")
        return self.customer_classes.get(word)

    def customer(self, channel: str) -> str | None:
        """The internal id of the one customer of a channel; None: each buyer is one.

        Raises:
            Rejected: guests are one, and the channel has no customer.
        """
        if self.guests == "each":
            return None
        if channel not in self.customers:
            raise _unset("unknown_customer", f"customers.{channel}", f"the customer of channel {channel}")
        return self.customers[channel]

    def form(self, record: str) -> str | None:
        """The internal id of the form that a record is made with; None: the preferred one."""
        return self.forms.get(record)


def options_of(config: ErpConfig) -> Options:
    """The ERP's options.

    Raises:
        Misconfigured: with every fault.
    """
    try:
        options = Options.model_validate(dict(config.options))
    except ValidationError as error:
        faults = [
            f"options.{'.'.join(str(part) for part in found['loc'])}: {_said(found)}"
            for found in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise Misconfigured(f"{config.slug}: {'; '.join(faults)}") from None
    entities = [entity.slug for entity in config.entities]
    faults = [
        f"options.subsidiaries.{slug}: no such entity; there is {', '.join(entities)}"
        for slug in options.subsidiaries
        if slug not in entities
    ]
    if options.subsidiaries:
        faults += [
            f"options.subsidiaries: entity {slug} is missing" for slug in entities if slug not in options.subsidiaries
        ]
    if faults:
        raise Misconfigured(f"{config.slug}: {'; '.join(faults)}")
    return options


def _of_channel(option: str, named: Mapping[str, str], channel: str | None) -> str | None:
    found = named.get(channel or ANY) or named.get(ANY)
    if found is None and named and channel is not None:
        what = NAMES_OF[option]
        raise _unset(f"unknown_{what}", f"{option}.{channel}", f"the {what} of channel {channel}, or {ANY}")
    return found


def _unset(code: str, field: str, what: str) -> Rejected:
    remedy = f"set options.{field} of the ERP in hub.yaml to {what}, then retry"
    return Rejected(f"options.{field} is not set", code=code, field=field, remedy=remedy)


def _said(found: Any) -> str:
    if found["type"] == "extra_forbidden":
        return "no such option"
    message = found["msg"].removeprefix("Value error, ")
    return str(message[:1].lower() + message[1:])
