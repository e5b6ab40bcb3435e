"""Charts as plain shapes for an SVG in the template: no script, no colour alone, each with its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ivr.console.words import BAD, BUSY, CARE, GOOD, QUIET
from survey.store.queries.console import Dialled, Tally

WIDTH, HEIGHT = 720, 132
TOP, BOTTOM, LEFT = 8, 20, 34
WIDEST_BAR = 36
LABELS_AT_MOST = 12
HOURS_AT_MOST = timedelta(days=2)


@dataclass(frozen=True)
class Bin:
    """Attempts requested within one hour or day from `start`: `answered` ones and the others."""

    start: datetime
    answered: int
    unanswered: int


@dataclass(frozen=True)
class Rectangle:
    """A filled rectangle in the SVG's own units; `tone` gives colour and pattern."""

    x: float
    y: float
    width: float
    height: float
    tone: str


@dataclass(frozen=True)
class Label:
    """A text below the axis."""

    x: float
    text: str


@dataclass(frozen=True)
class Histogram:
    """Attempts over time: two rectangles per bin, labels below, the scale at the left, and the bins for the table."""

    rectangles: list[Rectangle]
    labels: list[Label]
    highest: int
    bins: list[Bin]
    by_day: bool
    width: int = WIDTH
    height: int = HEIGHT
    top: int = TOP
    base: int = HEIGHT - BOTTOM
    left: int = LEFT


def histogram(bins: Sequence[Bin]) -> Histogram:
    """Lay out the bins from left to right; answered attempts below, the others on top."""
    highest = max((one.answered + one.unanswered for one in bins), default=0) or 1
    slot = (WIDTH - LEFT) / max(len(bins), 1)
    bar = min(slot * 0.8, WIDEST_BAR)
    by_day = len(bins) > 1 and (bins[1].start - bins[0].start).days >= 1
    rectangles = [shape for n, one in enumerate(bins) for shape in _bars(one, LEFT + slot * n + (slot - bar) / 2, bar, highest)]
    every = -(-len(bins) // LABELS_AT_MOST) or 1
    labels = [Label(round(LEFT + slot * (n + 0.5), 1), _label(one.start, by_day)) for n, one in enumerate(bins) if n % every == 0]
    return Histogram(rectangles, labels, highest, list(bins), by_day)


def _bars(one: Bin, x: float, width: float, highest: int) -> list[Rectangle]:
    space = HEIGHT - TOP - BOTTOM
    low, high = space * one.answered / highest, space * one.unanswered / highest
    base = HEIGHT - BOTTOM
    shapes = (Rectangle(x, base - low, width, low, GOOD), Rectangle(x, base - low - high, width, high, QUIET))
    return [_rounded(shape) for shape in shapes if shape.height]


def _rounded(shape: Rectangle) -> Rectangle:
    return Rectangle(round(shape.x, 1), round(shape.y, 1), round(shape.width, 1), round(shape.height, 1), shape.tone)


def _label(start: datetime, by_day: bool) -> str:
    return f"{start.month}/{start.day}" if by_day else f"{start.hour}:00"


def bins(attempts: Sequence[Dialled], zone: ZoneInfo) -> list[Bin]:
    """Attempts per local hour, or per local day once they span more than two days; empty bins between are kept."""
    if not attempts:
        return []
    moments = [(one.at.astimezone(zone), one.answered) for one in attempts]
    first, last = min(moments)[0], max(moments)[0]
    by_day = last - first > HOURS_AT_MOST
    counts: dict[datetime, list[int]] = {}
    at = _floor(first, by_day)
    while at <= last:
        counts[at] = [0, 0]
        at = _next(at, by_day)
    for moment, answered in moments:
        counts[_floor(moment, by_day)][0 if answered else 1] += 1
    return [Bin(start, *pair) for start, pair in counts.items()]


def _floor(at: datetime, to_day: bool) -> datetime:
    floored = at.replace(minute=0, second=0, microsecond=0)
    return floored.replace(hour=0) if to_day else floored


def _next(at: datetime, by_day: bool) -> datetime:
    """The next local midnight, or the next hour as it really passes (a clock may be put back)."""
    return at + timedelta(days=1) if by_day else (at.astimezone(UTC) + timedelta(hours=1)).astimezone(at.tzinfo)


def strip(tally: Tally, width: float = 100.0) -> list[Rectangle]:
    """One bar cut into the outcomes of a tally, left to right, as parts of `width`."""
    parts = (
        (tally.complete + tally.partial, GOOD), (tally.refused, BAD), (tally.non_contact, CARE),
        (tally.other + tally.not_eligible, QUIET), (tally.left, BUSY),
    )  # fmt: skip
    shapes, x = [], 0.0
    for count, tone in parts:
        share = width * count / tally.planned if tally.planned else 0.0
        if share:
            shapes.append(Rectangle(round(x, 2), 0, round(share, 2), 10, tone))
        x += share
    return shapes
