"""What the account must have been given before the first document: permissions, custom fields, features. Data alone.

The guide's tables are held to these by a test. Where NetSuite's own word for a permission was met in no source, it is
marked unsure: its refusal names the right one.
"""

from enum import StrEnum
from typing import Final

from hub.model.frozen import frozen
from mappings.netsuite.words import CANCELLED, CHANNEL, ORDER, ORIGINAL_DATE, PARTY, REVISION, SUBJECT

LINE: Final = "custcol_orderhub_line"
"""The column's usual name; `options.line_field` says another."""

ROLES: Final = "Setup > Users/Roles > Manage Roles > (the role) > Permissions"
FEATURES: Final = "Setup > Company > Enable Features"


class Level(StrEnum):
    VIEW = "View"
    EDIT = "Edit"
    FULL = "Full"


@frozen
class Permission:
    """What the role may do with one record type; the tab is that of the role's permissions."""

    record: str  # of the record service
    name: str
    tab: str
    level: Level
    why: str
    sure: bool = True  # the name; every level is what the adapter's requests call for
    only_for: str = ""  # a part of the hub that not every company uses: without it the permission is not needed


@frozen
class General:
    """A permission that is of no record type."""

    name: str
    tab: str
    level: Level
    why: str


@frozen
class CustomField:
    name: str
    kind: str  # where it is made in NetSuite
    records: tuple[str, ...]
    why: str


PERMISSIONS: Final = (
    Permission("customer", "Customers", "Lists", Level.EDIT, "made and kept up to date"),
    Permission("salesOrder", "Sales Order", "Transactions", Level.EDIT, "made, changed, its lines closed"),
    Permission(
        "itemFulfillment", "Fulfill Orders", "Transactions", Level.FULL, "made; deleted when undone", sure=False
    ),
    Permission("invoice", "Invoice", "Transactions", Level.FULL, "made; deleted when undone"),
    Permission(
        "cashSale", "Cash Sale", "Transactions", Level.FULL, "made; deleted when undone", only_for="billing: cash_sale"
    ),
    Permission(
        "cashRefund",
        "Cash Refund",
        "Transactions",
        Level.FULL,
        "made; deleted when undone",
        only_for="billing: cash_sale",
    ),
    Permission("customerDeposit", "Customer Deposit", "Transactions", Level.FULL, "made; deleted when undone"),
    Permission(
        "depositApplication", "Deposit Application", "Transactions", Level.FULL, "made; deleted when undone", sure=False
    ),
    Permission("customerPayment", "Customer Payment", "Transactions", Level.FULL, "made; deleted when undone"),
    Permission("returnAuthorization", "Return Authorization", "Transactions", Level.FULL, "made; deleted when undone"),
    Permission("itemReceipt", "Item Receipt", "Transactions", Level.FULL, "made; deleted when undone"),
    Permission("creditMemo", "Credit Memo", "Transactions", Level.FULL, "made; deleted when undone"),
    Permission("customerRefund", "Customer Refund", "Transactions", Level.FULL, "made; deleted when undone"),
    Permission("journalEntry", "Make Journal Entry", "Transactions", Level.FULL, "payouts; deleted when undone"),
    Permission(
        "inventoryAdjustment",
        "Adjust Inventory",
        "Transactions",
        Level.FULL,
        "stock told by the hub",
        only_for="stock that the hub tells, as demo does",
    ),
    Permission("inventoryItem", "Items", "Lists", Level.VIEW, "looked up by code"),
    Permission("account", "Accounts", "Lists", Level.VIEW, "looked up by number"),
    Permission("location", "Locations", "Lists", Level.VIEW, "looked up by name"),
    Permission("department", "Departments", "Lists", Level.VIEW, "looked up by name", only_for="options.departments"),
    Permission("classification", "Classes", "Lists", Level.VIEW, "looked up by name", only_for="options.classes"),
    Permission("currency", "Currency", "Lists", Level.VIEW, "looked up by ISO code"),
    Permission("subsidiary", "Subsidiaries", "Lists", Level.VIEW, "checked"),
    Permission("salesTaxItem", "Tax Records", "Setup", Level.VIEW, "looked up by name", sure=False),
    Permission("taxType", "Tax Records", "Setup", Level.VIEW, "looked up by name", sure=False),
    Permission("accountingPeriod", "Manage Accounting Periods", "Setup", Level.VIEW, "checked", sure=False),
)

GENERAL: Final = (
    General("REST Web Services", "Setup", Level.FULL, "every request"),
    General("Log in using OAuth 2.0 Access Tokens", "Setup", Level.FULL, "options.auth: certificate"),
    General("Log in using Access Tokens", "Setup", Level.FULL, "options.auth: token"),
    General("SuiteAnalytics Workbook", "Reports", Level.EDIT, "every query (SuiteQL)"),
    General("Return Auth. Approval", "Transactions", Level.FULL, "a return is made as approved"),
)

SALES: Final = ("salesOrder", "invoice", "cashSale", "creditMemo", "cashRefund", "returnAuthorization")
"""Records whose rows have our key."""
TRANSACTIONS: Final = tuple(one.record for one in PERMISSIONS if one.tab == "Transactions")

BODY: Final = "Transaction Body Fields"
FIELDS: Final = (
    CustomField(
        LINE, "Transaction Line Fields", SALES, "the hub's own id of an order line: rows are found again by it"
    ),
    CustomField(CHANNEL, BODY, TRANSACTIONS, "the channel's slug"),
    CustomField(ORDER, BODY, TRANSACTIONS, "the channel's own id of the order"),
    CustomField(SUBJECT, BODY, TRANSACTIONS, "the channel's own id of a payment, refund or shipment"),
    CustomField(ORIGINAL_DATE, BODY, TRANSACTIONS, "the true day of what was dated into an open period"),
    CustomField(REVISION, BODY, TRANSACTIONS, "which content of the document was told: what changed is told by it"),
    CustomField(CANCELLED, BODY, ("salesOrder",), "what closed rows still count in the order's total"),
    CustomField(PARTY, "Entity Fields", ("customer",), "which version of the customer's data was told"),
)

NEVER_TOLD: Final = ("deferred_revenue", "inventory_in_transit")
"""Roles of the chart that no document names here: NetSuite recognises revenue by schedules of its own."""


@frozen
class Unseen:
    """What no request shows before a document is told, and where a person looks."""

    what: str
    where: str


UNSEEN: Final = (
    Unseen(
        "feature Advanced Shipping",
        f"must be on, else fulfilling an order also bills it: {FEATURES} > Transactions > Shipping & Receiving",
    ),
    Unseen(
        "preference Invoice in Advance of Fulfillment",
        "must be on where anything is billed before it is shipped: Setup > Accounting > Accounting Preferences > "
        "Order Management",
    ),
    Unseen(
        "preferences Make Departments Mandatory, Make Classes Mandatory",
        "where they are on, options.departments and options.classes must be set, else nothing is taken; "
        "no row has one of its own without Allow Per-Line Departments, Classes: Setup > Accounting > Accounting "
        "Preferences > General",
    ),
    Unseen(
        "permission Return Auth. Approval",
        f"must be given, else returns are refused: {ROLES} > Transactions",
    ),
)
