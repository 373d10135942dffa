"""Files said with messages: kept whole, said once, gone with what they were said in."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import Shop
from user360.channels import files
from user360.conversations import attachments, reading
from user360.conversations.talk import Attachment, Said
from user360.errors import TooLarge
from user360.inbox.sweeper import Sweeper
from user360.ingest.call import Outcome, Verb
from user360.platform import Platform


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform.temporary() as platform:
        yield platform


@pytest.fixture
def shop(platform: Platform) -> Shop:
    return Shop(platform)


def upload(shop: Shop, name: str = "parcel.jpg", content: bytes = b"jpeg") -> Attachment:
    return files.save(shop.platform, shop.workspace, name, "image/jpeg", content)


def says(shop: Shop, *attached: Attachment, **known: Any) -> Outcome:
    said = Said(sender="customer", text="", attachments=attached, id=known.pop("id", None))
    return shop.settle(shop.call(said=said, session=known.pop("session", "s"), **known))[0]


def path(shop: Shop, attachment: Attachment) -> Path:
    return attachments.path_of(shop.platform.directory, shop.workspace.id, attachment.id)


def age(shop: Shop, attachment: Attachment, hours: float) -> None:
    """Make a file look as old as this, in the directory."""
    at = time.time() - hours * attachments.HOUR
    os.utime(path(shop, attachment), (at, at))


def test_a_file_is_said_as_it_was_uploaded_whatever_the_message_calls_it(shop: Shop) -> None:
    kept = upload(shop, "C:\\photos\\..\\par\u202ecel.jpg")
    outcome = says(shop, Attachment(name="invoice.exe", size=1, id=kept.id))
    with shop.platform.ledger.read() as connection:
        (message,) = reading.messages(connection, outcome.conversation or 0)
    assert message.attachments == (Attachment("parcel.jpg", "image/jpeg", 4, kept.id),)
    assert path(shop, kept).read_bytes() == b"jpeg"


def test_a_file_is_said_once_and_a_message_twice_is_one(shop: Shop) -> None:
    kept = upload(shop)
    first = says(shop, kept, id="1")
    assert says(shop, kept, id="1").message == first.message
    refused = says(shop, kept, id="2").problem
    assert refused is not None
    assert [fault.path for fault in refused.faults] == ["attachments.0.id"]


def test_one_batch_holds_to_the_same(shop: Shop) -> None:
    kept = upload(shop)
    said = {n: Said(sender="customer", text="", attachments=(kept,), id=n) for n in ("1", "2")}
    calls = [shop.call(session="s", said=said[n]) for n in ("1", "1", "2")]
    outcomes = shop.settle(*calls)
    assert [o.status for o in outcomes] == ["created", "duplicate", "failed"]
    twice = upload(shop)
    refused = says(shop, twice, twice).problem
    assert refused is not None
    assert [fault.path for fault in refused.faults] == ["attachments.1.id"]


def test_nobody_says_the_file_of_another_workspace(shop: Shop) -> None:
    theirs = upload(Shop(shop.platform))
    assert says(shop, theirs).problem is not None
    assert says(shop, Attachment(name="x", id="../../vault.key")).problem is not None


def test_what_is_too_large_is_not_kept(shop: Shop) -> None:
    with pytest.raises(TooLarge):
        upload(shop, content=b"x" * (attachments.LARGEST + 1))


def test_what_nobody_said_goes_after_a_day_and_what_was_said_stays(shop: Shop) -> None:
    said, unsaid = upload(shop), upload(shop)
    says(shop, said)
    sweeper = Sweeper(shop.platform)
    sweeper.turn()
    assert path(shop, unsaid).exists()
    shop.platform.write(
        lambda c: c.exec_driver_sql(
            "UPDATE attachments SET created_at = created_at - 90000000000 WHERE workspace_id ="
            f" {shop.workspace.id}"
        ).close()
    )
    sweeper.turn()
    assert path(shop, said).exists()
    assert not path(shop, unsaid).exists()
    assert says(shop, unsaid).problem is not None


def gone(*paths: Path) -> bool:
    """Whether files are gone, within a moment."""
    for _ in range(500):
        if not any(each.exists() for each in paths):
            return True
        time.sleep(0.01)
    return False


def test_with_people_their_files_are_gone_and_the_same_content_of_others_stays(shop: Shop) -> None:
    mine, twice, theirs = upload(shop), upload(shop), upload(shop)
    says(shop, mine, user_id="asha")
    says(shop, twice, user_id="asha")
    says(shop, theirs, session="t", user_id="omar")
    shop.send(verb=Verb.DELETE, user_id="asha")
    assert gone(path(shop, mine), path(shop, twice))
    assert path(shop, theirs).read_bytes() == b"jpeg"


def test_merging_and_its_undoing_lose_no_file(shop: Shop) -> None:
    first, second = upload(shop), upload(shop)
    says(shop, first, session="phone", user_id="asha")
    says(shop, second, session="web")
    merged = shop.send(session="web", user_id="asha")
    shop.send(verb=Verb.UNMERGE, merge=merged.merge)
    shop.send(verb=Verb.DELETE, user_id="asha")
    assert gone(path(shop, first))
    assert path(shop, second).exists()


def test_a_file_that_cannot_be_removed_now_is_left_to_the_sweep(shop: Shop) -> None:
    kept = upload(shop)
    says(shop, kept, user_id="asha")
    path(shop, kept).unlink()
    path(shop, kept).mkdir()  # what cannot be removed as a file
    assert shop.send(verb=Verb.DELETE, user_id="asha").problem is None
    assert attachments.remove(shop.platform.directory, [(shop.workspace.id, kept.id)]) == 0
    path(shop, kept).rmdir()


def test_what_a_crash_left_is_swept(shop: Shop) -> None:
    left = attachments.write(shop.platform.directory, shop.workspace.id, b"left")
    kept = Attachment("x", id=left)
    age(shop, kept, 1.1)
    Sweeper(shop.platform).turn()
    assert not path(shop, kept).exists()


def test_a_file_on_its_way_in_is_left_alone(shop: Shop) -> None:
    part = attachments.begin(shop.platform.directory, shop.workspace.id)
    part.write_bytes(b"half")
    at = time.time() - 2 * attachments.HOUR
    os.utime(part, (at, at))
    sweeper = Sweeper(shop.platform)
    sweeper.turn()
    assert part.exists()
    at -= attachments.DAY
    os.utime(part, (at, at))
    sweeper.turn()
    assert not part.exists()


def test_the_files_of_some_people_are_found_and_removed(shop: Shop) -> None:
    kept, other = upload(shop), upload(shop)
    record = says(shop, kept, user_id="asha").record
    says(shop, other, session="t")
    with shop.platform.ledger.read() as connection:
        dialect = shop.platform.ledger.dialect
        found = attachments.of_records(connection, dialect, [record or 0])
    assert [each.id for each in found] == [kept.id]
    assert attachments.remove(shop.platform.directory, [(shop.workspace.id, kept.id)]) == 1
    assert not path(shop, kept).exists()
    assert path(shop, other).exists()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("image/PNG; charset=x", "image/png"),
        ("text/html", "text/html"),
        ("nonsense", "application/octet-stream"),
        ("text/html\r\nX: 1", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_a_media_type_is_one_or_none(given: str, told: str) -> None:
    assert attachments.clean_type(given) == told
