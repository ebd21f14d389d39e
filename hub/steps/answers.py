"""The answers that the command line and the web door give alike: values as JSON has them."""

from dataclasses import asdict
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from hub.steps.crosswalks import SetOutcome
from hub.steps.exceptions import Healing
from hub.steps.settling import Sent


def sent_answer(sent: Sent | None) -> dict[str, Any] | None:
    """What became of documents; None: nothing was tried."""
    return None if sent is None else asdict(sent)


def healing_answer(healing: Healing) -> dict[str, Any]:
    """What became of held orders that were decided anew."""
    return asdict(healing) | {"sent": sent_answer(healing.sent)}


def set_answer(outcome: SetOutcome) -> dict[str, Any]:
    """The rows that were set, and the orders that this healed."""
    return {
        "set": [asdict(row) for row in outcome.rows],
        "unchanged": outcome.unchanged,
        "unlisted": list(outcome.unlisted),
        **healing_answer(outcome.healing),
    }


def as_json(value: Any) -> Any:
    """A dataclass as JSON-ready values: moments and days as ISO 8601 text."""
    kind: Any = type(value)
    return _adapter(kind).dump_python(value, mode="json")


@lru_cache(maxsize=200)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
