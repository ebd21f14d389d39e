"""A problem: something that a person must read. Values, not exceptions."""

from hub.model.frozen import frozen


@frozen
class Problem:
    path: str  # where in the record, as a JSON path: line_items[2].price
    message: str
    code: str = "problem"  # a short word for grouping: identity, current_claim, missing …
    amount_minor: int = 0  # by how much, where it is about money; in the record's currency
