"""A customer: its header alone, so that telling it twice is telling it once."""

from hub.model.documents import Document
from hub.model.order import Party, PartyRef
from mappings.netsuite.words import PARTY, Body, Directory, given

NAME_CHARS = 32  # of a first or last name (vendor)
COMPANY_CHARS = 83


def customer(document: Document, directory: Directory, who: Party | None) -> Body:
    """The customer, by its name where it is known; a purged one is called by its key."""
    subsidiary = directory.subsidiary(document.entity)
    category = directory.customer_class(document.customer_class) if document.customer_class else None
    body: Body = {
        "entityId": document.key,
        "subsidiary": None if subsidiary is None else {"id": subsidiary},
        "category": None if category is None else {"id": category},
        "email": who.email if who else None,
        "phone": who.phone if who else None,
        PARTY: version_of(who.ref) if who else None,
    }
    return given(body | _name(document, who))


def currencies(document: Document, directory: Directory) -> Body:
    """What lets the customer be billed in the document's currency: a keyed row, merged however often it is told."""
    return {"currencyList": {"items": [{"currency": {"id": directory.currency(document.currency)}}]}}


def _name(document: Document, who: Party | None) -> Body:
    if who is not None and who.company is None and who.name is not None:
        first, _, last = who.name.rpartition(" ")
        return {"isPerson": True, "firstName": first[:NAME_CHARS] or None, "lastName": last[:NAME_CHARS]}
    name = (who.company if who else None) or document.memo or document.key
    return {"isPerson": False, "companyName": name[:COMPANY_CHARS]}


def version_of(party: PartyRef) -> str:
    """Which version of a party NetSuite was told."""
    return f"{party.id}@{party.version}"
