"""Customers' credit: orders share it, so the store disposes of it, by one conditional update."""

from sqlalchemy import Connection, update

from hub.store.bulk import add_new
from hub.store.schema import credit


def take(connection: Connection, customer: str, more_minor: int, limit_minor: int) -> bool:
    """Whether the customer's credit bears that much more; if so it is taken. Less (negative) always is."""
    add_new(connection, credit, [{"customer": customer, "used_minor": 0}])
    taken = update(credit).where(credit.c.customer == customer).values(used_minor=credit.c.used_minor + more_minor)
    if more_minor > 0:
        taken = taken.where(credit.c.used_minor + more_minor <= limit_minor)
    return bool(connection.execute(taken).rowcount)
