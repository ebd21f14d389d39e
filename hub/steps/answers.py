"""The answers that the command line and the web door give alike: values as JSON has them."""

from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter


def as_json(value: Any) -> Any:
    """A dataclass as JSON-ready values: moments and days as ISO 8601 text."""
    kind: Any = type(value)
    return _adapter(kind).dump_python(value, mode="json")


@lru_cache(maxsize=200)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
