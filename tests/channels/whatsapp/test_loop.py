"""A customer writes on WhatsApp, an agent answers, and what becomes of the answer is seen."""

from __future__ import annotations

from tests.channels import meta, served
from tests.channels.meta import Meta
from tests.channels.served import Served
from user360.channels.whatsapp.media import MediaFetcher
from user360.conversations import attachments
from user360.conversations.talk import Attachment


def test_from_the_first_hello_to_the_answer_that_was_read(
    site: Served, graph: Meta, webhook: str, asha: str
) -> None:
    taken = graph.deliver(webhook, meta.value(meta.text("Namaste", of=asha, id="wamid.1")))
    assert (taken.status_code, taken.json()) == (200, {"messages": 1, "statuses": 0})
    person = site.record(asha)
    assert person["phone"] == f"+{asha}"
    assert (person["firstName"], person["lastName"]) == ("Kerry", "Fisher")
    assert person["country"] == "DE"
    chat = site.conversations(asha)[0]
    before = len(graph.sent)
    site.answers(chat.id, "How can we help?")
    sent = graph.wait(before + 1)[-1]
    assert (sent["to"], sent["type"]) == (asha, "text")
    assert sent["text"]["body"] == "How can we help?"
    site.until(lambda: site.messages(asha)[1].delivery == "sent")
    for told in ("read", "delivered", "sent"):
        graph.deliver(webhook, meta.value(statuses=[meta.status(sent, told)]))
    answer = site.messages(asha)[1]
    assert (answer.delivery, answer.external) == ("read", sent["id"])


def test_a_delivery_that_comes_again_changes_nothing(
    site: Served, graph: Meta, webhook: str, asha: str
) -> None:
    hello = meta.value(meta.text("Hello", of=asha, id=f"wamid.{asha}"))
    assert [graph.deliver(webhook, hello).json()["messages"] for _ in range(3)] == [1, 0, 0]
    assert len(site.messages(asha)) == 1


def test_several_people_numbers_and_changes_in_one_body(
    site: Served, graph: Meta, webhook: str, asha: str
) -> None:
    ravi = f"9198{asha[-8:]}"
    both = meta.value(
        meta.text("one", of=asha, id=f"a{asha}", at=meta.TIME),
        meta.text("hello", of=ravi, id=f"b{asha}"),
        meta.text("two", of=asha, id=f"c{asha}", at=meta.TIME + 5),
    )
    others = meta.value(meta.text("not ours", of=asha, id=f"d{asha}"), number_id="999")
    assert graph.deliver(webhook, both, others).json() == {"messages": 3, "statuses": 0}
    assert [m.text for m in site.messages(asha)] == ["one", "two"]
    assert site.record(ravi)["country"] == "IN"


def test_a_long_answer_goes_in_pieces_and_is_read_when_all_are(
    site: Served, graph: Meta, webhook: str, asha: str
) -> None:
    graph.deliver(webhook, meta.value(meta.text("Tell me all", of=asha, id=f"w{asha}")))
    before = len(graph.sent)
    text = " ".join(f"word{n}" for n in range(1_000))
    site.answers(site.conversations(asha)[0].id, text)
    pieces = graph.wait(before + 2)[before:]
    assert all(len(p["text"]["body"]) <= 4_096 for p in pieces)
    assert " ".join(p["text"]["body"] for p in pieces) == text
    site.until(lambda: site.messages(asha)[1].delivery == "sent")
    graph.deliver(webhook, meta.value(statuses=[meta.status(pieces[1], "read")]))
    assert site.messages(asha)[1].delivery == "sent"
    graph.deliver(webhook, meta.value(statuses=[meta.status(pieces[0], "read")]))
    assert site.messages(asha)[1].delivery == "read"


def test_what_was_sent_of_an_answer_is_not_sent_again(
    site: Served, graph: Meta, webhook: str, asha: str
) -> None:
    graph.deliver(webhook, meta.value(meta.text("Tell me all", of=asha, id=f"w{asha}")))
    before = len(graph.sent)
    link = Attachment("terms.pdf", "application/pdf", url="https://shop.example/terms.pdf")
    chat = site.conversations(asha)[0].id
    site.answers(chat, "Our terms", attachments=(link,))
    first, second = graph.wait(before + 2)[before:]
    assert second["document"] == {"link": link.url, "filename": "terms.pdf"}
    site.until(lambda: not site.left())
    failed = meta.status(second, "failed", errors=[{"code": 131052, "title": "Media"}])
    graph.deliver(webhook, meta.value(statuses=[meta.status(first, "delivered"), failed]))
    assert site.messages(asha)[1].error == "WhatsApp could not fetch the file (code 131052)"


