"""What a channel's settings take, keep secret and tell."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stories.shop import Shop
from user360.access import audit
from user360.channels import declared, settings
from user360.channels.declared import Email, WhatsApp
from user360.errors import Conflict, Invalid
from user360.storage.ledger import Connection

TOKEN = "verysecretaccesstoken"


def put(shop: Shop, channel: str, /, **given: Any) -> dict[str, Any]:
    platform = shop.platform

    def job(connection: Connection) -> dict[str, Any]:
        change = platform.change(connection, shop.workspace, "key:1")
        return settings.change(change, platform.vault, channel, given)

    return platform.write(job)


def test_secrets_are_kept_but_never_told(shop: Shop) -> None:
    told = put(shop, "whatsapp", phoneNumberId="1023", accessToken=TOKEN, bot="webhook")
    assert told == settings.read(shop.platform, shop.workspace, "whatsapp")
    assert told["phoneNumberId"] == "1023"
    assert told["secretsSet"] == ["accessToken"]
    assert "accessToken" not in told
    assert (told["bot"], told["active"]) == ("webhook", True)
    whole = settings.whole(shop.platform, shop.workspace, "whatsapp", WhatsApp)
    assert (whole.access_token, whole.phone_number_id) == (TOKEN, "1023")
    assert whole.api_base == declared.GRAPH
    for path in shop.platform.directory.glob("ledger.db*"):
        assert TOKEN.encode() not in path.read_bytes()


def test_parts_are_changed_and_the_rest_stays(shop: Shop) -> None:
    told = put(shop, "email", address="help@shop.example", name="The shop")
    assert (told["channel"], told["name"]) == ("email", "The shop")
    put(shop, "email", smtp={"host": "mx", "password": "one"})
    put(shop, "email", smtp={"port": 25, "security": "none"})
    whole = settings.whole(shop.platform, shop.workspace, "email", Email)
    assert (whole.smtp.host, whole.smtp.port, whole.smtp.password) == ("mx", 25, "one")
    told = put(shop, "email", smtp={"password": None}, active=False)
    assert (told["secretsSet"], told["active"], told["smtp"]["host"]) == ([], False, "mx")
    assert shop.workspace.desk.bot_of("email") == ""


@pytest.mark.parametrize(
    ("channel", "kept", "moved", "again"),
    [
        (
            "whatsapp",
            {"accessToken": TOKEN},
            {"apiBase": "https://elsewhere.example"},
            {"apiBase": "https://elsewhere.example", "accessToken": TOKEN},
        ),
        (
            "email",
            {"smtp": {"host": "mx", "password": "x"}},
            {"smtp": {"host": "elsewhere"}},
            {"smtp": {"host": "elsewhere", "password": "x"}},
        ),
        (
            "email",
            {"imap": {"host": "mx", "password": "x"}},
            {"imap": {"host": None}},
            {"imap": {"host": None, "password": None}},
        ),
    ],
)
def test_a_secret_goes_to_no_server_but_the_one_it_was_given_for(
    shop: Shop, channel: str, kept: dict[str, Any], moved: dict[str, Any], again: dict[str, Any]
) -> None:
    before = put(shop, channel, **kept)
    with pytest.raises(Invalid, match="again"):
        put(shop, channel, **moved)
    assert settings.read(shop.platform, shop.workspace, channel) == before
    assert put(shop, channel, **kept) == before
    assert put(shop, channel, **again) != before


def test_a_channel_begins_with_no_flow_that_is_not_there(shop: Shop) -> None:
    with pytest.raises(Invalid, match="no flow greet") as refused:
        put(shop, "web", bot="flow:greet")
    assert [fault.path for fault in refused.value.faults] == ["bot"]


def test_what_a_channel_notes_for_itself_outlives_its_settings(shop: Shop) -> None:
    put(shop, "email", address="care@shop.example")
    noted = {"uid": 17}
    platform, workspace = shop.platform, shop.workspace
    platform.write(lambda c: settings.note(c, workspace, "email", "imap", noted))
    platform.write(lambda c: settings.note(c, workspace, "email", "other", {}))
    put(shop, "email", address="team@shop.example")
    assert settings.state(platform, workspace, "email") == {"imap": noted, "other": {}}


def test_what_is_missing_yet_is_named(shop: Shop) -> None:
    needed = ["phoneNumberId", "accessToken", "appSecret", "verifyToken"]
    assert put(shop, "whatsapp", bot="webhook")["missing"] == needed
    assert put(shop, "whatsapp", accessToken="t", verifyToken="v")["missing"] == needed[::2]
    assert put(shop, "whatsapp", phoneNumberId="1", appSecret="s")["missing"] == []
    assert put(shop, "whatsapp", accessToken=None)["missing"] == ["accessToken"]
    assert put(shop, "email", smtp={"host": "mx"})["missing"] == ["address"]
    assert put(shop, "web")["missing"] == []


def test_any_bot_has_a_channel_of_its_own(shop: Shop) -> None:
    told = put(shop, "telegram", bot="webhook")
    more = {"secretsSet": [], "missing": [], "trouble": "", "troubleSince": None}
    assert told == {"channel": "telegram", "active": True, "bot": "webhook", **more}
    assert settings.names(shop.workspace) == ["web", "whatsapp", "email", "api", "telegram"]
    assert shop.workspace.desk.bot_of("telegram") == "webhook"


@pytest.mark.parametrize(
    ("name", "given", "path"),
    [
        ("web", {"colour": "red"}, "colour"),
        ("web", {"signingKey": "short"}, "signingKey"),
        ("web", {"active": "yes"}, "active"),
        ("api", {"bot": "flow:"}, "bot"),
        ("api", {"bot": 7}, "bot"),
        ("whatsapp", {"phoneNumberId": "+49 1"}, "phoneNumberId"),
        ("whatsapp", {"phoneNumberId": 1023}, "phoneNumberId"),
        ("whatsapp", {"apiBase": "ftp://x"}, "apiBase"),
        ("whatsapp", {"apiBase": "https://[x"}, "apiBase"),
        ("whatsapp", {"appSecret": "two\nlines"}, "appSecret"),
        ("email", {"address": "nobody"}, "address"),
        ("email", {"smtp": "mx"}, "smtp"),
        ("email", {"smtp": {"port": 0}}, "smtp.port"),
        ("email", {"smtp": {"port": "25"}}, "smtp.port"),
        ("email", {"imap": {"host": "a b"}}, "imap.host"),
        ("email", {"imap": {"security": "ssl"}}, "imap.security"),
        ("a channel", {}, "channel"),
    ],
)
def test_what_cannot_be_set_says_where(
    shop: Shop, name: str, given: dict[str, Any], path: str
) -> None:
    with pytest.raises(Invalid) as raised:
        put(shop, name, **given)
    assert [fault.path for fault in raised.value.faults] == [path]
    assert name not in shop.workspace.desk.channels


def test_all_that_is_wrong_is_named_and_nothing_kept(shop: Shop) -> None:
    with pytest.raises(Invalid) as raised:
        put(shop, "email", address="x", bot="?", smtp={"port": -1, "host": "mx"})
    assert [f.path for f in raised.value.faults] == ["bot", "address", "smtp.port"]
    assert settings.read(shop.platform, shop.workspace, "email")["smtp"]["host"] == ""


def test_the_audit_names_what_was_changed_and_no_value(shop: Shop) -> None:
    put(shop, "whatsapp", accessToken=TOKEN)
    with shop.platform.ledger.read() as connection:
        lines = audit.lines(connection, shop.workspace.id, None, 10)
    assert [(n["action"], n["detail"]) for n in lines][:1] == [
        ("channel.settings", {"changed": ["accessToken"]})
    ]


def test_a_mailbox_is_one_workspaces_alone(shop: Shop) -> None:
    put(shop, "email", address="help@taken.example")
    other = Shop(shop.platform)
    for address in ("Help@Taken.Example", "help+sales@taken.example"):
        with pytest.raises(Conflict) as refused:
            put(other, "email", address=address)
        assert refused.value.faults[0].path == "address"
    put(other, "email", address="sales@taken.example")
    put(shop, "email", address="")
    put(other, "email", address="help@taken.example")


def test_trouble_where_mail_is_fetched_is_told(shop: Shop) -> None:
    put(shop, "email", address="trouble@shop.example")
    reason = "The mail server did not answer in time"
    noted = {"error": reason, "failed_at": "2026-11-22T10:42:00+00:00"}
    platform, workspace = shop.platform, shop.workspace
    platform.write(lambda c: settings.note(c, workspace, "email", "imap", noted))
    told = settings.read(platform, workspace, "email")
    assert (told["trouble"], told["troubleSince"]) == (reason, 1_795_344_120_000_000)
