"""Imports that are prepared: the file is sent once, chosen about, tried, and imported."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from user360 import ids
from user360.errors import Invalid, NotFound
from user360.imports import drafts, jobs
from user360.imports.drafts import Draft
from user360.imports.files import Dialect
from user360.imports.options import Options
from user360.platform import Platform
from user360.records.properties import Type

PEOPLE = "Customer;Zip;Plan\nasha;04103;gold\nravi;10115;silver\n"
SOON = 60.0


@pytest.fixture
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        jobs.register(platform)
        yield platform


def sent(platform: Platform, content: str = PEOPLE) -> Draft:
    number = ids.new_id()
    jobs.upload_path(platform, number).write_text(content, encoding="utf-8")
    return drafts.keep(
        platform,
        Draft(
            id=number,
            workspace=platform.default.id,
            actor="member:1",
            name="people.csv",
            size=len(content),
            created_at=platform.now(),
        ),
    )


OPTIONS = Options(
    user_id="Customer",
    mapping={"Customer": "userId", "Zip": "zip", "Plan": "plan"},
    create_properties=True,
    types={"Zip": Type.STRING},
)


def test_a_draft_is_tried_and_imported_from_one_upload(platform: Platform) -> None:
    here = (platform, platform.default)
    draft = drafts.choose(*here, sent(platform), OPTIONS)
    assert drafts.all_of(*here) == [draft]
    tried = drafts.attempt(*here, "member:1", draft)
    assert drafts.find(*here, draft.id) == tried
    assert drafts.attempt(*here, "member:1", tried) == tried
    told = platform.jobs.wait(tried.trial, SOON)
    assert (told.result["new"], told.result["dryRun"]) == (2, True)
    assert platform.default.catalogue.get("zip") is None
    job = drafts.begin(*here, "member:1", tried)
    assert job.id == draft.id
    assert platform.jobs.wait(job.id, SOON).result["new"] == 2
    zipped = platform.default.catalogue.get("zip")
    assert zipped is not None
    assert zipped.type is Type.STRING
    with pytest.raises(NotFound):
        drafts.find(*here, draft.id)
    assert drafts.all_of(*here) == []


def test_other_options_need_another_trial(platform: Platform) -> None:
    here = (platform, platform.default)
    draft = drafts.choose(*here, sent(platform), OPTIONS)
    tried = drafts.attempt(*here, "member:1", draft)
    assert drafts.choose(*here, tried, OPTIONS).trial == tried.trial
    other = msgspec.structs.replace(OPTIONS, on_conflict="skip")
    assert drafts.choose(*here, tried, other).trial == ""


def test_what_a_dry_run_would_refuse_is_told_by_line(platform: Platform) -> None:
    from user360.imports import failures

    here = (platform, platform.default)
    content = "Customer;Zip;Plan\nasha;1;gold\nravi;1;gold;more\n"
    draft = drafts.choose(*here, sent(platform, content), OPTIONS)
    tried = drafts.attempt(*here, "member:1", draft)
    assert platform.jobs.wait(tried.trial, SOON).result["failed"] == 1
    with platform.ledger.read() as connection:
        assert [each.line for each in failures.read(connection, tried.trial)] == [3]


def test_another_dialect_reads_the_file_again_and_stays_with_the_import(
    platform: Platform,
) -> None:
    here = (platform, platform.default)
    draft = drafts.choose(*here, sent(platform), OPTIONS)
    read = drafts.tell_apart(*here, draft, Dialect(delimiter=","))
    assert drafts.look(*here, read).headers == ("Customer;Zip;Plan",)
    assert read.options is None
    back = drafts.tell_apart(*here, read, Dialect(delimiter=";"))
    chosen = drafts.choose(*here, back, OPTIONS)
    assert platform.jobs.wait(drafts.begin(*here, "m", chosen).id, SOON).result["new"] == 2
    with pytest.raises(Invalid):
        drafts.tell_apart(*here, sent(platform), Dialect(encoding="morse"))


def test_what_does_not_go_with_the_file_is_refused_at_once(platform: Platform) -> None:
    here = (platform, platform.default)
    draft = sent(platform)
    with pytest.raises(Invalid) as found:
        drafts.choose(*here, draft, msgspec.structs.replace(OPTIONS, user_id="Nobody"))
    assert found.value.faults[-1].path.startswith("options.")
    assert drafts.find(*here, draft.id).options is None


def test_nobody_reads_a_draft_of_another_workspace_or_a_path(platform: Platform) -> None:
    draft = sent(platform)
    other = platform.add_workspace("other")
    for workspace, number in [(other, draft.id), (platform.default, "../" + draft.id)]:
        with pytest.raises(NotFound):
            drafts.find(platform, workspace, number)
    assert drafts.all_of(platform, other) == []
    drafts.remove(platform, draft)
    with pytest.raises(NotFound):
        drafts.find(platform, platform.default, draft.id)
