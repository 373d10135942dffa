"""The questions segments are timed by, in the words of each engine.

The hand-written SQL is what somebody who knows the engine would type; the tree is what our API is
asked. All of them must give the same number.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bench import population


class Question(msgspec.Struct, frozen=True):
    """One question: as the product's condition tree, and as SQL over `records` and `events`.

    `tuned` is the PostgreSQL query rewritten by hand until its planner did its best; None where
    PostgreSQL is not asked.
    """

    name: str
    words: str
    tree: dict[str, Any]
    duckdb: str
    clickhouse: str
    postgres: str | None = None
    tuned: str | None = None


_DAY = f"{population.SINCE:%Y-%m-%d}"
_OPTED_IN = [
    {"property": "country", "op": "is", "values": ["IN", "US"]},
    {"property": "emailOptin", "op": "isTrue"},
]

_BEHAVIOUR = """
    select count(*) from records r
    where r.country in ('IN', 'US') and r.email_optin
      and r.id in (select record from events
                   where name = 'Purchase' and happened >= {since}
                   group by record having count(*) >= 3)
      and r.id not in (select record from events where name = 'Plan Downgraded')
"""
BEHAVIOUR = Question(
    name="events and properties",
    words=(f"country in (IN, US), opted in, at least 3 purchases since {_DAY}, never downgraded"),
    tree={
        "all": [
            *_OPTED_IN,
            {
                "event": "Purchase",
                "occurred": True,
                "count": {"op": "gte", "value": 3},
                "during": {"after": f"{population.SINCE:%Y-%m-%dT%H:%M:%SZ}"},
            },
            {"event": "Plan Downgraded", "occurred": False},
        ]
    },
    duckdb=_BEHAVIOUR.format(since=f"timestamp '{_DAY}'"),
    clickhouse=_BEHAVIOUR.format(since=f"toDateTime64('{_DAY}', 6, 'UTC')"),
    postgres=f"""
        select count(*) from records r
        where r.country in ('IN', 'US') and r.email_optin
          and r.id in (select record from events
                       where name = 'Purchase' and happened >= timestamp '{_DAY}'
                       group by record having count(*) >= 3)
          and not exists (select from events e
                          where e.record = r.id and e.name = 'Plan Downgraded')
    """,
    tuned=f"""
        select count(*) from (
            select r.id from records r join events e on e.record = r.id
            where r.country in ('IN', 'US') and r.email_optin
              and e.name = 'Purchase' and e.happened >= timestamp '{_DAY}'
            group by r.id having count(*) >= 3) buyers
        where not exists (select from events e
                          where e.record = buyers.id and e.name = 'Plan Downgraded')
    """,
)

_ONLY_PROPERTIES = """
    select count(*) from records
    where country in ('IN', 'US') and email_optin and lifetime_value >= 100
"""
PROPERTIES = Question(
    name="properties only",
    words="country in (IN, US), opted in, lifetime value of at least 100",
    tree={"all": [*_OPTED_IN, {"property": "lifetimeValue", "op": "gte", "values": [100]}]},
    duckdb=_ONLY_PROPERTIES,
    clickhouse=_ONLY_PROPERTIES,
    postgres=_ONLY_PROPERTIES,
    tuned=_ONLY_PROPERTIES,
)

_STEPS = ("Product Viewed", "Product Added", "Purchase")
SEQUENCE = Question(
    name="a sequence",
    words=f"{', then '.join(_STEPS)}, all within 48 hours",
    tree={
        "sequence": [{"event": name} for name in _STEPS],
        "within": {"amount": 48, "unit": "hours"},
        "completed": True,
    },
    duckdb="""
        with viewed as (
            select record, name, happened,
                   max(happened) filter (where name = 'Product Viewed') over before as begun
            from events where name in ('Product Viewed', 'Product Added', 'Purchase')
            window before as (partition by record order by happened
                              rows between unbounded preceding and 1 preceding)),
        added as (
            select record, name, happened,
                   max(begun) filter (where name = 'Product Added') over before as begun
            from viewed
            window before as (partition by record order by happened
                              rows between unbounded preceding and 1 preceding))
        select count(distinct record) from added
        where name = 'Purchase' and happened <= begun + interval 48 hours
    """,
    clickhouse=f"""
        select count() from (
            select record from events where name in {_STEPS}
            group by record
            having windowFunnel(172800000000)(
                toUInt64(toUnixTimestamp64Micro(happened)),
                {", ".join(f"name = '{name}'" for name in _STEPS)}) = 3)
    """,
)

ALL = (BEHAVIOUR, PROPERTIES)
