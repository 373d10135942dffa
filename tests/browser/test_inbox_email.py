"""A ticket by e-mail as an agent sees it: who was in copy, and who gets what she answers."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.browser.talks import Talks
from tests.browser.test_inbox import opened, write
from tests.waiting import until
from user360.channels import settings
from user360.channels.email.intake import Intake
from user360.conversations import reading

ADDRESS = "support@shop.test"
RAVI, ODD = "ravi@example.org", "d'arc&amp`b`@example.org"


@pytest.fixture
def talks(site: Site) -> Talks:
    given = {"address": ADDRESS}
    site.change(lambda c: settings.change(c, site.platform.vault, "email", given))
    talks = Talks(site)
    talks.there()
    return talks


def mailed(site: Site, text: str, number: int = 1, **headers: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Asha Rao <asha@example.org>", ADDRESS
    mail["Subject"], mail["Message-ID"] = "Late order", f"<{number}@example.org>"
    if number > 1:
        mail["In-Reply-To"] = "<1@example.org>"
    for name, value in headers.items():
        mail[name] = value
    mail.set_content(text)
    Intake(site.platform).take(site.platform.default, mail.as_bytes())


def copies(site: Site, talks: Talks) -> list[object]:
    """Who got a copy of each message of ours, oldest first."""
    number = talks.number("c1")
    with site.platform.ledger.read() as connection:
        found = reading.messages(connection, number, limit=50)
    return [each.detail.get("cc", []) for each in found if each.sender in ("agent", "note")]


def test_who_was_in_copy_gets_an_answer_where_she_says_so(
    site: Site, visit: Visit, talks: Talks
) -> None:
    mailed(site, "Where is it?", Cc=f"Ravi <{RAVI}>, {ODD}, no-reply@example.org")
    page = visit("agent")
    opened(page, "c1", "Asha Rao")
    log = page.get_by_role("log")
    expect(log.get_by_text(f"also to: {RAVI}, ")).to_contain_text("no-reply@example.org")
    all_of_them = page.get_by_role("checkbox", name=f"Copy to {RAVI}")
    expect(all_of_them).not_to_be_checked()
    write(page, "For you alone")
    expect(log.get_by_text("For you alone")).to_be_visible()
    all_of_them.check()
    page.get_by_label("Priority").select_option("high")  # the head changes, her choice stays
    expect(page.get_by_text("High priority").first).to_be_visible()
    expect(all_of_them).to_be_checked()
    write(page, "For all of you")
    expect(log.get_by_text(f"copy to: {RAVI}")).to_be_visible()
    expect(all_of_them).not_to_be_checked()
    all_of_them.check()
    page.get_by_role("radio", name="Note").check()
    expect(all_of_them).to_be_hidden()
    write(page, "Only for us")
    expect(log.get_by_text("Only for us")).to_be_visible()
    # What she writes stands in the log before it is kept.
    until(lambda: copies(site, talks) == [[], [RAVI, ODD], []])


def test_what_she_sees_beside_the_box_is_who_gets_it(
    site: Site, visit: Visit, talks: Talks
) -> None:
    mailed(site, "Where is it?", Cc=RAVI)
    page = visit("agent")
    opened(page, "c1", "Asha Rao")
    page.get_by_role("checkbox", name=f"Copy to {RAVI}").check()
    mailed(site, "And now?", number=2, Cc="meera@example.org")
    page.get_by_label("Priority").select_option("high")
    hers = page.get_by_role("checkbox", name="Copy to meera@example.org")
    expect(hers).not_to_be_checked()
    write(page, "For you alone")
    expect(page.get_by_role("log").get_by_text("For you alone")).to_be_visible()
    until(lambda: copies(site, talks) == [[]])


@pytest.mark.usefixtures("talks")
def test_it_can_be_read_and_reached_by_all(site: Site, visit: Visit) -> None:
    many = ", ".join(f"somebody-with-a-long-name-{n}@mail.example.org" for n in range(12))
    mailed(site, "Where is it?", Cc=many)
    page = visit(
        "agent",
    )
    opened(page, "c1", "Asha Rao")
    expect(page.get_by_role("checkbox", name="and 4 more")).to_be_visible()
    assert axe.troubles(page) == []
    page.set_viewport_size(axe.NARROW)  # type: ignore[arg-type]
    assert axe.too_wide(page) == 0
