"""The answers that the command line and the web door give alike: values as JSON has them."""

from dataclasses import asdict
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from hub.flow.banking import Matched, Matching
from hub.model.bank import Match
from hub.steps.clearing import Clearing
from hub.steps.crosswalks import SetOutcome
from hub.steps.exceptions import Healing
from hub.steps.payouts import PayoutShown
from hub.steps.settling import Sent
from hub.store.views.records import RecordDetail


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


def payout_answer(found: PayoutShown) -> dict[str, Any]:
    """One payout: its lines by kind, what they come to, its document, what is open."""
    sight = found.sight
    return {
        **asdict(sight.row),
        "net_minor": sight.net_minor,
        "missing_minor": sight.missing_minor,
        "lines": [asdict(line) for line in sight.lines],
        "documents": [asdict(one) for one in found.documents],
        "tasks": [asdict(one) for one in found.tasks],
    }


def clearing_answer(found: Clearing) -> dict[str, Any]:
    """The tie-out of payment clearing."""
    return {
        "until": found.until.isoformat(),
        "totals": [asdict(one) | {"balance_minor": one.balance_minor} for one in found.totals],
        "pieces": [asdict(one) | {"on": one.on.isoformat()} for one in found.pieces],
    }


def matching_answer(found: Matching, *, whole: bool) -> dict[str, Any]:
    """The bank's lines and the payouts that it has not seen.

    Args:
        whole: also the lines that are one payout and no other.
    """
    lines = [_line_answer(one) for one in found.lines if whole or one.match is not Match.PAYOUT]
    return {"lines": lines, "unseen": [asdict(payout) | {"on": payout.on.isoformat()} for payout in found.unseen]}


def _line_answer(one: Matched) -> dict[str, Any]:
    named = [f"{payout.channel}/{payout.payout}" for payout in one.payouts]
    return asdict(one.line) | {"on": one.line.on.isoformat(), "match": one.match.value, "payouts": named}


def record_answer(found: RecordDetail) -> dict[str, Any]:
    """One record with its body as text; None in its place: it was purged."""
    body = found.body.decode("utf-8", "backslashreplace")
    return asdict(found.row) | {
        "digest": found.digest,
        "headers": found.headers,
        "result": found.result,
        "body": None if found.purged_at else body,
        "purged_at": found.purged_at,
    }


def as_json(value: Any) -> Any:
    """A dataclass as JSON-ready values: moments and days as ISO 8601 text."""
    kind: Any = type(value)
    return _adapter(kind).dump_python(value, mode="json")


@lru_cache(maxsize=200)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
