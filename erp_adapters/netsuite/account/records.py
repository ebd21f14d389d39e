"""What record types the account serves, with the properties that it knows: the vendor's names, read from its specs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Sublist:
    """A list within a record. `key`: the property that rows are known by; None: their line number only."""

    properties: frozenset[str]
    key: str | None = None
    numbered: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """One record type. `group` is the name space of its external ids."""

    name: str
    label: str
    group: str
    prefix: str = ""
    properties: frozenset[str] = frozenset()
    sublists: Mapping[str, Sublist] = field(default_factory=dict)
    writable: bool = True
    creatable: bool = True  # by POST; a deposit application is not

    @property
    def transaction(self) -> bool:
        return self.group == "transaction"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMMON: Final = _words("id externalId refName links createdDate lastModifiedDate customForm")
_LISTED: Final = _words("id externalId refName links")
_TRANSACTION: Final = _COMMON | _words(
    "tranDate tranId memo currency exchangeRate subsidiary postingPeriod department class location status"
)
_SALE: Final = _TRANSACTION | _words(
    "entity otherRefNum subtotal taxTotal total discountTotal discountItem discountRate email terms"
    " taxDetailsOverride toBeEmailed shippingCost shipMethod handlingCost nexus"
)
_LINE: Final = _words(
    "item line links refName quantity rate amount grossAmt description price location department class isTaxable"
    " taxDetailsReference taxCode taxRate1 taxAmount tax1Amt giftCertFrom giftCertMessage giftCertNumber"
    " giftCertRecipientEmail giftCertRecipientName itemType units"
)
_ORDER_LINE: Final = _LINE | _words(
    "isClosed isOpen commitInventory createPo createdPo poVendor expectedShipDate quantityCommitted"
    " quantityBackOrdered quantityFulfilled quantityBilled quantityReceived quantityPicked quantityPacked shipGroup"
    " itemFulfillmentChoice closeDate"
)
_TAX: Final = Sublist(
    _words(
        "taxDetailsReference taxCode taxType taxBasis taxRate taxAmount lineName lineType netAmount calcDetail refName"
    ),
    key="taxDetailsReference",
    numbered=False,
)
_APPLY: Final = Sublist(
    _words("doc line apply amount applyDate due total createdFrom type refNum currency disc links refName"), key="doc"
)
_ADDRESS: Final = _words(
    "addr1 addr2 addr3 addrPhone addrText addressee attention city country state zip override externalId refName"
)

ADDRESSES: Final = {"shippingAddress": _ADDRESS, "billingAddress": _ADDRESS, "addressBookAddress": _ADDRESS}
"""Parts of a record that are objects of their own."""


_LACKS: Final = {
    "salesOrder": "postingPeriod",
    "returnAuthorization": "postingPeriod shippingCost shipMethod handlingCost terms",
    "cashRefund": "status",
}
"""What a kind of sale has not, though the others have it."""


def _sale(name: str, label: str, prefix: str, more: str, *, order: bool = False, apply: bool = False) -> Kind:
    line = _ORDER_LINE if order else _LINE
    if name != "salesOrder":
        line |= _words("orderLine orderDoc")
    sublists = {"item": Sublist(line), "taxDetails": _TAX}
    if apply:
        sublists["apply"] = _APPLY
    known = (_SALE | _words(more) | frozenset(sublists)) - _words(_LACKS.get(name, ""))
    return Kind(name, label, "transaction", prefix, known, sublists)


_SOLD: Final = _words("incomeAccount rate isTaxable taxSchedule upcCode")
_STOCKED: Final = _SOLD | _words(
    "assetAccount cogsAccount cost averageCost quantityOnHand quantityAvailable quantityCommitted quantityBackOrdered"
)


def _item(name: str, label: str, more: frozenset[str], sublists: Mapping[str, Sublist] | None = None) -> Kind:
    known = _COMMON | _words("itemId displayName isInactive subsidiary itemType") | more
    return Kind(name, label, "item", "", known, sublists or {}, writable=False)


_KINDS: Final = (
    _sale(
        "salesOrder",
        "Sales Order",
        "SO",
        "orderStatus shipComplete shippingCostOverridden shippingAddress billingAddress shipAddressList promotions"
        " paymentOption salesChannel shipDate leadSource couponCode createdFrom",
        order=True,
    ),
    _sale(
        "invoice",
        "Invoice",
        "INV",
        "account createdFrom dueDate amountPaid amountRemaining shippingAddress billingAddress shipDate",
    ),
    _sale(
        "cashSale",
        "Cash Sale",
        "CS",
        "account createdFrom undepFunds paymentMethod paymentOption shippingAddress billingAddress",
    ),
    _sale(
        "creditMemo",
        "Credit Memo",
        "CM",
        "account createdFrom applied unapplied amountPaid amountRemaining billingAddress",
        apply=True,
    ),
    _sale("cashRefund", "Cash Refund", "CR", "account createdFrom paymentMethod paymentOption billingAddress"),
    _sale("returnAuthorization", "Return Authorization", "RMA", "orderStatus createdFrom billingAddress", order=True),
    Kind(
        "itemFulfillment",
        "Item Fulfillment",
        "transaction",
        "IF",
        (_TRANSACTION - _words("currency status"))
        | _words("entity createdFrom shipStatus status shippedDate shipMethod shippingCost handlingCost item package"),
        {
            "item": Sublist(
                _words(
                    "item line orderLine orderDoc itemReceive quantity quantityRemaining location description"
                    " department class rate amount itemName itemType links refName inventoryDetail"
                )
            ),
            "package": Sublist(
                _words("packageCartonNumber packageDescr packageTrackingNumber packageWeight refName"), numbered=False
            ),
        },
    ),
    Kind(
        "itemReceipt",
        "Item Receipt",
        "transaction",
        "IR",
        (_TRANSACTION - _words("status")) | _words("entity createdFrom item"),
        {
            "item": Sublist(
                _words(
                    "item line orderLine orderDoc itemReceive quantity quantityRemaining location restock description"
                    " department class rate amount itemName itemType unitCostOverride links refName"
                )
            )
        },
    ),
    Kind(
        "customerDeposit",
        "Customer Deposit",
        "transaction",
        "CD",
        _TRANSACTION
        | _words("customer salesOrder payment account undepFunds paymentMethod paymentOption checkNum total"),
    ),
    Kind(
        "depositApplication",
        "Deposit Application",
        "transaction",
        "DA",
        _TRANSACTION | _words("customer deposit depositDate arAcct applied unapplied total apply"),
        {"apply": _APPLY},
        creatable=False,
    ),
    Kind(
        "customerPayment",
        "Payment",
        "transaction",
        "PYMT",
        _TRANSACTION
        | _words(
            "customer payment account undepFunds arAcct paymentMethod paymentOption checkNum applied unapplied total"
            " autoApply apply"
        ),
        {"apply": _APPLY},
    ),
    Kind(
        "customerRefund",
        "Customer Refund",
        "transaction",
        "RFND",
        _TRANSACTION | _words("customer account arAcct paymentMethod paymentOption checkNum total apply deposit"),
        {"apply": _APPLY, "deposit": _APPLY},
    ),
    Kind(
        "journalEntry",
        "Journal",
        "transaction",
        "JE",
        (_TRANSACTION - _words("status")) | _words("approved line reversalDate"),
        {
            "line": Sublist(
                _words("line account debit credit memo entity department class location links refName eliminate")
            )
        },
    ),
    Kind(
        "inventoryAdjustment",
        "Inventory Adjustment",
        "transaction",
        "IA",
        _TRANSACTION | _words("account adjLocation inventory customer estimatedTotalValue"),
        {
            "inventory": Sublist(
                _words("line item location adjustQtyBy unitCost quantityOnHand memo description links refName")
            )
        },
    ),
    Kind(
        "customer",
        "Customer",
        "entity",
        "CUST",
        (_COMMON - _words("createdDate"))
        | _words(
            "entityId companyName firstName middleName lastName isPerson isInactive email phone altPhone subsidiary"
            " currency category terms comments dateCreated balance depositBalance unbilledOrders receivablesAccount"
            " addressBook currencyList taxable"
        ),
        {
            "addressBook": Sublist(
                _words(
                    "id internalId addressId label defaultBilling defaultShipping isResidential"
                    " addressBookAddress links refName"
                ),
                key="internalId",
            ),
            "currencyList": Sublist(
                _words("currency balance depositBalance overdueBalance unbilledOrders links refName"), key="currency"
            ),
        },
    ),
    _item(
        "inventoryItem",
        "Inventory Item",
        _STOCKED | _words("rate locations"),
        {
            "locations": Sublist(
                _words(
                    "location quantityOnHand quantityAvailable quantityCommitted quantityBackOrdered averageCost"
                    " locationId links refName"
                ),
                key="location",
            )
        },
    ),
    _item("nonInventorySaleItem", "Non-inventory Item for Sale", _SOLD),
    _item("otherChargeSaleItem", "Other Charge Item for Sale", _SOLD),
    _item("discountItem", "Discount", _words("account rate taxSchedule")),
    _item("giftCertificateItem", "Gift Certificate", _words("liabilityAccount rate isTaxable")),
    _item(
        "kitItem",
        "Kit/Package",
        _SOLD | _words("member"),
        {"member": Sublist(_words("item quantity line links refName"))},
    ),
    Kind(
        "account",
        "Account",
        "other",
        "",
        _COMMON | _words("acctNumber acctName acctType currency isInactive parent"),
        writable=False,
    ),
    Kind("location", "Location", "other", "", _LISTED | _words("name isInactive subsidiary"), writable=False),
    Kind(
        "subsidiary",
        "Subsidiary",
        "other",
        "",
        _LISTED | _words("name legalName currency country isInactive parent"),
        writable=False,
    ),
    Kind(
        "currency",
        "Currency",
        "other",
        "",
        _LISTED | _words("name symbol exchangeRate currencyPrecision isBaseCurrency isInactive"),
        writable=False,
    ),
    Kind(
        "accountingPeriod",
        "Accounting Period",
        "other",
        "",
        _COMMON | _words("periodName startDate endDate closed arLocked allLocked isQuarter isYear isAdjust"),
        writable=False,
    ),
    Kind("department", "Department", "other", "", _COMMON | _words("name isInactive"), writable=False),
    Kind("classification", "Class", "other", "", _COMMON | _words("name isInactive"), writable=False),
    Kind("taxType", "Tax Type", "other", "", _COMMON | _words("name country payablesAccount"), writable=False),
    Kind(
        "salesTaxItem",
        "Tax Code",
        "other",
        "",
        _COMMON | _words("itemId rate taxType taxAccount isInactive"),
        writable=False,
    ),
    Kind("paymentMethod", "Payment Method", "other", "", _COMMON | _words("name account isInactive"), writable=False),
    Kind("shipItem", "Shipping Item", "item", "", _LISTED | _words("itemId account isInactive"), writable=False),
    Kind("customerCategory", "Customer Category", "other", "", _COMMON | _words("name isInactive"), writable=False),
    Kind("term", "Term", "other", "", _COMMON | _words("name daysUntilNetDue isInactive"), writable=False),
)

KINDS: Final = {kind.name: kind for kind in _KINDS}
_BY_LOWER: Final = {kind.name.lower(): kind for kind in _KINDS}

ITEMS: Final = tuple(kind.name for kind in _KINDS if kind.group == "item")
TRANSACTIONS: Final = tuple(kind.name for kind in _KINDS if kind.transaction)


def kind_of(name: str) -> Kind:
    """The record type of this name.

    Raises:
        KeyError: the account serves none.
    """
    return KINDS[name]


def kind_in(path: str) -> Kind | None:
    """The record type that a path names, in whatever case."""
    return _BY_LOWER.get(path.lower())
