"""A crash between WhatsApp's answer and our note: what WhatsApp reports is not sent again."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.channels import meta, served
from tests.channels.meta import Meta
from tests.channels.served import Served
from user360.channels.bringing import Delivery, Temporary
from user360.channels.declared import WhatsApp
from user360.channels.outbox import Outbox
from user360.channels.senders import SENDERS
from user360.channels.whatsapp.graph import REPORT_SECONDS, Graph
from user360.channels.whatsapp.sending import WhatsAppSender
from user360.clock import SECOND


@pytest.fixture
def crashed(graph: Meta) -> Iterator[Served]:
    """A server by which nothing is brought by itself."""
    with served.running() as site:
        graph.set_up(site)
        site.outbox.close()
        yield site


def sent_and_not_noted(site: Served, graph: Meta, asha: str, text: str) -> list[Delivery]:
    """An answer that went out just before the process ended; what is still to be brought."""
    said = meta.text("Hello", of=asha, id=f"w{asha}")
    graph.deliver(f"{site.url}/channels/whatsapp/webhook", meta.value(said))
    chat = site.conversations(asha)[0]
    site.answers(chat.id, text)
    sender = WhatsAppSender(site.platform)
    (delivery,) = site.left()
    if len(text) <= 4_096:
        sender.send(delivery, site.messages(asha)[1], chat)
    else:
        graph.fail(500, 131016)
        with pytest.raises(Temporary):  # before its first piece went
            sender.send(delivery, site.messages(asha)[1], chat)
        sender._keep = lambda *_: None  # type: ignore[method-assign]
        sender.send(delivery, site.messages(asha)[1], chat)
    sender.close()
    return site.left()


def bring(site: Served, delivery: Delivery) -> None:
    """Bring it as the server does after its next start."""
    box = Outbox(site.platform, SENDERS)
    box.bring(delivery)
    box.close()


@pytest.mark.parametrize("told", ["sent", "delivered", "read"])
def test_what_was_reported_is_not_sent_again(
    crashed: Served, graph: Meta, asha: str, told: str
) -> None:
    before = len(graph.sent)
    (waiting,) = sent_and_not_noted(crashed, graph, asha, "On its way")
    (gone,) = graph.sent[before:]
    webhook = f"{crashed.url}/channels/whatsapp/webhook"
    graph.deliver(webhook, meta.value(statuses=[meta.status(gone, told)]))
    bring(crashed, waiting)
    assert len(graph.sent) == before + 1
    assert crashed.left() == []
    message = crashed.messages(asha)[1]
    assert (message.delivery, message.external) == (told, gone["id"])


def test_of_several_pieces_only_those_nobody_reported_are_sent(
    crashed: Served, graph: Meta, asha: str
) -> None:
    before = len(graph.sent)
    (waiting,) = sent_and_not_noted(crashed, graph, asha, "word " * 1_200)
    first, _ = graph.sent[before:]
    webhook = f"{crashed.url}/channels/whatsapp/webhook"
    graph.deliver(webhook, meta.value(statuses=[meta.status(first, "delivered")]))
    bring(crashed, waiting)
    pieces = [each["biz_opaque_callback_data"][-1] for each in graph.sent[before:]]
    assert pieces == ["0", "1", "1"]


def test_what_failed_may_be_sent_again(crashed: Served, graph: Meta, asha: str) -> None:
    before = len(graph.sent)
    (waiting,) = sent_and_not_noted(crashed, graph, asha, "On its way")
    failed = meta.status(graph.sent[-1], "failed", errors=[{"code": 131026, "title": "No"}])
    graph.deliver(f"{crashed.url}/channels/whatsapp/webhook", meta.value(statuses=[failed]))
    bring(crashed, waiting)
    assert len(graph.sent) == before + 2


def test_after_a_start_reports_are_waited_for(crashed: Served, graph: Meta, asha: str) -> None:
    before = len(graph.sent)
    sent_and_not_noted(crashed, graph, asha, "On its way")
    now = crashed.platform.clock.now()
    box = Outbox(crashed.platform, SENDERS)
    box.start()
    try:
        (waiting,) = crashed.left()
        assert waiting.due_at >= now + REPORT_SECONDS * SECOND
    finally:
        box.close()
    assert len(graph.sent) == before + 1


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (httpx.ReadTimeout("slow"), REPORT_SECONDS),
        (httpx.RemoteProtocolError("gone"), REPORT_SECONDS),
        (httpx.ConnectError("refused"), 0),
        (httpx.ConnectTimeout("slow"), 0),
    ],
)
def test_without_an_answer_a_report_is_waited_for(error: Exception, seconds: float) -> None:
    def fails(_request: httpx.Request) -> httpx.Response:
        raise error

    channel = WhatsApp(phone_number_id="1", access_token="t", api_base="https://graph.test")
    with pytest.raises(Temporary) as why:
        Graph(httpx.Client(transport=httpx.MockTransport(fails)), channel).send({})
    assert why.value.after == seconds
