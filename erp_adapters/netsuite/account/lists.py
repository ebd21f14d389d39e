"""Items, customers and the lists of the set-up as the rows that SuiteQL shows of them."""

from decimal import Decimal
from typing import Any, Final

from erp_adapters.netsuite.account import dates
from erp_adapters.netsuite.account.cells import Rows, custom, flag, number
from erp_adapters.netsuite.account.world import Rec, name_of

ITEM_TYPES: Final = {
    "inventoryItem": "InvtPart",
    "nonInventorySaleItem": "NonInvtPart",
    "otherChargeSaleItem": "OthCharge",
    "discountItem": "Discount",
    "giftCertificateItem": "GiftCert",
    "kitItem": "Kit",
    "shipItem": "ShipItem",
}


def item(rec: Rec, zone: str) -> Rows:
    on_hand = sum((row.amount("quantityOnHand") for row in rec.rows("locations")), Decimal(0))
    yield (
        "item",
        {
            "id": rec.id,
            "externalid": rec.external_id,
            "itemid": rec.get("itemId"),
            "fullname": rec.get("itemId"),
            "displayname": rec.get("displayName"),
            "itemtype": ITEM_TYPES[rec.type],
            "subtype": "Sale" if rec.type in ("nonInventorySaleItem", "otherChargeSaleItem") else None,
            "isinactive": flag(rec.get("isInactive")),
            "cost": number(rec.get("cost")),
            "averagecost": number(rec.get("averageCost")),
            "totalquantityonhand": number(on_hand) if rec.type == "inventoryItem" else None,
            "upccode": rec.get("upcCode"),
            "incomeaccount": rec.ref("incomeAccount") or rec.ref("account") or rec.ref("liabilityAccount"),
            "assetaccount": rec.ref("assetAccount"),
            "expenseaccount": rec.ref("cogsAccount"),
            "createddate": dates.moment(rec.created_at, zone),
            "lastmodifieddate": dates.moment(rec.modified_at, zone),
        }
        | custom(rec.fields),
    )
    for row in rec.rows("locations"):
        yield (
            "inventoryitemlocations",
            {
                "item": rec.id,
                "location": row.ref("location"),
                "quantityavailable": number(row.get("quantityAvailable")),
                "quantityonhand": number(row.get("quantityOnHand")),
                "quantitycommitted": number(row.get("quantityCommitted")),
                "quantitybackordered": number(row.get("quantityBackOrdered")),
                "averagecostmli": number(row.get("averageCost")),
            },
        )


def listed(rec: Rec, zone: str) -> Rows:
    row: dict[str, Any] = {
        "id": rec.id,
        "externalid": rec.external_id,
        "name": rec.get("name"),
        "fullname": rec.get("name"),
        "isinactive": flag(rec.get("isInactive")),
    }
    match rec.type:
        case "account":
            name = rec.get("acctName")
            row |= {"acctnumber": rec.get("acctNumber"), "fullname": name, "displaynamewithhierarchy": name}
            kind = rec.get("acctType")
            row |= {
                "accountsearchdisplayname": name_of(rec),
                "accttype": kind["id"] if isinstance(kind, dict) else kind,
            }
        case "customer":
            person = " ".join(part for part in (rec.get("firstName"), rec.get("lastName")) if part)
            row |= {"entityid": rec.get("entityId"), "altname": rec.get("companyName") or person or None}
            row |= {"email": rec.get("email")}
            yield "entity", row | {"type": "CustJob"}
            row |= {"companyname": rec.get("companyName"), "firstname": rec.get("firstName")}
            row |= {"lastname": rec.get("lastName"), "isperson": flag(rec.get("isPerson")), "phone": rec.get("phone")}
            row |= {name: rec.ref(name) for name in ("currency", "category", "terms")}
            row |= {"datecreated": dates.moment(rec.created_at, zone)}
            row |= {"lastmodifieddate": dates.moment(rec.modified_at, zone)} | custom(rec.fields)
        case "subsidiary":
            country = rec.get("country")
            row |= {"legalname": rec.get("legalName"), "currency": rec.ref("currency")}
            row |= {"country": country["id"] if isinstance(country, dict) else country}
        case "currency":
            row |= {"symbol": rec.get("symbol"), "exchangerate": number(rec.get("exchangeRate"))}
            row |= {"currencyprecision": number(rec.get("currencyPrecision"))}
            row |= {"isbasecurrency": flag(rec.get("isBaseCurrency"))}
        case "accountingPeriod":
            row |= {"periodname": rec.get("periodName"), "startdate": dates.day(rec.get("startDate"))}
            row |= {"enddate": dates.day(rec.get("endDate")), "closed": flag(rec.get("closed"))}
            row |= {"arlocked": flag(rec.get("arLocked")), "aplocked": flag(rec.get("apLocked"))}
            row |= {"alllocked": flag(rec.get("allLocked")), "isadjust": flag(rec.get("isAdjust"))}
            row |= {"isquarter": flag(rec.get("isQuarter")), "isyear": flag(rec.get("isYear"))}
            row |= {"isposting": flag(not (rec.get("isQuarter") or rec.get("isYear")))}
        case "location":
            row |= {"subsidiary": rec.ref("subsidiary")}
        case "salesTaxItem":
            row |= {"itemid": rec.get("itemId"), "fullname": rec.get("itemId"), "rate": number(rec.get("rate"))}
            row |= {"taxtype": rec.ref("taxType")}
        case "term":
            row |= {"daysuntilnetdue": number(rec.get("daysUntilNetDue"))}
    yield rec.type.lower(), row
