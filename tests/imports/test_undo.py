from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.imports.importer import Importer
from user360.clock import SECOND
from user360.errors import Conflict
from user360.identity import store
from user360.imports import engine, piece
from user360.ingest import doctor
from user360.ingest.call import Call, Event, Outcome, Session, Verb
from user360.jobs import store as jobs
from user360.jobs.job import Stopped
from user360.platform import Platform
from user360.segments import statics
from user360.storage.warehouse import schema_of

HEAD = ["userId", "city", "tags"]


def call(importer: Importer, after: int = 1, **given: Any) -> Outcome:
    """A call that is made so many seconds later."""
    now = importer.platform.clock.now() + after * SECOND
    told = Call(
        workspace=importer.workspace.id,
        source="api",
        ref="key:1",
        at=now,
        message_id=f"{now:020d}",
        **given,
    )
    (outcome,) = importer.platform.settle([told])
    assert outcome.problem is None
    return outcome


def log_of(importer: Importer, name: str) -> list[str]:
    query = f"SELECT properties FROM {schema_of(importer.workspace.id)}.events WHERE name = ?"
    return [row[0] for row in importer.platform.wait().query(query + " ORDER BY seq", [name]).rows]


def test_new_records_go_and_the_log_says_what_they_were(importer: Importer) -> None:
    importer.run([HEAD, ["asha", "Pune", "a"], ["", "Goa", ""]], tags=["t"])
    shown, done = importer.preview(), importer.undo()
    assert shown == done
    assert (done.removed, done.restored, done.spared) == (2, 0, {})
    assert importer.people() == {}
    assert log_of(importer, "USER_DELETE") == [
        '{"id":"r1","userId":"asha","city":"Pune","tags":["a","t"],"recordIds":["r1"]}',
        '{"id":"r2","userId":null,"city":"Goa","tags":["t"],"recordIds":["r2"]}',
    ]
    importer.run([HEAD, ["asha", "Rome", ""]])
    assert importer.people() == {"asha": {"city": "Rome"}}


def test_changed_records_get_their_values_back_with_where_they_came_from(
    importer: Importer,
) -> None:
    call(importer, -9, user_id="asha", properties={"city": "Pune", "tags": ["own"]})
    before = provenance(importer, "asha")
    importer.run([HEAD, ["asha", "Goa", "new"]], onConflict="replace", defaultTag=True)
    done = importer.undo()
    assert (done.removed, done.restored, done.newer) == (0, 1, 0)
    assert provenance(importer, "asha") == before
    told = [msgspec.json.decode(text) for text in log_of(importer, "USER_UPDATE")]
    assert told[-1]["newPayload"] == {"city": "Pune", "tags": ["own"]}


def provenance(importer: Importer, user_id: str) -> dict[str, Any]:
    """The cells of a record as they are kept."""
    with importer.platform.ledger.read() as connection:
        number = store.of_user(connection, importer.workspace.id, user_id)
        assert number is not None
        dialect = importer.platform.ledger.dialect
        return dict(store.load_forest(connection, dialect, [number], [])[number].cells)


def test_what_was_written_since_stays(importer: Importer) -> None:
    call(importer, -9, user_id="asha", properties={"city": "Pune", "firstName": "Asha"})
    importer.run([["userId", "city", "firstName"], ["asha", "Goa", "A."]])
    call(importer, 1, user_id="asha", properties={"city": "Rome"})
    shown, done = importer.preview(), importer.undo()
    assert shown == done
    assert (done.restored, done.newer) == (1, 1)
    assert importer.people()["asha"] == {"city": "Rome", "firstName": "Asha"}


def test_somebody_with_more_than_the_import_gave_is_spared(importer: Importer) -> None:
    names = ["event", "session", "written", "merged", "nobody"]
    importer.run([HEAD, *([name, "Pune", "t"] for name in names)])
    call(importer, user_id="event", event=Event("Seen", {}))
    call(importer, user_id="session", session=Session("web", "s1"))
    call(importer, user_id="written", properties={"firstName": "W"})
    other = call(importer, session=Session("web", "s2"), properties={"lastName": "M"})
    call(importer, user_id="merged", verb=Verb.MERGE, other=other.record)
    shown, done = importer.preview(), importer.undo()
    assert shown == done
    assert (done.removed, done.restored) == (1, 0)
    assert done.spared == {"event": 1, "session": 1, "written": 1, "merged": 1}
    assert importer.people() == {
        "event": {},
        "session": {},
        "written": {"firstName": "W"},
        "merged": {"lastName": "M"},
    }
    assert doctor.examine(importer.platform).findings == []


