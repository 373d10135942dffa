"""The reference page of conditions: the tables of operators, and the words round them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from user360.records.properties import Type
from user360.segments.language.operators import TABLE, TOTALS, Operator, Total

_BEGINNING = """\
# Conditions

A condition says which records are meant. It is one JSON tree, the same for searches, segments and
exports. This page is printed from the table that the product itself reads.

```
node      := {"all": [node, ...]} | {"any": [node, ...]} | {"not": node} | condition
condition := property | event | sequence | membership
property  := {"property": NAME, "op": OP, "values": [..]}
event     := {"event": NAME, "occurred": true|false, "count": {"op": TOTAL, "value": N},
              "during": PERIOD, "where": [{"path": "a.b", "op": OP, "values": [..]}, ...],
              "sum": {"path": "amount", "op": TOTAL, "value": N}}
sequence  := {"sequence": [{"event": NAME, "where": [..]}, ...],
              "within": {"amount": N, "unit": UNIT}, "completed": true|false, "during": PERIOD}
membership:= {"segment": ID, "in": true|false}
```

```json
{"all": [
  {"property": "country", "op": "is", "values": ["IN", "US"]},
  {"property": "emailOptin", "op": "isTrue"},
  {"event": "Purchase", "count": {"op": "gte", "value": 3}, "during": {"after": "2026-01-01"}},
  {"event": "Downgrade", "occurred": false}
]}
```

A tree is at most 32 deep and has at most 1,000 nodes, 100 conditions on events (each step of a
sequence being one), and 1,000 values in one condition. With the segments that it names written out
it is at most 64 deep and has at most 3,000 nodes. A tree that cannot be understood is refused with
`invalidCondition` and a fault for every place that is wrong. Names of properties are written as
they were declared; `createdAt` and `updatedAt` of the record take part as datetimes. Names of
events are compared exactly.

## True or not

A condition is true or it is not; nothing is in between. Where a value is unknown a positive
operator is not true. A negative operator is the exact complement of its positive, so it is true
there, and `not` is the exact complement of what it holds.

## Operators on properties
"""

_VALUES = """\
Several values are alternatives; for a negative operator none of them may fit. Texts are compared
without regard to case. Addresses are first brought into the form they are kept in, and then, like
lists, compared exactly. Nothing is a wildcard: `%` and `_` mean themselves.

| operator | types | values | reads |
|---|---|---|---|
"""

_TIME = """
## Days and times

All reckoning is done in the time zone of the workspace, over changes of the clock too.

- A bare date compared with a datetime means that whole day: `isBefore` is before it begins,
  `isAfter` after it has ended. A datetime means that instant; without an offset it is read in the
  workspace's time zone. `between` includes both ends.
- `inLast` runs from so long ago up to now, `inNext` from now on, both ends included. Minutes and
  hours go by the clock; days, weeks and months by the calendar, to the same time of day. For a date
  whole days count: the last 7 days are today and the 7 days before it.
- `wasExactly` and `willBeExactly` mean the calendar day that lies so many days, weeks or months
  away, and the minute or the hour of the clock that lies so many minutes or hours away.
- A month from the 31st is the last day of a month that has no 31st.
- `anniversary` holds when day and month are those of today; with `inNext`, when they return within
  so many days, weeks or months, today included. Who was born on 29 February has the day on the 28th
  in years that have no 29th.
- A time of day that comes twice when clocks go back is the first of the two. One that is skipped
  when they go forward is read with the offset from before. A day whose midnight is skipped begins
  where the gap ends.

## Events

`occurred` may be left out and is then true. Without `count` and `sum` it asks for at least one
event that fits; `"occurred": false` is the exact complement of the same condition with true. Given
both `count` and `sum`, both must hold.

| total | reads | may hold without any event |
|---|---|---|
"""

_EVENTS = """
Having no event that fits is a count of 0 and a sum of 0. It satisfies only the totals marked above,
and those only where 0 does: `lt 3` includes those who never did, `gte 0` does not. A sum adds the
numbers at the path, what is not a number counts as 0, and is compared after rounding to six
decimals. The events of a merged record are those of its survivor.

### PERIOD

| `during` | events |
|---|---|
| left out | whenever |
| `{"period": NAME}` | in NAME: `today yesterday thisWeek lastWeek thisMonth lastMonth` |
| `{"on": "2026-01-31"}` | on that day |
| `{"after": T}` | at T or later; a date means its beginning, so `after` a date is since that day |
| `{"before": T}` | earlier than T |
| `{"between": [T, T]}` | at the first T or later, earlier than the second |
| `{"last": {"amount": 7, "unit": "days"}}` | from so long ago up to and including now |

## Operators on what an event holds

`path` leads through the keys of objects, with points between them; a key may hold anything but a
point. A value is compared by its own JSON type: `is 5` never fits the text `"5"`. Texts are taken
literally, without trimming, and again without regard to case. A null is as good as missing, and so
for lists is an empty array. A moment is a text such as `2026-01-31`, `2026-01-31 10:00:00` or
`2026-01-31T10:00:00+05:30`; without an offset it is read by the workspace's clock on the wall.

| operator | a value that is | values | reads |
|---|---|---|---|
"""

_END = """
## Sequences

```json
{"sequence": [
   {"event": "Product Viewed"},
   {"event": "Product Added", "where": [{"path": "price", "op": "gt", "values": [100]}]},
   {"event": "Purchase"}
 ],
 "within": {"amount": 48, "unit": "hours"},
 "during": {"period": "lastMonth"}}
```

A sequence of 2 to 10 steps holds when its events happened in that order. Each comes after the one
before: later, or at the same time and received later. Other events may lie between. One event
serves one step only, so two steps of the same name need two events. The events of a merged record
are those of its survivor, and take their places among the survivor's own.

`within` is the longest time from the first step to the last, the limit included; left out, there is
none. It is reckoned back from the last step, as `{"last": ...}` is reckoned back from now: minutes
and hours by the clock, days, weeks and months by the calendar in the time zone of the workspace.
All events lie in `during`. `"completed": false` is the exact complement of the same condition with
true: it holds for those who never began as well.

## Membership

`{"segment": 7, "in": true}` holds for who is in a segment, by its number; `"in": false` is the
exact complement. The members of a static segment are those on its list. A dynamic segment means
its condition, as if it were written here, at the same moment. A segment cannot ask about itself,
and not by way of others either.
"""


def reference_page() -> str:
    """The reference of the condition language, in Markdown, with every operator of the table."""
    return render(TABLE, TOTALS.values())


def render(table: Collection[Operator], totals: Iterable[Total]) -> str:
    """The page in Markdown, from these operators."""
    properties = "".join(
        f"| `{row.name}` | {_types(row)} | {row.takes.value} | {row.label} |\n"
        for row in table
        if row.types
    )
    within = "".join(
        f"| `{row.name}` | {row.event.value} | {row.takes.value} | {row.label} |\n"
        for row in table
        if row.event
    )
    compared = "".join(
        f"| `{row.name}` | {row.label} | {'yes' if row.idle else 'no'} |\n" for row in totals
    )
    return "".join([_BEGINNING, "\n", _VALUES, properties, _TIME, compared, _EVENTS, within, _END])


def _types(row: Operator) -> str:
    return "every type" if set(row.types) == set(Type) else ", ".join(row.types)
