"""Which bank line is which payout: exactly one and exactly that amount, or a person says it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hub.model.bank import BankLine, Match, PaidPayout

BEFORE: Final = timedelta(days=1)  # a bank may book on the evening before
AFTER: Final = timedelta(days=7)
AFTER_NAMED: Final = timedelta(days=60)  # where the line names the payout
NAME_CHARS_MIN: Final = 6  # a shorter reference may stand in any text by chance

Index = dict[tuple[str, int], list[PaidPayout]]
"""Payouts by currency and amount."""


@dataclass(frozen=True, slots=True)
class Matched:
    line: BankLine
    match: Match
    payouts: tuple[PaidPayout, ...]  # the one, or those that it may be


@dataclass(frozen=True, slots=True)
class Matching:
    lines: tuple[Matched, ...]
    unseen: tuple[PaidPayout, ...]  # payouts that no line is


def match(lines: Iterable[BankLine], payouts: Iterable[PaidPayout]) -> Matching:
    """Each line with its payout, by what a person said, then by name, then by amount, currency and day."""
    left = {(one.channel, one.payout): one for one in payouts}
    todo = list(lines)
    found: dict[str, Matched] = {}
    for line in todo:
        if line.matched is not None and (said := left.pop(line.matched, None)) is not None:
            found[_key(line)] = Matched(line, Match.PAYOUT, (said,))
    for named in (True, False):
        open_ = [line for line in todo if _key(line) not in found and line.matched is None]
        for line, payout in _pairs(open_, left, named=named):
            found[_key(line)] = Matched(line, Match.PAYOUT, (payout,))
            del left[payout.channel, payout.payout]
    index = _index(left)
    for line in todo:
        if _key(line) not in found:
            may_be = _candidates(line, index, named=False) or _candidates(line, index, named=True)
            found[_key(line)] = Matched(line, Match.AMBIGUOUS if may_be else Match.NONE, may_be)
    return Matching(tuple(found[_key(line)] for line in todo), tuple(left.values()))


def _pairs(
    lines: list[BankLine], payouts: dict[tuple[str, str], PaidPayout], *, named: bool
) -> list[tuple[BankLine, PaidPayout]]:
    """Those that have only each other."""
    index = _index(payouts)
    candidates = {_key(line): (line, _candidates(line, index, named=named)) for line in lines}
    wooed: dict[tuple[str, str], int] = defaultdict(int)
    for _, some in candidates.values():
        for one in some:
            wooed[one.channel, one.payout] += 1
    return [
        (line, some[0])
        for line, some in candidates.values()
        if len(some) == 1 and wooed[some[0].channel, some[0].payout] == 1
    ]


def _index(payouts: dict[tuple[str, str], PaidPayout]) -> Index:
    found: Index = defaultdict(list)
    for one in payouts.values():
        found[one.currency, one.amount_minor].append(one)
    return found


def _candidates(line: BankLine, payouts: Index, *, named: bool) -> tuple[PaidPayout, ...]:
    """The payouts that a line may be."""
    after = AFTER_NAMED if named else AFTER
    return tuple(
        one
        for one in payouts.get((line.currency, line.amount_minor), ())
        if one.on - BEFORE <= line.on <= one.on + after and (not named or _names(line, one))
    )


def _names(line: BankLine, payout: PaidPayout) -> bool:
    said = f"{line.reference} {line.text}".lower()
    names = [name.lower() for name in (payout.reference, payout.payout) if name and len(name) >= NAME_CHARS_MIN]
    return any(name in said for name in names)


def _key(line: BankLine) -> str:
    return f"{line.account}\x1f{line.key}"
