"""What only this server can reach is not called for whoever names it, however they write it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.channels import calling
from user360.channels.bringing import Permanent
from user360.channels.reach import AsyncTransport, OutOfReach, Reach, Transport
from user360.errors import Invalid
from user360.flows import calling as flows_calling
from user360.flows.world import CallFailed
from user360.settings import from_environment

LIMITS = httpx.Limits(max_connections=2, max_keepalive_connections=1)
INSIDE = (
    *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
    *("169.254.169.254", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1"),
    *("fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
    *("64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fe80::1%eth0"),
)


class Secret(BaseHTTPRequestHandler):
    """What stands beside the server and trusts whoever can reach it."""

    asked = 0

    def do_GET(self) -> None:
        Secret.asked += 1
        self.send_response(200)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"7")

    def log_message(self, *_: object) -> None:
        """Nothing is told."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Secret)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_out_of_reach(address: str) -> None:
    assert not Reach("").allows(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_what_is_public_is_in_reach(address: str) -> None:
    assert Reach("").allows(address)


@given(st.ip_addresses(v=4))
def test_an_address_is_the_same_in_whatever_form(address: object) -> None:
    reach = Reach("10.0.0.0/8")
    assert reach.allows(f"::ffff:{address}") == reach.allows(str(address))


def test_networks_of_our_own_are_named() -> None:
    reach = Reach("127.0.0.1, 10.0.0.0/8")
    assert reach.allows("127.0.0.1")
    assert reach.allows("10.9.8.7")
    assert not reach.allows("127.0.0.2")
    assert not reach.allows("169.254.169.254")
    with pytest.raises(Invalid):
        from_environment({"USER360_CALL_NETWORKS": "10.0.0.0/99"})


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:7f00:1]"]
)
def test_nothing_inside_is_asked(port: int, host: str) -> None:
    before = Secret.asked
    client = httpx.Client(transport=Transport(Reach(""), LIMITS))
    with client, pytest.raises(Permanent, match="USER360_CALL_NETWORKS"), calling.told("It"):
        client.get(f"http://{host}:{port}/")
    assert Secret.asked == before


def test_a_flow_is_told_that_it_was_not_called(port: int) -> None:
    sent = flows_calling.Outgoing("GET", f"http://127.0.0.1:{port}/", {}, None)

    async def ask(networks: str) -> object:
        async with flows_calling.client(networks) as client:
            return await flows_calling.ask(client, sent, 5, 0)

    before = Secret.asked
    with pytest.raises(CallFailed, match="USER360_CALL_NETWORKS"):
        asyncio.run(ask(""))
    assert Secret.asked == before
    assert asyncio.run(ask("127.0.0.1")) == 7


def test_where_nobody_listens_the_next_address_is_tried(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name with several addresses: one that is not called, one that is dead, one that answers."""
    real = socket.getaddrinfo

    def several(host: object, *more: object, **how: object) -> object:
        found = real("127.0.0.1", port, type=socket.SOCK_STREAM)
        there = [(*each[:4], (ip, port)) for ip in ("10.0.0.1", "127.0.0.9") for each in found]
        return [*there, *found] if host == "several.example" else real(host, *more, **how)

    monkeypatch.setattr(socket, "getaddrinfo", several)
    with httpx.Client(transport=Transport(Reach("127.0.0.0/8"), LIMITS)) as client:
        assert client.get(f"http://several.example:{port}/").text == "7"


def test_a_name_that_leads_inside_is_not_called_in_a_loop(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def inside(host: object, *more: object, **how: object) -> object:
        named = "127.0.0.1" if host in (b"inside.example", "inside.example") else host
        return real(named, *more, **how)

    monkeypatch.setattr(socket, "getaddrinfo", inside)

    async def ask() -> None:
        async with httpx.AsyncClient(transport=AsyncTransport(Reach(""), LIMITS)) as client:
            await client.get(f"http://inside.example:{port}/")

    with pytest.raises(OutOfReach):
        asyncio.run(ask())
