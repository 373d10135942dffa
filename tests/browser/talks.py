"""People who write in, for the browser tests of the inbox: what they say, and who answers."""

from __future__ import annotations

from typing import Any

from tests.browser.site import Site
from user360 import ids
from user360.conversations import managing, store
from user360.conversations.deeds import Deed
from user360.conversations.talk import Conversation, Said
from user360.ingest.call import Call, Outcome, Session


class Talks:
    """What is said and done on a site's server beside what its pages do."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def call(self, **known: Any) -> Outcome:
        platform = self.site.platform
        now = platform.now()
        given = {"workspace": platform.default.id, "source": "conversation", "ref": "test"}
        call = Call(**{"at": now, "message_id": f"{now:020d}", **given, **known})
        outcome: Outcome = platform.settle([call])[0]
        assert outcome.problem is None, outcome.problem
        return outcome

    def says(self, session: str, text: str, channel: str = "web", **known: Any) -> str:
        """Somebody says something; the public id of the conversation."""
        said = {k: known.pop(k) for k in ("kind", "subject", "attachments") if k in known}
        sender = known.pop("sender", "customer")
        outcome = self.call(
            session=Session(channel, session),
            said=Said(sender=sender, text=text, **said),
            **{"ref": f"session:{channel}/{session}", **known},
        )
        assert outcome.conversation is not None
        return ids.public_conversation_id(outcome.conversation)

    def number(self, public: str) -> int:
        number = ids.parse_conversation_id(self.site.platform.default.id, public)
        assert number is not None
        return number

    def does(self, public: str, action: str, **how: Any) -> None:
        self.call(conversation=self.number(public), deed=Deed(action=action, **how))

    def held(self, public: str) -> Conversation:
        platform = self.site.platform
        number = self.number(public)
        with platform.ledger.read() as connection:
            where = (connection, platform.ledger.dialect, platform.default.id)
            return store.load(*where, [number])[number]

    def there(self, role: str = "agent", **how: Any) -> int:
        """A member of this role who is available; their number."""
        number = self.site.member(role)
        given = {"availability": "available", **how}
        self.site.change(lambda c: managing.set_agent(c, number, **given))
        return number
