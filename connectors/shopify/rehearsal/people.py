"""Who buys in the rehearsed shop: invented people and companies, all at example.com."""

from __future__ import annotations

from typing import Any

_FIRST = ("Avery", "Blair", "Casey", "Devon", "Ellis", "Finley", "Gray", "Harper", "Indigo", "Jules", "Kai", "Lane")
_LAST = ("Quill", "Rowan", "Sable", "Thorne", "Umber", "Vale", "Wren", "Yarrow", "Zephyr", "Ash", "Birch", "Clover")
_COMPANIES = ("Northwind Outfitters", "Juniper Trail Co", "Basecamp Supply", "Larch & Sons", "Highline Rentals")
_PLACES = (
    ("12 Example Street", "Louisville", "40202", "Kentucky", "KY"),
    ("340 Sample Avenue", "Lexington", "40507", "Kentucky", "KY"),
    ("7 Placeholder Way", "Bowling Green", "42101", "Kentucky", "KY"),
)


def name(buyer: int) -> tuple[str, str]:
    """First and last name of a buyer."""
    return _FIRST[buyer % 12], _LAST[buyer // 12 % 12]


def email(buyer: int) -> str:
    first, last = name(buyer)
    return f"{first}.{last}.{buyer}@example.com".lower()


def company(number: int) -> str:
    return f"{_COMPANIES[number % 5]} {number}"


def place(buyer: int) -> tuple[str, str, str, str, str]:
    """Street, city, postal code, province and its code."""
    return _PLACES[buyer % 3]


def address(buyer: int, company_name: str | None) -> dict[str, Any]:
    """A REST address."""
    first, last = name(buyer)
    street, city, postal_code, province, code = place(buyer)
    return {
        "first_name": first,
        "address1": street,
        "phone": "+1 555 0100",
        "city": city,
        "zip": postal_code,
        "province": province,
        "country": "United States",
        "last_name": last,
        "address2": None,
        "company": company_name,
        "latitude": None,
        "longitude": None,
        "name": f"{first} {last}",
        "country_code": "US",
        "province_code": code,
    }


def customer_id(buyer: int) -> int:
    return 7_207_119_551_000 + buyer


def customer(buyer: int, currency: str, since: str) -> dict[str, Any]:
    """A REST customer."""
    first, last = name(buyer)
    number = customer_id(buyer)
    return {
        "id": number,
        "email": email(buyer),
        "created_at": since,
        "updated_at": since,
        "first_name": first,
        "last_name": last,
        "state": "disabled",
        "note": None,
        "verified_email": True,
        "multipass_identifier": None,
        "tax_exempt": False,
        "phone": None,
        "email_marketing_consent": {"state": "not_subscribed", "opt_in_level": None, "consent_updated_at": None},
        "sms_marketing_consent": None,
        "tags": "",
        "currency": currency,
        "tax_exemptions": [],
        "admin_graphql_api_id": f"gid://shopify/Customer/{number}",
        "default_address": {
            **address(buyer, None),
            "id": number + 1_000_000,
            "customer_id": number,
            "country_name": "United States",
            "default": True,
        },
    }
