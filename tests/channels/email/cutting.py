"""A way to a server that is cut in the middle: so many bytes come back, then nothing."""

from __future__ import annotations

import contextlib
import socket
import threading


class Cutting:
    """Listens at `port` and passes on to a server; connections that `cuts` names end early.

    `cuts` has how many bytes of the server's come through in the first connection, the second, ...;
    those after them are left alone.
    """

    def __init__(self, to: int, *cuts: int) -> None:
        self._to = to
        self._cuts = list(cuts)
        self.made = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        for each in (self._listening, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            self._open += [client, server]
            left = self._cuts[self.made] if self.made < len(self._cuts) else None
            self.made += 1
            for given in ((client, server, None), (server, client, left)):
                threading.Thread(target=_pass_on, args=given, daemon=True).start()


def _pass_on(taken: socket.socket, given: socket.socket, left: int | None) -> None:
    with contextlib.suppress(OSError):
        while data := taken.recv(4_096):
            given.sendall(data if left is None else data[:left])
            left = None if left is None else left - len(data)
            if left is not None and left <= 0:
                break
    for each in (taken, given):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