def test_a_file_of_a_customer_comes_after_its_message(
    site: Served, graph: Meta, webhook: str, asha: str
) -> None:
    graph.files["photo1"] = (b"\xff\xd8 a photo", "image/jpeg", "")
    image = {"id": "photo1", "mime_type": "image/jpeg", "caption": "It came like this"}
    said = meta.said("image", image, of=asha, id=f"w{asha}")
    graph.deliver(webhook, meta.value(said))
    site.until(lambda: bool(site.messages(asha)[0].attachments))
    message = site.messages(asha)[0]
    (file,) = message.attachments
    assert (message.text, file.name, file.type) == ("It came like this", "image.jpg", "image/jpeg")
    path = attachments.path_of(site.platform.directory, site.workspace.id, file.id)
    assert path.read_bytes() == b"\xff\xd8 a photo"
    site.until(lambda: not site.left())


def test_a_file_that_is_gone_says_so_at_its_message(
    site: Served, graph: Meta, webhook: str, asha: str
) -> None:
    document = {"id": "nowhere", "mime_type": "application/pdf", "filename": "bill.pdf"}
    graph.deliver(webhook, meta.value(meta.said("document", document, of=asha, id=f"w{asha}")))
    site.until(lambda: site.messages(asha)[0].error != "")
    message = site.messages(asha)[0]
    assert (message.text, message.attachments) == ("Document: bill.pdf", ())
    assert message.error == "WhatsApp does not accept this message (code 100)"


def test_a_file_of_an_agent_is_handed_in_and_sent(
    site: Served, graph: Meta, webhook: str, asha: str
) -> None:
    graph.deliver(webhook, meta.value(meta.text("Send it please", of=asha, id=f"w{asha}")))
    platform, workspace = site.platform, site.workspace.id
    name = attachments.write(platform.directory, workspace, b"the bill")
    told = Attachment("bill.txt", "text/plain", 8)
    kept = platform.write(lambda c: attachments.keep(c, workspace, name, told, platform.now()))
    before = len(graph.sent)
    site.answers(site.conversations(asha)[0].id, "Here it is", attachments=(kept,))
    document = graph.wait(before + 2)[-1]["document"]
    assert graph.files[document["id"]] == (b"the bill", "text/plain", "bill.txt")
    assert document["filename"] == "bill.txt"


def test_after_a_day_whatsapp_takes_no_answer_and_the_agent_reads_why(
    site: Served, graph: Meta, webhook: str, asha: str
) -> None:
    graph.deliver(webhook, meta.value(meta.text("Hello", of=asha, id=f"w{asha}")))
    graph.fail(400, 131047, "Re-engagement message")
    site.answers(site.conversations(asha)[0].id, "Sorry for the delay")
    site.until(lambda: site.messages(asha)[1].delivery == "failed")
    assert site.messages(asha)[1].error.startswith("The customer wrote more than 24 hours ago")
    assert [d.way for d in site.left(failed=True)][:1] == ["whatsapp"]


def test_a_busy_whatsapp_is_tried_again(site: Served, graph: Meta, webhook: str, asha: str) -> None:
    graph.deliver(webhook, meta.value(meta.text("Hello", of=asha, id=f"w{asha}")))
    graph.fail(400, 130429, "Rate limit hit")
    site.answers(site.conversations(asha)[0].id, "Hello")
    site.until(lambda: bool(site.left()) and site.left()[0].attempts == 1)
    assert site.messages(asha)[1].delivery == "queued"
    assert "More messages were sent" in site.left()[0].error
    due = site.left()[0]
    site.outbox.bring(due)
    assert site.messages(asha)[1].delivery == "sent"
    assert site.left() == []


def test_a_file_of_somebody_who_was_deleted_meanwhile_is_not_kept(graph: Meta, asha: str) -> None:
    graph.files["late"] = (b"a late photo", "image/jpeg", "")
    said = meta.said("image", {"id": "late", "mime_type": "image/jpeg"}, of=asha, id=f"w{asha}")
    with served.running() as site:
        graph.set_up(site)
        site.outbox.close()  # nothing is fetched by itself from here on
        graph.deliver(f"{site.url}/channels/whatsapp/webhook", meta.value(said))
        (waiting,) = site.left()
        message, chat = site.messages(asha)[0], site.conversations(asha)[0]
        site.deleted(chat.record)
        fetcher = MediaFetcher(site.platform)
        fetcher.send(waiting, message, chat)
        fetcher.close()
        held = attachments.path_of(site.platform.directory, site.workspace.id, "x").parent
        assert list(held.iterdir()) == []
