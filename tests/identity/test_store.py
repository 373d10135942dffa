"""The writer's questions to the ledger: each goes straight to the rows it names."""

from __future__ import annotations

from typing import Any

from tests.stories.shop import Shop
from user360.ingest.call import Event, Verb
from user360.platform import Platform
from user360.storage.ledger import Connection

GROWING = ("records", "sessions", "merges", "event_ids", "log", "segment_members")


def test_no_question_of_the_writer_reads_a_whole_table() -> None:
    with Platform.temporary() as platform:
        asked: set[str] = set()

        def listen(connection: Connection) -> None:
            driver: Any = connection.connection.driver_connection
            driver.set_trace_callback(asked.add)

        platform.write(listen)
        live(Shop(platform))
        with platform.ledger.read() as connection:
            plans = {sql: plan(connection, sql) for sql in asked}
    for told in ("sessions s", "FROM records r", "INSERT INTO records", "INSERT INTO log"):
        assert any(told in sql for sql in plans), told
    wide = {sql: step for sql, steps in plans.items() for step in steps if reads_all(step)}
    assert wide == {}


def reads_all(step: str) -> bool:
    """Whether a step goes through a whole table, or through all of a workspace in it."""
    table = step.split()[1] if " " in step else ""
    of_people = table in {*GROWING, "r", "s", "c"}
    return of_people and (step.startswith("SCAN") or step.endswith("(workspace_id=?)"))


def live(shop: Shop) -> None:
    """One of everything that can happen to people."""
    shop.write("asha", city="Pune")
    shop.capture("s", city="Goa")
    merged = shop.identify("s", "asha")
    shop.undo(merged.merge)
    shop.identify("s", "asha")
    shop.merge("asha", shop.write("ravi").record)
    shop.send(user_id="asha", event=Event("Bought", {}, "e1"), add_tags=("vip",))
    shop.send(verb=Verb.ALIAS, user_id="new", previous="asha", channel="web")
    shop.settle(shop.call(session="s", user_id="b"), shop.call(verb=Verb.DELETE, user_id="b"))
    shop.delete("new")


def plan(connection: Connection, sql: str) -> list[str]:
    """The steps the ledger takes to answer; none for what is no question."""
    if sql.split()[0].upper() not in ("SELECT", "WITH", "UPDATE", "DELETE", "INSERT"):
        return []
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")
    return [row[3] for row in rows]
