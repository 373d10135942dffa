"""How large a segment was, hour by hour, day by day or week by week."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from user360 import clock
from user360.access.workspaces import Workspace
from user360.errors import Invalid
from user360.segments import stored
from user360.segments.store import STATIC, Segment
from user360.storage.warehouse import Warehouse, schema_of

Bucket = Literal["hour", "day", "week"]
STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
MOST = 1_000  # points in one answer


class Point(msgspec.Struct, frozen=True):
    """The size at the end of a bucket, or now in the last one; `at` is the bucket's beginning."""

    at: int
    size: int


def over_time(
    warehouse: Warehouse,
    workspace: Workspace,
    segment: Segment,
    bucket: Bucket,
    since: int | None,
    until: int,
) -> list[Point]:
    """A point for each bucket from `since`, or from its beginning, to `until` (microseconds).

    Buckets are those of the workspace's time zone, weeks begin on Monday. Raises `Invalid` when
    there would be more than 1,000; without `since` they are the last ones.
    """
    ask = _of_list if segment.kind == STATIC else _told
    known = {_plain(at): size for at, size in ask(warehouse, workspace, segment.id, bucket, until)}
    if not known:
        return []
    first = next(iter(known)) if since is None else _begun(workspace, since, bucket)
    last = _begun(workspace, max(until - 1, 0), bucket)
    many = (last - first) // STEPS[bucket] + 1
    if many > MOST and since is not None:
        raise Invalid.at("from", f"from and to are {many:,} {bucket}s apart, at most {MOST:,}")
    start = first if many <= MOST else last - (MOST - 1) * STEPS[bucket]
    return list(_points(workspace, known, start, last, STEPS[bucket]))


def _told(
    warehouse: Warehouse, workspace: Workspace, segment: int, bucket: Bucket, until: int
) -> list[tuple[int, int]]:
    """The last size that was told in each bucket."""
    rows = warehouse.query(
        f"SELECT {_BUCKET.format(bucket=bucket)} AS bucket, arg_max(size, seq)"
        f" FROM {schema_of(workspace.id)}.sizes"
        ' WHERE segment_id = ? AND "at" < make_timestamp(?) GROUP BY bucket ORDER BY bucket',
        [workspace.settings.time_zone, segment, until],
    ).rows
    return [(at, size) for at, size in rows]


def _of_list(
    warehouse: Warehouse, workspace: Workspace, segment: int, bucket: Bucket, until: int
) -> list[tuple[int, int]]:
    """The sizes of a list, reckoned back from what it is now by who entered and left since."""
    schema = schema_of(workspace.id)
    rows = warehouse.query(
        f"SELECT {_BUCKET.format(bucket=bucket)} AS bucket,"
        f' bool_and("at" < make_timestamp(?)), sum(if(entered, 1, -1)) FROM {schema}.changes'
        ' WHERE segment_id = ? GROUP BY bucket, "at" < make_timestamp(?) ORDER BY bucket',
        [workspace.settings.time_zone, until, segment, until],
    ).rows
    size = stored.count(warehouse, workspace, segment) - sum(moved for _, _, moved in rows)
    found = {}
    for at, within, moved in rows:
        size += int(moved)
        if within:
            found[at] = size
    return list(found.items())


_BUCKET = """epoch_us(date_trunc('{bucket}', ("at" AT TIME ZONE 'UTC') AT TIME ZONE ?))"""


def _points(
    workspace: Workspace,
    known: dict[datetime, int],
    start: datetime,
    last: datetime,
    step: timedelta,
) -> Iterator[Point]:
    """What is not known of a bucket is what the one before ended with; nothing before the first."""
    size = max(((at, n) for at, n in known.items() if at < start), default=(start, None))[1]
    shown = -1
    while start <= last:
        size = known.get(start, size)
        at = clock.to_us(start.replace(tzinfo=workspace.zone))
        if size is not None and at > shown:  # an hour that a change of the clock skips is none
            yield Point(at, size)
            shown = at
        start += step


def _plain(us: int) -> datetime:
    return clock.to_datetime(us).replace(tzinfo=None)


def _begun(workspace: Workspace, us: int, bucket: Bucket) -> datetime:
    """The beginning of a moment's bucket by the workspace's clock on the wall."""
    local = clock.to_datetime(us).astimezone(UTC).astimezone(workspace.zone).replace(tzinfo=None)
    hour = local.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    return {"hour": hour, "day": day, "week": day - timedelta(days=day.weekday())}[bucket]
