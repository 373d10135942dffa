"""Flows as a person meets them: writing one, its faults at their lines, trying it as a chat."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.site import Site, Visit
from tests.people import HOSTILE, call, settle
from user360.channels import settings
from user360.doors.api.flows import EXAMPLE
from user360.flows import managing

TOPIC = """start: hello
nodes:
  hello:
    message: Hello {{{user.firstName|there}}}!
    next: topic
  topic:
    prompt:
      kind: choice
      ask: What is it about?
      choices: [Order, Other]
      variable: topic
    next: which
  which:
    condition:
      - variable: topic
        is: Order
        next: bye
      - else: agents
  bye:
    end: {reason: answered}
  agents:
    handOver: {}
"""


@pytest.fixture
def flow(site: Site) -> Site:
    """A flow that the web channel begins with, and somebody with a hostile name."""
    site.member("admin")
    platform = site.platform
    site.change(lambda c: managing.put(c, platform.vault, "welcome", TOPIC))
    site.change(lambda c: settings.change(c, platform.vault, "web", {"bot": "flow:welcome"}))
    asha = call(platform, "asha@example.com", properties={"firstName": HOSTILE})
    assert settle(platform, asha)[0].status == "created"
    return site


def written(page: Page) -> str:
    return page.get_by_label("The flow as YAML").input_value()


def says(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_role("button", name="Send").click()


def test_writing_the_first_flow(site: Site, visit: Visit) -> None:
    site.member("admin")
    page = visit("editor")
    page.goto("/flows")
    page.get_by_role("button", name="Write a flow").click()
    page.get_by_label("Name").fill("my flow")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("A flow's name is")).to_be_visible()
    page.get_by_label("Name").fill("welcome")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", name="welcome")).to_be_visible()
    assert written(page) == EXAMPLE
    expect(page.get_by_text("No channel begins with it yet")).to_be_visible()
    page.goto("/flows")
    expect(page.get_by_role("row", name="welcome")).to_contain_text("no channel")


@pytest.mark.usefixtures("flow")
def test_faults_are_told_while_writing_at_their_lines(visit: Visit) -> None:
    page = visit("editor")
    page.goto("/flows/welcome")
    expect(page.get_by_text("Nothing is wrong with it")).to_be_visible()
    page.get_by_label("The flow as YAML").fill(TOPIC.replace("next: topic", "next: topics"))
    fault = page.get_by_role("button", name="Line 5")
    expect(fault).to_contain_text("did you mean topic?")
    fault.click()
    chosen = page.evaluate("getSelection().toString()")
    assert chosen == "    next: topics"
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It is not kept: some lines are wrong")).to_be_visible()
    page.get_by_label("The flow as YAML").fill(TOPIC.replace("Hello", "Welcome"))
    expect(page.get_by_text("Nothing is wrong with it")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()
    page.reload()
    assert "Welcome {{{" in written(page)


@pytest.mark.usefixtures("flow")
def test_a_node_is_added_from_what_nodes_can_do(visit: Visit) -> None:
    page = visit("editor")
    page.goto("/flows/welcome")
    page.get_by_text("What a node can do").click()
    page.get_by_text("Gives the conversation to agents").click()
    page.get_by_role("button", name="Add to the flow").click()
    assert re.search(r"\n  handOver\d*:\n    handOver:\n      group: Support\n", written(page))
    expect(page.get_by_role("heading", name=re.compile("wrong"))).to_be_visible()
    page.get_by_role("button", name="Add to the flow").click()
    assert "\n  handOver2:\n" in written(page)
    assert axe.troubles(page) == []


@pytest.mark.usefixtures("flow")
def test_the_picture_says_what_each_node_does(visit: Visit) -> None:
    page = visit("reader")
    page.goto("/flows/welcome")
    nodes = page.get_by_role("list", name="The nodes of the flow").get_by_role("listitem")
    expect(nodes.filter(has_text="hello").first).to_contain_text("Hello ‹user.firstName›!")
    expect(nodes.filter(has_text="Condition")).to_contain_text("if topic is Order → bye")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)


@pytest.mark.usefixtures("flow")
def test_trying_it_as_a_chat_keeps_nothing(visit: Visit, flow: Site) -> None:
    page = visit("agent")
    page.goto("/flows/welcome")
    page.get_by_label("Who writes").fill("asha@example.com")
    says(page, "Hi")
    expect(page.get_by_text(f"Hello {HOSTILE}!")).to_be_visible()
    page.get_by_role("button", name="Order").click()
    expect(page.get_by_text("The flow is done")).to_be_visible()
    expect(page.get_by_text("End answered", exact=True)).to_be_visible()
    page.get_by_role("button", name="Start over").click()
    page.get_by_label("Who writes").fill("")
    says(page, "Hi")
    expect(page.get_by_text("Hello there!")).to_be_visible()
    says(page, "an agent please")
    expect(page.get_by_text("The flow gave up: asked")).to_be_visible()
    assert flow.platform.default.next_conversation == 1


@pytest.mark.usefixtures("flow")
def test_what_is_tried_is_what_is_written_not_what_is_kept(visit: Visit) -> None:
    page = visit("editor")
    page.goto("/flows/welcome")
    page.get_by_label("The flow as YAML").fill(TOPIC.replace("Hello", "Moin"))
    says(page, "Hi")
    expect(page.get_by_text("Moin there!")).to_be_visible()
    page.get_by_label("The flow as YAML").fill("start: nowhere")
    says(page, "Hi")
    expect(page.get_by_text("Mend the lines that are wrong")).to_be_visible()
    page.get_by_label("Who writes").fill("nobody")
    page.get_by_label("The flow as YAML").fill(TOPIC)
    says(page, "Hi")
    expect(page.get_by_text("There is no user with this userId")).to_be_visible()


@pytest.mark.usefixtures("flow")
def test_a_flow_in_use_is_not_deleted(visit: Visit, flow: Site) -> None:
    page = visit("admin")
    page.goto("/flows/welcome")
    expect(page.get_by_text("Answers on web")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The flow answers on web")).to_be_visible()
    vault = flow.platform.vault
    flow.change(lambda c: settings.change(c, vault, "web", {"bot": ""}))
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No flow yet")).to_be_visible()


@pytest.mark.usefixtures("flow")
def test_nothing_keeps_anybody_from_using_it(visit: Visit) -> None:
    page = visit(
        "admin",
    )
    page.goto("/flows")
    assert axe.troubles(page) == []
    page.goto("/flows/welcome")
    says(page, "Hi")
    expect(page.get_by_text("Hello there!")).to_be_visible()
    assert axe.troubles(page) == []
    page.get_by_label("The flow as YAML").fill("start: nowhere")
    expect(page.get_by_role("button", name="Line 1")).to_be_visible()
    assert axe.troubles(page) == []
    page.set_viewport_size(axe.NARROW)
    assert axe.too_wide(page) == 0
