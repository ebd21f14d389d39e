"""The waterfall from side to side, as plain geometry: rows of bars that a template draws."""

from dataclasses import dataclass
from typing import Final

WIDTH: Final = 900
ROW: Final = 30
LABELS: Final = 250  # to the left of the bars
FIGURES: Final = 170  # to the right of them
_ROOM: Final = WIDTH - LABELS - FIGURES
_THINNEST: Final = 2.0  # a difference is never invisible


@dataclass(frozen=True, slots=True)
class Step:
    """A side's total, or a part of the way to the next side."""

    label: str
    amount_minor: int
    is_side: bool
    unexplained: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    step: Step
    y: int
    x: float
    width: float
    joint: float  # where the running total stands after this step


@dataclass(frozen=True, slots=True)
class Waterfall:
    bars: tuple[Bar, ...]
    height: int
    cut: bool  # the sides' bars do not begin at zero


def waterfall(steps: tuple[Step, ...]) -> Waterfall:
    """The steps as bars on one scale.

    Where the differences are small beside the totals the scale begins shortly before the smallest total, and says so:
    else a report about cents in millions would show equal bars.
    """
    ends = _ends(steps)
    low, high = min(0, *ends), max(0, *ends)
    cut = min(ends) > 0 and (max(ends) - min(ends)) * 4 < max(ends)
    if cut:
        span = max(max(ends) - min(ends), 1)
        low = min(ends) - span // 2 - 1
    scale = _ROOM / max(high - low, 1)
    bars = []
    before = 0
    for index, (step, end) in enumerate(zip(steps, ends, strict=True)):
        start = (low if cut else 0) if step.is_side else before
        left, right = sorted(((start - low) * scale, (end - low) * scale))
        bars.append(
            Bar(
                step,
                index * ROW,
                round(LABELS + left, 1),
                round(max(right - left, _THINNEST), 1),
                round(LABELS + (end - low) * scale, 1),
            )
        )
        before = end
    return Waterfall(tuple(bars), len(steps) * ROW, cut)


def _ends(steps: tuple[Step, ...]) -> list[int]:
    """The running total after each step."""
    ends: list[int] = []
    for step in steps:
        ends.append(step.amount_minor if step.is_side else (ends[-1] if ends else 0) + step.amount_minor)
    return ends
