"""The size of a segment over time as a drawing: a line in steps, from 0 to the largest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import msgspec

from user360 import clock
from user360.pages import words
from user360.segments.sizes import Bucket, Point

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 170, 52, 22, 10
MOST = 240  # points of one drawing


class Spot(msgspec.Struct, frozen=True):
    """One bucket: where it begins on the drawing, how wide it is, and what it says."""

    x: float
    width: float
    says: str


class Chart(msgspec.Struct, frozen=True):
    """A drawing of `WIDTH` by `HEIGHT`: paths for its line and area, lines across, and words."""

    line: str
    area: str
    across: list[tuple[float, str]]
    spots: list[Spot]
    first: str
    last: str
    says: str


def chart(points: Sequence[Point], bucket: Bucket, zone: tzinfo) -> Chart | None:
    """The last `MOST` points as a drawing; None when there are none."""
    shown = points[-MOST:]
    if not shown:
        return None
    top = _round_up(max(point.size for point in shown))
    step = (WIDTH - LEFT) / len(shown)
    heights = [_y(point.size, top) for point in shown]
    path = f"M{LEFT},{heights[0]:.1f}"
    for i, height in enumerate(heights):
        path += f"V{height:.1f}H{LEFT + (i + 1) * step:.1f}"
    names = [_name(point.at, bucket, zone) for point in shown]
    spots = [
        Spot(LEFT + i * step, step, f"{name}: {words.number(point.size)}")
        for i, (name, point) in enumerate(zip(names, shown, strict=True))
    ]
    most = max(shown, key=lambda point: point.size)
    says = (
        f"{words.plural(shown[0].size, 'member')} on {names[0]},"
        f" {words.number(shown[-1].size)} now; at most {words.number(most.size)}"
        f" on {_name(most.at, bucket, zone)}"
    )
    return Chart(
        line=path,
        area=f"{path}V{HEIGHT - BOTTOM}H{LEFT}Z",
        across=[(_y(part, top), words.number(part)) for part in (0, top // 2, top)],
        spots=spots,
        first=names[0],
        last=names[-1],
        says=says,
    )


def _y(size: int, top: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * size / top


def _round_up(most: int) -> int:
    """The next even number of one digit and zeros, 2 at least."""
    scale = int("1" + "0" * (len(str(most)) - 1))
    top = -(-most // scale) * scale
    return max(top + top % 2, 2)


def _name(at: int, bucket: Bucket, zone: tzinfo) -> str:
    local: datetime = clock.to_datetime(at).astimezone(zone)
    day = f"{local.day} {local:%b %Y}"
    return f"{day}, {local:%H:%M}" if bucket == "hour" else day