def test_an_event_the_warehouse_has_not_seen_spares_its_record_too(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piece, "BUDGET", 1.0)
    importer.run([HEAD, ["a", "x", ""], ["b", "y", ""], ["c", "z", ""]])
    position, keep = importer.platform.committer.position.last, importer.platform.wait
    # The warehouse is asked as of now; what comes in from here on is read from the log.
    monkeypatch.setattr(importer.platform, "wait", lambda: _then(importer, keep(position)))
    done = importer.undo()
    assert (done.removed, done.spared) == (2, {"event": 1})


def _then(importer: Importer, warehouse: Any) -> Any:
    class Late:
        """A warehouse right after whose position was read an event comes in."""

        def position(self) -> int:
            found: int = warehouse.position()
            call(importer, user_id="b", event=Event("Seen", {}))
            return found

        def snapshot(self) -> Any:
            return warehouse.snapshot()

    return Late()


def test_an_import_is_undone_once(importer: Importer) -> None:
    importer.run([HEAD, ["asha", "Pune", ""]])
    assert importer.last is not None
    importer.undo()
    assert importer.undo().removed == 0
    job = importer.last
    importer.platform.write(lambda c: jobs.change_status(c, job.id, "undone"))
    with pytest.raises(Conflict, match="undone already"):
        importer.preview()
    with pytest.raises(Conflict, match="undone already"):
        importer.undo()


def test_an_import_that_ended_early_is_taken_back_as_far_as_it_came(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ROWS", 2)
    table = [HEAD, *([f"u{n}", "x", ""] for n in range(9))]
    job = importer.begin()
    with pytest.raises(Stopped):
        importer.go_on(job, table, {}, patience=5)
    came = len(importer.people())
    assert 0 < came < 9
    assert importer.undo(job).removed == came
    assert importer.people() == {}


def test_the_list_goes_with_the_import_that_made_it(importer: Importer) -> None:
    call(importer, -9, user_id="old", properties={"city": "Pune"})
    importer.run([HEAD, ["old", "Pune", ""], ["new", "x", ""]], segment="June")
    assert [s.name for s in importer.workspace.segments.values()] == ["June"]
    assert importer.preview().segment == "June"
    assert importer.undo().segment == "June"
    assert importer.workspace.segments == {}
    assert importer.people() == {"old": {"city": "Pune"}}


def test_a_list_that_others_are_in_stays_without_the_imported(
    importer: Importer, platform: Platform
) -> None:
    call(importer, -9, user_id="old", properties={"city": "Pune"})
    call(importer, -9, user_id="other", properties={"city": "Pune"})
    importer.run([HEAD, ["old", "Pune", ""], ["new", "x", ""]], segment="June")
    (number,) = importer.workspace.segments
    platform.write(
        lambda c: statics.change_members(
            platform.change(c, importer.workspace, "key:1"), number, ["other"], []
        )
    )
    assert importer.undo().segment is None
    schema = schema_of(importer.workspace.id)
    held = platform.wait().query(
        f"SELECT r.user_id FROM {schema}.members m JOIN {schema}.records r ON r.id = m.record_id"
    )
    assert held.rows == [("other",)]


def test_properties_that_were_declared_stay_and_that_is_said(importer: Importer) -> None:
    importer.run([["userId", "shoe size"], ["asha", "38"]], createProperties=True)
    (name,) = [p.name for p in importer.workspace.catalogue.custom]
    assert importer.undo().declared == [name]
    assert importer.workspace.catalogue.get(name) is not None


def test_who_was_deleted_since_is_told_as_gone(importer: Importer) -> None:
    importer.run([HEAD, ["asha", "x", ""], ["ravi", "y", ""]])
    call(importer, user_id="ravi", verb=Verb.DELETE)
    done = importer.undo()
    assert (done.removed, done.gone) == (1, 1)
