"""A server whose WhatsApp is the stand-in for Meta."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.channels import served
from tests.channels.meta import Meta
from tests.channels.served import Served

_numbers = itertools.count(4915100000001)


@pytest.fixture(scope="module")
def graph() -> Iterator[Meta]:
    with Meta() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def site(graph: Meta) -> Iterator[Served]:
    with served.running() as site:
        graph.set_up(site)
        yield site


@pytest.fixture
def webhook(site: Served) -> str:
    return f"{site.url}/channels/whatsapp/webhook?workspace=default"


@pytest.fixture
def asha() -> str:
    """The number of somebody nobody knows yet."""
    return str(next(_numbers))
