"""Who bought, who pays, where it goes: personal data, kept apart from the order in immutable versions."""

from hashlib import sha256

from hub.model.order import Party, PartyRef
from mappings.shopify.payload import AddressPayload, OrderPayload
from mappings.shopify.reading import Reading, text


def buyer(order: OrderPayload, read: Reading) -> Party | None:
    """The customer, else the guest who left an e-mail or phone; None where the order names nobody."""
    customer = order.customer
    email, phone, name = text(order.email), text(order.phone), None
    identity = None
    if customer is not None:
        identity = read.optional_id(customer.id, "customer", "id")
        email, phone = text(customer.email) or email, text(customer.phone) or phone
        name = full_name(customer.first_name, customer.last_name, None)
    company = None
    if order.company is not None:  # REST names it in the address alone
        company = text(order.billing_address.company) if order.billing_address is not None else None
        company = company or text(order.company.name)
    if identity is None and not (email or phone or name or company):
        return None
    version = version_of(name, company, email, phone)
    ref = PartyRef(f"customer-{identity}" if identity is not None else f"guest-{version}", version)
    return Party(ref, name=name, company=company, email=email, phone=phone)


def addressee(address: AddressPayload | None) -> Party | None:
    """The party at an address; None where there is no address."""
    if address is None:
        return None
    name = full_name(address.first_name, address.last_name, address.name)
    company, phone = text(address.company), text(address.phone)
    streets = tuple(street for street in (address.address1, address.address2) if street)
    city, postcode, country = text(address.city), text(address.zip), text(address.country_code)
    region = text(address.province_code) or text(address.province)
    if not (name or company or streets or city or postcode or country):
        return None
    version = version_of(name, company, phone, city, region, postcode, country, *streets)
    return Party(
        PartyRef(f"address-{version}", version),
        name=name,
        company=company,
        phone=phone,
        address=streets,
        city=city,
        region=region,
        postcode=postcode,
        country=country,
    )


def full_name(first: str | None, last: str | None, whole: str | None) -> str | None:
    """First and last name where given, else the whole one."""
    return " ".join(part for part in (first, last) if part) or whole or None


def version_of(*content: str | None) -> str:
    """12 hex digits of the SHA-256 of a party's content: equal content is one version."""
    return sha256("\x1f".join("\x00" if part is None else part for part in content).encode()).hexdigest()[:12]
