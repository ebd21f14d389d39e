"""`frozen`: a value that nobody changes once it is made. See docs/decisions/0022-frozen-values.md."""

import os
from dataclasses import dataclass, field
from typing import Final, TypeVar, dataclass_transform

T = TypeVar("T")

ENFORCED: Final = bool(os.environ.get("ORDERHUB_FROZEN"))
"""Whether a running program refuses the change too, as under test; mypy always does."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """A dataclass with slots, equality and a hash, whose fields are set once.

    A frozen dataclass sets each field through a call, and an order makes two hundred of them: a tenth of what an
    import costs (measured, 2026-11).
    """
    if ENFORCED:
        return dataclass(frozen=True, slots=True)(cls)
    return dataclass(slots=True, unsafe_hash=True)(cls)
