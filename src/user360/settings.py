"""Every setting of a process, one row each: its name, its variable, its default, its meaning.

Settings of one workspace (time zone, identifier, ...) live in the workspace itself; see
`user360.access.workspaces`.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from user360.errors import Invalid


class Setting(msgspec.Struct, frozen=True):
    """One row of the table: read from `variable`, kept in the field `name` of `Settings`.

    `pattern` and `holds` are what a text must be, `expects` says so in words.
    """

    name: str
    variable: str
    default: Any
    meaning: str
    pattern: str = ".*"
    expects: str = "text"
    holds: Callable[[str], bool] = lambda _: True


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(text: str) -> list[Network]:
    """The networks and single addresses of a list with commas. Raises `ValueError`."""
    given = [each.strip() for each in text.split(",") if each.strip()]
    return [ipaddress.ip_network(each, strict=False) for each in given]


def _are_networks(text: str) -> bool:
    try:
        return bool(networks(text))
    except ValueError:
        return False


NEVER = "never"

TABLE: tuple[Setting, ...] = (
    Setting(
        "ledger",
        "USER360_LEDGER",
        "",
        "URL of the ledger; empty is SQLite in the directory",
        "sqlite:///.+",
        "a URL of the form sqlite:///PATH; other engines are not built in yet",
    ),
    Setting(
        "warehouse",
        "USER360_WAREHOUSE",
        "",
        "URL of the warehouse; empty is DuckDB in it too",
        "",
        "left unset; engines other than DuckDB are not built in yet",
    ),
    Setting("admin_key", "USER360_ADMIN_KEY", "", "fixes the first admin key, for automation"),
    Setting("queue_calls", "USER360_QUEUE_CALLS", 40_000, "calls that may wait before a 429"),
    Setting(
        "queue_bytes", "USER360_QUEUE_BYTES", 64_000_000, "bytes of bodies in work before a 429"
    ),
    Setting("commit_calls", "USER360_COMMIT_CALLS", 4_000, "the most calls in one commit"),
    Setting(
        "warehouse_memory",
        "USER360_WAREHOUSE_MEMORY",
        "300MB",
        "memory the warehouse may use",
        r"[1-9][0-9]*(\.[0-9]+)? ?(MB|GB|MiB|GiB)",
        "a size such as 512MB or 2GB",
    ),
    Setting("warehouse_threads", "USER360_WAREHOUSE_THREADS", 2, "threads of one warehouse query"),
    Setting("fresh_rows", "USER360_FRESH_ROWS", 200_000, "events kept unsorted before a fold"),
    Setting("export_days", "USER360_EXPORT_DAYS", 7, "days that exported files can be taken away"),
    Setting(
        "import_root",
        "USER360_IMPORT_ROOT",
        "",
        "folder in which each workspace has one of its name for scheduled imports; empty is none",
        "/.*",
        "an absolute path",
    ),
    Setting("smtp_port", "USER360_SMTP_PORT", 0, "port that takes mail by SMTP; off when unset"),
    Setting(
        "smtp_certificate",
        "USER360_SMTP_CERTIFICATE",
        "",
        "file with the certificate for TLS at the SMTP port, with its chain (PEM); empty is no TLS",
    ),
    Setting(
        "smtp_key",
        "USER360_SMTP_KEY",
        "",
        "file with the certificate's key (PEM, no password); empty where it is in the same file",
    ),
    Setting(
        "smtp_tls",
        "USER360_SMTP_TLS",
        "offered",
        "whether mail is taken by SMTP without TLS too (offered), or never (required)",
        "offered|required",
        "offered or required",
    ),
    Setting("lmtp_port", "USER360_LMTP_PORT", 0, "port that takes mail by LMTP; off when unset"),
    Setting(
        "purge_at",
        "USER360_PURGE_AT",
        "03:00",
        "when, by the clocks of the first workspace, large files are written anew after somebody"
        " was erased; writers wait meanwhile. never leaves it to you",
        r"([01][0-9]|2[0-3]):[0-5][0-9]|never",
        "a time such as 03:00, or never",
    ),
    Setting("files_days", "USER360_FILES_DAYS", 30, "days that files of finished jobs are kept"),
    Setting(
        "client_header",
        "USER360_CLIENT_HEADER",
        "",
        "header in which the proxy before this server names who asks, say X-Forwarded-For",
        "[A-Za-z0-9-]+",
        "the name of a header",
    ),
    Setting(
        "call_networks",
        "USER360_CALL_NETWORKS",
        "",
        "networks that are not public and may be called by webhooks, flows and WhatsApp, say"
        " 127.0.0.1,10.0.0.0/8; empty is none",
        expects="networks or addresses with commas between them, such as 127.0.0.1,10.0.0.0/8",
        holds=_are_networks,
    ),
    Setting(
        "log_level",
        "USER360_LOG_LEVEL",
        "info",
        "debug, info, warning or error",
        "debug|info|warning|error",
        "debug, info, warning or error",
    ),
    Setting(
        "log_format",
        "USER360_LOG_FORMAT",
        "json",
        "json or text",
        "json|text",
        "json or text",
    ),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one process, as read from its environment."""

    ledger: str = ""
    warehouse: str = ""
    admin_key: str = ""
    queue_calls: int = 40_000
    queue_bytes: int = 64_000_000
    commit_calls: int = 4_000
    warehouse_memory: str = "300MB"
    warehouse_threads: int = 2
    fresh_rows: int = 200_000
    export_days: int = 7
    import_root: str = ""
    smtp_port: int = 0
    smtp_certificate: str = ""
    smtp_key: str = ""
    smtp_tls: str = "offered"
    lmtp_port: int = 0
    purge_at: str = "03:00"
    files_days: int = 30
    client_header: str = ""
    call_networks: str = ""
    log_level: str = "info"
    log_format: str = "json"


def from_environment(environment: Mapping[str, str] = os.environ, **given: Any) -> Settings:
    """Settings from the environment, `given` ones first. Raises `Invalid` naming a bad variable."""
    values: dict[str, Any] = {}
    for row in TABLE:
        text = environment.get(row.variable, "")
        if text:
            values[row.name] = _convert(row, text)
    return Settings(**{**values, **given})


def _convert(row: Setting, text: str) -> Any:
    if not isinstance(row.default, int):
        if re.fullmatch(row.pattern, text) and row.holds(text):
            return text
        raise Invalid.at(row.variable, f"{row.variable} must be {row.expects}")
    if text.isdigit() and int(text) > 0:
        return int(text)
    raise Invalid.at(row.variable, f"{row.variable} must be a whole number above zero")
