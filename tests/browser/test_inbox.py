"""The inbox as agents live in it: lists, the conversation that is open, and what is done there."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.browser.talks import Talks
from user360.channels import settings
from user360.conversations import canned, managing
from user360.conversations.talk import Attachment, Said

HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


@pytest.fixture
def talks(site: Site) -> Talks:
    return Talks(site)


def opened(page: Page, public: str, name: str) -> None:
    page.goto(f"/inbox/{public}")
    expect(page.get_by_role("heading", name=name, level=2).first).to_be_visible()


def write(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def test_who_writes_shows_up_and_is_answered(visit: Visit, talks: Talks) -> None:
    talks.there()
    page = visit("agent")
    page.goto("/")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    expect(page.get_by_text("Nothing here")).to_be_visible()
    public = talks.says("s", "Hello?", properties={"firstName": "Asha"})
    page.get_by_role("link", name=re.compile("Asha")).click()
    messages = page.get_by_role("log", name="Messages")
    expect(messages.get_by_text("Hello?")).to_be_visible()
    write(page, "Hello Asha!")
    expect(messages.get_by_text("Hello Asha!")).to_have_count(1)
    expect(messages.get_by_text("sent", exact=True)).to_be_visible()
    talks.says("s", "My parcel is late")
    expect(messages.get_by_text("My parcel is late")).to_be_visible()
    assert talks.held(public).messages == 3
    expect(page.get_by_role("link", name="Mine 1")).to_be_visible()


def test_it_is_resolved_with_a_reason_and_tags_and_opened_again(visit: Visit, talks: Talks) -> None:
    talks.there()
    public = talks.says("s", "Hello?", properties={"firstName": "Asha"})
    page = visit("agent")
    opened(page, public, "Asha")
    page.get_by_role("button", name="Resolve").first.click()
    dialog = page.get_by_role("dialog", name="Resolve the chat")
    dialog.get_by_label("How it ended").fill("answered")
    dialog.get_by_label("Tags").fill("parcel, late")
    dialog.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    expect(page.get_by_text("Reopen it to answer")).to_be_visible()
    held = talks.held(public)
    assert (held.state, held.reason, held.tags) == ("resolved", "answered", ("parcel", "late"))
    page.get_by_role("button", name="Reopen").click()
    expect(page.get_by_label("Message", exact=True)).to_be_visible()
    page.get_by_role("button", name="Remove the tag late").click()
    expect(page.get_by_role("button", name="Remove the tag late")).to_have_count(0)
    page.get_by_label("Add a tag to the conversation").fill("refund")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove the tag refund")).to_be_visible()
    assert talks.held(public).tags == ("parcel", "refund")


def test_two_agents_see_each_other_and_pass_a_chat_on(visit: Visit, talks: Talks) -> None:
    her = talks.there("agent")
    him = talks.there("editor")
    talks.does(public := talks.says("s", "Hello?"), "assign", assignee=her)
    first, second = visit("agent"), visit("editor")
    opened(first, public, "Visitor")
    opened(second, public, "Visitor")
    expect(first.get_by_text("Editor is looking at this too")).to_be_visible()
    expect(second.get_by_text("Agent is looking at this too")).to_be_visible()
    first.get_by_label("Message", exact=True).press_sequentially("One mo")
    expect(second.get_by_text("Agent is typing")).to_be_visible()
    first.keyboard.press("Enter")
    expect(second.get_by_role("log").get_by_text("One mo")).to_be_visible()
    second.get_by_role("radio", name="Note").check()
    write(second, "She has waited long")
    expect(first.get_by_text("She has waited long")).to_be_visible()
    first.get_by_role("button", name="Transfer").first.click()
    dialog = first.get_by_role("dialog", name="Transfer the conversation")
    dialog.get_by_label("To whom").select_option(f"member:{him}")
    dialog.get_by_role("button", name="Transfer").click()
    expect(first.get_by_text("Given to Editor")).to_be_visible()
    expect(second.get_by_text("with you")).to_be_visible()
    assert talks.held(public).assignee == him
    first.goto(f"/inbox/{public}")
    expect(first.get_by_text("is not yours to see")).to_be_visible()


def test_the_bot_is_taken_over_and_gets_it_back(site: Site, visit: Visit, talks: Talks) -> None:
    talks.there()
    vault = site.platform.vault
    site.change(lambda c: settings.change(c, vault, "web", {"bot": "webhook"}))
    public = talks.says("s", "Hello?", properties={"firstName": "Asha"})
    page = visit("agent")
    page.goto("/inbox?list=bot")
    page.get_by_role("link", name=re.compile("Asha")).click()
    page.get_by_role("button", name="Take over from the bot").click()
    expect(page.get_by_text("with you")).to_be_visible()
    assert talks.held(public).state == "assigned"
    page.get_by_role("button", name="Back to the bot").click()
    expect(page.get_by_role("button", name="Take over from the bot")).to_be_visible()
    assert talks.held(public).state == "bot"


def test_a_ticket_has_a_subject_a_priority_and_states(visit: Visit, talks: Talks) -> None:
    talks.there()
    public = talks.says("t", "It is late", "email", kind="ticket", subject="Late parcel")
    page = visit("agent")
    opened(page, public, "Visitor")
    page.get_by_label("Priority").select_option("high")
    expect(page.get_by_text("High priority").first).to_be_visible()
    page.get_by_label("Subject").fill("Very late parcel")
    page.keyboard.press("Enter")
    page.get_by_label("State").select_option("onHold")
    expect(page.get_by_text("On hold").first).to_be_visible()
    page.get_by_role("button", name="Solve").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Solve").click()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_text("This conversation has ended")).to_be_visible()
    held = talks.held(public)
    assert (held.state, held.subject, held.priority) == ("closed", "Very late parcel", "high")


def test_a_button_works_from_the_moment_it_is_there(visit: Visit, talks: Talks) -> None:
    talks.there()
    public = talks.says("t", "It is late", "email", kind="ticket")
    page = visit("agent")
    opened(page, public, "Visitor")
    # Whoever clicks as soon as it is drawn: nothing may come between drawing and listening.
    page.evaluate("""() => {
      const deeds = document.getElementsByClassName("head-more");
      let clicked = false;
      document.addEventListener("htmx:before:settle", () => setTimeout(() => {
        const buttons = [...deeds[0].querySelectorAll("button")];
        const close = buttons.find((button) => button.textContent === "Close");
        if (!clicked) close?.click();
        clicked ||= Boolean(close);
      }), true);
    }""")
    page.get_by_role("button", name="Solve").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Solve").click()
    expect(page.get_by_text("This conversation has ended")).to_be_visible()


def test_a_canned_answer_is_filled_with_what_is_known(
    site: Site, visit: Visit, talks: Talks
) -> None:
    talks.there()
    said = "Hello {{{user.firstName|there}}}, this is {{{agent.name}}}."
    site.change(lambda c: canned.make(c, "Greeting", said))
    public = talks.says("s", "Hello?", properties={"firstName": "{{{agent.name}}}"})
    page = visit("agent")
    opened(page, public, re.escape("{{{agent.name}}}").replace("\\", ""))
    page.get_by_label("Message", exact=True).press_sequentially("/")
    page.get_by_label("Search canned answers").fill("greet")
    page.get_by_role("button", name="Greeting").click()
    text = page.get_by_label("Message", exact=True)
    expect(text).to_have_value("Hello {{{agent.name}}}, this is Agent.")
    page.reload()
    expect(text).to_have_value("Hello {{{agent.name}}}, this is Agent.")
    page.keyboard.press("Enter")


def test_a_lost_connection_says_so_and_loses_and_doubles_nothing(
    visit: Visit, talks: Talks
) -> None:
    talks.there()
    public = talks.says("s", "Hello?", properties={"firstName": "Asha"})
    page = visit("agent")
    opened(page, public, "Asha")
    expect(page.get_by_text("looking at this too")).to_have_count(0)
    page.context.set_offline(True)
    expect(page.get_by_text("No connection")).to_be_visible()
    write(page, "Are you there?")
    log = page.get_by_role("log")
    expect(log.get_by_text("it will be tried again")).to_be_visible()
    talks.says("s", "Yes, I am")
    page.context.set_offline(False)
    expect(log.get_by_text("Yes, I am")).to_have_count(1)
    expect(log.get_by_text("it will be tried again")).to_have_count(0)
    expect(log.get_by_text("Are you there?")).to_have_count(1)
    expect(page.get_by_text("No connection")).to_be_hidden()
    page.reload()
    expect(log.get_by_text("Are you there?")).to_have_count(1)
    assert talks.held(public).messages == 3


def test_the_contact_is_edited_at_once_and_says_where_it_comes_from(
    visit: Visit, talks: Talks
) -> None:
    talks.there()
    public = talks.says("s", "I am Asha, from Pune", properties={"firstName": "Asha"})
    page = visit("agent")
    opened(page, public, "Asha")
    page.get_by_role("button", name="View contact").click()
    dialog = page.get_by_role("dialog", name="Contact of Asha")
    expect(dialog.get_by_text(re.compile("said in this chat, [0-9]{2}:[0-9]{2}"))).to_be_visible()
    dialog.get_by_label("City").fill("Pune")
    dialog.get_by_label("Email").fill("no address")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Email").fill("asha@example.com")
    dialog.get_by_label("Last name").fill("Rao")
    dialog.get_by_label("Add tags").fill("vip")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog", name="Contact of Asha Rao")).to_be_visible()
    expect(dialog.get_by_text("Agent, by hand").first).to_be_visible()
    dialog.get_by_role("button", name="Close").first.click()
    customer = page.get_by_role("complementary", name="Customer")
    expect(customer.get_by_text("asha@example.com")).to_be_visible()
    expect(customer.get_by_text("vip")).to_be_visible()


def test_recent_activity_has_two_lenses_and_leads_to_what_was_said(
    visit: Visit, talks: Talks
) -> None:
    talks.there()
    talks.call(session=None, user_id="asha@example.com", properties={"firstName": "Asha"})
    before = talks.says("a", "Where is my parcel?", user_id="asha@example.com")
    talks.does(before, "resolve")
    public = talks.says("t", "Again", "email", kind="ticket", user_id="asha@example.com")
    page = visit("agent")
    opened(page, public, "Asha")
    page.get_by_role("button", name="View recent activity").click()
    dialog = page.get_by_role("dialog", name="Recent activity of Asha")
    expect(dialog.get_by_text(re.compile("Conversation resolved: chat c1 on web"))).to_be_visible()
    dialog.get_by_role("link", name="Inbox").click()
    dialog.get_by_role("link", name=re.compile("Where is my parcel")).click()
    log = page.get_by_role("log")
    expect(log.get_by_text("Where is my parcel?")).to_be_visible()
    expect(page).to_have_url(re.compile(f"/inbox/{before}"))
    customer = page.get_by_role("complementary", name="Customer")
    customer.get_by_role("link", name="Asha").click()
    page.get_by_role("link", name="Conversations", exact=True).click()
    page.get_by_role("link", name=re.compile("E-mail Asha")).click()
    expect(page.get_by_role("heading", name="Asha", level=2).first).to_be_visible()


def test_not_the_same_person_undoes_the_merge_exactly(visit: Visit, talks: Talks) -> None:
    talks.there()
    talks.call(user_id="asha@example.com", properties={"firstName": "Asha"})
    public = talks.says("s", "Hello")
    talks.says("s", "It is me", user_id="asha@example.com", properties={"city": "Pune"})
    page = visit("agent")
    opened(page, public, "Asha")
    page.get_by_role("button", name="Not the same person").click()
    dialog = page.get_by_role("dialog", name="Not Asha?")
    expect(dialog.get_by_text("by a merge")).to_be_visible()
    dialog.get_by_role("button", name="Not the same person").click()
    expect(page.get_by_text("two people again")).to_be_visible()
    customer = page.get_by_role("complementary", name="Customer")
    expect(customer.get_by_text("Unidentified")).to_be_visible()
    expect(page.get_by_role("log").get_by_text("It is me")).to_be_visible()


def test_not_the_same_person_begins_a_record_where_there_was_no_merge(
    visit: Visit, talks: Talks
) -> None:
    talks.there()
    public = talks.says("s", "Hello", user_id="asha@example.com")
    page = visit("agent")
    opened(page, public, "asha@example.com")
    page.get_by_role("button", name="Not the same person").click()
    dialog = page.get_by_role("dialog", name="Not asha@example.com?")
    expect(dialog.get_by_text("gets a new record")).to_be_visible()
    dialog.get_by_role("button", name="Not the same person").click()
    customer = page.get_by_role("complementary", name="Customer")
    expect(customer.get_by_text("Unidentified")).to_be_visible()
    assert talks.held(public).messages == 1


def test_script_in_what_is_said_named_and_attached_is_text(visit: Visit, talks: Talks) -> None:
    talks.there()
    file = Attachment(name=HOSTILE, url="https://example.com/x")
    known = {"properties": {"firstName": HOSTILE}, "attachments": (file,)}
    public = talks.says("s", HOSTILE + " javascript:alert(1) https://example.com/a", **known)
    page = visit("agent")
    page.goto(f"/inbox/{public}")
    log = page.get_by_role("log")
    expect(log.get_by_text("javascript:alert(1)")).to_be_visible()
    talks.says("s", f"{HOSTILE} again")
    expect(log.get_by_text("again")).to_be_visible()
    expect(page).to_have_title(re.compile(re.escape("(1) <img src=x")))
    link = log.get_by_role("link", name="https://example.com/a")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    assert axe.too_wide(page) == 0


def test_a_reader_looks_and_does_nothing(visit: Visit, talks: Talks) -> None:
    public = talks.says("s", "Hello?", properties={"firstName": "Asha"})
    page = visit("reader")
    opened(page, public, "Asha")
    expect(page.get_by_text("You may read here")).to_be_visible()
    for name in ("Take it", "Resolve", "Transfer", "Not the same person"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_she_says_how_she_is_there(site: Site, visit: Visit, talks: Talks) -> None:
    her = talks.there(availability="away")
    page = visit("agent")
    page.goto("/inbox")
    page.get_by_label("You are", exact=True).select_option("available")
    expect(page.get_by_text("Available, 5 at once")).to_be_visible()
    page.get_by_label("Chats at once").fill("2")
    page.get_by_label("Chats at once").press("Tab")
    expect(page.get_by_text("Available, 2 at once")).to_be_visible()
    agent = site.platform.default.desk.agents[her]
    assert (agent.availability, agent.capacity) == ("available", 2)


def test_everybody_can_use_it(site: Site, visit: Visit, talks: Talks) -> None:
    talks.there()
    number = site.member("agent")
    site.change(lambda c: managing.make_group(c, "Orders"))
    talks.says("t", "Late", "email", kind="ticket", subject="Late")
    public = talks.says("s", "Hello?", properties={"firstName": "Asha"}, user_id="asha")
    talks.call(
        conversation=talks.number(public),
        said=Said(sender="agent", text="Hello!", author=f"member:{number}"),
    )
    talks.call(
        conversation=talks.number(public),
        said=Said(sender="note", text="Nice", author=f"member:{number}"),
    )
    page = visit(
        "agent",
    )
    opened(page, public, "Asha")
    expect(page.get_by_role("log").get_by_text("Nice")).to_be_visible()
    assert axe.troubles(page) == []
    page.get_by_role("button", name="View contact").click()
    expect(page.get_by_role("dialog", name="Contact of Asha")).to_be_visible()
    assert axe.troubles(page) == []
    page.set_viewport_size(axe.NARROW)  # type: ignore[arg-type]
    page.goto(f"/inbox/{public}")
    expect(page.get_by_role("log").get_by_text("Nice")).to_be_visible()
    assert axe.too_wide(page) == 0
    assert axe.troubles(page) == []
    page.get_by_role("button", name="Customer").click()
    expect(page.get_by_role("button", name="View contact")).to_be_visible()
    assert axe.too_wide(page) == 0
    page.goto("/inbox")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    assert axe.too_wide(page) == 0


def test_an_admin_sets_the_inbox_its_groups_and_its_canned_answers(
    site: Site, visit: Visit, talks: Talks
) -> None:
    her = talks.there()
    page = visit("admin")
    page.goto("/settings/inbox")
    page.get_by_label("How many may wait", exact=True).fill("many")
    page.get_by_label("Monday").fill("9-17")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("This must be a whole number")).to_be_visible()
    expect(page.get_by_text("Write it as 09:00-12:00")).to_be_visible()
    page.get_by_label("How many may wait", exact=True).fill("20")
    page.get_by_label("Monday").fill("09:00-12:00, 13:00-17:30")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.get_by_label("Name of a new group").fill("Orders")
    page.get_by_role("button", name="Make a group").click()
    agent = page.get_by_role("form", name="Agent")
    agent.get_by_label("Orders").check()
    agent.get_by_label("Skills").fill("hindi, refunds")
    agent.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Skills").first).to_be_visible()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    desk = site.platform.default.desk
    assert desk.settings.queue_limit == 20
    assert [(h.day, h.start, h.end) for h in desk.settings.hours] == [(1, 540, 720), (1, 780, 1050)]
    assert desk.agents[her].skills == {"hindi", "refunds"}
    assert len(desk.agents[her].groups) == 1
    assert axe.troubles(page) == []
    page.get_by_role("link", name="Canned answers").click()
    page.get_by_label("Name").fill("Greeting")
    page.get_by_label("Text").fill("Hello {{{user.nobody}}}")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("There is no property nobody")).to_be_visible()
    page.get_by_label("Text").fill("Hello {{{user.firstName|there}}}")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("button", name="Save Greeting")).to_be_visible()
    assert axe.troubles(page) == []
