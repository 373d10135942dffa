"""Who brings messages which way: one row a way."""

from __future__ import annotations

from collections.abc import Mapping

from user360.channels.email.sender import EmailSender
from user360.channels.outbox import Made, Outbox
from user360.channels.webhooks import WebhookSender
from user360.channels.whatsapp.media import MediaFetcher
from user360.channels.whatsapp.sending import WhatsAppSender
from user360.platform import Platform

SENDERS: Mapping[str, Made] = {
    "whatsapp": WhatsAppSender,
    "media": MediaFetcher,
    "email": EmailSender,
    "webhook": WebhookSender,
}


def outbox(platform: Platform) -> Outbox:
    """The outbox of a platform, with everybody who brings messages."""
    return Outbox(platform, SENDERS)
