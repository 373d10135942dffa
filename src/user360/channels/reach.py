"""Which addresses are called for those who name one: for webhooks, flows and channels.

Whoever may name an address must not reach by it what only this server can reach: another service
beside it, or what tells machines of a cloud their keys. So a name is looked up here, each address
it has is held against the rule, and the connection is made to that very address.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import anyio
import httpcore
import httpx

from user360.settings import networks

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Options: TypeAlias = Iterable[Any] | None
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
VARIABLE = "USER360_CALL_NETWORKS"


class OutOfReach(Exception):
    """A name leads to addresses that are not called; the message says so in words."""

    def __init__(self) -> None:
        super().__init__(
            "it is in a network that is not called; whoever runs the server can allow it by"
            f" {VARIABLE}"
        )


class Reach:
    """What may be called: public addresses, and those in our `own` networks (10.0.0.0/8,::1)."""

    def __init__(self, own: str) -> None:
        self._own = networks(own)

    def allows(self, address: str) -> bool:
        """Whether this address is called."""
        return all(
            _is_public(each) or any(each in network for network in self._own)
            for each in _meant(ipaddress.ip_address(address.partition("%")[0]))
        )

    def chosen(self, found: Sequence[Any]) -> list[str]:
        """Those of the addresses that a name has (as `getaddrinfo` tells them) that are called.

        Raises `OutOfReach` when there is none.
        """
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        allowed = [address for address in addresses if self.allows(address)]
        if not allowed:
            raise OutOfReach
        return allowed


def _meant(address: Address) -> list[Address]:
    """An address with those that it stands for elsewhere: older ones are written in newer ones."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    within = [address.sixtofour, *(address.teredo or ())]
    return [address, *(each for each in within if each is not None)]


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast


class Within(httpcore.SyncBackend):
    """Connects to what is in reach, and to nothing else."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Options = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers. Raises `OutOfReach`."""
        trouble: Exception = httpcore.ConnectError("The host has no address")
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("The host has no address") from error
        for address in self._reach.chosen(found):
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
        raise trouble


class WithinAsync(httpcore.AnyIOBackend):
    """The same for calls that are made in a loop."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Options = None,
    ) -> httpcore.AsyncNetworkStream:
        """See `Within`."""
        trouble: Exception = httpcore.ConnectError("The host has no address")
        try:
            found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("The host has no address") from error
        for address in self._reach.chosen(found):
            try:
                return await super().connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
        raise trouble


class Transport(httpx.HTTPTransport):
    """What calls on threads are made with."""

    def __init__(self, reach: Reach, limits: httpx.Limits) -> None:
        context = httpx.create_ssl_context()
        super().__init__(verify=context)
        # The library takes no network of ours, but the pool that it is built on does.
        self._pool = httpcore.ConnectionPool(
            context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=Within(reach),
        )


class AsyncTransport(httpx.AsyncHTTPTransport):
    """What calls in a loop are made with."""

    def __init__(self, reach: Reach, limits: httpx.Limits) -> None:
        context = httpx.create_ssl_context()
        super().__init__(verify=context)
        self._pool = httpcore.AsyncConnectionPool(
            context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=WithinAsync(reach),
        )
