"""Settings come from the environment; one that cannot be meant is named."""

from __future__ import annotations

import msgspec
import pytest

from user360 import settings
from user360.errors import Invalid


def test_every_row_of_the_table_is_a_field_with_its_default() -> None:
    fields = {f.name: f.default for f in msgspec.structs.fields(settings.Settings)}
    assert {row.name: row.default for row in settings.TABLE} == fields


def test_what_is_given_counts_before_the_environment() -> None:
    found = settings.from_environment({"USER360_QUEUE_CALLS": "7"}, log_level="error")
    assert (found.queue_calls, found.log_level) == (7, "error")


@pytest.mark.parametrize(
    ("variable", "text", "right"),
    [
        ("USER360_QUEUE_CALLS", "many", "a whole number above zero"),
        ("USER360_COMMIT_CALLS", "0", "a whole number above zero"),
        ("USER360_WAREHOUSE_MEMORY", "lots", "a size such as 512MB or 2GB"),
        ("USER360_LOG_LEVEL", "loud", "debug, info, warning or error"),
        ("USER360_LOG_FORMAT", "xml", "json or text"),
        ("USER360_LEDGER", "postgresql://host/db", "sqlite:///PATH"),
        ("USER360_WAREHOUSE", "clickhouse://host", "not built in yet"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(variable: str, text: str, right: str) -> None:
    with pytest.raises(Invalid, match=right) as caught:
        settings.from_environment({variable: text})
    assert [fault.path for fault in caught.value.faults] == [variable]


@pytest.mark.parametrize("text", ["512MB", "2GB", "1.5 GiB"])
def test_memory_is_a_size(text: str) -> None:
    assert settings.from_environment({"USER360_WAREHOUSE_MEMORY": text}).warehouse_memory == text
